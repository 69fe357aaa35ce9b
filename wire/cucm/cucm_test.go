package cucm

import (
	"fmt"
	"strings"
	"testing"
)

const table = "\ufeffDevice Name,Description,Device Pool,Device Type,Device Protocol,Common Phone Profile,Phone Load Name,Directory Number  1,Display  1,Line Text Label 1,Directory Number  2,ASCII Display 2\r\n" +
	"SEP001122334455,\"Anna, desk\",Office,Cisco 8861,SIP,Home,sip88xx.14-2-1,1001,Anna,1001 - Anna,1002,Lobby\r\n" +
	"00:11:22:33:44:66,,Office,Cisco 7965,SCCP,,,1003\r\n" +
	",,,\r\n"

const axl = `<?xml version="1.0"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><ns:getPhoneResponse xmlns:ns="http://www.cisco.com/AXL/API/11.5"><return>
<phone ctiid="5" uuid="{A}"><name>SEP001122334455</name><description>Anna</description><product>Cisco 8861</product><protocol>SIP</protocol>
 <commonPhoneConfigName uuid="{B}">Home</commonPhoneConfigName><devicePoolName>Office</devicePoolName><loadInformation special="false">x</loadInformation>
 <lines><line uuid="{C}"><index>2</index><label>two</label><display/><dirn uuid="{D}"><pattern>1002</pattern></dirn></line><line><index>1</index><label/><display>Anna</display><dirn><pattern>\+491001</pattern></dirn></line></lines></phone>
<vpnGateway uuid="{E}"><name>GW</name><url>https://vpn.example.net/phones</url><certificates><certificate><certificateName>CN=vpn</certificateName></certificate></certificates></vpnGateway>
<vpnGroup><name>G</name><vpnGateways><vpnGateway><vpnGatewayName>GW</vpnGatewayName><priority>1</priority></vpnGateway></vpnGateways></vpnGroup>
<vpnProfile><name>P</name><autoNetworkDetection>true</autoNetworkDetection><mtu>1290</mtu><failToConnect>30</failToConnect><clientAuthentication>User and Password</clientAuthentication><pwdPersistant>false</pwdPersistant><enableHostIdCheck>true</enableHostIdCheck></vpnProfile>
<commonPhoneConfig><name>Home</name><vpnGroupName>G</vpnGroupName><vpnProfileName>P</vpnProfileName></commonPhoneConfig>
</return></ns:getPhoneResponse></soapenv:Body></soapenv:Envelope>`

func TestTable(t *testing.T) {
	t.Parallel()
	e, err := ParseTable([]byte(table))
	if err != nil {
		t.Fatal(err)
	}
	const want = "[{2 SEP001122334455 Anna, desk Cisco 8861 SIP sip88xx.14-2-1 Home Office [{1 1001 Anna 1001 - Anna} {2 1002 Lobby }]} {3 SEP001122334466  Cisco 7965 SCCP   Office [{1 1003  }]}]"
	if got := fmt.Sprint(e.Phones); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for name, text := range map[string]string{"other headings": "User ID,Name\n", "empty": ""} {
		if e, err := ParseTable([]byte(text)); err == nil {
			t.Errorf("%s: read as %+v", name, e)
		}
	}
}

func TestAXL(t *testing.T) {
	t.Parallel()
	e, err := ParseAXL([]byte(axl))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{[{3 SEP001122334455 Anna Cisco 8861 SIP x Home Office [{1 +491001 Anna } {2 1002  two}]}] [{6 GW https://vpn.example.net/phones [CN=vpn]}] [{7 G [GW]}] [{8 P 1290 30 true User and Password false true}] [{9 Home G P}]}`
	if got := fmt.Sprint(*e); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	deep := "<phone>" + strings.Repeat("<a>", maxDepth+2) + strings.Repeat("</a>", maxDepth+2) + "</phone>"
	if _, err := ParseAXL([]byte(deep)); err == nil || !strings.Contains(err.Error(), "too deep") {
		t.Errorf("nested too deep: got %v", err)
	}
}

func TestTruncated(t *testing.T) {
	t.Parallel()
	for cut := 1; cut < len(axl); cut++ {
		if e, err := ParseAXL([]byte(axl[:cut])); err == nil {
			t.Fatalf("a document cut to %d bytes is read as %+v", cut, e)
		}
	}
	whole, err := ParseTable([]byte(table))
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(table) {
		if e, err := ParseTable([]byte(table[:cut])); err == nil && len(e.Phones) > 1 && e.Phones[0].Name != whole.Phones[0].Name {
			t.Fatalf("cut to %d bytes the first phone is %+v", cut, e.Phones[0])
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(table))
	f.Add([]byte(axl))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, parse := range []func([]byte) (*Export, error){ParseTable, ParseAXL} {
			e, err := parse(text)
			if err != nil {
				continue
			}
			for _, p := range e.Phones {
				if p.Name == "" || len(p.Lines) > maxLines {
					t.Fatalf("%+v", p)
				}
			}
		}
	})
}

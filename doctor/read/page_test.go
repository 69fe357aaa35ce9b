package read

import (
	"slices"
	"strings"
	"testing"
)

func TestPhonePage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"network setup, HTML", `<HTML><HEAD><TITLE>Cisco Systems, Inc.</TITLE></HEAD><BODY><TABLE>
<TR><TD><B> DHCP Server</B></TD><td width=20></TD><TD><B>192.168.1.1</B></TD></TR>
<TR><TD><B> Host Name</B></TD><td width=20></TD><TD><B>SEP001122334455</B></TD></TR>
<TR><TD><B> IP Address</B></TD><td width=20></TD><TD><B>192.168.1.23</B></TD></TR>
<TR><TD><B> Default Router 1</B></TD><td width=20></TD><TD><B>192.168.1.1</B></TD></TR>
<TR><TD><B> TFTP Server 1</B></TD><td width=20></TD><TD><B>192.168.1.1</B></TD></TR>
<TR><TD><B> TFTP Server 2</B></TD><td width=20></TD><TD><B></B></TD></TR>
<TR><TD><B> Alternate TFTP</B></TD><td width=20></TD><TD><B>No</B></TD></TR>
</TABLE></BODY></HTML>`, []string{
			"phone.page alternate=no ip=192.168.1.23 router=192.168.1.1 tftp1=192.168.1.1", "device device=SEP001122334455 ip=192.168.1.23",
		}},
		{"XML", `<?xml version="1.0"?><NetworkConfiguration>
<MACAddress>001122334455</MACAddress>
<HostName>SEP001122334455</HostName>
<DHCPServer>10.20.30.1</DHCPServer>
<TFTPServer1>10.20.30.5</TFTPServer1>
<TFTPServer2>0.0.0.0</TFTPServer2>
<AltTFTP>Yes</AltTFTP>
</NetworkConfiguration>`, []string{
			"phone.page alternate=yes dhcp-server=10.20.30.1 tftp1=10.20.30.5", "device device=SEP001122334455",
		}},
		{"XML on one line", `<?xml version="1.0" encoding="iso-8859-1"?><DeviceInformation><HostName>SEP001122334455</HostName><IPv4Address>10.20.30.9</IPv4Address>` +
			`<appLoadID>jar45sccp.8-5-4TH1-6.sbn</appLoadID><modelNumber>CP-7965G</modelNumber></DeviceInformation>`, []string{
			"device device=SEP001122334455 ip=10.20.30.9 load=jar45sccp.8-5-4TH1-6.sbn model=CP-7965G",
		}},
		{"XML on one line, cut", `<DeviceInformation><HostName>SEP001122334455</HostName><modelNumber>CP-79`, []string{"device device=SEP001122334455"}},
		{"copied from the screen", "Host name\tSEP001122334455\nTFTP server 1\t10.20.30.5\nAlternate TFTP\tYes\nActive load ID\tsip88xx.12-7-1-0001-393\nModel number: CP-8861\n", []string{
			"phone.page alternate=yes tftp1=10.20.30.5", "device device=SEP001122334455 load=sip88xx.12-7-1-0001-393 model=CP-8861",
		}},
		{"label and value on lines of their own", "Alternate TFTP\n\nNo\nTFTP Server 1\n192.168.1.1\n", []string{"phone.page alternate=no tftp1=192.168.1.1"}},
		{"prose", "The IP address 10.1.1.1 is that of the default router, and the version is 3 of the paper.\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := told(phoneFacts(t, c.text+"\n")); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

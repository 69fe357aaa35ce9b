package asa

import (
	"os"
	"strings"
	"testing"
)

func paste(text string) (*Pasted, int) {
	p, known := new(Pasted), 0
	for i, line := range strings.Split(text, "\n") {
		if p.Line(i+1, line) {
			known++
		}
	}
	return p, known
}

// TestPasted reads the same settings out of the forms in which people send them.
func TestPasted(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"indented": `group-policy GP internal
group-policy GP attributes
 vpn-idle-timeout none
 webvpn
  anyconnect ssl dtls enable
tunnel-group PHONES type remote-access
tunnel-group PHONES webvpn-attributes
 group-url https://vpn.example.net/phones enable
webvpn
 enable outside
`,
		"without indentation": `Here is what I have:
group-policy GP internal
group-policy GP attributes
vpn-idle-timeout none
webvpn
anyconnect ssl dtls enable
tunnel-group PHONES type remote-access
tunnel-group PHONES webvpn-attributes
group-url https://vpn.example.net/phones enable
webvpn
enable outside
and it does not work.
`,
		"the gateway's webvpn behind a policy": `group-policy GP internal
group-policy GP attributes
vpn-idle-timeout none
webvpn
enable outside
group-policy GP attributes
webvpn
anyconnect ssl dtls enable
tunnel-group PHONES type remote-access
tunnel-group PHONES webvpn-attributes
group-url https://vpn.example.net/phones enable
`,
		"with prompts": `asa1/pri/act(config)# group-policy GP internal
asa1/pri/act(config)# group-policy GP attributes
asa1/pri/act(config-group-policy)# vpn-idle-timeout none
asa1/pri/act(config-group-policy)# webvpn
asa1/pri/act(config-group-webvpn)# anyconnect ssl dtls enable
asa1/pri/act(config-group-webvpn)# tunnel-group PHONES type remote-access
asa1/pri/act(config)# tunnel-group PHONES webvpn-attributes
asa1/pri/act(config-tunnel-webvpn)# group-url https://vpn.example.net/phones enable
asa1/pri/act(config-webvpn)# enable outside
`,
		"quoted in a mail, with a pager": `> group-policy GP internal
> group-policy GP attributes
>  vpn-idle-timeout none
>  webvpn
>   anyconnect ssl dtls enable
> tunnel-group PHONES type remote-access
<--- More --->              > tunnel-group PHONES webvpn-attributes
>  group-url https://vpn.example.net/phones enable
> webvpn
>  enable outside
`,
	} {
		p, _ := paste(strings.ReplaceAll(text, "More --->              ", "More --->\r              \r"))
		s := p.Configuration().Settings()
		if _, ok := s.Get("enable"); !ok {
			t.Errorf("%s: webvpn is not enabled: %v", name, s.WebVPN)
		}
		gp := s.Policy("GP")
		if gp == nil {
			t.Errorf("%s: there is no policy GP", name)
			continue
		}
		if v, ok := gp.Get("", "vpn-idle-timeout"); !ok || v[0] != "none" {
			t.Errorf("%s: the idle timeout of GP is %v", name, v)
		}
		if v, ok := gp.Get("webvpn", "anyconnect", "ssl", "dtls"); !ok || v[0] != "enable" {
			t.Errorf("%s: DTLS of GP is %v; its settings are %+v", name, v, gp.Attributes)
		}
		if len(s.Groups) != 1 || s.Groups[0].Name != "PHONES" {
			t.Errorf("%s: the groups are %v", name, s.Groups)
		} else if v, ok := s.Groups[0].Get("webvpn-attributes", "group-url"); !ok || v[0] != "https://vpn.example.net/phones" {
			t.Errorf("%s: the group URL is %v", name, v)
		}
		if strings.Contains(name, "prompts") != (p.Host == "asa1") {
			t.Errorf("%s: the ASA is called %q", name, p.Host)
		}
	}
}

// TestPastedOthers makes sure that text of others is not taken for an ASA's configuration.
func TestPastedOthers(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"Router# show running-config\n!\nhostname Router\ninterface GigabitEthernet0/0\n ip address 192.0.2.1 255.255.255.0\n!\nip local pool P 192.0.2.5 192.0.2.9\nwebvpn gateway GW\n inservice\n",
		"Router(config)# ephone 1\nRouter(config-ephone)# mac-address 0011.2233.4455\n",
		"route add default gw 192.0.2.1\nenable the VPN on the phone\nno problem here\nhttp server runs\n",
		"VPNC: Leaf cert hash = D5E0FD97754423D0C659018A94D0461356D18548\n",
		"%ASA-6-113039: Group <GP> User <anna> IP <192.0.2.7> AnyConnect parent session started.\n",
	} {
		if p, known := paste(text); known > 0 {
			t.Errorf("%d lines of %q are taken for an ASA's: %+v", known, text, p.Configuration().Commands[0])
		}
	}
}

// TestPastedWhole reads a whole configuration as ParseConfiguration does, and cut at every line.
func TestPastedWhole(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/configuration/running.txt")
	if err != nil {
		t.Fatal(err)
	}
	want, err := ParseConfiguration(text)
	if err != nil {
		t.Fatal(err)
	}
	p, _ := paste(string(text))
	if !p.Whole() {
		t.Error("the configuration is not whole")
	}
	got, settings := p.Configuration().Settings(), want.Settings()
	if len(got.Policies) != len(settings.Policies) || len(got.Groups) != len(settings.Groups) || len(got.Lists) != len(settings.Lists) || len(got.Trustpoints) != len(settings.Trustpoints) {
		t.Errorf("read %d policies, %d groups, %d lists, %d trustpoints; want %d, %d, %d, %d", len(got.Policies), len(got.Groups), len(got.Lists), len(got.Trustpoints),
			len(settings.Policies), len(settings.Groups), len(settings.Lists), len(settings.Trustpoints))
	}
	lines := strings.SplitAfter(string(text), "\n")
	for i := range len(lines) - 5 {
		p, _ := paste(strings.Join(lines[:i], ""))
		p.Configuration().Settings().Reach()
		if p.Whole() {
			t.Fatalf("cut behind line %d, it is whole", i)
		}
	}
}

// TestReach reads address translation in its old and its new form.
// TestPastedTyped tells what an ASA lists from what somebody enters.
func TestPastedTyped(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"webvpn\n enable outside":                                    false,
		"fw# show run webvpn\nwebvpn\n enable outside":               false,
		"fw(config)# webvpn\nfw(config-webvpn)# enable outside":      true,
		"fw(config-webvpn)# svc image disk0:/a.pkg 1":                true,
		"fw(config)# tunnel-group PHONES webvpn-attributes":          true,
		"tunnel-group PHONES webvpn-attributes\n authentication aaa": false,
	} {
		p, _ := paste(text)
		if all := p.Configuration().Commands; len(all) != 1 || all[0].Typed != want {
			t.Errorf("%q: read as %d commands, the first not typed %t", text, len(all), want)
		}
	}
}

func TestReach(t *testing.T) {
	t.Parallel()
	p, _ := paste(`ASA Version 8.2(5)
access-list NONAT extended permit ip any 10.99.0.0 255.255.255.0
nat (inside) 0 access-list NONAT
nat (inside) 1 0.0.0.0 0.0.0.0
global (outside) 1 interface
static (inside,outside) tcp interface https 10.1.1.9 https netmask 255.255.255.255
route inside 0.0.0.0 0.0.0.0 10.1.1.1 tunneled
dhcpd address 10.1.1.100-10.1.1.150 inside
: end
`)
	r := p.Configuration().Settings().Reach()
	if len(r.Translations) != 3 || r.Translations[0].Kind != Exempt || r.Translations[1].Kind != Dynamic || r.Translations[1].Out != "outside" || r.Translations[2].Service != "tcp/443" {
		t.Errorf("old translations: %+v", r.Translations)
	}
	if len(r.Routes) != 1 || !r.Routes[0].Tunneled || len(r.Ranges) != 1 {
		t.Errorf("routes %+v, ranges %+v", r.Routes, r.Ranges)
	}
	p, _ = paste(`ASA Version 9.8(2)
object network POOL
 subnet 10.99.0.0 255.255.255.0
object network ALL
 subnet 0.0.0.0 0.0.0.0
object network ALL
 nat (inside,outside) dynamic interface
object network WEB
 host 10.1.1.9
 nat (inside,outside) static interface service tcp https https
nat (inside,outside) source static any any destination static POOL POOL no-proxy-arp route-lookup
`)
	r = p.Configuration().Settings().Reach()
	if len(r.Translations) != 3 || r.Translations[0].Kind != Dynamic || r.Translations[1].Service != "tcp/443" || r.Translations[2].Kind != Exempt || r.Translations[2].Destination[0].String() != "10.99.0.0/24" {
		t.Errorf("new translations: %+v", r.Translations)
	}
}

// TestFields parts lines of tables, also where two columns run together.
func TestFields(t *testing.T) {
	t.Parallel()
	got := Fields("Assigned IP  : 10.10.10.2             Public IP    : 172.16.250.15")
	if len(got) != 2 || got[0] != (Field{"Assigned IP", "10.10.10.2"}) || got[1] != (Field{"Public IP", "172.16.250.15"}) {
		t.Errorf("two columns: %+v", got)
	}
	if got := Fields("no table"); got != nil {
		t.Errorf("no table: %+v", got)
	}
	if l, ok := ParseLicence("AnyConnect for Cisco VPN Phone    : Disabled       perpetual"); !ok || l != (Licence{"AnyConnect for Cisco VPN Phone", "Disabled", "perpetual"}) {
		t.Errorf("a licence: %+v, %v", l, ok)
	}
}

func FuzzPasted(f *testing.F) {
	text, err := os.ReadFile("testdata/configuration/running.txt")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add("asa(config)# webvpn\nasa(config-webvpn)# enable outside\nnat (inside) 0 access-list X\nobject network A\nnat (a,b) dynamic interface")
	f.Fuzz(func(_ *testing.T, text string) {
		p, _ := paste(text)
		c := p.Configuration()
		c.Settings()
		c.Settings().Reach()
		for _, command := range c.Commands {
			_ = command.Redacted()
		}
		for _, line := range strings.Split(text, "\n") {
			Fields(line)
			ParseLicence(line)
		}
	})
}

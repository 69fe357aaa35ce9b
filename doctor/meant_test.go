package doctor_test

import (
	"strings"
	"testing"
)

// deskPhone is a phone in the office that lost its call manager once, as CUCM traces it.
const deskPhone = `Reason: SIP;cause=200;text="cisco-alarm:23 Name=SEP00005E005304 ActiveLoad=sip78xx.12-1-1-12.loads InactiveLoad=sip78xx.10-3-1-12.loads Last=reset-restart"` + "\n"

// labRouter is a CME without a way home, as one for exercises.
const labRouter = "version 15.2\nip dhcp pool VOICE\n option 150 ip 192.168.1.1\ntelephony-service\n ip source-address 192.168.1.1 port 2000\n" +
	"ephone 1\n mac-address 0000.5E00.5301\n type 7960\nephone 2\n mac-address 0000.5E00.5302\n type 7940\n"

// firewall is an ASA whose configuration is whole.
func firewall(commands string) string {
	return ": Saved\n:\nASA Version 9.0(3)\n!\nhostname fw\nroute outside 0.0.0.0 0.0.0.0 192.0.2.1 1\n" + commands + "prompt hostname context\nCryptochecksum:0\n: end\n"
}

const anyConnect = "webvpn\n anyconnect image disk0:/a.pkg 1\n anyconnect enable\n tunnel-group-list enable\n"

// TestVPNMeant is for what only a phone's VPN needs: a fault where one is meant, and a note where none is.
func TestVPNMeant(t *testing.T) {
	t.Parallel()
	phoneFile := "<device><vpnGroup><addresses><url1>https://vpn.example.com/phones</url1></addresses>" +
		"<credentials><certHash1>9+rw/3Jle1PRKrMsLbQw4aFjrfg=</certHash1><certHash2>RrH+ZlZtjmRJYCvorhRF2eAcm5c=</certHash2></credentials></vpnGroup></device>\n"
	for name, c := range map[string]struct{ text, want string }{
		"a desk phone":                        {deskPhone, "insufficient model-without-vpn(likely)"},
		"a desk phone, and a phone's VPN":     {deskPhone + phoneFile, "fault model-without-vpn(likely)"},
		"a load, and nothing that happened":   {"<DeviceInformation><HostName>SEP00005E005304</HostName><versionID>sip78xx.12-1-1-12</versionID></DeviceInformation>\n", "fault model-without-vpn(likely)"},
		"a router of phones":                  {labRouter + "end\n", "insufficient model-without-vpn home-network-overlaps"},
		"a router of phones that go home":     {labRouter + "voice service voip\n vpn-group 1\n  vpn-gateway 1 https://vpn.example.com/phones\n  vpn-trustpoint 1 trustpoint A leaf\nend\n", "fault model-without-vpn model-without-vpn home-network-overlaps"},
		"a firewall":                          {firewall(""), "insufficient"},
		"a firewall, and a phone's file":      {firewall("") + phoneFile, "fault vpn-not-enabled-on-interface"},
		"networks of a computer's session":    {"X-CSTP-Split-Include: 10.20.0.0/255.255.0.0\n", "insufficient split-tunnel(likely)"},
		"another port of a computer's UDP":    {"POST https://vpn.example.com:4443/\nX-DTLS-Port: 4443\n", "insufficient dtls-disabled(possible)"},
		"another port, and a phone's file":    {"X-DTLS-Port: 4443\n" + phoneFile, "ok dtls-disabled(likely)"},
		"a group of computers":                {"group-policy STAFF internal\ngroup-policy STAFF attributes\n split-tunnel-policy tunnelspecified\n", "insufficient split-tunnel(possible)"},
		"a group of phones":                   {"group-policy PHONES internal\ngroup-policy PHONES attributes\n split-tunnel-policy tunnelspecified\n", "fault split-tunnel"},
		"a clock that nobody sets":            {"Clock is unsynchronized, stratum 16, no reference clock\n", "ok clock-wrong(likely)"},
		"a firewall with AnyConnect, nowhere": {firewall(anyConnect), "fault vpn-not-enabled-on-interface"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := judgedText(t, c.text); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestFragment is for settings that are missing in what an ASA lists, and that say nothing where somebody typed them.
func TestFragment(t *testing.T) {
	t.Parallel()
	typed := "fw(config-webvpn)# " + strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(anyConnect), "webvpn\n "), "\n ", "\nfw(config-webvpn)# ") + "\n"
	noClient := "webvpn\n enable outside\n anyconnect image disk0:/a.pkg 1\n"
	for name, c := range map[string]struct{ text, want string }{
		"webvpn, listed":                  {anyConnect, "fault vpn-not-enabled-on-interface(likely)"},
		"webvpn, typed":                   {typed, "insufficient"},
		"webvpn, listed without client":   {noClient + "tunnel-group A type remote-access\n", "fault vpn-not-enabled-on-interface(likely)"},
		"webvpn, cut before the client":   {noClient, "insufficient"},
		"webvpn, typed without an image":  {"fw(config)# webvpn\nfw(config-webvpn)# enable outside\nfw(config-webvpn)# anyconnect enable\n", "insufficient"},
		"webvpn, listed without an image": {"webvpn\n enable outside\n anyconnect enable\n", "fault anyconnect-image-missing(likely)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := judgedText(t, c.text); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestOthersWords is for words that others have, too, and that are no fault of phones, CUCM or a gateway of theirs.
func TestOthersWords(t *testing.T) {
	t.Parallel()
	certificate := "Certificate\n  Status: Available\n  Certificate Usage: General Purpose\n  Subject:\n    Name: r1.example.com\n    cn=r1.example.com\n" +
		"  Validity Date:\n    start date: 09:17:52 UTC Jun 22 2022\n    end   date: 09:17:52 UTC Jun 22 2023\n  Associated Trustpoints: TP\n"
	for name, c := range map[string]struct{ text, want string }{
		"NX-OS":                         {"  System version: 6.1(2)I3(1)\n", "insufficient"},
		"CUCM's page":                   {"System version: 7.1.5.10000-12\n", "fault cucm-version"},
		"a port channel's hardware":     {"  Hardware: Port-Channel, address: 0c11.67ea.61ff\n", "insufficient"},
		"an ASA's hardware":             {"Hardware:   ASA5520, 2048 MB RAM\n", "insufficient"},
		"counts of packets":             {"  Checksum error drops packets :              66\n- Checksum Error: 10\n", "insufficient"},
		"a phone's damaged load":        {"9:54:34p Checksum Error\n", "ok load-missing(likely)"},
		"a router's certificate":        {certificate, "insufficient"},
		"a router's, of its VPN":        {certificate + "version 15.2\nwebvpn gateway G\n ssl trustpoint TP\n inservice\nend\n", "fault certificate-expired"},
		"a firewall's certificate":      {strings.Replace(certificate, "Subject:\n    Name: r1.example.com", "Subject Name:", 1), "fault certificate-expired(likely)"},
		"a certificate without a name":  {"notAfter=Jun 22 09:17:52 2023 GMT\n", "fault certificate-expired"},
		"a handshake that needed time":  {"DTLS handshake failed: Resource temporarily unavailable, try again.\nEstablished DTLS connection (using GnuTLS).\n", "ok"},
		"a handshake that never got on": {"DTLS handshake failed: Resource temporarily unavailable, try again.\n", "ok dtls-blocked(likely)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := judgedText(t, c.text); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

package judge

import (
	"slices"
	"testing"
)

// TestNetRules is for what captures, clients on a computer, ocserv and other servers tell.
func TestNetRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		facts []string
		want  []string
	}{
		{"capture: gateway silent", []string{"capture.no-answer service=gateway server=192.0.2.1:443"}, []string{"gateway-unreachable likely"}},
		{"capture: another gateway answers", []string{"capture.no-answer service=gateway server=192.0.2.1:443", "gateway.handshake server=192.0.2.2:443"}, []string{"gateway-unreachable possible"}},
		{"capture: files silent", []string{"capture.no-answer service=files server=10.1.1.5:6970"}, []string{"tftp-unreachable likely"}},
		{"capture: files by another way", []string{"capture.no-answer service=files server=10.1.1.5:6970", "files.sent name=SEP001122334455.cnf.xml"}, []string{"tftp-unreachable possible"}},
		{"capture: call manager silent", []string{"capture.no-answer service=call_manager server=10.1.1.6:5060 reason=timeout"}, []string{"registration-unreachable likely"}},
		{"capture: call manager forbidden", []string{"capture.no-answer service=call_manager server=10.1.1.6:5060 reason=prohibited"}, []string{"registration-unreachable certain"}},
		{"capture: TVS silent", []string{"capture.no-answer service=tvs server=10.1.1.6:2445"}, []string{"tvs-unreachable likely"}},
		{"capture: CAPF silent", []string{"capture.no-answer service=capf server=10.1.1.6:3804"}, []string{"capf-untrusted likely"}},
		{"capture: the gateway's name", []string{"capture.no-name host=vpn.example.com", "file.url url=https://vpn.example.com:8443/phones"}, []string{"gateway-name-unresolved certain"}},
		{"capture: a name like a gateway's", []string{"capture.no-name host=vpn.example.com"}, []string{"gateway-name-unresolved likely"}},
		{"a name server: a name like a gateway's", []string{"capture.no-name host=vpn.example.com anybody=true"}, nil},
		{"a name server: the gateway's name", []string{"capture.no-name host=vpn.example.com anybody=true", "asked.url url=https://vpn.example.com/phones"}, []string{"gateway-name-unresolved certain"}},
		{"a port that is taken", []string{"ocserv.port-taken address=0.0.0.0:443"}, []string{"port-taken certain"}},
		{"a port that is taken, then logins", []string{"ocserv.port-taken address=0.0.0.0:443", "ocserv.login user=anna"}, nil},
		{"logins, then a port that is taken", []string{"ocserv.login user=anna", "ocserv.port-taken address=0.0.0.0:443"}, []string{"port-taken certain"}},
		{"DNS's port is taken, DHCP goes on", []string{"ocserv.port-taken address=port_53", "dhcp.files option=150 servers=10.77.3.5 by=10.77.3.1"}, nil},
		{"a file server that started at last", []string{"files.server-down program=tftpd-hpa", "files.sent name=a"}, nil},
		{"a file server that is down", []string{"files.sent name=a", "files.server-down program=tftpd-hpa"}, []string{"tftp-unreachable likely"}},
		{"a gateway that is silent, then answers", []string{"gateway.no-answer server=192.0.2.1:443 reason=timeout", "gateway.handshake server=192.0.2.1:443 protocol=TLSv1.2"}, []string{"gateway-unreachable possible"}},
		{"a gateway that answers, then is silent", []string{"gateway.handshake server=192.0.2.1:443 protocol=TLSv1.2", "gateway.no-answer server=192.0.2.1:443 reason=timeout"}, []string{"gateway-unreachable likely"}},
		{"a gateway that is silent, another answers", []string{"gateway.no-answer server=192.0.2.1:443 reason=timeout", "gateway.handshake server=192.0.2.2:443 protocol=TLSv1.2"}, []string{"gateway-unreachable likely"}},
		{"ocserv: banned, then in", []string{"ocserv.banned address=192.0.2.7", "ocserv.login user=phone1 client=192.0.2.7"}, []string{"login-banned possible"}},
		{"ocserv: banned, then another is in", []string{"ocserv.banned address=198.51.100.7", "ocserv.login user=phone1 client=198.51.100.7", "ocserv.banned address=198.51.100.7"}, []string{"login-banned certain"}},
		{"Host Scan, then up without", []string{"client.host-scan", "client.up address=10.9.0.7"}, nil},
		{"capture: another name", []string{"capture.no-name host=cups.example.com", "file.url url=https://vpn.example.com/phones"}, nil},
		{"capture: certificate refused, not in the file", []string{"capture.certificate-refused sha1=" + hashA, "file.hash sha1=" + hashB}, []string{"certificate-hash-mismatch certain"}},
		{"capture: certificate refused by a phone", []string{"capture.certificate-refused phone=true sha1=" + hashA}, []string{"certificate-hash-mismatch likely"}},
		{"capture: certificate refused by somebody", []string{"capture.certificate-refused sha1=" + hashA}, []string{"certificate-hash-mismatch possible"}},
		{"capture: certificate refused that the file has", []string{"capture.certificate-refused sha1=" + hashA, "file.hash sha1=" + hashA}, nil},
		{"capture: old hello, version", []string{"gateway.handshake-failed by=gateway offered=TLSv1 alert=protocol_version server=192.0.2.1:443"}, []string{"tls-version likely"}},
		{"capture: old hello, cipher", []string{"gateway.handshake-failed by=gateway offered=TLSv1 alert=handshake_failure server=192.0.2.1:443"}, []string{"tls-cipher likely"}},
		{"capture: new hello", []string{"gateway.handshake-failed by=gateway offered=TLSv1.2 alert=handshake_failure server=192.0.2.1:443"}, []string{"tls-cipher possible"}},
		{"capture: no UDP", []string{"capture.no-udp server=192.0.2.1:443"}, []string{"dtls-blocked likely"}},
		{"capture: DTLS fails", []string{"capture.dtls-failed server=192.0.2.1:443 reason=alert"}, []string{"dtls-cipher-mismatch likely"}},
		{"capture: too big", []string{"capture.too-big by=192.0.2.9 mtu=1280"}, []string{"mtu likely"}},
		{"capture: nobody answers for the pool", []string{"capture.no-arp address=10.9.0.7", "gateway.pool network=10.9.0.0/24"}, []string{"no-route-to-pool likely"}},
		{"capture: nobody answers for another", []string{"capture.no-arp address=10.8.0.7", "gateway.pool network=10.9.0.1-10.9.0.99"}, nil},
		{"capture: translated", []string{"capture.translated line=1001 in=Contact named=10.9.0.7 seen=10.1.1.1", "gateway.pool network=10.9.0.1-10.9.0.99"}, []string{"nat-in-the-way likely"}},
		{"capture: translated elsewhere", []string{"capture.translated line=1001 in=Contact named=192.168.1.7 seen=10.1.1.1", "gateway.pool network=10.9.0.0/24"}, []string{"nat-in-the-way possible"}},
		{"capture: one way", []string{"capture.one-way from=10.9.0.7 to=10.1.1.6"}, []string{"one-way-audio likely"}},
		{"capture: on hold", []string{"capture.one-way from=10.9.0.7 to=10.1.1.6 held=true"}, []string{"one-way-audio possible"}},
		{"phone heard nothing", []string{"call.statistics sent=500 received=0"}, []string{"one-way-audio likely"}},
		{"phone heard something", []string{"call.statistics sent=500 received=480"}, nil},
		{"short call", []string{"call.statistics sent=20 received=0"}, nil},
		{"capture: certificate without the name", []string{"capture.name host=vpn.example.com sha1=" + hashA, "gateway.certificate sha1=" + hashA + " names=gw.example.com presented=true", "asked.url url=https://vpn.example.com/phones"}, []string{"host-id-mismatch likely"}},
		{"capture: certificate with the name", []string{"capture.name host=vpn.example.com sha1=" + hashA, "gateway.certificate sha1=" + hashA + " names=gw.example.com,VPN.example.com presented=true", "asked.url url=https://vpn.example.com/phones"}, nil},
		{"capture: two servers send the file", []string{"files.sent name=SEP001122334455.cnf.xml server=10.1.1.5 client=10.1.9.1", "files.sent name=SEP001122334455.cnf.xml server=10.1.1.7 client=10.1.9.1"}, []string{"second-tftp-answers likely"}},
		{"capture: one server sends it twice", []string{"files.sent name=SEP001122334455.cnf.xml server=10.1.1.5 client=10.1.9.1", "files.sent name=SEP001122334455.cnf.xml server=10.1.1.5 client=10.1.9.1"}, nil},
		{"DHCP names a home's server", []string{"dhcp.files option=150 servers=192.168.1.1"}, []string{"home-network-overlaps certain"}},
		{"DHCP names an office's server", []string{"dhcp.files option=150 servers=10.77.3.5"}, nil},

		{"client: expired", []string{"client.distrust reason=certificate_expired host=vpn.example.com"}, []string{"certificate-expired likely"}},
		{"client: name", []string{"client.distrust reason=certificate_does_not_match_hostname"}, []string{"host-id-mismatch likely"}},
		{"client: not yet", []string{"client.distrust reason=certificate_not_activated_yet"}, []string{"certificate-not-yet-valid likely"}},
		{"client: its own certificate", []string{"client.certificate-refused reason=has_expired"}, []string{"client-certificate-expired certain"}},
		{"client: idle", []string{"client.ended reason=Idle_Timeout"}, []string{"idle-timeout certain"}},
		{"client: too long", []string{"client.ended reason=session_timeout"}, []string{"session-timeout certain"}},
		{"client: as announced", []string{"client.limit at=10:00", "client.ended"}, []string{"session-timeout likely"}},
		{"client: for another reason", []string{"client.ended reason=administrator"}, nil},

		{"ocserv: certificate out of date", []string{"ocserv.certificate-refused user=anna reason=certificate_has_expired"}, []string{"client-certificate-expired certain"}},
		{"ocserv: certificate of somebody", []string{"ocserv.certificate-refused user=anna reason=signer_not_found"}, []string{"client-certificate-untrusted certain"}},
		{"ocserv: does not start", []string{"ocserv.not-started reason=x"}, []string{"gateway-unreachable likely"}},
		{"ocserv: refused a reload and runs", []string{"ocserv.not-started reason=x", "ocserv.login user=anna"}, nil},
		{"ocserv: new ciphers only", []string{"ocserv.setting key=match-tls-dtls-ciphers value=true"}, []string{"dtls-cipher-mismatch possible"}},
		{"ocserv: DTLS fails", []string{"ocserv.dtls-failed reason=alert"}, []string{"dtls-cipher-mismatch likely"}},
		{"ocserv: two addresses", []string{"ocserv.address user=anna address=10.9.0.7", "ocserv.address user=anna address=10.9.0.8"}, []string{"address-changed possible"}},
		{"ocserv: two addresses by its settings", []string{"ocserv.address user=anna address=10.9.0.7", "ocserv.address user=anna address=10.9.0.8", "ocserv.setting key=predictable-ips value=false"}, []string{"address-changed likely"}},
		{"ocserv: two users", []string{"ocserv.address user=anna address=10.9.0.7", "ocserv.address user=bert address=10.9.0.8"}, nil},
	} {
		if got := phoneFindings(t, c.facts...); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

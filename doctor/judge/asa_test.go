package judge

import (
	"slices"
	"testing"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// TestASARules is for what an ASA, IOS and CUCM tell that no text in doctor/asa_test.go does.
func TestASARules(t *testing.T) {
	t.Parallel()
	whole := "asa.configuration whole=true"
	phones := []string{"gateway.group-url url=https://vpn.example.com/phones group=PHONES", "file.url url=https://vpn.example.com/phones"}
	pool := "gateway.pool name=P network=10.9.0.1-10.9.0.99"
	for _, c := range []struct {
		name  string
		facts []string
		want  []string
	}{
		{"clock of 1993", []string{"asa.clock time=1993-01-01T00:00:07Z"}, []string{"clock-wrong certain"}},
		{"clock of today", []string{"asa.clock time=2026-11-26T12:00:00Z"}, nil},
		{"certificate map elsewhere", append(phones, "asa.certificate-rule map=M rule=10 text=subject-name_attr_cn_co_SEP group=STAFF"), []string{"certificate-map-wrong likely"}},
		{"certificate map there", append(phones, "asa.certificate-rule map=M rule=10 text=subject-name_attr_cn_co_SEP group=PHONES"), nil},
		{"datagrams denied", []string{"asa.denied protocol=udp port=443 own=true from=203.0.113.9 to=192.0.2.1"}, []string{"dtls-blocked likely"}},
		{"datagrams denied that are not for the ASA", []string{"asa.denied protocol=udp port=443 from=203.0.113.9 to=192.0.2.80"}, []string{"dtls-blocked possible"}},
		{"datagrams denied that are for the phones' gateway", []string{"asa.denied protocol=udp port=443 from=203.0.113.9 to=192.0.2.80", "file.url url=https://192.0.2.80/phones"}, []string{"dtls-blocked likely"}},
		{"calls out of a tunnel denied", []string{"asa.denied protocol=udp port=5060 from=10.9.0.7 to=10.1.1.6", "asa.images installed=1", pool}, []string{"registration-unreachable likely"}},
		{"files out of a tunnel denied", []string{"asa.denied protocol=udp port=69 from=10.9.0.7 to=10.1.1.6", "asa.images installed=1", pool}, []string{"tftp-unreachable likely"}},
		{"voice out of a tunnel denied", []string{"asa.denied protocol=udp port=17000 from=10.9.0.7 to=10.1.1.99", "asa.images installed=1", pool}, []string{"one-way-audio likely"}},
		{"the Web out of a tunnel denied", []string{"asa.denied protocol=tcp port=443 from=10.9.0.7 to=192.0.2.1", "asa.images installed=1", pool}, nil},
		{"pings out of a tunnel denied", []string{"asa.denied protocol=icmp from=10.9.0.7 to=10.1.1.6", "asa.images installed=1", pool}, nil},
		{"calls of guests denied", []string{"asa.denied protocol=udp port=5060 on=guest from=192.168.50.7 to=10.1.1.6"}, nil},
		{"calls denied that may come out of a tunnel", []string{"asa.denied protocol=udp port=5060 on=outside from=10.9.0.7 to=10.1.1.6"}, []string{"registration-unreachable possible"}},
		{"calls of an address that a phone got", []string{"asa.denied protocol=udp port=5060 from=10.9.0.7 to=10.1.1.6", "asa.address user=anna address=10.9.0.7"}, []string{"registration-unreachable likely"}},
		{"calls of an address that no phone got", []string{"asa.denied protocol=udp port=5060 on=outside from=10.9.0.8 to=10.1.1.6", "asa.address user=anna address=10.9.0.7"}, nil},
		{"TCP alone", []string{"asa.tcp-only user=anna"}, []string{"dtls-blocked likely"}},
		{"own certificate ended", []string{"asa.certificate-ends ended=true kind=ID trustpoint=TP", "asa.global setting=ssl_trust-point value=TP_outside"}, []string{"certificate-expired certain"}},
		{"a certificate ended", []string{"asa.certificate-ends ended=true kind=ID trustpoint=OLD"}, []string{"certificate-expired possible"}},
		{"an authority's certificate ended", []string{"asa.certificate-ends ended=true kind=CA trustpoint=TP"}, nil},
		{"client shows no certificate it likes", []string{"asa.tls-failed reason=tlsv1_alert_unknown_ca"}, []string{"certificate-hash-mismatch likely"}},
		{"no way to a phone", []string{"asa.no-route from=10.1.1.6 to=10.9.0.7", "asa.images installed=1", pool}, []string{"no-route-to-pool likely"}},
		{"no way for a phone", []string{"asa.no-route port=2000 from=10.9.0.7 to=10.1.1.6", "asa.images installed=1", pool}, []string{"registration-unreachable likely"}},
		{"no way for nobody knows whom", []string{"asa.no-route port=2000 from=10.9.0.7 to=10.1.1.6"}, nil},
		{"translation in the way of a phone", []string{"asa.nat-failed from=10.9.0.7 to=10.1.1.6", "asa.images installed=1", pool}, []string{"nat-in-the-way certain"}},
		{"translation in the way of nobody knows whom", []string{"asa.nat-failed from=10.9.0.7 to=10.1.1.6 port=445"}, []string{"nat-in-the-way possible"}},
		{"translation in the way of who registers", []string{"asa.nat-failed from=10.9.0.7 to=10.1.1.6 port=2000"}, []string{"nat-in-the-way likely"}},
		{"phones of one user that come from two places", []string{"asa.address phone=true user=anna public=203.0.113.9 address=10.9.0.7", "asa.address phone=true user=anna public=203.0.113.10 address=10.9.0.8"}, nil},
		{"large packets of a phone", []string{"asa.large-packet user=CP-7962G-SEP001122334455 size=1418 threshold=1347"}, []string{"mtu likely"}},
		{"large packets of somebody", []string{"asa.large-packet user=anna size=1418 threshold=1347"}, []string{"mtu possible"}},
		{"port given away, where the VPN has another", []string{"asa.webvpn setting=enable value=outside", "asa.webvpn setting=port value=8443", "asa.translation out=outside service=tcp/443 source=10.1.1.9"}, nil},
		{"the VPN's own port given away", []string{"asa.webvpn setting=enable value=outside", "asa.webvpn setting=port value=8443", "asa.translation out=outside service=tcp/8443 source=10.1.1.9"}, []string{"port-taken likely"}},
		{"port given away where no VPN is", []string{"asa.webvpn setting=enable value=outside", "asa.translation out=backup service=tcp/443 source=10.1.1.9"}, nil},
		{"a group for phones", []string{"asa.group group=VOICE setting=type value=remote-access", "asa.group group=VOICE setting=default-group-policy value=GP", "asa.policy policy=GP setting=split-tunnel-policy value=tunnelspecified"}, []string{"split-tunnel certain"}},
		{"a group for another site", []string{"asa.group group=VOICE setting=type value=ipsec-l2l", "asa.group group=VOICE setting=default-group-policy value=GP", "asa.policy policy=GP setting=split-tunnel-policy value=tunnelspecified"}, nil},
		{"a group for iPhones among others", []string{"asa.group group=IPHONE setting=default-group-policy value=GP", "asa.group group=PC setting=default-group-policy value=GP", "asa.policy policy=GP setting=split-tunnel-policy value=tunnelspecified"}, nil},
		{"an image refused", []string{"asa.image-refused reason=extraction_failed"}, []string{"anyconnect-image-missing likely"}},
		{"an image refused beside another one", []string{"asa.webvpn setting=anyconnect_image value=disk0:/a.pkg", "asa.images installed=1", "asa.image-refused reason=extraction_failed", "asa.image-refused reason=once_more"}, nil},
		{"room made by a session that nobody used", []string{"asa.session-limit whose=licence user=anna"}, []string{"session-limit likely"}},
		{"a certificate that ended, of the VPN", []string{"gateway.certificate depth=0 trustpoint=TP not-after=2020-01-01T00:00:00Z", "asa.global setting=ssl_trust-point value=TP_outside"}, []string{"certificate-expired certain"}},
		{"a certificate that ended, of nobody knows what", []string{"gateway.certificate depth=0 trustpoint=TP not-after=2020-01-01T00:00:00Z"}, []string{"certificate-expired likely"}},
		{"a certificate that ended, of something else", []string{"gateway.certificate depth=0 trustpoint=L2L not-after=2020-01-01T00:00:00Z", "asa.global setting=ssl_trust-point value=TP_outside"}, nil},
		{"a login that was refused", []string{"asa.login-refused user=anna"}, []string{"login-refused certain"}},
		{"a login that was taken later", []string{"asa.login-refused user=anna then=in"}, []string{"login-refused possible"}},
		{"the certificate of a phone", []string{"asa.certificate-refused subject=CP-7962G-SEP001122334455 reason=expired"}, []string{"client-certificate-expired certain"}},
		{"the certificate of a laptop", []string{"asa.certificate-refused subject=anna reason=expired"}, []string{"client-certificate-expired possible"}},
		{"idle, of the VPN of clients", []string{"asa.session-ended type=AnyConnect-Parent user=anna reason=Idle_Timeout"}, []string{"idle-timeout certain"}},
		{"idle, in a browser", []string{"asa.session-ended type=Clientless user=anna reason=Idle_Timeout"}, nil},
		{"idle, of one or the other", []string{"asa.session-ended user=anna reason=Idle_Timeout"}, []string{"idle-timeout possible"}},
		{"preempted", []string{"asa.session-ended type=SSL user=anna reason=Connection_Preempted"}, []string{"session-limit likely"}},
		{"preempted, by itself", []string{"asa.session-ended type=SSL user=anna public=203.0.113.9 reason=Connection_Preempted", "asa.address user=anna public=203.0.113.9 address=10.9.0.7"}, []string{"session-limit possible"}},
		{"preempted, by another phone", []string{"asa.session-ended type=SSL user=anna public=203.0.113.9 reason=Connection_Preempted", "asa.address user=anna public=203.0.113.10 address=10.9.0.7"}, []string{"session-limit likely"}},
		{"no certificate, of a browser beside phones", []string{"asa.address phone=true user=CP-8841-SEP001122334455 public=203.0.113.9 address=10.9.0.7", "asa.certificate-refused reason=peer_did_not_return_a_certificate"}, []string{"client-certificate-untrusted possible"}},
		{"no certificate, of the only client", []string{"asa.certificate-refused reason=peer_did_not_return_a_certificate"}, []string{"client-certificate-untrusted likely"}},
		{"preempted, of L2TP", []string{"asa.session-ended type=L2TPOverIPsec user=anna reason=Connection_Preempted"}, nil},
		{"phone to phone denied", []string{"asa.denied from=10.9.0.7 to=10.9.0.8", "asa.images installed=1", pool}, []string{"phone-to-phone-denied likely"}},
		{"session with one direction", []string{"asa.session phone=true user=anna group=PHONES policy=GP ip=10.9.0.7 tx=0 rx=9000 duration=0h:12m:01s"}, []string{"no-route-to-pool likely"}},
		{"session with both", []string{"asa.session phone=true user=anna group=PHONES policy=GP ip=10.9.0.7 tx=7000 rx=9000 duration=0h:12m:01s"}, nil},
		{"session of this minute", []string{"asa.session phone=true user=anna group=PHONES policy=GP ip=10.9.0.7 tx=0 rx=9000 duration=0h:00m:09s"}, nil},
		{"session with TLS 1.0", []string{"asa.session phone=true user=anna group=PHONES policy=GP tls=TLSv1.0"}, []string{"legacy-in-use certain"}},
		{"TLS 1.2 and an old model", []string{"asa.global setting=ssl_server-version value=tlsv1.2", "device model=CP-7975G"}, []string{"tls-version certain"}},
		{"TLS 1.2 and an old model, by its load", []string{"asa.global setting=ssl_server-version value=tlsv1.2", "device load=SCCP75.9-4-2"}, []string{"tls-version certain"}},
		{"TLS 1.2 and an old model of another number", []string{"asa.global setting=ssl_server-version value=tlsv1.2", "device model=CP-9971"}, []string{"tls-version certain"}},
		{"TLS 1.2 and a new model", []string{"asa.global setting=ssl_server-version value=tlsv1.2", "device model=CP-8861"}, nil},
		{"phones' group by a URL with the usual port", []string{phones[0], "file.url url=https://vpn.example.com:443/phones", "asa.group group=PHONES setting=default-group-policy value=GP", "asa.policy policy=GP setting=split-tunnel-policy value=tunnelspecified"}, []string{"split-tunnel certain"}},
		{"nobody's group by a URL with a slash more", []string{"gateway.group-url url=https://vpn.example.com/tel group=TEL", "gateway.group-url url=https://vpn.example.com/staff group=STAFF", "file.url url=https://vpn.example.com/tel/", "asa.group group=TEL setting=default-group-policy value=GP", "asa.policy policy=GP setting=split-tunnel-policy value=tunnelspecified"}, []string{"group-url-mismatch certain"}},
		{"file by certificate, group by password", append(phones, "asa.group group=PHONES setting=authentication value=aaa", "sep.vpn auth-method=2"), []string{"login-refused likely"}},
		{"file by password, group by certificate", append(phones, "asa.group group=PHONES setting=authentication value=certificate", "sep.vpn auth-method=0"), []string{"login-refused possible"}},
		{"both by password", append(phones, "asa.group group=PHONES setting=authentication value=aaa", "sep.vpn auth-method=0"), nil},
		{"port given away", []string{"asa.webvpn setting=enable value=outside", "asa.translation out=outside service=tcp/443 source=10.1.1.9"}, []string{"port-taken likely"}},
		{"UDP port given away", []string{"asa.webvpn setting=enable value=outside", "asa.translation out=outside service=udp/443 source=10.1.1.9"}, []string{"dtls-blocked likely"}},
		{"another port given away", []string{"asa.webvpn setting=enable value=outside", "asa.translation out=outside service=tcp/25 source=10.1.1.9"}, nil},

		{"IOS: not in service, for computers", []string{"ios.webvpn name=gateway_G setting=block", "ios.webvpn name=gateway_G setting=ip", "ios.webvpn name=gateway_G setting=ssl", "ios.webvpn name=gateway_G setting=end"}, nil},
		{"IOS: not in service", []string{"asked.url url=https://vpn.example.com/phones", "ios.webvpn name=gateway_G setting=block", "ios.webvpn name=gateway_G setting=ip", "ios.webvpn name=gateway_G setting=ssl", "ios.webvpn name=gateway_G setting=end"}, []string{"vpn-not-enabled-on-interface likely"}},
		{"IOS: in service", []string{"ios.webvpn name=gateway_G setting=block", "ios.webvpn name=gateway_G setting=ip", "ios.webvpn name=gateway_G setting=inservice", "ios.webvpn name=gateway_G setting=end"}, nil},
		{"IOS: cut", []string{"ios.webvpn name=gateway_G setting=block", "ios.webvpn name=gateway_G setting=ip", "ios.webvpn name=gateway_G setting=ssl"}, nil},
		{"IOS: no DTLS", []string{"ios.webvpn name=context_C setting=no value=svc_dtls"}, []string{"dtls-disabled certain"}},
		{"IOS: split", []string{"ios.webvpn name=context_C setting=svc value=split_include_10.0.0.0_255.0.0.0"}, []string{"split-tunnel likely"}},
		{"IOS: hash of the root", []string{"ios.webvpn name=context_C setting=block", "ios.vpn-group group=1 setting=vpn-gateway value=1_https://192.0.2.1/phones", "ios.vpn-group group=1 setting=vpn-trustpoint value=1_trustpoint_CA_root"}, []string{"certificate-hash-of-wrong-certificate likely"}},
		{"IOS: hash of the leaf", []string{"ios.webvpn name=context_C setting=block", "ios.vpn-group group=1 setting=vpn-gateway value=1_https://192.0.2.1/phones", "ios.vpn-group group=1 setting=vpn-trustpoint value=1_trustpoint_CA_leaf"}, nil},
		{"IOS: another domain", []string{"ios.webvpn name=context_C setting=block", "ios.webvpn name=context_C setting=gateway value=G_domain_phones", "ios.vpn-group group=1 setting=vpn-gateway value=1_https://192.0.2.1/telefone", "ios.vpn-group group=1 setting=vpn-trustpoint value=1_trustpoint_CA_leaf"}, []string{"group-url-mismatch likely"}},

		{"CUCM: gateway without certificate", []string{"cucm.object type=gateway name=G"}, []string{"vpn-not-configured likely"}},
		{"CUCM: gateway with one", []string{"cucm.object type=gateway name=G", "cucm.object type=gateway name=G setting=certificates value=1"}, nil},
		{"CUCM: group without gateway", []string{"cucm.object type=group name=G"}, []string{"vpn-not-configured likely"}},

		{"one default route", append(phones, whole, "asa.global setting=same-security-traffic value=permit_intra-interface", "asa.group group=PHONES setting=group-url value=https://vpn.example.com/phones", "asa.route interface=outside network=0.0.0.0/0", "asa.webvpn setting=block", "asa.webvpn setting=enable value=outside", "asa.webvpn setting=anyconnect_image value=x", "asa.webvpn setting=anyconnect_enable", "asa.global setting=ssl_trust-point value=TP_outside", "asa.trustpoint name=TP own=true", "asa.group group=PHONES setting=dhcp-server value=10.1.1.2"), []string{"tunneled-route-missing certain"}},
		{"a way inside, and none from tunnel to tunnel", append(phones, whole, "asa.group group=PHONES setting=group-url value=https://vpn.example.com/phones", "asa.route interface=outside network=0.0.0.0/0", "asa.route interface=inside network=10.0.0.0/8", "asa.webvpn setting=block", "asa.webvpn setting=enable value=outside", "asa.webvpn setting=anyconnect_image value=x", "asa.webvpn setting=anyconnect_enable", "asa.global setting=ssl_trust-point value=TP_outside", "asa.trustpoint name=TP own=true", "asa.group group=PHONES setting=dhcp-server value=10.1.1.2"), []string{"phone-to-phone-denied certain"}},
	} {
		if got := phoneFindings(t, c.facts...); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestASATimes is for rules that go by when something was said.
func TestASATimes(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]int{time.Minute: 1, time.Hour: 0} {
		c := fact.NewCollector("test", "files")
		in := c.Open("file")
		in.Add(fact.ASAAddress, 1, "one", phoneNow, "user", "anna", "address", "10.9.0.7", "phone", "true")
		in.Add(fact.ASAAddress, 2, "two", phoneNow.Add(after), "user", "anna", "address", "10.9.0.8", "phone", "true")
		if found := Facts(c.File(), "test").Findings; len(found) != want || want == 1 && found[0].Code != "address-changed" {
			t.Errorf("another address after %s: %v", after, found)
		}
	}
}

// TestASACertificateName is for what a trustpoint and a certificate that is shown say of names.
func TestASACertificateName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, names, subject string
		want                 finding.Certainty // empty: nothing is found
	}{
		{"crypto ca trustpoint TP", "gw.example.com", "", finding.Likely},
		{"crypto ca trustpoint TP", "vpn.example.com", "", ""},
		{"crypto ca trustpoint TP", "", "CN=VPN.example.com,O=Example", ""},
		{"Certificate, Status: Available", "", "cn=gw.example.com", finding.Possible},
		{"Certificate, Status: Available", "", "cn=vpn.example.com", ""},
	} {
		collector := fact.NewCollector("test", "files")
		in := collector.Open("file")
		in.Add(fact.ASAImages, 1, "1 image", time.Time{}, "installed", "1")
		in.Add(fact.GatewayGroupURL, 2, "group-url", time.Time{}, "url", "https://vpn.example.com/phones", "group", "PHONES")
		in.Add(fact.GatewayCertificate, 3, c.text, time.Time{}, "depth", "0", "names", c.names, "subject", c.subject)
		var got finding.Certainty
		for _, f := range Facts(collector.File(), "test").Findings {
			if f.Code == "host-id-mismatch" {
				got = f.Certainty
			}
		}
		if got != c.want {
			t.Errorf("%q with names %q and subject %q: got %q, want %q", c.text, c.names, c.subject, got, c.want)
		}
	}
}

// TestAlarm asks for more where an alarm is all there is, whether it is of trouble or not.
func TestAlarm(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]Verdict{
		"phone.alarm last=TCP-timeout":   Insufficient,
		"phone.alarm last=Reset-Restart": Insufficient,
	} {
		c := phoneFacts(t, line)
		c.Sources[0].Formats = []string{"alarm of a phone"}
		if got := Facts(c, "test").Verdict; got != want {
			t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
}

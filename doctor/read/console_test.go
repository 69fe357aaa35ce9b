package read

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/doctor/fact"
)

// told writes facts as "kind name=value …", values by name.
func told(all []fact.Fact) []string {
	var lines []string
	for _, f := range all {
		var values []string
		for name, value := range f.Values {
			values = append(values, name+"="+value)
		}
		slices.Sort(values)
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s", f.Kind, strings.Join(values, " "))))
	}
	return lines
}

func TestConsole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"79xx, believed", `
  843: NOT 14:02:11.430112 VPNC: ssl_state_cb: TLSv1: SSL_connect: before/connect initialization
  845: NOT 14:02:11.650004 VPNC: vpnc_save_to_file: wrote: </tmp/leaf.crt>, 479 bytes
  846: NOT 14:02:11.650904 VPNC: cert_vfy_cb: peer cert saved: /tmp/leaf.crt
  847: NOT 14:02:11.651220 SECD: Leaf cert hash = 1289B8A7AA9FFD84865E38939F3466A61B5608FC
  848: ERR 14:02:11.651301 SECD: EROR:secLoadFile: file not found </tmp/issuer.crt>
  849: NOT 14:02:11.651502 SECD: Hash was found in the trust list
  850: NOT 14:02:11.651800 VPNC: VPN cert chain trusted`, []string{
			"phone.tls version=TLSv1", "phone.vpn", "phone.leaf-hash hash=1289B8A7AA9FFD84865E38939F3466A61B5608FC", "phone.issuer-missing", "phone.hash-found", "phone.hash-found",
		}},
		{"79xx, not believed", `
1234: ERR 20:10:00.051721 VPNC: VPN cert chain verification failed, issuer certificate not found and leaf not trusted
1235: ERR 20:10:00.052003 VPNC: alert_err: SSL write alert: code 48, unknown CA
1236: ERR 20:10:00.052499 VPNC: create_ssl_connection: SSL setup failure
1237: NOT 20:10:00.053101 VPNC: set_login_state: LOGIN: 1 (TRYING) --> 3 (FAILED)
1238: NOT 20:10:00.053200 VPNC: vpnc_send_notify: notify type: 1 [LoginFailed]
1239: NOT 20:10:00.053300 VPNC: vpnc_send_notify: notify code: 37 [SslAlertSrvrCert]
1240: NOT 20:10:00.053400 VPNC: vpnc_send_notify: notify desc: [alert: Unknown CA (server cert)]`, []string{
			"phone.chain-untrusted", "phone.alert by=phone name=unknown CA", "phone.vpn-failed code=SslSetup", "phone.vpn-failed code=FAILED", "phone.vpn-failed code=LoginFailed",
			"phone.alert by=phone name=server certificate", "phone.alert by=phone name=Unknown CA",
		}},
		{"79xx, redirected", `
77: NOT 20:10:00.051721 VPNC: process_login: HTTP/1.1 302 Temporary moved
78: NOT 20:10:00.051722 VPNC: process_login: login code: 302 (redirected)
79: NOT 20:10:00.051723 VPNC: process_login: new 'Location': /+webvpn+/index.html
80: NOT 20:10:00.051724 VPNC: set_redirect_url: new URL <https://vpn.example.com:8443/+webvpn+/index.html>`, []string{
			"phone.login-reply status=302", "phone.login-reply location=/+webvpn+/index.html status=302",
		}},
		{"several records on one line", "5007: NOT 10:25:10.060663 SECD: clpSetupSsl: Trying to connect to IPV4, IP: 192.0.2.6, Port : 2445 5010: NOT 10:25:10.064376 SECD: clpSetupSsl: start SSL/TLS handshake, <192.0.2.6> c:14 s:15 5011: ERR 10:25:10.068387 SECD: EROR:clpState: SSL3 alert read:fatal:handshake failure:<192.0.2.6> 5013: ERR 10:25:10.075656 SECD: EROR:clpSetupSsl: ** SSL handshake failed, <192.0.2.6> c:14 s:15",
			[]string{"phone.tvs-failed reason=tls server=192.0.2.6"}},
		{"another service by TLS", "5007: NOT 10:25:10.060663 SECD: clpSetupSsl: Trying to connect to IPV4, IP: 192.0.2.6, Port : 443\n5013: ERR 10:25:10.075656 SECD: EROR:clpSetupSsl: ** SSL handshake failed, <192.0.2.6> c:14 s:15\n", nil},
		{"78xx in peace", `
4883 NOT Mar 09 18:32:38.001617 (339:1862) downd-XXX arg[0] /usr/sbin/tftpd
4882 ERR Mar 09 18:32:37.985319 (1858:1858) GHTTP-http get [HTTP/1.1 503 Service Unavailab]
4893 ERR Mar 09 18:32:38.245933 (1862:1862) TFTPD-ai_family = 2, sockType = 2, protocol = 17
4894 NOT Mar 09 18:32:38.246634 (1862:1862) TFTPD-Requesting CTLSEP001122334455.tlv from 192.0.2.7
4896 NOT Mar 09 18:32:38.752784 (1862:1862) TFTPD-Timeout: retransmit the last packet (1)
4897 WRN Mar 09 18:32:38.754493 (1862:1862) TFTPD-Error: (1+1)File not found
4898 NOT Mar 09 18:32:38.756996 (339:1850) downd-XXTP complete - status = 2
4956 NOT Mar 09 18:32:41.202288 (339:1899) downd-GETXXTP [GT339][src=SEP001122334455.cnf.xml][dest=/tmp/ram/SEP001122334455.cnf.xml.59075][serv=][serv6=][sec=2]
4973 NOT Mar 09 18:32:41.313169 (339:1899) downd-XXTP actualserver [192.0.2.7]
4986 NOT Mar 09 18:32:41.384281 (339:1899) downd-XXTP complete - status = 100
4922 NOT Mar 09 18:32:45.477796 (618:927) JAVA-SIPCC-SIP_MSG_RECV: ccsip_dump_recv_msg_info: <192.0.2.7:0   >:100 Try: <sip:2222@192.0.2.7> :1000 REGISTER::c80084aa-87430006@192.0.2.104
4923 NOT Mar 09 18:32:45.477796 (618:927) JAVA-SIPCC-SIP_MSG_RECV: ccsip_dump_recv_msg_info: <192.0.2.7:0   >:200 OK : <sip:2222@192.0.2.7> :1000 REGISTER::c80084aa-87430006@192.0.2.104`, []string{
			"phone.fetched file=SEP001122334455.cnf.xml server=192.0.2.7", "phone.register-reply server=192.0.2.7 status=200",
		}},
		{"88xx without its file", `
3232 NOT Nov 25 06:33:59.033132 dgetfile(870)-GETXXTP [GT870][src=SEP001122334455.cnf.xml][dest=/tmp/x][serv=192.0.2.51][serv6=][sec=0]
3281 NOT Nov 25 06:34:00.488697 dgetfile(870)-XXTP complete - status = 2
3287 NOT Nov 25 06:34:00.499372 SECUREAPP-Hashes match... authentication successful.`, []string{
			"phone.file-missing file=SEP001122334455.cnf.xml server=192.0.2.51", "phone.trust-list-taken",
		}},
		{"88xx asks TVS", `
3287 INF Nov 25 06:33:59.395199 SECUREAPP-Attempting connect to TVS server addr [192.0.2.32], mode [IPv4]
3289 INF Nov 25 06:33:59.396011 SECUREAPP-TCP connect() successful, [192.0.2.32] [11]
3315 NOT Nov 25 06:33:59.908586 SECUREAPP-Sec SSL Connection - Handshake successful.`, []string{"phone.tvs-answered server=192.0.2.32"}},
		{"two words of it", "\x1b[31m> VPNC: 'webvpn=' not found in cookie\x1b[0m\r", []string{"phone.cookie-missing"}},
		{"in a sentence", "The log says 'webvpn=' not found in cookie, what is that?", []string{"phone.cookie-missing"}},
		{"words that nobody knows", "12: ERR 10:00:00.000001 VPNC: the flux is not aligned", []string{"phone.vpn"}},
		{"a failure in words that nobody knows", "12: ERR 10:00:00.000001 VPNC: the flux failed to align", []string{"phone.vpn-failed text=the flux failed to align"}},
		{"OpenSSL's opinion before the hash counts", "12: NOT 10:00:00.000001 VPNC: cert_vfy_cb: depth:0 of 0, subject:</CN=a> pre_err: 18 (self signed certificate)", []string{"phone.vpn error=self-signed"}},
		{"DTLS", "12: ERR 10:00:00.000001 VPNC: dtls: old session cipher not returned", []string{"phone.suite-changed"}},
		{"another program's task", "Nov 25 10:00:00 host vpnc[12]: no response from target", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := told(phoneFacts(t, c.text+"\n")); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
	// A date without a year is the last one before now.
	got := phoneFacts(t, "3232 NOT Dec 25 06:33:59.033132 SECUREAPP-TL file updated.\n")
	if len(got) != 1 || got[0].Time.Year() != phoneNow.Year()-1 {
		t.Errorf("got %v, want one of last December", got)
	}
}

func TestStatusMessages(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"9:54:34p TFTP Timeout : SEP001122334455.cnf.xml":                             "phone.file-timeout file=SEP001122334455.cnf.xml",
		"1:33:26a TFTP Error : SEP001122334455.cnf.xml.sgn":                           "phone.file-refused file=SEP001122334455.cnf.xml.sgn",
		"TFTP Error : SKb0ec918f-b9ee-994b-57ae-345883c1fde8.xml":                     "phone.file-refused file=SKb0ec918f-b9ee-994b-57ae-345883c1fde8.xml",
		"[8:52:30am 10/01/19] ITL installed":                                          "phone.trust-list-shown",
		"[8:52:30am 10/01/26] VPN Connected":                                          "phone.vpn-up order=any",
		"[8:51:30am 10/01/26] Trust List updated\n[8:52:30am 10/01/26] VPN connected": "phone.trust-list-taken\nphone.vpn-up",
		"Windows VPN connected to the office":                                         "",
		"Trust List updated":                                                          "phone.trust-list-shown",
		"14:22:35 11/25/26 TFTP Timeout : SEP001122334455.cnf.xml":                    "phone.file-timeout file=SEP001122334455.cnf.xml",
		"14:22:36 VPN Error: authentication":                                          "phone.vpn-failed text=VPN Error",
		"[8:52:30am 10/01/19] Trust List update failed":                               "phone.trust-list-failed",
		"5:48:09 AM 10/11/19 Trust List update failed, verification failure":          "phone.trust-list-failed verification=true",
		"- Trust List Update Failed":                                                  "phone.trust-list-failed",
		"the phone says \"Trust List update failed\" since Monday":                    "phone.trust-list-failed",
		"File Not Found : CTLSEP001122334455.tlv":                                     "phone.no-trust-list",
		"File Not Found CTLFile.tlv":                                                  "phone.no-trust-list",
		"File Not Found <CTLFile.tlv>":                                                "phone.no-trust-list",
		"File Not Found <SEP001122334455.cnf.xml>":                                    "phone.file-missing file=SEP001122334455.cnf.xml",
		"File Not Found : SEP001122334455.cnf.xml":                                    "phone.file-missing file=SEP001122334455.cnf.xml",
		"File not found": "phone.file-missing",
		"[8:52:30am 10/01/19] XmlDefault.cnf.xml.sgn":                                            "phone.default-file",
		"SEP001122334455.cnf.xml.sgn":                                                            "phone.fetched file=SEP001122334455.cnf.xml.sgn order=any",
		"[8:52:30am 10/01/19] SEP001122334455.cnf.xml(HTTP)\n[8:52:31am 10/01/19] ITL installed": "phone.trust-list-taken\nphone.fetched file=SEP001122334455.cnf.xml",
		"11:59:30p SEP001122334455.cnf.xml\n9:10:31p ITL installed":                              "phone.trust-list-shown\nphone.fetched file=SEP001122334455.cnf.xml order=any",
		"Nov 25 10:11:12 fw1 portal[221]: VPN authentication failed for user jdoe":               "",
		"Nov 25 10:11:12 amf[22]: [imsi-001010000000001] Registration rejected [11]":             "",
		"ERROR: File not found: /opt/app/config.xml":                                             "",
		"Error Database": "phone.not-registered text=Error Database",
		"<tr><td>9:54:34p</td><td> No Trust List Installed</td></tr>":              "phone.no-trust-list",
		"invalid file SEPABCDEF123456.cnf.xml.sgn, authenticated fail. Reason:14.": "phone.signature-refused file=SEPABCDEF123456.cnf.xml.sgn",
		"File Auth Error : SEP001122334455.cnf.xml.sgn":                            "phone.signature-refused file=SEP001122334455.cnf.xml.sgn",
		"Load rejected HC":             "phone.load-rejected text=Load rejected HC",
		"Version error":                "phone.load-named",
		"CFG TFTP Size Error":          "phone.file-too-large",
		"DNS unknown host":             "phone.no-name",
		"Attempting VPN Connection...": "phone.attempting",
		"Registering":                  "phone.not-registered text=Registering",
		"Registering the phones of the new floor took a day":                     "",
		"Registration Rejected: Error DBConfig":                                  "phone.register-refused text=Registration Rejected: Error DBConfig",
		"Phone failed to register. Cert key size is not FIPS compliant.":         "phone.register-refused text=Cert key size is not FIPS compliant",
		"12:02:55a 25: Name=SEP001122334455 Load= 9.4(2SR3.1S) Last=Initialized": "device device=SEP001122334455 load=9.4(2SR3.1S)\nphone.alarm last=Initialized",
		`Reason: SIP;cause=200;text="cisco-alarm:14 Name=SEP001122334455 ActiveLoad=sip88xx.12-7-1-0001-393 InactiveLoad=sip88xx.12-5-1 Last=cm-closed-tcp"`: "device device=SEP001122334455 load=sip88xx.12-7-1-0001-393\nphone.alarm last=cm-closed-tcp",
		"[5:48:09 AM 10/11/19]  DeviceName=SEP001122334455 IPv4=1 ReasonForOutOfServiceText=LastTimeInitialized":                                             "device device=SEP001122334455\nphone.alarm last=LastTimeInitialized",
		"25: Name=SEP001122334455 Load= 9.0(3) Last=Phone-Reg-Rej":                                                                                           "device device=SEP001122334455 load=9.0(3)\nphone.register-refused device=SEP001122334455 text=Phone-Reg-Rej",
	} {
		if got := strings.Join(told(phoneFacts(t, text+"\n")), "\n"); got != want {
			t.Errorf("%q\ngot  %q\nwant %q", text, got, want)
		}
	}
}

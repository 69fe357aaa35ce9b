package fact

import "github.com/longcord/longcord/stage"

// What VPN clients on a computer tell, openconnect and AnyConnect, when somebody tries a gateway with them. What they see
// of TLS connections, names and certificates are the kinds that other tools tell, too.
const (
	// ClientAsks: the client asks a gateway for a login; url.
	ClientAsks Kind = "client.asks"
	// ClientUnknownURL: the gateway serves nothing there; url, status.
	ClientUnknownURL Kind = "client.unknown-url"
	// ClientLoginRefused: user or password are wrong. No values.
	ClientLoginRefused Kind = "client.login-refused"
	// ClientNoCertificate: the gateway wants a client certificate and got none. No values.
	ClientNoCertificate Kind = "client.no-certificate"
	// ClientDistrust: the client does not believe the gateway's certificate; reason, host, sha1 absent.
	ClientDistrust Kind = "client.distrust"
	// ClientRefused: the gateway refused CONNECT after a login; reason, when it gives one. A symptom.
	ClientRefused Kind = "client.refused"
	// ClientUp: the tunnel is up; address, dtls (connected, disabled, in progress).
	ClientUp Kind = "client.up"
	// ClientNoUDP: nothing answered DTLS; reason.
	ClientNoUDP Kind = "client.no-udp"
	// ClientDTLSFailed: a DTLS handshake was answered, and failed; reason.
	ClientDTLSFailed Kind = "client.dtls-failed"
	// ClientNoDTLS: the gateway offers no DTLS. No values.
	ClientNoDTLS Kind = "client.no-dtls"
	// ClientHostScan: the gateway wants Host Scan (Cisco Secure Desktop) of who logs in. No values.
	ClientHostScan Kind = "client.host-scan"
	// ClientSplit: the gateway wants only some networks in the tunnel; network.
	ClientSplit Kind = "client.split"
	// ClientDTLSPort: the gateway's UDP port; port, tcp (the port of its URL).
	ClientDTLSPort Kind = "client.dtls-port"
	// ClientDead: the gateway did not answer signs of life; channel (CSTP, DTLS).
	ClientDead Kind = "client.dead"
	// ClientMTU: packets of the agreed size do not pass; mtu, was, or new (true: another one is taken, and it is not told which).
	ClientMTU Kind = "client.mtu"
	// ClientCertificateRefused: something is wrong with the certificate that the client shows; reason.
	ClientCertificateRefused Kind = "client.certificate-refused"
	// ClientMoved: a session came back with another address; now, was.
	ClientMoved Kind = "client.moved"
	// ClientLimit: the gateway said when the session will end; at.
	ClientLimit Kind = "client.limit"
	// ClientEnded: the gateway ended the session; reason, when it gives one.
	ClientEnded Kind = "client.ended"
	// ClientBroke: the connection to the gateway broke, and did not come back or not for long. A symptom.
	ClientBroke Kind = "client.broke"
	// ClientFailed: the login came to nothing. A symptom.
	ClientFailed Kind = "client.failed"
)

var (
	_ = symptom(ClientRefused, stage.Tunnel,
		"send the gateway's log of that moment: after the login it refused the tunnel (ASA: `show logging`; ocserv: `journalctl -u ocserv`)")
	_ = symptom(ClientBroke, stage.Tunnel,
		"send the gateway's log of that moment: the connection broke without a word (ASA: `show logging`; ocserv: `journalctl -u ocserv`)")
	_ = symptom(ClientFailed, stage.Verify,
		"try it with `openconnect -v --dump-http-traffic URL`, and send what that prints without the password")
)

package fact

import "github.com/longcord/longcord/stage"

// What openconnect tells when somebody tries a gateway with it. What it sees of TLS connections, names and certificates
// are the kinds that other tools tell, too.
const (
	// OpenConnectUnknownURL: the gateway serves nothing there; url, status.
	OpenConnectUnknownURL Kind = "openconnect.unknown-url"
	// OpenConnectLoginRefused: user or password are wrong. No values.
	OpenConnectLoginRefused Kind = "openconnect.login-refused"
	// OpenConnectNoCertificate: the gateway wants a client certificate and got none. No values.
	OpenConnectNoCertificate Kind = "openconnect.no-certificate"
	// OpenConnectCertificate: openconnect does not believe the gateway's certificate; reason, host, sha1 absent.
	OpenConnectCertificate Kind = "openconnect.certificate"
	// OpenConnectRefused: the gateway refused CONNECT after a login; reason, when it gives one. A symptom.
	OpenConnectRefused Kind = "openconnect.refused"
	// OpenConnectUp: the tunnel is up; address, dtls (connected, disabled, in progress).
	OpenConnectUp Kind = "openconnect.up"
	// OpenConnectNoUDP: nothing answered DTLS; reason.
	OpenConnectNoUDP Kind = "openconnect.no-udp"
	// OpenConnectDTLSFailed: a DTLS handshake was answered, and failed; reason.
	OpenConnectDTLSFailed Kind = "openconnect.dtls-failed"
	// OpenConnectNoDTLS: the gateway offers no DTLS. No values.
	OpenConnectNoDTLS Kind = "openconnect.no-dtls"
	// OpenConnectSplit: the gateway wants only some networks in the tunnel; network.
	OpenConnectSplit Kind = "openconnect.split"
	// OpenConnectDTLSPort: the gateway's UDP port; port.
	OpenConnectDTLSPort Kind = "openconnect.dtls-port"
	// OpenConnectDead: the gateway did not answer signs of life; channel (CSTP, DTLS).
	OpenConnectDead Kind = "openconnect.dead"
	// OpenConnectMTU: packets of the agreed size do not pass; mtu, was.
	OpenConnectMTU Kind = "openconnect.mtu"
	// OpenConnectEnded: the gateway ended the session. A symptom.
	OpenConnectEnded Kind = "openconnect.ended"
	// OpenConnectFailed: the login came to nothing. A symptom.
	OpenConnectFailed Kind = "openconnect.failed"
)

var (
	_ = symptom(OpenConnectRefused, stage.Tunnel,
		"send the gateway's log of that moment: after the login it refused the tunnel (ASA: `show logging`; ocserv: `journalctl -u ocserv`)")
	_ = symptom(OpenConnectEnded, stage.Tunnel,
		"send the gateway's log of that moment: it ended the session (ASA: `show logging`; ocserv: `journalctl -u ocserv`)")
	_ = symptom(OpenConnectFailed, stage.Verify,
		"run openconnect again with `-v --dump-http-traffic`, and send what it prints without the password")
)

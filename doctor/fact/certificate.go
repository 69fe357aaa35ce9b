package fact

import "github.com/longcord/longcord/stage"

// What certificates and TLS tools tell, such as openssl s_client.
const (
	// PhoneCertificate: a phone's own certificate, told by its subject (CP-7962G-SEP…); as GatewayCertificate, without
	// depth, and device.
	PhoneCertificate Kind = "phone.certificate"
	// Handshake: a TLS connection came up; server (host:port), protocol (TLSv1.2), cipher, each as far as it is told.
	Handshake Kind = "gateway.handshake"
	// HandshakeFailed: it did not; server, alert (its name), offered (the one version that was tried, such as TLSv1), by
	// (gateway or client, where a capture shows who ended it). A symptom.
	HandshakeFailed Kind = "gateway.handshake-failed"
	// CertificateNotRenewed: an authority gave no certificate for a name; host, reason.
	CertificateNotRenewed Kind = "certificate.not-renewed"
	// GatewayVersions: all versions of TLS that a server speaks; server, versions (TLSv1,TLSv1.2).
	GatewayVersions Kind = "gateway.versions"
	// GatewayNoAnswer: nobody answers on TCP; server, reason (refused, timeout, unreachable).
	GatewayNoAnswer Kind = "gateway.no-answer"
	// GatewayNoName: a name does not resolve; server, unsure (true: it may be written wrongly instead).
	GatewayNoName Kind = "gateway.no-name"
)

var _ = symptom(HandshakeFailed, stage.Verify,
	"send the answers of `openssl s_client -connect HOST:443 -tls1` and of the same with -tls1_2 in its place")

package fact

import "github.com/longcord/longcord/stage"

// What captures of packets tell, besides what other sources tell as well. Line is the packet's number. Server is
// address:port, client an address; phone is true where a TLS hello looks like an old phone's (inferred: TLS 1.0, no name).
const (
	// CaptureNoName: no name server knows a name, as a capture or the log of a name server shows; host, reason (nxdomain, servfail, no answer),
	// anybody (true: it is the log of a name server that many ask).
	CaptureNoName Kind = "capture.no-name"
	// CaptureNoAnswer: a server does not answer; server, client, service (gateway, files, call manager, tvs, capf), by (tcp,
	// udp), reason (timeout, refused, unreachable, prohibited).
	CaptureNoAnswer Kind = "capture.no-answer"
	// CaptureCertificateRefused: a client ended the handshake at the gateway's certificate; server, sha1, alert (absent: it
	// only closed), phone.
	CaptureCertificateRefused Kind = "capture.certificate-refused"
	// CaptureNoUDP: a client with a TLS connection to the gateway sends DTLS there, and nothing comes back; server, reason.
	CaptureNoUDP Kind = "capture.no-udp"
	// CaptureDTLSFailed: DTLS is answered, and does not come up; server, reason.
	CaptureDTLSFailed Kind = "capture.dtls-failed"
	// CaptureTooBig: somebody on the way says that a packet is too big; mtu, by, server.
	CaptureTooBig Kind = "capture.too-big"
	// CaptureNoARP: nobody answers for an address in this network; address, by (who asks).
	CaptureNoARP Kind = "capture.no-arp"
	// CaptureTranslated: a phone names another address than it is seen from; line, named, seen, in (Contact, Via, SDP).
	CaptureTranslated Kind = "capture.translated"
	// CaptureEmpty: there is no packet in it that can be read; reason. A symptom.
	CaptureEmpty Kind = "capture.empty"
	// CaptureName: a server's certificate and the name that a client asked for; host, server, sha1.
	CaptureName Kind = "capture.name"
	// CaptureOneWay: voice goes in one direction and none comes back; from, to, packets, held (true: a call was on hold).
	CaptureOneWay Kind = "capture.one-way"
)

var _ = symptom(CaptureEmpty, stage.Provision,
	"take the capture again, and end tcpdump by Ctrl-C before you copy its file: `tcpdump -i any -s 0 -w phone.pcap host PHONE`")

var _ = symptom(CaptureCertificateRefused, stage.Verify,
	"send the phone's file, to compare its hashes with this certificate: `curl http://TFTP:6970/SEP….cnf.xml`",
	"send the phone's console log of the same time")

package fact

import "github.com/longcord/longcord/stage"

// What ocserv's configuration and log tell, as ocserv 1.1.6 writes them. User is as ocserv knows it, client is its address outside.
const (
	// OcservSetting: a setting of ocserv.conf that bears on phones; key, value, vhost (absent: of all).
	OcservSetting Kind = "ocserv.setting"
	// OcservLogin: somebody got a session; user, client.
	OcservLogin Kind = "ocserv.login"
	// OcservAddress: a session got its address inside; user, address.
	OcservAddress Kind = "ocserv.address"
	// OcservUnknownClient: a client that ocserv has no class for; agent.
	OcservUnknownClient Kind = "ocserv.unknown-client"
	// OcservUnknownURL: a URL that ocserv serves nothing on; url, agent.
	OcservUnknownURL Kind = "ocserv.unknown-url"
	// OcservLoginRefused: wrong user or password; user, reason.
	OcservLoginRefused Kind = "ocserv.login-refused"
	// OcservBanned: an address is shut out for failed logins; address.
	OcservBanned Kind = "ocserv.banned"
	// OcservNoLease: no address is left for a session; user.
	OcservNoLease Kind = "ocserv.no-lease"
	// OcservTooMany: a session too many, of one user or of all; user, limit.
	OcservTooMany Kind = "ocserv.too-many"
	// OcservTLSFailed: a handshake ended; reason as GnuTLS says it.
	OcservTLSFailed Kind = "ocserv.tls-failed"
	// OcservCertificateRefused: a client's certificate is missing or not taken; reason.
	OcservCertificateRefused Kind = "ocserv.certificate-refused"
	// OcservNoCertificate: a client has shown none in its handshake, as each does that logs in with a password.
	OcservNoCertificate Kind = "ocserv.no-certificate"
	// OcservEnded: ocserv ended a session; user, reason (session timeout, idle timeout, DPD timeout), after in seconds.
	OcservEnded Kind = "ocserv.ended"
	// OcservEmpty: the last session of somebody ended in an error, before a packet had gone through it; user. A symptom.
	OcservEmpty Kind = "ocserv.empty"
	// OcservDTLSOff: no DTLS is set up for a client, by settings.
	OcservDTLSOff Kind = "ocserv.dtls-off"
	// OcservDTLSFailed: a DTLS handshake ended; reason.
	OcservDTLSFailed Kind = "ocserv.dtls-failed"
	// OcservNoUDP: a session was promised DTLS and nothing ever came by UDP; user.
	OcservNoUDP Kind = "ocserv.no-udp"
	// OcservUDPLost: DTLS was up and fell silent; user.
	OcservUDPLost Kind = "ocserv.udp-lost"
	// OcservPortTaken: another program has the port, of ocserv or another server; address (host:port).
	OcservPortTaken Kind = "ocserv.port-taken"
	// OcservNotStarted: ocserv refuses its configuration and does not run; reason.
	OcservNotStarted Kind = "ocserv.not-started"
	// OcservLoginOpen: a login began and nothing came of it, in a log where nobody ever came in.
	OcservLoginOpen Kind = "ocserv.login-open"
	// OcservRefused: a session was refused at CONNECT, after the login; user. A symptom: lines before say why.
	OcservRefused Kind = "ocserv.refused"
)

var (
	_ = symptom(OcservRefused, stage.Tunnel,
		"send the lines of ocserv's log before this one: the reason stands there, under the same user")
	_ = symptom(OcservEmpty, stage.Tunnel,
		"send ocserv's log of such a session with `log-level = 3`, and what the client logged at that time: it ended in an error before a packet had gone through it")
)

// Forwarding: whether the machine of a gateway carries packets from one network into another; on (1, 0).
const Forwarding Kind = "host.forwarding"

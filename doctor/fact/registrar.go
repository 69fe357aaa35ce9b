package fact

import "github.com/longcord/longcord/stage"

// What call managers' consoles and logs tell of registrations. Line is a SIP user or an SCCP device (SEP…), client the
// address that it came from, program the part that speaks (chan_pjsip, chan_sip, chan-sccp, Asterisk, kamailio, FreeSWITCH, 3CX, CME, CUCM, fail2ban).
const (
	// RegistrarRegistered: a registration was taken; line, client (as the phone writes its address), from (whence it was sent, where
	// that is told).
	RegistrarRegistered Kind = "registrar.registered"
	// RegistrarRefused: a registration was not; line, client, program, cause (password, unknown, contacts, no-aor, static,
	// type, domain, other, or "reason N" of CUCM) and reason in words.
	RegistrarRefused Kind = "registrar.refused"
	// RegistrarDenied: an address may not register; line, client, program, reason (in words that follow the address; absent: it is denied).
	RegistrarDenied Kind = "registrar.denied"
	// RegistrarTLS: TLS with who came to register did not come up; program, client, reason in OpenSSL's words.
	RegistrarTLS Kind = "registrar.tls"
	// RegistrarTLSFailed: TLS with a call manager was ended by an alert; server, client, by (client, server), alert.
	RegistrarTLSFailed Kind = "registrar.tls-failed"
	// RegistrarLost: a phone that was registered does not answer, or one that is known is not registered; line, address.
	RegistrarLost Kind = "registrar.lost"
)

var _ = symptom(RegistrarTLS, stage.Register, "say what is at the address that came, and send the settings of TLS of the call manager (Asterisk: `pjsip show transports`)")

// CallStatistics: what a phone says of a call that it ended; sent and received, in packets.
const CallStatistics Kind = "call.statistics"

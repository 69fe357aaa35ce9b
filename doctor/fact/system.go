package fact

import "github.com/longcord/longcord/stage"

// What a running Longcord tells of itself and of one phone.
const (
	// SystemFinding: a finding that a part of it has raised, or that it makes of a phone; code, severity, certainty, says,
	// since (RFC 3339), and fix-1, fix-2 … in their order.
	SystemFinding Kind = "system.finding"
	// SystemPhone: what a phone does now; device, blocked (true or false), session, registered (true, false; registered is
	// unknown where phones register elsewhere), file (current, older, none), fetched (current, older, none: what arrived at
	// it last), since (RFC 3339, of the session).
	SystemPhone Kind = "system.phone"
	// SystemUnknown: a question about a phone that the system could not answer; check, look.
	SystemUnknown Kind = "system.unknown"
	// SystemPast: somebody asks for a time of which only logs know; at (RFC 3339).
	SystemPast Kind = "system.past"

	// SystemUnready: a phone is not known to believe the certificate that a gateway presents next, or, once that has been
	// presented (state swapped), the one that it presents now; device, gateway, certificate, state (none, staged, swapped),
	// why, sha1 (of the certificate), seen (RFC 3339, last sign of the phone), refused (true: it has refused it).
	SystemUnready Kind = "system.unready"

	// SystemAbsent: a phone has neither a session nor a registration; device. A symptom.
	SystemAbsent Kind = "system.absent"
	// SystemUnregistered: a phone has had a session for a while, and has not registered; device. A symptom.
	SystemUnregistered Kind = "system.unregistered"
)

var (
	_ = symptom(SystemAbsent, stage.Tunnel,
		"say what the phone shows: Settings > Status > Status Messages, and the lines of VPN on its screen; give it to the doctor as text beside this",
		"give the system's log of the last minutes beside this, such as `journalctl -u longcord --since -15min >log.txt`")
	_ = symptom(SystemUnregistered, stage.Register,
		"give the phone's status messages or console log beside this; through the tunnel its web page can be read: `longcord phones show NAME --live`")
	_ = symptom(SystemPast, stage.Register,
		"give the system's log of that time beside this: sessions and registrations that had ended are kept nowhere else")
)

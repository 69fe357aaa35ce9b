package read

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Asterisk's console and log: docs/wire/gateway-logs.md#asterisk.
var (
	asteriskLine  = compile(`^(?:\[[^\]]{8,40}\] )?(?:NOTICE|WARNING|ERROR|SECURITY|VERBOSE|DEBUG)\[\d+\](?:\[[^\]]*\])?:? `)
	asteriskNames = compile(`\b(?:chan_sip|chan_sccp|res_pjsip\w*|pjsip_\w+|sccp_\w+|acl|res_security_log)\.c\b`)
	pjsipFailed   = compile(`Request '?REGISTER'? from '([^']*)' failed for '([^']*)' \(callid: [^)]*\) - (.+)$`)
	sipFailed     = compile(`Registration from '([^']*)' failed for '([^']*)' - (.+)$`)
	sipOther      = compile(`username mismatch, have <([^>]*)>, digest has <([^>]*)>`)
	pjsipNoAOR    = compile(`Endpoint '([^']*)' \(([^)]*)\) has no configured AORs`)
	pjsipAORGone  = compile(`AOR '([^']*)' not found for endpoint '([^']*)'(?: \(([^)]*)\))?`)
	pjsipContacts = compile(`Registration attempt from endpoint '([^']*)' \(([^)]*)\) to AOR '[^']*' will exceed max contacts of (\d+)`)
	pjsipAdded    = compile(`Added contact '([^']*)' to AOR '([^']*)'`)
	pjsipLost     = compile(`Contact ([^/\s]+)/(\S+) is now (?:Unreachable|Unavailable)`)
	sipAdded      = compile(`Registered SIP '([^']*)' at (\S+)`)
	pjsipBack     = compile(`Contact ([^/\s]+)/(\S+) is now Reachable`)
	sipBack       = compile(`(?:Peer|Endpoint) '?([^'\s]+)'? is now Reachable`)
	sipLost       = compile(`(?:Peer|Endpoint) '?([^'\s]+)'? is now (?:UNREACHABLE|Unreachable)`)
	sccpDenied    = compile(`(?:(SEP[0-9A-Fa-f]{12}|SEP\w+): )?Rejecting (?:device|Connection): I[pP][- ]address '([^']*)' denied`)
	sccpUnknown   = compile(`(SEP[0-9A-Fa-f]{12}): Rejecting device: (Device Unknown.*|not found.*)$`)
	sccpNoRow     = compile(`SCCP: Device '(SEP[0-9A-Fa-f]{12})' not found in realtime table`)
	sccpRejects   = compile(`SCCP: Sending Message: Register Reject Message`)
	pjsipFrom     = compile(`<--- Received SIP request \(\d+ bytes\) from \w+:(\S+):\d+ --->`)
	pjsipTLS      = compile(`SSL SSL_ERROR_SSL \(Handshake\):.*<error:[0-9A-Fa-f]+:SSL routines:\w*:([^>]+)>.*\bpeer: (\S+):(\d+)`)
	sccpDone      = compile(`(SEP[0-9A-Fa-f]{12}): (?:Registration State is 'OK'|is now registered|Ready to accept)`)
	// Rows of `pjsip show contacts`, `sip show peers` and `sccp show devices`.
	pjsipRow = compile(`^\s*Contact:\s+([^/\s]+)/(sips?:\S+)\s+\S+\s+(?:(Avail|NonQual)|Unavail)\b`)
	sipRow   = compile(`^([\w.+-]+)(?:/\S+)?\s+(\d[\d.]+|\(Unspecified\))\s.*\s\d{1,5}\s+(?:((?:OK|LAGGED) \(\d+ ms\))|UNREACHABLE)`)
	sccpRow  = compile(`\b(SEP[0-9A-Fa-f]{12})\s+(?:(OK)|None|Progress|Failed|Rejected|Timeout)\s+(?:Yes|No)\b`)
	sipUser  = compile(`<?sips?:([^@;>]+)@`)
)

// registrationCauses are what Asterisk says behind the dash, by their beginning.
var registrationCauses = []struct{ says, cause string }{
	{"Wrong password", "password"}, {"Failed to authenticate", "password"}, {"Error to authenticate", "password"},
	{"Username/auth name mismatch", "password"},
	{"No matching peer found", "unknown"}, {"No matching endpoint found", "unknown"}, {"Not a local domain", "unknown"},
	{"AOR", "no-aor"}, {"Peer is not supposed to register", "static"},
	{"Device does not match ACL", "acl"}, {"Not match Endpoint ACL", "acl"}, {"Not match Endpoint Contact ACL", "acl"},
	{"Device not configured to use this transport type", "type"},
}

var _ = recognise(Recogniser{
	Format: "Asterisk's log", Platform: finding.Asterisk,
	Marks: []string{
		"failed for '", "not found for endpoint", "configured aors", "rejecting ", "contact", "registered", "reachable", "registration", "avail", "nonqual", " ms)", "sep", "ready to accept", "chan_s", "pjsip",
		"sccp_", "acl.c", "res_security_log", "ssl_error_ssl", "received sip request",
	},
	Alone:  true,
	Begins: asteriskLine.MatchString,
	New:    func(in *fact.Input) Reader { return &asteriskLog{in: in} },
})

// behindRow is how many lines after a table lacks a device the rejection follows.
const behindRow = 5

type asteriskLog struct {
	in    *fact.Input
	noRow Line   // where the table lacks a device; number 0: nothing says so
	gone  string // which
	from  string // where the last request came from
}

func (r *asteriskLog) Line(l Line) bool {
	return r.failed(l) || r.state(l) || r.row(l) || asteriskLine.MatchString(l.Raw) && asteriskNames.MatchString(l.Raw)
}

// failed reads what was refused.
func (r *asteriskLog) failed(l Line) bool {
	if m := pjsipFailed.FindStringSubmatch(l.Raw); m != nil {
		r.refused(l, "chan_pjsip", m[1], m[2], m[3])
		return true
	}
	if m := sipFailed.FindStringSubmatch(l.Raw); m != nil {
		r.refused(l, "chan_sip", m[1], m[2], m[3])
		return true
	}
	if m := sipOther.FindStringSubmatch(l.Raw); m != nil {
		r.refusedFor(l, "chan_sip", m[1], "", "name", "the phone gives the name \""+m[2]+"\" with its password (authName in its file)")
		return true
	}
	if m := pjsipNoAOR.FindStringSubmatch(l.Raw); m != nil {
		r.refusedFor(l, "chan_pjsip", m[1], hostOf(m[2]), "no-aor", "its endpoint has no aors")
		return true
	}
	if m := pjsipAORGone.FindStringSubmatch(l.Raw); m != nil {
		r.refusedFor(l, "chan_pjsip", m[2], hostOf(m[3]), "no-aor", "its aor "+m[1]+" is not there")
		return true
	}
	if m := pjsipContacts.FindStringSubmatch(l.Raw); m != nil {
		r.refusedFor(l, "chan_pjsip", m[1], hostOf(m[2]), "contacts", "it is registered from "+m[3]+" other address already, which is max_contacts")
		return true
	}
	if m := sccpDenied.FindStringSubmatch(l.Raw); m != nil {
		r.in.Add(fact.RegistrarDenied, l.Number, l.Raw, l.Time, "program", "chan-sccp", "line", m[1], "client", m[2])
		return true
	}
	if m := sccpUnknown.FindStringSubmatch(l.Raw); m != nil {
		r.noRow = Line{}
		r.refusedFor(l, "chan-sccp", m[1], "", "unknown", "it knows no such device")
		return true
	}
	if m := sccpNoRow.FindStringSubmatch(l.Raw); m != nil {
		r.noRow, r.gone = l, m[1]
		return true
	}
	if r.noRow.Number > 0 && l.Number-r.noRow.Number <= behindRow && sccpRejects.MatchString(l.Raw) {
		r.refusedFor(r.noRow, "chan-sccp", r.gone, "", "unknown", "its table has no such device")
		r.noRow = Line{}
		return true
	}
	if m := pjsipTLS.FindStringSubmatch(l.Raw); m != nil {
		if m[3] != "5061" { // that is a server which Asterisk itself calls
			r.in.Add(fact.RegistrarTLS, l.Number, l.Raw, l.Time, "program", "Asterisk", "client", hostOf(m[2]), "reason", m[1])
		}
		return true
	}
	return false
}

// state reads how registrations are.
func (r *asteriskLog) state(l Line) bool {
	if m := pjsipFrom.FindStringSubmatch(l.Raw); m != nil {
		r.from = m[1]
		return true
	}
	if m := pjsipAdded.FindStringSubmatch(l.Raw); m != nil {
		r.in.Add(fact.RegistrarRegistered, l.Number, l.Raw, l.Time, pairs("line", m[2], "client", hostOf(contactHost(m[1])), "from", r.from)...)
		return true
	}
	if m := pjsipLost.FindStringSubmatch(l.Raw); m != nil {
		r.in.Add(fact.RegistrarLost, l.Number, l.Raw, l.Time, "line", m[1], "address", hostOf(contactHost(m[2])))
		return true
	}
	for _, back := range []*pattern{pjsipBack, sipBack} {
		if m := back.FindStringSubmatch(l.Raw); m != nil {
			r.in.Add(fact.RegistrarRegistered, l.Number, l.Raw, l.Time, "line", m[1])
			return true
		}
	}
	if m := sipAdded.FindStringSubmatch(l.Raw); m != nil {
		r.in.Add(fact.RegistrarRegistered, l.Number, l.Raw, l.Time, "line", m[1], "client", hostOf(m[2]))
		return true
	}
	if m := sipLost.FindStringSubmatch(l.Raw); m != nil {
		r.in.Add(fact.RegistrarLost, l.Number, l.Raw, l.Time, "line", m[1])
		return true
	}
	if m := sccpDone.FindStringSubmatch(l.Raw); m != nil {
		r.in.Add(fact.RegistrarRegistered, l.Number, l.Raw, l.Time, "line", m[1])
		return true
	}
	return false
}

// row reads a row of a table of who is registered. Those that are not may be switched off.
func (r *asteriskLog) row(l Line) bool {
	m := sccpRow.FindStringSubmatch(l.Raw)
	if m != nil {
		m = []string{m[0], m[1], "", m[2]}
	} else if m = pjsipRow.FindStringSubmatch(l.Raw); m != nil {
		m[2] = hostOf(contactHost(m[2]))
	} else if m = sipRow.FindStringSubmatch(l.Raw); m == nil {
		return false
	}
	if m[3] != "" {
		r.in.Add(fact.RegistrarRegistered, l.Number, l.Raw, l.Time, pairs("line", m[1], "client", m[2])...)
	} else {
		r.in.Add(fact.RegistrarLost, l.Number, l.Raw, l.Time, pairs("line", m[1], "address", m[2])...)
	}
	return true
}

// refused tells a refusal whose cause stands behind a dash. The first REGISTER of an unknown user is answered as if it
// had a password, so a later line may say another cause for the same.
func (r *asteriskLog) refused(l Line, program, from, client, says string) {
	line := from
	if m := sipUser.FindStringSubmatch(from); m != nil {
		line = m[1]
	}
	for _, c := range registrationCauses {
		if !strings.HasPrefix(says, c.says) {
			continue
		}
		if c.cause == "acl" {
			r.in.Add(fact.RegistrarDenied, l.Number, l.Raw, l.Time, "program", program, "line", line, "client", hostOf(client))
			return
		}
		r.refusedFor(l, program, line, hostOf(client), c.cause, says)
		return
	}
	r.refusedFor(l, program, line, hostOf(client), "other", says)
}

func (r *asteriskLog) refusedFor(l Line, program, line, client, cause, reason string) {
	values := []string{"program", program, "line", line, "cause", cause, "reason", reason}
	if client != "" {
		values = append(values, "client", client)
	}
	r.in.Add(fact.RegistrarRefused, l.Number, l.Raw, l.Time, values...)
}

func (r *asteriskLog) End() {}

// hostOf takes the port away, and IPv6's brackets.
func hostOf(address string) string {
	if strings.HasPrefix(address, "[") {
		host, _, _ := strings.Cut(address[1:], "]")
		return host
	}
	if host, _, ok := strings.Cut(address, ":"); ok && strings.Count(address, ":") == 1 {
		return host
	}
	return address
}

// contactHost returns host and port of a SIP URI.
func contactHost(uri string) string {
	_, after, ok := strings.Cut(uri, "@")
	if !ok {
		after = strings.TrimPrefix(uri, "sip:")
	}
	host, _, _ := strings.Cut(after, ";")
	return strings.TrimSuffix(host, ">")
}

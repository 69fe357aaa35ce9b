package read

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// Windows' Network Policy Server, as its events 6272 to 6278 stand in the security log: a sentence, then fields below it.
// documented: Microsoft, Audit Network Policy Server
var (
	npsEvent = compile(`\bNetwork Policy Server (granted (?:full )?access to a user|denied access to a user|discarded the request for a user)`)
	npsMFA   = compile(`\bNPS Extension for Azure MFA: +CID: *\S+ *: *(?:(Access Accepted) for user (\S+)|Access Rejected for user (\S+) with Azure MFA response: (.*)|Exception in Authentication Ext for User (\S+) :: (.*))`)
	npsField = compile(`^(Account Name|NAS Port-Type|Calling Station Identifier|Client IP Address|EAP Type|Reason Code|Reason):\s+(\S.*)$`)
)

var _ = recognise(Recogniser{
	Format: "events of Windows' Network Policy Server", Follows: true,
	Marks: []string{"network policy server", "nps extension for azure mfa", "account name:", "port-type:", "station identifier:", "client ip address:", "eap type:", "reason"},
	New:   func(in *fact.Input) Reader { return &nps{in: in} },
})

type nps struct {
	in      *fact.Input
	event   string // of the event at hand; empty: there is none
	line    Line
	request radiusRequest
	client  string
}

func (r *nps) Line(l Line) bool {
	if m := npsEvent.FindStringSubmatch(l.Raw); m != nil {
		r.flush()
		r.event, r.line, r.request, r.client = m[1], l, radiusRequest{}, ""
		return true
	}
	if m := npsMFA.FindStringSubmatch(l.Raw); m != nil {
		r.flush()
		// Its events say nothing of who asks: where the event of the server itself stands beside, that one does.
		request := radiusRequest{user: m[2] + m[3] + m[5], reason: "the extension for Azure MFA: " + m[4] + m[6]}
		request.tell(r.in, l, m[1] != "", "NPS")
		return true
	}
	m := npsField.FindStringSubmatch(strings.TrimSpace(l.Raw))
	if m == nil || r.event == "" {
		return false
	}
	value := strings.TrimSpace(m[2])
	if value == "-" {
		value = ""
	}
	switch m[1] {
	case "Account Name":
		if r.request.user == "" {
			r.request.user = value
		}
	case "NAS Port-Type":
		r.request.portType = value
	case "Calling Station Identifier":
		r.request.caller = value
	case "Client IP Address":
		r.client = value
	case "EAP Type":
		r.request.eap = value != ""
	case "Reason":
		r.request.reason = value
		r.flush()
	}
	return true
}

// flush tells of the event at hand.
func (r *nps) flush() {
	switch {
	case r.event == "":
	case strings.HasPrefix(r.event, "granted"):
		r.request.tell(r.in, r.line, true, "NPS")
	case strings.HasPrefix(r.event, "denied"):
		r.request.tell(r.in, r.line, false, "NPS")
	default:
		if _, may := r.request.vpn(); may {
			reason := r.request.reason
			if reason == "" {
				reason = "it says no more"
			}
			r.in.Add(fact.AAADropped, r.line.Number, r.line.Raw, r.line.Time, pairs("client", r.client, "program", "NPS", "reason", reason)...)
		}
	}
	r.event = ""
}

func (r *nps) End() { r.flush() }

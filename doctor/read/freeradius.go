package read

import (
	"net/netip"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// FreeRADIUS: what radiusd -X prints, and its log. documented: FreeRADIUS, how to use radiusd -X. Lines of one request begin
// with its number in parentheses; the log has that number in newer releases.
var (
	freeRadiusRequest  = compile(`^(?:\w{3} \w{3} +\d+ [\d:]+ \d{4} : )?(?:Auth: |Debug: |Error: |ERROR: )?(?:\((\d+)\) +|\t)?(\S.*)$`)
	freeRadiusFrom     = compile(`^(?:Received Access-Request (?:Id|packet from)|rad_recv: Access-Request packet|Sent Access-Request Id \d+ from )`) // the last: radclient, which asks
	freeRadiusReply    = compile(`^(?:Sent|Sending|Received) Access-(Accept|Reject) `)
	freeRadiusValue    = compile(`^(User-Name|NAS-Port-Type|Calling-Station-Id|EAP-Message) = "?([^"]*)"?$`)
	freeRadiusError    = compile(`^(?:[\w.-]+: )?ERROR: (.*)$`)
	freeRadiusLogin    = compile(`^Login (OK|incorrect)(?: \((.*?)\))?: \[(.*?)(?:/[^\]]*)?\] \(from client (\S+) port \d+(?: cli ([^\s)]+))?( via TLS tunnel)?\)`)
	freeRadiusUnknown  = compile(`^Ignoring request to .* from unknown client (\S+)`)
	freeRadiusUnsigned = compile(`Received packet from (\S+) with invalid (?:Message-Authenticator|Request Authenticator)!\s+\(Shared secret is incorrect\.?\)`)
)

var _ = recognise(Recogniser{
	Format: "FreeRADIUS's log or debug",
	Marks: []string{
		"access-request", "access-accept", "access-reject", "login ok", "login incorrect", "user-name = ", "nas-port-type = ", "calling-station-id = ", "from unknown client",
		"shared secret is incorrect", "eap-message = ", "error: ",
	},
	Alone: true,
	New:   func(in *fact.Input) Reader { return &freeRadius{in: in, at: map[string]*radiusRequest{}} },
})

// radiusRequest is what is known of a request while it is answered.
type radiusRequest struct {
	user, portType, caller, reason string
	eap, told                      bool
}

// vpn reports whether a VPN asks for somebody, and whether it may be one: Wi-Fi and switches say that they are such, give a
// hardware address for the caller, or speak EAP, which no phone's VPN client does. documented: RFC 2865, RFC 3580
func (r *radiusRequest) vpn() (is, may bool) {
	switch kind := strings.ToLower(r.portType); {
	case kind == "virtual", kind == "5":
		return true, true
	case kind != "" || r.eap:
		return false, false
	case r.caller == "":
		return false, true
	}
	_, err := netip.ParseAddr(r.caller)
	return err == nil, err == nil
}

// tell adds how a request was answered, if a VPN may have asked.
func (r *radiusRequest) tell(in *fact.Input, l Line, accepted bool, program string) {
	is, may := r.vpn()
	if !may || r.told {
		return
	}
	r.told = true
	values := pairs("user", r.user, "program", program)
	if accepted {
		in.Add(fact.AAAAccepted, l.Number, l.Raw, l.Time, values...)
		return
	}
	if is {
		values = append(values, "vpn", "true")
	}
	in.Add(fact.AAARefused, l.Number, l.Raw, l.Time, append(values, pairs("reason", r.reason)...)...)
}

// maxRadiusRequests bounds how many requests are followed at a time.
const maxRadiusRequests = 4096

type freeRadius struct {
	in *fact.Input
	at map[string]*radiusRequest // by number; "": of a log without numbers
}

func (r *freeRadius) request(number string, anew bool) *radiusRequest {
	if r.at[number] == nil || anew {
		if len(r.at) >= maxRadiusRequests {
			clear(r.at)
		}
		r.at[number] = &radiusRequest{}
	}
	return r.at[number]
}

func (r *freeRadius) Line(l Line) bool {
	m := freeRadiusRequest.FindStringSubmatch(strings.TrimRight(l.Raw, " "))
	if l.Program == "radiusd" || l.Program == "freeradius" {
		m = freeRadiusRequest.FindStringSubmatch(strings.TrimRight(l.Text, " "))
	}
	if m == nil {
		return false
	}
	number, text := m[1], m[2]
	if at := freeRadiusFrom.FindString(text); at != "" {
		r.request(number, true)
		return true
	}
	if v := freeRadiusValue.FindStringSubmatch(text); v != nil {
		request := r.request(number, false)
		switch v[1] {
		case "User-Name":
			request.user = v[2]
		case "NAS-Port-Type":
			request.portType = v[2]
		case "Calling-Station-Id":
			request.caller = v[2]
		default:
			request.eap = true
		}
		return true
	}
	if login := freeRadiusLogin.FindStringSubmatch(text); login != nil {
		request := r.request(number, number == "")
		request.user, request.eap = login[3], request.eap || login[6] != ""
		if login[5] != "" {
			request.caller = login[5]
		}
		if login[2] != "" {
			request.reason = login[2]
		}
		request.tell(r.in, l, login[1] == "OK", "FreeRADIUS")
		return true
	}
	if reply := freeRadiusReply.FindStringSubmatch(text); reply != nil {
		if request := r.at[number]; request != nil && request.user != "" {
			request.tell(r.in, l, reply[1] == "Accept", "FreeRADIUS")
		}
		return true
	}
	if client := freeRadiusUnknown.FindStringSubmatch(text); client != nil {
		r.in.Add(fact.AAADropped, l.Number, l.Raw, l.Time, "client", client[1], "program", "FreeRADIUS", "reason", "it has no such client (clients.conf)")
		return true
	}
	if client := freeRadiusUnsigned.FindStringSubmatch(text); client != nil {
		r.in.Add(fact.AAADropped, l.Number, l.Raw, l.Time, "client", client[1], "program", "FreeRADIUS", "reason", "the shared secret differs")
		return true
	}
	if number == "" {
		return false
	}
	if failed := freeRadiusError.FindStringSubmatch(text); failed != nil && r.at[number] != nil {
		r.at[number].reason = failed[1]
	}
	return r.at[number] != nil
}

func (r *freeRadius) End() {}

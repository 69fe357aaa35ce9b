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
	freeRadiusValue    = compile(`^(User-Name|NAS-Port-Type|Calling-Station-Id|EAP-Message|Service-Type|NAS-Identifier|NAS-Port-Id) = "?([^"]*)"?$`)
	freeRadiusError    = compile(`^(?:[\w.-]+: )?ERROR: (.*)$`)
	freeRadiusLogin    = compile(`^Login (OK|incorrect)(?: \((.*?)\))?: \[(.*?)(?:/[^\]]*)?\] \(from client (\S+) port \d+(?: cli ([^\s)]+))?( via TLS tunnel)?\)`)
	freeRadiusUnknown  = compile(`^Ignoring request to .* from unknown client (\S+)`)
	freeRadiusInsecure = compile(`Insecure packet from host (\S+?): +Packet does not contain required Message-Authenticator`)
	freeRadiusUnproved = compile(`Received \S+ packet from (?:home server|host) (\S+) .*with invalid Response Authenticator!`)
	radcliSays         = compile(`\brc_(?:check_reply|send_server(?:_ctx)?): (?:(received invalid reply digest) from RADIUS server|no reply from RADIUS server (\S+?):\d+)`)
	freeRadiusUnsigned = compile(`Received packet from (\S+) with invalid (?:Message-Authenticator|Request Authenticator)!\s+\(Shared secret is incorrect\.?\)`)
)

var _ = recognise(Recogniser{
	Format: "FreeRADIUS's log or debug",
	Marks: []string{
		"access-request", "access-accept", "access-reject", "login ok", "login incorrect", "user-name = ", "nas-port-type = ", "calling-station-id = ", "from unknown client",
		"shared secret is incorrect", "eap-message = ", "error: ", "service-type = ", "nas-identifier = ", "nas-port-id = ", "insecure packet", "invalid reply digest", "no reply from radius",
	},
	Alone: true,
	New:   func(in *fact.Input) Reader { return &freeRadius{in: in, at: map[string]*radiusRequest{}} },
})

// radiusRequest is what is known of a request while it is answered.
type radiusRequest struct {
	user, portType, caller, reason string
	eap, told                      bool
	shell                          bool // somebody logs in to equipment or to a computer
}

// hardware is a user's name that is the address of a machine, or of one in a Windows domain: switches and Wi-Fi ask for
// those (documented: FreeRADIUS, Mac-Auth; Microsoft, 802.1X).
var hardware = compile(`^(?i:(?:[0-9a-f]{2}[:.-]?){5}[0-9a-f]{2}|(?:[0-9a-f]{4}[.-]){2}[0-9a-f]{4}|host(?:/.*)?)$`)

// take keeps an attribute that tells who asks. documented: RFC 2865 5.6; observed: pam_radius_auth, IOS on its lines
func (r *radiusRequest) take(name, value string) {
	switch lower := strings.ToLower(value); name {
	case "User-Name":
		r.user = value
	case "NAS-Port-Type":
		r.portType = value
	case "Calling-Station-Id":
		r.caller = value
	case "EAP-Message":
		r.eap = true
	case "Service-Type":
		r.shell = r.shell || strings.HasPrefix(lower, "nas-prompt") || strings.HasPrefix(lower, "administrative") || lower == "nas prompt"
	case "NAS-Identifier":
		r.shell = r.shell || lower == "sshd" || lower == "login" || lower == "sudo" || lower == "su"
	case "NAS-Port-Id":
		r.shell = r.shell || strings.HasPrefix(lower, "tty") || strings.HasPrefix(lower, "ssh")
	}
}

// vpn reports whether a VPN asks for somebody, and whether it may be one: Wi-Fi and switches say that they are such, give a
// hardware address for the caller, or speak EAP, which no phone's VPN client does. documented: RFC 2865, RFC 3580
func (r *radiusRequest) vpn() (is, may bool) {
	switch kind := strings.ToLower(r.portType); {
	case r.eap, r.shell, hardware.MatchString(r.user), strings.HasPrefix(r.reason, "eap"):
		return false, false
	case kind == "virtual", kind == "5":
		return true, true
	case kind != "" && kind != "async" && kind != "0": // radcli, by which ocserv asks, says Async
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

// differs is why an answer is none to who has asked.
const differs = "its answer does not prove that it knows the shared secret, and is thrown away"

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
	if asker := radcliSays.FindStringSubmatch(text); asker != nil {
		reason := "it has waited for it in vain"
		if asker[1] != "" {
			reason = differs
		}
		r.in.Add(fact.AAANoAnswer, l.Number, l.Raw, l.Time, pairs("server", asker[2], "reason", reason)...)
		return true
	}
	if server := freeRadiusUnproved.FindStringSubmatch(text); server != nil {
		r.in.Add(fact.AAANoAnswer, l.Number, l.Raw, l.Time, "server", server[1], "reason", differs)
		return true
	}
	if at := freeRadiusFrom.FindString(text); at != "" {
		r.request(number, true)
		return true
	}
	if v := freeRadiusValue.FindStringSubmatch(text); v != nil {
		r.request(number, false).take(v[1], v[2])
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
	if client := freeRadiusInsecure.FindStringSubmatch(text); client != nil {
		r.in.Add(fact.AAADropped, l.Number, l.Raw, l.Time, "client", client[1], "program", "FreeRADIUS", "reason", "it has no Message-Authenticator (require_message_authenticator)")
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

package read

import (
	"regexp"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// SIP as text, as consoles of call managers, ngrep and phones print it: docs/wire/gateway-logs.md#sip-as-text.
var _ = recognise(Recogniser{
	Format: "SIP as text", Early: true,
	Marks: []string{"sip/2.0"},
	New: func(in *fact.Input) Reader {
		return &sipText{in: in, phones: map[string]bool{}, told: map[string]bool{}}
	},
})

var (
	sipBegins = compile(`(?:^|[\s>|])(?:(REGISTER) sips?:\S+ SIP/2\.0|SIP/2\.0 (\d{3}) [^^]*)(?:\^M)?\.?\s*$`)
	sipField  = regexp.MustCompile(`(?i)^\s*(call-id|i|cseq|user-agent|to|t) ?: ?(.*?)(?:\^M)?\s*$`)
)

// sipText follows registrations of phones: what each is answered.
type sipText struct {
	in     *fact.Input
	phones map[string]bool // calls of which a phone has sent the REGISTER
	told   map[string]bool // answers that were told, which are sent again where packets get lost
	number string          // of the request in its call
	open   bool
	at     Line
	status string // empty: a request
	own    bool   // the phone's own log
	call   string
	method string
	line   string
	phone  bool // its User-Agent is a phone's
}

// ofPhone begins a message in a phone's own log.
const ofPhone = "JAVA-sipio-"

// maxSIPLines is how many lines after its start a message may have its fields.
const maxSIPLines = 40

func (r *sipText) Line(l Line) bool {
	if m := sipBegins.FindStringSubmatch(l.Raw); m != nil {
		*r = sipText{in: r.in, phones: r.phones, told: r.told, open: true, at: l, status: m[2], own: strings.Contains(l.Raw, ofPhone)}
		return true
	}
	if !r.open || l.Number-r.at.Number > maxSIPLines {
		r.open = false
		return false
	}
	m := sipField.FindStringSubmatch(l.Raw)
	if m == nil {
		r.open = r.open && strings.TrimSpace(l.Raw) != ""
		return false
	}
	value := strings.TrimRight(m[2], ".")
	switch strings.ToLower(m[1]) {
	case "call-id", "i":
		r.call = value
	case "user-agent":
		r.phone = strings.HasPrefix(value, "Cisco-CP") || strings.HasPrefix(value, "Cisco-SIPIPCommunicator")
	case "to", "t":
		if to := sipUser.FindStringSubmatch(value); to != nil {
			r.line = to[1]
		}
	case "cseq":
		if words := strings.Fields(value); len(words) == 2 {
			r.number, r.method = words[0], words[1]
		}
	}
	r.complete()
	return true
}

// complete tells what is known once the fields that matter have come, in whatever order.
func (r *sipText) complete() {
	switch {
	case r.call == "" || r.method != "REGISTER":
	case r.status == "":
		if (r.own || r.phone) && len(r.phones) < maxAsked {
			r.phones[r.call] = true
		}
	case r.status >= "200" && r.line != "" && r.phones[r.call]:
		r.open = false
		if answer := r.call + " " + r.number + " " + r.status; !r.told[answer] {
			if len(r.told) < maxAsked {
				r.told[answer] = true
			}
			r.in.Add(fact.PhoneRegisterReply, r.at.Number, r.at.Raw, r.at.Time, "status", r.status, "line", r.line)
		}
	}
}

func (r *sipText) End() {}

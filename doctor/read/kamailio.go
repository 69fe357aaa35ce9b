package read

import (
	"cmp"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Kamailio's log: docs/wire/gateway-logs.md#kamailio. What it refuses it tells with debug = 3 only, in lines of which each
// says a part. Those of one request come from one process, so what belongs together is found by its number.
var (
	kamailioLine     = compile(`(?:^|\s)(?:\d+\((\d+)\)|\S*kamailio\[(\d+)\]:) (?:DEBUG|INFO|NOTICE|WARNING|ERROR|ALERT|CRITICAL): (?:\{\S+ \S+ ([A-Z]+) [^}]*\} )?(\S+) (.*)$`)
	kamailioMethod   = compile(`parse_msg\(\):\s+method:\s+<(\w+)>`)
	kamailioTo       = compile(`get_hdr_field\(\): <To> \[\d+\]; uri=\[sips?:([^@\]]+)@`)
	kamailioUnknown  = compile(`no result for user '([^@']*)@`)
	kamailioForeign  = compile(`check_self\(\): host \(\d+:([^)]*?)(?::\d+)?\) != me`)
	kamailioContact  = compile(`created Contact HF: Contact: <(sips?:[^>]*)>`)
	kamailioRegister = compile(`check_register\(\): looking for To: sips?:([^@\s]+)@\S* Contact: (\S+)`)
	kamailioPike     = compile(`PIKE - BLOCKing ip ([^\s,]+)`)
)

var _ = recognise(Recogniser{
	Format: "Kamailio's log", Platform: finding.Kamailio,
	Marks: []string{
		"parse_msg():", "<to> [", "no result for user '", "auth_check_response()", "check_self():", "created contact hf", "check_register():", "pike - blocking ip",
		"request-route executed", "t_relay", "t_forward", "kamailio[",
	},
	Alone:  true,
	Begins: kamailioLine.MatchString,
	New:    func(in *fact.Input) Reader { return &kamailioLog{in: in, at: map[string]*kamailioRequest{}} },
})

// kamailioRequest is what one process has said of the request at hand.
type kamailioRequest struct {
	method, user, contact string
	foreign               string // a domain that it does not take for its own
	done                  bool   // it was registered, refused for a reason that was told, or sent on
}

type kamailioLog struct {
	in *fact.Input
	at map[string]*kamailioRequest // by process
}

// unnamed stands for a line of which the log does not tell the name.
const unnamed = "a line"

// maxProcesses bounds how many processes are remembered. Kamailio has some dozens.
const maxProcesses = 4096

func (r *kamailioLog) Line(l Line) bool {
	m := kamailioLine.FindStringSubmatch(l.Raw)
	if m == nil {
		return false
	}
	process := m[1] + m[2]
	if r.at[process] == nil {
		if len(r.at) >= maxProcesses {
			clear(r.at)
		}
		r.at[process] = &kamailioRequest{}
	}
	if begins := kamailioMethod.FindStringSubmatch(m[5]); begins != nil {
		r.at[process] = &kamailioRequest{method: begins[1]}
	}
	request := r.at[process]
	if m[3] != "" {
		request.method = m[3]
	}
	if blocked := kamailioPike.FindStringSubmatch(m[5]); blocked != nil {
		r.in.Add(fact.RegistrarDenied, l.Number, l.Raw, l.Time, "program", "kamailio", "client", blocked[1],
			"reason", "is blocked for a while by its module pike, for sending too much; phones behind one address count together")
	} else if request.method == "REGISTER" || m[4] == "permissions" {
		r.registration(l, request, m[5])
	}
	return true
}

// registration takes in what is said of a registration.
func (r *kamailioLog) registration(l Line, request *kamailioRequest, says string) {
	if m := kamailioTo.FindStringSubmatch(says); m != nil {
		request.user = m[1]
	} else if strings.HasSuffix(says, "auth_check_response(): Authorization failed") {
		r.refused(l, request, request.user, "password", "the password is wrong")
	} else if m := kamailioUnknown.FindStringSubmatch(says); m != nil {
		r.refused(l, request, m[1], "unknown", "it has no such user")
	} else if m := kamailioForeign.FindStringSubmatch(says); m != nil {
		request.foreign = m[1]
	} else if m := kamailioContact.FindStringSubmatch(says); m != nil && !request.done {
		request.done = true
		r.in.Add(fact.RegistrarRegistered, l.Number, l.Raw, l.Time, "line", cmp.Or(request.user, unnamed), "client", hostOf(contactHost(m[1])))
	} else if m := kamailioRegister.FindStringSubmatch(says); m != nil {
		request.user, request.contact = m[1], hostOf(contactHost(m[2]))
	} else if strings.HasSuffix(says, "rule found => Register denied") {
		request.done = true
		r.in.Add(fact.RegistrarDenied, l.Number, l.Raw, l.Time, pairs("program", "kamailio", "line", request.user, "client", request.contact)...)
	} else if strings.Contains(says, "t_relay") || strings.Contains(says, "t_forward") {
		request.done = true // somebody else's registrar answers it
	} else if strings.Contains(says, "request-route executed") && request.foreign != "" && !request.done {
		r.refused(l, request, request.user, "domain", "it does not take "+request.foreign+" for a domain of its own (`alias`, or the table domain)")
	}
}

func (r *kamailioLog) refused(l Line, request *kamailioRequest, line, cause, reason string) {
	request.done = true
	r.in.Add(fact.RegistrarRefused, l.Number, l.Raw, l.Time, "program", "kamailio", "line", cmp.Or(line, unnamed), "cause", cause, "reason", reason)
}

func (r *kamailioLog) End() {}

package read

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// Cisco ISE as it writes to a syslog server: CISE_CATEGORY, numbers, a code with its severity, and fields NAME=VALUE. documented:
// Cisco ISE syslogs, message codes. Codes of failures have five digits and stand before their words.
var (
	iseMessage = compile(`\bCISE_(Failed_Attempts|Passed_Authentications) .*?\b(\d{4,5}) (?:NOTICE|INFO|WARN|ERROR|DEBUG) [^:]+: ([^,]*), `)
	iseFailure = compile(`^(\d{5}) (.*)$`)
)

// iseDrops are failures at which ISE gives no answer.
var iseDrops = map[string]string{
	"11007": "it knows no such network device",
	"11036": "the Message-Authenticator is wrong: the shared secret differs",
}

var _ = recognise(Recogniser{
	Format: "Cisco ISE's syslog",
	Marks:  []string{"cise_"},
	Alone:  true,
	New:    func(in *fact.Input) Reader { return &ise{in} },
})

type ise struct{ in *fact.Input }

func (r *ise) Line(l Line) bool {
	m := iseMessage.FindStringSubmatchIndex(l.Raw)
	if m == nil {
		return false
	}
	fields := map[string]string{}
	for _, field := range strings.Split(l.Raw[m[1]:], ", ") {
		if name, value, ok := strings.Cut(field, "="); ok && fields[name] == "" {
			fields[name] = value
		}
	}
	request := &radiusRequest{user: fields["UserName"], portType: fields["NAS-Port-Type"], eap: fields["EapTunnel"]+fields["EapAuthentication"] != ""}
	if request.user == "" {
		request.user = fields["User-Name"]
	}
	request.take("Service-Type", fields["Service-Type"])
	request.caller = fields["Calling-Station-ID"]
	if group(l.Raw, m, 1) == "Passed_Authentications" {
		request.tell(r.in, l, true, "ISE")
		return true
	}
	failure := iseFailure.FindStringSubmatch(fields["FailureReason"])
	if failure == nil {
		return true
	}
	if why := iseDrops[failure[1]]; why != "" {
		if _, may := request.vpn(); may {
			client := fields["NAS-IP-Address"]
			if client == "" {
				client = fields["Device IP Address"]
			}
			r.in.Add(fact.AAADropped, l.Number, l.Raw, l.Time, pairs("client", client, "program", "ISE", "reason", why)...)
		}
		return true
	}
	request.reason = fields["FailureReason"]
	request.tell(r.in, l, false, "ISE")
	return true
}

func (r *ise) End() {}

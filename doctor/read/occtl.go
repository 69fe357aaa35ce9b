package read

import (
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// What occtl prints: tables of sessions and bans, and one session in full. docs/wire/gateway-logs.md#occtl
var (
	occtlUsers   = compile(`^\s*id\s+user\s+vhost\s+ip\s+vpn-ip\s+device\s+since\s+dtls-cipher\s+status`)
	occtlUser    = compile(`^\s*\d+\s+(\S+)\s+\S+\s+(\S+)\s+(\S+)\s+\S+\s+(\S+)\s+\(no-dtls\)\s+connected`)
	occtlBans    = compile(`^\s*IP\s+score\s+expires\s*$`)
	occtlPoints  = compile(`^\s*IP\s+score\s*$`)
	occtlBan     = compile(`^\s*([0-9a-fA-F.:]+)\s+\d+\s+\d{4}-\d\d-\d\d \d\d:\d\d`)
	occtlField   = compile(`^\s+(Username|Remote IP|IPv4|User-Agent|Routes|TLS ciphersuite|DTLS cipher|MTU|State|vhost|Session|DPD|Hostname|Connected at|DNS|ID|RX|Average bandwidth RX|Local Device IP|Device|Restricted to routes): *(.*)$`)
	occtlSession = compile(`^\s+Username: (\S+)\s+Groupname: `)
)

var _ = recognise(Recogniser{
	Format: "occtl's output", Platform: finding.Ocserv, Early: true,
	Marks: []string{"vpn-ip", "groupname:", "score"},
	New:   func(in *fact.Input) Reader { return &occtl{in: in} },
})

type occtl struct {
	in    *fact.Input
	table string // users, bans, points: of which rows follow
	user  string // of a session in full
}

func (r *occtl) Line(l Line) bool {
	switch {
	case occtlUsers.MatchString(l.Raw):
		r.table = "users"
		return true
	case occtlBans.MatchString(l.Raw):
		r.table = "bans"
		return true
	case occtlPoints.MatchString(l.Raw):
		r.table = "points"
		return true
	}
	if m := occtlSession.FindStringSubmatch(l.Raw); m != nil {
		r.user = m[1]
		return true
	}
	if m := occtlUser.FindStringSubmatch(l.Raw); m != nil && r.table == "users" {
		if since := m[4]; !strings.HasSuffix(since, "s") || strings.ContainsAny(since, "mhd") { // not just come
			r.in.Add(fact.OcservNoUDP, l.Number, l.Raw, time.Time{}, "user", m[1])
		}
		return true
	}
	if m := occtlBan.FindStringSubmatch(l.Raw); m != nil && r.table == "bans" {
		r.in.Add(fact.OcservBanned, l.Number, l.Raw, time.Time{}, "address", m[1])
		return true
	}
	if m := occtlField.FindStringSubmatch(l.Raw); m != nil && r.user != "" {
		if m[1] == "Routes" && m[2] != "" && m[2] != "defaultroute" {
			r.in.Add(fact.ClientSplit, l.Number, l.Raw, time.Time{}, "network", strings.TrimSpace(m[2]))
		}
		return true
	}
	if strings.TrimSpace(l.Raw) != "" { // of something else
		r.user, r.table = "", ""
	}
	return false
}

func (r *occtl) End() {}

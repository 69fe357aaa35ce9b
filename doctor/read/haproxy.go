package read

import (
	"github.com/longcord/longcord/doctor/fact"
)

// HAProxy, which some put before a gateway: that a backend has no server left. documented: HAProxy's configuration manual,
// logging. Its lines of connections are known, and tell nothing by themselves.
var (
	haproxyDown   = compile(`\b(?:backend|proxy) '?([\w.:-]+)'? has no server available!`)
	haproxyUp     = compile(`\bServer ([\w.:-]+)/[\w.:-]+ is UP\b`)
	haproxyState  = compile(`\bServer [\w.:-]+/[\w.:-]+ is (?:DOWN|UP|going)\b`)
	haproxyNobody = compile(` [\w.:~-]+ ([\w.:-]+)/<NOSRV> `)
	// haproxyVPN are backends that sound like a gateway's: others may be down as they please.
	haproxyVPN = compile(`(?i)vpn|ocserv|anyconnect|asa|gateway|phone`)
)

var _ = recognise(Recogniser{
	Format: "HAProxy's log",
	Marks:  []string{"has no server available", " is up", " is down", " is going", "<nosrv>"},
	Alone:  true,
	New:    func(in *fact.Input) Reader { return &haproxy{in: in, down: map[string]Line{}} },
})

type haproxy struct {
	in    *fact.Input
	down  map[string]Line // backends without a server
	order []string
}

// maxBackends bounds how many backends are followed.
const maxBackends = 256

func (r *haproxy) Line(l Line) bool {
	if m := haproxyUp.FindStringSubmatch(l.Raw); m != nil {
		delete(r.down, m[1])
		return true
	}
	for _, none := range []*pattern{haproxyDown, haproxyNobody} {
		m := none.FindStringSubmatch(l.Raw)
		if m == nil {
			continue
		}
		if _, known := r.down[m[1]]; !known && haproxyVPN.MatchString(m[1]) && len(r.order) < maxBackends {
			r.down[m[1]] = l
			r.order = append(r.order, m[1])
		}
		return true
	}
	return haproxyState.MatchString(l.Raw)
}

func (r *haproxy) End() {
	for _, backend := range r.order {
		if l, down := r.down[backend]; down {
			r.in.Add(fact.GatewayNoAnswer, l.Number, l.Raw, l.Time, "server", backend, "reason", "unreachable")
			delete(r.down, backend)
		}
	}
}

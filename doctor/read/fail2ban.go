package read

import (
	"net/netip"
	"slices"

	"github.com/longcord/longcord/doctor/fact"
)

// Fail2ban's log: docs/wire/gateway-logs.md#fail2ban.
var (
	banLine = compile(`fail2ban\.(?:actions|filter|jail|server|filterpoll|filtersystemd|observer)\b.*?: (?:INFO|NOTICE|WARNING|ERROR)\s`)
	banned  = compile(`\[([\w.-]+)\] (Ban|Restore Ban|Unban) ([0-9A-Fa-f.:]+)\s*$`)
	banSIP  = compile(`(?i)asterisk|sip|sccp|pbx|kamailio|voip|recidive`)
)

var _ = recognise(Recogniser{
	Format: "fail2ban's log",
	Marks:  []string{"fail2ban."},
	Alone:  true,
	New:    func(in *fact.Input) Reader { return &bans{in: in, now: map[string]ban{}} },
})

// bans follows who is banned from call managers. Whoever guesses on the Internet is, so that public addresses tell nothing.
type bans struct {
	in    *fact.Input
	now   map[string]ban // by address
	order []string
}

type ban struct {
	Line
	jail string
}

// maxBans bounds how many addresses are remembered.
const maxBans = 1000

func (r *bans) Line(l Line) bool {
	if !banLine.MatchString(l.Raw) {
		return false
	}
	m := banned.FindStringSubmatch(l.Raw)
	if m == nil || !banSIP.MatchString(m[1]) {
		return true
	}
	a, err := netip.ParseAddr(m[3])
	if err != nil || !a.IsPrivate() {
		return true
	}
	if m[2] == "Unban" {
		delete(r.now, m[3])
	} else if len(r.now) < maxBans {
		r.now[m[3]] = ban{l, m[1]}
		if !slices.Contains(r.order, m[3]) {
			r.order = append(r.order, m[3])
		}
	}
	return true
}

func (r *bans) End() {
	for _, address := range r.order {
		if b, ok := r.now[address]; ok {
			r.in.Add(fact.RegistrarDenied, b.Number, b.Raw, b.Time, "program", "fail2ban", "client", address,
				"reason", "is banned for failed tries: `fail2ban-client set "+b.jail+" unbanip "+address+"`, and tell it of the phones' network by `ignoreip`")
		}
	}
}

package read

import (
	"time"

	"github.com/longcord/longcord/doctor/fact"
)

// Settings of a Linux machine that carries packets, as sysctl prints them or its files hold them.
var sysctlForward = compile(`^\s*net[./](?:ipv4[./]ip_forward|ipv4[./]conf[./]all[./]forwarding)\s*=\s*([01])\s*$`)

var _ = recognise(Recogniser{
	Format: "sysctl",
	Marks:  []string{"ip_forward", "forwarding"},
	New:    func(in *fact.Input) Reader { return &sysctl{in} },
})

type sysctl struct{ in *fact.Input }

func (r *sysctl) Line(l Line) bool {
	m := sysctlForward.FindStringSubmatch(l.Raw)
	if m != nil {
		r.in.Add(fact.Forwarding, l.Number, l.Raw, time.Time{}, "on", m[1])
	}
	return m != nil
}

func (r *sysctl) End() {}

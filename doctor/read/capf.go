package read

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// The log of a daemon that stands in for CAPF where there is no CUCM: docs/wire/gateway-logs.md#capf.
var (
	capfSays = compile(`(?:^|\s)(?:[\d.]+|\[?[0-9A-Fa-f:]+\]?):\d{1,5} (?:(Unknown device)|Device Name): (SEP[0-9A-Fa-f]{12})\s*$`)
)

var _ = recognise(Recogniser{
	Format: "log of a CAPF server",
	Marks:  []string{"unknown device: sep", "device name: sep"},
	Alone:  true,
	New:    func(in *fact.Input) Reader { return &capfLog{in} },
})

type capfLog struct{ in *fact.Input }

func (r *capfLog) Line(l Line) bool {
	m := capfSays.FindStringSubmatch(l.Raw)
	if m != nil && m[1] != "" {
		r.in.Add(fact.PhoneCAPFFailed, l.Number, l.Raw, l.Time, "device", strings.ToUpper(m[2]), "text", m[1])
	}
	return m != nil
}

func (r *capfLog) End() {}

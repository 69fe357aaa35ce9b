package read

import (
	"regexp"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Console log of 79xx phones: sequence number, severity, time, task. People paste parts of it, so the tasks are enough.
var phone79 = regexp.MustCompile(`(?:^|[\s:>"'])(VPNC|SECD): ?(.*)$`)

var _ = recognise(Recogniser{
	Format: "console log of a 79xx phone", Platform: finding.Phone,
	New: func(in *fact.Input) Reader { return &phone79Reader{in} },
})

type phone79Reader struct{ in *fact.Input }

func (r *phone79Reader) Line(l Line) bool {
	if strings.Contains(l.Text, "'webvpn=' not found in cookie") {
		r.in.Add(fact.PhoneCookieMissing, l.Number, l.Text, l.Time)
		return true
	}
	m := phone79.FindStringSubmatch(l.Text)
	if m == nil {
		return false
	}
	switch said := m[2]; {
	case strings.HasPrefix(said, "Leaf cert hash = "):
		r.in.Add(fact.PhoneLeafHash, l.Number, l.Text, l.Time, "hash", strings.ToUpper(strings.TrimPrefix(said, "Leaf cert hash = ")))
	case strings.HasPrefix(said, "Hash was found in the trust list"):
		r.in.Add(fact.PhoneHashFound, l.Number, l.Text, l.Time)
	}
	return true
}

func (r *phone79Reader) End() {}

package read

import "github.com/longcord/longcord/doctor/fact"

// Whether a clock is set by NTP: CUCM's `utils ntp status`, which is ntpstat's, and `show ntp status` of ASA and IOS:
// docs/wire/gateway-logs.md#clocks.
var (
	ntpServed = compile(`^\s*synchroni[sz]ed to (?:NTP server \(([^)]+)\)|.*?) at stratum \d+`)
	ntpAlone  = compile(`^\s*unsynchroni[sz]ed\s*$`)
	ntpShown  = compile(`^\s*Clock is (un)?synchronized, stratum \d+`)
	ntpDaemon = compile(`\butils ntp status\b|^\s*ntpd \(pid \d+\) is running`)
)

var _ = recognise(Recogniser{
	Format: "state of a clock",
	Marks:  []string{"synchroni", "utils ntp", "ntpd (pid"},
	Alone:  true,
	New:    func(in *fact.Input) Reader { return &clocks{in: in, whose: "this machine"} },
})

type clocks struct {
	in    *fact.Input
	whose string
}

func (r *clocks) Line(l Line) bool {
	if m := ntpShown.FindStringSubmatch(l.Text); m != nil {
		r.tell(l, "the device that shows it", m[1] == "")
		return true
	}
	switch {
	case ntpDaemon.MatchString(l.Text):
		r.whose = "CUCM"
	case ntpServed.MatchString(l.Text):
		r.tell(l, r.whose, true)
	case ntpAlone.MatchString(l.Text):
		r.tell(l, r.whose, false)
	default:
		return false
	}
	return true
}

func (r *clocks) tell(l Line, whose string, set bool) {
	state := "false"
	if set {
		state = "true"
	}
	r.in.Add(fact.ClockState, l.Number, l.Raw, l.Time, "whose", whose, "synchronised", state)
}

func (r *clocks) End() {}

package judge

import (
	"slices"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// asaEpoch is before every certificate that phones' VPN has to do with. An ASA that has lost its clock starts in 1993.
var asaEpoch = time.Date(2008, 1, 1, 0, 0, 0, 0, time.UTC)

var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.ASAClock) {
		if t, ok := moment(f, "time"); ok && t.Before(asaEpoch) {
			c.Find(finding.ClockWrong.With("the ASA", "it says "+t.Format("2 January 2006")), f)
		}
	}
}, finding.ClockWrong)

// A clock that nobody sets goes wrong sooner or later, and says nothing of whether it is yet.
var _ = rule(func(c *Case) {
	states := c.All(fact.ClockState)
	for i, f := range states {
		if f.Get("synchronised") == "false" && !slices.ContainsFunc(states[i+1:], func(later fact.Fact) bool { return later.Get("whose") == f.Get("whose") && below(later, f) }) {
			c.Find(finding.ClockWrong.With(f.Get("whose"), "no NTP server sets it").As(finding.Likely), f)
		}
	}
}, finding.ClockWrong)

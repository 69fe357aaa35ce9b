package judge

import (
	"slices"
	"strings"
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
	for _, f := range c.All(fact.ASAAssertionRefused) {
		begins, known := moment(f, "begins")
		for _, clock := range c.All(fact.ASAClock) { // read after it
			if says, ok := moment(clock, "time"); ok && known && below(clock, f) && strings.Contains(clock.Text, " UTC ") && says.Before(begins) {
				c.Find(finding.ClockWrong.With("the ASA", "it says "+says.Format(time.TimeOnly)+" after it was given an identity provider's word that is of "+begins.Format(time.TimeOnly)).As(finding.Likely), f, clock)
			}
		}
	}
	for _, f := range c.All(fact.ASAClockSkew) {
		c.Find(finding.ClockWrong.With("the ASA", f.Get("reason")).As(finding.Likely), f)
	}
}, finding.ClockWrong)

// A clock that nobody sets goes wrong sooner or later, and says nothing of whether it is yet.
var _ = rule(func(c *Case) {
	states := c.All(fact.ClockState)
	for i, f := range states {
		if f.Get("synchronised") == "false" && !slices.ContainsFunc(states[i+1:], func(later fact.Fact) bool { return later.Get("whose") == f.Get("whose") && below(later, f) }) {
			found := finding.ClockWrong.With(f.Get("whose"), "no NTP server sets it").As(finding.Likely)
			if f.Get("whose") == "the gateway" && !c.meant {
				found.Severity = finding.Note // some router, perhaps
			}
			c.Find(found, f)
		}
	}
}, finding.ClockWrong)

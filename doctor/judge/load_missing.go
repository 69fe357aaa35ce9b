package judge

import (
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The phone is told a load that the server does not have.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.PhoneFileMissing, fact.PhoneFileRefused) {
		came := slices.ContainsFunc(c.All(fact.PhoneFetched), func(got fact.Fact) bool { return got.Get("file") == f.Get("file") })
		if load, ok := strings.CutSuffix(f.Get("file"), ".loads"); ok && !came {
			c.Find(finding.LoadMissing.With(load, f.Get("file")), f)
		}
	}
	for _, f := range c.All(fact.PhoneLoadNamed) {
		load := f.Get("load")
		if load == "" {
			load = "in the phone's file"
		}
		c.Find(finding.LoadMissing.With(load, "its .loads file under that name").As(finding.Likely), f)
	}
	for _, f := range c.All(fact.PhoneLoadRejected) {
		if strings.HasPrefix(strings.ToLower(f.Get("text")), "protocol application invalid") { // a 79xx has no load that runs
			c.Find(finding.LoadMissing.With("in the phone's file", "its .loads file under that name").As(finding.Possible), f)
		}
	}
	for _, f := range c.All(fact.PhoneLoadDamaged) {
		c.Find(finding.LoadMissing.With("that their file names", "an undamaged image of it").As(finding.Likely), f)
	}
}, finding.LoadMissing)

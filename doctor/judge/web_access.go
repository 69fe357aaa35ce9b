package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// A phone whose page is shut shows nobody what it does.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.SEPSetting) {
		if strings.EqualFold(f.Get("name"), "webAccess") && f.Get("value") == "1" {
			c.Find(finding.WebAccessOff.With(device(c)), f)
		}
	}
}, finding.WebAccessOff)

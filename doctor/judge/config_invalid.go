package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// What a phone cannot use of its file.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.SEPInvalid) {
		certainty := finding.Certain
		if f.Get("sure") == "likely" {
			certainty = finding.Likely
		}
		c.Find(finding.ConfigInvalid.With(f.Get("file"), f.Get("problem")).As(certainty), f)
	}
	for _, f := range c.All(fact.PhoneFileTooLarge) {
		c.Find(finding.ConfigInvalid.With("the phone's file", "it is too large for the phone's memory"), f)
	}
}, finding.ConfigInvalid)

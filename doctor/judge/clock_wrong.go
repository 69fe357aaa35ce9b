package judge

import (
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

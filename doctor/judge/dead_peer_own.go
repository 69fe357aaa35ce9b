package judge

import (
	"cmp"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Our gateway heard nothing from a client any more. One that comes back in the same session had its power all the time:
// the line was dead. Who stays away, or logs in anew, may have been switched off.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.OwnLost) {
		certainty := finding.Possible
		if c.later(fact.OwnBack, f, "session") {
			certainty = finding.Likely
		}
		c.Find(finding.DeadPeer.With(cmp.Or(f.Get("device"), f.Get("user"), "a client")).As(certainty), f)
	}
}, finding.DeadPeer)

package judge

import (
	"fmt"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Timers that drop calls or let home routers forget the phone. Published examples have keepalives of 120 seconds and a
// rekey after 4 minutes, which work.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		for _, g := range b.phonePolicies() {
			if f, ok := b.setting(g.policy, "anyconnect ssl keepalive"); ok {
				seconds, number := asaNumber(f)
				if off := f.Get("value") == "none" || strings.HasPrefix(f.Get("value"), "no"); off || number && seconds > 300 {
					what := "it sends no keepalives"
					if !off {
						what = fmt.Sprintf("it sends keepalives every %d seconds only", seconds)
					}
					c.Find(g.as(finding.TunnelTimers.With(g.policy, what+", and home routers forget UDP that is quiet after half a minute or a few")), f)
				}
			}
			if f, ok := b.setting(g.policy, "anyconnect dpd-interval client"); ok {
				if seconds, number := asaNumber(f); number && seconds < 10 {
					c.Find(g.as(finding.TunnelTimers.With(g.policy, fmt.Sprintf("phones ask every %d seconds whether the gateway is there, and take a short loss for its death", seconds))), f)
				}
			}
			for _, f := range b.all(fact.ASAPolicy, "policy", g.policy, "setting", "anyconnect ssl rekey") {
				minutes, number := asaNumber(fact.Fact{Values: map[string]string{"value": strings.TrimPrefix(f.Get("value"), "time ")}})
				if number && minutes < 4 {
					c.Find(g.as(finding.TunnelTimers.With(g.policy, fmt.Sprintf("tunnels are built anew every %d minutes, which calls hear", minutes))), f)
				}
			}
		}
	}
}, finding.TunnelTimers)

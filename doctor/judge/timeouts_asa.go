package judge

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Why sessions ended, in the ASA's words, and what their policy says. Half an hour without traffic is the default;
// who writes it or less may cut phones off whose call manager seldom speaks to them.
var _ = rule(func(c *Case) {
	for _, f := range c.asaEvents(fact.ASASessionEnded) {
		if !asaRemote(f) {
			continue
		}
		certainty := finding.Certain
		if f.Get("type") == "" && f.Get("phone") != "true" {
			certainty = finding.Possible // it may have been a browser's
		}
		who, lasted := cmp.Or(asaKnown(f.Get("user")), "a phone"), cmp.Or(f.Get("duration"), "some time")
		switch reason := strings.ToLower(f.Get("reason")); {
		case strings.Contains(reason, "idle timeout"), strings.Contains(reason, "idle time out"):
			c.Find(finding.IdleTimeout.With(who, c.asaLimit("vpn-idle-timeout", lasted)).As(certainty), f)
		case strings.Contains(reason, "max time exceeded"), strings.Contains(reason, "maximum time"), strings.Contains(reason, "session timeout"):
			c.Find(finding.SessionTimeout.With(who, lasted).As(certainty), f)
		case strings.Contains(reason, "lost service"), strings.Contains(reason, "dpd"), strings.Contains(reason, "dead peer"), strings.Contains(reason, "peer not responding"):
			c.Find(lasting(c.dead(who, f, fact.ASAAddress, fact.ASAEntered), f), f)
		}
	}
	for _, f := range c.asaEvents(fact.ASASessionEnded) {
		if asaRemote(f) && strings.EqualFold(f.Get("reason"), "Administrator Reset") && !c.later(fact.ASAAddress, f, "user") {
			c.Need("ask those who manage the ASA why the session of " + cmp.Or(asaKnown(f.Get("user")), "a phone") + " was ended: Administrator Reset is `vpn-sessiondb logoff`, or the ASA's own doing; `show log | include 111008` has the commands of that time")
		}
	}
	for _, b := range c.asas() {
		for _, g := range b.phonePolicies() {
			if f, ok := b.setting(g.policy, "vpn-session-timeout"); ok {
				if minutes, number := asaNumber(f); number && minutes > 0 {
					c.Find(g.as(finding.SessionTimeout.With("phones of group policy "+g.policy, fmt.Sprintf("%d minutes", minutes))), f)
				}
			}
			if f, ok := b.setting(g.policy, "vpn-idle-timeout"); ok {
				certainty := finding.Possible
				minutes, number := asaNumber(f)
				if minutes < 10 {
					certainty = finding.Likely
				}
				if number && minutes > 0 && minutes <= 30 {
					c.Find(finding.IdleTimeout.With("phones of group policy "+g.policy, fmt.Sprintf("%d minutes", minutes)).As(certainty), f)
				}
			}
		}
	}
}, finding.IdleTimeout, finding.SessionTimeout, finding.DeadPeer)

// asaRemote reports whether a session that ended is of a type that phones have: the SSL VPN of clients, under its names.
func asaRemote(f fact.Fact) bool {
	kind := strings.ToLower(f.Get("type"))
	return kind == "" || f.Get("phone") == "true" || strings.Contains(kind, "ssl") || strings.Contains(kind, "svc") || strings.Contains(kind, "anyconnect")
}

// asaLimit returns a time limit of the phones' policy in words, or what else is known.
func (c *Case) asaLimit(setting, otherwise string) string {
	for _, b := range c.asas() {
		for _, g := range b.phonePolicies() {
			if f, ok := b.setting(g.policy, setting); ok {
				if minutes, number := asaNumber(f); number {
					return fmt.Sprintf("%d minutes", minutes)
				}
			}
		}
	}
	return otherwise
}

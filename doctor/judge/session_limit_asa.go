package judge

import (
	"cmp"
	"fmt"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

var _ = rule(func(c *Case) {
	for _, f := range c.asaEvents(fact.ASASessionLimit) {
		who := cmp.Or(asaKnown(f.Get("user")), "a phone's user")
		if f.Get("whose") == "gateway" || f.Get("whose") == "licence" {
			who = "the ASA"
		}
		found := finding.SessionLimit.With(who)
		if f.Get("whose") == "aaa" {
			found = finding.SessionLimit.With("the AAA of the ASA").As(finding.Likely)
		}
		if f.Get("whose") == "licence" { // somebody who was not there made room
			found = found.As(finding.Likely)
		}
		c.Find(lasting(found, f), f)
	}
	for _, f := range c.asaEvents(fact.ASASessionEnded) {
		if !asaRemote(f) {
			continue
		}
		switch f.Get("reason") {
		case "Connection Preempted", "Port Preempted", "Max Simultaneous Logins Exceeded", "Simultaneous Logins Exceeded":
			found := finding.SessionLimit.With(cmp.Or(asaKnown(f.Get("user")), "a phone's user")).As(finding.Likely)
			if c.later(fact.ASAAddress, f, "user", "public") { // the same phone has taken its own place
				found = aside(found)
			}
			c.Find(found, f)
		}
	}
	for _, b := range c.asas() {
		for _, g := range b.phonePolicies() {
			c.judgeLogins(b, g)
		}
	}
}, finding.SessionLimit)

// judgeLogins holds the logins that a policy allows one user against the phones that log in as one user. With
// certificates each phone is a user of its own.
func (c *Case) judgeLogins(b *asaBox, g asaGroup) {
	f, ok := b.setting(g.policy, "vpn-simultaneous-logins")
	allowed, number := asaNumber(f)
	if !ok || !number {
		return
	}
	if allowed == 0 {
		c.Find(g.as(finding.SessionLimit.With("every user of group policy "+g.policy)), f)
		return
	}
	how, _ := b.last(fact.ASAGroup, "group", g.name, "setting", "authentication")
	if how.Get("value") == "certificate" {
		return
	}
	sessions := map[string]int{}
	for _, s := range b.facts[fact.ASASession] {
		if s.Get("phone") == "true" && s.Get("policy") == g.policy {
			sessions[s.Get("user")] += 1 + s.Count
		}
	}
	for user, n := range sessions {
		if n >= allowed && c.asaPhones() > allowed {
			c.Find(finding.SessionLimit.With(user).As(finding.Likely), f)
		}
	}
	if len(sessions) == 0 && c.asaPhones() > allowed && len(b.users(g.policy)) == 1 {
		c.Find(finding.SessionLimit.With(fmt.Sprintf("user %s, as whom %d phones log in,", b.users(g.policy)[0], c.asaPhones())).As(finding.Likely), f)
	}
}

// users returns the local users who get a policy by name.
func (b *asaBox) users(policy string) (names []string) {
	for _, f := range b.all(fact.ASAUser, "setting", "vpn-group-policy", "value", policy) {
		names = append(names, f.Get("user"))
	}
	return names
}

package judge

import (
	"cmp"
	"fmt"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

var _ = rule(func(c *Case) {
	for _, f := range c.asaEvents(fact.ASALargePacket) {
		certainty := finding.Possible // computers send such packets, and take smaller ones
		if asaDevice.MatchString(f.Get("user")) || len(c.asaPhoneUsers()) > 0 {
			certainty = finding.Likely
		}
		c.Find(finding.MTU.With("the tunnel of "+cmp.Or(asaKnown(f.Get("user")), "a phone"), "one had "+f.Get("size")+" bytes, and "+f.Get("threshold")+" fit").As(certainty), f)
	}
	for _, b := range c.asas() {
		for _, g := range b.phonePolicies() {
			if f, ok := b.setting(g.policy, "anyconnect mtu"); ok {
				if mtu, number := asaNumber(f); number && mtu < 576 {
					c.Find(g.as(finding.MTU.With("tunnels of group policy "+g.policy, fmt.Sprintf("its MTU is %d", mtu))), f)
				}
			}
		}
	}
}, finding.MTU)

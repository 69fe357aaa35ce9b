package judge

import (
	"regexp"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// lostCallManager are reasons that are no one's will: cm-closed-tcp, KeepaliveTO, CM-ICMP-Unreach, device-no-response.
var lostCallManager = regexp.MustCompile(`tcp|keepalive|unreach|connectivity|no-response`)

// An alarm says why a phone was out of service before it came back. It is worth a question only where it is all there is.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.PhoneAlarm) {
		alone := !slices.ContainsFunc(c.Every(), func(other fact.Fact) bool {
			return other.Kind != fact.PhoneAlarm && other.Kind != fact.Device
		})
		plain := strings.ToLower(f.Get("last"))
		if alone && lostCallManager.MatchString(plain) {
			c.Need("the phone lost its call manager once: send the gateway's and the call manager's log of that minute",
				"send the phone's console log")
		}
	}
})

package judge

import (
	"slices"
	"strconv"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Packets of phones that the ASA drops: by a list, because it knows no way, or because they go from phone to phone. Whose
// they are is known by their addresses. Pings and what else phones send besides calls are not missed.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.ASADenied) {
		from, to := c.asaPhoneHas(f.Get("from")), c.asaPhoneHas(f.Get("to"))
		switch {
		case from && to:
			c.Find(finding.PhoneToPhoneDenied.With("the ASA").As(finding.Likely), f)
		case from:
			c.judgeDropped(f, finding.Likely)
		case !c.asaKnowsAddresses() && strings.Contains(strings.ToLower(f.Get("on")), "outside") && asaPrivate(f.Get("from")):
			c.judgeDropped(f, finding.Possible) // as a packet out of a tunnel looks
		}
	}
	for _, f := range c.All(fact.ASANoRoute) {
		switch {
		case c.asaPhoneHas(f.Get("to")):
			c.Find(finding.NoRouteToPool.With(f.Get("to"), "the ASA").As(finding.Likely), f)
		case c.asaPhoneHas(f.Get("from")):
			c.judgeDropped(f, finding.Likely)
		case !c.asaKnowsAddresses() && asaPrivate(f.Get("from")) && asaPrivate(f.Get("to")):
			c.Need("send `show run ip local pool` or `show vpn-sessiondb anyconnect` of the ASA: it drops packets between " + f.Get("from") + " and " + f.Get("to") + ", and whether these are phones' that tells")
		}
	}
}, finding.PhoneToPhoneDenied, finding.RegistrationUnreachable, finding.TFTPUnreachable, finding.OneWayAudio, finding.NoRouteToPool)

// judgeDropped says what a phone misses of which packets are dropped, by the port that they are for.
func (c *Case) judgeDropped(f fact.Fact, certainty finding.Certainty) {
	port, _ := strconv.Atoi(f.Get("port"))
	switch {
	case slices.Contains([]int{2000, 2443, 5060, 5061}, port):
		c.Find(finding.RegistrationUnreachable.With(f.Get("to")).As(certainty), f)
	case slices.Contains([]int{69, 6970, 6971}, port):
		c.Find(finding.TFTPUnreachable.With(f.Get("to")).As(certainty), f)
	case f.Get("protocol") == "udp" && port >= 16384 && port <= 32767:
		c.Find(finding.OneWayAudio.With(f.Get("to"), f.Get("from")).As(certainty), f)
	case c.asaPhoneHas(f.Get("from")) && (f.Get("protocol") == "tcp" || f.Get("protocol") == "udp" || port != 0):
		c.Need("say which server " + f.Get("to") + " is: the ASA drops what a phone sends to its port " + f.Get("port"))
	}
}

// asaKnowsAddresses reports whether it is known which addresses phones have.
func (c *Case) asaKnowsAddresses() bool {
	return len(c.asaAllPools()) > 0 || c.Has(fact.ASAAddress)
}

// asaPhoneHas reports whether an address is of a phone's pool, or was given to a phone.
func (c *Case) asaPhoneHas(address string) bool {
	return c.asaPoolHas(address) || slices.ContainsFunc(c.asaEvents(fact.ASAAddress), func(f fact.Fact) bool { return f.Get("address") == address })
}

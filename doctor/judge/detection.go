package judge

import (
	"slices"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory/fitness"
)

// Whether a phone finds out by itself that it is outside.
var _ = rule(func(c *Case) {
	vpn, ok := c.First(fact.SEPVPN)
	if !ok {
		return
	}
	load, _ := c.First(fact.Device)
	for _, f := range c.All(fact.Device) {
		if older, known := fitness.Older(f.Get("load"), fitness.DetectionSince); known && older {
			load = f
		}
	}
	older, _ := fitness.Older(load.Get("load"), fitness.DetectionSince)
	outside := slices.IndexFunc(c.All(fact.WalkPlace), func(f fact.Fact) bool { return f.Get("place") == "outside" })
	switch {
	case vpn.Get("auto-detect") == "0" && outside >= 0:
		f := finding.NetworkDetectionUnreliable.With(device(c), "it is outside, and looking for that is switched off (autoNetDetect 0), so somebody has to switch the VPN on by hand")
		f.Severity = finding.Fault
		c.Find(f, vpn, c.All(fact.WalkPlace)[outside])
	case vpn.Get("auto-detect") == "1" && older && detects(c):
		c.Find(finding.NetworkDetectionUnreliable.With(device(c), "its load "+load.Get("load")+" is older than 9.2(1)").As(finding.Likely), vpn, load)
	case vpn.Get("auto-detect") == "0" && c.Has(fact.PhoneNotRegistered, fact.PhoneFileTimeout) && !speaks(c):
		c.Find(finding.NetworkDetectionUnreliable.With(device(c), "it is switched off (autoNetDetect 0), so somebody has to switch the VPN on by hand").As(finding.Likely), vpn)
	}
}, finding.NetworkDetectionUnreliable)

// detects says whether the release says anything about network detection: of 78xx and 88xx it does not.
func detects(c *Case) bool {
	m, _, ok := model(c)
	return ok && (m.Family == "7900" || m.Family == "8900" || m.Family == "9900")
}

package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/fitness"
)

// Model and load say whether there is a VPN client at all. Where it speaks, there is one.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.SEPMultiplatform) {
		c.Find(finding.MPPFirmware.With(device(c), "multiplatform firmware"), f)
	}
	if speaks(c) {
		return
	}
	for _, f := range c.All(fact.Device) {
		name := f.Get("device")
		if name == "" {
			name = device(c)
		}
		if multiplatform(f) {
			c.Find(finding.MPPFirmware.With(name, strings.TrimSpace(f.Get("model")+" "+f.Get("load"))), f)
			continue
		}
		m, ok := modelOf(f)
		if !ok {
			continue
		}
		if !m.VPN {
			what := m.Name
			if f.Get("model") == "" { // several models run a load
				what = "phone with the load " + f.Get("load")
			}
			c.Find(finding.ModelWithoutVPN.With(name, what).As(sureOf(m)), f)
			continue
		}
		if older, known := fitness.Older(f.Get("load"), m.VPNSince); known && older {
			c.Find(finding.LoadTooOld.With(name, f.Get("load"), m.VPNSince), f)
		}
	}
}, finding.MPPFirmware, finding.ModelWithoutVPN, finding.LoadTooOld)

// multiplatform knows firmware for other vendors' call managers by its names: sip88xx.11-3-1MPP-408, CP-8841-3PCC.
func multiplatform(f fact.Fact) bool {
	return strings.Contains(strings.ToUpper(f.Get("load")), "MPP") || strings.Contains(strings.ToUpper(f.Get("model")), "3PCC")
}

// sureOf says how far the table of models is to be believed that a model has no VPN client.
func sureOf(m inventory.Model) finding.Certainty {
	for _, n := range m.Notes {
		if n.Field == "vpn" && (n.Certainty == "inferred" || n.Certainty == "unverified") {
			return finding.Likely
		}
	}
	return finding.Certain
}

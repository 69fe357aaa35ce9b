package judge

import (
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Without a trustpoint for the interface an ASA makes itself a certificate, another one at each start.
var _ = rule(func(c *Case) {
	if f, ok := c.First(fact.ASANoTrustPoint); ok {
		c.Find(finding.GatewayCertificateTemporary.With("outside").As(finding.Possible), f)
	}
	for _, b := range c.asas() {
		outside := b.outside()
		if len(outside) == 0 || !b.whole() {
			continue
		}
		bound := b.all(fact.ASAGlobal, "setting", "ssl trust-point")
		var served []string
		for _, f := range bound {
			words := strings.Fields(strings.ToLower(f.Get("value")))
			if len(words) == 1 {
				served = outside
			} else if len(words) > 1 && words[0] != "no" {
				served = append(served, words[1])
			}
		}
		at, _ := b.last(fact.ASAWebVPN, "setting", "enable")
		on := append([]fact.Fact{at}, bound...)
		for _, name := range outside {
			if internet := strings.ToLower(b.internet()); !slices.Contains(served, name) && (internet == "" || internet == name) {
				c.Find(finding.GatewayCertificateTemporary.With(name), on...)
			}
		}
	}
}, finding.GatewayCertificateTemporary)

package judge

import (
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// Phones have an AnyConnect client and no other. Where a log of another product came alone, nothing can be said; beside
// others it only lies there.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.ForeignVPN) {
		alone := !slices.ContainsFunc(c.file.Facts, func(other fact.Fact) bool {
			kind := string(other.Kind)
			return other.Source == f.Source && other.Kind != fact.ForeignVPN && !strings.HasPrefix(kind, "client.") && !strings.HasPrefix(kind, "gateway.")
		})
		if alone && len(c.platforms()) == 0 {
			c.Need("this is of " + f.Get("product") + ", which Cisco's phones do not speak: they have an AnyConnect client (SSL VPN) only; send the log or configuration of the gateway that the phone's VPN URL leads to, an ASA or ocserv, and the phone's console log")
		}
	}
})

package judge

import (
	"fmt"
	"strconv"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// lineMTU is what most lines carry. ocserv's mtu is that of the line, from which it takes the tunnel's headers off itself.
const lineMTU = 1500

var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.ClientMTU) {
		if f.Get("new") == "true" {
			c.Find(finding.MTU.With("to the gateway", "the client takes another one while it is connected").As(finding.Possible), f)
		}
		mtu, _ := strconv.Atoi(f.Get("mtu"))
		if was, _ := strconv.Atoi(f.Get("was")); mtu < was {
			c.Find(finding.MTU.With("to the gateway", fmt.Sprintf("%d bytes pass inside, and the gateway grants %d", mtu, was)).As(finding.Likely), f)
		}
	}
	for _, o := range c.ocservFiles() {
		if n, f, ok := o.number("mtu"); ok && n > lineMTU {
			c.Find(finding.MTU.With("to ocserv", fmt.Sprintf("mtu = %d is more than a line carries", n)).As(finding.Likely), f)
		}
	}
}, finding.MTU)

package judge

import (
	"fmt"
	"strconv"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// largestMTU is the largest that CUCM writes into phones' files, docs/wire/phone-files.md#vpn-group.
const largestMTU = 1406

// A phone's file asks for packets that the tunnel does not carry.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.SEPVPN) {
		if mtu, err := strconv.Atoi(f.Get("mtu")); err == nil && mtu > largestMTU {
			c.Find(finding.MTU.With("the tunnel of "+device(c), fmt.Sprintf("mtu is %d in its file, and %d is the most", mtu, largestMTU)).As(finding.Likely), f)
		}
	}
}, finding.MTU)

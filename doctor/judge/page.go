package judge

import (
	"net/netip"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory"
)

// Where the phone's own page says that it gets its files from.
var _ = rule(func(c *Case) {
	m, _, _ := model(c)
	keys := m.Keys.AlternateTFTP
	if keys == "" {
		keys = "the phone's network settings, IPv4, Alternate TFTP"
	}
	for _, f := range c.All(fact.PhonePage) {
		server, ok := address(f.Get("tftp1"))
		if !ok {
			continue
		}
		network, whose, home := inventory.HomeNetwork(netip.PrefixFrom(server, server.BitLen()))
		router := f.Get("tftp1") == f.Get("router") || f.Get("tftp1") == f.Get("dhcp-server")
		switch typed := f.Get("alternate"); {
		case c.Sees(finding.IOS) && router: // the router is the call manager
		case typed == "no" && router && home:
			c.Find(finding.ForeignTFTPServer.With(server.String()).As(finding.Likely), f)
			c.Find(finding.AlternateTFTPNotSet.With(device(c), "the office's TFTP server", keys).As(finding.Likely), f)
		case typed == "no" && home && c.Failed():
			c.Find(finding.AlternateTFTPNotSet.With(device(c), "the office's TFTP server", keys).As(finding.Likely), f)
		case typed == "yes" && home:
			c.Find(finding.HomeNetworkOverlaps.With(server.String(), network.String(), whose), f)
		}
	}
}, finding.ForeignTFTPServer, finding.AlternateTFTPNotSet, finding.HomeNetworkOverlaps)

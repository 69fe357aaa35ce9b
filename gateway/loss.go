package gateway

import (
	"context"
	"time"

	"github.com/vishvananda/netlink"
)

// Loss counts packets that nobody could carry, because the gateway did not read them in time.
type Loss struct {
	FromClients uint64 // datagrams that the UDP socket had no room for
	ToClients   uint64 // packets that the TUN had no room for
}

// Loss asks the kernel.
func (g *Gateway) Loss() (l Loss) {
	l.FromClients = uint64(g.udp.lost())
	if link, err := netlink.LinkByName(g.host.device.Name()); err == nil && link.Attrs().Statistics != nil { // else a device in memory
		l.ToClients = link.Attrs().Statistics.TxDropped
	}
	return l
}

// lossInterval is how often the log may speak of losses.
const lossInterval = 10 * time.Second

// watchLoss has the log say when packets are lost.
func (g *Gateway) watchLoss(ctx context.Context) error {
	tick := time.NewTicker(lossInterval)
	defer tick.Stop()
	before := g.Loss()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			now := g.Loss()
			if now != before {
				g.log.Warn("more packets come than the gateway carries", "from_clients", now.FromClients-before.FromClients,
					"to_clients", now.ToClients-before.ToClients, "within", lossInterval)
			}
			before = now
		}
	}
}

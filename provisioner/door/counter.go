package door

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/provision"
)

// counter is the judge of a laptop: each address beside it has a door for the one phone, for as long as the
// laptop stays.
type counter struct {
	delivered chan Delivery
	log       *slog.Logger

	mu     sync.Mutex
	file   provision.File // without a device: there is nothing yet
	phones map[netip.Addr]*provision.Door
}

// maxNeighbours bounds the addresses that are remembered.
const maxNeighbours = 256

func (c *counter) offer(file provision.File) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.file = file
}

func (c *counter) asked(now time.Time, from netip.AddrPort, by provision.Transport, name string) (provision.DoorAnswer, provision.File) {
	c.mu.Lock()
	defer c.mu.Unlock()
	door, ok := c.phones[from.Addr()]
	if !ok {
		if c.file.Device == "" || len(c.phones) >= maxNeighbours {
			return provision.Silence, provision.File{}
		}
		door = &provision.Door{Device: c.file.Device, Address: from.Addr(), Until: now.Add(stallTime)}
		c.phones[from.Addr()] = door
	}
	answer := door.Asked(now, name)
	c.log.Info("asked", logging.Peer, from.String(), "file", name, "transport", string(by), "served", answer == provision.SendFile)
	return answer, c.file
}

// stallTime is longer than anybody stands beside a phone.
const stallTime = 24 * time.Hour

func (c *counter) arrived(_ time.Time, from netip.AddrPort, by provision.Transport, _ provision.File) {
	select {
	case c.delivered <- Delivery{from, by}:
	default: // the first one is still to be heard of
	}
}

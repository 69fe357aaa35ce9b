package gateway

import (
	"net/netip"
	"sync"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/wire/dtls"
)

// A NAT may give a client another port at any time, and after a restart it gives each of its clients the
// port of another. So a record that the channel at its address cannot open is tried with the other channels
// at the same IP address: if it authenticates there and is newer than all before, that client has moved.
// Who comes from another IP address begins with a handshake.
//
// Anybody can send such records, so what is tried for them is limited, in all and for each IP address.

const (
	movesTried = 32 // channels that one record is tried with at most

	// Trials are counted by what they cost: one for each trialBytes of a record.
	trialBytes       = 256
	trialsPerAddress = 1024 // at once; half as many each second
	trialsInAll      = 16384
)

// moves knows the established channels by IP address.
type moves struct {
	mu     sync.Mutex // of the packet path only the lane takes it, for records that nobody else opens
	at     map[netip.Addr]*site
	budget budget
}

// site is an IP address with channels.
type site struct {
	channels map[*dtlsChannel]struct{}
	budget   budget
}

func newMoves() *moves { return &moves{at: map[netip.Addr]*site{}, budget: fullBudget(trialsInAll)} }

func (m *moves) add(c *dtlsChannel) {
	addr := c.peer.Load().Addr()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at[addr] == nil {
		m.at[addr] = &site{channels: map[*dtlsChannel]struct{}{}, budget: fullBudget(trialsPerAddress)}
	}
	m.at[addr].channels[c] = struct{}{}
}

func (m *moves) remove(c *dtlsChannel) {
	addr := c.peer.Load().Addr()
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.at[addr]; s != nil {
		delete(s.channels, c)
		if len(s.channels) == 0 {
			delete(m.at, addr)
		}
	}
}

// candidates fills list with the channels that a record from an IP address may belong to, the likeliest
// first, and returns how many may be tried.
func (m *moves) candidates(now time.Time, from netip.Addr, datagram []byte, list *[movesTried]candidate) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.at[from]
	if s == nil {
		return 0
	}
	n := 0
	for c := range s.channels {
		if ahead := c.conn.Ahead(datagram); ahead > 0 {
			n = insert(list, n, candidate{c, ahead})
		}
	}
	cost := 1 + len(datagram)/trialBytes
	looked := 1 + len(s.channels)/movesTried // looking costs something, too
	granted := min(s.budget.take(now, looked+n*cost), m.budget.take(now, looked+n*cost))
	return min(n, max(0, granted-looked)/cost)
}

// candidate is a channel whose newest record is so many before the one in question. The next one is that of
// the right channel as a rule.
type candidate struct {
	channel *dtlsChannel
	ahead   uint64
}

// insert keeps the nearest of a list in order, and returns how many there are now.
func insert(list *[movesTried]candidate, n int, c candidate) int {
	if n == len(list) {
		if c.ahead >= list[n-1].ahead {
			return n
		}
		n--
	}
	i := n
	for ; i > 0 && list[i-1].ahead > c.ahead; i-- {
		list[i] = list[i-1]
	}
	list[i] = c
	return n + 1
}

// budget is how much of something may be done: size at once, and half of that again each second.
type budget struct {
	size, left int
	at         time.Time // when left was right
}

func fullBudget(size int) budget { return budget{size: size, left: size} }

// take returns how much of n may be done now.
func (b *budget) take(now time.Time, n int) int {
	if b.at.IsZero() {
		b.at = now
	}
	perSecond := time.Duration(b.size / 2)
	if more := perSecond * min(now.Sub(b.at), 2*time.Second) / time.Second; more > 0 {
		b.left = min(b.size, b.left+int(more))
		b.at = now
	}
	granted := min(n, b.left)
	b.left -= granted
	return granted
}

// stray gives a datagram that the channel at its address did not open to the channel that it belongs to,
// and reports whether there is one. Opening overwrites, so each trial has a copy.
func (l *lane) stray(now time.Time, from netip.AddrPort, datagram []byte) bool {
	if dtls.ContentType(datagram[0]) != dtls.ApplicationData {
		return false
	}
	n := l.g.moves.candidates(now, from.Addr(), datagram, &l.candidates)
	for _, c := range l.candidates[:n] {
		trial := l.trial[:copy(l.trial[:], datagram)]
		if c.channel.receive(l.out, now, from, trial) {
			return true
		}
	}
	return false
}

// moved notes that the client's newest record came from another address. The address before stays known
// for records that are still under way.
func (c *dtlsChannel) moved(to netip.AddrPort) {
	s := c.session
	peers := s.g.handshakes.peers
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dtls.Load() != c {
		return // it has just ended
	}
	if c.former.IsValid() && c.former != to {
		peers.remove(c.former, c.is)
	}
	c.former = c.peer.Swap(s.g.udp.endpoint(to)).AddrPort
	peers.put(to, c)
	s.log.Info("client has moved", logging.Channel, tunnel.DTLS.String(), logging.Peer, to.String(), "before", c.former.String())
}

func (c *dtlsChannel) is(other *dtlsChannel) bool { return other == c }

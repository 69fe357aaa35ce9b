package gateway

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/tunnel"
)

// narrow watches large TCP segments on their way to a phone: its files and the like. One that is sent again and again and
// is never acknowledged, while the phone is heard all the time, is too large for the way. Nothing else on the packet path
// tells that: of voice nobody says that it arrived.
type narrow struct {
	mu     sync.Mutex
	last   segment
	times  int       // how often last was sent
	second time.Time // when it was sent for the second time
	size   int       // of the segment that does not pass; zero: none is known
}

// segment is a large TCP segment to a phone.
type segment struct {
	peer       netip.Addr // who sends it
	from, to   uint16     // ports
	begin, end uint32     // sequence numbers
	size       int        // of the packet
}

const (
	// largeSegment is more than any line is known not to carry; the tunnel's headers stand before it.
	largeSegment = 576
	// sentInVain is how often a segment is sent before somebody should know. At TCP's own pace the fifth comes three
	// seconds or more after the first, by which a gap in the line is over or has silenced the phone, too.
	sentInVain = 5
)

// tcpOf returns the TCP header of a packet that is no later fragment, and how much payload follows it; nil: it is no TCP.
// h is of the packet.
func tcpOf(packet []byte, h *header) (tcp []byte, payload int) {
	const fixed = 20
	if h.protocol != protoTCP || h.later {
		return nil, 0
	}
	at, total := 40, 40+int(binary.BigEndian.Uint16(packet[4:]))
	if packet[0]>>4 == 4 {
		at, total = int(packet[0]&0x0f)*4, int(binary.BigEndian.Uint16(packet[2:]))
	} else if packet[6] != protoTCP {
		return nil, 0 // extension headers, which TCP does not have here
	}
	if total > len(packet) || total < at+fixed {
		return nil, 0
	}
	tcp = packet[at:total]
	if size := int(tcp[12]>>4) * 4; size >= fixed && size <= len(tcp) {
		return tcp, len(tcp) - size
	}
	return nil, 0
}

// sends notes a packet to a phone. It reports whether it has been sent so often in vain that the way must be too narrow.
func (n *narrow) sends(now, heard time.Time, packet []byte) (stuck bool) {
	var h header
	if len(packet) <= largeSegment || !parseHeader(packet, &h) {
		return false
	}
	tcp, payload := tcpOf(packet, &h)
	if payload == 0 {
		return false
	}
	begin := binary.BigEndian.Uint32(tcp[4:])
	this := segment{h.src, binary.BigEndian.Uint16(tcp), h.port, begin, begin + uint32(payload), len(packet)}
	n.mu.Lock()
	defer n.mu.Unlock()
	if this != n.last {
		n.last, n.times = this, 0
	}
	n.times++
	switch {
	case n.times == 2:
		n.second = now
	case n.times >= sentInVain && n.size == 0 && heard.After(n.second):
		n.size = this.size
		return true
	}
	return false
}

// acknowledges notes a packet of a phone. It reports whether it says that a segment has arrived of a size that did not
// pass before.
func (n *narrow) acknowledges(packet []byte, h *header) (passes bool) {
	tcp, _ := tcpOf(packet, h)
	if tcp == nil {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	const ack = 0x10
	l := &n.last
	if tcp[13]&ack == 0 || l.size == 0 || h.dst != l.peer || h.port != l.from || binary.BigEndian.Uint16(tcp) != l.to ||
		int32(binary.BigEndian.Uint32(tcp[8:])-l.end) < 0 {
		return false
	}
	if passes = n.size > 0 && l.size >= n.size; passes {
		n.size = 0
	}
	n.last, n.times = segment{}, 0
	return passes
}

// stuck is the size of what does not pass; zero: everything does, as far as anybody knows.
func (n *narrow) stuck() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.size
}

// judgeWay says that large packets do not pass to the phone, as long as that is so.
func (s *session) judgeWay() {
	defer s.contain()
	s.mu.Lock()
	defer s.mu.Unlock()
	size := s.narrow.stuck()
	if size == 0 || s.machine.State() == tunnel.Ended {
		s.clear(finding.MTU)
		return
	}
	f := finding.MTU.With("to "+s.record.Device, fmt.Sprintf("a packet of %d bytes was sent %d times and never arrived, while the phone was heard", size, sentInVain)).
		As(finding.Likely)
	f.Fix = []string{
		fmt.Sprintf("set `mtu: %d` in group policy %s, and less if that does not pass: then restart the phone, or log its session off",
			max(largeSegment, size-100), s.policy().Name),
		"find the line that is narrower than both ends know: a tunnel, PPPoE or a mobile network whose router drops ICMP",
	}
	s.log.Warn("large packets do not pass", logging.Finding, f.Code, "says", f.Says)
	s.raise(f, fmt.Sprintf("by DTLS to %s; packets of up to %d bytes were granted", s.peer.Addr(), s.granted.mtu))
}

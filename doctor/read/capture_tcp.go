package read

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/longcord/longcord/wire/pcap"
)

// The two directions of a conversation.
const (
	fromClient = iota
	fromServer
)

// tcpFlow is one TCP connection.
type tcpFlow struct {
	client, server netip.AddrPort
	first          moment
	syns           int
	answered       bool
	refused        bool
	closed         bool // by whom, was told to the conversation
	sides          [2]stream
	talk           conversation // nil: nothing that we know
	decided        bool         // what is spoken
}

// conversation is what is spoken over a stream.
type conversation interface {
	// data takes the next bytes of a direction, none of which are missing.
	data(side int, b []byte)
	// closed is told once who closed first, side, and whether the capture ended instead.
	closed(side int)
	// over is told when no more comes.
	over()
}

// stream puts the segments of one direction in order.
type stream struct {
	started bool
	lost    bool // bytes are missing, so nothing after them can be read
	next    uint32
	held    []held
	bytes   int // held
}

type held struct {
	seq  uint32
	data []byte
}

func (c *capture) segment(f pcap.Frame) {
	key, client := [2]netip.AddrPort{f.Src, f.Dst}, true
	flow, ok := c.tcp.get(key)
	if !ok {
		flow, ok = c.tcp.get([2]netip.AddrPort{f.Dst, f.Src})
		client = !ok
	}
	syn, ack := f.Flags&pcap.SYN != 0, f.Flags&pcap.ACK != 0
	if ok && syn && !ack && client && flow.answered && f.Seq+1 != flow.sides[fromClient].next { // the port is used again
		c.endTCP(flow)
		ok = false
	}
	if !ok {
		if client = clientSends(f); !client {
			key = [2]netip.AddrPort{f.Dst, f.Src}
		}
		flow = &tcpFlow{client: key[0], server: key[1], first: c.now}
		c.tcp.put(key, flow, c.endTCP)
	}
	side := fromServer
	if client {
		side = fromClient
	}
	s := &flow.sides[side]
	switch {
	case syn && !ack:
		flow.syns++
		s.started, s.next = true, f.Seq+1
	case syn:
		flow.answered = true
		mark(c.answered, flow.server)
		s.started, s.next = true, f.Seq+1
	case f.Flags&pcap.RST != 0 && side == fromServer && !flow.answered:
		flow.refused = true
	}
	if side == fromServer && f.Length > 0 {
		flow.answered = true
		mark(c.answered, flow.server)
	}
	if f.Length > 0 && !syn {
		c.take(flow, side, f)
	}
	if f.Flags&(pcap.FIN|pcap.RST) != 0 && !flow.closed && flow.answered {
		flow.closed = true
		if flow.talk != nil {
			flow.talk.closed(side)
		}
	}
}

// clientSends guesses who opened a connection, of which the beginning may be missing: who sends SYN, or from a higher port.
func clientSends(f pcap.Frame) bool {
	if f.Flags&pcap.SYN != 0 {
		return f.Flags&pcap.ACK == 0
	}
	if known := service(f.Src.Port()) != ""; known != (service(f.Dst.Port()) != "") {
		return !known
	}
	return f.Src.Port() >= f.Dst.Port()
}

// take puts a segment into its place, and gives on what is complete.
func (c *capture) take(flow *tcpFlow, side int, f pcap.Frame) {
	s := &flow.sides[side]
	if s.lost || flow.decided && flow.talk == nil {
		return
	}
	if !s.started {
		s.started, s.next = true, f.Seq
	}
	if len(f.Payload) < f.Length { // cut by the capture
		s.lose()
		return
	}
	if ahead := int32(f.Seq - s.next); ahead > 0 {
		if s.bytes += len(f.Payload); len(s.held) == maxHeld || s.bytes > maxStream {
			s.lose()
			return
		}
		s.held = append(s.held, held{f.Seq, slices.Clone(f.Payload)})
		return
	}
	c.give(flow, side, f.Seq, f.Payload)
	for i := 0; i < len(s.held); i++ {
		if h := s.held[i]; int32(h.seq-s.next) <= 0 {
			s.held = slices.Delete(s.held, i, i+1)
			s.bytes -= len(h.data)
			c.give(flow, side, h.seq, h.data)
			i = -1 // what was passed over may follow now
		}
	}
}

func (s *stream) lose() { s.lost, s.held = true, nil }

// give gives on what of a segment is new.
func (c *capture) give(flow *tcpFlow, side int, seq uint32, data []byte) {
	s := &flow.sides[side]
	had := int(s.next - seq)
	if had >= len(data) {
		return
	}
	data = data[had:]
	s.next += uint32(len(data))
	if !flow.decided {
		flow.decided = true
		flow.talk = c.conversation(flow, data)
	}
	if flow.talk != nil {
		flow.talk.data(side, data)
	}
}

// conversation tells by its first bytes what is spoken.
func (c *capture) conversation(flow *tcpFlow, b []byte) conversation {
	switch {
	case len(b) >= 3 && b[0] == 22 && b[1] == 3:
		return &tlsTalk{c: c, flow: flow}
	case sipStart(b):
		return &sipTalk{c: c, flow: flow}
	case bytes.HasPrefix(b, []byte("GET ")), bytes.HasPrefix(b, []byte("HEAD ")):
		return &httpTalk{c: c, flow: flow}
	case flow.server.Port() == portSCCP:
		return &sccpTalk{c: c, flow: flow}
	}
	return nil
}

func (c *capture) endTCP(f *tcpFlow) {
	if f.talk != nil {
		f.talk.over()
	}
	switch {
	case f.answered || c.answered[f.server]:
	case f.refused && f.syns > 0:
		c.noAnswer(f.first, f.client.Addr(), f.server, "tcp", "refused", f.syns)
	case f.syns >= unanswered, f.syns > 0 && c.refusals[f.server] != "":
		c.noAnswer(f.first, f.client.Addr(), f.server, "tcp", "timeout", f.syns)
	}
}

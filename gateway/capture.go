package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/longcord/longcord/stage/tunnel"
)

var (
	// ErrCaptureOff: the configuration allows nobody to look into tunnels.
	ErrCaptureOff = errors.New("gateway: looking into tunnels is switched off")
	// ErrNoSession: there is no session of that number, or there is no more.
	ErrNoSession = errors.New("gateway: no such session")
	// ErrCaptured: somebody looks into it already.
	ErrCaptured = errors.New("gateway: somebody captures this session already")
)

// capture copies the inner packets of one session to whoever looks. The packet path hands them over
// without waiting: where the reader is too slow, packets are missing and counted.
type capture struct {
	session *session
	by      string
	free    chan *captured // places to copy into
	full    chan *captured // copies, in their order
	seen    atomic.Uint64
	missed  atomic.Uint64

	once sync.Once
	over chan struct{} // closed when the session has ended
}

// captured is one packet.
type captured struct {
	at      time.Time
	toPhone bool
	refused bool // by anti-spoofing or filter
	channel tunnel.Channel
	data    []byte
}

// capturedPackets may wait for the reader: five seconds of a call and a file beside it.
const capturedPackets = 512

// Capture begins to look into a session for somebody. The caller runs the capture that it returns, or
// nobody can look any more.
func (g *Gateway) Capture(id uint64, by string) (run func(context.Context, io.Writer) error, err error) {
	if !g.config.AllowCapture {
		return nil, ErrCaptureOff
	}
	for _, s := range g.sessions.all() {
		if s.record.ID == id {
			return s.beginCapture(by)
		}
	}
	return nil, ErrNoSession
}

func (s *session) beginCapture(by string) (func(context.Context, io.Writer) error, error) {
	c := &capture{session: s, by: by, free: make(chan *captured, capturedPackets), full: make(chan *captured, capturedPackets), over: make(chan struct{})}
	for range capturedPackets {
		c.free <- &captured{data: make([]byte, 0, maxPacket)}
	}
	s.settling.Lock()
	defer s.settling.Unlock()
	switch {
	case s.gone:
		return nil, ErrNoSession
	case !s.capture.CompareAndSwap(nil, c):
		return nil, ErrCaptured
	}
	s.log.Warn("capture of inner packets begins", "by", by)
	return c.run, nil
}

// end is called when the session is over.
func (c *capture) end() {
	if c != nil {
		c.once.Do(func() { close(c.over) })
	}
}

// see takes a copy of a packet. The packet path calls it.
func (c *capture) see(at time.Time, toPhone, refused bool, channel tunnel.Channel, packet []byte) {
	c.seen.Add(1)
	select {
	case p := <-c.free:
		p.at, p.toPhone, p.refused, p.channel = at, toPhone, refused, channel
		p.data = append(p.data[:0], packet...)
		c.full <- p // never waits: there are as many places as packets
	default:
		c.missed.Add(1)
	}
}

// run writes pcapng until ctx or the session ends or nobody reads any more.
func (c *capture) run(ctx context.Context, w io.Writer) error {
	began := time.Now()
	defer func() {
		c.session.capture.CompareAndSwap(c, nil)
		c.session.log.Warn("capture of inner packets ends", "by", c.by, "lasted", time.Since(began), "packets", c.seen.Load(), "missed", c.missed.Load())
	}()
	out, err := c.open(w)
	if err != nil {
		return fmt.Errorf("gateway: capture: %w", err)
	}
	if err := out.copy(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("gateway: capture: %w", err)
	}
	return nil
}

// captureWriter writes the packets of a capture.
type captureWriter struct {
	*capture
	pcap   *pcapgo.NgWriter
	began  time.Time
	missed uint64                    // already told
	last   map[bool]tunnel.Channel   // by direction, the channel that packets took last
	words  map[tunnel.Channel]string // how a channel is called in comments
}

func (c *capture) open(w io.Writer) (*captureWriter, error) {
	i := c.session.info()
	link := pcapgo.NgInterface{
		Name: fmt.Sprintf("session %d", i.ID), Description: fmt.Sprintf("inner packets of %s %s, %s", i.User, i.Device, i.Address),
		OS: runtime.GOOS, LinkType: layers.LinkTypeRaw, TimestampResolution: 9,
	}
	pcap, err := pcapgo.NewNgWriterInterface(w, link, pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{OS: runtime.GOOS, Application: "longcord"}})
	if err != nil {
		return nil, err
	}
	return &captureWriter{
		capture: c, pcap: pcap, began: time.Now(), last: map[bool]tunnel.Channel{}, words: map[tunnel.Channel]string{tunnel.CSTP: "tls", tunnel.DTLS: "dtls"},
	}, pcap.Flush()
}

// copy writes what comes. Each time nothing more waits it hands on what it has, so that whoever looks sees
// it at once.
func (w *captureWriter) copy(ctx context.Context) error {
	for {
		select {
		case p := <-w.full:
			if err := w.packet(p); err != nil {
				return err
			}
			if len(w.full) > 0 {
				continue
			}
			if err := w.flush(); err != nil {
				return err
			}
		case <-w.over:
			return w.finish()
		case <-ctx.Done():
			return w.finish()
		}
	}
}

// packet writes one packet, and says in a comment what is not in it: the channel, when that is another
// than before, and that it was refused.
func (w *captureWriter) packet(p *captured) error {
	direction := pcapgo.NgEpbFlagDirectionInbound
	if p.toPhone {
		direction = pcapgo.NgEpbFlagDirectionOutbound
	}
	options := pcapgo.NgPacketOptions{Flags: &pcapgo.NgEpbFlags{Direction: direction}}
	if before, known := w.last[p.toPhone]; !known || before != p.channel {
		w.last[p.toPhone] = p.channel
		options.Comments = append(options.Comments, "channel: "+w.words[p.channel])
	}
	if p.refused {
		options.Comments = append(options.Comments, "refused by filter or anti-spoofing")
	}
	info := gopacket.CaptureInfo{Timestamp: p.at, CaptureLength: len(p.data), Length: len(p.data)}
	err := w.pcap.WritePacketWithOptions(info, p.data, options)
	w.free <- p
	return err
}

// flush hands on what is written, with a word about packets that are missing since the last time.
func (w *captureWriter) flush() error {
	if missed := w.capture.missed.Load(); missed != w.missed {
		w.missed = missed
		if err := w.statistics(); err != nil {
			return err
		}
	}
	return w.pcap.Flush()
}

// finish writes what still waits and the sums.
func (w *captureWriter) finish() error {
	for len(w.full) > 0 {
		if err := w.packet(<-w.full); err != nil {
			return err
		}
	}
	return errors.Join(w.statistics(), w.pcap.Flush())
}

func (w *captureWriter) statistics() error {
	now := time.Now()
	return w.pcap.WriteInterfaceStats(0, pcapgo.NgInterfaceStatistics{
		LastUpdate: now, StartTime: w.began, EndTime: now, PacketsReceived: w.seen.Load(), PacketsDropped: w.capture.missed.Load(),
	})
}

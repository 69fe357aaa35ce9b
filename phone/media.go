package phone

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/tun"
	"github.com/longcord/longcord/wire/g711"
	"github.com/longcord/longcord/wire/rtp"
)

// mediaOptions say what a call plays and where it is recorded.
type mediaOptions struct {
	play   string       // WAV file to send; empty: silence
	record string       // WAV file for what is received; empty: none
	log    *slog.Logger // nil discards
}

// rtpStream is the sound of one call: G.711 over RTP in packets of 20 ms, with RTCP on the next port. It
// sends from the port that it receives on. It takes media from any source, as desk phones do (inferred);
// what arrives before Start is kept and counted.
type rtpStream struct {
	media, control tun.PacketConn
	local          netip.Addr
	cancel         context.CancelFunc
	finished       chan struct{}
	log            *slog.Logger

	// Owned by run until finished.
	voice    voice
	recorder *recorder
	out      outgoing

	mu       sync.Mutex
	target   target
	reportAt time.Time // when the next report is due
	heard    time.Time // when a packet or a report came last
	in       incoming
}

// target is where to send, and in which coding; its zero value is nowhere.
type target struct {
	remote netip.AddrPort
	law    g711.Law
}

// newMediaStream opens the stream's ports on local, its own address on n, and begins to listen. The
// stream ends with Stop or ctx.
func newMediaStream(ctx context.Context, n network, local netip.Addr, opts mediaOptions) (*rtpStream, error) {
	voice, err := openVoice(opts.play)
	if err != nil {
		return nil, fmt.Errorf("phone: sound to play: %w", err)
	}
	recorder, err := openRecorder(opts.record)
	if err != nil {
		return nil, fmt.Errorf("phone: recording: %w", err)
	}
	media, control, err := openPorts(ctx, n, local)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("phone: media ports: %w", err), recorder.close())
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &rtpStream{
		media: media, control: control, local: local, cancel: cancel, finished: make(chan struct{}), log: logging.Or(opts.log),
		voice: voice, recorder: recorder, out: newOutgoing(local.String()),
	}
	s.in.statistics = rtp.Statistics{ClockRate: g711.SampleRate, TelephoneEvent: rtp.TelephoneEvent}
	go s.run(ctx)
	return s, nil
}

// LocalPort is the even UDP port that the stream receives on.
func (s *rtpStream) LocalPort() int { return s.media.LocalAddr().(*net.UDPAddr).Port }

// Played is closed when the last sound of the file to play was sent; never, when there is none. The
// stream sends silence from then on.
func (s *rtpStream) Played() <-chan struct{} { return s.voice.played }

// Start sends to remote from now on, in the law of this payload type (µ-law unless it is A-law's).
func (s *rtpStream) Start(remote netip.AddrPort, payloadType uint8) {
	law, ok := g711.LawOf(payloadType)
	if !ok {
		law = g711.MuLaw
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.target.remote.IsValid() {
		s.reportAt = time.Now().Add(time.Second) // calls may be short
	}
	s.target = target{remote: remote, law: law}
}

// Heard returns when a packet or a report came last; zero: never.
func (s *rtpStream) Heard() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard
}

// Stop ends the stream, completes the recording and returns what was measured, however often it is
// called.
func (s *rtpStream) Stop() Media {
	s.cancel()
	<-s.finished
	m := s.in.measured()
	m.Sent = int(s.out.packets)
	m.Remote = s.target.remote
	m.Local = netip.AddrPortFrom(s.local, uint16(s.LocalPort()))
	return m
}

func (s *rtpStream) run(ctx context.Context) {
	defer close(s.finished)
	var readers sync.WaitGroup
	readers.Go(func() { s.read(s.media, s.received) })
	readers.Go(func() { s.read(s.control, s.heardReport) })

	s.pace(ctx)
	s.report(time.Now(), true)
	if err := errors.Join(s.media.Close(), s.control.Close(), s.recorder.close()); err != nil {
		s.log.Warn("media not closed cleanly", logging.Err, err)
	}
	readers.Wait()
}

// pace sends and plays one frame every 20 ms until ctx ends.
func (s *rtpStream) pace(ctx context.Context) {
	schedule := pacer{next: time.Now().Add(frameTime)}
	timer := time.NewTimer(frameTime)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		now := time.Now()
		send, skip := schedule.due(now)
		s.send(send, skip)
		s.record(send + skip)
		s.report(now, false)
		timer.Reset(time.Until(schedule.next))
	}
}

func (s *rtpStream) send(frames, skip int) {
	s.mu.Lock()
	to := s.target
	s.mu.Unlock()
	s.out.timestamp += uint32(skip * len(s.out.samples))
	for range frames {
		if !to.remote.IsValid() {
			s.out.timestamp += uint32(len(s.out.samples))
			continue
		}
		s.voice.frame(s.out.samples[:])
		if _, err := s.media.WriteToUDPAddrPort(s.out.packet(to.law), to.remote); err != nil {
			s.log.Debug("voice not sent", logging.Peer, to.remote, logging.Err, err)
			continue
		}
		s.out.packets++
		s.out.octets += uint32(len(s.out.samples))
		s.voice.sent()
	}
}

func (s *rtpStream) record(frames int) {
	var frame [frameSamples]int16
	for range frames {
		s.mu.Lock()
		heard := s.in.playout.take(frame[:])
		s.mu.Unlock()
		if !heard {
			return
		}
		if err := s.recorder.write(frame[:]); err != nil {
			s.log.Warn("recording stopped", logging.Err, errors.Join(err, s.recorder.close()))
			s.recorder = nil
		}
	}
}

// report sends an RTCP report to the port after the media's when one is due, or when bye says that it is
// the last.
func (s *rtpStream) report(now time.Time, bye bool) {
	to, blocks, due := s.nextReport(now, bye)
	if !due {
		return
	}
	datagram, err := s.out.report(now, blocks, bye).AppendBinary(nil)
	if err == nil {
		_, err = s.control.WriteToUDPAddrPort(datagram, to)
	}
	if err != nil {
		s.log.Debug("report not sent", logging.Peer, to, logging.Err, err)
	}
}

func (s *rtpStream) nextReport(now time.Time, bye bool) (to netip.AddrPort, blocks []rtp.Block, due bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	remote := s.target.remote
	if !remote.IsValid() || !bye && now.Before(s.reportAt) {
		return to, nil, false
	}
	s.reportAt = now.Add(2*time.Second + rand.N(3*time.Second))
	if s.in.statistics.Packets() > 0 {
		blocks = []rtp.Block{s.in.statistics.Block(now)}
	}
	return netip.AddrPortFrom(remote.Addr(), remote.Port()+1), blocks, true
}

func (s *rtpStream) read(conn tun.PacketConn, handle func(now time.Time, datagram []byte) error) {
	buffer := make([]byte, math.MaxUint16)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			err = handle(time.Now(), buffer[:n])
		}
		if err != nil {
			s.log.Debug("media not understood", logging.Peer, from, logging.Err, err)
		}
	}
}

func (s *rtpStream) received(now time.Time, datagram []byte) error {
	if rtp.IsRTCP(datagram) {
		return s.heardReport(now, datagram)
	}
	p, err := rtp.Parse(datagram)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = now
	s.in.packet(now, p)
	return nil
}

func (s *rtpStream) heardReport(now time.Time, datagram []byte) error {
	r, err := rtp.ParseRTCP(datagram)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = now
	s.in.report(now, r, s.out.ssrc)
	return nil
}

// outgoing is the state of the stream that is sent.
type outgoing struct {
	cname     string
	ssrc      uint32 // set once
	sequence  uint16
	timestamp uint32
	packets   uint32
	octets    uint32
	samples   [frameSamples]int16 // the next frame
	payload   []byte
	datagram  []byte
}

const frameSamples = int(frameTime * g711.SampleRate / time.Second)

func newOutgoing(cname string) outgoing {
	var random [10]byte
	crand.Read(random[:])
	return outgoing{
		cname: cname, ssrc: binary.BigEndian.Uint32(random[:]),
		sequence: binary.BigEndian.Uint16(random[4:]), timestamp: binary.BigEndian.Uint32(random[6:]),
	}
}

// packet is the next datagram: it holds the samples of the frame and is valid until the next call.
func (o *outgoing) packet(law g711.Law) []byte {
	o.payload = law.AppendEncode(o.payload[:0], o.samples[:])
	p := rtp.Packet{
		Marker: o.packets == 0, PayloadType: uint8(law),
		Sequence: o.sequence, Timestamp: o.timestamp, SSRC: o.ssrc, Payload: o.payload,
	}
	o.sequence++
	o.timestamp += uint32(len(o.samples))
	datagram, err := p.AppendBinary(o.datagram[:0])
	if err != nil {
		panic(err) // nothing in it comes from outside
	}
	o.datagram = datagram
	return datagram
}

func (o *outgoing) report(now time.Time, blocks []rtp.Block, bye bool) rtp.Report {
	r := rtp.Report{SSRC: o.ssrc, CNAME: o.cname, Blocks: blocks, Bye: bye}
	if o.packets > 0 {
		r.Sender = &rtp.SenderInfo{NTP: rtp.NTPTime(now), RTPTime: o.timestamp, Packets: o.packets, Octets: o.octets}
	}
	return r
}

// incoming is the state of the stream that is received.
type incoming struct {
	statistics rtp.Statistics
	playout    playout
	roundTrip  time.Duration // last measured; 0: not yet
	reports    int           // that came
	heard      int           // of them, those about what we send
	told       int           // packets that the other side says it has sent
	scratch    []int16
}

func (in *incoming) packet(now time.Time, p rtp.Packet) {
	verdict := in.statistics.Received(now, p)
	law, isVoice := g711.LawOf(p.PayloadType)
	if verdict == rtp.Stray || verdict == rtp.Duplicate || !isVoice {
		return
	}
	if verdict == rtp.Restarted {
		in.playout.restart(p.Timestamp)
	}
	in.scratch = law.AppendDecode(in.scratch[:0], p.Payload)
	in.playout.put(p.Timestamp, in.scratch)
}

func (in *incoming) report(now time.Time, r rtp.Report, own uint32) {
	if r.Sender != nil && r.SSRC == in.statistics.SSRC() {
		in.statistics.HeardSender(now, *r.Sender)
	}
	in.reports++
	if r.Sender != nil {
		in.told = int(r.Sender.Packets)
	}
	for _, block := range r.Blocks {
		if block.SSRC != own {
			continue
		}
		in.heard++
		if trip, ok := block.RoundTrip(now); ok {
			in.roundTrip = trip
		}
	}
}

// measured sums up what was received. The score is that of a desk phone in this place, which conceals
// lost packets; without a packet there is none.
func (in *incoming) measured() Media {
	m := Media{
		Received: in.statistics.Packets(), Lost: in.statistics.Lost(),
		JitterMS: float64(in.statistics.Jitter()) / float64(time.Millisecond),
		Reports:  in.reports, Heard: in.heard, Told: in.told,
	}
	if expected := in.statistics.Expected(); expected > 0 {
		model := rtp.EModel{
			Codec: rtp.G711Concealed,
			Loss:  min(1, float64(m.Lost+in.playout.dropped)/float64(expected)),
			Delay: rtp.MouthToEar(in.roundTrip, frameTime, in.playout.depth, rtp.G711Concealed),
		}
		m.MOS = math.Round(100*model.MOS()) / 100
	}
	return m
}

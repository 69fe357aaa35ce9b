package phone

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/internal/tone"
	"github.com/longcord/longcord/tun"
	"github.com/longcord/longcord/wire/g711"
	"github.com/longcord/longcord/wire/rtp"
	"github.com/longcord/longcord/wire/wav"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// speaker is one end of a call in a test.
type speaker struct {
	*rtpStream
	recording string
}

func newSpeaker(t *testing.T, says tone.Tone, length time.Duration) speaker {
	t.Helper()
	dir := t.TempDir()
	play, record := filepath.Join(dir, "play.wav"), filepath.Join(dir, "record.wav")
	if err := os.WriteFile(play, wav.AppendBinary(nil, tone.Generate(says, length)), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := newMediaStream(t.Context(), network{}, loopback, mediaOptions{play: play, record: record})
	if err != nil {
		t.Fatal(err)
	}
	return speaker{rtpStream: s, recording: record}
}

func (s speaker) address() netip.AddrPort {
	return netip.AddrPortFrom(loopback, uint16(s.LocalPort()))
}

// mustHave wants one tone and no other in more than half of what was recorded: a busy machine is late with some
// packets, and silence stands for those.
func (s speaker) mustHave(t *testing.T, want tone.Tone) {
	t.Helper()
	file, err := os.ReadFile(s.recording)
	if err != nil {
		t.Fatal(err)
	}
	samples, err := wav.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	got, heard, ok := tone.Identify(samples, tone.Home, tone.Desk)
	if !ok || got != want || heard < 0.5 {
		t.Errorf("recorded %d samples with tone %q for %.2f of them, want %q for half at least", len(samples), got.Name, heard, want.Name)
	}
}

// await ends the test when nothing comes for far longer than it can take.
func await(t *testing.T, event <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-event:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s did not happen", what)
	}
}

func TestTwoStreamsHearEachOther(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	home, desk := newSpeaker(t, tone.Home, time.Second), newSpeaker(t, tone.Desk, time.Second)
	home.Start(desk.address(), rtp.PCMU)
	desk.Start(home.address(), rtp.PCMA)
	await(t, home.Played(), "the end of the home phone's file")
	await(t, desk.Played(), "the end of the desk phone's file")
	atHome := home.Stop()
	atDesk := desk.Stop()

	for name, m := range map[string]Media{"home": atHome, "desk": atDesk} {
		if m.Sent < 50 || m.Received < 48 || m.Lost != 0 || m.MOS < 4.3 || m.MOS > 4.5 {
			t.Errorf("%s measured %+v, want some 50 packets each way, none lost, MOS 4.4", name, m)
		}
	}
	home.mustHave(t, tone.Desk)
	desk.mustHave(t, tone.Home)
	if again := home.Stop(); again != atHome {
		t.Errorf("a second Stop measured %+v, want %+v", again, atHome)
	}
}

// A relay loses every tenth packet and swaps every fourth with its successor.
func TestStreamThroughABadNetwork(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	home, desk := newSpeaker(t, tone.Home, 2*time.Second), newSpeaker(t, tone.Desk, 2*time.Second)
	var held []byte
	relay, stop := newRelay(t, desk.address(), func(n int, packet []byte) (out [][]byte) {
		switch {
		case n%10 == 9:
		case n%4 == 1:
			held = bytes.Clone(packet)
		default:
			out = append(out, packet)
		}
		if n%4 != 1 && held != nil {
			out, held = append(out, held), nil
		}
		return out
	})
	defer stop()
	home.Start(relay, rtp.PCMU)
	desk.Start(home.address(), rtp.PCMU)
	await(t, home.Played(), "the end of the file")
	sent := home.Stop()
	got := desk.Stop()

	if got.Lost < 8 || got.Lost > 11 || got.Received+got.Lost > sent.Sent || got.Received+got.Lost < sent.Sent-4 {
		t.Errorf("of %d packets sent: %+v, want every tenth lost", sent.Sent, got)
	}
	if overtaken, late := desk.in.statistics.Reordered(), desk.in.playout.dropped; overtaken < 15 || late > int(overtaken)/4 {
		t.Errorf("%d overtaken, %d too late, want a quarter overtaken and nearly all of them in time", overtaken, late)
	}
	if got.MOS < 2.8 || got.MOS > 3.5 {
		t.Errorf("MOS %.2f with a tenth lost, want about 3.1", got.MOS)
	}
	desk.mustHave(t, tone.Home)
}

// newRelay passes datagrams on to an address after mangle had its way with them.
func newRelay(t *testing.T, to netip.AddrPort, mangle func(n int, packet []byte) [][]byte) (at netip.AddrPort, stop func()) {
	t.Helper()
	media, control, err := openPorts(t.Context(), network{}, loopback)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 2048)
		for n := 0; ; n++ {
			size, _, err := media.ReadFromUDPAddrPort(buffer)
			if err != nil {
				return
			}
			for _, packet := range mangle(n, buffer[:size]) {
				if _, err := media.WriteToUDPAddrPort(packet, to); err != nil {
					return
				}
			}
		}
	}()
	return media.LocalAddr().(*net.UDPAddr).AddrPort(), func() {
		media.Close()
		control.Close()
		<-done
	}
}

// farEnd is a bare pair of sockets that a test speaks through.
type farEnd struct {
	media, control tun.PacketConn
}

func newFarEnd(t *testing.T) farEnd {
	t.Helper()
	media, control, err := openPorts(t.Context(), network{}, loopback)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { media.Close(); control.Close() })
	deadline := time.Now().Add(20 * time.Second)
	media.SetDeadline(deadline)
	control.SetDeadline(deadline)
	return farEnd{media: media, control: control}
}

func (f farEnd) address() netip.AddrPort {
	return f.media.LocalAddr().(*net.UDPAddr).AddrPort()
}

func (f farEnd) next(t *testing.T) rtp.Packet {
	t.Helper()
	buffer := make([]byte, 2048)
	n, _, err := f.media.ReadFrom(buffer)
	if err != nil {
		t.Fatal(err)
	}
	p, err := rtp.Parse(buffer[:n])
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (f farEnd) nextReport(t *testing.T) rtp.Report {
	t.Helper()
	buffer := make([]byte, 2048)
	n, _, err := f.control.ReadFrom(buffer)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rtp.ParseRTCP(buffer[:n])
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestStreamSendsSilenceOnTheWire(t *testing.T) {
	t.Parallel()
	far := newFarEnd(t)
	s, err := newMediaStream(t.Context(), network{}, loopback, mediaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	s.Start(far.address(), rtp.PCMA)
	first, second := far.next(t), far.next(t)
	silence := bytes.Repeat([]byte{g711.ALaw.Silence()}, 160)
	if !first.Marker || first.PayloadType != rtp.PCMA || !bytes.Equal(first.Payload, silence) {
		t.Errorf("first packet is %v with %x, want a marker and 20 ms of A-law silence", first, first.Payload)
	}
	if second.Marker || second.Sequence != first.Sequence+1 || second.Timestamp != first.Timestamp+160 || second.SSRC != first.SSRC {
		t.Errorf("%v follows %v, want the next one", second, first)
	}
	select {
	case <-s.Played():
		t.Error("the end of a file was told, and there is none")
	default:
	}
}

// The far end hears the stream's report, answers at once, and the stream knows the round trip; at the end
// it hears a goodbye.
func TestStreamReports(t *testing.T) {
	t.Parallel()
	far := newFarEnd(t)
	s, err := newMediaStream(t.Context(), network{}, loopback, mediaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	own := netip.AddrPortFrom(loopback, uint16(s.LocalPort()))
	s.Start(far.address(), rtp.PCMU)
	counted := rtp.Statistics{ClockRate: 8000}
	counted.Received(time.Now(), far.next(t))

	r := far.nextReport(t)
	if r.Sender == nil || r.Sender.Packets < 20 || r.Sender.Octets != 160*r.Sender.Packets || r.CNAME != "127.0.0.1" {
		t.Errorf("first report is %v of %q, want a sender's after about 50 packets", r, r.CNAME)
	}
	now := time.Now()
	counted.HeardSender(now, *r.Sender)
	block := counted.Block(now)
	block.LastReport -= 65536 / 20 // a report from 50 ms ago: what a longer way would make of it
	answer, err := rtp.Report{SSRC: 99, CNAME: "far", Sender: &rtp.SenderInfo{Packets: 77}, Blocks: []rtp.Block{block}}.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	// On the media's own port, as some phones do.
	if _, err := far.media.WriteToUDPAddrPort(answer, own); err != nil {
		t.Fatal(err)
	}
	for !s.roundTripKnown() {
		far.next(t)
	}
	measured := s.Stop()
	if measured.Told != 77 || measured.Heard != 1 || measured.Remote != far.address() || measured.Local != own {
		t.Errorf("measured %+v, want 77 packets told of, heard once, between %s and %s", measured, own, far.address())
	}
	if trip := s.in.roundTrip; trip < 50*time.Millisecond || trip > 10*time.Second {
		t.Errorf("round trip is %v, want a little over 50ms", trip)
	}
	for !far.nextReport(t).Bye {
	}
}

func (s *rtpStream) roundTripKnown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.in.roundTrip > 0
}

// Media that arrives before the answer is not lost.
func TestStreamKeepsWhatComesBeforeStart(t *testing.T) {
	t.Parallel()
	far := newFarEnd(t)
	s, err := newMediaStream(t.Context(), network{}, loopback, mediaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	own := netip.AddrPortFrom(loopback, uint16(s.LocalPort()))
	for i := range uint16(3) {
		datagram, err := rtp.Packet{Sequence: i, Timestamp: 160 * uint32(i), SSRC: 5, Payload: make([]byte, 160)}.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := far.media.WriteToUDPAddrPort(datagram, own); err != nil {
			t.Fatal(err)
		}
	}
	s.Start(far.address(), rtp.PCMU)
	for range 5 {
		far.next(t)
	}
	if m := s.Stop(); m.Received != 3 || m.Lost != 0 || m.Sent < 5 {
		t.Errorf("measured %+v, want 3 received", m)
	}
}

func TestStreamWithoutMediaHasNoScore(t *testing.T) {
	t.Parallel()
	s, err := newMediaStream(t.Context(), network{}, loopback, mediaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	own := netip.AddrPortFrom(loopback, uint16(s.LocalPort()))
	if got := s.Stop(); got != (Media{Local: own}) {
		t.Errorf("measured %+v, want nothing", got)
	}
}

func TestStreamEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s, err := newMediaStream(ctx, network{}, loopback, mediaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	await(t, s.finished, "the end of the stream")
}

func TestStreamRefusesWhatItCannotOpen(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]mediaOptions{
		"no such sound":  {play: "/nonexistent.wav"},
		"not a sound":    {play: "media_test.go"},
		"no such folder": {record: "/nonexistent/call.wav"},
	} {
		if s, err := newMediaStream(t.Context(), network{}, loopback, opts); err == nil {
			s.Stop()
			t.Errorf("%s: opened, want it refused", name)
		}
	}
	if s, err := newMediaStream(t.Context(), network{}, netip.MustParseAddr("192.0.2.1"), mediaOptions{}); err == nil {
		s.Stop()
		t.Error("an address that is not ours: opened, want it refused")
	}
}

func TestSoundFilesAreCheckedFirst(t *testing.T) {
	t.Parallel()
	config := Config{
		Name: "SEP001122334455", StateDir: t.TempDir(), Servers: []string{"192.0.2.1"},
		OpenTUN: func(tun.Settings) (tun.Device, error) { return nil, nil },
		Record:  filepath.Join(t.TempDir(), "call.wav"),
	}
	if _, err := New(config); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"no such sound":  func(c *Config) { c.Play = "/nonexistent.wav" },
		"not a sound":    func(c *Config) { c.Play = "media_test.go" },
		"no such folder": func(c *Config) { c.Record = "/nonexistent/call.wav" },
		"not a folder":   func(c *Config) { c.Record = "media_test.go/call.wav" },
	} {
		c := config
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: accepted, want it refused", name)
		}
	}
}

func TestPortsAreAPairMarkedForVoice(t *testing.T) {
	t.Parallel()
	far := newFarEnd(t)
	port := int(far.address().Port())
	if next := far.control.LocalAddr().(*net.UDPAddr).Port; port%2 != 0 || port < firstMediaPort || port > lastMediaPort || next != port+1 {
		t.Errorf("ports %d and %d, want an even one from %d to %d and the next", port, next, firstMediaPort, lastMediaPort)
	}
	for _, conn := range []tun.PacketConn{far.media, far.control} {
		raw, err := conn.(*net.UDPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		raw.Control(func(fd uintptr) {
			if got, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TOS); err != nil || got != 0xb8 {
				t.Errorf("traffic class is %#x, %v, want 0xb8", got, err)
			}
		})
	}
}

func TestRecordingSurvivesWithoutStop(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "call.wav")
	r, err := openRecorder(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if err := r.write([]int16{1, 2}); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := wav.Parse(file); err != nil || !slices.Equal(got, []int16{1, 2}) {
		t.Errorf("got %v, %v, want [1 2]", got, err)
	}
}

package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/gopacket/gopacket/pcapgo"

	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/wire/cstp"
)

func allowingCapture(_ *world, c *Config) { c.AllowCapture = true }

// look runs a capture of the only session and returns what it writes.
func (w *world) look(ctx context.Context) (read *io.PipeReader, ended chan error) {
	w.t.Helper()
	run, err := w.g.Capture(w.only().record.ID, "root")
	if err != nil {
		w.t.Fatal(err)
	}
	read, write := io.Pipe()
	ended = make(chan error, 1)
	go func() {
		err := run(ctx, write)
		ended <- err
		write.CloseWithError(io.EOF)
	}()
	return read, ended
}

func TestCapture(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"), allowingCapture)
	c := w.tunnel(phoneURL, "anna")
	read, ended := w.look(t.Context())
	pcap, err := pcapgo.NewNgReader(read, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.only().info().Captured; got != "root" {
		t.Errorf("captured by %q", got)
	}
	if _, err := w.g.Capture(1, "somebody else"); !errors.Is(err, ErrCaptured) {
		t.Errorf("a second look: %v", err)
	}
	expect := func(what string, packet []byte, direction pcapgo.NgEpbFlag, comments ...string) {
		t.Helper()
		got, _, options, err := pcap.ReadPacketDataWithOptions()
		if err != nil || !bytes.Equal(got, packet) || options.Flags == nil || options.Flags.Direction != direction {
			t.Errorf("%s: % x %+v %v", what, got, options, err)
		}
		if len(options.Comments) != len(comments) || len(comments) > 0 && options.Comments[0] != comments[0] {
			t.Errorf("%s: comments %q want %q", what, options.Comments, comments)
		}
	}
	up, down := toFiles("10.99.0.2"), packet(files, "10.99.0.2", protoUDP, 4000, 172)
	forged := toFiles("10.99.0.3")
	c.sendFrame(cstp.Data, up)
	expect("up by tls", up, pcapgo.NgEpbFlagDirectionInbound, "channel: tls")
	c.sendFrame(cstp.Data, up)
	expect("up once more", up, pcapgo.NgEpbFlagDirectionInbound)
	c.sendFrame(cstp.Data, forged)
	expect("forged", forged, pcapgo.NgEpbFlagDirectionInbound, "refused by filter or anti-spoofing")
	d := c.dtls(w.socket())
	d.send(cstp.Data, up)
	expect("up by dtls", up, pcapgo.NgEpbFlagDirectionInbound, "channel: dtls")
	w.fromHost(down)
	expect("down", down, pcapgo.NgEpbFlagDirectionOutbound, "channel: dtls")

	go w.g.Logoff(t.Context(), MustLogIn, func(SessionInfo) bool { return true })
	if _, _, _, err := pcap.ReadPacketDataWithOptions(); !errors.Is(err, io.EOF) {
		t.Errorf("after the session: %v", err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if link, err := pcap.Interface(0); err != nil || link.Statistics.PacketsReceived != 5 || link.Statistics.PacketsDropped != 0 || link.Name != "session 1" {
		t.Errorf("at last: %+v, %v", link, err)
	}
	if !w.log.Has("capture of inner packets begins") || !w.log.Has("capture of inner packets ends") {
		t.Error("the log does not tell of it")
	}
}

// TestCaptureNobodyReads: a reader that stands still costs the session nothing but packets in the capture.
func TestCaptureNobodyReads(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"), allowingCapture)
	c := w.tunnel(phoneURL, "anna")
	ctx, cancel := context.WithCancel(t.Context())
	read, ended := w.look(ctx)
	up := toFiles("10.99.0.2")
	const packets = 2 * capturedPackets
	for range packets {
		c.sendFrame(cstp.Data, up)
		if got := w.toHost(); got != string(up) {
			t.Fatalf("the host gets % x", got)
		}
	}
	s := w.only()
	if got := s.capture.Load(); got.seen.Load() != packets || got.missed.Load() < packets-capturedPackets-1 {
		t.Errorf("seen %d missed %d of %d", got.seen.Load(), got.missed.Load(), packets)
	}
	cancel()
	_, _ = io.Copy(io.Discard, read)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if s.capture.Load() != nil {
		t.Error("the capture has not ended")
	}
}

func TestCaptureIsRefused(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	w.tunnel(phoneURL, "anna")
	if _, err := w.g.Capture(1, "root"); !errors.Is(err, ErrCaptureOff) {
		t.Errorf("where it is off: %v", err)
	}
	w = open(t, withUsers("anna"), allowingCapture)
	if _, err := w.g.Capture(1, "root"); !errors.Is(err, ErrNoSession) {
		t.Errorf("without a session: %v", err)
	}
	w.tunnel(phoneURL, "anna")
	read, ended := w.look(t.Context())
	read.Close() // whoever looked is gone
	if err := <-ended; err == nil {
		t.Error("nobody reads, and nobody is told")
	}
	read, ended = w.look(t.Context())
	w.stop()
	_, _ = io.Copy(io.Discard, read)
	if err := <-ended; err != nil {
		t.Errorf("when the gateway ends: %v", err)
	}
}

// TestCaptureAllocates nothing where packets pass.
func TestCaptureAllocatesNothing(t *testing.T) {
	w := open(t, withUsers("anna"), allowingCapture)
	w.tunnel(phoneURL, "anna")
	s := w.only()
	if _, err := s.beginCapture("root"); err != nil {
		t.Fatal(err)
	}
	c, packet, now := s.capture.Load(), make([]byte, maxPacket), time.Now()
	if n := testing.AllocsPerRun(1000, func() {
		c.see(now, true, false, tunnel.DTLS, packet)
		c.free <- <-c.full
	}); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

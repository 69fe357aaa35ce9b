package phone

import (
	"context"
	"time"

	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/wire/cstp"
)

// probe is a question whether packets of a size get through the DTLS channel, and back: a request for a sign of life
// with filler, which gateways answer in the same length (docs/wire/cstp.md#mtu).
type probe struct {
	size     int // bytes of filler, which is as much as an inner packet has
	answered chan struct{}
}

// Time for one answer, and how often a size is tried: a line may lose one.
const (
	probeWait  = time.Second
	probeTries = 3
)

// passes reports whether an inner packet of this size gets through the DTLS channel in both directions. One probe may
// be under way at a time.
func (t *tunnelRun) passes(ctx context.Context, size int) bool {
	p := &probe{size: size, answered: make(chan struct{})}
	filler := make([]byte, size)
	defer t.post(func(time.Time) { t.probe = nil })
	for range probeTries {
		t.post(func(time.Time) {
			t.probe = p
			if d := t.dtls.Load(); d != nil {
				_ = d.control(cstp.DPDRequest, filler) // what cannot be sent does not pass
			}
		})
		timer := time.NewTimer(probeWait)
		select {
		case <-p.answered:
			timer.Stop()
			return true
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return false
		}
	}
	return false
}

// probed looks whether a control frame is the answer to a probe. The loop calls it.
func (t *tunnelRun) probed(c tunnel.Channel, kind cstp.Type, payload []byte) {
	if p := t.probe; p != nil && c == tunnel.DTLS && kind == cstp.DPDResponse && len(payload) == p.size {
		t.probe = nil
		close(p.answered)
	}
}

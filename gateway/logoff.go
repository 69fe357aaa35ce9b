package gateway

import (
	"context"
	"time"

	"github.com/longcord/longcord/stage/tunnel"
)

// LogoffKind says what becomes of a session that is logged off.
type LogoffKind int

// The kinds.
const (
	// MustLogIn: the session is over and its cookie no good. A phone is not told, since it would take that
	// for a fault and stay down: it comes back, is refused, and logs in.
	MustLogIn LogoffKind = iota
	// MayReturn: its channels close without a word, as when a line breaks. Cookie and address stay.
	MayReturn
	// StayAway: the session is over and the client is told so, phones too.
	StayAway
)

// Logoff logs off the sessions that match says, at once. It returns how many there were.
func (g *Gateway) Logoff(ctx context.Context, kind LogoffKind, match func(SessionInfo) bool) int {
	ended := 0
	for _, s := range g.sessions.all() {
		if ctx.Err() == nil && match(s.info()) {
			s.logoff(kind)
			ended++
		}
	}
	return ended
}

func (s *session) logoff(kind LogoffKind) {
	switch kind {
	case MayReturn:
		s.letGo()
	case StayAway:
		s.finish(tunnel.Administrator, true)
	default:
		s.end(tunnel.Administrator)
	}
}

// letGo closes the session's channels as a line that breaks would.
func (s *session) letGo() {
	s.g.handshakes.forget(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range []tunnel.Channel{tunnel.DTLS, tunnel.CSTP} {
		if up := c == tunnel.DTLS && s.dtls.Load() != nil || c == tunnel.CSTP && s.cstp.Load() != nil; up {
			s.machine.ChannelDown(time.Now(), c)
			s.rearm()
			s.closeChannel(c)
			s.channelDown(c, transportClosing, nil)
		}
	}
	s.log.Info("channels closed; the client may return")
}

// end ends the session for good, and returns when its cookie is no more. Clients that are no phones hear
// of it.
func (s *session) end(cause tunnel.Cause) { s.finish(cause, !s.phones) }

func (s *session) finish(cause tunnel.Cause, tell bool) {
	_, _ = s.act(func(now time.Time) ([]tunnel.Action, error) {
		return s.machine.End(now, cause, tell), nil
	})
	s.g.sessions.remove(s)
}

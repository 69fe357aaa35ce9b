package tunnel

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/longcord/longcord/wire/cstp"
)

// ErrEnded is returned for whatever happens after End.
var ErrEnded = errors.New("tunnel: session has ended")

// SessionState says where a gateway's session stands.
//
//	            ChannelUp
//	Disconnected ───────────────▶ Connected ──┐
//	     ▲   │                     │  ▲   │   │ ChannelUp, ChannelDown
//	     │   │                     │  └───┼───┘ of one of two channels
//	     └───┼─────────────────────┘      │
//	         │  last channel down or dead, │
//	         │  goodbye for a while        │
//	         ▼                             ▼
//	       Ended ◀─────────────────────────┘
//	  disconnected timeout;   goodbye for good, idle or session timeout, End
//
// Inside Connected the DTLS channel is off, carrying data, or up but silent; then data takes CSTP until
// something is heard on DTLS again.
type SessionState int

// The states.
const (
	Disconnected SessionState = iota // logged in, no channel
	Connected                        // at least one channel
	Ended                            // for good
)

// String returns the state's word.
func (s SessionState) String() string {
	switch s {
	case Disconnected:
		return "disconnected"
	case Connected:
		return "connected"
	case Ended:
		return "ended"
	}
	return fmt.Sprintf("state %d", int(s))
}

// SessionConfig is what a gateway's session is made with.
type SessionConfig struct {
	Timers
	Login time.Time // when the session's time began; zero: when it is made
	Tell  bool      // send Terminate when a timeout ends the session. Phones are not told: they take it as a fault
}

// Session is the gateway's half of a session, from login to end. It survives its channels.
type Session struct {
	path
	state    SessionState
	tell     bool
	dpd      [channels]dpd
	idle     idle
	lifetime lifetime
	absence  absence
	fallback fallback
}

// NewSession returns a session without a channel.
func NewSession(config SessionConfig, now time.Time) *Session {
	s := &Session{
		tell:     config.Tell,
		idle:     idle{config.IdleTimeout},
		lifetime: lifetime{begin: config.Login, timeout: config.SessionTimeout},
		absence:  absence{timeout: config.disconnectedTimeout(), since: now},
	}
	s.path.origin = now
	if config.Login.IsZero() {
		s.lifetime.begin = now
	}
	for c := range s.dpd {
		s.dpd[c] = dpd{interval: config.DPD, patience: gatewayPatience}
	}
	return s
}

// Retime gives the session other times from now on: those of a policy that changed since its login.
func (s *Session) Retime(t Timers) {
	s.idle.timeout, s.lifetime.timeout, s.absence.timeout = t.IdleTimeout, t.SessionTimeout, t.disconnectedTimeout()
	for c := range s.dpd {
		s.dpd[c].interval = t.DPD
	}
}

// State returns where the session stands.
func (s *Session) State() SessionState { return s.state }

// Heard notes that a packet came on a channel; data for the client takes that channel from now on, since
// a client that moves knows more about the way than we do. It reports whether it took another before: then
// Wake may have become earlier. Any goroutine may call it.
func (s *Session) Heard(c Channel, now time.Time) (turned bool) {
	s.noteHeard(c, now)
	s.packet.Store(s.since(now))
	if turned = !s.chosen(c); turned {
		s.choose(c, now)
	}
	return turned
}

// ChannelUp says that a CONNECT was answered, or that a DTLS handshake is complete. A new CSTP channel
// replaces both old channels, since it comes with a new DTLS session id.
func (s *Session) ChannelUp(now time.Time, c Channel) ([]Action, error) {
	if s.state == Ended {
		return nil, ErrEnded
	}
	actions := s.close(c)
	if c == CSTP {
		actions = append(actions, s.close(DTLS)...)
	}
	if s.state == Disconnected {
		s.packet.Store(s.since(now))
	}
	s.open(c, now)
	s.state, s.absence.since = Connected, time.Time{}
	return actions, nil
}

// ChannelDown says that a channel is gone, by itself or because the peer closed it.
func (s *Session) ChannelDown(now time.Time, c Channel) {
	s.close(c)
	s.settle(now)
}

// settle notes when the last channel went.
func (s *Session) settle(now time.Time) {
	if s.state == Connected && !s.anyUp() {
		s.state, s.absence.since = Disconnected, now
	}
}

// Received says that a control frame came. Frames that have no place here are an error, which concerns
// the frame only; the owner counts it and goes on.
func (s *Session) Received(now time.Time, c Channel, t cstp.Type, payload []byte) ([]Action, error) {
	if s.state == Ended {
		return nil, ErrEnded
	}
	s.noteHeard(c, now)
	if c == DTLS && s.up[DTLS].Load() && !s.chosen(DTLS) {
		s.choose(DTLS, now)
	}
	switch t {
	case cstp.DPDRequest:
		return []Action{s.send(now, Send{c, cstp.DPDResponse, slices.Clone(payload)})}, nil
	case cstp.DPDResponse, cstp.Keepalive:
		return nil, nil
	case cstp.Disconnect:
		return s.farewell(now, cstp.ParseFarewell(payload)), nil
	}
	return nil, fmt.Errorf("tunnel: %v from a client on %v", t, c)
}

// farewell ends the session if the user left for good, else only its channels.
func (s *Session) farewell(now time.Time, f cstp.Farewell) []Action {
	if f.Reason == cstp.UserDisconnect {
		return s.end(End{UserLogout, f.Text})
	}
	actions := s.closeAll()
	s.settle(now)
	return actions
}

// End ends the session. With tell the client hears of it on CSTP and does not come back, which a phone
// should hear only when it is to stay away; otherwise its next CONNECT is refused.
func (s *Session) End(now time.Time, cause Cause, tell bool) []Action {
	if s.state == Ended {
		return nil
	}
	var actions []Action
	if tell && s.up[CSTP].Load() {
		actions = append(actions, s.send(now, Send{CSTP, cstp.Terminate, nil}))
	}
	return append(actions, s.end(End{Cause: cause})...)
}

func (s *Session) end(last End) []Action {
	s.state = Ended
	return append(s.closeAll(), last)
}

func (s *Session) closeAll() []Action { return append(s.close(DTLS), s.close(CSTP)...) }

// Advance says that time has passed.
func (s *Session) Advance(now time.Time) []Action {
	if s.state == Ended {
		return nil
	}
	if cause := s.expired(now); cause != 0 {
		return s.End(now, cause, s.tell)
	}
	var actions []Action
	for c := CSTP; c < channels; c++ {
		actions = append(actions, s.watch(now, c)...)
	}
	if s.canFallBack() && reached(s.fallback.due(s.lastHeard(DTLS)), now) {
		s.choose(CSTP, now)
	}
	s.settle(now)
	return actions
}

// expired returns why the session's time is up, or zero.
func (s *Session) expired(now time.Time) Cause {
	switch {
	case reached(s.lifetime.due(), now):
		return SessionTimeout
	case reached(s.absence.due(), now):
		return DisconnectedTimeout
	case s.state == Connected && reached(s.idle.due(s.lastPacket()), now):
		return IdleTimeout
	}
	return 0
}

// watch runs dead-peer detection on one channel.
func (s *Session) watch(now time.Time, c Channel) []Action {
	if !s.up[c].Load() {
		return nil
	}
	request, dead := s.dpd[c].advance(now, s.lastHeard(c))
	switch {
	case dead:
		s.up[c].Store(false)
		return []Action{CloseChannel{c, true}}
	case request:
		return []Action{s.send(now, Send{c, cstp.DPDRequest, nil})}
	}
	return nil
}

func (s *Session) canFallBack() bool {
	return s.chosen(DTLS) && s.up[DTLS].Load() && s.up[CSTP].Load()
}

// Wake returns when Advance wants to be called next, or zero for never. Packets may move it later, and
// earlier only when Heard says that data turned to another channel, so it need not be asked after each.
func (s *Session) Wake() time.Time {
	if s.state == Ended {
		return time.Time{}
	}
	wake := earliest(s.lifetime.due(), s.absence.due())
	if s.state == Connected {
		wake = earliest(wake, s.idle.due(s.lastPacket()))
	}
	for c := CSTP; c < channels; c++ {
		if s.up[c].Load() {
			wake = earliest(wake, s.dpd[c].due(s.lastHeard(c)))
		}
	}
	if s.canFallBack() {
		wake = earliest(wake, s.fallback.due(s.lastHeard(DTLS)))
	}
	return wake
}

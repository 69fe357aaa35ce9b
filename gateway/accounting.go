package gateway

import (
	"encoding/base64"
	"strings"

	"github.com/longcord/longcord/login"
	"github.com/longcord/longcord/stage/tunnel"
)

// Accountant is told when sessions begin and end; *login.Accounts is one. It never waits.
type Accountant interface {
	Began(login.Session)
	Ended(login.Session, login.Cause)
}

// Accounts are the living sessions as their accounts tell of them.
func (g *Gateway) Accounts() []login.Session {
	var all []login.Session
	for _, s := range g.sessions.all() {
		if s.innerAddress().IsValid() {
			all = append(all, s.account())
		}
	}
	return all
}

// account is the session as its accounts tell of it. mu is not held.
func (s *session) account() login.Session {
	s.mu.Lock()
	peer := s.peer.Addr()
	s.mu.Unlock()
	n := &s.counters
	return login.Session{
		ID: s.name[:accountID], User: s.record.User, TunnelGroup: s.record.TunnelGroup, Address: s.innerAddress(), Peer: peer,
		Class: classesOf(s.record.Class), Began: s.record.Began, FromBytes: n.fromBytes.Load(), ToBytes: n.toBytes.Load(),
		FromPackets: n.fromPackets.Load(), ToPackets: n.toPackets.Load(),
	}
}

// accountID is how much of a session's name identifies it to accounting servers. The name is a hash of the
// cookie, so it never comes again and gives nothing away.
const accountID = 32

// begins has the session accounted for from its first CONNECT on. settling is held.
func (s *session) begins() {
	if s.accounted || s.g.config.Accounting == nil {
		return
	}
	s.accounted = true
	s.g.config.Accounting.Began(s.account())
}

// ends is the last account of a session. settling is held.
func (s *session) ends() {
	if !s.accounted || s.g.config.Accounting == nil {
		return
	}
	s.mu.Lock()
	cause := s.cause
	s.mu.Unlock()
	s.g.config.Accounting.Ended(s.account(), accountCause(cause))
}

func accountCause(cause tunnel.Cause) login.Cause {
	switch cause {
	case tunnel.UserLogout:
		return login.UserRequest
	case tunnel.IdleTimeout:
		return login.IdleTimeout
	case tunnel.SessionTimeout:
		return login.SessionTimeout
	case tunnel.DisconnectedTimeout:
		return login.LostService
	case tunnel.Administrator:
		return login.AdminReset
	}
	return login.NASError
}

// classesIn and classesOf put what a server wants back with accounts into one text and out of it.
func classesIn(classes [][]byte) string {
	texts := make([]string, len(classes))
	for i, class := range classes {
		texts[i] = base64.StdEncoding.EncodeToString(class)
	}
	return strings.Join(texts, ",")
}

func classesOf(text string) (classes [][]byte) {
	for part := range strings.SplitSeq(text, ",") {
		if class, err := base64.StdEncoding.DecodeString(part); err == nil && len(class) > 0 {
			classes = append(classes, class)
		}
	}
	return classes
}

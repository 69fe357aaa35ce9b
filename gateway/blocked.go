package gateway

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/tunnel"
)

// blockedAfter is how long a session that may use DTLS may do without before somebody should know: a
// client tries its handshake for seconds and begins anew after a minute.
const blockedAfter = time.Minute

// watchDTLS looks after a while whether packets take DTLS, and again while they do not. mu is held.
func (s *session) watchDTLS() {
	s.unwatchDTLS()
	if s.granted.noDTLS == "" {
		s.watch = time.AfterFunc(blockedAfter, s.lookForDTLS)
	}
}

// unwatchDTLS ends that. mu is held.
func (s *session) unwatchDTLS() {
	if s.watch != nil {
		s.watch.Stop()
		s.watch = nil
	}
}

func (s *session) lookForDTLS() {
	defer s.contain()
	i := s.info()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.watch == nil || i.Transport == "": // a CONNECT or a fallback begins to watch again
	case i.Transport == tunnel.DTLS.String():
		s.dtlsWorks()
	default:
		s.watch.Reset(blockedAfter)
		s.dtlsBlocked(i)
	}
}

// dtlsBlocked raises the finding. mu is held.
func (s *session) dtlsBlocked(i SessionInfo) {
	f := finding.DTLSBlocked.With(strconv.Itoa(int(s.g.config.DTLS.Port())))
	f.Subject = s.subject()
	f = f.Because("gateway", 0, fmt.Sprintf("%s at %s: %s", f.Subject, s.peer.Addr(), i.WhyNoDTLS))
	if s.g.config.Findings.Raise(f) {
		s.log.Warn("packets take tls", logging.Finding, f.Code, "says", f.Says, "why", i.WhyNoDTLS)
	}
}

// dtlsWorks takes the finding back. mu is held.
func (s *session) dtlsWorks() {
	s.unwatchDTLS()
	if s.g.config.Findings.Clear(finding.DTLSBlocked, s.subject()) {
		s.log.Info("packets take dtls again")
	}
}

// subject is what findings about one session are about.
func (s *session) subject() string {
	return fmt.Sprintf("%s (session %d)", cmp.Or(s.record.Device, s.record.User), s.record.ID)
}

package provisioner

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/provision"
)

// deniedError is a file that is not for who asks.
type deniedError struct {
	provision.Decision
	user, device string // who asks by his tunnel's login, and which phone's file it is; empty: unknown, or none
}

// Error says why.
func (e *deniedError) Error() string { return "provisioner: not for this asker: " + e.Says }

// find opens the file that a request is for, if it is for who asks.
func (p *Provisioner) find(r request) (*file, error) {
	name, err := provision.Clean(r.name)
	if err != nil {
		return nil, err
	}
	who := provision.Asker{Address: r.peer.Addr().Unmap(), Certified: r.certified}
	if p.holder != nil {
		if holder, ok := p.holder(who.Address); ok {
			who.Session = &holder
		}
	}
	set := p.library.inventory()
	// In a tunnel it is a phone that is known and asks for what is not its own.
	if device := provision.DeviceIn(name); device != "" && set.Devices[device] == nil && who.Session == nil && p.unknown != nil {
		p.unknown(device, r.peer, name)
	}
	decision := p.settings.Access.Decide(set, who, name)
	if !decision.Allowed {
		denial := &deniedError{Decision: decision, device: provision.DeviceIn(name)}
		if who.Session != nil {
			denial.user = who.Session.User
		}
		return nil, denial
	}
	open := p.library.open
	if r.transport == provision.HTTPS {
		open = p.library.openByHTTPS
	}
	f, err := open(name)
	if err == nil {
		f.asker, f.rule = who, decision.Rule
	}
	return f, err
}

// outcome is what a request that got no file is told.
type outcome int

const (
	missing outcome = iota // there is no such file: a phone goes on to the next name
	denied                 // it is not for who asks: a phone keeps the file that it has
	unfit                  // it could not be made
)

// refused notes that a file was not opened, and says what to answer.
func (l *ledger) refused(r request, err error) outcome {
	log := l.attributes(r)
	var denial *deniedError
	switch {
	case errors.As(err, &denial):
		l.count(&l.counts.Denied)
		l.deny(r, denial)
		return denied
	case errors.Is(err, provision.ErrNotFound):
		l.count(&l.counts.Missing)
		log.Debug("file not found", logging.Err, err)
		return missing
	case errors.Is(err, provision.ErrName):
		l.count(&l.counts.Refused)
		log.Debug("file name refused", logging.Err, err)
		return missing
	}
	l.count(&l.counts.Refused)
	log.Error("file cannot be served", logging.Err, err, logging.Finding, finding.ConfigInvalid.Code)
	return unfit
}

// deniedFor is how long it is worth knowing that somebody was denied a file.
const deniedFor = time.Hour

func (l *ledger) deny(r request, d *deniedError) {
	log := l.attributes(r).With("rule", string(d.Rule), "why", d.Says)
	if !l.denials.first(r.peer.Addr(), time.Now()) {
		log.Debug("file denied")
		return
	}
	f := finding.FilesRefused.With(r.peer.Addr().String(), d.Says, cmp.Or(d.user, "USER"), cmp.Or(d.device, "DEVICE")).
		Because("provisioner", 0, fmt.Sprintf("%s asked for %.100q by %s; rule %s", r.peer, r.name, r.transport, d.Rule))
	l.findings.RaiseFor(deniedFor, f)
	log.Warn("file denied", logging.Finding, f.Code)
}

// recently tells the first of many: strangers write neither log nor board full.
type recently struct {
	mu   sync.Mutex
	seen map[netip.Addr]time.Time
}

// Bounds of recently.
const (
	recentTime  = time.Minute
	recentPeers = 1024
)

// first reports whether an address was not seen within the last minute. When too many are seen it says no.
func (s *recently) first(addr netip.Addr, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.seen[addr]; ok && now.Sub(at) < recentTime {
		return false
	}
	if len(s.seen) >= recentPeers {
		for other, at := range s.seen {
			if now.Sub(at) >= recentTime {
				delete(s.seen, other)
			}
		}
	}
	if len(s.seen) >= recentPeers {
		return false
	}
	if s.seen == nil {
		s.seen = map[netip.Addr]time.Time{}
	}
	s.seen[addr] = now
	return true
}

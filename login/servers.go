package login

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
)

const (
	deadTime    = 30 * time.Second // that a server which gave no answer is not asked, as the ASA's timed reactivation
	askAtOnce   = 32               // logins that one server is asked about at a time
	waitForTurn = 2048             // logins that may wait for that: a large office after a power cut

	defaultTimeout = 10 // seconds, the ASA's
)

// errDead: the server gives no answer; ask another.
var errDead = errors.New("login: server gives no answer")

// opinion is what a server says of a login.
type opinion struct {
	verdict  verdict
	reason   string // of a refusal, for the log
	policies []policyName
	lock     string // the one tunnel group that the user may use; empty: any
	result   Result

	prompt string // of a challenge
	state  []byte
	server *server
}

// from is the host of the server that said so; empty: none did.
func (o opinion) from() string {
	if o.server == nil {
		return ""
	}
	return o.server.declared.Host
}

type verdict int

const (
	rejected verdict = iota
	accepted
	challenged
)

// policyName is a group policy as a server calls it.
type policyName struct {
	name  string
	named bool // it can mean nothing else; else it may be a text for another purpose
}

// backend asks one server once. An error is that nothing is known about the user.
type backend interface {
	ask(ctx context.Context, r Request, state []byte) (opinion, error)
}

// servers holds the servers that the inventory declares, with how they are.
type servers struct {
	make     func(*inventory.AAAServer, *inventory.CertificateAuthority) backend
	findings *finding.Board
	log      *slog.Logger

	mu     sync.Mutex
	seen   *inventory.Set // that byName was held to last
	byName map[string]*server
}

func newServers(findings *finding.Board, log *slog.Logger) *servers {
	return &servers{make: backendOf, findings: findings, log: log, byName: map[string]*server{}}
}

// get returns a server by name, nil when the inventory has none. One that was declared anew begins anew.
func (s *servers) get(set *inventory.Set, name string) *server {
	declared := set.AAAServers[name]
	var authority *inventory.CertificateAuthority
	if declared != nil {
		authority = set.CertificateAuthorities[declared.CertificateAuthority]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.byName[name]
	if known != nil && known.declared == declared && known.authority == authority {
		return known
	}
	s.drop(name)
	if declared == nil {
		return nil
	}
	fresh := &server{
		declared: declared, authority: authority, backend: s.make(declared, authority), queue: newQueue(askAtOnce, waitForTurn), findings: s.findings,
		log: s.log.With("server", name),
	}
	if required := declared.MessageAuthenticatorRequired; required != nil && !*required {
		f := finding.AAAServerUnsigned.With(name)
		s.findings.Raise(f)
		fresh.log.Warn("replies are taken without Message-Authenticator", logging.Finding, f.Code, "says", f.Says)
	}
	s.byName[name] = fresh
	return fresh
}

// forget drops the servers that an inventory has no more, with what was wrong with them.
func (s *servers) forget(set *inventory.Set) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == set {
		return
	}
	s.seen = set
	for name := range s.byName {
		if set.AAAServers[name] == nil {
			s.drop(name)
		}
	}
}

// drop forgets a server. mu is held.
func (s *servers) drop(name string) {
	if s.byName[name] == nil {
		return
	}
	delete(s.byName, name)
	s.findings.Clear(finding.AAAServerDead, name)
	s.findings.Clear(finding.AAAServerUnsigned, name)
}

func backendOf(declared *inventory.AAAServer, authority *inventory.CertificateAuthority) backend {
	if declared.Protocol == inventory.LDAP {
		return newDirectory(declared, authority)
	}
	return radiusBackend{radiusServer(declared)}
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// server is one server and how it is. It is asked by a bounded number of logins at a time, so that a slow
// one holds up nobody but those who need it.
type server struct {
	declared  *inventory.AAAServer
	authority *inventory.CertificateAuthority // that a directory's certificate leads to; nil: the system's
	backend   backend
	queue     *queue
	findings  *finding.Board
	log       *slog.Logger

	mu    sync.Mutex
	dead  bool
	until time.Time // when a dead one is tried again
}

// ask asks the server about a login; with a state it is the answer to a challenge of the server's. It
// returns errDead at once while the server is thought dead, but for one login now and then that finds out.
func (s *server) ask(ctx context.Context, r Request, state []byte) (opinion, error) {
	if r.Password.IsZero() { // some servers take that for a question about the name alone
		return opinion{reason: "empty password"}, nil
	}
	if s.isDead(time.Now()) {
		return opinion{}, errDead
	}
	if err := s.queue.enter(ctx, r.Source); err != nil {
		return opinion{}, err
	}
	defer s.queue.leave()
	if !s.begin(time.Now()) { // it died while this login waited for its turn
		return opinion{}, errDead
	}
	o, err := s.backend.ask(ctx, r, state)
	if err != nil && ctx.Err() != nil {
		return opinion{}, ctx.Err() // the login was given up: that says nothing of the server
	}
	s.found(err)
	if err != nil {
		return opinion{}, errDead
	}
	o.server = s
	return o, nil
}

// isDead reports whether the server is not worth asking now.
func (s *server) isDead(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead && now.Before(s.until)
}

// begin reports whether a login may ask now. Of those that come after a dead server's time one finds out
// how it is; meanwhile it stays dead to the others.
func (s *server) begin(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead && now.Before(s.until) {
		return false
	}
	s.until = now.Add(deadTime)
	return true
}

// found notes whether the server answered.
func (s *server) found(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.dead
	s.dead = err != nil
	name := s.declared.Name
	if err == nil {
		if was {
			s.findings.Clear(finding.AAAServerDead, name)
			s.log.Info("server answers again")
		}
		return
	}
	s.until = time.Now().Add(deadTime)
	f := finding.AAAServerDead.With(name, err.Error())
	s.findings.Raise(f)
	s.log.Error("server gives no answer", logging.Finding, f.Code, "says", f.Says, "again_in", deadTime)
}

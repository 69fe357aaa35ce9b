package login

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/login/radius"
)

// ledger is an accounting server that notes what it is told, while it works.
type ledger struct {
	mu    sync.Mutex
	dead  map[string]bool
	lines []string
}

func (l *ledger) deliver(ctx context.Context, s *inventory.AAAServer, a radius.Account) error {
	l.mu.Lock()
	dead := l.dead[s.Name]
	l.mu.Unlock()
	if dead {
		select {
		case <-time.After(10 * time.Second):
			return errors.New("no reply")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	status := map[radius.Status]string{radius.Start: "start", radius.Interim: "interim", radius.Stop: "stop"}[a.Status]
	l.lines = append(l.lines, fmt.Sprintf("%s: %s %s %s %d", s.Name, status, a.Session, time.Since(a.At), a.Cause))
	return nil
}

func (l *ledger) kill(names ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = map[string]bool{}
	for _, name := range names {
		l.dead[name] = true
	}
}

func (l *ledger) want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if strings.Join(l.lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("the ledger says:\n%s\nwant:\n%s", strings.Join(l.lines, "\n"), strings.Join(want, "\n"))
	}
	l.lines = nil
}

type books struct {
	*Accounts
	*ledger
	alive atomic.Pointer[[]Session]
	board *finding.Board
	end   func()
}

// living says which sessions live.
func (b *books) living(sessions ...Session) { b.alive.Store(&sessions) }

// inBooks runs an Accounts whose group "staff" has two servers, and "guests" none.
func inBooks(t *testing.T, run func(t *testing.T, b *books)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		set := inventory.NewSet()
		set.AAAServers["one"] = &inventory.AAAServer{Name: "one", InterimAccountingUpdate: 5}
		set.AAAServers["two"] = &inventory.AAAServer{Name: "two"}
		set.TunnelGroups["staff"] = &inventory.TunnelGroup{Name: "staff", AccountingServerGroup: []string{"one", "two"}}
		set.TunnelGroups["others"] = &inventory.TunnelGroup{Name: "others", AccountingServerGroup: []string{"two"}}
		set.TunnelGroups["guests"] = &inventory.TunnelGroup{Name: "guests"}
		b := &books{ledger: &ledger{}, board: finding.NewBoard()}
		b.living()
		b.Accounts = NewAccounts(Config{Users: func() *inventory.Set { return set }, Findings: b.board, Logger: slog.New(slog.DiscardHandler)},
			func() []Session { return *b.alive.Load() })
		b.Accounts.deliver = b.ledger.deliver
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.Run(ctx) }()
		b.end = sync.OnceFunc(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
		defer b.end()
		run(t, b)
	})
}

func TestAccounts(t *testing.T) {
	inBooks(t, func(t *testing.T, b *books) {
		s := Session{ID: "s1", User: "anna", TunnelGroup: "staff", Began: time.Now()}
		b.Began(s)
		b.Began(Session{ID: "g1", TunnelGroup: "guests"})
		b.Began(Session{ID: "x1", TunnelGroup: "gone"})
		b.want(t, "one: start s1 0s 0")
		b.living(s, Session{ID: "g1", TunnelGroup: "guests"}, Session{ID: "old", TunnelGroup: "staff"})
		time.Sleep(5*time.Minute + time.Second)
		b.want(t, "one: interim s1 0s 0")
		time.Sleep(interimTick)
		b.want(t, "one: interim old 0s 0")
		b.living()
		b.Ended(s, IdleTimeout)
		time.Sleep(time.Hour)
		b.want(t, "one: stop s1 0s 4")
		if len(b.told) != 0 {
			t.Errorf("ended sessions are remembered: %v", b.told)
		}
	})
}

func TestAccountingServerDies(t *testing.T) {
	inBooks(t, func(t *testing.T, b *books) {
		b.kill("one")
		b.Began(Session{ID: "s1", TunnelGroup: "staff"})
		time.Sleep(11 * time.Second)
		b.want(t, "two: start s1 10s 0")
		b.kill("one", "two")
		b.Began(Session{ID: "s2", TunnelGroup: "staff"})
		b.Began(Session{ID: "o1", TunnelGroup: "others"})
		b.Ended(Session{ID: "s2", TunnelGroup: "staff"}, UserRequest)
		time.Sleep(5 * time.Minute)
		b.want(t)
		stand := b.board.Findings()
		if len(stand) != 2 || stand[0].Code != "accounting-stopped" || stand[0].Subject != "one, two" || stand[1].Subject != "two" {
			t.Errorf("findings: %+v", stand)
		}
		b.kill("one")
		time.Sleep(2 * longestPause)
		synctest.Wait()
		b.ledger.mu.Lock()
		got := strings.Join(b.lines, "\n")
		b.lines = nil
		b.ledger.mu.Unlock()
		if i, j := strings.Index(got, "start s2"), strings.Index(got, "stop s2"); i < 0 || j < i || !strings.Contains(got, "start o1") {
			t.Errorf("when a server is back it hears:\n%s", got)
		}
		if len(b.board.Findings()) != 0 {
			t.Errorf("findings: %+v", b.board.Findings())
		}
	})
}

// TestAccountsAreBounded: what waits for dead servers takes no more memory than is set aside, and what can
// be made up for goes first.
func TestAccountsAreBounded(t *testing.T) {
	inBooks(t, func(t *testing.T, b *books) {
		b.kill("one", "two")
		b.Began(Session{ID: "first", TunnelGroup: "staff"})
		synctest.Wait() // somebody waits with it for the server
		for i := range maxReports {
			b.report(radius.Interim, Session{ID: fmt.Sprint("i", i), TunnelGroup: "staff"}, 0)
		}
		for i := range 10 {
			b.Ended(Session{ID: fmt.Sprint("e", i), TunnelGroup: "staff"}, UserRequest)
		}
		for _, q := range b.queues {
			if len(q.waiting) != maxReports || q.lost != 10 || q.waiting[0].Session != "i10" {
				t.Errorf("%d wait, %d lost, the first is %s", len(q.waiting), q.lost, q.waiting[0].Session)
			}
			for range maxReports {
				q.add(radius.Account{Status: radius.Stop, Session: "stop"})
			}
			if len(q.waiting) != maxReports || q.waiting[0].Session == "i10" {
				t.Errorf("%d wait", len(q.waiting))
			}
		}
	})
}

// TestEndWithAccountsWaiting: the end of the gateway waits a moment for servers that work, and not for ever
// for others.
func TestEndWithAccountsWaiting(t *testing.T) {
	inBooks(t, func(t *testing.T, b *books) {
		b.Ended(Session{ID: "s1", TunnelGroup: "staff"}, AdminReset)
		b.end()
		b.want(t, "one: stop s1 0s 6")
	})
}

func TestEndWithDeadServers(t *testing.T) {
	inBooks(t, func(t *testing.T, b *books) {
		b.kill("one", "two")
		b.Ended(Session{ID: "s1", TunnelGroup: "staff"}, AdminReset)
		synctest.Wait()
		began := time.Now()
		b.end()
		if took := time.Since(began); took > lastWords {
			t.Errorf("the end took %v", took)
		}
	})
}

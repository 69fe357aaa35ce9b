package login

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// scene runs attempts against a queue one after the other and notes who comes in.
type scene struct {
	t  *testing.T
	q  *queue
	mu sync.Mutex
	in []string
}

// arrive lets one attempt from source begin and waits until it has come as far as it does.
func (s *scene) arrive(name, source string) (giveUp func()) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		err := s.q.enter(ctx, netip.MustParseAddr(source))
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case err == nil:
			s.in = append(s.in, name)
		case errors.Is(err, ErrBusy):
			s.in = append(s.in, name+":busy")
		case errors.Is(err, context.Canceled):
			s.in = append(s.in, name+":gone")
		}
	}()
	synctest.Wait()
	return func() { cancel(); synctest.Wait() }
}

func (s *scene) leave(times int) {
	for range times {
		s.q.leave()
		synctest.Wait()
	}
}

func (s *scene) want(want string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := strings.Join(s.in, " "); got != want {
		s.t.Errorf("got %s, want %s", got, want)
	}
	s.in = nil
}

func inScene(t *testing.T, inside, places int, run func(*scene)) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{t: t, q: newQueue(inside, places)}
		run(s)
		if s.q.free != inside || s.q.waiting != 0 || len(s.q.lines) != 0 {
			t.Errorf("at the end %d free, %d waiting, %d lines", s.q.free, s.q.waiting, len(s.q.lines))
		}
	})
}

const (
	sourceA = "192.0.2.1"
	sourceB = "192.0.2.2"
)

func TestQueueTakesTurns(t *testing.T) {
	t.Parallel()
	inScene(t, 1, 10, func(s *scene) {
		for i := range 5 {
			s.arrive(fmt.Sprint("a", i), sourceA)
		}
		s.arrive("b0", sourceB)
		s.arrive("b1", sourceB)
		s.leave(7)
		s.want("a0 a1 b0 a2 b1 a3 a4")
	})
}

func TestQueueFull(t *testing.T) {
	t.Parallel()
	inScene(t, 2, 3, func(s *scene) {
		for i := range 6 {
			s.arrive(fmt.Sprint("a", i), sourceA)
		}
		s.want("a0 a1 a5:busy")
		s.arrive("b0", sourceB)
		s.want("a4:busy")
		s.arrive("b1", sourceB) // two wait from a and one from b: no line is longer than b's would be
		s.want("b1:busy")
		s.leave(5)
		s.want("a2 b0 a3")
	})
}

func TestQueueGivingUp(t *testing.T) {
	t.Parallel()
	inScene(t, 1, 3, func(s *scene) {
		s.arrive("a0", sourceA)
		giveUp := s.arrive("a1", sourceA)
		s.arrive("a2", sourceA)
		giveUp()
		s.want("a0 a1:gone")
		s.leave(2)
		s.want("a2")
	})
}

// TestQueueTurnForNobody gives the turn to one who is giving up at that moment.
func TestQueueTurnForNobody(t *testing.T) {
	t.Parallel()
	inScene(t, 1, 3, func(s *scene) {
		s.arrive("a0", sourceA)
		w, err := s.q.join(sourceOf(netip.MustParseAddr(sourceA)))
		if err != nil {
			t.Fatal(err)
		}
		s.arrive("a1", sourceA)
		s.leave(1)
		s.q.quit(w)
		synctest.Wait()
		s.want("a0 a1")
		s.leave(1)
	})
}

func TestSourceOf(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "::ffff:192.0.2.1": "192.0.2.1/32",
		"2001:db8::1": "2001:db8::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := sourceOf(netip.MustParseAddr(addr)); got.String() != want {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
	}
	if got := sourceOf(netip.Addr{}); got != (netip.Prefix{}) {
		t.Errorf("no address: got %s", got)
	}
}

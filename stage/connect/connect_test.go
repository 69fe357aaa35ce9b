package connect_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/longcord/longcord/stage/connect"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// told renders actions and the error, times as seconds since noon.
func told(actions []connect.Action, err error) string {
	s := ""
	for _, action := range actions {
		switch a := action.(type) {
		case connect.Try:
			s += fmt.Sprintf("try %s until %v", a.URL, a.Until.Sub(noon))
		case connect.GiveUp:
			s += "give up"
		}
	}
	if err != nil {
		s += err.Error()
	}
	return s
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func newConnector(t *testing.T, urls ...string) *connect.Connector {
	t.Helper()
	c, err := connect.New(connect.Config{URLs: urls, Limit: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRounds(t *testing.T) {
	t.Parallel()
	c := newConnector(t, "a", "", "b")
	expect(t, "start", told(c.Start(noon)), "try a until 10s")
	now := noon
	for i, wait := range []int{5, 10, 20, 40, 60, 60} {
		expect(t, "first URL failed", told(c.Failed(now, connect.Unusable)), fmt.Sprintf("try b until %v", now.Sub(noon)+10*time.Second))
		expect(t, "last URL failed", told(c.Failed(now, connect.Unusable)), "")
		next := now.Add(time.Duration(wait) * time.Second)
		if c.Wake() != next {
			t.Fatalf("round %d: wakes at %v, want %v", i, c.Wake().Sub(noon), next.Sub(noon))
		}
		expect(t, "too early", told(c.Advance(next.Add(-1)), nil), "")
		now = next
		expect(t, "next round", told(c.Advance(now), nil), fmt.Sprintf("try a until %v", now.Sub(noon)+10*time.Second))
	}
	if !c.Wake().IsZero() {
		t.Error("wakes while trying: the limit of a try is in the action")
	}
}

func TestLostSession(t *testing.T) {
	t.Parallel()
	c := newConnector(t, "a", "b", "c")
	c.Start(noon)
	expect(t, "a failed", told(c.Failed(noon, connect.Unusable)), "try b until 10s")
	expect(t, "b connected", told(nil, c.Connected()), "")
	later := noon.Add(time.Hour)
	expect(t, "lost", told(c.Lost(later)), "try b until 1h0m10s")
	expect(t, "b failed", told(c.Failed(later, connect.Unusable)), "try c until 1h0m10s")
	expect(t, "c failed", told(c.Failed(later, connect.Unusable)), "try a until 1h0m10s")
	expect(t, "all failed", told(c.Failed(later, connect.Unusable)), "")
	expect(t, "again from the first", told(c.Advance(c.Wake()), nil), "try a until 1h0m15s")
	expect(t, "connected", told(nil, c.Connected()), "")
	expect(t, "lost again", told(c.Lost(later)), "try a until 1h0m10s")
	c.Failed(later, connect.Unusable)
	c.Failed(later, connect.Unusable)
	c.Failed(later, connect.Unusable)
	expect(t, "waits begin anew", c.Wake().Sub(later).String(), "5s")
}

func TestDenied(t *testing.T) {
	t.Parallel()
	c := newConnector(t, "a", "b")
	c.Start(noon)
	expect(t, "denied", told(c.Failed(noon, connect.Denied)), "give up")
	expect(t, "started again", told(c.Start(noon)), "try a until 10s")
}

func TestIllegal(t *testing.T) {
	t.Parallel()
	c := newConnector(t, "a")
	expect(t, "failed", told(c.Failed(noon, connect.Unusable)), "connect: failed in state idle")
	expect(t, "connected", told(nil, c.Connected()), "connect: connected in state idle")
	expect(t, "lost", told(c.Lost(noon)), "connect: lost in state idle")
	c.Start(noon)
	expect(t, "start", told(c.Start(noon)), "connect: start in state trying")
}

func TestConfig(t *testing.T) {
	t.Parallel()
	if _, err := connect.New(connect.Config{URLs: []string{""}}); err == nil {
		t.Error("no URL is taken")
	}
	c, err := connect.New(connect.Config{URLs: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "default limit", told(c.Start(noon)), "try a until 30s")
}

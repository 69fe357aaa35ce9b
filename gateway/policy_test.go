package gateway

import (
	"testing"
	"time"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/tunnel"
)

// TestDefaultTimers: who says nothing gets the ASA's times; a phone that nobody calls stays on.
func TestDefaultTimers(t *testing.T) {
	t.Parallel()
	set := declared()
	want := tunnel.Timers{
		DPD: 30 * time.Second, DPDClient: 30 * time.Second, Keepalive: 20 * time.Second, IdleTimeout: 30 * time.Minute,
	}
	if got := (sessionRecord{}).timers(set, set.TunnelGroups["staff"]); got != want {
		t.Errorf("staff: %+v want %+v", got, want)
	}
	want.IdleTimeout = 0
	if got := (sessionRecord{}).timers(set, set.TunnelGroups["phones"]); got != want {
		t.Errorf("phones: %+v want %+v", got, want)
	}
}

// TestTimersOfALogin: what the server of users says of one login goes before the policy it named.
func TestTimersOfALogin(t *testing.T) {
	t.Parallel()
	set := declared()
	set.GroupPolicies["short"] = &inventory.GroupPolicy{
		Name: "short", IdleTimeout: new(60), SessionTimeout: new(3600), DPDClient: new(500), DPDGateway: new(0), KeepAlive: new(0), DisconnectedTimeout: 90,
	}
	group := set.TunnelGroups["phones"]
	want := tunnel.Timers{
		DPDClient: 500 * time.Second, IdleTimeout: time.Minute, SessionTimeout: time.Hour, DisconnectedTimeout: 90 * time.Second,
	}
	if got := (sessionRecord{GroupPolicy: "short"}).timers(set, group); got != want {
		t.Errorf("got %+v want %+v", got, want)
	}
	want.IdleTimeout, want.SessionTimeout = 5*time.Second, 7*time.Second
	login := sessionRecord{GroupPolicy: "short", IdleTimeout: 5 * time.Second, SessionTimeout: 7 * time.Second}
	if got := login.timers(set, group); got != want {
		t.Errorf("with times of its own: got %+v want %+v", got, want)
	}
}

// TestOldPhonesNeedAFence: a policy without filter, whoever named it, does not let old phones out.
func TestOldPhonesNeedAFence(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.set.GroupPolicies["open"] = &inventory.GroupPolicy{Name: "open"}
	s := b.login("1", "anna", "SEP1", "phone")
	if _, f, err := s.policyOf(b.set, b.set.TunnelGroups["phones"]); err != nil || f == nil {
		t.Errorf("with the fence: %v, %v", f, err)
	}
	s.record.GroupPolicy = "open"
	if _, _, err := s.policyOf(b.set, b.set.TunnelGroups["phones"]); err == nil {
		t.Error("old phones get a policy without filter")
	}
	if _, f, err := s.policyOf(b.set, b.set.TunnelGroups["staff"]); err != nil || f != nil {
		t.Errorf("staff: %v, %v", f, err)
	}
}

func TestNoLoginsAllowed(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.set.GroupPolicies["phones"].SimultaneousLogins = new(0)
	if _, err := b.tryLogin("1", "anna", "", "phone"); err == nil {
		t.Error("somebody logs in to a policy with simultaneousLogins 0")
	}
}

package gateway

import (
	"net/netip"
	"reflect"
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
	if f, err := s.filterOf(b.set, b.set.TunnelGroups["phones"]); err != nil || f == nil {
		t.Errorf("with the fence: %v, %v", f, err)
	}
	s.record.GroupPolicy = "open"
	if _, err := s.filterOf(b.set, b.set.TunnelGroups["phones"]); err == nil {
		t.Error("old phones get a policy without filter")
	}
	if f, err := s.filterOf(b.set, b.set.TunnelGroups["staff"]); err != nil || f != nil {
		t.Errorf("staff: %v, %v", f, err)
	}
}

// TestPolicyIsToldToClients has every field of a group policy, and what phones are spared of it.
func TestPolicyIsToldToClients(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.set.AccessLists["split"] = &inventory.AccessList{Name: "split", Entries: []inventory.AccessEntry{
		{Action: "permit", Destination: "10.0.0.0/8"}, {Action: "deny", Destination: "10.1.0.0/16"}, {Action: "permit", Destination: "fd00::/16"},
	}}
	full := inventory.GroupPolicy{
		Name: "full", Banner: "Hello", DNSServers: []string{"10.0.0.1", "fd00::1"}, WINSServers: []string{"10.0.0.2"}, DefaultDomain: "example.net",
		SplitDNS: []string{"example.net"}, SplitTunnelPolicy: inventory.TunnelSpecified, SplitTunnelNetworkList: "split", SplitTunnelAllDNS: new(true),
		ClientBypassProtocol: new(true), RekeyTime: new(3600), MTU: 1300, SmartcardRemovalDisconnect: new(false),
	}
	b.set.GroupPolicies["full"] = &full
	s := b.login("1", "anna", "", "phone")
	s.record.GroupPolicy = "full"
	addrs := func(texts ...string) []netip.Addr { a, _ := addressesOf(texts); return a }
	want := tunnel.Policy{
		Timers: s.record.timers(b.set, b.set.TunnelGroups["staff"]),
		Banner: "Hello", DNS: addrs("10.0.0.1", "fd00::1"), WINS: addrs("10.0.0.2"), Domain: "example.net", SplitDNS: []string{"example.net"},
		SplitInclude: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/16")},
		TunnelAllDNS: true, Bypass: true, Rekey: time.Hour, MTU: 1300,
	}
	if got, err := s.policyOf(b.set, b.set.TunnelGroups["staff"]); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("people: %v\n got %+v\nwant %+v", err, got, want)
	}
	want.SplitDNS, want.SplitInclude, want.TunnelAllDNS, want.Bypass, want.Phones, want.Legacy = nil, nil, false, false, true, true
	want.Timers = s.record.timers(b.set, b.set.TunnelGroups["phones"])
	if got, err := s.policyOf(b.set, b.set.TunnelGroups["phones"]); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("phones: %v\n got %+v\nwant %+v", err, got, want)
	}
	full.RekeyMethod, full.Banner, full.SplitTunnelPolicy = inventory.None, inventory.None, inventory.ExcludeSpecified
	got, err := s.policyOf(b.set, b.set.TunnelGroups["staff"])
	if err != nil || got.Rekey != 0 || got.Banner != "" || len(got.SplitExclude) != 2 || got.SplitInclude != nil {
		t.Errorf("with other words: %+v, %v", got, err)
	}
	delete(b.set.AccessLists, "split")
	if _, err := s.policyOf(b.set, b.set.TunnelGroups["staff"]); err == nil {
		t.Error("a list that is gone splits nothing, and nobody says so")
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

func TestSpread(t *testing.T) {
	t.Parallel()
	seen := map[time.Duration]bool{}
	for range 100 {
		d := spread(24 * time.Hour)
		if d < 24*time.Hour*9/10 || d > 24*time.Hour || d%time.Second != 0 {
			t.Errorf("a day becomes %v, want at most a tenth less, in whole seconds", d)
		}
		seen[d] = true
	}
	if len(seen) < 50 {
		t.Errorf("100 clients get %d times", len(seen))
	}
	if d := spread(time.Second); d != time.Second {
		t.Errorf("a second becomes %v", d)
	}
	if d := spread(0); d != 0 {
		t.Errorf("never becomes %v", d)
	}
}

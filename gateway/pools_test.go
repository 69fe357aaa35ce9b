package gateway

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
)

// held counts the addresses that sessions have.
func (p *pools) held() (n int) {
	for _, pool := range p.of {
		pool.mu.Lock()
		n += len(pool.held)
		pool.mu.Unlock()
	}
	return n
}

// twoPools declares a small pool and one to go on with, for phones.
func twoPools() *inventory.Set {
	set := declared()
	set.AddressPools["pool"].Network = "10.99.0.0/30"
	set.AddressPools["more"] = &inventory.AddressPool{Name: "more", Network: "10.99.1.0/30"}
	set.AddressPools["staff"] = &inventory.AddressPool{Name: "staff", Network: "10.99.2.0/29"}
	phones := set.TunnelGroups["phones"]
	phones.AddressPool, phones.AddressPools = "", []string{"pool", "more"}
	return set
}

func (b *books) tryConnect(s *session) (netip.Addr, error) {
	s.settling.Lock()
	defer s.settling.Unlock()
	return b.addressOf(b.t.Context(), s, b.set, b.set.TunnelGroups[s.record.TunnelGroup])
}

func (b *books) gets(s *session, want string) {
	b.t.Helper()
	if addr, err := b.tryConnect(s); err != nil || addr.String() != want {
		b.t.Errorf("session %d gets %s, %v want %s", s.record.ID, addr, err, want)
	}
}

func TestNextPool(t *testing.T) {
	t.Parallel()
	b := openBooksWith(t, twoPools())
	one := b.login("1", "anna", "", "phone")
	b.gets(one, "10.99.0.2")
	b.gets(b.login("2", "boris", "", "phone"), "10.99.1.2")
	three := b.login("3", "carl", "", "phone")
	var none *exhausted
	if addr, err := b.tryConnect(three); !errors.As(err, &none) || len(none.networks) != 2 {
		t.Errorf("with both pools exhausted: %s, %v", addr, err)
	}
	one.end(0)
	b.gets(three, "10.99.0.2")
	b.set.GroupPolicies["phones"].AddressPools = []string{"staff"}
	b.gets(b.login("4", "dora", "", "phone"), "10.99.2.2")
	b.set.AddressPools["new"] = &inventory.AddressPool{Name: "new", Network: "10.99.3.0/29"}
	b.set.GroupPolicies["phones"].AddressPools = []string{"new", "staff"}
	b.gets(b.login("5", "emil", "", "phone"), "10.99.2.3") // the host has no route to the new one yet
}

// TestAddressIsKept over a restart and a new login, though others came meanwhile.
func TestAddressIsKept(t *testing.T) {
	t.Parallel()
	b := openBooksWith(t, twoPools())
	b.set.TunnelGroups["phones"].AddressPools = []string{"staff"}
	anna, boris := b.login("1", "anna", "SEP1", "phone"), b.login("2", "boris", "", "phone")
	b.gets(anna, "10.99.2.2")
	b.gets(boris, "10.99.2.3")
	anna.end(0)
	boris.end(0)
	b.reopen()
	b.gets(b.login("3", "carl", "", "phone"), "10.99.2.4")
	b.gets(b.login("4", "boris", "", "phone"), "10.99.2.3")
	b.gets(b.login("5", "anna", "SEP1", "phone"), "10.99.2.2")
	b.set.AddressPools["staff"].Network = "10.99.2.0/30" // .3 and .4 are in it no more
	b.reopen()
	if records, _, err := b.addresses.List(t.Context()); err != nil || len(records) != 1 || records[0].Name != "10.99.2.2" {
		t.Errorf("remembered are %+v, %v; want 10.99.2.2 only", records, err)
	}
}

// TestMemoryIsBounded has more owners than addresses.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	for i := range 50 {
		s := b.login("x", string(rune('A'+i)), "", "phone")
		b.connect(s)
		s.end(0)
	}
	if records, _, err := b.addresses.List(t.Context()); err != nil || len(records) != 5 {
		t.Errorf("%d owners are remembered, %v; want 5", len(records), err)
	}
}

func TestFixedAddress(t *testing.T) {
	t.Parallel()
	set := declared()
	set.Devices["SEP1"] = &inventory.Device{Name: "SEP1", VPNAddress: "10.99.0.2"}
	set.Users["anna"] = &inventory.User{Name: "anna", VPNAddress: "10.99.0.3"}
	b := openBooksWith(t, set)
	others := b.login("1", "boris", "", "phone")
	b.gets(others, "10.99.0.4") // the first that is nobody's
	b.gets(b.login("2", "anna", "SEP1", "phone"), "10.99.0.2")
	first := b.login("3", "anna", "", "computer")
	b.gets(first, "10.99.0.3")
	first.alive()
	b.gets(b.login("4", "anna", "", "tablet"), "10.99.0.5") // the other is in use
	first.cstp.Store(nil)
	b.find(secret.New("4")).end(0)
	b.gets(b.login("5", "anna", "", "tablet"), "10.99.0.3")
	b.want("good cookies", b.cookies("1", "2", "3", "4", "5"), "1", "2", "5")
	b.find(secret.New("2")).end(0)
	b.gets(b.login("6", "carl", "", "phone"), "10.99.0.6")
	b.gets(b.login("7", "carl", "", "phone"), "10.99.0.5") // which was given before
	last := b.login("8", "carl", "", "phone")
	if addr, err := b.tryConnect(last); err == nil {
		t.Errorf("the address of a phone that is off goes to another: %s", addr)
	}
}

// TestFramedAddress: the server of users goes before the inventory, and names only what a pool has.
func TestFramedAddress(t *testing.T) {
	t.Parallel()
	set := declared()
	set.Users["anna"] = &inventory.User{Name: "anna", VPNAddress: "10.99.0.3"}
	b := openBooksWith(t, set)
	for cookie, c := range map[string]struct{ user, framed, want string }{
		"1": {"anna", "10.99.0.5", "10.99.0.5"},
		"2": {"boris", "192.0.2.1", "10.99.0.2"},
		"3": {"carl", "10.99.0.6", "10.99.0.6"},
	} {
		record := sessionRecord{User: c.user, TunnelGroup: "phones", Began: time.Now(), FramedAddress: netip.MustParseAddr(c.framed)}
		if err := b.create(t.Context(), secret.New(cookie), record); err != nil {
			t.Fatal(err)
		}
		b.gets(b.find(secret.New(cookie)), c.want)
	}
	late := sessionRecord{User: "dora", TunnelGroup: "phones", Began: time.Now(), FramedAddress: netip.MustParseAddr("10.99.0.6")}
	if err := b.create(t.Context(), secret.New("4"), late); err != nil {
		t.Fatal(err)
	}
	b.gets(b.find(secret.New("4")), "10.99.0.4") // never two owners, whatever a server says
}

package gateway

import (
	"errors"
	"testing"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/cstp"
)

// declare gives the gateway another inventory, as apply does, and waits until its sessions are held to it.
func (w *world) declare(change func(*inventory.Set)) {
	w.t.Helper()
	set := declared()
	change(set)
	w.inventory.Store(set)
}

// TestFilterFollowsTheInventory: what a policy permits is permitted or denied at once, in a tunnel that is up.
func TestFilterFollowsTheInventory(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	c := w.tunnel(phoneURL, "anna")
	d := c.dtls(w.socket())
	s := c.session()
	news := packet("10.99.0.2", files, protoUDP, 7000, 8)
	refused := func() uint64 { return s.counters.refused.Load() }
	d.send(cstp.Data, news)
	w.until("the packet is refused", func() bool { return refused() == 1 })
	before := s.filter.Load()
	w.declare(func(set *inventory.Set) { set.AccessLists["fence"].Entries[0].Ports = "7000" })
	w.until("the filter is another", func() bool { return s.filter.Load() != before })
	d.send(cstp.Data, news)
	if got := w.toHost(); got != string(news) {
		t.Errorf("the host gets % x", got)
	}
	w.declare(func(set *inventory.Set) { set.GroupPolicies["phones"].Filter = "" }) // no fence for old phones: nothing goes
	w.until("nothing is permitted", func() bool { return s.filter.Load() == nothing })
	d.send(cstp.Data, news)
	w.until("the packet is refused", func() bool { return refused() == 2 })
	if info := w.g.Sessions(); len(info) != 1 || info[0].Transport != "dtls" {
		t.Errorf("the session is %+v", info)
	}
}

// TestUnwelcome: sessions of whom the inventory does not want any more end, and nobody new gets in.
func TestUnwelcome(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*inventory.Set)
		told   bool
	}{
		"user blocked":         {func(set *inventory.Set) { set.Users["anna"].Blocked = true }, true},
		"device blocked":       {func(set *inventory.Set) { set.Devices["SEP1"].Blocked = true }, true},
		"user deleted":         {func(set *inventory.Set) { delete(set.Users, "anna") }, false},
		"device deleted":       {func(set *inventory.Set) { delete(set.Devices, "SEP1") }, false},
		"tunnel group deleted": {func(set *inventory.Set) { delete(set.TunnelGroups, "phones") }, false},
		"locked elsewhere":     {func(set *inventory.Set) { set.Users["anna"].GroupLock = "staff" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			with := func(set *inventory.Set) *inventory.Set {
				set.Users["anna"] = &inventory.User{Name: "anna"}
				set.Devices["SEP1"] = &inventory.Device{Name: "SEP1"}
				return set
			}
			w := open(t, withUsers("boris"), func(w *world, _ *Config) {
				w.inventory.Store(with(declared()))
				w.users["anna"] = struct{ password, device string }{"secret of anna", "SEP1"}
			})
			anna, boris := w.tunnel(phoneURL, "anna"), w.tunnel(staffURL, "boris")
			w.declare(func(set *inventory.Set) { c.change(with(set)) })
			if c.told {
				anna.frame(cstp.Terminate)
			}
			anna.closed()
			again := w.dial(modern())
			refused(t, again.connect(again.offer(anna.request.Cookie)), 401)
			boris.sendFrame(cstp.DPDRequest, nil)
			boris.frame(cstp.DPDResponse)
			w.until("one session is left", func() bool { return len(w.g.sessions.all()) == 1 && len(w.records()) == 1 })
		})
	}
}

// TestBlockedUserDoesNotLogIn, with the right password, and the operator sees why.
func TestBlockedUserDoesNotLogIn(t *testing.T) {
	t.Parallel()
	board, with := withBoard()
	w := open(t, withUsers("anna"), with)
	w.declare(func(set *inventory.Set) { set.Users["anna"] = &inventory.User{Name: "anna", Blocked: true} })
	w.dial(modern()).logIn(phoneURL, "anna", "secret of anna")
	if f := standing(board, finding.LoginRefused); f == nil || f.Subject != "anna" {
		t.Errorf("after the login: %+v", f)
	}
	if n := len(w.g.sessions.all()); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// TestChangesWhileAway: a user who was deleted while the gateway was off does not find his session.
func TestChangesWhileAway(t *testing.T) {
	t.Parallel()
	set := declared()
	set.Users["anna"] = &inventory.User{Name: "anna"}
	b := openBooksWith(t, set)
	b.connect(b.login("1", "anna", "", "phone"))
	b.connect(b.login("2", "boris", "", "phone")) // RADIUS knows him, the inventory never did
	b.set = declared()
	b.reopen()
	b.want("good cookies", b.cookies("1", "2"), "2")
	b.want("records", b.stored("1", "2"), "2")
}

// TestPolicyOfAUser: a user's own policy decides about logins and filter.
func TestPolicyOfAUser(t *testing.T) {
	t.Parallel()
	set := declared()
	set.GroupPolicies["none"] = &inventory.GroupPolicy{Name: "none", SimultaneousLogins: new(0)}
	set.GroupPolicies["one"] = &inventory.GroupPolicy{Name: "one", SimultaneousLogins: new(1), Filter: "fence"}
	set.Users["anna"] = &inventory.User{Name: "anna", VPNGroupPolicy: "none"}
	set.Users["boris"] = &inventory.User{Name: "boris", VPNGroupPolicy: "one"}
	b := openBooksWith(t, set)
	if _, err := b.tryLogin("1", "anna", "", "phone"); !errors.Is(err, errSessionLimit) {
		t.Errorf("a user with no logins: %v", err)
	}
	b.login("2", "boris", "", "phone").alive()
	if _, err := b.tryLogin("3", "boris", "", "phone"); !errors.Is(err, errSessionLimit) {
		t.Errorf("a second login of one: %v", err)
	}
	if f, err := b.find(secret.New("2")).filterOf(set, set.TunnelGroups["staff"]); err != nil || f == nil {
		t.Errorf("filter %v, %v", f, err)
	}
}

package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/wire/cstp"
)

// failing is a store that fails while it is told to.
type failing struct {
	store.Store
	fails atomic.Bool
}

var errDisk = errors.New("test: no space left on device")

func (f *failing) Commit(ctx context.Context, ops ...store.Op) (store.Revision, error) {
	if f.fails.Load() {
		return 0, errDisk
	}
	return f.Store.Commit(ctx, ops...)
}

func (f *failing) KeepAlive(ctx context.Context, id store.LeaseID) error {
	if f.fails.Load() {
		return errDisk
	}
	return f.Store.KeepAlive(ctx, id)
}

// books is a gateway without sockets: its registry, pool and store.
type books struct {
	*registry
	t      *testing.T
	store  *failing
	router *router
	node   string
	set    *inventory.Set
}

func openBooks(t *testing.T) *books {
	t.Helper()
	return openBooksWith(t, declared())
}

func openBooksWith(t *testing.T, set *inventory.Set) *books {
	t.Helper()
	b := &books{t: t, store: &failing{Store: memory.New()}, set: set}
	t.Cleanup(func() { b.store.Close() })
	b.reopen()
	return b
}

// reopen is a restart.
func (b *books) reopen() {
	b.t.Helper()
	b.router = &router{held: map[netip.Addr]bool{}}
	g, err := New(Config{
		Settings: Settings{Listen: netip.MustParseAddrPort("127.0.0.1:0")}, Node: b.node,
		Inventory: func() *inventory.Set { return b.set }, Login: users{}, Store: b.store, OpenTUN: noTUN, Route: noRoute,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	g.router = b.router
	if err := g.sessions.open(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	b.registry = g.sessions
}

// live lets time pass for the sessions until the test ends. It belongs into a bubble.
func (b *books) live() (stop func()) {
	ctx, cancel := context.WithCancel(b.t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := b.run(ctx); err != nil {
			b.t.Error(err)
		}
	})
	return func() { cancel(); running.Wait() }
}

// login makes a session and returns it.
func (b *books) login(cookie, user, device, agent string) *session {
	b.t.Helper()
	s, err := b.tryLogin(cookie, user, device, agent)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *books) tryLogin(cookie, user, device, agent string) (*session, error) {
	record := sessionRecord{User: user, Device: device, TunnelGroup: "phones", Began: time.Now(), UserAgent: agent}
	err := b.create(b.t.Context(), secret.New(cookie), record)
	return b.find(secret.New(cookie)), err
}

// connect gives a session its address.
func (b *books) connect(s *session) netip.Addr {
	b.t.Helper()
	addr, err := b.tryConnect(s)
	if err != nil {
		b.t.Fatal(err)
	}
	return addr
}

// alive makes a session look as if it had a channel.
func (s *session) alive() { s.cstp.Store(&cstpChannel{until: time.Now()}) }

// cookies lists which of the cookies are good.
func (b *books) cookies(all ...string) []string {
	return slices.DeleteFunc(all, func(c string) bool { return b.find(secret.New(c)) == nil })
}

// stored lists which of the cookies have a record.
func (b *books) stored(all ...string) []string {
	return slices.DeleteFunc(all, func(c string) bool {
		_, err := b.table.Get(b.t.Context(), cookieName(secret.New(c)))
		return err != nil
	})
}

func (b *books) want(what string, got []string, want ...string) {
	b.t.Helper()
	if !slices.Equal(got, want) {
		b.t.Errorf("%s: %q want %q", what, got, want)
	}
}

func TestSamePhoneLogsInAgain(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	first := b.login("1", "anna", "SEP1", "phone")
	addr := b.connect(first)
	first.alive()                            // the gateway has not noticed that the phone restarted
	b.login("2", "anna", "SEP1", "computer") // the same name on a computer
	b.login("3", "boris", "SEP1", "phone")   // somebody else on that phone
	second := b.login("4", "anna", "SEP1", "phone")
	b.want("good cookies", b.cookies("1", "2", "3", "4"), "2", "3", "4")
	b.want("records", b.stored("1", "2", "3", "4"), "2", "3", "4")
	if got := b.connect(second); got != addr {
		t.Errorf("the phone gets %s, had %s", got, addr)
	}
}

// TestPhonesOfOneUser: phones that cannot be told apart by name do not put each other out.
func TestPhonesOfOneUser(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	one, two := b.login("1", "anna", "", "phone"), b.login("2", "anna", "", "phone")
	if b.connect(one) == b.connect(two) {
		t.Error("both have one address")
	}
	b.want("good cookies", b.cookies("1", "2"), "1", "2")
}

func TestSessionLimit(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	for i := range 3 {
		b.login(fmt.Sprint(i), "anna", "", "phone").alive()
	}
	if _, err := b.tryLogin("x", "anna", "", "phone"); !errors.Is(err, errSessionLimit) {
		t.Errorf("a fourth session: %v want %v", err, errSessionLimit)
	}
	b.want("good cookies", b.cookies("0", "1", "2", "x"), "0", "1", "2")
	b.find(secret.New("2")).cstp.Store(nil)
	b.find(secret.New("1")).cstp.Store(nil)
	b.login("3", "anna", "", "phone")
	b.want("good cookies after the oldest dead one made room", b.cookies("0", "1", "2", "3"), "0", "2", "3")
	b.login("4", "boris", "", "phone")
	b.set = declared()
	b.set.GroupPolicies["phones"].SimultaneousLogins = new(1)
	b.login("5", "boris", "", "phone")
	b.want("good cookies with a limit of 1", b.cookies("4", "5"), "5")
}

func TestLoginsAtOnceCountEachOther(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	var all sync.WaitGroup
	try := func(cookie, user, device string) {
		if _, err := b.tryLogin(cookie, user, device, "phone"); err != nil && !errors.Is(err, errGone) { // gone: a later one took its place
			t.Error(err)
		}
	}
	for i := range 20 {
		all.Go(func() {
			try(fmt.Sprint("many", i), "anna", "")
			try(fmt.Sprint("same", i), "boris", "SEP1")
		})
	}
	all.Wait()
	count := map[string]int{}
	for _, s := range b.all() {
		count[s.record.User]++
	}
	records, _, err := b.table.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if count["anna"] != 3 || count["boris"] != 1 || len(records) != 4 {
		t.Errorf("sessions %v, %d records; want 3 of anna, 1 of boris, 4 records", count, len(records))
	}
}

// TestThreeLoginsOfOnePhone: of three at once the last one counts, though the second was put out before it
// could put out the first.
func TestThreeLoginsOfOnePhone(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.login("1", "anna", "SEP1", "phone")
	second, err := b.admit(cookieName(secret.New("2")), sessionRecord{User: "anna", Device: "SEP1", TunnelGroup: "phones", UserAgent: "phone"})
	if err != nil {
		t.Fatal(err)
	}
	b.login("3", "anna", "SEP1", "phone")
	if err := b.confirm(t.Context(), second); !errors.Is(err, errGone) {
		t.Errorf("the second login: %v want %v", err, errGone)
	}
	b.want("good cookies", b.cookies("1", "2", "3"), "3")
	b.want("records", b.stored("1", "2", "3"), "3")
}

// TestTwoLoginsThatFail: when the store takes the record of neither of two logins of one phone, the session before them
// stays, and nothing else, whichever of them hears of it first.
func TestTwoLoginsThatFail(t *testing.T) {
	t.Parallel()
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		b := openBooks(t)
		b.login("1", "anna", "SEP1", "phone")
		var all []*session
		for _, cookie := range []string{"2", "3"} {
			s, err := b.admit(cookieName(secret.New(cookie)), sessionRecord{User: "anna", Device: "SEP1", TunnelGroup: "phones", UserAgent: "phone"})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, s)
		}
		b.store.fails.Store(true)
		for _, i := range order {
			if err := b.confirm(t.Context(), all[i]); err == nil {
				t.Errorf("login %d has a record", i)
			}
		}
		b.want("good cookies", b.cookies("1", "2", "3"), "1")
		b.want("records", b.stored("1", "2", "3"), "1")
		b.store.fails.Store(false)
		b.login("4", "anna", "SEP1", "phone")
		b.want("good cookies afterwards", b.cookies("1", "2", "3", "4"), "4")
		b.want("records afterwards", b.stored("1", "2", "3", "4"), "4")
	}
}

// TestLogoffWhileConnecting: whatever comes first, nothing of the session is left.
func TestLogoffWhileConnecting(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	for i := range 50 {
		cookie := fmt.Sprint(i)
		var both sync.WaitGroup
		both.Go(func() { _, _ = b.tryLogin(cookie, "anna", "", "phone") })
		both.Go(func() {
			for _, s := range b.all() {
				s.end(tunnel.Administrator)
			}
		})
		both.Wait()
		if s := b.find(secret.New(cookie)); s != nil {
			both.Go(func() {
				s.settling.Lock()
				defer s.settling.Unlock()
				if !s.gone {
					_, _ = b.addressOf(t.Context(), s, b.set, b.set.TunnelGroups[s.record.TunnelGroup])
				}
			})
			both.Go(func() { s.end(tunnel.Administrator) })
			both.Wait()
		}
		b.want("records", b.stored(cookie))
	}
	if b.pools.held() != 0 || b.router.holds() != 0 {
		t.Errorf("%d addresses are held, the host answers for %d", b.pools.held(), b.router.holds())
	}
}

// TestNothingForEndedSessions: a session that ended meanwhile gets neither record nor address.
func TestNothingForEndedSessions(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	s, err := b.admit(cookieName(secret.New("1")), sessionRecord{User: "anna", TunnelGroup: "phones"})
	if err != nil {
		t.Fatal(err)
	}
	s.end(tunnel.Administrator)
	if err := b.record(t.Context(), s); !errors.Is(err, errGone) {
		t.Errorf("its record: %v want %v", err, errGone)
	}
	_, err = s.open(t.Context(), &conn{g: b.g, conversation: &conversation{set: b.set}}, b.set.TunnelGroups["phones"], cstp.Request{})
	refused(t, err, 401)
	b.want("records", b.stored("1"))
	if b.pools.held() != 0 {
		t.Error("it holds an address")
	}
}

func TestSessionsSurviveARestart(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	addr := b.connect(b.login("1", "anna", "SEP1", "phone"))
	b.login("2", "boris", "", "phone")
	lease := b.leaseID()
	b.reopen()
	b.want("good cookies", b.cookies("1", "2"), "1", "2")
	if b.leaseID() != lease {
		t.Error("the lease of before is not taken up")
	}
	s := b.find(secret.New("1"))
	if s.innerAddress() != addr || b.inner.get(addr) != s || b.router.holds() != 1 || s.record.Device != "SEP1" {
		t.Errorf("the session has %s, had %s; the host answers for %d", s.innerAddress(), addr, b.router.holds())
	}
	if got := b.connect(b.login("3", "clara", "", "phone")); got == addr {
		t.Error("its address is given to another")
	}
	if got := b.find(secret.New("3")).record.ID; got != 3 {
		t.Errorf("the next session has number %d want 3", got)
	}
}

// TestRestartWithAnotherPool: a session whose address is no more in the pool ends, with its record.
func TestRestartWithAnotherPool(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.connect(b.login("1", "anna", "SEP1", "phone"))
	b.set = declared()
	b.set.AddressPools["pool"].Network = "10.98.0.0/29"
	b.reopen()
	b.want("good cookies", b.cookies("1"))
	b.want("records", b.stored("1"))
}

// TestOtherGatewaysSessions are left alone.
func TestOtherGatewaysSessions(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.login("1", "anna", "SEP1", "phone")
	b.node = "second"
	b.reopen()
	b.want("good cookies", b.cookies("1"))
	b.want("records", b.stored("1"), "1")
}

func TestDisconnectedTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := openBooks(t)
		b.set.GroupPolicies["phones"].DisconnectedTimeout = 600
		defer b.live()()
		b.connect(b.login("1", "anna", "", "phone"))
		time.Sleep(599 * time.Second)
		b.want("good cookies before", b.cookies("1"), "1")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		b.want("good cookies after", b.cookies("1"))
		b.want("records", b.stored("1"))
		if b.pools.held() != 0 || b.router.holds() != 0 {
			t.Error("its address is still held")
		}
	})
}

// TestLeaseIsKept for hours, over a store that fails for a while.
func TestLeaseIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := openBooks(t)
		b.set.GroupPolicies["phones"].DisconnectedTimeout = 86400
		defer b.live()()
		b.login("1", "anna", "", "phone")
		time.Sleep(3 * time.Hour)
		b.store.fails.Store(true)
		time.Sleep(leaseTime / 2)
		b.store.fails.Store(false)
		time.Sleep(3 * time.Hour)
		b.want("good cookies", b.cookies("1"), "1")
		b.want("records", b.stored("1"), "1")
	})
}

// TestLostLease: when the lease has ended, the sessions' records with it, they are written again.
func TestLostLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := openBooks(t)
		defer b.live()()
		addr := b.connect(b.login("1", "anna", "", "phone"))
		b.login("2", "boris", "", "phone")
		b.find(secret.New("2")).end(tunnel.Administrator)
		if err := b.store.Revoke(t.Context(), b.leaseID()); err != nil {
			t.Fatal(err)
		}
		b.want("records after the lease", b.stored("1"))
		if _, err := b.tryLogin("3", "clara", "", "phone"); err == nil {
			t.Error("a session could be made under a lease that has ended")
		}
		b.want("good cookies", b.cookies("1", "3"), "1")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		b.login("4", "clara", "", "phone")
		b.want("records", b.stored("1", "2", "3", "4"), "1", "4")
		b.reopen()
		if got := b.find(secret.New("1")).innerAddress(); got != addr {
			t.Errorf("after a restart it has %s, had %s", got, addr)
		}
	})
}

// TestStoreFails: what cannot be written is not promised, and what cannot be deleted is tried again.
func TestStoreFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := openBooks(t)
		board := finding.NewBoard()
		b.g.config.Findings = board
		defer b.live()()
		first := b.login("1", "anna", "", "phone")
		addr := b.connect(first)
		second := b.login("2", "boris", "", "phone")
		b.login("9", "dora", "SEP9", "phone")
		b.store.fails.Store(true)
		if _, err := b.tryLogin("10", "dora", "SEP9", "phone"); !errors.Is(err, errDisk) {
			t.Errorf("a phone that logs in anew: %v want %v", err, errDisk)
		}
		b.want("good cookies of that phone", b.cookies("9", "10"), "9")
		if f := standing(board, finding.StoreWriteFailed); f == nil || !strings.Contains(f.Evidence[0].Text, errDisk.Error()) {
			t.Errorf("the operator reads %+v", f)
		}
		if _, err := b.tryLogin("3", "clara", "", "phone"); !errors.Is(err, errDisk) {
			t.Errorf("a login: %v want %v", err, errDisk)
		}
		if _, err := b.tryConnect(second); !errors.Is(err, errDisk) {
			t.Errorf("an address: %v want %v", err, errDisk)
		}
		first.end(tunnel.Administrator)
		b.want("good cookies", b.cookies("1", "2", "3"), "2")
		time.Sleep(time.Minute)
		b.want("records while the store fails", b.stored("1", "2", "3"), "1", "2")
		b.store.fails.Store(false)
		if other := b.connect(second); other == addr {
			t.Error("the address of a session that a restart would find is given to another")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		b.want("records after the store works again", b.stored("1", "2", "3"), "2")
		if b.pools.of[0].held[addr] {
			t.Errorf("%s is still held", addr)
		}
		if f := standing(board, finding.StoreWriteFailed); f != nil {
			t.Errorf("the operator still reads %+v", f)
		}
	})
}

// TestEndedSessionIsNotHeard: what a client sends after its session's end must not pass for the next
// owner of its address.
func TestEndedSessionIsNotHeard(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.g.host = &hostLink{device: newNull()}
	s := b.login("1", "anna", "", "phone")
	p := toFiles(b.connect(s).String())
	s.fromClient(nil, time.Now(), tunnel.CSTP, p)
	s.end(tunnel.Administrator)
	s.fromClient(nil, time.Now(), tunnel.CSTP, p)
	if through, refused := s.counters.fromPackets.Load(), s.counters.refused.Load(); through != 1 || refused != 1 {
		t.Errorf("%d packets got through, %d were refused; want 1 and 1", through, refused)
	}
}

// TestStoreRecoversUnasked: nobody logs in or leaves, and still it is noticed that the store works again.
func TestStoreRecoversUnasked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := openBooks(t)
		board := finding.NewBoard()
		b.g.config.Findings = board
		defer b.live()()
		b.store.fails.Store(true)
		if _, err := b.tryLogin("1", "anna", "", "phone"); !errors.Is(err, errDisk) {
			t.Errorf("a login: %v want %v", err, errDisk)
		}
		time.Sleep(time.Minute)
		if standing(board, finding.StoreWriteFailed) == nil {
			t.Error("the operator reads nothing while the store fails")
		}
		b.store.fails.Store(false)
		time.Sleep(2 * renewAgain)
		synctest.Wait()
		if f := standing(board, finding.StoreWriteFailed); f != nil {
			t.Errorf("the operator still reads %+v", f)
		}
	})
}

// TestHolder: who has an inner address is known while a session has it, here and from what is stored.
func TestHolder(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	inner := netip.MustParseAddr("10.99.0.2")
	if who, ok := w.g.Holder(inner); ok {
		t.Errorf("before anybody connects %+v has %s", who, inner)
	}
	c := w.tunnel(phoneURL, "anna")
	stored, err := Holders(t.Context(), w.store)
	if who, ok := w.g.Holder(inner); !ok || who != (Holder{User: "anna"}) || err != nil || stored[inner] != who || len(stored) != 1 {
		t.Errorf("%s has %+v, %t; stored is %+v, %v; want anna both ways", inner, who, ok, stored, err)
	}
	c.session().end(tunnel.Administrator)
	stored, err = Holders(t.Context(), w.store)
	if who, ok := w.g.Holder(inner); ok || err != nil || len(stored) != 0 {
		t.Errorf("after the session %+v has %s; stored is %+v, %v", who, inner, stored, err)
	}
}

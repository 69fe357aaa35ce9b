package login

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const phoneURL = "https://vpn.example.com/phones"

// hashOf is an argon2id hash as cheap as they come, so that tests are quick. It is outdated.
func hashOf(password string) secret.String {
	h := &argon{memory: 8, time: 1, threads: 1, salt: []byte("saltsalt"), key: make([]byte, 16)}
	h.key = h.derive(password)
	return secret.New(h.String())
}

// house is an inventory with a group for phones, one for staff, and a phone of each kind of owner.
func house(t *testing.T, more ...inventory.Object) *inventory.Set {
	t.Helper()
	set := inventory.NewSet()
	objects := []inventory.Object{
		&inventory.TunnelGroup{Name: "phones", Phones: true, GroupURLs: []string{phoneURL}},
		&inventory.TunnelGroup{Name: "staff"},
		&inventory.VPNGateway{Name: "gateway", URL: phoneURL},
		&inventory.VPNGroup{Name: "group", Gateways: []string{"gateway"}},
		&inventory.CommonPhoneProfile{Name: "home", VPNGroup: "group"},
		&inventory.Device{Name: "SEP000000000001", CommonPhoneProfile: "home"},
		&inventory.Device{Name: "SEP000000000002", CommonPhoneProfile: "home"},
		&inventory.Device{Name: "SEP000000000003"},
		&inventory.User{Name: "anna", PasswordHash: hashOf("secret"), Devices: []string{"SEP000000000001"}},
		&inventory.User{Name: "bert", PasswordHash: hashOf("secret")},
		&inventory.User{Name: "SEP000000000002", PasswordHash: hashOf("secret")},
		&inventory.User{Name: "carl", PasswordHash: hashOf("secret"), Devices: []string{"SEP000000000003"}},
		&inventory.User{Name: "dora", PasswordHash: hashOf("secret"), Devices: []string{"SEP000000000001", "SEP000000000003"}},
		&inventory.User{Name: "empty"},
		&inventory.User{Name: "broken", PasswordHash: secret.New("$5$")},
	}
	for _, o := range append(objects, more...) {
		if err := set.Add(o); err != nil {
			t.Fatal(err)
		}
	}
	return set
}

func newLocal(t *testing.T, set *inventory.Set) *Local {
	t.Helper()
	l, err := NewLocal(Config{Users: func() *inventory.Set { return set }})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func request(user, password, group string) Request {
	return Request{User: user, Password: secret.New(password), Source: netip.MustParseAddr(sourceA), TunnelGroup: group}
}

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	locked := &inventory.User{Name: "eve", PasswordHash: hashOf("secret"), GroupLock: "phones"}
	open, strict := house(t), house(t, locked)
	two := house(t, &inventory.TunnelGroup{Name: "other phones", Phones: true})
	for _, test := range []struct {
		name                  string
		set                   *inventory.Set
		user, password, group string
		device, reason        string
	}{
		{"device's group", strict, "anna", "secret", "phones", "SEP000000000001", ""},
		{"staff", strict, "anna", "secret", "staff", "SEP000000000001", ""},
		{"name is a device", strict, "SEP000000000002", "secret", "phones", "SEP000000000002", ""},
		{"one of two devices", strict, "dora", "secret", "phones", "", ""},
		{"lock", strict, "eve", "secret", "phones", "", ""},
		{"locked out", strict, "eve", "secret", "staff", "", "locked to another tunnel group"},
		{"no device", strict, "bert", "secret", "phones", "", "tunnel group is for phones and none of the user's"},
		{"device without VPN", strict, "carl", "secret", "phones", "", "tunnel group is for phones and none of the user's"},
		{"no locks yet", open, "bert", "secret", "phones", "", ""},
		{"no locks, two groups", two, "bert", "secret", "phones", "", "tunnel group is for phones and none of the user's"},
		{"no such group", open, "bert", "secret", "nowhere", "", "no such tunnel group"},
		{"no group", open, "bert", "secret", "", "", "no such tunnel group"},
		{"wrong password", open, "anna", "Secret", "staff", "", "wrong password"},
		{"no password", open, "anna", "", "staff", "", "wrong password"},
		{"long password", open, "anna", strings.Repeat("x", maxPassword+1), "staff", "", "password too long"},
		{"long password, unknown user", open, "nobody", strings.Repeat("x", maxPassword+1), "staff", "", "password too long"},
		{"unknown user", open, "nobody", "secret", "staff", "", "unknown user"},
		{"no name", open, "", "secret", "staff", "", "unknown user"},
		{"user without hash", open, "empty", "", "staff", "", "user without a password"},
		{"broken hash", open, "broken", "secret", "staff", "", "the crypt hash is not of the form"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, test.set)
			for range 2 { // the second time from memory
				result, err := l.Authenticate(context.Background(), request(test.user, test.password, test.group))
				if test.reason == "" {
					if err != nil || result.User != test.user || result.Device != test.device {
						t.Errorf("got %+v, %v (%s), want device %q", result, err, Reason(err), test.device)
					}
					continue
				}
				if !errors.Is(err, ErrRefused) || !strings.HasPrefix(Reason(err), test.reason) || err.Error() != ErrRefused.Error() {
					t.Errorf("got %v (%s), want %v (%s)", err, Reason(err), ErrRefused, test.reason)
				}
			}
		})
	}
}

// TestEmptyPassword: a user whose stored hash is of the empty password, as on an ASA fresh from the
// factory, cannot log in.
func TestEmptyPassword(t *testing.T) {
	t.Parallel()
	l := newLocal(t, house(t, &inventory.User{Name: "eve", PasswordHash: secret.New(asaText)}))
	if _, err := l.Authenticate(context.Background(), request("eve", "", "staff")); Reason(err) != "empty password" {
		t.Errorf("got %v (%s)", err, Reason(err))
	}
}

// renewals is a Renew that changes an inventory as the catalog does.
type renewals struct {
	mu    sync.Mutex
	set   *inventory.Set
	err   error
	calls int
}

func (r *renewals) users() *inventory.Set {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.set
}

func (r *renewals) renew(_ context.Context, user string, old, renewed secret.String) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if r.err != nil {
		return r.err
	}
	set := inventory.NewSet()
	for _, o := range r.set.Objects() {
		if u, ok := o.(*inventory.User); ok && u.Name == user && u.PasswordHash == old {
			changed := *u
			changed.PasswordHash = renewed
			o = &changed
		}
		if err := set.Add(o); err != nil {
			return err
		}
	}
	r.set = set
	return nil
}

func TestRenewal(t *testing.T) {
	t.Parallel()
	r := &renewals{set: house(t, &inventory.User{Name: "eve", PasswordHash: secret.New(cryptText5)})}
	l, err := NewLocal(Config{Users: r.users, Renew: r.renew})
	if err != nil {
		t.Fatal(err)
	}
	login := func(password string) error {
		_, err := l.Authenticate(context.Background(), request("eve", password, "staff"))
		return err
	}
	if err := login("wrong"); !errors.Is(err, ErrRefused) || r.calls != 0 {
		t.Errorf("wrong password: %v, %d renewals", err, r.calls)
	}
	r.err = errors.New("disk full")
	if err := login("secret"); err != nil || r.calls != 1 {
		t.Errorf("renewal that cannot be saved: %v, %d renewals", err, r.calls)
	}
	r.err = nil
	l.memory = newMemory()
	if err := login("secret"); err != nil || r.calls != 2 {
		t.Errorf("login: %v, %d renewals", err, r.calls)
	}
	stored := r.users().Users["eve"].PasswordHash
	if h, err := parseHash(stored.Reveal()); err != nil || outdated(h) || !VerifyPassword(stored, secret.New("secret")) {
		t.Errorf("renewed hash: %v", err)
	}
	if !l.memory.knows(r.users().Users["eve"], secret.New("secret")) {
		t.Error("the renewed hash is not remembered")
	}
	l.memory = newMemory()
	if err := login("secret"); err != nil || r.calls != 2 {
		t.Errorf("login with the renewed hash: %v, %d renewals", err, r.calls)
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		set := house(t)
		anna, password := set.Users["anna"], secret.New("secret")
		m := newMemory()
		if m.knows(anna, password) {
			t.Error("an empty memory knows a password")
		}
		m.remember(set, anna, anna.PasswordHash, password)
		changed := *anna
		changed.PasswordHash = hashOf("another")
		if !m.knows(anna, password) || m.knows(anna, secret.New("Secret")) || m.knows(&changed, password) || m.knows(set.Users["bert"], password) {
			t.Error("a memory knows the wrong things")
		}
		time.Sleep(rememberFor - time.Nanosecond)
		if !m.knows(anna, password) {
			t.Error("forgotten early")
		}
		time.Sleep(time.Nanosecond)
		if m.knows(anna, password) {
			t.Error("remembered for ever")
		}
	})
}

func TestMemoryDropsRemovedUsers(t *testing.T) {
	t.Parallel()
	one := inventory.NewSet()
	anna := &inventory.User{Name: "anna", PasswordHash: hashOf("secret")}
	if err := one.Add(anna); err != nil {
		t.Fatal(err)
	}
	m := newMemory()
	for _, name := range []string{"x", "y", "z"} {
		m.users[name] = verified{}
	}
	m.remember(one, anna, anna.PasswordHash, secret.New("secret"))
	if len(m.users) != 1 || !m.knows(anna, secret.New("secret")) {
		t.Errorf("%d users are remembered, want anna alone", len(m.users))
	}
}

// TestBusy fills the queue: the answer comes before any hashing, and a remembered password needs no turn.
func TestBusy(t *testing.T) {
	t.Parallel()
	l := newLocal(t, house(t))
	if _, err := l.Authenticate(context.Background(), request("anna", "secret", "phones")); err != nil {
		t.Fatal(err)
	}
	l.queue = newQueue(0, 0)
	if _, err := l.Authenticate(context.Background(), request("bert", "secret", "staff")); !errors.Is(err, ErrBusy) {
		t.Errorf("full queue: got %v, want %v", err, ErrBusy)
	}
	if _, err := l.Authenticate(context.Background(), request("anna", "secret", "phones")); err != nil {
		t.Errorf("remembered password: %v", err)
	}
	l.queue = newQueue(0, 1)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.Authenticate(ctx, request("bert", "secret", "staff")); !errors.Is(err, context.Canceled) {
		t.Errorf("peer that went away: got %v", err)
	}
}

// TestStandIns: unknown names cost what known ones cost.
func TestStandIns(t *testing.T) {
	t.Parallel()
	s := newStandIns()
	if h := s.pick(inventory.NewSet(), "nobody"); h != hash(s.dummy) || outdated(h) || h.verify("") {
		t.Errorf("without users: got %T", h)
	}
	set := inventory.NewSet()
	for name, text := range map[string]string{"a": argonText, "b": cryptText5, "c": asaText} {
		if err := set.Add(&inventory.User{Name: name, PasswordHash: secret.New(text)}); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for _, name := range strings.Split("abcdefghijklmnopqrstuvwxyz0123456789", "") {
		name = "unknown " + name
		h := s.pick(set, name)
		switch h.(type) {
		case *argon:
			seen["argon"] = true
		case *cryptHash:
			seen["crypt"] = true
		case *asa:
			seen["asa"] = true
		}
		s.set = nil // as if the inventory had changed
		if again := s.pick(set, name); strings.Compare(typeName(h), typeName(again)) != 0 {
			t.Errorf("%s: %s, then %s", name, typeName(h), typeName(again))
		}
	}
	if len(seen) != 3 {
		t.Errorf("of three forms of hash unknown names borrow %v", seen)
	}
}

func typeName(h hash) string {
	switch h.(type) {
	case *argon:
		return "argon"
	case *cryptHash:
		return "crypt"
	}
	return "asa"
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	if _, err := NewLocal(Config{}); err == nil {
		t.Error("a Local without users was made")
	}
	if _, err := New(Config{}); err == nil {
		t.Error("an AAA without users was made")
	}
	if _, err := New(Config{Users: inventory.NewSet}); err == nil {
		t.Error("an AAA without a store was made")
	}
}

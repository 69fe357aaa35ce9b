package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/trust"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ctx = context.Background()

// open opens a catalog whose password hashes are the password and a prefix.
func open(t *testing.T, s store.Store) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Open(ctx, config(s))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func config(s store.Store) catalog.Config {
	return catalog.Config{
		Store: s, Sealer: trust.NewSealer([trust.KeySize]byte{1}),
		HashPassword:   func(p secret.String) (string, error) { return "$1$hash of " + p.Reveal(), nil },
		VerifyPassword: func(stored, p secret.String) bool { return strings.HasSuffix(stored.Reveal(), "hash of "+p.Reveal()) },
	}
}

func newStore(t *testing.T) *memory.Store {
	t.Helper()
	s := memory.New()
	t.Cleanup(func() { s.Close() })
	return s
}

func line(name, password string) *inventory.Line {
	return &inventory.Line{Name: name, Secret: secret.New(password)}
}

func lines(first, count int) (objects []inventory.Object) {
	for i := range count {
		objects = append(objects, line(fmt.Sprint(first+i), "secret of it"))
	}
	return objects
}

func phone(mac, line string) *inventory.Device {
	return &inventory.Device{Name: "SEP" + mac, Model: "CP-8861", Lines: []string{line}}
}

func apply(t *testing.T, c *catalog.Catalog, options catalog.Options, objects ...inventory.Object) string {
	t.Helper()
	changes, err := c.Apply(ctx, objects, options)
	if err != nil {
		t.Fatalf("apply: %v", err)
	}
	return text(changes)
}

func text(c catalog.Changes) string {
	return fmt.Sprintf("+%v ~%v -%v", c.Created, c.Changed, c.Deleted)
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %s, want %s", what, got, want)
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	c := open(t, s)
	none := catalog.Options{}
	if n := len(c.Current().Objects()); n != 0 {
		t.Errorf("a new catalog has %d objects", n)
	}
	want(t, "dry run", apply(t, c, catalog.Options{DryRun: true}, line("1001", "x")), "+[Line 1001] ~[] -[]")
	want(t, "after a dry run", fmt.Sprint(len(c.Current().Objects())), "0")
	want(t, "create", apply(t, c, none, line("1002", "two"), phone("000000000001", "1001"), line("1001", "one")),
		"+[Device SEP000000000001 Line 1001 Line 1002] ~[] -[]")
	want(t, "again", apply(t, c, none, line("1001", "one")), "+[] ~[] -[]")
	want(t, "secret left out", apply(t, c, none, line("1001", "")), "+[] ~[] -[]")
	changed := line("1001", "")
	changed.DisplayName = "Anna"
	want(t, "change", apply(t, c, none, changed, line("1002", "zwei")), "+[] ~[Line 1001 Line 1002] -[]")
	if !changed.Secret.IsZero() {
		t.Error("apply changed the caller's object")
	}
	before := c.Current()
	want(t, "prune, dry run", apply(t, c, catalog.Options{Prune: true, DryRun: true}, changed), "+[] ~[] -[Line 1002]")
	want(t, "prune", apply(t, c, catalog.Options{Prune: true}, changed, line("1003", "")), "+[Line 1003] ~[] -[Line 1002]")
	if before.Lines["1002"] == nil || before.Lines["1003"] != nil {
		t.Error("an inventory that was handed out has changed")
	}
	for name, set := range map[string]*inventory.Set{"current": c.Current(), "opened again": open(t, s).Current()} {
		if got := set.Lines["1001"]; len(set.Objects()) != 3 || got.DisplayName != "Anna" || got.Secret.Reveal() != "one" {
			t.Errorf("%s: %d objects, line %+v with %q", name, len(set.Objects()), got, got.Secret.Reveal())
		}
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	c := open(t, newStore(t))
	user := &inventory.User{Name: "anna", Password: secret.New("secret")}
	want(t, "create", apply(t, c, catalog.Options{}, user), "+[User anna] ~[] -[]")
	wantHash := func(hash string) {
		t.Helper()
		if got := c.Current().Users["anna"]; got.PasswordHash.Reveal() != hash || !got.Password.IsZero() {
			t.Errorf("stored: password %q, hash %q, want %q", got.Password.Reveal(), got.PasswordHash.Reveal(), hash)
		}
	}
	wantHash("$1$hash of secret")
	old := c.Current().Users["anna"].PasswordHash
	if err := c.RenewPasswordHash(ctx, "anna", old, secret.New("$6$better hash of secret")); err != nil {
		t.Fatal(err)
	}
	wantHash("$6$better hash of secret")
	want(t, "the same password", apply(t, c, catalog.Options{}, user), "+[] ~[] -[]")
	for _, name := range []string{"anna", "nobody"} {
		if err := c.RenewPasswordHash(ctx, name, old, secret.New("too late")); err != nil {
			t.Fatal(err)
		}
	}
	wantHash("$6$better hash of secret")
	user.Password = secret.New("another")
	want(t, "another password", apply(t, c, catalog.Options{}, user), "+[] ~[User anna] -[]")
	wantHash("$1$hash of another")
	want(t, "password left out", apply(t, c, catalog.Options{}, &inventory.User{Name: "anna"}), "+[] ~[] -[]")
	user.PasswordHash = secret.New("x")
	if _, err := c.Apply(ctx, []inventory.Object{user}, catalog.Options{}); !isInvalid(err, "stands beside password") {
		t.Errorf("password and hash: got %v", err)
	}
}

func isInvalid(err error, says string) bool {
	var invalid *catalog.InvalidError
	return errors.As(err, &invalid) && strings.Contains(invalid.Error(), says)
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	c := open(t, s)
	apply(t, c, catalog.Options{}, line("1001", ""), phone("000000000001", "1001"))
	_, before, err := c.Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		objects []inventory.Object
		options catalog.Options
		says    string
	}{
		"dangling reference": {[]inventory.Object{line("1002", ""), phone("000000000002", "9999")}, catalog.Options{}, "9999"},
		"twice":              {[]inventory.Object{line("1002", ""), line("1002", "")}, catalog.Options{}, "declared twice"},
		"pruned reference":   {[]inventory.Object{line("1002", "")}, catalog.Options{Prune: true}, "1001"},
	} {
		if _, err := c.Apply(ctx, test.objects, test.options); !isInvalid(err, test.says) {
			t.Errorf("%s: got %v, want %q", name, err, test.says)
		}
	}
	if _, err := c.Delete(ctx, []catalog.Ref{{inventory.KindLine, "1001"}}, catalog.Options{}); !isInvalid(err, "1001") {
		t.Errorf("delete what is referred to: got %v", err)
	}
	if _, err := c.Delete(ctx, []catalog.Ref{{inventory.KindLine, "1002"}}, catalog.Options{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("delete nothing: got %v", err)
	}
	if _, after, err := c.Load(ctx); err != nil || after != before {
		t.Errorf("revision went from %d to %d, %v", before, after, err)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	c := open(t, newStore(t))
	apply(t, c, catalog.Options{}, line("1001", ""), line("1002", ""), phone("000000000001", "1001"))
	refs := []catalog.Ref{{inventory.KindLine, "1001"}, {inventory.KindDevice, "SEP000000000001"}, {inventory.KindLine, "1001"}}
	for _, dryRun := range []bool{true, false} {
		changes, err := c.Delete(ctx, refs, catalog.Options{DryRun: dryRun})
		if err != nil {
			t.Fatal(err)
		}
		want(t, "delete", text(changes), "+[] ~[] -[Device SEP000000000001 Line 1001]")
	}
	want(t, "left", fmt.Sprint(len(c.Current().Objects())), "1")
}

// TestAtRest looks at what is in the store: no secret in clear, names escaped.
func TestAtRest(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	c := open(t, s)
	apply(t, c, catalog.Options{}, line("1001", "swordfish"), &inventory.Site{Name: "Zürich/2 <x>"},
		&inventory.User{Name: "anna", Password: secret.New("swordfish")})
	records, _, err := s.List(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, r := range records {
		keys = append(keys, r.Key)
		if strings.Contains(string(r.Value), "swordfish") {
			t.Errorf("%s holds a secret in clear: %s", r.Key, r.Value)
		}
	}
	want(t, "keys", strings.Join(keys, " "), "inventory/.head inventory/Line/1001 inventory/Site/Z%C3%BCrich%2F2%20%3Cx%3E inventory/User/anna")
	if open(t, s).Current().Sites["Zürich/2 <x>"] == nil {
		t.Error("the site did not come back")
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ key, value, says string }{
		"newer record":   {"inventory/Line/1002", `{"version":2}`, "record has version 2, this program knows 1"},
		"newer head":     {"inventory/.head", `{"version":2}`, "version 2, this program knows 1"},
		"unknown kind":   {"inventory/Robot/1", `{"version":1,"object":{"name":"1"}}`, `kind "Robot" is not known`},
		"moved record":   {"inventory/Line/1002", `{"version":1,"object":{"name":"1003"}}`, "record holds Line 1003"},
		"damaged record": {"inventory/Line/1002", `{`, "inventory/Line/1002: unexpected end"},
		"foreign seal":   {"inventory/Line/1002", `{"version":1,"object":{"name":"1002"},"sealed":"AAAA"}`, "inventory/Line/1002: trust: sealed data does not open"},
	} {
		s := newStore(t)
		if _, err := s.Commit(ctx, store.Op{Key: test.key, Value: []byte(test.value)}); err != nil {
			t.Fatal(err)
		}
		if _, err := catalog.Open(ctx, config(s)); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v, want %q", name, err, test.says)
		}
	}
	s := newStore(t)
	apply(t, open(t, s), catalog.Options{}, line("1001", "x"))
	other := config(s)
	other.Sealer = trust.NewSealer([trust.KeySize]byte{2})
	if _, err := catalog.Open(ctx, other); !errors.Is(err, trust.ErrSealed) {
		t.Errorf("another master key: got %v", err)
	}
	if _, err := catalog.Open(ctx, catalog.Config{Store: s}); err == nil {
		t.Error("a catalog without a sealer was opened")
	}
}

// gapStore lets the first watches have a gap.
type gapStore struct {
	store.Store
	mu   sync.Mutex
	gaps int
}

func (g *gapStore) Watch(ctx context.Context, prefix string, from store.Revision) (store.Watcher, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gaps > 0 {
		g.gaps--
		return nil, store.ErrGap
	}
	return g.Store.Watch(ctx, prefix, from)
}

// TestRun follows the changes that another node makes.
func TestRun(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	here, there := open(t, &gapStore{Store: s, gaps: 2}), open(t, s)
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- here.Run(running) }()
	seen := here.Current()
	for i := range 3 {
		apply(t, there, catalog.Options{}, lines(1000+200*i, 200)...)
		for len(seen.Lines) < 200*(i+1) {
			set, err := here.Wait(ctx, seen)
			if err != nil {
				t.Fatal(err)
			}
			if len(set.Lines)%200 != 0 {
				t.Errorf("an inventory with %d lines was seen: half a change", len(set.Lines))
			}
			seen = set
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
	if _, err := here.Wait(running, seen); !errors.Is(err, context.Canceled) {
		t.Errorf("wait with an ended context: got %v", err)
	}
}

func TestRunEndsWithItsStore(t *testing.T) {
	t.Parallel()
	s := memory.New()
	c := open(t, s)
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	s.Close()
	if err := <-done; !errors.Is(err, store.ErrClosed) {
		t.Errorf("run on a closed store: got %v", err)
	}
}

// TestSecondFactorSurvivesANewPassword: the secret of one-time codes is left out by whoever changes the
// password, and stays; a user can lose it by name.
func TestSecondFactorSurvivesANewPassword(t *testing.T) {
	t.Parallel()
	c := open(t, newStore(t))
	user := inventory.User{Name: "anna", Password: secret.New("one"), TOTPSecret: secret.New("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")}
	apply(t, c, catalog.Options{}, &user)
	changed := inventory.User{Name: "anna", Password: secret.New("two")}
	apply(t, c, catalog.Options{}, &changed)
	if got := c.Current().Users["anna"]; got.TOTPSecret != user.TOTPSecret || got.PasswordHash.Reveal() != "$1$hash of two" {
		t.Errorf("got secret %q, hash %q", got.TOTPSecret.Reveal(), got.PasswordHash.Reveal())
	}
	taken := inventory.User{Name: "anna", TOTPSecret: secret.New(inventory.NoTOTP)}
	apply(t, c, catalog.Options{}, &taken)
	if key, err := c.Current().Users["anna"].TOTPKey(); key != nil || err != nil {
		t.Errorf("got a key of %d bytes, %v", len(key), err)
	}
}

// TestPreview shows both inventories and changes nothing.
func TestPreview(t *testing.T) {
	t.Parallel()
	c := open(t, newStore(t))
	apply(t, c, catalog.Options{}, line("1001", "one"), line("1002", ""), &inventory.User{Name: "anna", Password: secret.New("secret")})
	p, err := c.Preview(ctx, []inventory.Object{line("1001", ""), line("1003", ""), &inventory.User{Name: "anna", Password: secret.New("secret")}}, catalog.Options{Prune: true})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "changes", text(p.Changes), "+[Line 1003] ~[] -[Line 1002]")
	if p.Before.Lines["1002"] == nil || p.After.Lines["1002"] != nil || p.After.Lines["1001"].Secret.Reveal() != "one" {
		t.Errorf("before %v, after %v", p.Before.Lines, p.After.Lines)
	}
	if p.After.Users["anna"].PasswordHash != p.Before.Users["anna"].PasswordHash {
		t.Error("the same password counts as another")
	}
	want(t, "left", fmt.Sprint(len(c.Current().Objects())), "3")
	if _, err := c.Preview(ctx, []inventory.Object{phone("000000000002", "9999")}, catalog.Options{}); !isInvalid(err, "9999") {
		t.Errorf("what Apply refuses: got %v", err)
	}
}

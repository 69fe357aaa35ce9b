package rollover_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/trust/rollover"
)

type inventoryObject = inventory.Object

const (
	first  = "SEP020000001000"
	second = "SEP020000001001"
)

// given begins a roll-over to a certificate that phones have not heard of.
func given(t *testing.T, w *world) rollover.Progress {
	t.Helper()
	must(t, w.apply(t.Context(), []inventoryObject{w.certificate("given", 3*year)}))
	s, err := w.keeper.Start(t.Context(), rollover.Order{Certificate: "given", By: "alice"})
	must(t, err)
	return s
}

func TestRolloverToAGivenCertificate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.come(first)
	w.come(second) // the third has never been heard of
	s := given(t, w)
	if s.State != rollover.Staged || s.Presented.Name != "gateway" || s.Next.Name != "given" || s.Ready != 0 || s.Phones != 2 || len(s.NoFile) != 1 {
		t.Fatalf("after start: %+v", s)
	}
	w.come(first)
	w.fetch(second, true) // and does not register

	_, err := w.keeper.Commit(t.Context(), rollover.Order{})
	var refused *rollover.Refused
	if !errors.As(err, &refused) || len(refused.Lost) != 1 || refused.Lost[0].Device != second || !refused.Lost[0].Seen.Equal(w.now) {
		t.Fatalf("commit with one phone missing: %v %+v", err, refused)
	}
	if w.presented() != "gateway" {
		t.Fatal("a refused commit changed the certificate")
	}
	w.register(second)
	w.restart() // and nothing is forgotten
	if s = w.status(); s.Ready != 2 || s.By != "alice" {
		t.Fatalf("with both registered: %+v", s)
	}
	if s, err = w.keeper.Commit(t.Context(), rollover.Order{}); err != nil || s.Presented.Name != "given" || s.Before.Name != "gateway" {
		t.Fatalf("commit: %v %+v", err, s)
	}
	if s, err = w.keeper.Retire(t.Context(), rollover.Order{}); err != nil || s.State != rollover.None {
		t.Fatalf("retire: %v %+v", err, s)
	}
	if got, want := w.set.VPNGateways["gateway"].Certificates, []string{"given", "gateway-spare"}; !slices.Equal(got, want) {
		t.Errorf("phones are told of %v, want %v", got, want)
	}
	for _, step := range []func() error{
		func() error { _, err := w.keeper.Commit(t.Context(), rollover.Order{}); return err },
		func() error { _, err := w.keeper.Abort(t.Context(), rollover.Order{}); return err },
		func() error { _, err := w.keeper.Retire(t.Context(), rollover.Order{}); return err },
	} {
		if err := step(); !errors.Is(err, rollover.ErrState) {
			t.Errorf("a step without a roll-over: %v", err)
		}
	}
}

// TestSpareWaitsForNobody changes to the spare while phones are away.
func TestSpareWaitsForNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.come(first)
	w.come(second)
	w.advance()
	w.now = w.now.Add(300 * day)
	s, err := w.keeper.Start(t.Context(), rollover.Order{By: "alice"})
	must(t, err)
	if s.Next.Name != "gateway-spare" || s.Ready != 2 || len(s.Spares) != 1 {
		t.Fatalf("start: %+v, want the spare, known to both phones, and a new spare made", s)
	}
	_, err = w.keeper.Commit(t.Context(), rollover.Order{})
	must(t, err)
	w.come(first)
	w.come(second)
	_, err = w.keeper.Retire(t.Context(), rollover.Order{})
	must(t, err)
	if got := w.set.VPNGateways["gateway"].Certificates; len(got) != 2 || got[0] != "gateway-spare" || slices.Contains(got, "gateway") {
		t.Errorf("phones are told of %v, want the spare and a new one", got)
	}
}

func TestAbort(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.come(first)
	before := slices.Clone(w.set.VPNGateways["gateway"].Certificates)
	given(t, w)
	_, err := w.keeper.Abort(t.Context(), rollover.Order{})
	must(t, err)
	if got := w.set.VPNGateways["gateway"].Certificates; !slices.Equal(got, before) {
		t.Errorf("after the abort %v, want what was before, %v", got, before)
	}
	s, err := w.keeper.Start(t.Context(), rollover.Order{Certificate: "gateway-spare"})
	must(t, err)
	if len(s.Spares) == 0 {
		t.Fatalf("no spare: %+v", s)
	}
	_, err = w.keeper.Commit(t.Context(), rollover.Order{})
	must(t, err)
	_, err = w.keeper.Abort(t.Context(), rollover.Order{})
	must(t, err)
	if w.presented() != "gateway" || !slices.Equal(w.set.VPNGateways["gateway"].Certificates, before) {
		t.Errorf("after the way back: %v", w.set.VPNGateways["gateway"].Certificates)
	}
}

// TestForce keeps a phone out knowingly, hears it knock, and goes back.
func TestForce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.come(first)
	w.come(second)
	given(t, w)
	w.come(first)
	if _, err := w.keeper.Commit(t.Context(), rollover.Order{Force: true, DryRun: true}); err != nil || w.presented() != "gateway" {
		t.Fatalf("a dry run: %v, presented %s", err, w.presented())
	}
	s, err := w.keeper.Commit(t.Context(), rollover.Order{Force: true})
	must(t, err)
	if w.presented() != "given" || len(s.NotReady) != 1 || s.NotReady[0].Device != second {
		t.Fatalf("by force: %+v", s)
	}
	if w.believes(second) {
		t.Fatal("the test is wrong: the second phone is not locked out")
	}
	leaf, err := w.set.Certificates["given"].Leaf()
	must(t, err)
	w.keeper.Mistrusted(leaf.Raw, netip.MustParseAddr("198.51.100.7"), second)
	if s = w.status(); len(s.Refused) != 1 || s.Refused[0].Device != second || s.Refused[0].Count != 1 {
		t.Fatalf("refusals: %+v", s.Refused)
	}
	w.now = w.now.Add(year / 2)
	w.advance()
	if s = w.status(); s.State != rollover.Swapped {
		t.Errorf("state %s: what was forced is not retired by itself", s.State)
	}
	_, err = w.keeper.Abort(t.Context(), rollover.Order{})
	must(t, err)
	w.meet(second)
}

func TestUnfitCertificates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	keyless := w.certificate("keyless", year)
	keyless.Key = inventory.Certificate{}.Key
	old := w.certificate("old", -time.Hour)
	twin := *w.set.Certificates["gateway"]
	twin.Name = "twin"
	must(t, w.apply(t.Context(), []inventoryObject{keyless, old, &twin}))
	for _, name := range []string{"nothing", "keyless", "old", "twin"} {
		if _, err := w.keeper.Start(t.Context(), rollover.Order{Certificate: name}); !errors.Is(err, rollover.ErrUnfit) {
			t.Errorf("start to %q: %v", name, err)
		}
	}
	if _, err := w.keeper.Start(t.Context(), rollover.Order{Gateway: "other"}); !errors.Is(err, rollover.ErrNoGateway) {
		t.Errorf("start at another gateway: %v", err)
	}
}

func TestFindings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.settings.Before = 0
	w.restart()
	g := *w.set.VPNGateways["gateway"]
	g.Certificates = g.Certificates[:1]
	must(t, w.apply(t.Context(), []inventoryObject{&g}))
	w.advance()
	if !w.found("no-spare-certificate") || w.found("certificate-expired") {
		t.Errorf("one certificate: %+v", w.board.Findings())
	}
	_, err := w.keeper.Start(t.Context(), rollover.Order{SpareOnly: true})
	must(t, err)
	if w.found("no-spare-certificate") || w.presented() != "gateway" {
		t.Errorf("a spare was made: %+v", w.board.Findings())
	}
	w.come(first)
	w.now = w.now.Add(11 * year)
	w.advance()
	if !w.found("certificate-expired") {
		t.Errorf("after eleven years: %+v", w.board.Findings())
	}
}

// change returns the inventory with another list of certificates at the gateway.
func (w *world) change(names ...string) *inventory.Set {
	after := *w.set
	g := *w.set.VPNGateways["gateway"]
	g.Certificates = names
	after.VPNGateways = inventory.Table[inventory.VPNGateway]{"gateway": &g}
	return &after
}

func TestGuard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.come(first)
	must(t, w.apply(t.Context(), []inventoryObject{w.certificate("given", 3*year)}))
	for _, c := range []struct {
		what, says, hint string
		after            *inventory.Set
	}{
		{"nothing", "", "", w.set},
		{"the spare by hand", "", "", w.change("gateway-spare", "gateway")},
		{"an unknown certificate", `1 phone would be kept out: SEP020000001000 (last seen 2026-01-01 00:00: the file it holds is without the hash)`, "certs rollover start gateway --to given", w.change("given", "gateway", "gateway-spare")},
		{"no spare", "no finished spare would be left", "certs rollover start gateway --spare", w.change("gateway")},
	} {
		problems := w.keeper.Guard(w.set, c.after)
		if c.says == "" {
			if len(problems) > 0 {
				t.Errorf("%s: %v", c.what, problems)
			}
			continue
		}
		if len(problems) != 1 || !strings.Contains(problems[0].Says, c.says) || !strings.Contains(problems[0].Hint, c.hint) {
			t.Errorf("%s: %+v", c.what, problems)
		}
	}
	twin := *w.set
	twin.Certificates = inventory.Table[inventory.Certificate]{"gateway": w.certificate("gateway", year), "gateway-spare": w.set.Certificates["gateway-spare"]}
	if problems := w.keeper.Guard(w.set, &twin); len(problems) != 1 || !strings.Contains(problems[0].Says, "kept out") {
		t.Errorf("another certificate under the same name: %+v", problems)
	}
	_, err := w.keeper.Start(t.Context(), rollover.Order{Certificate: "given"})
	must(t, err)
	if problems := w.keeper.Guard(w.set, w.change("gateway", "gateway-spare")); len(problems) != 1 || !strings.Contains(problems[0].Says, "is under way") {
		t.Errorf("the next certificate taken away meanwhile: %+v", problems)
	}
}

// TestAbortedIsNotBegunAtOnce goes back from a roll-over that began by itself.
func TestAbortedIsNotBegunAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.come(first)
	w.now = w.now.Add(10*year - 60*day)
	w.come(first)
	w.advance()
	w.advance()
	if w.presented() != "gateway-spare" {
		t.Fatalf("60 days before its end: %+v", w.status())
	}
	_, err := w.keeper.Abort(t.Context(), rollover.Order{By: "alice"})
	must(t, err)
	w.now = w.now.Add(day)
	w.restart()
	w.advance()
	if s := w.status(); s.State != rollover.None || w.presented() != "gateway" || s.Begins.Before(w.now) {
		t.Errorf("a day after somebody went back: %+v", s)
	}
	w.now = w.now.Add(30 * day)
	w.advance()
	if s := w.status(); s.State == rollover.None {
		t.Errorf("a month later: %+v", s)
	}
}

// TestShortRegistration: a phone that has gone again before anybody looked has proved its file all the same.
func TestShortRegistration(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.fetch(first, true)
	w.tick()
	w.keeper.Heard(rollover.Registration{Device: first, Began: w.now})
	w.tick()
	if s := w.status(); s.Ready != 1 {
		t.Errorf("%+v", s)
	}
}

// TestFileThatMayHaveBeenTaken: a phone that had the hash, and has fetched a file without it since, may hold
// either.
func TestFileThatMayHaveBeenTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.come(first)
	given(t, w)
	w.come(first)
	_, err := w.keeper.Abort(t.Context(), rollover.Order{})
	must(t, err)
	w.fetch(first, true) // it holds it, and has not registered
	_, err = w.keeper.Start(t.Context(), rollover.Order{Certificate: "given"})
	must(t, err)
	var refused *rollover.Refused
	if _, err = w.keeper.Commit(t.Context(), rollover.Order{}); !errors.As(err, &refused) {
		t.Errorf("commit: %v", err)
	}
	w.meet(first)
	w.come(first)
	_, err = w.keeper.Commit(t.Context(), rollover.Order{})
	must(t, err)
	w.meet(first)
}

// TestUnproven: a PBX has the phones, so only a fetch that is certainly the phone's makes it ready, or the operator's
// word that all are.
func TestUnproven(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.aside = true
	w.come(first)
	given(t, w)
	for _, c := range []struct {
		to    string
		other bool
		why   string
	}{
		{"10.2.0.7", false, "unproven: 10.2.0.7 is behind a router"},
		{"10.1.0.7", true, "unproven: 10.1.0.7 has another MAC address"},
	} {
		w.tick()
		f := w.file(first)
		f.To, f.Other = netip.MustParseAddr(c.to), c.other
		w.arrived[first] = append(w.arrived[first], f)
		if s := w.status(); s.Ready != 0 || len(s.NotReady) != 1 || !strings.Contains(s.NotReady[0].Why, c.why) {
			t.Errorf("status: %+v, want %q", s.NotReady, c.why)
		}
		var refused *rollover.Refused
		if _, err := w.keeper.Commit(t.Context(), rollover.Order{}); !errors.As(err, &refused) {
			t.Errorf("commit: %v", err)
		}
	}
	w.fetch(first, true)
	if s := w.status(); s.Ready != 1 {
		t.Errorf("the phone has fetched its file: %+v", s)
	}
}

package rollover_test

import (
	"crypto/x509"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/trust/rollover"
)

// rsaWorld is a world whose gateway presents an RSA certificate, with a spare.
func rsaWorld(t *testing.T, phones int) *world {
	t.Helper()
	w := newWorld(t, phones)
	w.create = trust.CreateCertificate
	w.restart()
	for _, name := range []string{"gateway", "gateway-spare"} {
		pair, err := trust.CreateCertificate("vpn.example.net", w.now, 10*year)
		must(t, err)
		must(t, w.apply(t.Context(), []inventory.Object{&inventory.Certificate{Name: name, Certificate: pair.Certificate, Key: pair.Key}}))
	}
	return w
}

// beside returns the inventory with an ECDSA certificate presented beside the first.
func (w *world) beside(name string) (*inventory.Set, *inventory.VPNGateway) {
	after := w.change(w.set.VPNGateways["gateway"].Certificates...)
	after.VPNGateways["gateway"].ECDSACertificate = name
	return after, after.VPNGateways["gateway"]
}

// TestECDSABeside: the certificate's hash goes out first, who presents it before every phone has it is
// stopped, and it is no spare.
func TestECDSABeside(t *testing.T) {
	t.Parallel()
	w := rsaWorld(t, 3)
	w.come(first)
	w.come(second) // the third has never been heard of
	s, err := w.keeper.Start(t.Context(), rollover.Order{ECDSA: true})
	must(t, err)
	if s.State != rollover.None || s.ECDSA == nil || s.ECDSA.Presented || s.ECDSA.Ready != 0 || s.Phones != 2 || w.presented() != "gateway" {
		t.Fatalf("after start: %+v", s)
	}
	name := s.ECDSA.Name
	if len(s.Spares) != 1 || s.Spares[0].Name != "gateway-spare" {
		t.Errorf("spares are %+v", s.Spares)
	}
	w.come(first)
	after, _ := w.beside(name)
	problems := w.keeper.Guard(w.set, after)
	if len(problems) != 1 || !strings.Contains(problems[0].Says, `ECDSA certificate "`+name+`" would be presented, and 1 phone would be kept out: `+second) ||
		!strings.Contains(problems[0].Hint, "rollover status gateway") {
		t.Fatalf("presented before the second phone has the hash: %+v", problems)
	}
	if s = w.status(); s.ECDSA.Ready != 1 {
		t.Errorf("with one phone ready: %+v", s.ECDSA)
	}
	w.come(second)
	if problems := w.keeper.Guard(w.set, after); len(problems) > 0 {
		t.Fatalf("presented when both have it: %v", problems)
	}
	_, g := w.beside(name)
	must(t, w.apply(t.Context(), []inventory.Object{g}))
	if s = w.status(); !s.ECDSA.Presented || s.ECDSA.Ready != 2 || s.Presented.Name != "gateway" {
		t.Errorf("afterwards: %+v", s)
	}
	if got := rollover.Presented(w.set.VPNGateways["gateway"]); !slices.Equal(got, []string{"gateway", name}) {
		t.Errorf("presented are %v", got)
	}
	if _, err := w.keeper.Start(t.Context(), rollover.Order{ECDSA: true}); err == nil {
		t.Error("a second one is made")
	}
	leaf, err := w.set.Certificates[name].Leaf()
	must(t, err)
	w.keeper.Mistrusted(leaf.Raw, netip.MustParseAddr("198.51.100.7"), first)
	if s = w.status(); len(s.Refused) != 1 || s.Refused[0].Device != first {
		t.Errorf("a phone that refuses it: %+v", s.Refused)
	}
}

// TestECDSAStaysBeside: the first certificate changes to the spare and is retired; the other stays where it
// is, and does not become the spare.
func TestECDSAStaysBeside(t *testing.T) {
	t.Parallel()
	w := rsaWorld(t, 1)
	s, err := w.keeper.Start(t.Context(), rollover.Order{ECDSA: true})
	must(t, err)
	name := s.ECDSA.Name
	_, g := w.beside(name)
	must(t, w.apply(t.Context(), []inventory.Object{g}))
	w.come(first)
	for _, step := range []func() (rollover.Progress, error){
		func() (rollover.Progress, error) { return w.keeper.Start(t.Context(), rollover.Order{}) },
		func() (rollover.Progress, error) {
			w.come(first)
			return w.keeper.Commit(t.Context(), rollover.Order{})
		},
		func() (rollover.Progress, error) { return w.keeper.Retire(t.Context(), rollover.Order{}) },
	} {
		if s, err = step(); err != nil {
			t.Fatal(err)
		}
		if w.set.VPNGateways["gateway"].ECDSACertificate != name || !slices.Contains(w.set.VPNGateways["gateway"].Certificates, name) {
			t.Fatalf("in state %s: %+v", s.State, w.set.VPNGateways["gateway"])
		}
	}
	if w.presented() != "gateway-spare" {
		t.Errorf("presented is %s", w.presented())
	}
}

// TestECDSAOfNobody: when a certificate of an authority takes the first place, the self-signed one beside it
// goes, because computers would not believe it; and on the way back it comes again.
func TestECDSAOfNobody(t *testing.T) {
	t.Parallel()
	w := rsaWorld(t, 1)
	s, err := w.keeper.Start(t.Context(), rollover.Order{ECDSA: true})
	must(t, err)
	name := s.ECDSA.Name
	_, g := w.beside(name)
	certificate, key := testcert.PEM(testcert.NewAuthority("An authority", nil).Issue("vpn.example.net", func(c *x509.Certificate) {
		c.DNSNames, c.NotBefore, c.NotAfter = []string{"vpn.example.net"}, w.now.Add(-day), w.now.Add(20*year)
	}))
	must(t, w.apply(t.Context(), []inventory.Object{g, &inventory.Certificate{Name: "public", Certificate: certificate, Key: secret.New(key)}}))
	w.come(first)
	_, err = w.keeper.Start(t.Context(), rollover.Order{Certificate: "public"})
	must(t, err)
	w.come(first)
	_, err = w.keeper.Commit(t.Context(), rollover.Order{})
	must(t, err)
	if got := w.set.VPNGateways["gateway"]; got.ECDSACertificate != "" || w.presented() != "public" || !slices.Contains(got.Certificates, name) {
		t.Fatalf("after the commit: %+v", got)
	}
	_, err = w.keeper.Abort(t.Context(), rollover.Order{})
	must(t, err)
	if got := w.set.VPNGateways["gateway"]; got.ECDSACertificate != name || w.presented() != "gateway" {
		t.Fatalf("after the way back: %+v", got)
	}
	_, err = w.keeper.Start(t.Context(), rollover.Order{Certificate: "public"})
	must(t, err)
	w.come(first)
	_, err = w.keeper.Commit(t.Context(), rollover.Order{})
	must(t, err)
	_, err = w.keeper.Retire(t.Context(), rollover.Order{})
	must(t, err)
	if got := w.set.VPNGateways["gateway"].Certificates; slices.Contains(got, name) {
		t.Errorf("phones are still told of it: %v", got)
	}
	if _, err := w.keeper.Start(t.Context(), rollover.Order{ECDSA: true}); err == nil || !strings.Contains(err.Error(), "is an authority's") {
		t.Errorf("a self-signed one beside an authority's: %v", err)
	}
}

// TestSpareOfAnRSACertificate: no ECDSA certificate takes the place of an RSA one.
func TestSpareOfAnRSACertificate(t *testing.T) {
	t.Parallel()
	w := rsaWorld(t, 1)
	must(t, w.apply(t.Context(), []inventory.Object{w.certificate("curve", 30*year)}))
	set := w.change("gateway", "curve", "gateway-spare")
	if got := rollover.Spares(set, set.VPNGateways["gateway"], w.now.Add(time.Hour)); !slices.Equal(got, []string{"gateway-spare"}) {
		t.Errorf("spares are %v", got)
	}
	if _, err := w.keeper.Start(t.Context(), rollover.Order{Certificate: "curve"}); err == nil || !strings.Contains(err.Error(), "has no RSA key") {
		t.Errorf("a roll-over to it: %v", err)
	}
}

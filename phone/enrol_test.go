package phone

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/provisioner"
	"github.com/longcord/longcord/stage/enrol"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/trust/lsc"
	"github.com/longcord/longcord/tun"
	"github.com/longcord/longcord/wire/capf"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/tlv"
	"github.com/longcord/longcord/wire/tvs"
)

const enrolling1 = "SEP001122334455"

// trustHouse is a trust server with its book, and one phone that may enrol there.
type trustHouse struct {
	t         *testing.T
	authority *trust.Authority
	book      *lsc.Book
	tvs, capf netip.AddrPort
	legacy    bool
}

func newTrustHouse(t *testing.T) *trustHouse {
	t.Helper()
	h := &trustHouse{t: t}
	kept := memory.New()
	set := inventory.NewSet()
	set.Devices[enrolling1] = &inventory.Device{Name: enrolling1, Model: "CP-8861"}
	sealer := trust.NewSealer([trust.KeySize]byte{1})
	var err error
	if h.authority, err = trust.OpenAuthority(t.Context(), trust.AuthorityConfig{Store: kept, Sealer: sealer}); err != nil {
		t.Fatal(err)
	}
	h.book, err = lsc.Open(t.Context(), lsc.Config{
		Store: kept, Sealer: sealer, Authority: h.authority, Inventory: func() *inventory.Set { return set }, Findings: finding.NewBoard(),
	})
	if err != nil {
		t.Fatal(err)
	}
	server, err := provisioner.NewTrustServer(provisioner.TrustConfig{
		TVS: netip.MustParseAddrPort("127.0.0.1:0"), CAPF: netip.MustParseAddrPort("127.0.0.1:0"), Enrolments: h.book, Legacy: func() bool { return h.legacy },
		TVSPair:  func() (tls.Certificate, error) { return h.authority.Pair(trust.TVS) },
		CAPFPair: func() (tls.Certificate, error) { return h.authority.Pair(trust.CAPF) },
		Known: func() (all []verify.TVSRecord) {
			for _, r := range h.authority.Records() {
				all = append(all, verify.TVSRecord{Certificate: r.Certificate.Raw, Issuer: r.Issuer, Serial: r.Serial(), Roles: []tlv.Role{r.Role}})
			}
			return all
		},
	})
	if err == nil {
		err = server.Open()
	}
	if err != nil {
		t.Fatal(err)
	}
	h.tvs, h.capf = server.Addresses()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = kept.Close()
	})
	return h
}

func (h *trustHouse) phone(dir string, model Model) *Phone {
	h.t.Helper()
	p, err := New(Config{
		Name: enrolling1, Servers: []string{"127.0.0.1"}, StateDir: dir, Model: model,
		OpenTUN: func(tun.Settings) (tun.Device, error) { return nil, errors.New("no tunnel here") },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	p.trust = loadBelief(beliefConfig{dir: dir})
	return p
}

func (h *trustHouse) order(o lsc.Order) lsc.Order {
	h.t.Helper()
	o.Until = time.Now().Add(time.Hour)
	o, err := h.book.Start(h.t.Context(), enrolling1, o)
	if err != nil {
		h.t.Fatal(err)
	}
	return o
}

// enrol has the phone go to CAPF, as its file tells it to now.
func (h *trustHouse) enrol(p *Phone) (enrol.Outcome, error) {
	server := cnf.CAPF{Host: "127.0.0.1", Port: int(h.capf.Port())}
	return p.enrolAt(h.t.Context(), network{}, server, h.book.Mode(enrolling1))
}

func (h *trustHouse) login(p *Phone) error {
	h.t.Helper()
	leaf := p.certificate().Leaf
	if leaf == nil {
		return errors.New("no certificate")
	}
	_, err := verify.CheckClient(time.Now(), []*x509.Certificate{leaf}, []verify.Authority{*h.book.Authority()})
	return err
}

// TestLifeOfAnLSC: typed in, kept over a power cut, renewed by itself, revoked, given anew, deleted.
func TestLifeOfAnLSC(t *testing.T) {
	h, dir := newTrustHouse(t), t.TempDir()
	p := h.phone(dir, Model{Name: "CP-8861"})
	o := h.order(lsc.Order{Operation: enrol.Install, Mode: enrol.ByPassword, Key: enrol.DefaultKey})
	if out, err := h.enrol(p); err != nil || out.Done || out.Says != "unknown device" {
		t.Fatalf("without the password: %+v, %v", out, err)
	}
	p.config.AuthString = o.Password
	if out, err := h.enrol(p); err != nil || !out.Done || out.Operation != enrol.Install {
		t.Fatalf("with it: %+v, %v", out, err)
	}
	if _, rsaKey := p.certificate().PrivateKey.(*rsa.PrivateKey); !rsaKey || p.certificate().Leaf.Subject.CommonName != "CP-8861-"+enrolling1 {
		t.Errorf("LSC is %s with %T", p.certificate().Leaf.Subject, p.certificate().PrivateKey)
	}
	if err := h.login(p); err != nil {
		t.Error(err)
	}
	p = h.phone(dir, Model{Name: "CP-8861"}) // a power cut
	first := p.certificate().Leaf
	h.order(lsc.Order{Operation: enrol.Install, Mode: enrol.ByCertificate, Key: enrol.Key{Type: capf.EC, Curve: capf.P384}})
	if out, err := h.enrol(p); err != nil || !out.Done {
		t.Fatalf("renewal: %+v, %v", out, err)
	}
	if _, ec := p.certificate().PrivateKey.(*ecdsa.PrivateKey); !ec || p.certificate().Leaf.Equal(first) {
		t.Errorf("renewed is %s with %T", p.certificate().Leaf.SerialNumber, p.certificate().PrivateKey)
	}
	h.order(lsc.Order{Operation: enrol.Fetch, Mode: enrol.ByCertificate})
	if out, err := h.enrol(p); err != nil || !out.Done || out.Operation != enrol.Fetch {
		t.Errorf("shown to CAPF: %+v, %v", out, err)
	}
	if n, err := h.book.Revoke(t.Context(), enrolling1); n != 2 || err != nil {
		t.Fatalf("revoked %d, %v", n, err)
	}
	if err := h.login(p); err == nil || !strings.Contains(err.Error(), "revoked") {
		t.Errorf("revoked, and: %v", err)
	}
	h.order(lsc.Order{Operation: enrol.Install, Mode: enrol.ByCertificate, Key: enrol.DefaultKey})
	if out, err := h.enrol(p); err != nil || out.Done {
		t.Errorf("the revoked one proves something: %+v, %v", out, err)
	}
	h.order(lsc.Order{Operation: enrol.Install, Mode: enrol.ByNothing, Key: enrol.DefaultKey})
	if out, err := h.enrol(p); err != nil || !out.Done || h.login(p) != nil {
		t.Errorf("given anew: %+v, %v", out, err)
	}
	h.order(lsc.Order{Operation: enrol.Delete, Mode: enrol.ByCertificate})
	if out, err := h.enrol(p); err != nil || !out.Done || out.Operation != enrol.Delete || p.certificate().Leaf != nil {
		t.Errorf("deleted: %+v, %v", out, err)
	}
	if p = h.phone(dir, Model{}); p.certificate().Leaf != nil {
		t.Error("after a power cut the deleted one is back")
	}
	if out, err := h.enrol(p); err != nil || !out.Done || out.Operation != enrol.Nothing {
		t.Errorf("with nothing to do: %+v, %v", out, err)
	}
}

// TestListWithoutCAPF is a phone whose trust list leads back to plain files: it believes no CAPF, and says so.
func TestListWithoutCAPF(t *testing.T) {
	h, dir := newTrustHouse(t), t.TempDir()
	h.order(lsc.Order{Operation: enrol.Install, Mode: enrol.ByNothing, Key: enrol.DefaultKey})
	file := &cnf.Device{CAPF: []cnf.CAPF{{Host: "127.0.0.1", Port: int(h.capf.Port())}}, CAPFAuthMode: int(enrol.ByNothing)}
	var found []string
	for _, back := range []bool{true, false} {
		list, err := h.authority.List(trust.Signing{Name: provision.SharedITL}, trust.ITL, trust.ListOptions{Rollback: back})
		if err == nil {
			err = saveFile(dir, provision.SharedITL, list)
		}
		if err != nil {
			t.Fatal(err)
		}
		p := h.phone(dir, Model{Name: "CP-8861"})
		p.config.Events = func(e Event) {
			if e.Finding != nil {
				found = append(found, e.Finding.Code)
			}
		}
		if got := p.enrol(t.Context(), network{}, file); got == back {
			t.Errorf("leads back %t: gets a certificate %t", back, got)
		}
	}
	if !slices.Equal(found, []string{finding.CAPFUntrusted.Code}) {
		t.Errorf("found %q, want that of the first alone", found)
	}
}

// TestOldPhoneEnrols is a 79xx: TLS 1.0, one record a message.
func TestOldPhoneEnrols(t *testing.T) {
	h := newTrustHouse(t)
	p := h.phone(t.TempDir(), Model{Name: "CP-7965G", Old: true})
	h.order(lsc.Order{Operation: enrol.Install, Mode: enrol.ByNothing, Key: enrol.Key{Type: capf.RSA, Bits: 1024}})
	if out, err := h.enrol(p); err == nil {
		t.Fatalf("TLS 1.0 is taken while no old phone is declared: %+v", out)
	}
	h.legacy = true
	if out, err := h.enrol(p); err != nil || !out.Done {
		t.Fatalf("%+v, %v", out, err)
	}
	if err := h.login(p); err != nil {
		t.Error(err)
	}
}

func (h *trustHouse) ask(p *Phone, r tvs.Request) (*x509.Certificate, []tlv.Role, error) {
	c := tvsClient{p.trustDialer(network{}), []cnf.TVSServer{{Host: "127.0.0.1", Port: 1}, {Host: "127.0.0.1", Port: int(h.tvs.Port())}}, "CP-8861-" + enrolling1}
	certificate, roles, _, err := c.ask(h.t.Context(), r)
	return certificate, roles, err
}

// TestAskTVSOnTheWire: the first service is silent, the second answers.
func TestAskTVSOnTheWire(t *testing.T) {
	h := newTrustHouse(t)
	p := h.phone(t.TempDir(), Model{Name: "CP-8861"})
	files, err := h.authority.Pair(trust.Files)
	if err != nil {
		t.Fatal(err)
	}
	query := tvs.Request{Subject: tlv.NameText(files.Leaf.Subject), Issuer: tlv.NameText(files.Leaf.Issuer), Serial: files.Leaf.SerialNumber.Bytes()}
	for name, r := range map[string]tvs.Request{"query": query, "certificate": {Certificate: files.Leaf.Raw}} {
		if c, roles, err := h.ask(p, r); err != nil || !c.Equal(files.Leaf) || len(roles) != 1 || roles[0] != tlv.TFTP {
			t.Errorf("%s: %v, %v", name, roles, err)
		}
	}
	told := 0
	nobody := tvsClient{p.trustDialer(network{}), []cnf.TVSServer{{Host: "127.0.0.1", Port: 1}}, "CP-8861-" + enrolling1}
	b := &belief{config: beliefConfig{tvs: nobody, report: func(f finding.Finding) {
		if told++; f.Code != finding.TVSUnreachable.Code || f.Subject != "127.0.0.1:1" {
			t.Errorf("where nobody answers: %+v", f)
		}
	}}}
	if err := b.vouch(t.Context(), func() (verify.Vouched, error) { return b.config.tvs.about(t.Context(), files.Leaf) }); err == nil || told != 1 {
		t.Errorf("where nobody answers: %v, told %d times", err, told)
	}
	if server := unanswered(errors.Join(verify.ErrNotVouched, err)); server != "" {
		t.Errorf("an answer that says no is taken for none of %s", server)
	}
	query.Serial = []byte{1}
	if _, _, err := h.ask(p, query); !errors.Is(err, verify.ErrNotVouched) {
		t.Errorf("an unknown number: %v", err)
	}
	// What the phone shows in the handshake counts as a proof that it has its LSC.
	h.order(lsc.Order{Operation: enrol.Install, Mode: enrol.ByNothing, Key: enrol.DefaultKey})
	if out, err := h.enrol(p); err != nil || !out.Done {
		t.Fatalf("%+v, %v", out, err)
	}
	if c := h.book.Phone(enrolling1).Current(time.Now()); c == nil || !c.Shown.IsZero() {
		t.Fatalf("before it was shown: %+v", c)
	}
	if _, _, err := h.ask(p, tvs.Request{Certificate: files.Leaf.Raw}); err != nil {
		t.Fatal(err)
	}
	if c := h.book.Phone(enrolling1).Current(time.Now()); c == nil || c.Shown.IsZero() {
		t.Errorf("after it was shown: %+v", c)
	}
}

package lsc

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/enrol"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/wire/capf"
)

const desk, other = "SEP001122334455", "SEP0011223344FF"

// house is a book with two phones, and a clock that is set by hand.
type house struct {
	*Book
	t         *testing.T
	store     store.Store
	authority *trust.Authority
	set       *inventory.Set
	board     *finding.Board
	now       time.Time
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, store: memory.New(), board: finding.NewBoard(), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	t.Cleanup(func() { _ = h.store.Close() })
	h.set = inventory.NewSet()
	h.set.Devices[desk] = &inventory.Device{Name: desk, Model: "CP-8861"}
	h.set.Devices[other] = &inventory.Device{Name: other, Model: "7965"}
	var err error
	h.authority, err = trust.OpenAuthority(t.Context(), trust.AuthorityConfig{Store: h.store, Sealer: trust.NewSealer([trust.KeySize]byte{1}), Now: h.clock})
	if err != nil {
		t.Fatal(err)
	}
	h.open()
	return h
}

func (h *house) clock() time.Time { return h.now }

// open reads the book anew, as after a restart.
func (h *house) open() {
	h.t.Helper()
	var err error
	h.Book, err = Open(h.t.Context(), Config{
		Store: h.store, Sealer: trust.NewSealer([trust.KeySize]byte{1}), Authority: h.authority,
		Inventory: func() *inventory.Set { return h.set }, Findings: h.board, Now: h.clock,
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) order(device string, mode enrol.Mode) Order {
	h.t.Helper()
	o, err := h.Start(h.t.Context(), device, Order{Operation: enrol.Install, Mode: mode, Key: enrol.Key{Type: capf.EC}, Until: h.now.Add(24 * time.Hour)})
	if err != nil {
		h.t.Fatal(err)
	}
	return o
}

func (h *house) judge(c enrol.Claim) enrol.Task {
	h.t.Helper()
	task, err := h.Judge(h.t.Context(), c, "")
	if err != nil {
		h.t.Fatal(err)
	}
	return task
}

// enrol takes a phone through an enrolment that is ordered, and returns its key and certificate.
func (h *house) enrol(device string) (crypto.Signer, *x509.Certificate) {
	h.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	der, err := h.Sign(h.t.Context(), device, key.Public())
	if err != nil {
		h.t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.Ended(h.t.Context(), enrol.Outcome{Device: device, Operation: enrol.Install, Done: true, Certificate: der}); err != nil {
		h.t.Fatal(err)
	}
	return key, leaf
}

// prove has a phone prove that it has what it got, as it does when it starts anew.
func (h *house) prove(device string, key crypto.Signer, leaf *x509.Certificate) {
	h.t.Helper()
	if task := h.judge(claim(device, key, capf.LSC, leaf)); !task.Known || task.Operation != enrol.Fetch {
		h.t.Fatalf("after an enrolment the task is %+v", task)
	}
	if err := h.Ended(h.t.Context(), enrol.Outcome{Device: device, Operation: enrol.Fetch, Done: true, Certificate: leaf.Raw}); err != nil {
		h.t.Fatal(err)
	}
	if p := h.Phone(device); p.Order != nil || p.Current(h.now).Shown.IsZero() {
		h.t.Fatalf("after it has proved it: %+v", p)
	}
}

func (h *house) login(leaf *x509.Certificate) error {
	_, err := verify.CheckClient(h.now, []*x509.Certificate{leaf}, []verify.Authority{*h.Authority()})
	return err
}

func (h *house) codes() (all []string) {
	for _, f := range h.board.Findings() {
		all = append(all, f.Code+" "+f.Subject)
	}
	return all
}

func claim(device string, key crypto.Signer, kind capf.CertificateType, leaf *x509.Certificate) enrol.Claim {
	c := enrol.Claim{Device: device, Certificate: capf.Certificate{Type: kind, DER: leaf.Raw}}
	if err := c.Prove(key); err != nil {
		panic(err)
	}
	return c
}

func TestProfile(t *testing.T) {
	h := newHouse(t)
	h.order(desk, enrol.ByNothing)
	_, leaf := h.enrol(desk)
	issuer, err := h.authority.Pair(trust.CAPF)
	if err != nil {
		t.Fatal(err)
	}
	if leaf.Subject.CommonName != "CP-8861-"+desk || !slices.Equal(leaf.Subject.Organization, issuer.Leaf.Subject.Organization) {
		t.Errorf("subject is %s", leaf.Subject)
	}
	if leaf.SerialNumber.BitLen() != 127 || leaf.IsCA || !leaf.BasicConstraintsValid || leaf.SignatureAlgorithm != x509.SHA256WithRSA {
		t.Errorf("serial %x, CA %v, %s", leaf.SerialNumber, leaf.IsCA, leaf.SignatureAlgorithm)
	}
	if want := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageIPSECEndSystem}; !slices.Equal(leaf.ExtKeyUsage, want) {
		t.Errorf("purposes are %v", leaf.ExtKeyUsage)
	}
	if leaf.KeyUsage != x509.KeyUsageDigitalSignature {
		t.Errorf("an EC certificate has key usage %b", leaf.KeyUsage)
	}
	if len(leaf.URIs) != 1 || leaf.URIs[0].String() != desk {
		t.Errorf("URIs are %v", leaf.URIs)
	}
	if err := h.login(leaf); err != nil {
		t.Error(err)
	}
	h.order(other, enrol.ByNothing)
	if _, leaf := h.enrol(other); leaf.Subject.CommonName != "CP-7965G-"+other {
		t.Errorf("subject of the other model is %s", leaf.Subject)
	}
}

func TestPassword(t *testing.T) {
	h := newHouse(t)
	o := h.order(desk, enrol.ByPassword)
	if len(o.Password.Reveal()) != 8 || h.Mode(desk) != enrol.ByPassword || h.Mode(other) != enrol.NotPending {
		t.Fatalf("order is %+v, mode %v", o, h.Mode(desk))
	}
	right := enrol.Claim{Device: desk, Password: o.Password}
	if task := h.judge(right); !task.Known || task.Operation != enrol.Install || task.Key.String() != "ec-256" {
		t.Errorf("the right password gives %+v", task)
	}
	h.open() // orders outlast a restart
	for range maxTries {
		if task := h.judge(enrol.Claim{Device: desk, Password: secret.New("00000000")}); task.Known {
			t.Fatal("a wrong password is taken")
		}
	}
	if task := h.judge(right); task.Known || !strings.Contains(task.Why, "order anew") {
		t.Errorf("after %d wrong ones the right password gives %+v", maxTries, task)
	}
	if again := h.order(desk, enrol.ByPassword); again.Password == o.Password || again.Exhausted() {
		t.Errorf("ordered anew: %+v", again)
	}
}

func TestWhoIsUnknown(t *testing.T) {
	h := newHouse(t)
	h.order(desk, enrol.ByNothing)
	for name, c := range map[string]enrol.Claim{"undeclared": {Device: "SEPFFFFFFFFFFFF"}, "nameless": {}, "odd": {Device: "../" + desk}} {
		if task := h.judge(c); task.Known {
			t.Errorf("%s is known: %+v", name, task)
		}
	}
	if task := h.judge(enrol.Claim{Device: other}); !task.Known || task.Operation != enrol.Nothing {
		t.Errorf("who has nothing to do: %+v", task)
	}
	if task, err := h.Judge(t.Context(), enrol.Claim{Device: desk}, other); err != nil || task.Known {
		t.Errorf("through another's tunnel: %+v, %v", task, err)
	}
	if task, err := h.Judge(t.Context(), enrol.Claim{Device: desk}, desk); err != nil || !task.Known {
		t.Errorf("through its own tunnel: %+v, %v", task, err)
	}
	h.now = h.now.Add(25 * time.Hour)
	if task := h.judge(enrol.Claim{Device: desk}); task.Operation != enrol.Nothing || h.Mode(desk) != enrol.NotPending {
		t.Errorf("after its time: %+v", task)
	}
	if _, err := h.Sign(t.Context(), desk, nil); err == nil {
		t.Error("a certificate is issued that nobody has ordered")
	}
	h.set.Devices[desk].Blocked = true
	if task := h.judge(enrol.Claim{Device: desk}); task.Known {
		t.Errorf("a blocked device is known: %+v", task)
	}
	if _, err := h.Start(t.Context(), desk, Order{Operation: enrol.Install}); err == nil {
		t.Error("a blocked device is ordered to enrol")
	}
}

func TestRenewByLSC(t *testing.T) {
	h := newHouse(t)
	h.order(desk, enrol.ByNothing)
	key, leaf := h.enrol(desk)
	h.order(other, enrol.ByNothing)
	otherKey, otherLeaf := h.enrol(other)
	h.order(desk, enrol.ByCertificate)
	if task := h.judge(enrol.Claim{Device: desk}); task.Known {
		t.Errorf("without a certificate: %+v", task)
	}
	if task := h.judge(claim(desk, otherKey, capf.LSC, otherLeaf)); task.Known {
		t.Errorf("with another's certificate: %+v", task)
	}
	if task := h.judge(claim(desk, otherKey, capf.LSC, leaf)); task.Known {
		t.Errorf("with another's key: %+v", task)
	}
	if task := h.judge(claim(desk, key, capf.LSC, leaf)); !task.Known || task.Operation != enrol.Install {
		t.Errorf("with its own: %+v", task)
	}
	if c := h.Phone(desk).Current(h.now); c == nil || c.Shown.IsZero() {
		t.Errorf("a proof does not count as shown: %+v", c)
	}
}

func TestRevoked(t *testing.T) {
	h := newHouse(t)
	h.order(desk, enrol.ByNothing)
	key, leaf := h.enrol(desk)
	h.order(other, enrol.ByNothing)
	_, stays := h.enrol(other)
	before := h.Authority()
	if n, err := h.Revoke(t.Context(), desk); n != 1 || err != nil {
		t.Fatalf("revoked %d, %v", n, err)
	}
	h.open()
	if err := h.login(leaf); err == nil || !strings.Contains(err.Error(), "revoked") {
		t.Errorf("the revoked certificate logs in: %v", err)
	}
	if err := h.login(stays); err != nil {
		t.Errorf("the other one does not: %v", err)
	}
	after := h.Authority()
	if same := h.Authority(); after == before || same != after {
		t.Error("the authority is not told apart by its pointer")
	}
	h.order(desk, enrol.ByCertificate)
	if task := h.judge(claim(desk, key, capf.LSC, leaf)); task.Known {
		t.Errorf("the revoked certificate enrols: %+v", task)
	}
	if n, err := h.Revoke(t.Context(), desk); n != 0 || err != nil || h.Phone(desk).Order != nil {
		t.Errorf("once more: revoked %d, %v; order %+v", n, err, h.Phone(desk).Order)
	}
	h.order(desk, enrol.ByNothing)
	if _, renewed := h.enrol(desk); h.login(renewed) != nil {
		t.Error("the new one does not log in")
	}
	list, err := h.RevocationList()
	if err != nil {
		t.Fatal(err)
	}
	ca, rest := pem.Decode(list)
	crl, _ := pem.Decode(rest)
	issuer, err := x509.ParseCertificate(ca.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseRevocationList(crl.Bytes)
	if err != nil || parsed.CheckSignatureFrom(issuer) != nil || len(parsed.RevokedCertificateEntries) != 1 ||
		parsed.RevokedCertificateEntries[0].SerialNumber.Cmp(leaf.SerialNumber) != 0 {
		t.Errorf("the list for others: %v, %v", parsed, err)
	}
}

func TestDelete(t *testing.T) {
	h := newHouse(t)
	h.order(desk, enrol.ByNothing)
	h.enrol(desk)
	if _, err := h.Start(t.Context(), desk, Order{Operation: enrol.Delete, Mode: enrol.ByNothing, Until: h.now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if task := h.judge(enrol.Claim{Device: desk}); task.Operation != enrol.Delete {
		t.Errorf("task is %+v", task)
	}
	h.board.Raise(finding.CAPFUntrusted.With(desk, "it left"))
	if err := h.Ended(t.Context(), enrol.Outcome{Device: desk, Operation: enrol.Delete, Done: true}); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(h.codes(), "capf-untrusted "+desk) {
		t.Errorf("it is still said to have failed: %v", h.codes())
	}
	if p := h.Phone(desk); p.Current(h.now) != nil || p.Order != nil {
		t.Errorf("after the phone deleted it: %+v", p)
	}
}

// TestHalfAnEnrolment: what the phone has not confirmed does not count, and it may come again.
func TestHalfAnEnrolment(t *testing.T) {
	h := newHouse(t)
	h.order(desk, enrol.ByNothing)
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	for range maxSigned {
		if task := h.judge(enrol.Claim{Device: desk}); !task.Known {
			t.Fatalf("task is %+v", task)
		}
		if _, err := h.Sign(t.Context(), desk, key.Public()); err != nil {
			t.Fatal(err)
		}
		if err := h.Ended(t.Context(), enrol.Outcome{Device: desk, Operation: enrol.Install}); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Contains(h.codes(), "capf-untrusted "+desk) {
		t.Errorf("nobody is told: %v", h.codes())
	}
	if err := h.Ended(t.Context(), enrol.Outcome{Device: "SEP0000000000FF", Operation: enrol.Nothing}); err != nil || slices.Contains(h.codes(), "capf-untrusted SEP0000000000FF") {
		t.Errorf("a stranger is spoken of: %v, %v", h.codes(), err)
	}
	if p := h.Phone(desk); p.Current(h.now) != nil || p.Order == nil {
		t.Errorf("half an enrolment counts: %+v", p)
	}
	if task := h.judge(enrol.Claim{Device: desk}); task.Known || !strings.Contains(task.Why, "kept none") {
		t.Errorf("it goes on for ever: %+v", task)
	}
}

// TestYears lives through renewals: a phone that comes when its file says so never runs out.
func TestYears(t *testing.T) {
	h := newHouse(t)
	look := func() {
		t.Helper()
		if err := h.Look(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	h.order(desk, enrol.ByNothing)
	key, leaf := h.enrol(desk)
	h.prove(desk, key, leaf)
	h.order(other, enrol.ByNothing)
	_, lazy := h.enrol(other)
	renewed := 0
	for range 16 * 12 {
		h.now = h.now.Add(30 * 24 * time.Hour)
		if capfEnd := h.authority.Records()[5].Certificate.NotAfter; h.now.After(capfEnd.Add(-365 * 24 * time.Hour)) {
			break // the authority's own end is another story
		}
		look()
		if err := h.login(leaf); err != nil {
			t.Fatalf("%s: %v", h.now, err)
		}
		if h.Mode(desk) == enrol.ByCertificate {
			if task := h.judge(claim(desk, key, capf.LSC, leaf)); !task.Known || task.Key.String() != "ec-256" {
				t.Fatalf("%s: renewal is %+v", h.now, task)
			}
			key, leaf = h.enrol(desk)
			h.prove(desk, key, leaf)
			renewed++
		}
		said := slices.Contains(h.codes(), "lsc-expires "+other)
		if want := h.now.After(lazy.NotAfter.Add(-warnBefore)) && h.now.Before(lazy.NotAfter); said != want {
			t.Errorf("%s: said that %s runs out: %v, want %v", h.now.Format(time.DateOnly), other, said, want)
		}
		if slices.Contains(h.codes(), "lsc-expires "+desk) {
			t.Errorf("%s: %v", h.now, h.codes())
		}
	}
	if renewed != 1 {
		t.Errorf("renewed %d times in nine years, want 1", renewed)
	}
}

func TestManufacturer(t *testing.T) {
	h := newHouse(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	caTemplate := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test Manufacturing CA"}, NotBefore: h.now.AddDate(-1, 0, 0), NotAfter: h.now.AddDate(20, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, caTemplate, caTemplate, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	ca, _ := x509.ParseCertificate(caDER)
	leafDER, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "CP-8861-" + desk}, NotBefore: h.now.AddDate(-1, 0, 0), NotAfter: h.now.AddDate(2, 0, 0),
	}, ca, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	mic, _ := x509.ParseCertificate(leafDER)
	h.order(desk, enrol.ByMIC)
	if task := h.judge(claim(desk, key, capf.MIC, mic)); task.Known {
		t.Errorf("a manufacturer that nobody has declared is taken: %+v", task)
	}
	h.set.CertificateAuthorities["cisco"] = &inventory.CertificateAuthority{
		Name: "cisco", Manufacturer: true, Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})),
	}
	if task := h.judge(claim(desk, key, capf.MIC, mic)); !task.Known {
		t.Errorf("the manufacturer's certificate is not taken: %+v", task)
	}
	h.order(other, enrol.ByMIC)
	if task := h.judge(claim(other, key, capf.MIC, mic)); task.Known {
		t.Errorf("another phone's is taken: %+v", task)
	}
	h.order(desk, enrol.ByMIC)
	lscKey, lsc := h.enrol(desk)
	h.order(desk, enrol.ByMIC)
	if task := h.judge(claim(desk, lscKey, capf.LSC, lsc)); task.Known {
		t.Errorf("an LSC is taken where the manufacturer's is asked for: %+v", task)
	}
	for at, want := range map[int]bool{11: false, 13: false} { // it has an LSC
		h.now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).AddDate(0, at, 0)
		if err := h.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(h.codes(), "manufacturer-certificate-expires "+desk); got != want {
			t.Errorf("after %d months: said that the manufacturer's ends: %v", at, got)
		}
	}
	if _, err := h.Revoke(t.Context(), desk); err != nil {
		t.Fatal(err)
	}
	h.now = time.Date(2027, 6, 1, 12, 0, 0, 0, time.UTC)
	h.open()
	if err := h.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(h.codes(), "manufacturer-certificate-expires "+desk) {
		t.Errorf("nothing is said of a phone that has only a manufacturer's certificate that ends: %v", h.codes())
	}
}

func TestSeen(t *testing.T) {
	h := newHouse(t)
	h.order(desk, enrol.ByNothing)
	_, leaf := h.enrol(desk)
	if p := h.Phone(desk); !p.Current(h.now).Shown.IsZero() {
		t.Fatalf("shown before it was: %+v", p)
	}
	if err := h.Seen(t.Context(), leaf); err != nil {
		t.Fatal(err)
	}
	h.open()
	if p := h.Phone(desk); p.Current(h.now).Shown.IsZero() || !bytes.Equal(p.Certificates[0].Leaf.Raw, leaf.Raw) || p.Certificates[0].Serial() != leaf.SerialNumber.Text(16) {
		t.Errorf("shown and not noted: %+v", p)
	}
	if all := h.Phones(); len(all) != 1 || all[0].Device != desk {
		t.Errorf("phones are %+v", all)
	}
	if err := h.Cancel(t.Context(), desk); err != nil {
		t.Error(err)
	}
}

// TestForFiles: what a phone's files are encrypted for is never forgotten while there is the phone, and nothing
// takes them back to plain.
func TestForFiles(t *testing.T) {
	h := newHouse(t)
	if leaf, _ := h.Phone(desk).ForFiles(); leaf != nil {
		t.Error("the phone has no certificate yet")
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	enrolRSA := func() *x509.Certificate {
		t.Helper()
		h.order(desk, enrol.ByNothing)
		der, err := h.Sign(t.Context(), desk, key.Public())
		if err != nil {
			t.Fatal(err)
		}
		before, _ := h.Phone(desk).ForFiles()
		leaf, err := x509.ParseCertificate(der)
		if err != nil || before != nil && before.Equal(leaf) {
			t.Fatalf("one that the phone has not stored counts: %v", err)
		}
		if err := h.Ended(t.Context(), enrol.Outcome{Device: desk, Operation: enrol.Install, Done: true, Certificate: der}); err != nil {
			t.Fatal(err)
		}
		return leaf
	}
	check := func(want *x509.Certificate, wantGood bool, when string) {
		t.Helper()
		if leaf, good := h.Phone(desk).ForFiles(); leaf == nil || !leaf.Equal(want) || good != wantGood {
			t.Errorf("%s: %v, good %v", when, leaf, good)
		}
	}
	first := enrolRSA()
	check(first, true, "with its first")
	h.now = h.now.Add(time.Hour)
	second := enrolRSA()
	check(second, true, "with its second")
	if _, err := h.Revoke(t.Context(), desk); err != nil {
		t.Fatal(err)
	}
	check(second, false, "revoked")
	h.now = h.now.Add(time.Hour)
	third := enrolRSA()
	check(third, true, "with its third")
	h.now = h.now.Add(7 * 365 * 24 * time.Hour)
	if err := h.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(third, true, "when it has long ended")
	if n := len(h.Phone(desk).Certificates); n != 1 {
		t.Errorf("%d certificates are remembered, want 1", n)
	}
	delete(h.set.Devices, desk)
	if err := h.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if leaf, _ := h.Phone(desk).ForFiles(); leaf != nil {
		t.Error("that of a phone that is gone is not forgotten")
	}
}

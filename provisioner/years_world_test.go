package provisioner

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
	"github.com/longcord/longcord/stage/enrol"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/trust/lsc"
	"github.com/longcord/longcord/trust/rollover"
	"github.com/longcord/longcord/wire/capf"
	"github.com/longcord/longcord/wire/tlv"
)

const (
	day  = 24 * time.Hour
	year = 365 * day
)

// yearsHouse is everything in an office that has to do with certificates, wired as the program wires it. Its
// clock is the bubble's, for all of them the same.
type yearsHouse struct {
	t         *testing.T
	store     store.Store
	issuer    *testcert.Authority // of the gateway's certificates, as an ACME authority
	authority *trust.Authority
	catalog   *catalog.Catalog
	book      *lsc.Book
	keeper    *rollover.Keeper
	files     *Provisioner
	trust     *TrustServer
	board     *finding.Board
	roamers   []*roamer
	counts    yearsCounts
}

// yearsCounts are what has happened.
type yearsCounts struct {
	rollovers, spares int // changes of the certificate that the gateway presents; to a spare of our own
	signers           int // signers that have taken over
	waited            int // changes of keys that were held back for phones that were away
	vouched           int // signers that TVS had to vouch for
	returns, cuts     int // of phones that were away for a month and more; those that a power cut began
}

func newYearsHouse(t *testing.T, phones int) *yearsHouse {
	t.Helper()
	h := &yearsHouse{t: t, store: memory.New(), board: finding.NewBoard(), issuer: testcert.NewAuthority("Somebody's CA", func(c *x509.Certificate) {
		c.NotAfter = time.Now().Add(20 * year)
	})}
	t.Cleanup(func() { _ = h.store.Close() })
	h.open()
	spare, err := trust.CreateCertificate("vpn.example.net", time.Now(), 20*year)
	h.must(err)
	objects := []inventory.Object{
		certificateOf("first", h.issue(398*day)), certificateOf("spare", spare),
		&inventory.CertificateAuthority{Name: "own", Own: true},
		&inventory.AddressPool{Name: "phones", Network: "10.99.0.0/24"},
		&inventory.TunnelGroup{
			Name: "phones", GroupURLs: []string{"https://vpn.example.net/phones"}, AddressPool: "phones", Phones: true,
			Authentication: inventory.AuthenticateCertificate, CertificateAuthorities: []string{"own"},
		},
		&inventory.VPNGateway{Name: "gateway", URL: "https://vpn.example.net/phones", Certificates: []string{"first", "spare"}},
		&inventory.VPNGroup{Name: "phones", Gateways: []string{"gateway"}},
		&inventory.VPNProfile{Name: "home", VPNSettings: inventory.VPNSettings{ClientAuthentication: inventory.ByCertificate}},
		&inventory.CommonPhoneProfile{Name: "home", VPNGroup: "phones", VPNProfile: "home", SecurityByDefault: inventory.SecurityOn},
	}
	for i := range phones {
		name := fmt.Sprintf("SEP0200000010%02d", i)
		objects = append(objects, &inventory.Device{Name: name, Model: "CP-8861", CommonPhoneProfile: "home"})
		h.roamers = append(h.roamers, &roamer{house: h, name: name, address: netip.AddrFrom4([4]byte{10, 99, 0, byte(10 + i)})})
	}
	_, err = h.catalog.Apply(t.Context(), objects, catalog.Options{Force: true})
	h.must(err)
	for _, r := range h.roamers {
		_, err := h.book.Start(t.Context(), r.name, lsc.Order{
			Operation: enrol.Install, Mode: enrol.ByNothing, Key: enrol.Key{Type: capf.EC}, Until: time.Now().Add(day),
		})
		h.must(err)
	}
	return h
}

// open takes everything up from the store, as at a start.
func (h *yearsHouse) open() {
	h.t.Helper()
	ctx, sealer := h.t.Context(), trust.NewSealer([trust.KeySize]byte{1})
	var err error
	h.authority, err = trust.OpenAuthority(ctx, trust.AuthorityConfig{Store: h.store, Sealer: sealer, Address: netip.MustParseAddr("10.20.0.1")})
	h.must(err)
	h.catalog, err = catalog.Open(ctx, catalog.Config{
		Store: h.store, Sealer: sealer,
		HashPassword:   func(secret.String) (string, error) { return "", nil },
		VerifyPassword: func(secret.String, secret.String) bool { return false },
	})
	h.must(err)
	h.book, err = lsc.Open(ctx, lsc.Config{Store: h.store, Sealer: sealer, Authority: h.authority, Inventory: h.catalog.Current, Findings: h.board})
	h.must(err)
	settings := DefaultSettings(netip.MustParseAddr("10.20.0.1"))
	settings.HTTPS = netip.AddrPort{}
	h.files, err = New(Config{
		Settings: settings, Inventory: h.catalog.Current, EnrolMode: h.book.Mode, Authority: h.authority, Store: h.store,
		Holder: func(a netip.Addr) (provision.Holder, bool) {
			device, ok := h.deviceAt(a)
			return provision.Holder{User: "CP-8861-" + device, Device: device}, ok
		},
	})
	h.must(err)
	h.must(h.files.recorder.load(ctx, h.catalog.Current()))
	h.trust, err = NewTrustServer(TrustConfig{
		TVS: netip.MustParseAddrPort("10.20.0.1:2445"), CAPF: netip.MustParseAddrPort("10.20.0.1:3804"),
		TVSPair:  func() (tls.Certificate, error) { return h.authority.Pair(trust.TVS) },
		CAPFPair: func() (tls.Certificate, error) { return h.authority.Pair(trust.CAPF) },
		Known: func() (all []verify.TVSRecord) {
			for _, r := range h.authority.Records() {
				all = append(all, verify.TVSRecord{Certificate: r.Certificate.Raw, Issuer: r.Issuer, Serial: r.Serial(), Roles: []tlv.Role{r.Role}})
			}
			return all
		},
		Enrolments: h.book, DeviceAt: h.deviceAt,
	})
	h.must(err)
	h.keeper, err = rollover.Open(ctx, rollover.Config{
		Settings: rollover.Settings{Before: 90 * day, Grace: 30 * day}, Store: h.store, Inventory: h.catalog.Current,
		Apply: func(ctx context.Context, objects []inventory.Object) error {
			_, err := h.catalog.Apply(ctx, objects, catalog.Options{Force: true})
			return err
		},
		Arrived: func() map[string][]rollover.File {
			all := map[string][]rollover.File{}
			for device, recent := range h.files.Deliveries() {
				for _, d := range recent {
					f := rollover.File{Stamp: d.VersionStamp, Hashes: d.Hashes, At: d.Complete}
					if d.By != provision.ThePhone {
						f.To = d.Peer.Addr()
					}
					if strings.Contains(d.File, ".cnf.xml") {
						all[device] = append(all[device], f)
					}
				}
			}
			return all
		},
		Issued:   func(string) bool { return true },
		Issue:    func(context.Context, string) (trust.Pair, error) { return h.issue(398 * day), nil },
		Findings: h.board,
	})
	h.must(err)
	h.catalog.SetGuard(h.keeper.Guard)
}

// restart is one of the program: nothing is kept but the store.
func (h *yearsHouse) restart() {
	h.t.Helper()
	h.must(h.files.recorder.write(h.t.Context()))
	h.open()
}

// issue is what the authority outside issues.
func (h *yearsHouse) issue(lifetime time.Duration) trust.Pair {
	certificate, key := testcert.PEM(h.issuer.Issue("vpn.example.net", func(c *x509.Certificate) {
		c.DNSNames, c.NotAfter = []string{"vpn.example.net"}, time.Now().Add(lifetime)
	}))
	return trust.Pair{Certificate: certificate, Key: secret.New(key)}
}

func certificateOf(name string, pair trust.Pair) *inventory.Certificate {
	return &inventory.Certificate{Name: name, Certificate: pair.Certificate, Key: pair.Key}
}

// deviceAt is whose tunnel an inner address belongs to.
func (h *yearsHouse) deviceAt(a netip.Addr) (string, bool) {
	for _, r := range h.roamers {
		if r.address == a {
			return r.name, true
		}
	}
	return "", false
}

// own reports whether a delivery counts as the phone's own.
func (h *yearsHouse) own(d Delivery) bool {
	w := provision.Witness{Fetcher: d.By, From: d.Peer.Addr(), Registers: true}
	for _, r := range h.roamers {
		if r.name == d.Device && !r.away() {
			w.Registered = r.address
		}
	}
	return w.Counts()
}

// presented is the certificate that a phone meets at the gateway.
func (h *yearsHouse) presented() *inventory.Certificate {
	set := h.catalog.Current()
	return set.Certificates[set.VPNGateways["gateway"].Certificates[0]]
}

// look does what is due, as the program does all the time.
func (h *yearsHouse) look() {
	h.t.Helper()
	before := h.presented()
	h.must(h.book.Look(h.t.Context()))
	h.keeper.Renew(h.t.Context())
	h.must(h.keeper.Advance(h.t.Context()))
	after := h.presented()
	leaf, err := after.Leaf()
	h.must(err)
	if before.Name != after.Name {
		h.counts.rollovers++
		if leaf.Issuer.String() == leaf.Subject.String() {
			h.counts.spares++
		}
	}
	if time.Now().After(leaf.NotAfter) {
		h.t.Fatalf("%s: the gateway presents %s, which ended on %s", today(), after.Name, leaf.NotAfter.Format(time.DateOnly))
	}
	for _, f := range h.board.Findings() {
		if f.Code == finding.NoSpareCertificate.Code || f.Code == finding.CertificateExpired.Code {
			h.t.Fatalf("%s: %+v", today(), f)
		}
	}
}

func (h *yearsHouse) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatalf("%s: %v", today(), err)
	}
}

func today() string { return time.Now().UTC().Format(time.DateOnly) }

package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/cstp"
)

// certified is a world whose phones log in by certificate: of the factory, which signs with SHA-1, or of
// the office.
type certified struct {
	*world
	factory, office *testcert.Authority
}

const phoneMAC = "SEP001122334455"

func openCertified(t *testing.T, authentication string, changes ...func(*inventory.Set)) certified {
	t.Helper()
	c := certified{
		factory: testcert.NewAuthority("Cisco Manufacturing CA", func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA }),
		office:  testcert.NewAuthority("CAPF-1", nil),
	}
	c.world = open(t, withUsers("CP-7962G-"+phoneMAC, "anna"), func(w *world, config *Config) {
		set := declared()
		set.CertificateAuthorities["factory"] = &inventory.CertificateAuthority{Name: "factory", Certificate: c.factory.PEM(), Manufacturer: true}
		set.CertificateAuthorities["office"] = &inventory.CertificateAuthority{Name: "office", Certificate: c.office.PEM()}
		set.TunnelGroups["phones"].CertificateAuthorities = []string{"factory", "office"}
		set.TunnelGroups["phones"].Authentication = authentication
		set.Devices[phoneMAC] = &inventory.Device{Name: phoneMAC, Model: "CP-7962G"}
		set.AccessLists["fence"].Entries = append(set.AccessLists["fence"].Entries,
			inventory.AccessEntry{Action: "permit", Protocol: "tcp", Destination: "10.20.0.0/24"})
		for _, change := range changes {
			change(set)
		}
		w.inventory.Store(set)
		config.Inside = netip.MustParseAddr("10.20.0.1")
	})
	return c
}

// showing is a TLS configuration with a client certificate.
func showing(config *tls.Config, certificate tls.Certificate) *tls.Config {
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificate, nil }
	return config
}

// logInWith has a phone log in by what it is given.
func (c certified) logInWith(config *tls.Config, login verify.ClientConfig) (*client, verify.ClientAction) {
	c.t.Helper()
	login.URL = phoneURL
	conversation, err := verify.NewClient(login)
	if err != nil {
		c.t.Fatal(err)
	}
	conn := c.dial(config)
	actions, err := conversation.Start()
	for err == nil {
		ask, more := actions[0].(verify.Ask)
		if !more {
			return conn, actions[0]
		}
		actions, err = conversation.Replied(conn.ask(ask.Request))
	}
	c.t.Fatal(err)
	return nil, nil
}

func TestLoginByCertificate(t *testing.T) {
	t.Parallel()
	c := openCertified(t, inventory.AuthenticateCertificate)
	declared, stranger := "CP-7962G-"+phoneMAC, "CP-7962G-SEP00112233FFFF"
	for name, p := range map[string]struct {
		shows   tls.Certificate
		user    string // empty: refused
		device  string
		finding string
	}{
		"office's":                {c.office.Issue(declared, nil), declared, phoneMAC, ""},
		"office's, not declared":  {c.office.Issue(stranger, nil), stranger, "SEP00112233FFFF", ""},
		"factory's":               {c.factory.Issue(declared, nil), declared, phoneMAC, ""},
		"factory's, not declared": {c.factory.Issue(stranger, nil), "", "", "login-refused"},
		"user's":                  {c.office.Issue("berta", nil), "berta", "", ""},
		"expired":                 {c.office.Issue(declared, expired), "", "", "client-certificate-expired"},
		"nobody's":                {testcert.RSA(declared), "", "", "client-certificate-untrusted"},
		"none":                    {tls.Certificate{}, "", "", "client-certificate-untrusted"},
	} {
		for version, speak := range map[string]func() *tls.Config{"today's TLS": modern, "TLS 1.2": tls12, "TLS 1.0": old} {
			conn, got := c.logInWith(showing(speak(), p.shows), verify.ClientConfig{ByCertificate: true})
			in, ok := got.(verify.LoggedIn)
			switch {
			case !ok && p.user != "":
				t.Errorf("%s at %s: %v", name, version, got)
			case !ok && got.(verify.Refused).Reason != verify.WrongLogin:
				t.Errorf("%s at %s: refused as %v", name, version, got)
			case !ok && !c.log.Has("finding="+p.finding):
				t.Errorf("%s at %s: no finding %s", name, version, p.finding)
			case ok && p.user == "":
				t.Errorf("%s at %s: let in", name, version)
			case ok:
				s := c.g.sessions.find(in.Cookie)
				if s.record.User != p.user || s.record.Device != p.device {
					t.Errorf("%s at %s: the session is %s's on %q, want %s's on %q", name, version, s.record.User, s.record.Device, p.user, p.device)
				}
			}
			conn.conn.Close()
		}
	}
}

func expired(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }

func tls12() *tls.Config {
	config := modern()
	config.MaxVersion = tls.VersionTLS12
	return config
}

// TestShownIsLogged: what a real phone sends beside its certificate is worth knowing.
func TestShownIsLogged(t *testing.T) {
	t.Parallel()
	c := openCertified(t, inventory.AuthenticateCertificate)
	c.logInWith(showing(old(), c.factory.Issue("CP-7962G-"+phoneMAC, nil)), verify.ClientConfig{ByCertificate: true})
	if want := `tls="TLS 1.0" certificates="CN=CP-7962G-` + phoneMAC + ` by CN=Cisco Manufacturing CA with SHA1-RSA"`; !c.log.Has(want) {
		t.Errorf("the log has no %s", want)
	}
}

// TestCertificateRequest: clients are asked for a certificate only when some group takes one, and told of
// which issuers.
func TestCertificateRequest(t *testing.T) {
	t.Parallel()
	plain, c := open(t), openCertified(t, inventory.AuthenticateCertificate)
	for version, speak := range map[string]func() *tls.Config{"today's TLS": modern, "TLS 1.2": tls12, "TLS 1.0": old} {
		var issuers [][]byte
		asked := func() *tls.Config {
			config := speak()
			config.GetClientCertificate = func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) {
				issuers = append([][]byte{}, r.AcceptableCAs...)
				return &tls.Certificate{}, nil
			}
			return config
		}
		plain.dial(asked())
		if issuers != nil {
			t.Errorf("%s: asked for a certificate that no group takes", version)
		}
		c.dial(asked())
		for _, authority := range []*testcert.Authority{c.factory, c.office} {
			if !slices.ContainsFunc(issuers, func(b []byte) bool { return string(b) == string(authority.Certificate.RawSubject) }) {
				t.Errorf("%s: %s is not among the %d issuers", version, authority.Certificate.Subject, len(issuers))
			}
		}
	}
}

func TestCertificateAndPassword(t *testing.T) {
	t.Parallel()
	c := openCertified(t, inventory.AuthenticateBoth)
	name := "CP-7962G-" + phoneMAC
	password := secret.New("secret of " + name)
	lsc := c.office.Issue(name, nil)
	for what, p := range map[string]struct {
		shows tls.Certificate
		login verify.ClientConfig
		in    bool
	}{
		"both":           {lsc, verify.ClientConfig{User: name, Password: password}, true},
		"password only":  {lsc, verify.ClientConfig{Password: password}, true},
		"another's name": {lsc, verify.ClientConfig{User: "anna", Password: secret.New("secret of anna")}, false},
		"wrong password": {lsc, verify.ClientConfig{User: name, Password: secret.New("x")}, false},
		"no password":    {lsc, verify.ClientConfig{ByCertificate: true}, false},
		"no certificate": {tls.Certificate{}, verify.ClientConfig{User: name, Password: password}, false},
		"nobody's":       {testcert.RSA(name), verify.ClientConfig{User: name, Password: password}, false},
	} {
		_, got := c.logInWith(showing(modern(), p.shows), p.login)
		if _, in := got.(verify.LoggedIn); in != p.in {
			t.Errorf("%s: %v", what, got)
		}
	}
}

// TestEnrolment: who shows no more than the factory's certificate gets files and a certificate of the
// office, within what the policy permits; after a restart, too.
func TestEnrolment(t *testing.T) {
	t.Parallel()
	c := openCertified(t, inventory.AuthenticateCertificate, func(set *inventory.Set) {
		set.AccessLists["fence"].Entries[1].Ports = "1-6970" // neither 6971
		set.GroupPolicies["phones"].DNSServers = []string{"10.20.0.53"}
		set.AccessLists["fence"].Entries = append(set.AccessLists["fence"].Entries,
			inventory.AccessEntry{Action: "permit", Protocol: "udp", Destination: "10.20.0.0/24"})
	})
	name := "CP-7962G-" + phoneMAC
	connect := func(certificate tls.Certificate) (*session, secret.String) {
		conn, got := c.logInWith(showing(modern(), certificate), verify.ClientConfig{ByCertificate: true})
		in, ok := got.(verify.LoggedIn)
		if !ok {
			t.Fatalf("not let in: %v", got)
		}
		if err := conn.connect(conn.offer(in.Cookie)); err != nil {
			t.Fatal(err)
		}
		return c.g.sessions.find(in.Cookie), in.Cookie
	}
	reaches := func(s *session, protocol uint8, to string) bool {
		dst := netip.MustParseAddrPort(to)
		return s.filter.Load().permits(&header{src: s.innerAddress(), dst: dst.Addr(), protocol: protocol, port: dst.Port()})
	}
	enrolling, cookie := connect(c.factory.Issue(name, nil))
	for _, p := range []struct {
		protocol uint8
		to       string
		enrols   bool
		office   bool // a session by the office's certificate reaches it
	}{
		{protoUDP, "10.20.0.1:69", true, true},
		{protoUDP, "10.20.0.1:40000", true, true}, // where a TFTP transfer goes on
		{protoTCP, "10.20.0.1:6970", true, true},
		{protoTCP, "10.20.0.1:2445", true, true},
		{protoTCP, "10.20.0.1:3804", true, true},
		{protoUDP, "10.20.0.53:53", true, true},
		{protoTCP, "10.20.0.1:6971", false, false}, // the policy does not permit it
		{protoTCP, "10.20.0.1:5060", false, true},
		{protoUDP, "10.20.0.1:5060", false, true},
		{protoUDP, "10.20.0.54:53", false, true},
		{protoTCP, "10.20.0.2:6970", false, true},
		{protoUDP, files + ":5000", false, true},
		{protoUDP, "10.99.0.3:20000", false, false},
	} {
		if got := reaches(enrolling, p.protocol, p.to); got != p.enrols {
			t.Errorf("while it enrols, protocol %d to %s: %v", p.protocol, p.to, got)
		}
		if office, _ := connect(c.office.Issue(name, nil)); reaches(office, p.protocol, p.to) != p.office {
			t.Errorf("by the office's certificate, protocol %d to %s: %v", p.protocol, p.to, !p.office)
		}
		enrolling, cookie = connect(c.factory.Issue(name, nil))
	}
	if !enrolling.info().Enrolment {
		t.Error("its detail does not tell that it enrols")
	}
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
	c.start(func(_ *world, config *Config) { config.Inside = netip.MustParseAddr("10.20.0.1") })
	again := c.dial(modern())
	if err := again.connect(again.offer(cookie)); err != nil {
		t.Fatal(err)
	}
	if s := c.g.sessions.find(cookie); reaches(s, protoUDP, files+":5000") || !reaches(s, protoTCP, "10.20.0.1:3804") {
		t.Error("after a restart it is another session")
	}
	again.sendFrame(cstp.DPDRequest, nil)
	again.frame(cstp.DPDResponse)
}

// TestNewList: a list of revoked certificates counts from the moment that it is in the inventory.
func TestNewList(t *testing.T) {
	t.Parallel()
	c := openCertified(t, inventory.AuthenticateCertificate)
	lsc := c.office.Issue("CP-7962G-"+phoneMAC, nil)
	enter := func() bool {
		_, got := c.logInWith(showing(modern(), lsc), verify.ClientConfig{ByCertificate: true})
		_, in := got.(verify.LoggedIn)
		return in
	}
	revoke := func(next time.Time, gone ...tls.Certificate) {
		set := *c.inventory.Load()
		set.CertificateAuthorities = inventory.Table[inventory.CertificateAuthority]{}
		for name, a := range c.inventory.Load().CertificateAuthorities {
			changed := *a
			set.CertificateAuthorities[name] = &changed
		}
		set.CertificateAuthorities["office"].CRL = testcert.ListPEM(c.office.Revoke(next, gone...))
		c.inventory.Store(&set)
	}
	if !enter() {
		t.Fatal("not let in before")
	}
	revoke(time.Now().Add(time.Hour), lsc)
	if enter() || !c.log.Has("office has revoked it") {
		t.Error("let in after it was revoked")
	}
	revoke(time.Now().Add(-time.Hour))
	if !enter() || !c.log.Has("finding=revocation-list-stale") {
		t.Error("a list that should have been renewed is not taken, or nobody hears of it")
	}
}

// TestOwnAuthority: the certificates that this house gives phones count without being declared, and one that
// is revoked counts no more from the next connection on. Whoever logs in by one is told of.
func TestOwnAuthority(t *testing.T) {
	t.Parallel()
	office := testcert.NewAuthority("Longcord CAPF", nil)
	var own atomic.Pointer[verify.Authority]
	own.Store(&verify.Authority{Issuers: []*x509.Certificate{office.Certificate}})
	seen := make(chan string, 8)
	w := open(t, withUsers("anna"), func(w *world, config *Config) {
		set := declared()
		set.CertificateAuthorities["lsc"] = &inventory.CertificateAuthority{Name: "lsc", Own: true}
		set.TunnelGroups["phones"].CertificateAuthorities = []string{"lsc"}
		set.TunnelGroups["phones"].Authentication = inventory.AuthenticateCertificate
		w.inventory.Store(set)
		config.Own = own.Load
		config.Seen = func(_ context.Context, leaf *x509.Certificate) { seen <- leaf.Subject.CommonName }
	})
	c := certified{world: w, office: office}
	name := "CP-7962G-" + phoneMAC
	first, second := office.Issue(name, nil), office.Issue(name, nil)
	enter := func(certificate tls.Certificate) bool {
		_, got := c.logInWith(showing(modern(), certificate), verify.ClientConfig{ByCertificate: true})
		_, in := got.(verify.LoggedIn)
		return in
	}
	if !enter(first) {
		t.Fatal("not let in")
	}
	if got := <-seen; got != name {
		t.Errorf("seen was %q", got)
	}
	own.Store(&verify.Authority{
		Issuers: []*x509.Certificate{office.Certificate}, Lists: []*x509.RevocationList{office.Revoke(time.Now().Add(time.Hour), first)},
	})
	if enter(first) || !c.log.Has("lsc has revoked it") {
		t.Error("let in after it was revoked")
	}
	if !enter(second) {
		t.Error("the new one is not let in")
	}
	if enter(testcert.RSA(name)) {
		t.Error("a stranger's is let in")
	}
}

package phone

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/sipnet"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/tun/netstack"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/sip"
	"github.com/longcord/longcord/wire/tlv"
)

// yes is a call manager that takes every registration, and keeps the last.
type yes struct {
	stack *sipnet.Stack
	asked chan *sip.Message
}

func (y *yes) Received(_ sip.Flow, m *sip.Message) {
	response := sip.NewResponse(m, 200, "yes")
	response.Fields.Add("Expires", m.Fields.Get("Expires"))
	y.stack.Respond(m, response)
	y.asked <- m
}
func (*yes) Cancelled(*sip.Message)     {}
func (*yes) Answered(_, _ *sip.Message) {}
func (*yes) Failed(*sip.Message, error) {}
func (*yes) Lost(sip.Flow)              {}

// TestRegisterByTLS registers at a call manager that wants the phone's certificate.
func TestRegisterByTLS(t *testing.T) {
	t.Parallel()
	authority := testcert.NewAuthority("Phones", nil)
	roots := x509.NewCertPool()
	roots.AddCert(authority.Certificate)
	listener, err := tls.Listen("tcp4", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{testcert.RSA("127.0.0.1")}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots, MaxVersion: tls.VersionTLS12,
	})
	if err != nil {
		t.Fatal(err)
	}
	y := &yes{asked: make(chan *sip.Message, 10)}
	y.stack = sipnet.New(y, nil)
	t.Cleanup(y.stack.Close)
	if err := y.stack.Listen(listener); err != nil {
		t.Fatal(err)
	}
	file := &cnf.Device{
		Protocol: cnf.SIP, Transport: cnf.TLS,
		Pool:       cnf.DevicePool{CallManagers: []cnf.CallManager{{Host: "127.0.0.1", SecuredSIPPort: listener.Addr().(*net.TCPAddr).Port}}},
		SIPProfile: &cnf.SIPProfile{Lines: []cnf.Line{{FeatureID: cnf.FeatureLine, Name: "1001"}}},
	}
	for name, c := range map[string]struct {
		certificate tls.Certificate
		why         string // empty: it comes out
	}{
		"its own":         {authority.Issue("CP-8861-"+deviceName, nil), ""},
		"none":            {tls.Certificate{}, "(it asks for the phone's certificate, and the phone has none)"},
		"somebody else's": {testcert.NewAuthority("Others", nil).Issue("CP-8861-"+deviceName, nil), "which is CN=CP-8861-" + deviceName + " of CN=Others)"},
	} {
		steps, err := NewSteps(Config{Name: deviceName, StateDir: t.TempDir(), OpenTUN: netstack.Open, Certificate: c.certificate})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		line, err := steps.Here().Register(ctx, file, true)
		cancel()
		if c.why == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			line.Close()
			if contact := (<-y.asked).Fields.Get("Contact"); !strings.Contains(contact, ";transport=tls") {
				t.Errorf("%s: the phone gives %s", name, contact)
			}
			continue
		}
		if f, ok := FindingOf(err); !ok || f.Code != finding.RegistrationTLS.Code || !strings.Contains(f.Says, c.why) {
			t.Errorf("%s: %v, found %q, want %q", name, err, f.Says, c.why)
		}
	}
}

// TestBelievesCallManager holds call managers against the lists, and what TVS says of them.
func TestBelievesCallManager(t *testing.T) {
	t.Parallel()
	pair := testcert.NewAuthority("CUCM", nil).Issue("cucm", nil)
	vouched := func(role tlv.Role) *belief {
		b := &belief{store: verify.TrustStore{ITL: &verify.TrustList{}}}
		if role != 0 {
			b.store.Vouch(time.Now(), verify.Vouched{Certificate: pair.Leaf, Roles: []tlv.Role{role}, Lifetime: time.Hour})
		}
		return b
	}
	for name, c := range map[string]struct {
		belief *belief
		ok     bool
	}{
		"no lists":                 {&belief{}, true},
		"nobody in them":           {vouched(0), false},
		"a file server":            {vouched(tlv.TFTP), false},
		"a call manager":           {vouched(tlv.CCM), true},
		"one that signs files too": {vouched(tlv.CCMTFTP), true},
	} {
		err := c.belief.isCallManager(t.Context(), pair.Leaf)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, errUntrusted) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

//go:build interop

package doctor_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/interop/office"
)

// phoneCN is the common name of the phone's certificate.
const phoneCN = "CP-8861-" + phone

var elsewhere = testcert.NewAuthority("Elsewhere", nil)

func ended(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
}

func later(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = time.Now().Add(24*time.Hour), time.Now().Add(48*time.Hour)
}

// showing are the flags for a phone that has a certificate.
func showing(t *testing.T, c tls.Certificate) []string {
	t.Helper()
	certificate, key := certified(t, t.TempDir(), c)
	return []string{"--cert", certificate, "--key", key}
}

// TestCertificateAlerts has s_server ask for the phone's certificate before anything else, and answer by its alerts.
func TestCertificateAlerts(t *testing.T) {
	t.Parallel()
	ca := write(t, t.TempDir(), "ca.pem", authority.PEM())
	old := []string{"-tls1", "-cipher", "ALL:@SECLEVEL=0"}
	for name, c := range map[string]struct {
		shown   tls.Certificate // none: the zero value
		args    []string
		model   string // empty: CP-8861
		verdict string
		codes   string
		says    string // among what is said, progress and needs
	}{
		"none":                {verdict: "insufficient", says: "it wants one of CN=An Authority"},
		"of somebody else":    {shown: elsewhere.Issue(phoneCN, nil), verdict: "fault", codes: "client-certificate-untrusted", says: "it answers unknown ca; it asks for one of CN=An Authority, and this one is of CN=Elsewhere"},
		"of somebody else, 1": {shown: elsewhere.Issue(phoneCN, nil), args: old, model: "CP-7962G", verdict: "fault", codes: "client-certificate-untrusted", says: "unknown ca"},
		"of a namesake":       {shown: authority.Impostor().Issue(phoneCN, nil), verdict: "fault", codes: "client-certificate-untrusted"},
		"expired":             {shown: authority.Issue(phoneCN, ended), verdict: "fault", codes: "client-certificate-expired", says: "tls: expired certificate"},
		"expired, 1":          {shown: authority.Issue(phoneCN, ended), args: old, model: "CP-7962G", verdict: "fault", codes: "client-certificate-expired"},
		"not yet valid":       {shown: authority.Issue(phoneCN, later), verdict: "fault", codes: "client-certificate-expired", says: "it begins on"},
		"good":                {shown: authority.Issue(phoneCN, nil), verdict: "insufficient", says: "takes logins there"}, // and has none
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.args == nil {
				c.args = []string{"-tls1_2"}
			}
			if c.model == "" {
				c.model = "CP-8861"
			}
			s := opensslServer(t, issued(nil), append(c.args, "-Verify", "1", "-verify_return_error", "-CAfile", ca)...)
			args := []string{"--url", "https://127.0.0.1:" + s.port + "/phones", "--model", c.model}
			if c.shown.Certificate != nil {
				args = append(args, showing(t, c.shown)...)
			}
			r := judge(t, here, "", args...)
			r.expect(t, c.verdict, c.codes)
			if !strings.Contains(r.said(), c.says) {
				t.Errorf("%q is not said:\n%s", c.says, r.said())
			}
		})
	}
}

// said is all that a report says in words.
func (r report) said() string {
	words := []string{r.progress, strings.Join(r.Needs, "\n")}
	for _, f := range r.Findings {
		words = append(words, f.Says)
	}
	return strings.Join(words, "\n")
}

// TestOfficeByCertificate walks as a phone whose certificate is the whole login, with the right one, the wrong ones and
// none.
func TestOfficeByCertificate(t *testing.T) {
	t.Parallel()
	o := ourOffice(t, "--auth", "certificate")
	file := fileOf(t, o)
	key, err := os.ReadFile(o.Path("certificates/phones.key"))
	must(t, err)
	certificate, err := os.ReadFile(o.Path("certificates/phones.pem"))
	must(t, err)
	house, err := tls.X509KeyPair(certificate, key)
	must(t, err)
	outside := []string{"--file", file, "--tftp", office.Inside}
	for name, c := range map[string]struct {
		args    []string
		verdict string
		codes   string
		says    string
	}{
		"right":            {[]string{"--cert", o.Path("certificates/" + phone + ".pem"), "--key", o.Path("certificates/" + phone + ".key")}, "ok", "", "register: 1001"},
		"none":             {nil, "ok", "", "asks for a client certificate, of [\"CN=" + house.Leaf.Subject.CommonName},
		"of somebody else": {showing(t, elsewhere.Issue(phoneCN, nil)), "fault", "client-certificate-untrusted", "and this one is of CN=Elsewhere"},
	} {
		t.Run(name, func(t *testing.T) {
			r := judge(t, on(o.Client), "", append(outside, c.args...)...)
			r.expect(t, c.verdict, c.codes)
			if !strings.Contains(r.said(), c.says) {
				t.Errorf("%q is not said:\n%s", c.says, r.said())
			}
		})
	}
	if out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "sessions", "list"); err != nil || strings.Contains(out, phone) {
		t.Errorf("the doctor has left its session behind: %v\n%s", err, out)
	}
}

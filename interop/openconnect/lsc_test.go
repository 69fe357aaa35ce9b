//go:build interop

package openconnect_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// TestPhonesOwnCertificate: openconnect shows the certificate that this house's CAPF gave to a phone, with the
// phone's key, and is let in as that phone. The certificate is revoked: the tunnel ends, and a login is refused.
func TestPhonesOwnCertificate(t *testing.T) {
	t.Parallel()
	const phone, url = "SEP020000001001", office.URL + "-lsc" // where switch has phones log in by certificate
	o := office.New(t)
	o.Serve()
	certs := func(args ...string) string {
		t.Helper()
		said, err := o.Longcord("", append([]string{"-c", o.Path("longcord.yaml"), "certs"}, args...)...)
		if err != nil {
			t.Fatalf("certs %s: %v\n%s", strings.Join(args, " "), err, said)
		}
		return said
	}
	certs("enroll", "start", phone, "--auth", "null", "--no-push")
	state := t.TempDir()
	desk := o.Start(o.Inside, o.Program(), "phone", phone, "--tftp", office.Inside, "--state", state, "--json")
	desk.Wait(`"detail":"CAPF: certificate updated"`)
	desk.Wait(`"step":"register","ok":true`)
	desk.Kill()
	if said := certs("enroll", "switch", "--yes"); !strings.Contains(said, "switched to certificates: 1 phones") {
		t.Fatalf("switch says:\n%s", said)
	}

	pair := filepath.Join(state, "lsc.pem")
	shows := []string{"-c", pair, "-k", pair}
	c := connectTo(t, o, url, "ignored", shows...)
	sessions, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "sessions", "list", "--json")
	for _, want := range []string{`"user": "CP-8861-` + phone + `"`, `"phone": "` + phone + `"`, `"enrolment": false`} {
		if err != nil || !strings.Contains(sessions, want) {
			t.Errorf("sessions list lacks %s: %v\n%s", want, err, sessions)
		}
	}
	if out, err := o.Run(o.Client, "", "ping", "-c", "2", "-W", "5", office.Inside); err != nil {
		t.Errorf("the office does not answer through the tunnel: %v\n%s", err, out)
	}
	login := func(args ...string) string {
		args = append([]string{"--authenticate", "--non-inter", "--servercert", pinOf(t, o, url, shows...)}, args...)
		said, _ := o.Run(o.Client, "", office.Peer(t, "openconnect"), append(args, url)...)
		return said
	}
	if said := login(shows...); !strings.Contains(said, "COOKIE=") {
		t.Errorf("while the certificate is good openconnect gets no cookie:\n%s", said)
	}
	if said := login(); strings.Contains(said, "COOKIE=") {
		t.Errorf("without a certificate openconnect gets a cookie:\n%s", said)
	}

	certs("revoke", phone, "--yes")
	c.Ended()
	if said := login(shows...); strings.Contains(said, "COOKIE=") || !strings.Contains(said, "Your certificate is missing or not accepted here.") {
		t.Errorf("after the certificate was revoked openconnect says:\n%s", said)
	}
}

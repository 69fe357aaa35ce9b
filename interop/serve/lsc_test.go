//go:build interop

package serve_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// certs runs "longcord certs" and returns what it says.
func certs(t *testing.T, o *office.Office, args ...string) string {
	t.Helper()
	out, code := run(t, o, "", append(append([]string{"certs"}, args...), "-c", o.Path("longcord.yaml"))...)
	if code != 0 {
		t.Fatalf("certs %s ends with %d:\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// lscState is how it stands with the certificate of the phone at home.
func lscState(t *testing.T, o *office.Office) string {
	t.Helper()
	var answer struct {
		Enrolments []struct {
			State string `json:"state"`
		} `json:"enrolments"`
	}
	if err := json.Unmarshal([]byte(certs(t, o, "enroll", "status", home, "--json")), &answer); err != nil || len(answer.Enrolments) != 1 {
		t.Fatalf("status of %s: %+v, %v", home, answer, err)
	}
	return answer.Enrolments[0].State
}

// A phone gets its certificate inside, is switched, and goes home without a password. Its certificate is
// revoked: its tunnel ends and it is not let in again. It gets another one inside, and is let in. It gets the
// next one at home, through its tunnel, by the one that it has.
func TestPhoneLivesByItsCertificate(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	o.Serve()
	o.AddUser(user, password)
	h := newHousehold(t, o)
	inside := func() {
		t.Helper()
		certs(t, o, "enroll", "start", home, "--auth", "null", "--no-push")
		p := o.Start(o.Inside, program(), h.home()...)
		p.Wait(`"detail":"CAPF: certificate updated"`)
		p.Wait(`"step":"register","ok":true`)
		p.Kill()
		if got := lscState(t, o); got != "proved" {
			t.Fatalf("after it has enrolled inside, its certificate is %q", got)
		}
	}
	inside()
	if said := certs(t, o, "enroll", "switch", "--yes"); !strings.Contains(said, "switched to certificates: 1 phones") {
		t.Fatalf("switch says:\n%s", said)
	}
	boot := o.Start(o.Inside, program(), h.home()...) // it fetches its new file
	boot.Wait(`"step":"register","ok":true`)
	boot.Kill()

	away := o.Start(o.Client, program(), h.home()...)
	away.Wait(`"step":"register","ok":true`)
	if out := away.Output(); !strings.Contains(out, "logged in as CP-8861-"+home) || !strings.Contains(out, "-lsc at ") {
		t.Errorf("it did not log in by its certificate:\n%s", out)
	}
	mark := away.Mark()
	certs(t, o, "revoke", home, "--yes")
	away.WaitAfter(mark, `"code":"client-certificate-untrusted"`)
	away.Kill()
	if got := lscState(t, o); got != "revoked" {
		t.Errorf("its certificate is %q, want revoked", got)
	}

	inside()
	away = o.Start(o.Client, program(), h.home()...)
	away.Wait(`"step":"register","ok":true`)
	mark = away.Mark()
	certs(t, o, "renew", home) // it is told to restart, through its tunnel
	away.WaitAfter(mark, `"detail":"CAPF: certificate updated"`)
	away.WaitAfter(mark, `"event":"registered"`)
	if got := lscState(t, o); got != "proved" {
		t.Errorf("after it was renewed through the tunnel, its certificate is %q", got)
	}
	away.Kill()
	again := o.Start(o.Client, program(), h.home()...)
	again.Wait(`"step":"register","ok":true`)
	again.Kill()
}

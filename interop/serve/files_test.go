//go:build interop

package serve_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// Where no network is the office, curl gets a phone's file with that phone's certificate and key and with nothing else,
// and no other phone's; when the certificate is revoked, no more.
func TestFilesByCertificate(t *testing.T) {
	t.Parallel()
	curl := office.Peer(t, "curl")
	o := office.New(t)
	serve := o.Serve()
	o.AddUser(user, password)
	h := newHousehold(t, o)
	certs(t, o, "enroll", "start", home, "--auth", "null", "--no-push")
	p := o.Start(o.Inside, program(), h.home()...)
	p.Wait(`"detail":"CAPF: certificate updated"`)
	p.Wait(`"step":"register","ok":true`)
	p.Kill()
	certs(t, o, "enroll", "switch", "--yes")
	serve.Signal(os.Interrupt)
	serve.Ended()
	config, err := os.ReadFile(o.Path("longcord.yaml"))
	must(t, err)
	text := strings.Replace(string(config), "\nprovisioner:\n", "\nprovisioner:\n  officeNetworks: []\n", 1)
	must(t, os.WriteFile(o.Path("longcord.yaml"), []byte(text), 0o600))
	serve = o.Serve()

	lsc := []string{"--cert", filepath.Join(h.dir, home, "lsc.pem")}
	const own, others, secure, plain = home + ".cnf.xml.sgn", desk + ".cnf.xml.sgn", "https://" + office.Inside + ":6971/", "http://" + office.Inside + ":6970/"
	get := func(want, url string, more ...string) {
		t.Helper()
		args := append([]string{"-sSk", "--max-time", "60", "-w", "\n%{http_code}", url}, more...)
		out, err := o.Run(o.Inside, "", curl, args...)
		if err != nil || !strings.HasSuffix(out, "\n"+want) || strings.Contains(out, "<device") != (want == "200") {
			t.Errorf("curl %s: %v, want %s\n%.400s", url, err, want, out)
		}
	}
	get("200", secure+own, lsc...)
	get("403", secure+own)
	get("403", secure+others, lsc...)
	get("403", plain+home+".cnf.xml")
	if refused := serve.Wait("file denied"); !strings.Contains(refused, "rule=") {
		t.Errorf("the log names no rule: %s", refused)
	}
	certs(t, o, "revoke", home, "--yes")
	get("403", secure+own, lsc...)
}

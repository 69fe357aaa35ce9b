//go:build interop

package rollover_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/interop/office"
)

// authority is where Let's Encrypt's own test server, pebble, listens.
const authority = "203.0.113.9"

// pebble builds the program, which tools/go.mod pins, and returns its path.
func pebble() (string, error) {
	out, err := exec.Command("go", "tool", "-modfile=../../tools/go.mod", "-n", "pebble").Output()
	return strings.TrimSpace(string(out)), err
}

// pebbleConfig has openssl make pebble's own certificate, and returns its configuration file and the
// authority that vouches for that certificate.
func pebbleConfig(t *testing.T) (config, trusted string) {
	t.Helper()
	openssl, dir := office.Peer(t, "openssl"), t.TempDir()
	trusted, key := filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key")
	if out, err := exec.Command(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN="+authority,
		"-addext", "subjectAltName=IP:"+authority, "-keyout", key, "-out", trusted).CombinedOutput(); err != nil {
		t.Fatalf("openssl: %v\n%s", err, out)
	}
	text, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": authority + ":14000", "managementListenAddress": authority + ":15000",
		"certificate": trusted, "privateKey": key, "httpPort": 80, "tlsPort": 443,
		"profiles": map[string]any{"default": map[string]any{"description": "ninety days", "validityPeriod": 90 * 24 * 3600}},
	}})
	must(t, err)
	config = filepath.Join(dir, "pebble.json")
	must(t, os.WriteFile(config, text, 0o600))
	return config, trusted
}

// A gateway gets its certificate from an authority that looks at its port 443. Its hash reaches the phones
// first, and then it is presented, all without a command.
func TestACME(t *testing.T) {
	program, err := pebble()
	if err != nil {
		office.Absent(t, "pebble cannot be built: %v", err)
	}
	config, trusted := pebbleConfig(t)
	t.Setenv("SSL_CERT_FILE", trusted)
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "10") // of a hundred: clients have to bear it
	o := newOffice(t, "\ncertificates:\n  acme:\n    directory: https://"+authority+":14000/dir\n")
	ca := o.Start(o.Client, program, "-config", config)
	ca.Wait("ACME directory available")
	h := o.live()
	before := h.made("gateway") // what init made; the authority may have been quicker than the phones
	p := h.stays()              // away: it gets the new hash through its tunnel
	issuer := func() string {
		out, err := h.Run(h.Client, "", "sh", "-c", "openssl s_client -connect "+gatewayHost+":443 -noservername </dev/null 2>/dev/null | openssl x509 -noout -issuer -ext subjectAltName")
		if err != nil {
			t.Fatalf("s_client: %v\n%s", err, out)
		}
		return out
	}
	out := ""
	for end := time.Now().Add(2 * office.Patience); !strings.Contains(out, "Pebble"); out = issuer() {
		if time.Now().After(end) {
			status, _ := h.command("", "certs", "rollover", "status")
			t.Fatalf("the authority's certificate is not presented: %s\n%s\n%s", out, status, ca.Output())
		}
	}
	if !strings.Contains(out, "IP Address:"+gatewayHost) {
		t.Errorf("the certificate does not name the gateway:\n%s", out)
	}
	if got := h.presented(); got == before {
		t.Errorf("still %s is presented", got)
	}
	p.Kill()
	p = h.stays()
	p.Wait(`"certificate_sha1":"` + h.presented() + `"`)
	if out := h.good("", "certs", "rollover", "status"); !strings.Contains(out, "swapped") || !strings.Contains(out, "spare      gateway-spare") || !strings.Contains(out, "2 of 2 phones") {
		t.Errorf("status:\n%s", out)
	}
}

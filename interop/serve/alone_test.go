//go:build interop

package serve_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// yamlBlock matches a block of a page of the documentation that is a file.
var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// alone makes an office whose set-up is, but for addresses, what the page about the gateway alone shows.
func alone(t *testing.T) *office.Office {
	t.Helper()
	o := office.New(t, "--pbx", office.Desk)
	blocks := yamlBlock.FindAllStringSubmatch(read(t, filepath.Join("..", "..", "docs", "operate", "gateway-alone.md")), -1)
	if len(blocks) != 2 {
		t.Fatalf("the page has %d files, want an inventory and a configuration", len(blocks))
	}
	here := strings.NewReplacer("vpn.example.net", office.Outside, "192.0.2.10", office.Outside, "10.1.0.5", office.Inside,
		"10.1.0.0/24", office.Network, "10.99.0.0/24", office.Pool, "/phones", "/phone")
	for i, name := range []string{inventory, configuration} {
		must(t, os.WriteFile(o.Path(name), []byte(here.Replace(blocks[i][1])), 0o600))
	}
	must(t, os.RemoveAll(o.Path("files")))
	return o
}

// The gateway alone is a gateway: no other port is open, and OpenConnect and a phone log in.
func TestGatewayAlone(t *testing.T) {
	t.Parallel()
	o := alone(t)
	serve := o.Start(o.Gateway, os.Getenv("LONGCORD"), "serve", "-c", o.Path(configuration), "--only", "gateway")
	ready := serve.Wait("ready")
	if want := "ready: gateway tcp " + office.Outside + ":443, gateway udp " + office.Outside + ":443"; ready != want {
		t.Errorf("it says %q, want %q", ready, want)
	}
	if out, code := run(t, o, "rosebud7\n", "-c", o.Path(configuration), "users", "passwd", "anna", "--password-stdin"); code != 0 {
		t.Fatalf("users passwd: %s", out)
	}
	sockets, err := o.Run(o.Gateway, "", office.Peer(t, "ss"), "-Hltun")
	must(t, err)
	for line := range strings.Lines(sockets) {
		if !strings.Contains(line, office.Outside+":443 ") {
			t.Errorf("another port is open: %s", line)
		}
	}

	said, err := o.Run(o.Client, "", office.Peer(t, "curl"), "-sSk", "-i", "-A", "Cisco SVC IPPhone Client v1.0", "--max-time", "60",
		"--data", "username=anna&password=rosebud7", office.URL)
	if err != nil || !strings.HasPrefix(said, "HTTP/1.1 200 OK") || !strings.Contains(said, "Set-Cookie: webvpn=") {
		t.Errorf("a phone's login: %v\n%s", err, said)
	}
	c := openconnect(t, o, "https://"+office.Outside+"/computers", "anna", "rosebud7")
	if out, err := o.Run(o.Client, "", office.Peer(t, "ping"), "-c", "2", "-i", "0.2", "-W", "5", office.Desk); err != nil {
		t.Errorf("ping through the tunnel: %v\n%s", err, out)
	}
	c.Kill()
}

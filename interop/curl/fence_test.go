//go:build interop

package curl_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// modernGroup is one for phones that need nothing old.
const modernGroup = `
---
kind: TunnelGroup
name: modern
groupURLs: ["https://203.0.113.2/modern"]
addressPool: phones
phones: true
`

// TestFence: by old TLS a group that does not allow it can be reached neither to log in nor with the cookie
// of a session that somebody else's TLS opened.
func TestFence(t *testing.T) {
	o := office.New(t, "--legacy-phones")
	inventory, err := os.ReadFile(o.Path("inventory.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.Path("inventory.yaml"), append(inventory, modernGroup...), 0o600); err != nil {
		t.Fatal(err)
	}
	serve := o.Serve()
	if out, err := o.Longcord("rosebud7\n", "-c", o.Path("longcord.yaml"), "users", "add", "anna", "--password-stdin", "--group-lock", "modern"); err != nil {
		t.Fatalf("users add: %v\n%s", err, out)
	}
	const url, login = "https://" + office.Outside + "/modern", "username=anna&password=rosebud7"
	for what, args := range map[string][]string{"GET": {url}, "login": {"--data", login, url}} {
		if out, err := ask(t, o, append(oldTLS, args...)...); err != nil || out != "HTTP/1.1 404 Not Found\nContent-Length: 0\n\n" {
			t.Errorf("%s by TLS 1.0: %v\n%s", what, err, out)
		}
	}
	serve.Wait("the group does not allow old TLS")
	out, err := ask(t, o, "--data", login, url)
	cookie := regexp.MustCompile(`webvpn=([^;]+);`).FindStringSubmatch(out)
	if err != nil || !in.MatchString(out) {
		t.Fatalf("login by TLS of today: %v\n%s", err, out)
	}
	connect := []string{"--http1.1", "-X", "CONNECT", "-H", "Cookie: webvpn=" + cookie[1], "--max-time", "5", "https://" + office.Outside + "/CSCOSSLC/tunnel"}
	if out, _ := ask(t, o, append(oldTLS, connect...)...); !strings.HasPrefix(out, "HTTP/1.1 401 ") {
		t.Errorf("CONNECT by TLS 1.0:\n%s", out)
	}
	if out, _ := ask(t, o, connect...); !strings.Contains(out, "HTTP/1.1 200 CONNECTED\n") {
		t.Errorf("CONNECT by TLS of today:\n%s", out)
	}
}

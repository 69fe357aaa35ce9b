//go:build interop

package curl_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

var token = regexp.MustCompile(`(?m)^Set-Cookie: webvpn=([A-Za-z0-9+/=]{44}); Secure; HttpOnly$`)

// TestLogout logs in as AnyConnect does, by documents alone, and out again in both ways.
func TestLogout(t *testing.T) {
	o := office.New(t)
	o.Serve()
	o.AddUser("anna", "rosebud7")
	person := []string{"-A", "AnyConnect Linux_64 4.10.07061", "-H", "X-Aggregate-Auth: 1", "-H", "X-Transcend-Version: 1", "-H", "Content-Type: application/x-www-form-urlencoded"}
	post := func(document string) string {
		t.Helper()
		out, err := ask(t, o, append(person, "--data", document, office.URL)...)
		if err != nil || !strings.HasPrefix(out, "HTTP/1.1 200 OK\n") {
			t.Fatalf("%v\n%s", err, out)
		}
		return out
	}
	sessions := func() string {
		t.Helper()
		out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "sessions", "list", "--json")
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return out
	}
	for name, logout := range map[string]func(cookie string){
		"document": func(cookie string) {
			post(`<config-auth client="vpn" type="logout" aggregate-auth-version="2"><session-token>` + cookie + `</session-token></config-auth>`)
		},
		"URL": func(cookie string) {
			out, err := ask(t, o, append(person, "-H", "Cookie: webvpn="+cookie, "https://"+office.Outside+"/logout")...)
			if err != nil || !strings.Contains(out, "Set-Cookie: webvpn=; expires=") {
				t.Errorf("%v\n%s", err, out)
			}
		},
	} {
		question := post(`<config-auth client="vpn" type="init" aggregate-auth-version="2"><version who="vpn">4.10</version></config-auth>`)
		opaque := regexp.MustCompile(`<opaque.*</opaque>`).FindString(question)
		if opaque == "" {
			t.Fatalf("%s: nothing opaque in\n%s", name, question)
		}
		answer := post(`<config-auth client="vpn" type="auth-reply" aggregate-auth-version="2">` + opaque +
			`<auth><username>anna</username><password>rosebud7</password></auth></config-auth>`)
		cookie := token.FindStringSubmatch(answer)
		if cookie == nil || !strings.Contains(answer, "<session-token>"+cookie[1]+"</session-token>") {
			t.Fatalf("%s: no token in\n%s", name, answer)
		}
		if list := sessions(); !strings.Contains(list, `"user": "anna"`) {
			t.Errorf("%s: no session after the login:\n%s", name, list)
		}
		logout(cookie[1])
		if list := sessions(); strings.Contains(list, "anna") {
			t.Errorf("%s: a session after the logout:\n%s", name, list)
		}
	}
}

// TestBesideTheLogin: what AnyConnect fetches besides has answers.
func TestBesideTheLogin(t *testing.T) {
	o := office.New(t)
	o.Serve()
	for path, want := range map[string]string{
		"/1/binaries/update.txt":         "0,0,0000\n",
		"/1/VPNManifest.xml":             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<vpn rev=\"1.0\">\n</vpn>\n",
		"/1/index.html":                  "",
		"/+CSCOT+/oem-customization?a=b": "",
	} {
		file := o.Path("got")
		out, err := ask(t, o, "-o", file, "-w", "%{http_code} %{http_version}", "--no-include", "https://"+office.Outside+path)
		got, _ := os.ReadFile(file) // none when it is empty
		if err != nil || !strings.HasPrefix(out, "200 1.1") || string(got) != want {
			t.Errorf("%s: %v, %s\n%q, want %q", path, err, out, got, want)
		}
		_ = os.Remove(file)
	}
}

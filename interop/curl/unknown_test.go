//go:build interop

package curl_test

import (
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// TestUnknownURL: a phone whose file names another URL is told so by the status that it shows, and the
// operator reads which URL it asked for.
func TestUnknownURL(t *testing.T) {
	o := office.New(t)
	serve := o.Serve()
	o.AddUser("anna", "rosebud7")
	for _, path := range []string{"s", "/", "%2f"} {
		got, err := ask(t, o, office.URL+path)
		if err != nil || !strings.HasPrefix(got, "HTTP/1.1 404 Not Found\n") {
			t.Errorf("%s: curl gets %v\n%s", path, err, got)
		}
		serve.Wait("group-url-mismatch")
		if said, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "show", "findings"); err != nil ||
			!strings.Contains(said, "the gateway knows no group URL "+office.URL+path+" (group-url-mismatch)") ||
			!strings.Contains(said, "asked by 203.0.113.9:") || !strings.Contains(said, "byte for byte") {
			t.Errorf("%s: the operator reads %v\n%s", path, err, said)
		}
	}
}

package ocserv

import (
	"fmt"
	"strings"
	"testing"
)

const sample = `# comment
auth = "plain[passwd=/etc/ocserv/ocpasswd]"
tcp-port = 443
  ipv4-network=192.168.1.0
banner = "Welcome = here"
route = 10.0.0.0/8
route = 10.1.0.0/255.255.0.0

[vhost:www.example.net]
auth = "certificate"
`

func TestParse(t *testing.T) {
	t.Parallel()
	c, err := Parse([]byte(strings.ReplaceAll(sample, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	const want = `[{2  auth plain[passwd=/etc/ocserv/ocpasswd]} {3  tcp-port 443} {4  ipv4-network 192.168.1.0} {5  banner Welcome = here} {6  route 10.0.0.0/8} {7  route 10.1.0.0/255.255.0.0} {10 www.example.net auth certificate}]`
	if got := fmt.Sprint(c.Settings); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if auth, ok := c.Get("auth"); !ok || !strings.HasPrefix(auth, "plain") {
		t.Errorf("auth of all hosts is %q, %v", auth, ok)
	}
	if _, ok := c.Get("udp-port"); ok {
		t.Error("a setting that is not there is found")
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no value": "tcp-port\n", "no key": " = 5\n", "words": "this is prose = 1\n", "section": "[global]\n", "open section": "[vhost:x\n", "binary": "a = \x00\n",
		"long line": "a = " + strings.Repeat("x", maxLine) + "\n", "size": strings.Repeat("#\n", MaxSize),
	} {
		if c, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s: read as %v", name, c.Settings)
		}
	}
}

// TestTruncated: whatever is cut off, the settings before it stay as they are.
func TestTruncated(t *testing.T) {
	t.Parallel()
	whole, err := Parse([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(sample) {
		c, err := Parse([]byte(sample[:cut]))
		if err != nil {
			continue // in the middle of a line
		}
		for i, s := range c.Settings[:max(0, len(c.Settings)-1)] {
			if s != whole.Settings[i] {
				t.Fatalf("cut to %d bytes, setting %d is %v", cut, i, s)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("[vhost:]\na=\"\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse(text)
		if err != nil {
			return
		}
		for _, s := range c.Settings {
			if s.Key == "" || s.Line < 1 {
				t.Fatalf("%+v", s)
			}
		}
	})
}

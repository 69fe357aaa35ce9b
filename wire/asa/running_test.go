package asa

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func running(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "configuration", "running.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func settings(t testing.TB, text string) *Settings {
	t.Helper()
	c, err := ParseConfiguration([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c.Settings()
}

func TestSettings(t *testing.T) {
	t.Parallel()
	c, err := ParseConfiguration(running(t))
	if err != nil {
		t.Fatal(err)
	}
	s := c.Settings()
	if !c.Ended || s.Version != "9.8(4)" || s.Hostname != "vpn-asa" || len(s.Problems) != 0 {
		t.Errorf("ended %v, version %q, host %q, problems %v", c.Ended, s.Version, s.Hostname, s.Problems)
	}
	for what, got := range map[string]string{
		"interfaces": fmt.Sprint(s.Interfaces), "pool": fmt.Sprint(s.Pools[0].First, s.Pools[0].Last, s.Pools[0].Network),
		"servers": fmt.Sprint(len(s.Servers), " ", len(s.Servers[0].Hosts), " ", s.Servers[1].Protocol), "trustpoints": fmt.Sprint(len(s.Trustpoints), len(s.Trustpoints[0].Certificates)),
	} {
		want := map[string]string{
			"interfaces": "[{19 outside 192.0.2.10/24} {24 inside 10.1.1.5/24}]", "pool": "10.99.0.10 10.99.0.250 10.99.0.0/24",
			"servers": "2 2 ldap", "trustpoints": "2 2",
		}[what]
		if got != want {
			t.Errorf("%s: got %s, want %s", what, got, want)
		}
	}
	policy := s.Policy("GP-Phones")
	if rest, ok := policy.Get("webvpn", "anyconnect", "ssl", "keepalive"); !ok || strings.Join(rest, " ") != "120" {
		t.Errorf("keepalive of the policy: %q, %v", rest, ok)
	}
	if _, ok := policy.Get("", "anyconnect"); ok {
		t.Error("a setting of webvpn is found outside of it")
	}
	if rest, ok := s.Get("enable"); !ok || rest[0] != "outside" {
		t.Errorf("webvpn is enabled on %q", rest)
	}
}

// TestTerminal reads the same commands as terminals record them.
func TestTerminal(t *testing.T) {
	t.Parallel()
	want := dump(settings(t, "hostname a\ngroup-policy G attributes\n banner none\n webvpn\n  anyconnect mtu 1300\n"))
	for name, text := range map[string]string{
		"carriage returns": "hostname a\r\ngroup-policy G attributes\r\n banner none\r\n webvpn\r\n  anyconnect mtu 1300\r\n",
		"prompts":          "a# show run\nhostname a\ngroup-policy G attributes\n banner none\n webvpn\n  anyconnect mtu 1300\na/act(config)# exit\na> \n",
		"pager":            "hostname a\ngroup-policy G attributes\n<--- More --->\r              \r banner none\n webvpn\n<--- More --->\r  anyconnect mtu 1300\n",
		"backspaces":       "hostname a\ngroup-policy G attributes\n bannex\br none\n webvpn\n  anyconnect mtu 1300\n",
		"colours":          "\x1b[1mhostname a\x1b[0m\ngroup-policy G attributes\n banner none\n webvpn\n  anyconnect mtu 1300\n",
		"comments":         "! x\n: Saved\nhostname a\n!\ngroup-policy G attributes\n banner none\n webvpn\n  anyconnect mtu 1300\n: end\n",
	} {
		if got := dump(settings(t, text)); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}

func dump(s *Settings) string {
	text := "host " + s.Hostname
	for _, p := range s.Policies {
		for _, a := range p.Attributes {
			text += fmt.Sprintf("\n%s %q %q", p.Name, a.Mode, a.Words)
		}
	}
	for _, c := range s.Others {
		text += "\nother " + c.Text
	}
	return text
}

// TestBrokenLines joins what a terminal broke at its right edge, and nothing else.
func TestBrokenLines(t *testing.T) {
	t.Parallel()
	long := "access-list FILTER extended permit tcp 10.99.0.0 255.255.255.0 host 10.1.1.20 eq https"
	s := settings(t, long[:80]+"\n"+long[80:]+"\n")
	if e := s.Lists[0].Entries[0]; e.Why != "" || e.Rules[0].Low != 443 || len(s.Others) != 0 {
		t.Errorf("a broken line: %+v, %v", e, s.Others)
	}
	full := "hostname " + strings.Repeat("x", 71)
	if s := settings(t, full+"\ndomain-name example.net\n"); s.Domain != "example.net" {
		t.Errorf("the command after a line that fills the terminal: domain %q", s.Domain)
	}
}

func TestNotText(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"zero bytes": "ASA Version 9\x00", "long line": strings.Repeat("x", maxLine+1), "lines": strings.Repeat("a\n", maxLines+1), "size": strings.Repeat("a", MaxConfiguration+1),
	} {
		if _, err := ParseConfiguration([]byte(text)); err == nil {
			t.Errorf("%s: read without complaint", name)
		}
	}
}

func TestCertificateCutShort(t *testing.T) {
	t.Parallel()
	text := string(running(t))
	cut := text[:strings.Index(text, "  quit")]
	if s := settings(t, cut); len(s.Problems) != 1 || !strings.Contains(s.Problems[0].Says, "cut short") {
		t.Errorf("problems %v", s.Problems)
	}
}

// TestTruncated: a configuration ends anywhere, so no cut is refused; but none may be taken for whole.
func TestTruncated(t *testing.T) {
	t.Parallel()
	whole := running(t)
	end := strings.Index(string(whole), ": end")
	for cut := 0; cut < end+len(": end"); cut += 7 {
		c, err := ParseConfiguration(whole[:cut])
		if err != nil {
			t.Fatal(err)
		}
		if c.Ended {
			t.Fatalf("cut to %d bytes it is taken for whole", cut)
		}
		c.Settings()
	}
}

// TestSecretsStayOut looks for every secret of the sample in what is shown of its lines.
func TestSecretsStayOut(t *testing.T) {
	t.Parallel()
	c, err := ParseConfiguration(running(t))
	if err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	var walk func([]*Command)
	walk = func(all []*Command) {
		for _, c := range all {
			fmt.Fprintln(&shown, c.Redacted())
			walk(c.Below)
		}
	}
	walk(c.Commands)
	for _, secret := range []string{"radius-secret-1", "directory-secret", "site-to-site-secret", "r98Y1oYaFjzZdYYL7MfzoA", "3USUcOPFUiMCO4Jk"} {
		if !strings.Contains(string(running(t)), secret) {
			t.Fatalf("the sample holds no %q", secret)
		}
		if strings.Contains(shown.String(), secret) {
			t.Errorf("%q is shown", secret)
		}
	}
}

func FuzzConfiguration(f *testing.F) {
	f.Add(running(f))
	f.Add([]byte("access-list A extended permit object-group S object-group A object-group B object-group C log inactive\nobject-group service S\n service-object tcp-udp destination neq sip\n"))
	f.Add([]byte("object-group network A\n group-object A\naccess-list X extended permit ip object-group A any\n"))
	f.Add([]byte("crypto ca certificate chain X\n certificate ca 01\n  30\n   82\n  quit\n"))
	f.Add([]byte("\v"))
	f.Add([]byte("tunnel-group \"a b\" type remote-access\n<--- More --->\r   \r ip local pool P 10.0.0.1-10.0.0.9 mask 255.0.255.0"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ParseConfiguration(text)
		if err != nil {
			return
		}
		for _, l := range c.Settings().Lists {
			for _, e := range l.Entries {
				if len(e.Rules) > maxExpansion || e.Why != "" && len(e.Rules) > 0 {
					t.Fatalf("%d rules of %q, %q", len(e.Rules), e.From.Text, e.Why)
				}
			}
		}
	})
}

package read

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/doctor/fact"
)

const netData = "../testdata/net"

// netSeeds are the recorded logs.
func netSeeds(tb testing.TB) map[string][]byte {
	tb.Helper()
	entries, err := os.ReadDir(netData)
	if err != nil {
		tb.Fatal(err)
	}
	seeds := map[string][]byte{}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(netData, e.Name()))
		if err != nil {
			tb.Fatal(err)
		}
		seeds[e.Name()] = text
	}
	return seeds
}

// factsOf reads text alone.
func factsOf(tb testing.TB, text string) *fact.File {
	tb.Helper()
	c := fact.NewCollector("test", "test")
	if err := Input(context.Background(), c, "x", strings.NewReader(text), Options{Now: time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)}); err != nil {
		tb.Fatal(err)
	}
	return c.File()
}

// TestResolver: a name counts as unknown until an address is told for it.
func TestResolver(t *testing.T) {
	t.Parallel()
	const (
		none    = "Nov 26 00:12:49 dnsmasq[16475]: reply vpn.example.net is NXDOMAIN\n"
		address = "Nov 26 00:12:50 dnsmasq[16475]: reply vpn.example.net is 192.0.2.10\n"
		another = "Nov 26 00:12:50 dnsmasq[16475]: reply www.example.net is 192.0.2.11\n"
	)
	for text, want := range map[string]int{none: 1, none + address: 0, none + another: 1, address + none: 1, none + address + none: 1} {
		got := 0
		for _, f := range factsOf(t, text).Facts {
			if f.Kind == fact.CaptureNoName && f.Get("anybody") == "true" {
				got++
			}
		}
		if got != want {
			t.Errorf("%s tells %d names, not %d", text, got, want)
		}
	}
}

// TestNetTruncated cuts each recording after every line: what the lines before have told stays as it was, but for what is
// only known when there is no more.
func TestNetTruncated(t *testing.T) {
	t.Parallel()
	for name, text := range netSeeds(t) {
		if !strings.HasSuffix(name, ".log") {
			continue
		}
		lines := strings.SplitAfter(string(text), "\n")
		whole := factsOf(t, string(text))
		for n := range lines {
			for _, f := range factsOf(t, strings.Join(lines[:n], "")).Facts {
				found := f.Kind == fact.ClientFailed || f.Kind == fact.OcservLoginOpen
				for _, w := range whole.Facts {
					found = found || w.Kind == f.Kind && w.Line == f.Line && w.Text == f.Text
				}
				if !found {
					t.Errorf("%s cut after line %d tells %s in line %d, and whole it does not", name, n, f.Kind, f.Line)
				}
			}
		}
	}
}

// FuzzNet gives the recognisers anything.
func FuzzNet(f *testing.F) {
	for _, text := range netSeeds(f) {
		f.Add(text)
	}
	f.Add([]byte(publishedTVS))
	f.Add([]byte("udp-port = 0\n[vhost:x]\nroute=\n\nipv4-network=\nipv4-netmask=:\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, each := range factsOf(t, string(text)).Facts {
			if len(each.Text) > fact.MaxText+len("…") || each.Line < 0 {
				t.Errorf("a fact of line %d with %d bytes", each.Line, len(each.Text))
			}
		}
	})
}

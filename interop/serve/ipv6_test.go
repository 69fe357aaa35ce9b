//go:build interop

package serve_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

const (
	outside6 = "2001:db8::2"
	client6  = "2001:db8::9"
	url6     = "https://[2001:db8::2]/computers"
)

// withIPv6 gives the office's outside a second family, and a tunnel group that is called by its address.
func withIPv6(t *testing.T, mtu int) *office.Office {
	t.Helper()
	o := alone(t)
	for _, words := range []string{"sysctl -qw net.ipv6.conf.outside.disable_ipv6=0", "ip -6 addr add " + outside6 + "/64 dev outside nodad"} {
		mustRun(t, o, o.Gateway, words)
	}
	for _, words := range []string{"sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0", "ip -6 addr add " + client6 + "/64 dev eth0 nodad", fmt.Sprintf("ip link set eth0 mtu %d", mtu)} {
		mustRun(t, o, o.Client, words)
	}
	mustRun(t, o, o.Gateway, fmt.Sprintf("ip link set outside mtu %d", mtu))
	edit(t, o, inventory, "groupURLs: [https://"+office.Outside+"/computers]", "groupURLs: [https://"+office.Outside+"/computers, \""+url6+"\"]")
	return o
}

// OpenConnect comes by IPv6, by TLS and DTLS, and is told an MTU that fits the way; others come by IPv4 at
// the same time.
func TestIPv6Outside(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, from, to string // in longcord.yaml
		mtu            int
		both           bool
	}{
		{"both families", "outside: " + office.Outside, "outside: " + office.Outside + "\noutside6: \"" + outside6 + "\"", 1500, true},
		{"IPv6 alone", "outside: " + office.Outside, "outside: \"" + outside6 + "\"", 1500, false},
		{"a narrow way", "outside: " + office.Outside, "outside: \"" + outside6 + "\"", 1380, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := withIPv6(t, c.mtu)
			edit(t, o, configuration, c.from, c.to)
			serve := o.Start(o.Gateway, os.Getenv("LONGCORD"), "serve", "-c", o.Path(configuration), "--only", "gateway")
			ready := serve.Wait("ready")
			for _, want := range []string{"gateway tcp [" + outside6 + "]:443", "gateway udp [" + outside6 + "]:443"} {
				if !strings.Contains(ready, want) {
					t.Errorf("it says %q, want %q", ready, want)
				}
			}
			if out, code := run(t, o, "rosebud7\n", "-c", o.Path(configuration), "users", "passwd", "anna", "--password-stdin"); code != 0 {
				t.Fatalf("users passwd: %s", out)
			}
			p := openconnect(t, o, url6, "anna", "rosebud7")
			p.Wait("Established DTLS connection")
			mtu := regexp.MustCompile(`X-CSTP-MTU: (\d+)`).FindStringSubmatch(p.Output())
			if mtu == nil {
				t.Fatal("no MTU was told")
			}
			// The largest packet goes through the tunnel, and nothing of it is fragmented on the way.
			size := fmt.Sprint(number(t, mtu[1]) - 28)
			if out, err := o.Run(o.Client, "", office.Peer(t, "ping"), "-M", "do", "-s", size, "-c", "3", "-i", "0.2", "-W", "10", office.Desk); err != nil {
				t.Errorf("ping with %s bytes through a tunnel with an MTU of %s: %v\n%s", size, mtu[1], err, out)
			}
			fragments, err := o.Run(o.Gateway, "", "/bin/cat", "/proc/net/snmp6")
			must(t, err)
			for _, name := range []string{"Ip6FragCreates", "Ip6ReasmReqds"} {
				if m := regexp.MustCompile(name + `\s+(\d+)`).FindStringSubmatch(fragments); m == nil || m[1] != "0" {
					t.Errorf("%v fragments, want none", m)
				}
			}
			if out, code := run(t, o, "", "-c", o.Path(configuration), "sessions", "list", "--json"); code != 0 || !strings.Contains(out, client6) {
				t.Errorf("the session's client is not %s:\n%s", client6, out)
			}
			p.Kill()
			if c.both {
				four := openconnect(t, o, "https://"+office.Outside+"/computers", "anna", "rosebud7")
				four.Wait("Established DTLS connection")
				if out, err := o.Run(o.Client, "", office.Peer(t, "ping"), "-c", "2", "-i", "0.2", "-W", "10", office.Desk); err != nil {
					t.Errorf("ping through an IPv4 tunnel: %v\n%s", err, out)
				}
			}
		})
	}
}

func number(t *testing.T, text string) (n int) {
	t.Helper()
	_, err := fmt.Sscan(text, &n)
	must(t, err)
	return n
}

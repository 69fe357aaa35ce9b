//go:build interop

package openconnect_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/interop/office"
)

// far is an office whose client is behind a relay and two routers, with a line between them that holds
// packets of some size.
type far struct {
	*office.Office
	relay  *testnet.Relay
	router *testnet.Host // the near one
}

func farOffice(t *testing.T, line int) *far {
	t.Helper()
	f := &far{Office: newOffice(t, "--legacy-phones")}
	host := func(name string) *testnet.Host {
		h, err := testnet.NewHost(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { h.Close() })
		return h
	}
	edge, client := f.Client, host("far")
	f.router = host("router")
	prefix, addr := netip.MustParsePrefix, netip.MustParseAddr
	relay, err := testnet.ConnectBy(client, "eth0", prefix("192.168.7.2/24"), f.router, "lan", prefix("192.168.7.1/24"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { relay.Close() })
	if err := errors.Join(
		testnet.Connect(f.router, "line", prefix("192.168.8.2/24"), edge, "line", prefix("192.168.8.1/24")),
		client.Route(netip.Prefix{}, addr("192.168.7.1")),
		f.router.Route(netip.Prefix{}, addr("192.168.8.1")),
		edge.Route(prefix("192.168.7.0/24"), addr("192.168.8.2")),
		f.router.Forward(), edge.Forward(),
		edge.Masquerade("eth0"),
	); err != nil {
		t.Fatal(err)
	}
	for _, end := range []*testnet.Host{f.router, edge} {
		if out, err := f.Run(end, "", office.Peer(t, "ip"), "link", "set", "line", "mtu", fmt.Sprint(line)); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	f.relay, f.Client = relay, client
	return f
}

// udp has the near router drop a share of what takes the gateway's UDP port, in percent.
func (f *far) udp(t *testing.T, lost int) {
	t.Helper()
	fate := "drop"
	if lost < 100 {
		fate = fmt.Sprintf("numgen random mod 100 < %d drop", lost)
	}
	rules := fmt.Sprintf(`
		table ip weather { chain forward { type filter hook forward priority 0; }; }; flush table ip weather
		table ip weather { chain forward {
			type filter hook forward priority 0
			udp dport 443 %[1]s
			udp sport 443 %[1]s
		}; }`, fate)
	if out, err := f.Run(f.router, rules, office.Peer(t, "nft"), "-f", "-"); err != nil {
		t.Fatalf("nft: %v\n%s", err, out)
	}
}

// TestWeather has DTLS of each kind come up and carry a transfer over a line on which packets are late,
// overtake each other, get lost and come twice, and then over one where nftables loses them.
func TestWeather(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{
		"pre-shared key": nil,
		"old":            {"--dtls-ciphers", "AES128-SHA"},
		"1.2":            only12("AES256-GCM-SHA384"),
		"ChaCha20":       {"--dtls-ciphers", "OC2-DTLS1_2-CHACHA20-POLY1305"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := farOffice(t, 1500)
			f.relay.Set(testnet.Weather{Delay: 10 * time.Millisecond, Jitter: 8 * time.Millisecond, Loss: 0.02, Twice: 0.05})
			c := connect(t, f.Office, password, flags...)
			channel := c.Wait("Established DTLS connection")
			_, channel, _ = strings.Cut(channel, "Ciphersuite ")
			transfer(t, f.Office, 300<<10)
			f.relay.Set(testnet.Weather{})
			f.udp(t, 5)
			transfer(t, f.Office, 300<<10)
			checkSession(t, f.Office, c, channel)
		})
	}
}

// TestNarrowLine has openconnect measure its way with full-size DPD requests, and carries full packets
// that may not be cut.
func TestNarrowLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line, mtu int
		flags     []string
	}{
		{1500, 1434, nil}, // more than it asks for, which is a guess
		{1500, 1290, []string{"--mtu", "1290"}},
		{1500, 1334, []string{"--base-mtu", "1400"}},
		{1492, 1426, nil},
		{1400, 1334, nil},
		{1400, 1306, []string{"--dtls-ciphers", "AES128-SHA"}},
		{1280, 1214, nil},
	} {
		t.Run(fmt.Sprintf("%d %q", c.line, c.flags), func(t *testing.T) {
			t.Parallel()
			f := farOffice(t, c.line)
			client := connect(t, f.Office, password, c.flags...)
			client.Wait("Established DTLS connection")
			// openconnect 9.01 gives its search up when a router tells it of the narrow line, and goes on with
			// what it had. TCP has met the line before, so the gateway knows, and nothing is too large.
			if line := client.Wait("after detection"); !strings.Contains(line, fmt.Sprint(c.mtu)) {
				t.Errorf("openconnect says %q, want an MTU of %d", line, c.mtu)
			}
			pings(t, f.Office, "-M", "do", "-s", fmt.Sprint(c.mtu-28))
			transfer(t, f.Office, 1<<20)
		})
	}
}

// TestUDPBlocked has UDP blocked from the start, restored, blocked again, and restored again. The tunnel
// works all the time but for the 25 s that openconnect may need to notice.
func TestUDPBlocked(t *testing.T) {
	t.Parallel()
	f := farOffice(t, 1500)
	f.udp(t, 100)
	c := connect(t, f.Office, password, "--force-dpd", "5")
	pings(t, f.Office)
	checkSession(t, f.Office, c, "")
	f.udp(t, 0)
	const retry = 90 * time.Second // openconnect's is a minute
	c.WaitWithin(retry, 0, "Established DTLS connection")
	pings(t, f.Office)
	checkSession(t, f.Office, c, "DTLS1.2")

	f.udp(t, 100)
	mark := c.Mark()
	c.WaitAfter(mark, "DTLS Dead Peer Detection detected dead peer")
	pings(t, f.Office) // the gateway, too, hears nothing by UDP; this moves its data at once
	checkSession(t, f.Office, c, "silent DTLS1.2")
	f.udp(t, 0)
	c.WaitWithin(retry, mark, "Established DTLS connection")
	pings(t, f.Office)
	checkSession(t, f.Office, c, "DTLS1.2")
}

// TestRekey has openconnect open a new tunnel for new keys every few seconds. It keeps its address, and a
// transfer goes on over it.
func TestRekey(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	change(t, o, "inventory.yaml", "phones: true", "phones: false")
	change(t, o, "inventory.yaml", "dpdClient: 30", "dpdClient: 30\nrekeyTime: 5")
	o.Serve()
	o.AddUser("anna", password)
	c := connect(t, o, password)
	c.Wait("Established DTLS connection")
	for range 2 {
		mark := c.Mark()
		c.WaitAfter(mark, "CSTP rekey due")
		if line := c.WaitAfter(mark, "script reconnect "); strings.Fields(line)[2] != c.address {
			t.Errorf("came back with %q, was %s", line, c.address)
		}
		c.WaitAfter(mark, "Established DTLS connection")
		pings(t, o)
	}
	c.Signal(syscall.SIGINT)
	c.Ended()
}

// TestIPv6Outside has the client reach the gateway by IPv6 alone, with each kind of DTLS.
func TestIPv6Outside(t *testing.T) {
	t.Parallel()
	const outside, url = "2001:db8:7::2", "https://vpn.example.net/phone"
	o := office.New(t, "--legacy-phones", "--url", url)
	for _, end := range []struct {
		host            *testnet.Host
		ifname, address string
	}{{o.Gateway, "outside", outside}, {o.Client, "eth0", "2001:db8:7::9"}} {
		if err := end.host.Sysctl("net.ipv6.conf."+end.ifname+".disable_ipv6", "0"); err != nil {
			t.Fatal(err)
		}
		if out, err := o.Run(end.host, "", office.Peer(t, "ip"), "addr", "add", end.address+"/64", "dev", end.ifname, "nodad"); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	change(t, o, "longcord.yaml", "outside: "+office.Outside, "outside: "+outside)
	o.Serve()
	o.AddUser("anna", password)
	for name, c := range map[string]struct {
		flags []string
		mtu   int
	}{
		"pre-shared key": {nil, 1370}, // what openconnect asks for there
		"old":            {[]string{"--dtls-ciphers", "AES256-SHA"}, 1370},
		"1.2":            {only12("AES128-GCM-SHA256"), 1370},
		"narrow":         {[]string{"--base-mtu", "1300"}, 1170},
		"TLS only":       {[]string{"--no-dtls"}, 1370},
	} {
		t.Run(name, func(t *testing.T) {
			client := connectTo(t, o, url, password, append(c.flags, "--resolve", "vpn.example.net:"+outside)...)
			channel := ""
			if name != "TLS only" {
				_, channel, _ = strings.Cut(client.Wait("Established DTLS connection"), "Ciphersuite ")
				if line := client.Wait("after detection"); !strings.Contains(line, fmt.Sprint(c.mtu)) {
					t.Errorf("openconnect says %q, want an MTU of %d", line, c.mtu)
				}
			}
			pings(t, o, "-M", "do", "-s", fmt.Sprint(c.mtu-28))
			transfer(t, o, 1<<20)
			checkSession(t, o, client, channel)
			client.Signal(syscall.SIGINT)
			client.Ended()
			waitSessions(t, o, 0)
		})
	}
}

// change replaces text in a file of the set-up.
func change(t *testing.T, o *office.Office, file, old, by string) {
	t.Helper()
	text, err := os.ReadFile(o.Path(file))
	if err != nil || !strings.Contains(string(text), old) {
		t.Fatalf("%s has no %q: %v", file, old, err)
	}
	if err := os.WriteFile(o.Path(file), []byte(strings.ReplaceAll(string(text), old, by)), 0o600); err != nil {
		t.Fatal(err)
	}
}

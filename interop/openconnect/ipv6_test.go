//go:build interop

package openconnect_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/interop/office"
)

// staff is a tunnel group for people, with IPv6 inside: what init makes is for phones, which have none.
const staff = `
---
kind: AddressPool
name: six
network: 2001:db8:99::/64
---
kind: AccessList
name: staff
entries:
  - {action: permit, protocol: icmp6, destination: "2001:db8:20::/64", icmpType: echo}
  - {action: permit, protocol: udp, destination: "2001:db8:20::9/128", ports: "7"}
  - {action: permit, destination: 10.20.0.0/24}
---
kind: GroupPolicy
name: staff
filter: staff
dnsServers: [10.20.0.53, "2001:db8:20::53"]
splitTunnelPolicy: tunnelspecified
splitTunnelNetworks: [10.20.0.0/24, "2001:db8:20::/64", "2001:db8:21::/64"]
---
kind: TunnelGroup
name: staff
groupURLs: ["https://203.0.113.2/staff"]
addressPool: phones
ipv6AddressPool: six
defaultGroupPolicy: staff
`

const (
	staffURL = "https://203.0.113.2/staff"
	inside6  = "2001:db8:20::1"
	desk6    = "2001:db8:20::9"
	foreign6 = "2001:db8:20::1:9" // outside the filter's networks for UDP
)

// script6 takes up what openconnect was given of IPv6, too.
const script6 = `#!/bin/sh
case $reason in
connect)
	ip link set "$TUNDEV" up mtu "${INTERNAL_IP4_MTU:-1300}"
	ip addr add "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
	ip -6 addr add "$INTERNAL_IP6_ADDRESS/128" dev "$TUNDEV" nodad
	i=0
	while [ "$i" -lt "${CISCO_IPV6_SPLIT_INC:-0}" ]; do
		eval ip -6 route replace "\$CISCO_IPV6_SPLIT_INC_${i}_ADDR/\$CISCO_IPV6_SPLIT_INC_${i}_MASKLEN" dev "$TUNDEV"
		i=$((i + 1))
	done
	;;
esac
echo "dns $INTERNAL_IP4_DNS end"
echo "split6 ${CISCO_IPV6_SPLIT_INC:-0} split4 ${CISCO_SPLIT_INC:-0}"
echo "script $reason $INTERNAL_IP4_ADDRESS ${INTERNAL_IP6_ADDRESS:-none}"
`

func newStaffOffice(t *testing.T, flags ...string) *office.Office {
	t.Helper()
	o := office.New(t, flags...)
	file, err := os.OpenFile(o.Path("inventory.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(staff); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	for _, h := range []*testnet.Host{o.Gateway, o.Client, o.Inside} {
		allowIPv6(t, h)
	}
	give6(t, o, o.Gateway, "addr", "add", inside6+"/64", "dev", "inside", "nodad")
	give6(t, o, o.Inside, "addr", "add", desk6+"/64", "dev", "eth0", "nodad")
	give6(t, o, o.Inside, "addr", "add", foreign6+"/64", "dev", "eth0", "nodad")
	give6(t, o, o.Inside, "route", "add", "2001:db8:99::/64", "via", inside6)
	o.Serve()
	o.AddUser("anna", password)
	return o
}

// allowIPv6 switches on what hosts of these tests have off, for interfaces that are there and to come.
func allowIPv6(t *testing.T, h *testnet.Host) {
	t.Helper()
	for _, which := range []string{"all", "default"} {
		if err := h.Do(func() error { return os.WriteFile("/proc/sys/net/ipv6/conf/"+which+"/disable_ipv6", []byte("0"), 0) }); err != nil {
			t.Fatal(err)
		}
	}
}

func give6(t *testing.T, o *office.Office, h *testnet.Host, args ...string) {
	t.Helper()
	if out, err := o.Run(h, "", office.Peer(t, "ip"), append([]string{"-6"}, args...)...); err != nil {
		t.Fatalf("ip -6 %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// connect6 starts openconnect at a URL and returns what its script was told: addresses, DNS, networks.
func connect6(t *testing.T, o *office.Office, url string, flags ...string) (p *office.Program, addresses []string, dns, split string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte(script6), 0o755); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--user", "anna", "--passwd-on-stdin", "--servercert", pin(t, o), "--script", path, "--verbose"}, flags...)
	p = o.StartWith(o.Client, password+"\n", office.Peer(t, "openconnect"), append(args, url)...)
	dns = p.Wait("dns ")
	split = p.Wait("split6 ")
	return p, strings.Fields(p.Wait("script connect "))[2:], dns, split
}

// TestIPv6Inside: openconnect has both families inside, by DTLS and by TLS alone, behind a filter that
// speaks of both.
func TestIPv6Inside(t *testing.T) {
	t.Parallel()
	o := newStaffOffice(t)
	ping := office.Peer(t, "ping")
	for _, mode := range []struct {
		name  string
		flags []string
	}{{"dtls", nil}, {"tls", []string{"--no-dtls"}}} {
		t.Run(mode.name, func(t *testing.T) {
			p, addresses, dns, split := connect6(t, o, staffURL, mode.flags...)
			defer p.Kill()
			if len(addresses) != 2 || !strings.HasPrefix(addresses[1], "2001:db8:99::a14:") {
				t.Fatalf("openconnect is given %q", addresses)
			}
			if !strings.Contains(dns, "10.20.0.53") || !strings.Contains(dns, "2001:db8:20::53") {
				t.Errorf("name servers: %q", dns)
			}
			if split != "split6 2 split4 1" {
				t.Errorf("networks: %q", split)
			}
			if mode.flags == nil {
				p.Wait("Established DTLS connection")
			}
			for _, size := range []string{"56", "1100"} {
				if out, err := o.Run(o.Client, "", ping, "-6", "-c", "3", "-i", "0.2", "-W", "10", "-s", size, desk6); err != nil {
					t.Errorf("ping with %s bytes: %v\n%s", size, err, out)
				}
			}
			if out, err := o.Run(o.Inside, "", ping, "-6", "-c", "1", "-W", "2", addresses[1]); err == nil {
				t.Errorf("an answer to a ping got through a filter that permits none:\n%s", out)
			}
			checkFilter6(t, o)
		})
	}
}

// checkFilter6 sends datagrams that the filter denies and then one that it permits: what comes first is
// the last one.
func checkFilter6(t *testing.T, o *office.Office) {
	t.Helper()
	arrived := make(chan string, 100)
	for _, address := range []string{desk6, foreign6} {
		for _, port := range []int{7, 9} {
			defer listen6(t, o, fmt.Sprintf("[%s]:%d", address, port), arrived)()
		}
	}
	for _, to := range []string{"[" + foreign6 + "]:7", "[" + desk6 + "]:9", "[" + desk6 + "]:7"} {
		if err := o.Client.Do(func() error {
			conn, err := net.Dial("udp6", to)
			if err != nil {
				return err
			}
			defer conn.Close()
			_, err = conn.Write([]byte("hello"))
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case got := <-arrived:
		if got != "["+desk6+"]:7" {
			t.Errorf("a datagram arrived at %s", got)
		}
	case <-time.After(office.Patience):
		t.Error("the datagram that the filter permits does not arrive")
	}
}

// listen6 says of each datagram that comes to an address of the inside host where it came.
func listen6(t *testing.T, o *office.Office, address string, arrived chan<- string) (done func()) {
	t.Helper()
	var conn net.PacketConn
	if err := o.Inside.Do(func() (err error) {
		conn, err = net.ListenPacket("udp6", address)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	go func() {
		buf := make([]byte, 100)
		for {
			if _, _, err := conn.ReadFrom(buf); err != nil {
				return
			}
			arrived <- address
		}
	}()
	return func() { conn.Close() }
}

// TestNoIPv6ForPhones: whoever logs in where phones do, and says it can do IPv6, gets none.
func TestNoIPv6ForPhones(t *testing.T) {
	t.Parallel()
	o := newStaffOffice(t)
	_, addresses, _, split := connect6(t, o, office.URL)
	if len(addresses) != 2 || addresses[1] != "none" || split != "split6 0 split4 0" {
		t.Errorf("openconnect is given %q, %q", addresses, split)
	}
}

// TestIPv6Address stays with its session over a reconnect.
func TestIPv6Address(t *testing.T) {
	t.Parallel()
	o := newStaffOffice(t)
	p, before, _, _ := connect6(t, o, staffURL, "--force-dpd", "3", "--reconnect-timeout", "120")
	mark := p.Mark()
	p.Signal(syscall.SIGUSR2)
	line := p.WaitAfter(mark, "script reconnect ")
	if got := strings.Fields(line)[2:]; got[0] != before[0] || got[1] != before[1] {
		t.Errorf("came back with %q, had %q", got, before)
	}
	if out, err := o.Run(o.Client, "", office.Peer(t, "ping"), "-6", "-c", "3", "-i", "0.2", "-W", "10", desk6); err != nil {
		t.Errorf("ping: %v\n%s", err, out)
	}
}

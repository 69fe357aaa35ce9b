package tun_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/tun"
)

// forbidden is why this machine lets us make no networks; nil when it does.
var forbidden error

func TestMain(m *testing.M) {
	code, done, err := testnet.Enter(context.Background())
	if done {
		os.Exit(code)
	}
	forbidden = err
	os.Exit(m.Run())
}

// host is a host whose default route leads to a neighbour by eth0.
func host(t *testing.T) *testnet.Host {
	t.Helper()
	var reason *testnet.Forbidden
	if os.Getenv("CI") != "true" && errors.As(forbidden, &reason) {
		t.Skipf("%v; %s", reason, reason.Fix)
	}
	must(t, forbidden)
	var hosts [2]*testnet.Host
	for i := range hosts {
		h, err := testnet.NewHost(fmt.Sprintf("host%d", i), nil)
		must(t, err)
		t.Cleanup(func() { must(t, h.Close()) })
		hosts[i] = h
	}
	must(t, testnet.Connect(hosts[0], "eth0", netip.MustParsePrefix("192.168.1.100/24"), hosts[1], "eth0", netip.MustParsePrefix("192.168.1.1/24")))
	must(t, hosts[0].Route(netip.Prefix{}, netip.MustParseAddr("192.168.1.1")))
	return hosts[0]
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The kernel answers a packet for a closed port by the way the packet came, though the default route
// leads elsewhere.
func TestKernelAnswersFromAddress(t *testing.T) {
	t.Parallel()
	h := host(t)
	var device tun.Device
	must(t, h.Do(func() (err error) {
		device, err = tun.Open(tun.Settings{Name: "vpn0", Address: netip.MustParsePrefix("10.20.0.130/32"), FromAddress: true})
		return err
	}))
	_, err := device.Write(datagram("10.20.0.10", "10.20.0.130"))
	must(t, err)
	answer := make([]byte, 1500)
	n, err := device.Read(answer)
	must(t, err)
	const icmp, unreachable = 1, 3
	if n < 28 || answer[9] != icmp || answer[20] != unreachable || netip.AddrFrom4([4]byte(answer[16:20])).String() != "10.20.0.10" {
		t.Errorf("the device is handed % x, want ICMP port unreachable", answer[:n])
	}
	must(t, device.Close())
	must(t, h.Do(func() error {
		rules, err := netlink.RuleList(netlink.FAMILY_V4)
		for _, rule := range rules {
			if rule.Src != nil {
				t.Errorf("rule %v is left behind", rule)
			}
		}
		return err
	}))
}

// A detached device carries packets by its descriptor, without waiting, and Close removes it.
func TestDetach(t *testing.T) {
	t.Parallel()
	h := host(t)
	var device tun.Device
	must(t, h.Do(func() (err error) {
		device, err = tun.Open(tun.Settings{Name: "vpn0", Address: netip.MustParsePrefix("10.20.0.130/24"), Queue: 1000})
		return err
	}))
	fd, _, err := device.(tun.Detacher).Detach()
	must(t, err)
	answer := make([]byte, 1500)
	for n := 1; n > 0; { // what the kernel says by itself
		n, err = unix.Read(fd, answer)
	}
	if !errors.Is(err, unix.EAGAIN) {
		t.Errorf("an empty device reads %v, want %v", err, unix.EAGAIN)
	}
	_, err = unix.Write(fd, datagram("10.20.0.10", "10.20.0.130"))
	must(t, err)
	n, err := unix.Read(fd, answer)
	if err != nil || netip.AddrFrom4([4]byte(answer[16:20])).String() != "10.20.0.10" {
		t.Errorf("the device is handed % x, %v; want ICMP port unreachable", answer[:n], err)
	}
	must(t, h.Do(func() error {
		link, err := netlink.LinkByName("vpn0")
		if err == nil && link.Attrs().TxQLen != 1000 {
			t.Errorf("queue of %d packets want 1000", link.Attrs().TxQLen)
		}
		return err
	}))
	must(t, device.Close())
	must(t, h.Do(func() error {
		if _, err := netlink.LinkByName("vpn0"); err == nil {
			t.Error("the interface is still there")
		}
		return nil
	}))
}

// datagram is an IPv4 packet with an empty UDP datagram.
func datagram(from, to string) []byte {
	p := make([]byte, 28)
	p[0], p[3], p[8], p[9] = 0x45, byte(len(p)), 64, 17
	copy(p[12:], netip.MustParseAddr(from).AsSlice())
	copy(p[16:], netip.MustParseAddr(to).AsSlice())
	var sum uint32
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(p[i:]))
	}
	binary.BigEndian.PutUint16(p[10:], ^uint16(sum+sum>>16))
	p[21], p[23], p[25] = 9, 9, 8
	return p
}

package testnet_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/internal/testnet"
)

var (
	none   netip.Prefix
	prefix = netip.MustParsePrefix
	addr   = netip.MustParseAddr
)

// listen opens a UDP socket on the host that answers every datagram with the sender's address.
func listen(t *testing.T, h *testnet.Host, address string) {
	t.Helper()
	var conn net.PacketConn
	must(t, h.Do(func() (err error) {
		conn, err = net.ListenPacket("udp4", address)
		return err
	}))
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 100)
		for {
			_, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo([]byte(from.String()), from)
		}
	}()
	t.Cleanup(func() { must(t, conn.Close()); <-done })
}

// ask sends a datagram from the host and returns the address under which it was seen.
func ask(t *testing.T, h *testnet.Host, address string) (netip.AddrPort, error) {
	t.Helper()
	return askFrom(t, h, "0.0.0.0", address)
}

// askFrom does it from one of the host's addresses.
func askFrom(t *testing.T, h *testnet.Host, from, address string) (netip.AddrPort, error) {
	t.Helper()
	var conn net.Conn
	if err := h.Do(func() (err error) {
		conn, err = (&net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(from)}}).Dial("udp4", address)
		return err
	}); err != nil {
		return netip.AddrPort{}, err
	}
	defer func() { must(t, conn.Close()) }()
	buf := make([]byte, 100)
	for range 5 {
		if _, err := conn.Write([]byte("?")); err != nil {
			return netip.AddrPort{}, err
		}
		must(t, conn.SetReadDeadline(time.Now().Add(200*time.Millisecond)))
		n, err := conn.Read(buf)
		if err == nil {
			return netip.MustParseAddrPort(string(buf[:n])), nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return netip.AddrPort{}, err
		}
	}
	return netip.AddrPort{}, os.ErrDeadlineExceeded
}

func TestHomeBehindNAT(t *testing.T) {
	t.Parallel()
	internet, router, phone := newHost(t, "internet", nil), newHost(t, "router", nil), newHost(t, "phone", nil)
	lan := newSwitch(t, "lan")
	must(t, testnet.Connect(router, "wan", prefix("198.51.100.7/24"), internet, "home", prefix("198.51.100.1/24")))
	must(t, router.Route(none, addr("198.51.100.1")))
	must(t, lan.Plug(router, "lan", nil))
	must(t, router.Address("lan", prefix("192.168.1.1/24")))
	must(t, router.Forward())
	must(t, router.Masquerade("wan"))
	dhcp, err := testnet.ServeDHCP(router, "lan", testnet.DHCPSettings{
		Server: prefix("192.168.1.1/24"), First: addr("192.168.1.100"), Last: addr("192.168.1.110"),
		Router: addr("192.168.1.1"), DNS: []netip.Addr{addr("198.51.100.1")},
		Options: map[uint8][]byte{testnet.OptionTFTPServerAddress: {10, 20, 0, 1}},
	})
	must(t, err)
	t.Cleanup(func() { must(t, dhcp.Close()) })

	mac, err := net.ParseMAC("00:11:22:33:44:55")
	must(t, err)
	must(t, lan.Plug(phone, "eth0", mac))
	lease, err := phone.Lease(context.Background(), "eth0")
	must(t, err)
	if lease.Address != prefix("192.168.1.100/24") || lease.Router != addr("192.168.1.1") {
		t.Errorf("lease %v by %v, want the first address and the router's", lease.Address, lease.Router)
	}
	if got := lease.Options[testnet.OptionTFTPServerAddress]; string(got) != "\x0a\x14\x00\x01" {
		t.Errorf("option 150 is % x, want 0a 14 00 01", got)
	}

	listen(t, internet, "198.51.100.1:5000")
	seen, err := ask(t, phone, "198.51.100.1:5000")
	must(t, err)
	if seen.Addr() != addr("198.51.100.7") {
		t.Errorf("the internet sees %v, want the router's address", seen)
	}
	if _, err := ask(t, phone, "10.20.0.1:5000"); err == nil {
		t.Error("an address that is nowhere answered")
	}
}

func TestUnpluggedPhoneIsCarried(t *testing.T) {
	t.Parallel()
	office, home := newSwitch(t, "office"), newSwitch(t, "home")
	server, other, phone := newHost(t, "server", nil), newHost(t, "other", nil), newHost(t, "phone", nil)
	must(t, office.Plug(server, "eth0", nil))
	must(t, server.Address("eth0", prefix("10.20.0.1/24")))
	must(t, home.Plug(other, "eth0", nil))
	must(t, other.Address("eth0", prefix("192.168.1.1/24")))
	listen(t, server, "10.20.0.1:5000")
	listen(t, other, "192.168.1.1:5000")

	must(t, office.Plug(phone, "eth0", nil))
	must(t, phone.Address("eth0", prefix("10.20.0.12/24")))
	if _, err := ask(t, phone, "10.20.0.1:5000"); err != nil {
		t.Errorf("in the office: %v", err)
	}
	must(t, phone.Unplug("eth0"))
	if _, err := ask(t, phone, "10.20.0.1:5000"); err == nil {
		t.Error("an unplugged phone reached the office")
	}
	must(t, home.Plug(phone, "eth0", nil))
	must(t, phone.Address("eth0", prefix("192.168.1.12/24")))
	if _, err := ask(t, phone, "192.168.1.1:5000"); err != nil {
		t.Errorf("at home: %v", err)
	}
}

func TestDropSwallowsOnePort(t *testing.T) {
	t.Parallel()
	left, middle, right := newHost(t, "left", nil), newHost(t, "middle", nil), newHost(t, "right", nil)
	must(t, testnet.Connect(left, "eth0", prefix("10.1.0.2/24"), middle, "left", prefix("10.1.0.1/24")))
	must(t, testnet.Connect(right, "eth0", prefix("10.2.0.2/24"), middle, "right", prefix("10.2.0.1/24")))
	must(t, left.Route(none, addr("10.1.0.1")))
	must(t, right.Route(prefix("10.1.0.0/24"), addr("10.2.0.1")))
	must(t, middle.Forward())
	must(t, middle.Drop(unix.IPPROTO_UDP, 443))
	listen(t, right, "10.2.0.2:443")
	listen(t, right, "10.2.0.2:444")
	if _, err := ask(t, left, "10.2.0.2:444"); err != nil {
		t.Errorf("port 444: %v", err)
	}
	if _, err := ask(t, left, "10.2.0.2:443"); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("port 443: %v, want silence", err)
	}
}

func TestDisguise(t *testing.T) {
	t.Parallel()
	a, b := newHost(t, "a", nil), newHost(t, "b", nil)
	must(t, testnet.Connect(a, "eth0", prefix("10.1.0.1/24"), b, "eth0", prefix("10.1.0.130/24")))
	must(t, a.Disguise(prefix("10.1.0.128/26"), unix.IPPROTO_UDP, 5060, addr("10.1.0.254")))
	must(t, b.Address("eth0", prefix("10.1.0.2/24")))
	listen(t, a, "10.1.0.1:5060")
	listen(t, a, "10.1.0.1:5061")
	for from, ports := range map[string]map[string]string{
		"10.1.0.130": {"5060": "10.1.0.254", "5061": "10.1.0.130"},
		"10.1.0.2":   {"5060": "10.1.0.2"},
	} {
		for port, want := range ports {
			if seen, err := askFrom(t, b, from, "10.1.0.1:"+port); err != nil || seen.Addr() != addr(want) {
				t.Errorf("%s is seen as %v at port %s (%v), want %s", from, seen, port, err, want)
			}
		}
	}
}

func TestOwn(t *testing.T) {
	t.Parallel()
	a, b := newHost(t, "a", nil), newHost(t, "b", nil)
	must(t, testnet.Connect(a, "eth0", prefix("10.1.0.1/24"), b, "eth0", prefix("10.1.0.2/24")))
	must(t, a.Own(prefix("198.18.0.0/16")))
	must(t, b.Route(prefix("198.18.0.0/16"), addr("10.1.0.1")))
	listen(t, a, "198.18.44.7:7")
	if _, err := ask(t, b, "198.18.44.7:7"); err != nil {
		t.Errorf("an address that is the host's own does not answer: %v", err)
	}
}

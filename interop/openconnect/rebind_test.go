//go:build interop

package openconnect_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/interop/office"
)

// home puts a router with NAT between the office's client and the Internet, and the client behind it.
func home(t *testing.T, o *office.Office) (router *testnet.Host) {
	t.Helper()
	router = o.Client
	behind, err := testnet.NewHost("behind", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { behind.Close() })
	gateway := netip.MustParseAddr("192.168.7.1")
	if err := errors.Join(
		testnet.Connect(behind, "eth0", netip.MustParsePrefix("192.168.7.2/24"), router, "lan", netip.PrefixFrom(gateway, 24)),
		behind.Route(netip.Prefix{}, gateway),
		router.Forward(),
	); err != nil {
		t.Fatal(err)
	}
	o.Client = behind
	remap(t, o, router, 20000)
	return router
}

// remap has the router give UDP flows other ports, from first on, and forget the ones they have. TCP keeps
// its ports.
func remap(t *testing.T, o *office.Office, router *testnet.Host, first int) {
	t.Helper()
	rules := fmt.Sprintf(`
		table ip home { chain out { type nat hook postrouting priority srcnat; }; }; flush table ip home
		table ip home { chain out {
			type nat hook postrouting priority srcnat
			oif eth0 udp sport 1-65535 snat to 203.0.113.9:%d-%d
			oif eth0 masquerade
		}; }`, first, first+99)
	if out, err := o.Run(router, rules, office.Peer(t, "nft"), "-f", "-"); err != nil {
		t.Fatalf("nft: %v\n%s", err, out)
	}
	if err := router.Do(func() error {
		udp := &netlink.ConntrackFilter{}
		if err := udp.AddProtocol(unix.IPPROTO_UDP); err != nil {
			return err
		}
		_, err := netlink.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET, udp)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// TestRebinding speaks at 50 packets a second through a router that changes the client's port in mid-speech,
// three times. Not one packet is lost, there or back.
func TestRebinding(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	serve := o.Serve()
	o.AddUser("anna", password)
	router := home(t, o)
	c := connect(t, o, password)
	c.Wait("Established DTLS connection")
	c.Wait("MTU") // openconnect sends nothing by DTLS before it has measured
	echo := echoInside(t, o)
	var conn net.Conn
	if err := o.Client.Do(func() (err error) {
		conn, err = net.Dial("udp4", echo)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const packets, each = 400, 20 * time.Millisecond
	back := make(chan int, packets)
	go func() {
		defer close(back)
		buf := make([]byte, 2000)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			back <- n
		}
	}()
	pace := time.NewTicker(each)
	defer pace.Stop()
	for i := range packets {
		if i%100 == 50 && i < 350 {
			remap(t, o, router, 30000+100*i)
		}
		<-pace.C
		if _, err := conn.Write(make([]byte, 100+i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.SetReadDeadline(time.Now().Add(office.Patience)); err != nil {
		t.Fatal(err)
	}
	lost := map[int]bool{}
	for i := range packets {
		lost[100+i] = true
	}
	for n := range back {
		if delete(lost, n); len(lost) == 0 {
			break
		}
	}
	if len(lost) > 0 {
		t.Errorf("lost are %v", lost)
	}
	if moves := strings.Count(serve.Output(), "client has moved"); moves != 3 {
		t.Errorf("the gateway saw the client move %d times, want 3", moves)
	}
	checkSession(t, o, c, "DTLS1.2")
}

// echoInside sends back each datagram that the host inside gets, and returns where.
func echoInside(t *testing.T, o *office.Office) string {
	t.Helper()
	var conn net.PacketConn
	if err := o.Inside.Do(func() (err error) {
		conn, err = net.ListenPacket("udp4", office.Desk+":0")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 2000)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(buf[:n], from) // what is lost is seen at the other end
		}
	}()
	return conn.LocalAddr().String()
}

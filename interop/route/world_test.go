//go:build interop && linux

package route_test

import (
	"encoding/binary"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/longcord/longcord/interop/office"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

const (
	officeName = "lc-office"
	tunName    = "lc-tun"
	inside     = "192.0.2.1"
	hostInside = "192.0.2.50"
)

// world is a gateway's host with an office interface and a TUN, and one host in the office, whose network
// namespace hangs on the other end of the office interface.
type world struct {
	host    netns.NsHandle
	tun     *os.File
	packets chan []byte // what comes out of the TUN, pings aside, which phones answer
}

func newWorld(t *testing.T, tunAddress string) *world {
	t.Helper()
	w := &world{packets: make(chan []byte, 100)}
	onOwnThread(t, func() (err error) {
		w.host, err = netns.New()
		return err
	})
	t.Cleanup(func() { w.host.Close() })

	office := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: officeName}, PeerName: "lc-host", PeerNamespace: netlink.NsFd(w.host)}
	must(t, netlink.LinkAdd(office))
	t.Cleanup(func() { netlink.LinkDel(office) })
	w.here(t, "ip", "addr", "add", inside+"/24", "dev", officeName)
	w.here(t, "ip", "link", "set", officeName, "up")
	w.there(t, "ip", "addr", "add", hostInside+"/24", "dev", "lc-host")
	w.there(t, "ip", "link", "set", "lc-host", "up")

	tun := &netlink.Tuntap{LinkAttrs: netlink.LinkAttrs{Name: tunName}, Mode: netlink.TUNTAP_MODE_TUN, Flags: netlink.TUNTAP_NO_PI, Queues: 1, NonPersist: true}
	must(t, netlink.LinkAdd(tun))
	w.here(t, "ip", "addr", "add", tunAddress, "dev", tunName)
	w.here(t, "ip", "link", "set", tunName, "up")
	w.tun = pollable(t, tun.Fds[0])
	go w.phones()
	t.Cleanup(func() { w.tun.Close() })
	return w
}

// further is one more host, on a cable of its own with IPv6 addresses.
func further(t *testing.T, here, there, hereAddress, thereAddress string) *world {
	t.Helper()
	w := &world{}
	onOwnThread(t, func() (err error) {
		w.host, err = netns.New()
		return err
	})
	t.Cleanup(func() { w.host.Close() })
	cable := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: here}, PeerName: there, PeerNamespace: netlink.NsFd(w.host)}
	must(t, netlink.LinkAdd(cable))
	t.Cleanup(func() { netlink.LinkDel(cable) })
	w.here(t, "ip", "-6", "addr", "add", hereAddress, "dev", here, "nodad")
	w.here(t, "ip", "link", "set", here, "up")
	w.there(t, "ip", "-6", "addr", "add", thereAddress, "dev", there, "nodad")
	w.there(t, "ip", "link", "set", there, "up")
	return w
}

// pollable turns a file into one whose Read ends with Close.
func pollable(t *testing.T, f *os.File) *os.File {
	t.Helper()
	fd, err := syscall.Dup(int(f.Fd()))
	must(t, err)
	must(t, f.Close())
	must(t, syscall.SetNonblock(fd, true))
	return os.NewFile(uintptr(fd), tunName)
}

// phones answers pings as the phones behind the TUN would, and hands on everything else.
func (w *world) phones() {
	defer close(w.packets)
	packet := make([]byte, 65536)
	for {
		n, err := w.tun.Read(packet)
		if err != nil {
			return
		}
		switch p := packet[:n]; {
		case isEchoRequest(p):
			w.tun.Write(echoReply(p))
		case isEchoRequest6(p):
			w.tun.Write(echoReply6(p))
		case p[0]>>4 == 4:
			w.packets <- append([]byte(nil), p...)
		}
	}
}

func isEchoRequest(p []byte) bool {
	return len(p) >= 28 && p[0] == 0x45 && p[9] == syscall.IPPROTO_ICMP && p[20] == 8
}

func echoReply(p []byte) []byte {
	reply := append([]byte(nil), p...)
	copy(reply[12:16], p[16:20])
	copy(reply[16:20], p[12:16])
	reply[20] = 0
	binary.BigEndian.PutUint16(reply[22:], 0)
	binary.BigEndian.PutUint16(reply[22:], checksum(reply[20:]))
	return reply
}

func isEchoRequest6(p []byte) bool {
	return len(p) >= 48 && p[0]>>4 == 6 && p[6] == syscall.IPPROTO_ICMPV6 && p[40] == 128
}

func echoReply6(p []byte) []byte {
	reply := append([]byte(nil), p...)
	copy(reply[8:24], p[24:40])
	copy(reply[24:40], p[8:24])
	reply[40] = 129
	binary.BigEndian.PutUint16(reply[42:], 0)
	pseudo := append(append([]byte(nil), reply[8:40]...), 0, 0, 0, 0, 0, 0, 0, syscall.IPPROTO_ICMPV6)
	binary.BigEndian.PutUint32(pseudo[32:], uint32(len(reply)-40))
	binary.BigEndian.PutUint16(reply[42:], checksum(append(pseudo, reply[40:]...)))
	return reply
}

// echoRequest is what a phone pings with.
func echoRequest(from, to string) []byte {
	p := make([]byte, 28)
	p[0], p[8], p[9], p[20] = 0x45, 64, syscall.IPPROTO_ICMP, 8
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	copy(p[12:], netip.MustParseAddr(from).AsSlice())
	copy(p[16:], netip.MustParseAddr(to).AsSlice())
	binary.BigEndian.PutUint16(p[10:], checksum(p[:20]))
	binary.BigEndian.PutUint16(p[22:], checksum(p[20:]))
	return p
}

// phonePings tells whether a phone reaches an address.
func (w *world) phonePings(t *testing.T, phone, address string) bool {
	t.Helper()
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for range 15 {
		if _, err := w.tun.Write(echoRequest(phone, address)); err != nil {
			t.Fatal(err)
		}
		select {
		case p := <-w.packets:
			if p[9] == syscall.IPPROTO_ICMP && p[20] == 0 && netip.AddrFrom4([4]byte(p[12:16])).String() == address {
				return true
			}
		case <-again.C:
		}
	}
	return false
}

func checksum(b []byte) uint16 {
	var sum uint32
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// datagram is an IPv4 packet with a UDP datagram of four bytes.
func datagram(from, to string) []byte {
	p := make([]byte, 32)
	p[0], p[8], p[9] = 0x45, 64, syscall.IPPROTO_UDP
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	copy(p[12:], netip.MustParseAddr(from).AsSlice())
	copy(p[16:], netip.MustParseAddr(to).AsSlice())
	binary.BigEndian.PutUint16(p[10:], checksum(p[:20]))
	binary.BigEndian.PutUint16(p[20:], 16384)
	binary.BigEndian.PutUint16(p[22:], 16384)
	binary.BigEndian.PutUint16(p[24:], 12)
	return p
}

// here runs a program in the gateway's namespace and returns what it prints.
func (w *world) here(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// there does the same in the office host's.
func (w *world) there(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := w.tryThere(t, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
	return out
}

func (w *world) tryThere(t *testing.T, name string, args ...string) (out string, err error) {
	t.Helper()
	w.inHost(t, func() error {
		b, failed := exec.Command(name, args...).CombinedOutput()
		out, err = string(b), failed
		return nil
	})
	return out, err
}

func (w *world) inHost(t *testing.T, f func() error) {
	t.Helper()
	onOwnThread(t, func() error {
		if err := netns.Set(w.host); err != nil {
			return err
		}
		return f()
	})
}

// onOwnThread runs f on a thread that ends with it, so that a change of namespace stays there.
func onOwnThread(t *testing.T, f func() error) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	must(t, <-done)
}

// pings tells whether the office host gets an answer from an address within a second.
func (w *world) pings(t *testing.T, address string) bool {
	t.Helper()
	return w.ping(t, address, "-W", "1")
}

// reaches tells whether it gets one, and asks until it does: a busy machine is late.
func (w *world) reaches(t *testing.T, address string) bool {
	t.Helper()
	return w.ping(t, address, "-i", "0.2", "-w", "20")
}

// ping asks for one answer. The host forgets first what its neighbours told it before.
func (w *world) ping(t *testing.T, address string, flags ...string) bool {
	t.Helper()
	w.there(t, "ip", "neigh", "flush", "dev", "lc-host")
	w.there(t, "ip", "-6", "neigh", "flush", "dev", "lc-host")
	_, err := w.tryThere(t, "ping", append(flags, "-n", "-c", "1", address)...)
	return err == nil
}

func sysctl(t *testing.T, path string) string {
	t.Helper()
	value, err := os.ReadFile("/proc/sys/" + path)
	must(t, err)
	return strings.TrimSpace(string(value))
}

func setSysctl(t *testing.T, path, value string) {
	t.Helper()
	must(t, os.WriteFile("/proc/sys/"+path, []byte(value), 0o644))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

//go:build interop

package serve_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/interop/office"
)

// Whatever comes in on its ports, serve goes on, its memory stays bounded, it lets go of what has been left
// open, and phones boot and talk afterwards as before.
func TestRubbish(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	serve := o.Serve()
	o.AddUser(user, password)
	h := newHousehold(t, o)
	h.talk(t)
	inside, outside := newAttacker(t, o.Inside, "10.20.0.8/24"), newAttacker(t, o.Client, "203.0.113.8/24")
	began := usage(t, serve)
	for _, attack := range []struct {
		name string
		do   func(t *testing.T)
	}{
		{"files, UDP", func(t *testing.T) { inside.datagrams(t, office.Inside+":69", tftpSeeds) }},
		{"files, UDP, many requests", func(t *testing.T) { inside.requests(t, office.Inside+":69", tftpSeeds[0], 3000) }},
		{"files, TCP", func(t *testing.T) { inside.streams(t, "tcp4", office.Inside+":6970", httpSeeds) }},
		{"files, TCP, held", func(t *testing.T) { inside.held(t, "tcp4", office.Inside+":6970", "GET /") }},
		{"gateway, TCP", func(t *testing.T) { outside.streams(t, "tcp4", office.Outside+":443", tlsSeeds) }},
		{"gateway, TCP, held", func(t *testing.T) { outside.held(t, "tcp4", office.Outside+":443", tlsSeeds[0][:20]) }},
		{"gateway, inside TLS", func(t *testing.T) { outside.insideTLS(t, office.Outside+":443") }},
		{"gateway, UDP", func(t *testing.T) { outside.datagrams(t, office.Outside+":443", dtlsSeeds) }},
		{"calls, UDP", func(t *testing.T) { inside.datagrams(t, office.Inside+":5060", sipSeeds) }},
		{"calls, UDP, many requests", func(t *testing.T) { inside.requests(t, office.Inside+":5060", sipSeeds[0], 3000) }},
		{"calls, TCP", func(t *testing.T) { inside.streams(t, "tcp4", office.Inside+":5060", sipSeeds) }},
		{"calls, TCP, held", func(t *testing.T) { inside.held(t, "tcp4", office.Inside+":5060", sipSeeds[0][:40]) }},
		{"control", func(t *testing.T) { inside.streams(t, "unix", o.Path("longcord.sock"), httpSeeds) }},
		{"control, held", func(t *testing.T) { inside.held(t, "unix", o.Path("longcord.sock"), "GET /") }},
	} {
		t.Run(attack.name, func(t *testing.T) {
			before := usage(t, serve)
			attack.do(t)
			after := usage(t, serve)
			t.Logf("memory %d to %d MB, files %d to %d", before.memory>>20, after.memory>>20, before.files, after.files)
			if grown := after.memory - before.memory; grown > mostMemory {
				t.Errorf("memory has grown by %d MB", grown>>20)
			}
		})
	}
	letGo(t, serve, began)
	if grown := usage(t, serve).memory - began.memory; grown > mostMemory {
		t.Errorf("memory has grown by %d MB in all", grown>>20)
	}
	h.desk.Kill()
	newHousehold(t, o).talk(t)
}

// mostMemory is by how much a flood may make the program grow, in bytes.
const mostMemory = 192 << 20

// use is what a program uses at a time.
type use struct{ memory, files int }

func usage(t *testing.T, p *office.Program) (u use) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d", p.PID())
	for line := range strings.Lines(read(t, filepath.Join(dir, "status"))) {
		if kilobytes, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(kilobytes), " kB"))
			must(t, err)
			u.memory = n << 10
		}
	}
	files, err := os.ReadDir(filepath.Join(dir, "fd"))
	must(t, err)
	u.files = len(files)
	return u
}

// letGo waits until the program has closed what the attackers left.
func letGo(t *testing.T, p *office.Program, began use) {
	t.Helper()
	const some = 10 // more than before, for what phones do
	var now use
	for deadline := time.Now().Add(office.Patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if now = usage(t, p); now.files <= began.files+some {
			return
		}
	}
	t.Errorf("%d files are open, %d were before the attacks", now.files, began.files)
}

// Beginnings of good messages, to be cut, mixed and repeated.
var (
	tftpSeeds = []string{
		"\x00\x01SEP020000001001.cnf.xml\x00octet\x00blksize\x008\x00tsize\x000\x00",
		"\x00\x02evil.xml\x00octet\x00", "\x00\x03\x00\x01data", "\x00\x04\x00\x01", "\x00\x05\x00\x00no\x00",
		"\x00\x01../../state/master.key\x00octet\x00", "\x00\x01a\x00octet\x00windowsize\x0065535\x00blksize\x0065464\x00",
	}
	httpSeeds = []string{
		"GET /SEP020000001001.cnf.xml HTTP/1.1\r\nHost: x\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
		"GET /../state/master.key HTTP/1.0\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\r\n\r\n\r\n", "POST /api/v1/inventory HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n",
		"GET /" + strings.Repeat("a", 1<<17) + " HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n" + strings.Repeat("X: y\r\n", 1<<14) + "\r\n",
	}
	tlsSeeds = []string{
		"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + strings.Repeat("r", 32) + "\x20" + strings.Repeat("s", 32) + "\x00\x02\xc0\x2f\x01\x00\x00\x56",
		"\x16\x03\x01\xff\xff\x01\xff\xff\xff\x03\x03", "\x80\x2e\x01\x00\x02", "GET / HTTP/1.1\r\n\r\n", "\x17\x03\x03\x40\x00", "\x15\x03\x03\x00\x02\x02\x00",
	}
	dtlsSeeds = []string{
		"\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x56\x01\x00\x00\x4a\x00\x00\x00\x00\x00\x00\x00\x4a\xfe\xfd" + strings.Repeat("r", 32) + "\x20" + strings.Repeat("s", 32) + "\x00\x00\x02\x00\x2f\x01\x00",
		"\x16\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x56\x01\x00\x00\x4a\x00\x00\x00\x00\x00\x00\x00\x4a\x01\x00" + strings.Repeat("r", 32) + "\x20" + strings.Repeat("s", 32) + "\x00\x00\x02\x00\x2f\x01\x00",
		"\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x01\x00\x20" + strings.Repeat("x", 32), "\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x01\xff\xff", "\x16\xfe\xfd",
	}
	sipSeeds = []string{
		"REGISTER sip:10.20.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.20.0.9:5999;branch=z9hG4bKa;rport\r\nFrom: <sip:1001@10.20.0.1>;tag=a\r\nTo: <sip:1001@10.20.0.1>\r\nCall-ID: a\r\nCSeq: 1 REGISTER\r\nContact: <sip:1001@10.20.0.9>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		"INVITE sip:1001@10.20.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.20.0.9;branch=z9hG4bKb\r\nFrom: <sip:1002@10.20.0.1>;tag=b\r\nTo: <sip:1001@10.20.0.1>\r\nCall-ID: b\r\nCSeq: 1 INVITE\r\nContact: <sip:1002@10.20.0.9>\r\nContent-Length: 99999999\r\n\r\nv=0",
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.20.0.1\r\nCSeq: 1 INVITE\r\n\r\n", "OPTIONS * SIP/2.0\r\n\r\n", "\r\n\r\n", "REGISTER\r\nContent-Length: -1\r\n\r\n",
		"INVITE sip:1001@10.20.0.1 SIP/2.0\r\n" + strings.Repeat("Via: SIP/2.0/UDP 1.2.3.4\r\n", 3000) + "\r\n",
	}
)

// spoil returns a message made of seeds: whole, cut, changed, doubled, or noise.
func spoil(seeds []string) []byte {
	b := []byte(seeds[rand.IntN(len(seeds))])
	switch rand.IntN(6) {
	case 0:
		b = b[:rand.IntN(len(b)+1)]
	case 1:
		for range 1 + rand.IntN(8) {
			b[rand.IntN(len(b))] = byte(rand.Uint32())
		}
	case 2:
		b = append(b, seeds[rand.IntN(len(seeds))]...)
	case 3:
		b = make([]byte, rand.IntN(1400))
		for i := range b {
			b[i] = byte(rand.Uint32())
		}
	case 4:
		at := rand.IntN(len(b) + 1)
		b = slices.Insert(b, at, []byte{0, 0xff, '\n', 0x80}[rand.IntN(4)])
	}
	return b
}

// attacker is an address from which rubbish comes; phones on the same host have another.
type attacker struct {
	host *testnet.Host
	from netip.Addr
}

func newAttacker(t *testing.T, host *testnet.Host, prefix string) attacker {
	t.Helper()
	from := netip.MustParsePrefix(prefix)
	must(t, host.Address("eth0", from))
	return attacker{host, from.Addr()}
}

func (a attacker) dial(network, address string) (conn net.Conn, err error) {
	dialer := net.Dialer{Timeout: time.Second}
	switch network {
	case "tcp4":
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(a.from, 0))
	case "udp4":
		dialer.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(a.from, 0))
	}
	err = a.host.Do(func() (err error) {
		conn, err = dialer.Dial(network, address)
		return err
	})
	return conn, err
}

// datagrams sends many of them from a few ports.
func (a attacker) datagrams(t *testing.T, address string, seeds []string) {
	t.Helper()
	const ports, each, most = 8, 2500, 1400
	var senders sync.WaitGroup
	for range ports {
		conn, err := a.dial("udp4", address)
		must(t, err)
		senders.Go(func() {
			defer conn.Close()
			for range each {
				b := spoil(seeds)
				_, _ = conn.Write(b[:min(len(b), most)]) // the other end may have said that it is closed
			}
		})
	}
	senders.Wait()
}

// requests sends one good request from each of many ports and answers nothing.
func (a attacker) requests(t *testing.T, address, request string, count int) {
	t.Helper()
	server := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(address))
	for range count {
		var conn net.PacketConn
		must(t, a.host.Do(func() (err error) {
			conn, err = net.ListenPacket("udp4", netip.AddrPortFrom(a.from, 0).String())
			return err
		}))
		t.Cleanup(func() { conn.Close() })
		_, err := conn.WriteTo([]byte(request), server)
		must(t, err)
	}
}

// streams sends rubbish over many connections, some at once, and reads what comes back.
func (a attacker) streams(t *testing.T, network, address string, seeds []string) {
	t.Helper()
	const at, each = 16, 40
	var senders sync.WaitGroup
	for range at {
		senders.Go(func() {
			for range each {
				conn, err := a.dial(network, address)
				if err != nil {
					t.Errorf("dial: %v", err)
					return
				}
				talkRubbish(conn, seeds)
			}
		})
	}
	senders.Wait()
}

func talkRubbish(conn net.Conn, seeds []string) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(200 * time.Millisecond))
	for range 1 + rand.IntN(4) {
		if _, err := conn.Write(spoil(seeds)); err != nil {
			return
		}
	}
	if rand.IntN(2) == 0 {
		_, _ = io.Copy(io.Discard, conn)
	}
}

// held opens many connections and keeps them, sending slowly, for a while. Some may be refused.
func (a attacker) held(t *testing.T, network, address, beginning string) {
	t.Helper()
	const connections, while = 3000, 3 * time.Second
	var conns []net.Conn
	defer func() {
		for _, conn := range conns {
			conn.Close()
		}
	}()
	for range connections {
		conn, err := a.dial(network, address)
		if err != nil {
			break
		}
		conns = append(conns, conn)
		_, _ = conn.Write([]byte(beginning)) // it may be closed by now
	}
	if len(conns) == 0 {
		t.Fatal("not one connection")
	}
	for end := time.Now().Add(while); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		for _, conn := range conns {
			_ = conn.SetWriteDeadline(time.Now().Add(time.Millisecond))
			_, _ = conn.Write([]byte("a"))
		}
	}
}

// occupy keeps as many connections as it gets, opening new ones for those that are closed, until stop is
// closed.
func (a attacker) occupy(stop chan struct{}, address, beginning string) {
	const connections, pace = 1500, 2 * time.Millisecond
	var conns [connections]net.Conn
	for i := 0; ; i = (i + 1) % connections {
		select {
		case <-stop:
			for _, conn := range conns {
				if conn != nil {
					conn.Close()
				}
			}
			return
		case <-time.After(pace):
		}
		if conns[i] != nil {
			conns[i].Close()
			conns[i] = nil
		}
		if conn, err := a.dial("tcp4", address); err == nil {
			conns[i] = conn
			_, _ = conn.Write([]byte(beginning)) // it may be closed by now
		}
	}
}

// pour sends datagrams until stop is closed.
func (a attacker) pour(stop chan struct{}, address string, seeds []string) {
	const pace = time.Millisecond
	for {
		conn, err := a.dial("udp4", address)
		if err != nil {
			return
		}
		for range 100 {
			select {
			case <-stop:
				conn.Close()
				return
			case <-time.After(pace):
				_, _ = conn.Write(spoil(seeds)) // the other end may have said that it is closed
			}
		}
		conn.Close()
	}
}

// While one address in the office and one outside do what they can, phones at other addresses boot, log in
// and talk.
func TestFlood(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	o.Serve()
	o.AddUser(user, password)
	inside, outside := newAttacker(t, o.Inside, "10.20.0.8/24"), newAttacker(t, o.Client, "203.0.113.8/24")
	stop := make(chan struct{})
	var attackers sync.WaitGroup
	attackers.Go(func() { inside.occupy(stop, office.Inside+":6970", "GET /") })
	attackers.Go(func() { inside.occupy(stop, office.Inside+":5060", sipSeeds[0][:40]) })
	attackers.Go(func() { outside.occupy(stop, office.Outside+":443", tlsSeeds[0][:20]) })
	attackers.Go(func() { inside.pour(stop, office.Inside+":69", tftpSeeds) })
	attackers.Go(func() { inside.pour(stop, office.Inside+":5060", sipSeeds) })
	attackers.Go(func() { outside.pour(stop, office.Outside+":443", dtlsSeeds) })
	defer attackers.Wait()
	defer close(stop)
	time.Sleep(5 * time.Second) // until whatever fills has filled
	newHousehold(t, o).talk(t)
}

// insideTLS sends rubbish to those who have shaken hands.
func (a attacker) insideTLS(t *testing.T, address string) {
	t.Helper()
	const connections = 300
	seeds := append(slices.Clone(httpSeeds),
		"GET /phone HTTP/1.1\r\nHost: 203.0.113.2\r\n\r\n",
		"POST /phone HTTP/1.1\r\nHost: 203.0.113.2\r\nContent-Length: 29\r\n\r\nusername=anna&password=wrong12",
		"POST / HTTP/1.1\r\nHost: 203.0.113.2\r\nContent-Length: 60\r\n\r\n<?xml version=\"1.0\"?><config-auth client=\"vpn\" type=\"init\"><",
		"CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: 203.0.113.2\r\nCookie: webvpn="+strings.Repeat("A", 44)+"\r\n\r\n",
	)
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for range connections / 8 {
				raw, err := a.dial("tcp4", address)
				if err != nil {
					t.Errorf("dial: %v", err)
					return
				}
				talkRubbish(tls.Client(raw, &tls.Config{InsecureSkipVerify: true}), seeds)
			}
		})
	}
	senders.Wait()
}

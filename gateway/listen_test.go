package gateway

import (
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/wire/cstp"
)

// sockets opens what systemd would pass.
func sockets(t *testing.T, stream, datagram string) []*os.File {
	t.Helper()
	tcp, err := net.Listen("tcp", stream)
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", datagram)
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	first, err := tcp.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	second, err := udp.(*net.UDPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	return []*os.File{first, second}
}

// TestPassedSockets: a gateway takes over sockets that are open, and who came before it is served after.
func TestPassedSockets(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]string{"IPv4": "127.0.0.1:0", "IPv6": "[::1]:0", "both": "[::]:0"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			passed := sockets(t, at, at)
			w := open(t, withUsers("anna"), func(_ *world, c *Config) { c.Sockets = passed })
			if len(w.g.listeners) != 1 {
				t.Fatalf("it listens on %v", w.g.Listening())
			}
			if name == "IPv6" {
				conn, err := net.Dial("tcp", w.g.listeners[0].Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				conn.Close()
				return
			}
			c := w.tunnel(phoneURL, "anna")
			c.dtls(w.socket())
		})
	}
}

// TestBothFamilies: one session over each, by sockets of their own.
func TestBothFamilies(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna", "bob"), func(_ *world, c *Config) { c.Outside6 = netip.IPv6Loopback() })
	if got := w.g.Listening(); len(got) != 4 || w.g.udp.six || !w.g.udp.other.six {
		t.Fatalf("it listens on %v", got)
	}
	four := w.tunnel(phoneURL, "anna")
	overFour := four.dtls(w.socket())
	six := w.tunnel(phoneURL, "bob")
	sock, err := net.DialUDP("udp6", nil, &net.UDPAddr{IP: net.IPv6loopback, Port: int(w.g.udp.other.address().Port())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sock.Close() })
	overSix := six.dtls(sock)
	for range 3 { // in one batch, packets for both
		for _, c := range []*client{four, six} {
			w.fromHost(packet(files, c.answer.Address.String(), protoUDP, 5060, 172))
		}
	}
	for _, c := range []*channel{overFour, overSix} {
		for range 3 {
			c.message(cstp.Data)
		}
	}
	if lost := w.g.Loss(); lost.FromClients != 0 {
		t.Errorf("lost %+v", lost)
	}
}

func TestPassedSocketsRefused(t *testing.T) {
	t.Parallel()
	two := append(sockets(t, "127.0.0.1:0", "127.0.0.1:0"), sockets(t, "127.0.0.1:0", "127.0.0.1:0")[1])
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	path := t.TempDir() + "/socket"
	local, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	file, err := local.(*net.UnixListener).File()
	if err != nil {
		t.Fatal(err)
	}
	plain, err := os.CreateTemp(t.TempDir(), "file")
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		files []*os.File
		want  string
	}{
		"two UDP sockets":  {two, "a second UDP socket"},
		"datagrams, local": {[]*os.File{os.NewFile(uintptr(pair[0]), "gateway"), os.NewFile(uintptr(pair[1]), "gateway")}, "no UDP socket"},
		"streams, local":   {[]*os.File{file}, "want TCP"},
		"a file":           {[]*os.File{plain}, "not a socket"},
	} {
		g := &Gateway{config: Config{Sockets: c.files}}
		if err := g.listen(); err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), "non-socket", "not a socket"), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
		if err := g.closeSockets(); err != nil {
			t.Error(err)
		}
	}
}

package provisioner

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/longcord/longcord/internal/servertest"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/tftp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const phone = "SEP001122334455"

func office() *inventory.Set {
	set := inventory.NewSet()
	set.Lines["1001"] = &inventory.Line{Name: "1001"}
	set.Devices[phone] = &inventory.Device{Name: phone, Lines: []string{"1001"}}
	return set
}

// here has the office on this host.
var here = provision.Access{Office: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}

// server is a running provisioner on loopback ports.
type server struct {
	*Provisioner
	t    *testing.T
	tftp netip.AddrPort
	http netip.AddrPort
	log  *servertest.Log
}

func start(t *testing.T, set *inventory.Set, dir string) *server {
	t.Helper()
	return startWith(t, set, func(c *Config) { c.FilesDir = dir })
}

func startWith(t *testing.T, set *inventory.Set, change func(*Config)) *server {
	t.Helper()
	loopback := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 0)
	log := &servertest.Log{}
	config := Config{
		Settings:  Settings{TFTP: loopback, HTTP: loopback, Access: here},
		Inventory: func() *inventory.Set { return set },
		Log:       slog.New(slog.NewTextHandler(log, nil)),
	}
	change(&config)
	p, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Open(); err != nil {
		t.Fatal(err)
	}
	servertest.Start(t, p.Serve)
	s := &server{Provisioner: p, t: t, log: log}
	s.tftp, s.http = p.Addresses()
	return s
}

func (s *server) get(name string) (int, []byte) {
	s.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(fmt.Sprintf("http://%s%s", s.http, name))
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, body
}

// ask sends one request from a port of its own and returns the connection.
func (s *server) ask(packet []byte) *net.UDPConn {
	s.t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	if _, err := conn.WriteToUDPAddrPort(packet, s.tftp); err != nil {
		s.t.Fatal(err)
	}
	return conn
}

func (s *server) next(conn *net.UDPConn) (tftp.Packet, netip.AddrPort) {
	s.t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		s.t.Fatal(err)
	}
	buffer := make([]byte, 2000)
	n, from, err := conn.ReadFromUDPAddrPort(buffer)
	if err != nil {
		s.t.Fatal(err)
	}
	packet, err := tftp.Parse(buffer[:n])
	if err != nil {
		s.t.Fatal(err)
	}
	return packet, from
}

func rrq(name string) *tftp.Request { return &tftp.Request{Name: name, Mode: tftp.Octet} }

func encode(t *testing.T, packet tftp.Packet) []byte {
	t.Helper()
	b, err := packet.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fetch reads a file by TFTP.
func (s *server) fetch(name string) ([]byte, error) {
	s.t.Helper()
	receiver, actions := provision.NewReceiver(time.Now(), provision.ReceiverConfig{Name: name, MaxSize: 1 << 30})
	conn := s.ask(encode(s.t, actions[0].(provision.Send).Packet))
	for {
		packet, from := s.next(conn)
		if from == s.tftp {
			if _, isError := packet.(*tftp.Error); !isError {
				s.t.Fatalf("%s comes from the port of requests", packet)
			}
		}
		for _, action := range receiver.Received(time.Now(), packet) {
			switch action := action.(type) {
			case provision.Send:
				if _, err := conn.WriteToUDPAddrPort(encode(s.t, action.Packet), from); err != nil {
					s.t.Fatal(err)
				}
			case provision.Finished:
				return receiver.Content(), nil
			case provision.Failed:
				return nil, action.Err
			}
		}
	}
}

// eventually waits for something that another goroutine does after it has answered.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline, tick := time.After(10*time.Second), time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never happened: %s", what)
		}
	}
}

func TestSameFileOverBothTransports(t *testing.T) {
	t.Parallel()
	s := start(t, office(), "")
	status, viaHTTP := s.get("/sep001122334455.cnf.xml")
	viaTFTP, err := s.fetch(`\` + phone + ".cnf.xml")
	if status != http.StatusOK || err != nil || !bytes.Equal(viaHTTP, viaTFTP) {
		t.Fatalf("HTTP %d with %d bytes, TFTP %d bytes, %v; want the same file", status, len(viaHTTP), len(viaTFTP), err)
	}
	d, err := cnf.Parse(viaHTTP)
	if err != nil || d.Pool.CallManagers[0].Host != "127.0.0.1" {
		t.Errorf("file is %s, %v, want our own address as call manager", d, err)
	}
	eventually(t, "both deliveries counted", func() bool { return s.Snapshot().Delivered == 2 })
	if got := s.Deliveries()[phone]; len(got) != 1 || got[0].VersionStamp != d.VersionStamp || got[0].Transport != provision.HTTP {
		t.Errorf("deliveries are %+v, want the first of the two", got)
	}
	eventually(t, "both deliveries logged", func() bool {
		log := s.log.String()
		return strings.Contains(log, `msg="file delivered"`) && strings.Contains(log, "transport=tftp phone="+phone) &&
			strings.Contains(log, "transport=http") && strings.Contains(log, fmt.Sprintf("bytes=%d", len(viaHTTP)))
	})
}

func TestMissingFileIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, office(), t.TempDir())
	if status, _ := s.get("/ITLFile.tlv"); status != http.StatusNotFound {
		t.Errorf("HTTP answers %d, want 404", status)
	}
	var peer *provision.PeerError
	if _, err := s.fetch("ITLFile.tlv"); !errors.As(err, &peer) || peer.Code != tftp.NotFound {
		t.Errorf("TFTP answers %v, want ERROR 1", err)
	}
	eventually(t, "both counted", func() bool { return s.Snapshot().Missing == 2 })
}

func folderWith(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFolder(t *testing.T) {
	t.Parallel()
	dir := folderWith(t, map[string]string{
		"Ringlist.xml": "<CiscoIPPhoneRingList/>", "Desktops/320x212x16/List.xml": "wallpaper",
		phone + ".cnf.xml": "forgotten", "XMLDefault.cnf.xml": "the operator's own",
	})
	secretDir := folderWith(t, map[string]string{"key": "secret"})
	if err := os.Symlink(filepath.Join(secretDir, "key"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := start(t, office(), dir)
	for name, want := range map[string]string{
		"/ringLIST.xml": "<CiscoIPPhoneRingList/>", "/desktops/320x212X16/list.xml": "wallpaper",
		"/XMLDEFAULT.cnf.xml": "the operator's own",
	} {
		if status, body := s.get(name); status != http.StatusOK || string(body) != want {
			t.Errorf("%s: %d %q, want %q", name, status, body, want)
		}
	}
	if _, body := s.get("/" + phone + ".cnf.xml"); string(body) == "forgotten" {
		t.Error("a file in the folder hides the phone's own")
	}
	for _, name := range []string{"/Desktops", "/pipe", "/..%2f..%2fetc/passwd", "/%2e%2e/key", `/..%5ckey`, "/link", "/Desktops/nothing"} {
		if status, body := s.get(name); status == http.StatusOK {
			t.Errorf("%s is served: %q", name, body)
		}
	}
	for _, name := range []string{"../key", "/etc/passwd", "link", "Desktops/320x212x16"} {
		if body, err := s.fetch(name); err == nil {
			t.Errorf("%s is served by TFTP: %q", name, body)
		}
	}
}

func TestLargeFile(t *testing.T) {
	t.Parallel()
	content := make([]byte, 3<<20+17)
	source := rand.New(rand.NewPCG(1, 2))
	for i := range content {
		content[i] = byte(source.Uint32())
	}
	s := start(t, office(), folderWith(t, map[string]string{"firmware.sbn": string(content)}))
	if got, err := s.fetch("firmware.sbn"); err != nil || !bytes.Equal(got, content) {
		t.Errorf("TFTP: %d bytes, %v, want the %d of the file", len(got), err, len(content))
	}
	if _, got := s.get("/firmware.sbn"); !bytes.Equal(got, content) {
		t.Errorf("HTTP: %d bytes, want the %d of the file", len(got), len(content))
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	set := office()
	set.Devices["SEP00AABBCCDDEE"] = &inventory.Device{Name: "SEP00AABBCCDDEE", Lines: []string{"none"}}
	s := start(t, set, "")
	for _, c := range []struct {
		request *tftp.Request
		want    tftp.ErrorCode
	}{
		{&tftp.Request{Write: true, Name: "x", Mode: tftp.Octet}, tftp.AccessViolation},
		{&tftp.Request{Name: phone + ".cnf.xml", Mode: "mail"}, tftp.IllegalOperation},
		{&tftp.Request{Name: "SEP00AABBCCDDEE.cnf.xml", Mode: tftp.Octet}, tftp.Undefined},
	} {
		packet, _ := s.next(s.ask(encode(t, c.request)))
		if got, ok := packet.(*tftp.Error); !ok || got.Code != c.want {
			t.Errorf("%s is answered %s, want ERROR %d", c.request, packet, c.want)
		}
	}
	if status, _ := s.get("/SEP00AABBCCDDEE.cnf.xml"); status != http.StatusInternalServerError {
		t.Errorf("a file that cannot be made: %d, want 500", status)
	}
	if !strings.Contains(s.log.String(), "finding=config-invalid") {
		t.Errorf("the operator is not told:\n%s", s.log)
	}
	response, err := http.Post(fmt.Sprintf("http://%s/x", s.http), "text/plain", strings.NewReader("x"))
	if err != nil || response.StatusCode != http.StatusMethodNotAllowed {
		t.Fatalf("POST = %v, %v, want 405", response, err)
	}
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestTransferLimits(t *testing.T) {
	t.Parallel()
	s := start(t, office(), "")
	request := encode(t, &tftp.Request{Name: phone + ".cnf.xml", Mode: tftp.Octet})
	var first *net.UDPConn
	var tid netip.AddrPort
	for i := range tftpMaxPerPeer {
		conn := s.ask(request)
		packet, from := s.next(conn)
		if packet.String() != "DATA 1 512 bytes" {
			t.Fatalf("transfer %d begins with %s", i, packet)
		}
		if i == 0 {
			first, tid = conn, from
		}
	}
	if packet, _ := s.next(s.ask(request)); packet.(*tftp.Error).Code != tftp.Undefined {
		t.Errorf("one more than %d transfers is answered %s, want ERROR 0", tftpMaxPerPeer, packet)
	}
	if got := s.Snapshot().Transfers; got != tftpMaxPerPeer {
		t.Errorf("snapshot shows %d transfers, want %d", got, tftpMaxPerPeer)
	}
	if _, err := first.WriteToUDPAddrPort(encode(t, &tftp.Error{Message: "enough"}), tid); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a place is free", func() bool { return s.Snapshot().Transfers < tftpMaxPerPeer })
	if packet, _ := s.next(s.ask(request)); packet.String() != "DATA 1 512 bytes" {
		t.Errorf("after a transfer ended, a request is answered %s", packet)
	}
}

// TestAskedAgain: without options nothing goes out a second time but for a second request.
func TestAskedAgain(t *testing.T) {
	t.Parallel()
	s := start(t, office(), "")
	request := encode(t, rrq(phone+".cnf.xml"))
	conn := s.ask(request)
	first, from := s.next(conn)
	if _, err := conn.WriteToUDPAddrPort(request, s.tftp); err != nil {
		t.Fatal(err)
	}
	if again, port := s.next(conn); again.String() != first.String() || port != from {
		t.Errorf("a request that comes again is answered %s from %s, want %s from %s", again, port, first, from)
	}
	if got := s.Snapshot().Transfers; got != 1 {
		t.Errorf("it is %d transfers, want one", got)
	}
}

// TestFloodOfOneAddress: one that asks ten thousand times takes four places, and others get their files.
func TestFloodOfOneAddress(t *testing.T) {
	t.Parallel()
	s := start(t, office(), "")
	request := encode(t, &tftp.Request{Name: phone + ".cnf.xml", Mode: tftp.Octet, Options: tftp.Options{tftp.Number("blksize", 1400)}})
	refused := encode(t, &tftp.Request{Name: "x", Mode: tftp.Octet, Write: true})
	var sockets []*net.UDPConn
	for range 100 {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2)})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		sockets = append(sockets, conn)
	}
	for i := range 10_000 {
		if _, err := sockets[i%len(sockets)].WriteToUDPAddrPort(request, s.tftp); err != nil {
			t.Fatal(err)
		}
		if i%50 == 0 {
			s.next(s.ask(refused)) // the server keeps up, and no request of the others is lost to a full buffer
		}
		if i%2000 == 1000 {
			if _, err := s.fetch(phone + ".cnf.xml"); err != nil {
				t.Fatalf("in the flood another address gets %v", err)
			}
		}
	}
	snapshot := s.Snapshot()
	if snapshot.Transfers > tftpMaxPerPeer {
		t.Errorf("the flood has %d transfers, want %d at most", snapshot.Transfers, tftpMaxPerPeer)
	}
	s.transfers.mu.Lock()
	held := len(s.transfers.of)
	s.transfers.mu.Unlock()
	if held > tftpMaxPerPeer || snapshot.Refused == 0 {
		t.Errorf("%d are remembered, %d were refused", held, snapshot.Refused)
	}
	if got := len(s.Deliveries()[phone]); got != 1 {
		t.Errorf("%d deliveries are kept, want one", got)
	}
}

func TestConnectionLimits(t *testing.T) {
	t.Parallel()
	s := start(t, office(), "")
	dial := func(from string) net.Conn {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		conn, err := dialer.Dial("tcp4", s.http.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	served := func(conn net.Conn) bool {
		_, _ = io.WriteString(conn, "HEAD / HTTP/1.0\r\n\r\n") // it may be closed
		answer, _ := io.ReadAll(conn)
		return len(answer) > 0
	}
	var first net.Conn
	for range httpMaxPerPeer {
		first = dial("127.0.0.2")
	}
	if served(dial("127.0.0.2")) {
		t.Errorf("one more than %d connections of one address is served", httpMaxPerPeer)
	}
	if !served(dial("127.0.0.3")) {
		t.Error("another address is not served")
	}
	if !served(first) {
		t.Error("a connection that has its place is not served")
	}
	eventually(t, "a place is free", func() bool { return served(dial("127.0.0.2")) })
}

func TestNetASCII(t *testing.T) {
	t.Parallel()
	s := start(t, office(), folderWith(t, map[string]string{"a.txt": "one\ntwo"}))
	packet, _ := s.next(s.ask(encode(t, &tftp.Request{Name: "a.txt", Mode: "NetASCII"})))
	if data, ok := packet.(*tftp.Data); !ok || string(data.Payload) != "one\r\ntwo" {
		t.Errorf("answer is %s, want the lines ended by CR LF", packet)
	}
}

func TestGarbageIsSurvived(t *testing.T) {
	t.Parallel()
	s := start(t, office(), "")
	source := rand.New(rand.NewPCG(5, 6))
	conn := s.ask(nil)
	request := encode(t, &tftp.Request{Name: phone + ".cnf.xml", Mode: tftp.Octet})
	refused := encode(t, &tftp.Request{Name: "x", Mode: tftp.Octet, Write: true})
	for i := range 2000 {
		if i%50 == 0 {
			s.next(s.ask(refused)) // the server keeps up, and the last request is not lost to a full buffer
		}
		noise := make([]byte, source.IntN(700))
		for i := range noise {
			noise[i] = byte(source.Uint32())
		}
		if len(noise) > 2 && i%2 == 0 {
			noise[0], noise[1] = 0, byte(source.IntN(8)) // opcodes that exist
		}
		if i%10 == 0 {
			noise = request[:source.IntN(len(request))]
		}
		if _, err := conn.WriteToUDPAddrPort(noise, s.tftp); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := net.Dial("tcp4", s.http.String())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.Write([]byte("\x16\x03\x01 no HTTP at all\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if status, _ := s.get("/" + phone + ".cnf.xml"); status != http.StatusOK {
		t.Errorf("after garbage HTTP answers %d, want 200", status)
	}
	eventually(t, "transfers of the garbage have ended", func() bool { return s.Snapshot().Transfers == 0 })
	if _, err := s.fetch(phone + ".cnf.xml"); err != nil {
		t.Errorf("after garbage TFTP gives %v, want the file", err)
	}
}

func TestTakenPort(t *testing.T) {
	t.Parallel()
	s := start(t, office(), "")
	settings := Settings{TFTP: s.tftp, HTTP: netip.AddrPortFrom(s.http.Addr(), 0)}
	p, err := New(Config{Settings: settings, Inventory: office})
	if err != nil {
		t.Fatal(err)
	}
	var taken *net.OpError
	if err := p.Open(); !errors.As(err, &taken) || !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("Open on a taken port = %v, want a *net.OpError", err)
	}
	if udp, _ := p.Addresses(); udp.IsValid() {
		t.Errorf("after a refused Open something listens on %s", udp)
	}
}

func TestAnswersFromTheAddressThatWasAsked(t *testing.T) {
	t.Parallel()
	any4 := netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	p, err := New(Config{
		Settings: Settings{TFTP: any4, HTTP: any4, CallManagers: []string{"10.0.0.1"}, Access: here}, Inventory: office,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Open(); err != nil {
		t.Fatal(err)
	}
	servertest.Start(t, p.Serve)
	udp, _ := p.Addresses()
	asked := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.7"), udp.Port())
	s := &server{Provisioner: p, t: t, tftp: asked}
	for _, name := range []string{phone + ".cnf.xml", "missing"} {
		if _, from := s.next(s.ask(encode(t, &tftp.Request{Name: name, Mode: tftp.Octet}))); from.Addr() != asked.Addr() {
			t.Errorf("%s comes from %s, want the address that was asked, %s", name, from.Addr(), asked.Addr())
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	good := DefaultSettings(netip.MustParseAddr("10.0.0.1"))
	if err := good.Validate(); err != nil || good.TFTP.Port() != 69 || good.HTTP.Port() != 6970 {
		t.Errorf("default settings are %+v, %v", good, err)
	}
	for name, bad := range map[string]Settings{
		"no address":                   {},
		"IPv6":                         DefaultSettings(netip.IPv6Loopback()),
		"any address, no call manager": DefaultSettings(netip.IPv4Unspecified()),
	} {
		if _, err := New(Config{Settings: bad, Inventory: office}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := New(Config{Settings: good}); err == nil {
		t.Error("a provisioner without inventory is made")
	}
	good.FilesDir = "/nonexistent"
	p, err := New(Config{Settings: good, Inventory: office})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Open(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open without the folder = %v, want it said", err)
	}
}

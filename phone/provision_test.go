package phone

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/longcord/longcord/stage/detect"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/tftp"
)

const deviceName = "SEP001122334455"

// fileServer is a scripted file server on loopback: what it has, and on which ways it answers.
type fileServer struct {
	t     *testing.T
	files map[string]string

	mu    sync.Mutex
	asked []string
}

func (s *fileServer) ask(transport, name string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, transport+" "+name)
	content, ok := s.files[name]
	return content, ok
}

func (s *fileServer) requests() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.asked, ", ")
}

func (s *fileServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	content, ok := s.ask("http", strings.TrimPrefix(r.URL.Path, "/"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write([]byte(content))
}

// closedPort returns a port of loopback on which nobody listens.
func closedPort(t *testing.T) uint16 {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return uint16(listener.Addr().(*net.TCPAddr).Port)
}

func serveFiles(t *testing.T, files map[string]string, viaHTTP, viaTFTP bool) (*fileServer, fetcher) {
	t.Helper()
	s := &fileServer{t: t, files: files}
	f := fetcher{httpPort: closedPort(t), tftpPort: closedPort(t)}
	if viaHTTP {
		server := httptest.NewServer(s)
		t.Cleanup(server.Close)
		f.httpPort = netip.MustParseAddrPort(server.Listener.Addr().String()).Port()
	}
	if viaTFTP {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		var running sync.WaitGroup
		running.Go(func() { s.serveTFTP(conn) })
		t.Cleanup(func() { conn.Close(); running.Wait() })
		f.tftpPort = uint16(conn.LocalAddr().(*net.UDPAddr).Port)
	}
	return s, f
}

func (s *fileServer) serveTFTP(conn *net.UDPConn) {
	for buffer := make([]byte, tftp.MaxRequest); ; {
		n, peer, err := conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		packet, err := tftp.Parse(buffer[:n])
		request, ok := packet.(*tftp.Request)
		if err != nil || !ok {
			continue
		}
		content, ok := s.ask("tftp", request.Name)
		if !ok {
			b, _ := (&tftp.Error{Code: tftp.NotFound}).AppendBinary(nil)
			_, _ = conn.WriteToUDPAddrPort(b, peer)
			continue
		}
		s.transfer(peer, request, content)
	}
}

// transfer sends one file from a port of its own, after a packet from a stranger's port.
func (s *fileServer) transfer(peer netip.AddrPort, request *tftp.Request, content string) {
	own, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return
	}
	defer own.Close()
	stranger, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 9)})
	if err != nil {
		return
	}
	defer stranger.Close()
	_, _ = stranger.WriteToUDPAddrPort([]byte{0, 3, 0, 1, 'x'}, peer)
	sender, actions := provision.NewSender(time.Now(), request, strings.NewReader(content), int64(len(content)))
	for buffer := make([]byte, tftp.MaxRequest); ; {
		for _, action := range actions {
			send, ok := action.(provision.Send)
			if !ok {
				return
			}
			b, _ := send.Packet.AppendBinary(nil)
			_, _ = own.WriteToUDPAddrPort(b, peer)
		}
		_ = own.SetReadDeadline(sender.Wake())
		n, _, err := own.ReadFromUDPAddrPort(buffer)
		if err != nil {
			actions = sender.Advance(time.Now())
			continue
		}
		packet, err := tftp.Parse(buffer[:n])
		if err != nil {
			return
		}
		actions = sender.Received(time.Now(), packet)
	}
}

// configWith returns a usable phone file with these certificate hashes.
func configWith(t *testing.T, hashes ...string) string {
	t.Helper()
	d := &cnf.Device{
		Protocol: cnf.SIP, Pool: cnf.DevicePool{CallManagers: []cnf.CallManager{{Host: "10.0.0.1"}}},
		SIPProfile: &cnf.SIPProfile{PhoneLabel: strings.Repeat("x", 3000)}, // several blocks
		VPN:        &cnf.VPNGroup{URLs: []string{"https://vpn.example.com/phones"}, CertificateHashes: hashes},
	}
	if err := d.Stamp(); err != nil {
		t.Fatal(err)
	}
	b, err := d.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func parsed(t *testing.T, content string) *cnf.Device {
	t.Helper()
	d, err := cnf.Parse([]byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestConfigIsFetchedAndKept(t *testing.T) {
	t.Parallel()
	config := deviceName + ".cnf.xml"
	for _, c := range []struct {
		name             string
		viaHTTP, viaTFTP bool
		asked, from      string
	}{
		{
			"http", true, false,
			"http CTL" + deviceName + ".tlv, http ITL" + deviceName + ".tlv, http ITLFile.tlv, http " + config,
			config + " by http from 127.0.0.1",
		},
		{
			"tftp", false, true,
			"tftp CTL" + deviceName + ".tlv, tftp ITL" + deviceName + ".tlv, tftp ITLFile.tlv, tftp " + config,
			config + " by tftp from 127.0.0.1",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			content := configWith(t, "a")
			server, fetcher := serveFiles(t, map[string]string{config: content}, c.viaHTTP, c.viaTFTP)
			dir := filepath.Join(t.TempDir(), "state")
			got, from, err := fetchConfig(t.Context(), provisionConfig{
				fetcher: fetcher, servers: []string{"127.0.0.1"}, device: deviceName, dir: dir,
			})
			if err != nil {
				t.Fatal(err)
			}
			if server.requests() != c.asked || !strings.HasPrefix(from, c.from) {
				t.Errorf("asked %s and got %q, want %s and %s", server.requests(), from, c.asked, c.from)
			}
			kept, err := loadConfig(dir, deviceName)
			if err != nil || kept.VersionStamp != got.VersionStamp {
				t.Errorf("kept is %s, %v, want %s", kept, err, got)
			}
			info, err := os.Stat(filepath.Join(dir, config))
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("file of the phone has mode %v, %v, want 0600", info.Mode(), err)
			}
			if entries, _ := os.ReadDir(dir); len(entries) != 1 {
				t.Errorf("state folder holds %v, want the file alone", entries)
			}
		})
	}
}

func TestStoredConfigStays(t *testing.T) {
	t.Parallel()
	config := deviceName + ".cnf.xml"
	stored := configWith(t, "a", "spare")
	for name, c := range map[string]struct {
		files map[string]string
		want  error
		code  string
	}{
		"cut":            {map[string]string{config: stored[:len(stored)/2]}, errBadFile, "config-invalid"},
		"a captive page": {map[string]string{config: "<html><body>Welcome</body></html>"}, errBadFile, "config-invalid"},
		"unusable":       {map[string]string{config: "<device/>"}, errBadFile, "config-invalid"},
		"foreign":        {map[string]string{config: configWith(t, "z")}, errForeignFile, "foreign-tftp-server"},
		"default only":   {map[string]string{"XMLDefault.cnf.xml": "<Default/>"}, errNoFile, "tftp-file-missing"},
		"no file":        {nil, errNoFile, "tftp-file-missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, fetcher := serveFiles(t, c.files, true, false)
			dir := t.TempDir()
			if err := saveConfig(dir, deviceName, []byte(stored)); err != nil {
				t.Fatal(err)
			}
			cfg := provisionConfig{
				fetcher: fetcher, servers: []string{"127.0.0.1"}, device: deviceName, dir: dir, stored: parsed(t, stored),
			}
			got, _, err := fetchConfig(t.Context(), cfg)
			if !errors.Is(err, c.want) || got != cfg.stored {
				t.Errorf("fetchConfig = %s, %v, want the stored file and %v", got, err, c.want)
			}
			if found, ok := provisionFinding(err, cfg); !ok || found.Code != c.code {
				t.Errorf("finding is %q, want %q", found.Code, c.code)
			}
			if kept, err := os.ReadFile(filepath.Join(dir, config)); err != nil || string(kept) != stored {
				t.Errorf("the stored file was changed: %v", err)
			}
		})
	}
}

func TestNewHashesAreTaken(t *testing.T) {
	t.Parallel()
	stored := parsed(t, configWith(t, "old", "spare"))
	for name, c := range map[string]struct {
		served  string
		trusted bool
	}{
		"one hash is known":             {configWith(t, "spare", "next"), false},
		"none is, but the line is ours": {configWith(t, "other"), true},
	} {
		_, fetcher := serveFiles(t, map[string]string{deviceName + ".cnf.xml": c.served}, true, false)
		got, _, err := fetchConfig(t.Context(), provisionConfig{
			fetcher: fetcher, servers: []string{"127.0.0.1"}, device: deviceName, dir: t.TempDir(), stored: stored,
			trusted: c.trusted,
		})
		if err != nil || got == stored {
			t.Errorf("%s: %v, want the new file taken", name, err)
		}
	}
}

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	_, fetcher := serveFiles(t, nil, false, false)
	cfg := provisionConfig{fetcher: fetcher, servers: []string{"127.0.0.1"}, device: deviceName, dir: t.TempDir()}
	got, _, err := fetchConfig(t.Context(), cfg)
	if !errors.Is(err, errNoServer) || got != nil {
		t.Errorf("fetchConfig = %s, %v, want nothing and errNoServer", got, err)
	}
	if found, _ := provisionFinding(err, cfg); found.Code != "tftp-unreachable" {
		t.Errorf("finding is %q, want tftp-unreachable", found.Code)
	}
	cfg.servers = nil
	if _, _, err := fetchConfig(t.Context(), cfg); !errors.Is(err, errNoServer) {
		t.Errorf("without servers: %v, want errNoServer", err)
	}
	if _, err := loadConfig(cfg.dir, deviceName); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty state folder gives %v, want fs.ErrNotExist", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	cfg.servers = []string{"127.0.0.1"}
	if _, _, err := fetchConfig(ended, cfg); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v, want context.Canceled", err)
	}
}

// Whatever an HTTP server says instead of a file, TFTP is tried; a file that never ends is not taken.
func TestOddHTTPServers(t *testing.T) {
	t.Parallel()
	content := configWith(t, "a")
	for name, handler := range map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) },
		"error":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i <= maxFile; i += 1 << 16 {
				_, _ = w.Write(make([]byte, 1<<16))
			}
		},
	} {
		_, fetcher := serveFiles(t, map[string]string{"f": content}, false, true)
		odd := httptest.NewServer(handler)
		fetcher.httpPort = netip.MustParseAddrPort(odd.Listener.Addr().String()).Port()
		got, transport, err := fetcher.file(t.Context(), "127.0.0.1", "f")
		odd.Close()
		if err != nil || transport != provision.TFTP || string(got) != content {
			t.Errorf("%s: %d bytes by %s, %v, want the file by tftp", name, len(got), transport, err)
		}
	}
}

func TestDetectInside(t *testing.T) {
	t.Parallel()
	config := deviceName + ".cnf.xml"
	stored := configWith(t, "a", "spare")
	for _, c := range []struct {
		name    string
		server  string
		files   map[string]string
		mode    detect.Mode
		verdict detect.Verdict
		detail  string
	}{
		{
			"office", "127.0.0.1", map[string]string{config: stored}, detect.Proof, detect.Inside,
			"inside: its TFTP server serves the phone's own file (127.0.0.1)",
		},
		{
			"stranger", "127.0.0.1", map[string]string{config: configWith(t, "z")}, detect.Proof, detect.Outside,
			"outside: what answers pings is not the phone's own TFTP server (127.0.0.1)",
		},
		{
			"stranger, ping-only", "127.0.0.1", nil, detect.PingOnly, detect.Inside,
			"inside: its TFTP server answers pings (127.0.0.1)",
		},
		// 240.0.0.0/4 is reserved: nobody answers, and there may be no route at all.
		{
			"nobody", "240.0.0.1", nil, detect.Proof, detect.Outside,
			"outside: its TFTP server does not answer pings",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, fetcher := serveFiles(t, c.files, true, false)
			decided, err := detectInside(t.Context(), detectConfig{
				fetcher: fetcher, servers: []string{c.server}, device: deviceName, mode: c.mode, stored: parsed(t, stored),
			})
			if said := detail(decided, []string{c.server}); err != nil || decided.Verdict != c.verdict || said != c.detail {
				t.Errorf("detectInside = %s, %q, %v, want %s, %q", decided.Verdict, said, err, c.verdict, c.detail)
			}
		})
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := detectInside(ended, detectConfig{servers: []string{"240.0.0.1"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v, want context.Canceled", err)
	}
}

func TestServerByName(t *testing.T) {
	t.Parallel()
	_, fetcher := serveFiles(t, map[string]string{"f": "content"}, false, true)
	got, transport, err := fetcher.file(t.Context(), "localhost", "f")
	if err != nil || string(got) != "content" {
		t.Errorf("by name: %q by %s, %v, want the file", got, transport, err)
	}
	if _, err := fetcher.tftp(t.Context(), "nowhere.invalid", "f"); !errors.Is(err, errNoServer) {
		t.Errorf("a name that does not resolve: %v, want errNoServer", err)
	}
}

//go:build interop

// Package tftp_test lets tftp-hpa, atftp, curl, openssl and xmllint judge the provisioner.
package tftp_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/servertest"
	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/provisioner"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/wire/cnf"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

const phone = "SEP001122334455"

// phones is an inventory with one phone whose texts want escaping.
func phones() *inventory.Set {
	set := inventory.NewSet()
	certificate, _ := testcert.PEM(testcert.RSA("vpn.example.com"))
	set.Certificates["gw"] = &inventory.Certificate{Name: "gw", Certificate: certificate}
	set.VPNGateways["gw"] = &inventory.VPNGateway{
		Name: "gw", URL: "https://vpn.example.com/phones?a=1&b=2", Certificates: []string{"gw"},
	}
	set.VPNGroups["gw"] = &inventory.VPNGroup{Name: "gw", Gateways: []string{"gw"}}
	set.CommonPhoneProfiles["remote"] = &inventory.CommonPhoneProfile{Name: "remote", VPNGroup: "gw"}
	set.Lines["1001"] = &inventory.Line{Name: "1001", DisplayName: `Zoë <"R&D'>` + "\x01", Secret: secret.New(`<&>"'`)}
	set.Devices[phone] = &inventory.Device{Name: phone, CommonPhoneProfile: "remote", Lines: []string{"1001"}}
	return set
}

// server is a provisioner on loopback.
type server struct {
	host, tftp, http string
	firmware         []byte
	wrapping         []byte
}

func start(t *testing.T) *server {
	t.Helper()
	firmware := make([]byte, 5<<20+3)
	rand.NewChaCha8([32]byte{1}).Read(firmware)
	wrapping := make([]byte, 65537*512+3) // more blocks of 512 bytes than there are numbers
	rand.NewChaCha8([32]byte{2}).Read(wrapping)
	files := t.TempDir()
	for name, content := range map[string][]byte{"Apps.sbn": firmware, "Wrapping.sbn": wrapping} {
		if err := os.WriteFile(filepath.Join(files, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	loopback := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 0)
	set := phones()
	p, err := provisioner.New(provisioner.Config{
		Settings: provisioner.Settings{
			TFTP: loopback, HTTP: loopback, FilesDir: files,
			Access: provision.Access{Office: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
		},
		Inventory: func() *inventory.Set { return set },
		Log:       slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Open(); err != nil {
		t.Fatal(err)
	}
	servertest.Start(t, p.Serve)
	udp, tcp := p.Addresses()
	return &server{"127.0.0.1", strconv.Itoa(int(udp.Port())), strconv.Itoa(int(tcp.Port())), firmware, wrapping}
}

// run runs a program in a folder of its own and returns what it printed. A program that is missing skips
// the test; with CI=true it fails.
func run(t *testing.T, dir, program string, args ...string) (string, error) {
	t.Helper()
	path := office.Peer(t, program)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// client fetches a file into got and returns what the program said.
type client struct {
	name  string
	fetch func(t *testing.T, s *server, dir, file string) (string, error)
}

func clients() []client {
	curl := func(extra ...string) func(*testing.T, *server, string, string) (string, error) {
		return func(t *testing.T, s *server, dir, file string) (string, error) {
			args := append([]string{"-sS", "--max-time", "100", "-o", "got"}, extra...)
			return run(t, dir, "curl", append(args, fmt.Sprintf("tftp://%s:%s/%s", s.host, s.tftp, file))...)
		}
	}
	atftp := func(extra ...string) func(*testing.T, *server, string, string) (string, error) {
		return func(t *testing.T, s *server, dir, file string) (string, error) {
			args := append(extra, "--get", "--remote-file", file, "--local-file", "got", s.host, s.tftp)
			return run(t, dir, "atftp", args...)
		}
	}
	return []client{
		{"tftp-hpa", func(t *testing.T, s *server, dir, file string) (string, error) {
			return run(t, dir, "tftp", "-m", "binary", s.host, s.tftp, "-c", "get", file, "got")
		}},
		{"atftp", atftp()},
		{"atftp with options", atftp("--option", "blksize 1428", "--option", "tsize 0", "--option", "timeout 2")},
		{"atftp with windowsize", atftp("--option", "windowsize 8", "--option", "blksize 1024")},
		{"curl", curl()},
		{"curl with small blocks", curl("--tftp-blksize", "100")},
		{"curl with large blocks", curl("--tftp-blksize", "60000")},
		{"curl without options", curl("--tftp-no-options")},
		{"curl by HTTP", func(t *testing.T, s *server, dir, file string) (string, error) {
			return run(t, dir, "curl", "-sS", "--fail", "-o", "got", fmt.Sprintf("http://%s:%s/%s", s.host, s.http, file))
		}},
	}
}

func TestPhoneFile(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, c := range clients() {
		for _, name := range []string{phone + ".cnf.xml", "sep001122334455.CNF.XML", "/" + phone + ".cnf.xml"} {
			t.Run(c.name+" "+name, func(t *testing.T) { // one after the other: they share one address
				dir := t.TempDir()
				if out, err := c.fetch(t, s, dir, name); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				got, err := os.ReadFile(filepath.Join(dir, "got"))
				if err != nil {
					t.Fatal(err)
				}
				d, err := cnf.Parse(got)
				if err != nil || d.VPN == nil || len(d.VPN.CertificateHashes) != 1 {
					t.Errorf("file is %s, %v, want the phone's with one certificate hash", d, err)
				}
			})
		}
	}
}

func TestLargeFile(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, c := range clients() {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if out, err := c.fetch(t, s, dir, "apps.sbn"); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			got, err := os.ReadFile(filepath.Join(dir, "got"))
			if err != nil || !bytes.Equal(got, s.firmware) {
				t.Errorf("%d bytes, %v, want the %d of the file unchanged", len(got), err, len(s.firmware))
			}
		})
	}
}

// TestWindows has atftp, the one of these programs that knows windows, tell what it got and sent.
func TestWindows(t *testing.T) {
	t.Parallel()
	s := start(t)
	dir := t.TempDir()
	out, err := run(t, dir, "atftp", "--trace", "--option", "windowsize 8", "--option", "blksize 1024", "--get", "--remote-file", "apps.sbn", "--local-file", "got", s.host, s.tftp)
	if err != nil {
		t.Fatalf("%v: %.2000s", err, out)
	}
	got, err := os.ReadFile(filepath.Join(dir, "got"))
	if err != nil || !bytes.Equal(got, s.firmware) {
		t.Errorf("%d bytes, %v, want the %d of the file unchanged", len(got), err, len(s.firmware))
	}
	blocks, acks := strings.Count(out, ". DATA <block"), strings.Count(out, "sent ACK")
	if want := len(s.firmware)/1024 + 1; blocks < want || acks == 0 || acks > want/8+10 {
		t.Errorf("%d blocks came with %d acknowledgements, want about %d with an eighth:\n%.2000s", blocks, acks, want, out)
	}
}

// Without options a file of more than 32 MB needs block numbers to wrap, which no RFC says.
func TestBlockNumbersWrap(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, c := range clients() {
		if c.name != "tftp-hpa" && c.name != "curl without options" && c.name != "atftp" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if out, err := c.fetch(t, s, dir, "wrapping.sbn"); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			got, err := os.ReadFile(filepath.Join(dir, "got"))
			if err != nil || !bytes.Equal(got, s.wrapping) {
				t.Errorf("%d bytes, %v, want the %d of the file unchanged", len(got), err, len(s.wrapping))
			}
		})
	}
}

func TestMissingFileIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, c := range clients() {
		t.Run(c.name, func(t *testing.T) {
			begun := time.Now()
			out, err := c.fetch(t, s, t.TempDir(), "ITLFile.tlv")
			// tftp-hpa ends with 0 whatever happened.
			if err == nil && !strings.Contains(out, "Error code 1") {
				t.Errorf("a file that is not there: %s", out)
			}
			if took := time.Since(begun); took > 3*time.Second {
				t.Errorf("the refusal took %s: %s", took, out)
			}
		})
	}
}

// Names that lead out of the folder, in each client's own spelling, are refused at once, and nothing outside is served.
func TestNamesThatLeadOut(t *testing.T) {
	t.Parallel()
	s := start(t)
	curl := func(at, port string) func(*testing.T, string, string) (string, error) {
		return func(t *testing.T, dir, name string) (string, error) {
			return run(t, dir, "curl", "-sS", "--fail", "--path-as-is", "--max-time", "60", "-o", "got", fmt.Sprintf("%s://%s:%s/%s", at, s.host, port, name))
		}
	}
	raw := []string{"../../../../etc/passwd", "/etc/passwd", "a/../../../../../etc/passwd", `..\..\etc\passwd`, phone + ".cnf.xml/../../etc/passwd", "."}
	for _, c := range []struct {
		client string
		names  []string
		fetch  func(t *testing.T, dir, name string) (string, error)
	}{
		{"tftp-hpa", raw, func(t *testing.T, dir, name string) (string, error) {
			return run(t, dir, "tftp", "-m", "binary", s.host, s.tftp, "-c", "get", name, "got")
		}},
		{"atftp", raw, func(t *testing.T, dir, name string) (string, error) {
			return run(t, dir, "atftp", "--get", "--remote-file", name, "--local-file", "got", s.host, s.tftp)
		}},
		{"curl", []string{"..%2f..%2f..%2fetc/passwd", "/etc/passwd", "../../../../etc/passwd"}, curl("tftp", s.tftp)},
		{"curl by HTTP", []string{"../../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "..%5c..%5cetc%5cpasswd", phone + ".cnf.xml%00.txt"}, curl("http", s.http)},
	} {
		for _, name := range c.names {
			t.Run(c.client+" "+name, func(t *testing.T) { // one after the other: they share one address
				dir := t.TempDir()
				out, err := c.fetch(t, dir, name)
				if err == nil && !strings.Contains(out, "Error code") { // tftp-hpa ends with 0 whatever happened
					t.Errorf("it is not refused: %s", out)
				}
				if got, _ := os.ReadFile(filepath.Join(dir, "got")); len(got) > 0 {
					t.Errorf("it is served: %.100q", got)
				}
			})
		}
	}
}

func TestWriteIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, _ := run(t, dir, "tftp", "-m", "binary", s.host, s.tftp, "-c", "put", "mine", phone+".cnf.xml")
	if !strings.Contains(out, "Error code 2") {
		t.Errorf("tftp-hpa's put is answered %q, want error code 2", out)
	}
}

func TestTextMode(t *testing.T) {
	t.Parallel()
	s := start(t)
	dir := t.TempDir()
	if out, err := run(t, dir, "tftp", "-m", "netascii", s.host, s.tftp, "-c", "get", phone+".cnf.xml", "text"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := run(t, dir, "tftp", "-m", "binary", s.host, s.tftp, "-c", "get", phone+".cnf.xml", "octets"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, _ := os.ReadFile(filepath.Join(dir, "text"))
	octets, err := os.ReadFile(filepath.Join(dir, "octets"))
	if err != nil || len(octets) == 0 || !bytes.Equal(text, octets) {
		t.Errorf("netascii gives %d bytes, octet %d, %v, want the same file", len(text), len(octets), err)
	}
}

func TestWellFormed(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, name := range []string{phone + ".cnf.xml", "XMLDefault.cnf.xml"} {
		dir := t.TempDir()
		if out, err := run(t, dir, "curl", "-sS", "--fail", "-o", "got", fmt.Sprintf("http://%s:%s/%s", s.host, s.http, name)); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if out, err := run(t, dir, "xmllint", "--noout", "--nonet", "got"); err != nil || out != "" {
			t.Errorf("xmllint on %s: %v: %s", name, err, out)
		}
	}
}

// A phone that goes away in the middle leaves nothing behind, and noise does not stop the service.
func TestServiceSurvives(t *testing.T) {
	t.Parallel()
	s := start(t)
	conn, err := net.Dial("udp4", net.JoinHostPort(s.host, s.tftp))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		if _, err := conn.Write(bytes.Repeat([]byte{byte(i)}, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if out, err := run(t, dir, "curl", "-sS", "--max-time", "30", "-o", "got", fmt.Sprintf("tftp://%s:%s/%s.cnf.xml", s.host, s.tftp, phone)); err != nil {
		t.Errorf("after noise: %v: %s", err, out)
	}
}

//go:build interop

package openconnect_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/longcord/longcord/interop/office"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

// script configures openconnect's tunnel the plain way and says what it was given.
const script = `#!/bin/sh
case $reason in
connect)
	ip link set "$TUNDEV" up mtu "${INTERNAL_IP4_MTU:-1300}"
	ip addr add "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
	ip route replace 10.20.0.0/24 dev "$TUNDEV"
	;;
esac
echo "script $reason $INTERNAL_IP4_ADDRESS"
`

// client is a running openconnect.
type client struct {
	*office.Program
	address string // inner
}

// connect starts openconnect as a user would and waits until it has an address.
func connect(t *testing.T, o *office.Office, password string, flags ...string) client {
	t.Helper()
	return connectTo(t, o, office.URL, password, flags...)
}

func connectTo(t *testing.T, o *office.Office, url, password string, flags ...string) client {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--user", "anna", "--passwd-on-stdin", "--servercert", pinOf(t, o, url, flags...), "--script", path, "--verbose"}, flags...)
	p := o.StartWith(o.Client, password+"\n", office.Peer(t, "openconnect"), append(args, url)...)
	line := p.Wait("script connect ")
	return client{p, strings.Fields(line)[2]}
}

// pin is the gateway's certificate as openconnect wants it named.
func pin(t *testing.T, o *office.Office) string {
	t.Helper()
	return pinOf(t, o, office.URL)
}

// pinOf asks until two answers are the same: an openconnect that is kept from TLS 1.3 and goes away from the
// ECDSA certificate may be a phone, and is shown the other one afterwards.
func pinOf(t *testing.T, o *office.Office, url string, flags ...string) string {
	t.Helper()
	before := ""
	for range 3 {
		said, _ := o.Run(o.Client, "", office.Peer(t, "openconnect"), append([]string{"--authenticate", url}, flags...)...)
		_, after, found := strings.Cut(said, "--servercert ")
		if !found {
			t.Fatalf("openconnect names no fingerprint:\n%s", said)
		}
		pin := strings.Fields(after)[0]
		if pin == before {
			return pin
		}
		before = pin
	}
	t.Fatal("the gateway shows another certificate each time")
	return ""
}

func newOffice(t *testing.T, flags ...string) *office.Office {
	t.Helper()
	o := office.New(t, flags...)
	o.Serve()
	o.AddUser("anna", "rosebud 7&+%")
	return o
}

const password = "rosebud 7&+%"

// TestTunnel has openconnect choose each way there is.
func TestTunnel(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "--legacy-phones")
	tls12 := "NORMAL:-VERS-ALL:+VERS-TLS1.2"
	for _, mode := range []struct {
		name    string
		flags   []string
		channel string // what openconnect says about DTLS
		cipher  string // what the gateway says
	}{
		{"default", nil, "(DTLS1.2)-(PSK)-(AES-256-GCM)", "PSK-AES256-GCM-SHA384"},
		{"TLS 1.2", []string{"--gnutls-priority", tls12}, "(DTLS1.2)-(PSK)-(AES-256-GCM)", "PSK-AES256-GCM-SHA384"},
		{"TLS 1.2 without extended master secret", []string{"--gnutls-priority", tls12 + ":%COMPAT:%NO_SESSION_HASH"}, "(DTLS1.2)-(PSK)-(AES-256-GCM)", "PSK-AES256-GCM-SHA384"},
		{"old TLS", []string{"--gnutls-priority", "NORMAL:-VERS-ALL:+VERS-TLS1.0:+SHA1:+RSA:%COMPAT"}, "(DTLS1.2)-(RSA)-(AES-128-CBC)-(SHA1)", "AES128-SHA"},
		{"forms", []string{"--no-xmlpost"}, "(DTLS1.2)-(PSK)-(AES-256-GCM)", "PSK-AES256-GCM-SHA384"},
		{"0.9 with AES-128", []string{"--dtls-ciphers", "AES128-SHA"}, "(DTLS0.9)-(RSA)-(AES-128-CBC)-(SHA1)", "AES128-SHA"},
		{"0.9 with AES-256", []string{"--dtls-ciphers", "AES256-SHA"}, "(DTLS0.9)-(RSA)-(AES-256-CBC)-(SHA1)", "AES256-SHA"},
		{"own name 128", []string{"--dtls-ciphers", "OC-DTLS1_2-AES128-GCM"}, "(DTLS1.2)-(RSA)-(AES-128-GCM)", "AES128-GCM-SHA256"},
		{"own name 256", []string{"--dtls-ciphers", "OC-DTLS1_2-AES256-GCM"}, "(DTLS1.2)-(RSA)-(AES-256-GCM)", "AES256-GCM-SHA384"},
		{"own name ChaCha20", []string{"--dtls-ciphers", "OC2-DTLS1_2-CHACHA20-POLY1305"}, "(DTLS1.2)-(PSK)-(CHACHA20-POLY1305)", "PSK-CHACHA20-POLY1305"},
		{"1.2 with GCM 256", only12("AES256-GCM-SHA384"), "(DTLS1.2)-(RSA)-(AES-256-GCM)", "AES256-GCM-SHA384"},
		{"1.2 with GCM 128", only12("AES128-GCM-SHA256"), "(DTLS1.2)-(RSA)-(AES-128-GCM)", "AES128-GCM-SHA256"},
		{"1.2 with ECDHE", only12("ECDHE-RSA-AES256-GCM-SHA384"), "(DTLS1.2)-(ECDHE-RSA)-(AES-256-GCM)", "ECDHE-RSA-AES256-GCM-SHA384"},
		{"1.2 with CBC 128", only12("AES128-SHA"), "(DTLS1.2)-(RSA)-(AES-128-CBC)-(SHA1)", "AES128-SHA"},
		{"1.2 with CBC 256", only12("AES256-SHA"), "(DTLS1.2)-(RSA)-(AES-256-CBC)-(SHA1)", "AES256-SHA"},
		{"TLS only", []string{"--no-dtls"}, "", ""},
		{"old TLS only", []string{"--no-dtls", "--gnutls-priority", "NORMAL:-VERS-ALL:+VERS-TLS1.0:+SHA1:+RSA:%COMPAT"}, "", ""},
	} {
		t.Run(mode.name, func(t *testing.T) {
			c := connect(t, o, password, mode.flags...)
			if mode.channel != "" {
				if line := c.Wait("Established DTLS connection"); !strings.HasSuffix(line, "Ciphersuite "+mode.channel+".") {
					t.Errorf("openconnect says %q, want %s", line, mode.channel)
				}
			}
			pings(t, o)
			size := int64(2 << 20)
			if mode.flags == nil {
				size = 50 << 20
			}
			transfer(t, o, size)
			checkSession(t, o, c, mode.channel)
			if mode.cipher != "" && sessions(t, o)[0].Cipher != mode.cipher {
				t.Errorf("the gateway says %q, want %s", sessions(t, o)[0].Cipher, mode.cipher)
			}
			c.Signal(syscall.SIGINT)
			c.Ended()
			waitSessions(t, o, 0)
		})
	}
}

// only12 leaves openconnect one suite of X-DTLS12-CipherSuite.
func only12(suite string) []string { return []string{"--dtls12-ciphers", suite, "--dtls-ciphers", ""} }

func pings(t *testing.T, o *office.Office, flags ...string) {
	t.Helper()
	args := append([]string{"-c", "3", "-i", "0.2", "-W", "5"}, flags...)
	if out, err := o.Run(o.Client, "", office.Peer(t, "ping"), append(args, office.Desk)...); err != nil {
		t.Errorf("ping: %v\n%s", err, out)
	}
}

// transfer carries n bytes from the inside host to the client and the same back, and compares them.
func transfer(t *testing.T, o *office.Office, n int64) {
	t.Helper()
	var listener net.Listener
	if err := o.Inside.Do(func() (err error) {
		listener, err = net.Listen("tcp4", office.Desk+":0")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() { // an echo that does not hold what it has not sent
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.Copy(conn, conn)
	}()
	var conn net.Conn
	if err := o.Client.Do(func() (err error) {
		conn, err = net.DialTimeout("tcp4", listener.Addr().String(), office.Patience)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sent := sha256.New()
	failed := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.MultiWriter(conn, sent), io.LimitReader(noise{seed: new(uint64)}, n))
		failed <- err
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	got := sha256.New()
	count, err := io.Copy(got, conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	if count != n || hex.EncodeToString(got.Sum(nil)) != hex.EncodeToString(sent.Sum(nil)) {
		t.Errorf("%d of %d bytes came back, or not the same", count, n)
	}
}

// noise is bytes that no compression helps with.
type noise struct{ seed *uint64 }

func (n noise) Read(b []byte) (int, error) {
	for i := range b {
		*n.seed = *n.seed*6364136223846793005 + 1442695040888963407
		b[i] = byte(*n.seed >> 56)
	}
	return len(b), nil
}

// session is what `sessions list --json` says of one.
type session struct {
	User         string `json:"user"`
	InnerAddress string `json:"inner_address"`
	Transport    string `json:"transport"`
	DTLSVersion  string `json:"dtls_version"`
	Cipher       string `json:"cipher"`
}

func sessions(t *testing.T, o *office.Office) []session {
	t.Helper()
	out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "sessions", "list", "--json")
	if err != nil {
		t.Fatalf("sessions list: %v\n%s", err, out)
	}
	var doc struct {
		Sessions []session `json:"sessions"`
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatalf("sessions list: %v\n%s", err, out)
	}
	return doc.Sessions
}

// checkSession looks at the gateway's only session. channel names what data takes: nothing for TLS, else DTLS
// and its version somewhere, as openconnect does. "silent DTLS1.2" is a channel beside the TLS that data takes.
func checkSession(t *testing.T, o *office.Office, c client, channel string) {
	t.Helper()
	all := sessions(t, o)
	if len(all) != 1 {
		t.Fatalf("got %d sessions want 1: %+v", len(all), all)
	}
	want := session{User: "anna", InnerAddress: c.address, Transport: "tls"}
	if _, version, up := strings.Cut(channel, "DTLS"); up {
		want.DTLSVersion = version[:len("1.2")]
		if !strings.HasPrefix(channel, "silent") {
			want.Transport = "dtls"
		}
	}
	if want.Cipher = all[0].Cipher; all[0] != want {
		t.Errorf("got %+v want %+v", all[0], want)
	}
}

// waitSessions waits until the gateway has n sessions.
func waitSessions(t *testing.T, o *office.Office, n int) {
	t.Helper()
	for deadline := time.Now().Add(office.Patience); ; {
		all := sessions(t, o)
		if len(all) == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("got %d sessions want %d: %+v", len(all), n, all)
		}
	}
}

func TestPasswordRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	out, err := o.Run(o.Client, "wrong\n", office.Peer(t, "openconnect"), "--user", "anna", "--passwd-on-stdin", "--non-inter",
		"--servercert", pin(t, o), "--authenticate", office.URL)
	if err == nil || !strings.Contains(out, "Login failed") {
		t.Errorf("a wrong password is not refused in words: %v\n%s", err, out)
	}
}

// TestNoLegacy has a client that knows only old DTLS meet a gateway without old phones: it stays on TLS.
func TestNoLegacy(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	c := connect(t, o, password, "--dtls-ciphers", "AES128-SHA", "--dtls12-ciphers", "")
	if out, err := o.Run(o.Client, "", office.Peer(t, "ping"), "-c", "1", "-W", "5", office.Desk); err != nil {
		t.Errorf("ping: %v\n%s", err, out)
	}
	checkSession(t, o, c, "")
}

func TestLogoff(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	c := connect(t, o, password)
	out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "sessions", "logoff", "anna")
	if err != nil {
		t.Fatalf("logoff: %v\n%s", err, out)
	}
	waitSessions(t, o, 0)
	c.Ended()
}

// TestLinkCut takes the client's cable away for 20 seconds.
func TestLinkCut(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	c := connect(t, o, password, "--force-dpd", "3", "--reconnect-timeout", "120")
	setLink(t, o, false)
	mark := c.Mark()
	time.Sleep(20 * time.Second) // the cut itself, not a wait for something
	setLink(t, o, true)
	line := c.WaitAfter(mark, "script reconnect ")
	if got := strings.Fields(line)[2]; got != c.address {
		t.Errorf("came back as %s, was %s", got, c.address)
	}
	if out, err := o.Run(o.Client, "", office.Peer(t, "ping"), "-c", "3", "-W", "10", office.Desk); err != nil {
		t.Errorf("ping: %v\n%s", err, out)
	}
}

func setLink(t *testing.T, o *office.Office, up bool) {
	t.Helper()
	err := o.Client.Do(func() error {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		if up {
			return netlink.LinkSetUp(link)
		}
		return netlink.LinkSetDown(link)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestKilledGateway kills the gateway while a client is connected: it comes back with user, session and
// address.
func TestKilledGateway(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	serve := o.Serve()
	o.AddUser("anna", password)
	c := connect(t, o, password, "--force-dpd", "3", "--reconnect-timeout", "120")
	serve.Kill()
	o.Serve()
	if got := sessions(t, o); len(got) != 1 || got[0].InnerAddress != c.address {
		t.Errorf("after the restart: got %+v want a session with %s", got, c.address)
	}
	line := c.Wait("script reconnect ")
	if got := strings.Fields(line)[2]; got != c.address {
		t.Errorf("came back as %s, was %s", got, c.address)
	}
	if out, err := o.Run(o.Client, "", office.Peer(t, "ping"), "-c", "3", "-W", "10", office.Desk); err != nil {
		t.Errorf("ping: %v\n%s", err, out)
	}
}

// TestSpoofing sends from an address that is not the session's.
func TestSpoofing(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	connect(t, o, password)
	foreign := netip.MustParseAddr("10.20.0.77")
	if out, err := o.Run(o.Client, "", office.Peer(t, "ip"), "addr", "add", foreign.String()+"/32", "dev", "eth0"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := o.Run(o.Client, "", office.Peer(t, "ping"), "-c", "1", "-W", "1", "-I", foreign.String(), office.Desk); err == nil {
		t.Errorf("a packet from %s got through:\n%s", foreign, out)
	}
	all, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "sessions", "list", "--json")
	if err != nil || !strings.Contains(all, fmt.Sprintf("%q: 1", "refused")) {
		t.Errorf("the refused packet is not counted: %v\n%s", err, all)
	}
}

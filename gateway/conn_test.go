package gateway

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/internal/tls10"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/cstp"
	"github.com/longcord/longcord/wire/vpnauth"
)

// raw opens a connection without TLS.
func (w *world) raw() net.Conn {
	w.t.Helper()
	conn, err := net.Dial("tcp", w.g.listeners[0].Addr().String())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		w.t.Fatal(err)
	}
	return conn
}

// works expects that a user can still log in and be heard.
func (w *world) works(user string) {
	w.t.Helper()
	c := w.tunnel(phoneURL, user)
	p := toFiles(c.answer.Address.String())
	c.sendFrame(cstp.Data, p)
	if got := w.toHost(); got != string(p) {
		w.t.Errorf("the host gets % x", got)
	}
	c.conn.Close()
}

func TestTCPGarbage(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	for name, b := range map[string]string{
		"nothing":       "",
		"HTTP":          "GET / HTTP/1.1\r\n\r\n",
		"zeros":         strings.Repeat("\x00", 100),
		"long record":   "\x16\x03\x01\xff\xff" + strings.Repeat("x", 70000),
		"empty records": strings.Repeat("\x16\x03\x01\x00\x00", 100),
		"half a record": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"an alert":      "\x15\x03\x01\x00\x02\x02\x28",
		"SSL 2":         "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10",
	} {
		conn := w.raw()
		_, _ = io.WriteString(conn, b) // the gateway may hang up before the end
		_ = conn.(*net.TCPConn).CloseWrite()
		if _, err := io.Copy(io.Discard, conn); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Errorf("%s: the connection stays", name)
		}
	}
	w.works("anna")
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	long := strings.Repeat("x", 20000)
	for name, c := range map[string]struct {
		request string
		status  int // 0: the connection ends without a reply
	}{
		"no request":        {"\x00\x01\x02\r\n\r\n", 0},
		"no version":        {"GET /\r\n\r\n", 0},
		"long line":         {"GET /" + long + " HTTP/1.1\r\n\r\n", 0},
		"long header":       {"GET /phone HTTP/1.1\r\nHost: h\r\nA: " + long + "\r\n\r\n", 0},
		"many headers":      {"GET /phone HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("A: b\r\n", 4000) + "\r\n", 0},
		"no end":            {strings.Repeat("x", 40000), 0},
		"large body":        {fmt.Sprintf("POST /phone HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", host, 1<<40, strings.Repeat("x", vpnauth.MaxBody+4096)), 413},
		"large chunks":      {fmt.Sprintf("POST /phone HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s", host, 1<<30, strings.Repeat("x", vpnauth.MaxBody+4096)), 413},
		"tiny chunks":       {fmt.Sprintf("POST /phone HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n\r\n%s", host, strings.Repeat("1\r\nx\r\n", 100000)), 0},
		"negative length":   {"POST /phone HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 0},
		"two lengths":       {"POST /phone HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", 0},
		"other method":      {"BREW /phone HTTP/1.1\r\nHost: " + host + "\r\n\r\n", 405},
		"bad document":      {"POST /phone HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 5\r\n\r\n<a><b", 400},
		"wrong tunnel":      {"CONNECT /elsewhere HTTP/1.1\r\nHost: h\r\n\r\n", 404},
		"no cookie":         {"CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: h\r\n\r\n", 401},
		"unknown cookie":    {"CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: h\r\nCookie: webvpn=AAAA\r\n\r\n", 401},
		"without the slash": {"CONNECT CSCOSSLC/tunnel HTTP/1.1\r\nHost: h\r\nCookie: webvpn=AAAA\r\n\r\n", 401},
	} {
		conn, err := w.dialTLS(modern())
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _ = io.WriteString(conn, c.request) // the gateway may hang up before the end
		}()
		got, err := io.ReadAll(bufio.NewReader(conn))
		status := 0
		_, _ = fmt.Sscanf(string(got), "HTTP/1.1 %d ", &status)
		if status != c.status {
			t.Errorf("%s: answered with %d, %v want %d", name, status, err, c.status)
		}
		if err != nil && strings.Contains(err.Error(), "timeout") {
			t.Errorf("%s: the connection stays", name)
		}
	}
	if n := len(w.g.sessions.all()); n != 0 {
		t.Errorf("%d sessions were made", n)
	}
	w.works("anna")
}

// TestAbsurdOffers: headers of a CONNECT may hold anything.
func TestAbsurdOffers(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	cookie := w.dial(modern()).cookie(phoneURL, "anna")
	for header, status := range map[string]int{
		"X-CSTP-MTU: 99999":                                   400,
		"X-CSTP-MTU: -1":                                      400,
		"X-CSTP-MTU: 1e3":                                     400,
		"X-CSTP-Base-MTU: 99999999999999999999999":            400,
		"X-CSTP-MTU: 0":                                       200,
		"X-CSTP-MTU: 1":                                       200,
		"X-CSTP-MTU: 65535":                                   200,
		"X-CSTP-Base-MTU: 1":                                  200,
		"X-CSTP-Base-MTU: 65535":                              200,
		"X-CSTP-Address: nonsense":                            200,
		"X-CSTP-Address: 10.99.0.6":                           200,
		"X-CSTP-Version: two":                                 200,
		"X-CSTP-Accept-Encoding: lzs,deflate":                 200,
		"X-DTLS-Master-Secret: zz":                            200,
		"X-DTLS-Master-Secret: 00":                            200,
		"X-DTLS12-CipherSuite: " + strings.Repeat("X:", 4000): 200,
		"X-CSTP-Hostname: \x01\x7f":                           0, // no HTTP
	} {
		c := w.dial(modern())
		c.send([]byte("CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: h\r\nCookie: webvpn=" + cookie.Reveal() + "\r\n" + header + "\r\n\r\n"))
		head, err := cstp.ReadHead(c.in)
		got := 0
		_, _ = fmt.Sscanf(string(head), "HTTP/1.1 %d ", &got)
		if got != status {
			t.Errorf("%.40s: answered with %d, %v want %d", header, got, err, status)
			continue
		}
		if got != 200 {
			continue
		}
		answer, err := cstp.ParseAnswer(head)
		if err != nil || answer.MTU < 256 || answer.MTU > tunMTU || answer.Address.String() != "10.99.0.2" || answer.DTLS.Port != 0 {
			t.Errorf("%.40s: granted %s, %v", header, answer, err)
		}
	}
}

// TestBadFrames: they end the channel of their session and nothing else.
func TestBadFrames(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna", "boris"))
	good := w.tunnel(phoneURL, "boris")
	first := w.tunnel(phoneURL, "anna")
	request := first.request
	for name, frame := range map[string]string{
		"magic":      "STX\x01\x00\x00\x00\x00",
		"last byte":  "STF\x01\x00\x00\x00\x01",
		"length":     "STF\x01\xff\xff\x00\x00" + strings.Repeat("x", 65535),
		"above 16 K": "STF\x01\x40\x01\x00\x00" + strings.Repeat("x", 16385),
		"HTTP":       "GET / HTTP/1.1\r\n\r\n",
	} {
		c := w.dial(modern())
		if err := c.connect(request); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c.conn, frame) // the gateway may hang up before the end
		c.closed()
		w.until(name+": the session has no channel", c.session().dead)
	}
	c := w.dial(modern())
	if err := c.connect(request); err != nil {
		t.Fatal(err)
	}
	for kind := range 256 { // all that has no meaning is refused and changes nothing
		switch kind := cstp.Type(kind); kind {
		case cstp.Data, cstp.DPDRequest, cstp.DPDResponse, cstp.Keepalive, cstp.Disconnect:
		default:
			c.sendFrame(kind, []byte("nonsense"))
		}
	}
	c.sendFrame(cstp.DPDRequest, nil)
	c.frame(cstp.DPDResponse)
	if got := c.session().counters.refused.Load(); got != 251 {
		t.Errorf("%d frames are counted as refused want 251", got)
	}
	good.sendFrame(cstp.Data, toFiles("10.99.0.2"))
	w.toHost()
}

// TestFlood: an address that opens connections and says nothing loses its oldest, and its neighbours
// still log in.
func TestFlood(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	var conns []net.Conn
	for range halfOpenPerAddress + 20 {
		conns = append(conns, w.raw())
	}
	for i, conn := range conns[:20] {
		if _, err := conn.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
			t.Errorf("connection %d is not dropped: %v", i, err)
		}
	}
	w.works("anna") // from the same address, too
}

// TestConnectedIsNotHalfOpen: those who have a session are not dropped for those who have none.
func TestConnectedIsNotHalfOpen(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	c := w.tunnel(phoneURL, "anna")
	unknown := w.dial(modern())
	refused(t, unknown.connect(unknown.offer(c.request.MasterSecret)), 401)
	var last net.Conn
	for range 2 * halfOpenPerAddress {
		last = w.raw()
	}
	_, _ = io.WriteString(last, "no TLS")
	_, _ = io.Copy(io.Discard, last)
	c.sendFrame(cstp.DPDRequest, nil)
	c.frame(cstp.DPDResponse)
}

// slow is a gateway without sockets whose connections are pipes, in a bubble with its own time.
func slow(t *testing.T) (connect func() net.Conn) {
	t.Helper()
	b := openBooks(t)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() { cancel(); b.g.wg.Wait() })
	return func() net.Conn {
		client, server := net.Pipe()
		t.Cleanup(func() { client.Close() })
		b.g.wg.Go(func() {
			at := netip.MustParseAddrPort("192.0.2.1:1")
			b.g.serveConn(ctx, server, at, newGate().enter(at.Addr(), server))
		})
		return client
	}
}

// endsAfter expects that the gateway hangs up when this much time has passed, give or take nothing.
func endsAfter(t *testing.T, conn net.Conn, began time.Time, want time.Duration) {
	t.Helper()
	_, _ = io.Copy(io.Discard, conn)
	if got := time.Since(began); got != want {
		t.Errorf("the gateway hangs up after %s want %s", got, want)
	}
}

func TestSlowHandshake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		connect := slow(t)
		conn, began := connect(), time.Now()
		endsAfter(t, conn, began, handshakeTime)
		conn, began = connect(), time.Now()
		var talking sync.WaitGroup
		talking.Go(func() { // one byte each second of a hello that never ends
			for _, b := range []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 400)) {
				if _, err := conn.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		endsAfter(t, conn, began, handshakeTime)
		talking.Wait()
	})
}

func TestSlowLogin(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		say  string
		wait time.Duration // between two bytes, or two of what is said
		byte bool
		want time.Duration
	}{
		"nothing":       {"", 0, false, requestTime},
		"bytes":         {"GET /phone HTTP/1.1\r\nHost: " + host + "\r\n", 2 * time.Second, true, requestTime},
		"no body":       {"POST /phone HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 100\r\n\r\nuser", time.Hour, false, requestTime},
		"many requests": {"GET /phone HTTP/1.1\r\nHost: " + host + "\r\n\r\n", 50 * time.Second, false, verify.LoginTime},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				conn := tls.Client(slow(t)(), modern())
				if err := conn.Handshake(); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				var talking sync.WaitGroup
				talking.Go(func() {
					for c.say != "" {
						said := c.say
						if c.byte {
							said, c.say = c.say[:1], c.say[1:]+"x"
						}
						if _, err := io.WriteString(conn, said); err != nil {
							return
						}
						time.Sleep(c.wait)
					}
				})
				endsAfter(t, conn, began, c.want)
				talking.Wait()
			})
		})
	}
}

// shakenHands brings TLS up between the two ends of a pipe and returns the server's.
func shakenHands(t *testing.T, client, server net.Conn) *tls10.Conn {
	t.Helper()
	recorder := tls10.Record(server, false)
	conn := tls.Server(recorder, &tls.Config{Certificates: []tls.Certificate{testcert.RSA("127.0.0.1")}, SessionTicketsDisabled: true, MaxVersion: tls.VersionTLS12})
	done := make(chan error, 1)
	go func() { done <- tls.Client(client, &tls.Config{InsecureSkipVerify: true}).Handshake() }()
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	taken, err := recorder.TakeOver(conn)
	if err != nil {
		t.Fatal(err)
	}
	return taken
}

// TestDeafClient: who reads nothing of what comes is dropped, and the packets meanwhile.
func TestDeafClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := openBooks(t)
		client, server := net.Pipe()
		c := &conn{g: b.g, raw: server, log: b.g.log, tls: shakenHands(t, client, server)}
		channel := newCSTPChannel(c, []byte("first"))
		for range 2 * maxQueue {
			channel.send(make([]byte, 100))
		}
		if n := len(channel.queue); n > maxQueue {
			t.Errorf("%d packets wait want at most %d", n, maxQueue)
		}
		began := time.Now()
		channel.close()
		b.g.wg.Wait()
		if got := time.Since(began); got > writeTime {
			t.Errorf("the connection is kept for %s", got)
		}
		if channel.send(nil) {
			t.Error("a closed channel takes packets")
		}
		if _, err := client.Read(make([]byte, 1)); err == nil {
			t.Error("the connection stays")
		}
	})
}

// TestHandshakes says who gets which TLS.
func TestHandshakes(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	offers := func(max uint16, suites ...uint16) *tls.Config {
		c := modern()
		c.MinVersion, c.MaxVersion, c.CipherSuites = tls.VersionTLS10, max, suites
		return c
	}
	for name, c := range map[string]struct {
		client  *tls.Config
		version uint16 // 0: refused
		suite   uint16
	}{
		"1.3":                      {modern(), tls.VersionTLS13, 0},
		"1.2":                      {offers(tls.VersionTLS12), tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},
		"1.2 and RSA key exchange": {offers(tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384), tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384},
		"1.2 without ECDHE":        {offers(tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_CBC_SHA), tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_CBC_SHA},
		"1.2 with GCM by RSA":      {offers(tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_GCM_SHA256), 0, 0},
		"1.1":                      {offers(tls.VersionTLS11, tls.TLS_RSA_WITH_AES_256_CBC_SHA), tls.VersionTLS11, tls.TLS_RSA_WITH_AES_256_CBC_SHA},
		"1.0":                      {offers(tls.VersionTLS10, tls.TLS_RSA_WITH_AES_128_CBC_SHA), tls.VersionTLS10, tls.TLS_RSA_WITH_AES_128_CBC_SHA},
		"1.0 with ECDHE only":      {offers(tls.VersionTLS10, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA), 0, 0},
		"3DES":                     {offers(tls.VersionTLS12, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA), 0, 0},
		"3DES at 1.0":              {offers(tls.VersionTLS10, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA), 0, 0},
		"RC4":                      {offers(tls.VersionTLS12, tls.TLS_RSA_WITH_RC4_128_SHA), 0, 0},
		"RC4 at 1.0":               {offers(tls.VersionTLS10, tls.TLS_RSA_WITH_RC4_128_SHA), 0, 0},
	} {
		conn, err := w.dialTLS(c.client)
		if c.version == 0 {
			if err == nil {
				t.Errorf("%s: %s is spoken", name, tls.CipherSuiteName(conn.ConnectionState().CipherSuite))
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		state := conn.ConnectionState()
		if state.Version != c.version || c.suite != 0 && state.CipherSuite != c.suite {
			t.Errorf("%s: %s with %s is spoken", name, tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite))
		}
	}
}

func TestIsOld(t *testing.T) {
	t.Parallel()
	const grease = 0x0a0a
	ecdhe, rsa := uint16(tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256), uint16(tls.TLS_RSA_WITH_AES_128_CBC_SHA)
	for name, c := range map[string]struct {
		versions, suites []uint16
		want             bool
	}{
		"1.3":                    {[]uint16{tls.VersionTLS13, tls.VersionTLS12}, []uint16{tls.TLS_AES_128_GCM_SHA256}, false},
		"1.3 and nothing it has": {[]uint16{tls.VersionTLS13}, []uint16{rsa}, false},
		"1.2":                    {[]uint16{grease, tls.VersionTLS12, tls.VersionTLS10}, []uint16{grease, rsa, ecdhe}, false},
		"1.2 without ECDHE":      {[]uint16{tls.VersionTLS12}, []uint16{rsa}, true},
		"1.2 without suites":     {[]uint16{tls.VersionTLS12}, nil, true},
		"1.1":                    {[]uint16{tls.VersionTLS11, tls.VersionTLS10}, []uint16{ecdhe, rsa}, true},
		"1.0":                    {[]uint16{tls.VersionTLS10}, []uint16{rsa}, true},
		"nothing":                {nil, nil, true},
	} {
		schemes := []tls.SignatureScheme{tls.PKCS1WithSHA1, tls.PKCS1WithSHA256}
		if got := isOld(&tls.ClientHelloInfo{SupportedVersions: c.versions, CipherSuites: c.suites, SignatureSchemes: schemes}); got != c.want {
			t.Errorf("%s: old %v want %v", name, got, c.want)
		}
	}
	for name, schemes := range map[string][]tls.SignatureScheme{"SHA-1 only": {tls.PKCS1WithSHA1, tls.ECDSAWithSHA1}, "no signatures said": nil} {
		if !isOld(&tls.ClientHelloInfo{SupportedVersions: []uint16{tls.VersionTLS12}, CipherSuites: []uint16{ecdhe}, SignatureSchemes: schemes}) {
			t.Errorf("%s: not taken for old", name)
		}
	}
}

// TestIdentity: the certificate follows the inventory, and the name that a client asks for.
func TestIdentity(t *testing.T) {
	t.Parallel()
	w := open(t)
	name := func(server string) string {
		config := modern()
		config.ServerName = server
		conn, err := w.dialTLS(config)
		if err != nil {
			t.Fatal(err)
		}
		return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	set := declared()
	other := certificateFor("other.example.com")
	set.Certificates["other"] = other
	set.VPNGateways["staff"].URL, set.VPNGateways["staff"].Certificates = "https://Other.example.com/staff", []string{"other"}
	set.TunnelGroups["staff"].GroupURLs = []string{"https://Other.example.com/staff"}
	w.inventory.Store(set)
	for server, want := range map[string]string{host: host, "other.example.com": "other.example.com", "OTHER.example.com": "other.example.com", "unknown.example.com": host, "192.0.2.1": host} {
		if got := name(server); got != want {
			t.Errorf("asked for %s it presents %s want %s", server, got, want)
		}
	}
	broken := declared()
	broken.Certificates["c"] = &inventory.Certificate{Name: "c"}
	w.inventory.Store(broken)
	if got := name("other.example.com"); got != "other.example.com" {
		t.Errorf("after an inventory without certificate it presents %s", got)
	}
	if !w.log.Has("certificate of before stays in use") {
		t.Error("nobody is told")
	}
	if _, err := newIdentity(broken, nil, nil); err == nil {
		t.Error("an inventory without key is an identity")
	}
	if _, err := newIdentity(inventory.NewSet(), nil, nil); err == nil {
		t.Error("an empty inventory is an identity")
	}
}

// TestCertificatesSideBySide: who names no host gets the certificate of the URL with the port that it came to.
func TestCertificatesSideBySide(t *testing.T) {
	t.Parallel()
	set := declared()
	set.Certificates["next"] = certificateFor("next.example.com")
	phones := *set.VPNGateways["phones"]
	phones.Name, phones.URL, phones.Certificates = "next", "https://"+host+":8443/phones", []string{"next"}
	set.VPNGateways["next"] = &phones
	group := *set.TunnelGroups["phones"]
	group.GroupURLs = append([]string{phones.URL}, group.GroupURLs...)
	set.TunnelGroups["phones"] = &group
	for _, c := range []struct {
		ports []uint16
		port  uint16
		name  string
		want  string
	}{
		{[]uint16{8443}, 443, "", host}, {[]uint16{8443}, 443, host, host}, {[]uint16{8443}, 8443, "", "next.example.com"},
		{[]uint16{8443}, 8443, host, "next.example.com"}, {[]uint16{8443, 9443}, 9443, "", host}, {[]uint16{8443}, 9443, "", host},
	} {
		id, err := newIdentity(set, nil, c.ports)
		if err != nil {
			t.Fatal(err)
		}
		for what, p := range map[string]*presented{"new": &id.certificates, "old": &id.old} {
			leaf, err := x509.ParseCertificate(p.at(c.port, c.name).everybody.Certificate[0])
			if err != nil || leaf.VerifyHostname(c.want) != nil {
				t.Errorf("port %d of %v, host %q, %s: presents %v, %v, want %s", c.port, c.ports, c.name, what, leaf.DNSNames, err, c.want)
			}
		}
	}
}

// TestLegacyCertificate: old connections get a certificate and key of their own, whatever host they name.
func TestLegacyCertificate(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"), func(w *world, _ *Config) {
		set := declared()
		set.Certificates["old"] = certificateFor("old.example.com")
		for _, name := range []string{"phones", "staff"} {
			set.VPNGateways[name].Certificates = []string{"c", "old"}
			set.VPNGateways[name].LegacyCertificate = "old"
		}
		w.inventory.Store(set)
	})
	for name, c := range map[string]struct {
		config *tls.Config
		want   string
	}{"today's TLS": {modern(), host}, "TLS 1.2": {tls12(), host}, "TLS 1.0": {old(), "old.example.com"}} {
		for _, serverName := range []string{host, ""} {
			c.config.ServerName = serverName
			conn := w.dial(c.config)
			if got := conn.conn.ConnectionState().PeerCertificates[0].Subject.CommonName; got != c.want {
				t.Errorf("%s for %q: the certificate of %s, want %s's", name, serverName, got, c.want)
			}
		}
	}
}

// TestDoubters: who does not go on with the ECDSA certificate meets the other at the next try, and the first
// is shown again to others and after a day.
func TestDoubters(t *testing.T) {
	t.Parallel()
	algorithm := func(conn *tls.Conn) x509.PublicKeyAlgorithm {
		return conn.ConnectionState().PeerCertificates[0].PublicKeyAlgorithm
	}
	nameless := func() *tls.Config {
		config := tls12()
		config.ServerName = ""
		return config
	}
	refusing := func(w *world, config *tls.Config) *tls.Conn {
		config.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return errors.New("not the hash in my file") }
		conn, err := w.dialTLS(config)
		if err == nil {
			t.Error("the test's client does not refuse")
		}
		return conn
	}
	for name, refuse := range map[string]func(*world){
		"with an alert":  func(w *world) { refusing(w, nameless()) },
		"without a word": func(w *world) { w.dial(nameless()).conn.NetConn().Close() },
	} {
		w := open(t, withUsers("anna"), withECDSA(testcert.ECDSA(host)))
		if got := algorithm(w.dial(nameless()).conn); got != x509.ECDSA {
			t.Fatalf("%s: meets %v at first", name, got)
		}
		here := netip.MustParseAddr("127.0.0.1")
		for what, config := range map[string]*tls.Config{"with TLS 1.3": modern(), "that names the host": tls12()} {
			computer := refusing(w, config)
			w.until("the computer has left", func() bool { return w.log.Has("peer=" + computer.LocalAddr().String()) })
			if w.g.doubters.has(here, time.Now()) {
				t.Errorf("%s: a computer %s that refuses has the certificate changed", name, what)
			}
		}
		refuse(w)
		w.until("the gateway notices", func() bool { return w.g.doubters.has(here, time.Now()) })
		if got := algorithm(w.dial(nameless()).conn); got != x509.RSA {
			t.Errorf("%s: meets %v afterwards", name, got)
		}
		config := nameless()
		config.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}
		if got := algorithm(w.dial(config).conn); got != x509.ECDSA {
			t.Errorf("%s: one that knows nothing else meets %v", name, got)
		}
		if got := algorithm(w.dial(modern()).conn); got != x509.ECDSA {
			t.Errorf("%s: a computer at the same address meets %v", name, got)
		}
		if w.g.doubters.has(netip.MustParseAddr("127.0.0.2"), time.Now()) || w.g.doubters.has(here, time.Now().Add(doubtTime+time.Minute)) {
			t.Errorf("%s: others meet it, too, or it stays so for ever", name)
		}
	}
}

// TestDoubtersAreBounded: strangers cannot have the gateway remember more than so many.
func TestDoubtersAreBounded(t *testing.T) {
	t.Parallel()
	var d doubters
	from := netip.MustParseAddr("10.0.0.0")
	for range maxDoubters + 10 {
		from = from.Next()
		d.add(from, time.Now())
	}
	if len(d.until) > maxDoubters || !d.has(from, time.Now()) {
		t.Errorf("%d are remembered; the last: %v", len(d.until), d.has(from, time.Now()))
	}
}

// withECDSA gives each gateway an ECDSA certificate beside its own.
func withECDSA(c tls.Certificate) func(*world, *Config) {
	certificate, key := testcert.PEM(c)
	return func(w *world, _ *Config) {
		set := declared()
		set.Certificates["ecdsa"] = &inventory.Certificate{Name: "ecdsa", Certificate: certificate, Key: secret.New(key)}
		for _, name := range []string{"phones", "staff"} {
			set.VPNGateways[name].Certificates = []string{"c", "ecdsa"}
			set.VPNGateways[name].ECDSACertificate = "ecdsa"
		}
		w.inventory.Store(set)
	}
}

// TestECDSACertificate: who can verify ECDSA is shown it, everybody else the RSA one, and everybody that when
// the time of the other is over.
func TestECDSACertificate(t *testing.T) {
	t.Parallel()
	rsaOnly := tls12()
	rsaOnly.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	otherCurve := tls12()
	otherCurve.CurvePreferences = []tls.CurveID{tls.CurveP384}
	clients := map[string]struct {
		config *tls.Config
		ecdsa  bool
	}{
		"today's TLS": {modern(), true}, "TLS 1.2": {tls12(), true}, "TLS 1.2 with suites of RSA": {rsaOnly, false},
		"TLS 1.2 without P-256": {otherCurve, false}, "TLS 1.0": {old(), false},
	}
	for _, over := range []bool{false, true} {
		shown := testcert.ECDSA(host)
		if over {
			shown = testcert.ECDSAUntil(host, time.Now().Add(-time.Minute))
		}
		w := open(t, withUsers("anna"), withECDSA(shown))
		for name, c := range clients {
			for _, serverName := range []string{host, ""} {
				c.config.ServerName = serverName
				conn := w.dial(c.config)
				met := conn.conn.ConnectionState().PeerCertificates[0]
				if got := met.PublicKeyAlgorithm == x509.ECDSA; got != (c.ecdsa && !over) {
					t.Errorf("%s for %q, time over %v: an ECDSA certificate: %v", name, serverName, over, got)
				}
				if name == "TLS 1.0" {
					continue // a phone, and phones are told nothing of it
				}
				told := strings.Join(conn.post(staffURL, "anna", "secret of anna").Header.Values("Set-Cookie"), "\n")
				if hash := verify.HashOf(met.Raw).Hex(); !strings.Contains(told, "sh:"+hash) {
					t.Errorf("%s: shown %s, and told:\n%s", name, hash, told)
				}
			}
		}
	}
}

// An authority that asks whether the host is ours meets its answer and is hung up on, without a word to the operator.
func TestChallenge(t *testing.T) {
	t.Parallel()
	answer := testcert.RSA("answer")
	w := open(t, withUsers("anna"), func(_ *world, c *Config) {
		c.Challenge = func(string) *tls.Certificate { return &answer }
	})
	authority := w.dial(&tls.Config{InsecureSkipVerify: true, ServerName: host, NextProtos: []string{"acme-tls/1"}}).conn
	if met := authority.ConnectionState(); met.NegotiatedProtocol != "acme-tls/1" || !bytes.Equal(met.PeerCertificates[0].Raw, answer.Certificate[0]) {
		t.Errorf("the authority meets %s by %q", met.PeerCertificates[0].Subject, met.NegotiatedProtocol)
	}
	if n, err := authority.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("after the handshake it reads %d bytes, %v", n, err)
	}
	if said := w.log.String(); strings.Contains(said, "level=ERROR") {
		t.Errorf("the operator reads\n%s", said)
	}
}

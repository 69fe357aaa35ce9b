package tls10

import (
	"bytes"
	"crypto/aes"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/testcert"
)

var suites = []uint16{
	tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA,
	tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
}

// pair brings TLS up between two ends, each over a Recorder. seen gets what the server's saw.
func pair(t testing.TB, version uint16, suite uint16, seen func(written, keys []byte)) (client, server *Conn, toClient, toServer *counting) {
	t.Helper()
	a, b := net.Pipe()
	toClient, toServer = &counting{Conn: a}, &counting{Conn: b}
	one, other := Record(toClient, true), Record(toServer, false)
	config := func(r *Recorder) *tls.Config {
		return &tls.Config{
			InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, CipherSuites: []uint16{suite},
			Certificates: []tls.Certificate{testcert.RSA("127.0.0.1")}, SessionTicketsDisabled: true, KeyLogWriter: r.KeyLog(nil),
		}
	}
	c, s := tls.Client(one, config(one)), tls.Server(other, config(other))
	done := make(chan error, 1)
	go func() { done <- c.Handshake() }()
	if err := s.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if seen != nil {
		seen(bytes.Clone(other.written.Bytes()), bytes.Clone(other.keys.line[:other.keys.n]))
	}
	client, err := one.TakeOver(c)
	if err != nil {
		t.Fatal(err)
	}
	if server, err = other.TakeOver(s); err != nil {
		t.Fatal(err)
	}
	toClient.records, toServer.records = 0, 0
	return client, server, toClient, toServer
}

// TestOneWriteOneRecord lets crypto/tls read what we write, in both directions, and counts the records.
// OpenSSL reads it in interop/curl, GnuTLS where our phone meets ocserv.
func TestOneWriteOneRecord(t *testing.T) {
	t.Parallel()
	for _, suite := range suites {
		t.Run(tls.CipherSuiteName(suite), func(t *testing.T) {
			t.Parallel()
			client, server, _, toServer := pair(t, tls.VersionTLS10, suite, nil)
			say(t, client, server, toServer)
			client, server, toClient, _ := pair(t, tls.VersionTLS10, suite, nil)
			say(t, server, client, toClient)
		})
	}
}

// say writes from one end to the other, closes, and looks at what arrives.
func say(t *testing.T, from, to *Conn, wire *counting) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		for _, b := range []string{"one", strings.Repeat("x", 20000)} {
			if n, err := from.Write([]byte(b)); err != nil || n != len(b) {
				done <- err
				return
			}
		}
		done <- from.CloseWrite()
	}()
	got, err := io.ReadAll(to)
	if err != nil {
		t.Fatal(err)
	}
	if want := "one" + strings.Repeat("x", 20000); string(got) != want {
		t.Errorf("got %d bytes want %d", len(got), len(want))
	}
	if wire.records != 4 { // "one", 16384 x, the rest, close_notify
		t.Errorf("got %d records want 4", wire.records)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestOtherVersions leaves connections alone that need no help.
func TestOtherVersions(t *testing.T) {
	t.Parallel()
	for _, version := range []uint16{tls.VersionTLS11, tls.VersionTLS12} {
		client, server, _, _ := pair(t, version, tls.TLS_RSA_WITH_AES_128_CBC_SHA, nil)
		go func() { _, _ = client.Write([]byte("hello")) }()
		b := make([]byte, 5)
		if _, err := io.ReadFull(server, b); err != nil || string(b) != "hello" || client.old != nil {
			t.Errorf("%s: %q, %v", tls.VersionName(version), b, err)
		}
	}
}

// TestExport compares with crypto/tls, which exports when there is an extended master secret: that changes
// the master secret and not the exporter. GnuTLS judges the case without one in interop/gnutls.
func TestExport(t *testing.T) {
	t.Parallel()
	const label = "EXPORTER-openconnect-psk"
	for _, suite := range []uint16{
		tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	} {
		var written, keys []byte
		client, server, _, _ := pair(t, tls.VersionTLS12, suite, func(w, k []byte) { written, keys = w, k })
		state := client.ConnectionState()
		want, err := state.ExportKeyingMaterial(label, nil, 32)
		if err != nil {
			t.Fatal(err)
		}
		h, err := handshakeOf(suite, written, keys)
		if err != nil {
			t.Fatal(err)
		}
		own := &Conn{Conn: server.Conn, exporter: &exporter{h}}
		if got, err := own.Export(label, 32); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got %x, %v; want %x", tls.CipherSuiteName(suite), got, err, want)
		}
		if !bytes.Equal(h.master, make([]byte, masterLen)) {
			t.Error("the master secret is not wiped")
		}
		if got, err := own.Export(label, 32); err == nil {
			t.Errorf("exported a second time: %x", got)
		}
		for _, end := range []*Conn{client, server} {
			if got, err := end.Export(label, 32); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: got %x, %v; want %x", tls.CipherSuiteName(suite), got, err, want)
			}
		}
	}
	client, _, _, _ := pair(t, tls.VersionTLS10, suites[0], nil)
	if got, err := client.Export(label, 32); err == nil {
		t.Errorf("exported at TLS 1.0: %x", got)
	}
}

func TestTruncated(t *testing.T) {
	t.Parallel()
	var written, keys []byte
	pair(t, tls.VersionTLS10, suites[0], func(w, k []byte) { written, keys = w, k })
	if f, err := parseFlight(written); err != nil || f.sent != 1 {
		t.Errorf("the whole flight: %+v, %v", f, err)
	}
	for n := range written {
		if _, err := parseFlight(written[:n]); err == nil {
			t.Errorf("a flight cut to %d of %d bytes is taken", n, len(written))
		}
	}
	if _, err := handshakeOf(suites[0], written, keys); err != nil {
		t.Error(err)
	}
	for n := range headerLen + 4 + 2 + randomLen {
		if _, err := handshakeOf(suites[0], written[:n], keys); err == nil {
			t.Errorf("a ServerHello cut to %d bytes is taken", n)
		}
	}
	line := bytes.TrimSpace(keys)
	if _, _, err := parseKeyLog(line); err != nil {
		t.Error(err)
	}
	for n := range line {
		if _, _, err := parseKeyLog(line[:n]); err == nil {
			t.Errorf("a key log line cut to %d of %d bytes is taken", n, len(line))
		}
	}
	for name, line := range map[string]string{
		"other label":  strings.Replace(string(line), "CLIENT_RANDOM", "SERVER_RANDOM", 1),
		"twice":        string(line) + "\n" + string(line),
		"not hex":      strings.Replace(string(line), " ", " zz", 1),
		"odd":          string(line) + "0",
		"longer":       string(line) + "00",
		"empty fields": "CLIENT_RANDOM  ",
	} {
		if _, _, err := parseKeyLog([]byte(line)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func FuzzParseFlight(f *testing.F) {
	pair(f, tls.VersionTLS10, suites[0], func(written, _ []byte) { f.Add(written) })
	f.Add(bytes.Repeat([]byte{recordCCS, 3, 1, 0, 1, 1}, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := parseFlight(b)
		if err == nil && (len(got.iv) != aes.BlockSize || got.sent == 0) {
			t.Errorf("%+v", got)
		}
	})
}

func FuzzHandshakeOf(f *testing.F) {
	pair(f, tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, func(written, keys []byte) { f.Add(written, keys) })
	f.Fuzz(func(t *testing.T, server, keys []byte) {
		h, err := handshakeOf(0, server, keys)
		if err == nil && (len(h.serverRandom) != randomLen || len(h.clientRandom) != randomLen || len(h.master) != masterLen) {
			t.Errorf("%+v", h)
		}
	})
}

func FuzzParseKeyLog(f *testing.F) {
	pair(f, tls.VersionTLS10, suites[0], func(_, keys []byte) { f.Add(keys) })
	f.Add([]byte("CLIENT_RANDOM 00 00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		random, master, err := parseKeyLog(b)
		if err == nil && (len(random) != randomLen || len(master) != masterLen) {
			t.Errorf("a random of %d bytes, a master secret of %d", len(random), len(master))
		}
	})
}

// counting counts the TLS records that are read through it.
type counting struct {
	net.Conn
	stream  []byte
	records int
}

func (c *counting) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.stream = append(c.stream, b[:n]...)
	for len(c.stream) >= headerLen {
		length := headerLen + int(c.stream[3])<<8 + int(c.stream[4])
		if len(c.stream) < length {
			break
		}
		c.stream = c.stream[length:]
		c.records++
	}
	return n, err
}

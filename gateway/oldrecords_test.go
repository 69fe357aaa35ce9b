package gateway

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/testcert"
)

// TestOldRecords lets crypto/tls read what we write on a TLS 1.0 connection, and counts the records on the
// wire. OpenSSL reads it in interop/curl.
func TestOldRecords(t *testing.T) {
	t.Parallel()
	for _, suite := range oldSuites {
		t.Run(tls.CipherSuiteName(suite), func(t *testing.T) {
			t.Parallel()
			client, server := net.Pipe()
			wire := &counting{Conn: client}
			done := make(chan error, 1)
			go func() { done <- serveOld(server, suite, nil, []byte("one"), bytes.Repeat([]byte("x"), 20000)) }()
			conn := tls.Client(wire, &tls.Config{
				InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10, CipherSuites: []uint16{suite},
			})
			if err := conn.Handshake(); err != nil {
				t.Fatal(err)
			}
			wire.records = 0
			got, err := io.ReadAll(conn)
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
		})
	}
}

// serveOld answers one TLS 1.0 client by our own records, then says good-bye. seen gets what the recorder
// saw of the handshake.
func serveOld(raw net.Conn, suite uint16, seen func(written, keys []byte), writes ...[]byte) error {
	defer raw.Close()
	cert := testcert.RSA("127.0.0.1")
	recorder := newOldRecorder(raw)
	conn := tls.Server(recorder, &tls.Config{
		Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10, CipherSuites: []uint16{suite},
		SessionTicketsDisabled: true, KeyLogWriter: recorder.keyLog(nil),
	})
	if err := conn.Handshake(); err != nil {
		return err
	}
	if seen != nil {
		seen(bytes.Clone(recorder.written.Bytes()), bytes.Clone(recorder.keys.Bytes()))
	}
	records, err := recorder.takeOver(conn.ConnectionState())
	if err != nil {
		return err
	}
	for _, b := range writes {
		if err := records.write(b); err != nil {
			return err
		}
	}
	return records.closeNotify()
}

// recorded is what the recorder sees of a handshake.
func recorded(t testing.TB) (written, keys []byte) {
	t.Helper()
	client, server := net.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- serveOld(server, oldSuites[0], func(w, k []byte) { written, keys = w, k })
	}()
	conn := tls.Client(client, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10, CipherSuites: oldSuites})
	if _, err := io.ReadAll(conn); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return written, keys
}

func TestOldRecordsTruncated(t *testing.T) {
	t.Parallel()
	written, keys := recorded(t)
	if _, sent, _, err := parseFlight(written); err != nil || sent != 1 {
		t.Errorf("the whole flight: %d protected records, %v", sent, err)
	}
	for n := range written {
		if _, _, _, err := parseFlight(written[:n]); err == nil {
			t.Errorf("a flight cut to %d of %d bytes is taken", n, len(written))
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
	written, _ := recorded(f)
	f.Add(written)
	f.Add(bytes.Repeat([]byte{tlsCCS, 3, 1, 0, 1, 1}, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		random, sent, iv, err := parseFlight(b)
		if err == nil && (len(random) != 32 || len(iv) != aes.BlockSize || sent == 0) {
			t.Errorf("a random of %d bytes, %d records, an IV of %d bytes", len(random), sent, len(iv))
		}
	})
}

func FuzzParseKeyLog(f *testing.F) {
	_, keys := recorded(f)
	f.Add(keys)
	f.Add([]byte("CLIENT_RANDOM 00 00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		random, master, err := parseKeyLog(b)
		if err == nil && (len(random) != 32 || len(master) != 48) {
			t.Errorf("a random of %d bytes, a master secret of %d", len(random), len(master))
		}
	})
}

// testOldRecords writes to conn with keys that nobody has.
func testOldRecords(conn net.Conn) *oldRecords {
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		panic(err)
	}
	return &oldRecords{conn: conn, mode: cipher.NewCBCEncrypter(block, make([]byte, 16)), mac: hmac.New(sha1.New, nil)}
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
	for len(c.stream) >= tlsHeaderLen {
		length := tlsHeaderLen + int(c.stream[3])<<8 + int(c.stream[4])
		if len(c.stream) < length {
			break
		}
		c.stream = c.stream[length:]
		c.records++
	}
	return n, err
}

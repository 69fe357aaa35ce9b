package gateway

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/testcert"
)

// TestOldRecords lets OpenSSL and crypto/tls read what we write on a TLS 1.0 connection, and counts the
// records on the wire.
func TestOldRecords(t *testing.T) {
	t.Parallel()
	for _, suite := range oldSuites {
		t.Run(tls.CipherSuiteName(suite), func(t *testing.T) {
			t.Parallel()
			client, server := net.Pipe()
			wire := &counting{Conn: client}
			done := make(chan error, 1)
			go func() { done <- serveOld(server, suite, []byte("one"), bytes.Repeat([]byte("x"), 20000)) }()
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

// TestOldRecordsOpenSSL has OpenSSL as the reader.
func TestOldRecordsOpenSSL(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			done <- err
			return
		}
		done <- serveOld(conn, tls.TLS_RSA_WITH_AES_128_CBC_SHA, []byte("heard by openssl\n"))
	}()
	cmd := exec.Command("openssl", "s_client", "-quiet", "-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0", "-connect", l.Addr().String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("openssl: %v", err)
	}
	if string(out) != "heard by openssl\n" {
		t.Errorf("openssl read %q", out)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// serveOld answers one TLS 1.0 client by our own records, then says good-bye.
func serveOld(raw net.Conn, suite uint16, writes ...[]byte) error {
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

//go:build interop

// Package gnutls_test has GnuTLS's own programs judge our DTLS with a pre-shared key, at both ends, and the
// keys that we export of TLS.
package gnutls_test

import (
	"bytes"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/internal/tls10"
	"github.com/longcord/longcord/interop/dtlsecho"
	engine "github.com/longcord/longcord/stage/tunnel/dtls"
	"github.com/longcord/longcord/wire/cstp"
	"github.com/longcord/longcord/wire/dtls"
)

var config = engine.Config{SessionID: bytes.Repeat([]byte{3}, engine.SessionIDLen), PSK: bytes.Repeat([]byte{5}, engine.PSKLen)}

// priority is a GnuTLS priority string for one cipher with a pre-shared key.
func priority(cipher string) string {
	return "NORMAL:-VERS-ALL:+VERS-DTLS1.2:-KX-ALL:+PSK:-CIPHER-ALL:+" + cipher
}

var ciphers = map[string]dtls.Suite{"AES-128-GCM": dtls.PSKAES128GCM, "AES-256-GCM": dtls.PSKAES256GCM, "CHACHA20-POLY1305": dtls.PSKChaCha20}

func TestClient(t *testing.T) {
	t.Parallel()
	for cipher, suite := range ciphers {
		for how, flags := range map[string]string{"": "", " without extended master secret": ":%NO_SESSION_HASH"} {
			for _, ask := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s%s cookie %t", cipher, how, ask), func(t *testing.T) {
					t.Parallel()
					server := dtlsecho.Serve(t, config, ask)
					client := dtlsecho.Start(t, "gnutls-cli", "--udp", "--port", fmt.Sprint(server.Addr().Port()), "--pskusername", "psk",
						"--pskkey", hex.EncodeToString(config.PSK), "--priority", priority(cipher)+flags, "127.0.0.1")
					if got := server.Up(); got != suite {
						t.Errorf("suite is %s, want %s", got, suite)
					}
					client.Wait("Handshake was completed")
					if _, err := fmt.Fprintln(client.In, "hello there"); err != nil {
						t.Fatal(err)
					}
					server.Hears("hello there")
					client.Wait("hello there")
				})
			}
		}
	}
}

// TestServer has our client meet gnutls-serv, which asks for a cookie first and gives a hint.
func TestServer(t *testing.T) {
	t.Parallel()
	for cipher, suite := range ciphers {
		for how, flags := range map[string]string{"": "", " without extended master secret": ":%NO_SESSION_HASH"} {
			t.Run(cipher+how, func(t *testing.T) {
				t.Parallel()
				keys := filepath.Join(t.TempDir(), "keys")
				if err := os.WriteFile(keys, []byte("psk:"+hex.EncodeToString(config.PSK)+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				addr := dtlsecho.FreePort()
				server := dtlsecho.Start(t, "gnutls-serv", "--udp", "--echo", "--port", fmt.Sprint(addr.Port()), "--pskpasswd", keys, "--pskhint", "some hint",
					"--priority", priority(cipher)+flags)
				server.Wait("listening on IPv4")
				client := dtlsecho.Dial(t, config, addr)
				if got := client.Up(); got != suite {
					t.Errorf("suite is %s, want %s", got, suite)
				}
				client.Say("hello there\n")
				client.Hears("hello there")
			})
		}
	}
}

// TestExport compares the key of the DTLS channel with what GnuTLS exports of the same TLS connection.
func TestExport(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		priority string
		refused  bool // by crypto/tls
	}{
		"TLS 1.3":         {"NORMAL:-VERS-ALL:+VERS-TLS1.3", false},
		"TLS 1.2":         {"NORMAL:-VERS-ALL:+VERS-TLS1.2", false},
		"128 without EMS": {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM:%NO_SESSION_HASH", true},
		"256 without EMS": {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-GCM:%NO_SESSION_HASH", true},
		"old without EMS": {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA:-CIPHER-ALL:+AES-128-CBC:%NO_SESSION_HASH", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			client := dtlsecho.Start(t, "gnutls-cli", "--port", fmt.Sprint(listener.Addr().(*net.TCPAddr).Port), "--insecure", "--priority", c.priority,
				"--keymatexport", cstp.PSKLabel, "--keymatexportsize", fmt.Sprint(cstp.PSKLen), "127.0.0.1")
			raw, err := listener.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			conn := shakeHands(t, raw)
			state := conn.ConnectionState()
			if _, err := state.ExportKeyingMaterial(cstp.PSKLabel, nil, cstp.PSKLen); (err != nil) != c.refused {
				t.Errorf("crypto/tls says %v, want a refusal: %t", err, c.refused)
			}
			key, err := conn.Export(cstp.PSKLabel, cstp.PSKLen)
			if err != nil {
				t.Fatal(err)
			}
			_, theirs, _ := strings.Cut(client.Wait("Key material: "), "Key material: ")
			if ours := hex.EncodeToString(key); ours != strings.TrimSpace(theirs) {
				t.Errorf("our key is %s, GnuTLS's %s", ours, theirs)
			}
		})
	}
}

func shakeHands(t *testing.T, raw net.Conn) *tls10.Conn {
	t.Helper()
	recorder := tls10.Record(raw, false)
	server := tls.Server(recorder, &tls.Config{
		Certificates: []tls.Certificate{testcert.RSA("127.0.0.1")}, SessionTicketsDisabled: true, KeyLogWriter: recorder.KeyLog(nil),
		CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_RSA_WITH_AES_128_CBC_SHA},
	})
	if err := server.Handshake(); err != nil {
		t.Fatal(err)
	}
	conn, err := recorder.TakeOver(server)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

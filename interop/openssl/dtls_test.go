//go:build interop

package openssl_test

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/longcord/longcord/interop/dtlsecho"
	engine "github.com/longcord/longcord/stage/tunnel/dtls"
	"github.com/longcord/longcord/wire/dtls"
)

var withKey = engine.Config{SessionID: bytes.Repeat([]byte{3}, engine.SessionIDLen), PSK: bytes.Repeat([]byte{5}, engine.PSKLen)}

// TestDTLSClient has s_client meet our server with a pre-shared key.
func TestDTLSClient(t *testing.T) {
	t.Parallel()
	for _, suite := range dtls.PSKSuites {
		for _, ask := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s cookie %t", suite, ask), func(t *testing.T) {
				t.Parallel()
				server := dtlsecho.Serve(t, withKey, ask)
				client := dtlsecho.Start(t, "openssl", "s_client", "-dtls1_2", "-psk", hex.EncodeToString(withKey.PSK), "-psk_identity", "psk",
					"-cipher", suite.String(), "-connect", server.Addr().String())
				talk(t, client, server, suite)
			})
		}
	}
}

func talk(t *testing.T, client dtlsecho.Program, server *dtlsecho.End, suite dtls.Suite) {
	t.Helper()
	if got := server.Up(); got != suite {
		t.Errorf("suite is %s, want %s", got, suite)
	}
	client.Wait("Verify return code")
	if _, err := fmt.Fprintln(client.In, "hello there"); err != nil {
		t.Fatal(err)
	}
	server.Hears("hello there")
	client.Wait("hello there")
}

// TestDTLSServer has our client meet s_server, which prints what it hears and says what it is told.
func TestDTLSServer(t *testing.T) {
	t.Parallel()
	for _, suite := range dtls.PSKSuites {
		t.Run(suite.String(), func(t *testing.T) {
			t.Parallel()
			addr := dtlsecho.FreePort()
			server := dtlsecho.Start(t, "openssl", "s_server", "-dtls1_2", "-nocert", "-psk", hex.EncodeToString(withKey.PSK),
				"-cipher", suite.String(), "-accept", addr.String())
			server.Wait("ACCEPT")
			client := dtlsecho.Dial(t, withKey, addr)
			if got := client.Up(); got != suite {
				t.Errorf("suite is %s, want %s", got, suite)
			}
			client.Say("hello there\n")
			server.Wait("hello there")
			if _, err := fmt.Fprintln(server.In, "and hello back"); err != nil {
				t.Fatal(err)
			}
			client.Hears("and hello back")
		})
	}
}

// session is OpenSSL's form of a session, as far as it matters here.
type session struct {
	Version int
	TLS     int
	Suite   []byte
	ID      []byte
	Master  []byte
	Time    int64 `asn1:"explicit,tag:1"`
	Timeout int64 `asn1:"explicit,tag:2"`
}

// TestDTLSResumption has s_client resume a session that never was, as tunnels do. It has to be told that it
// may do without secure renegotiation, which we answer in full handshakes only.
func TestDTLSResumption(t *testing.T) {
	t.Parallel()
	for _, suite := range []dtls.Suite{
		dtls.AES128SHA, dtls.AES256SHA, dtls.AES128GCM, dtls.AES256GCM, dtls.ECDHERSAAES128GCM, dtls.ECDHERSAAES256GCM, dtls.ECDHERSAChaCha20,
	} {
		for _, ask := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s cookie %t", suite, ask), func(t *testing.T) {
				t.Parallel()
				config := engine.Config{
					Version: dtls.Version12, Suite: suite,
					SessionID: bytes.Repeat([]byte{3}, engine.SessionIDLen), MasterSecret: bytes.Repeat([]byte{5}, engine.MasterLen),
				}
				der, err := asn1.Marshal(session{
					Version: 1, TLS: int(dtls.Version12), Suite: []byte{byte(suite >> 8), byte(suite)}, ID: config.SessionID, Master: config.MasterSecret,
					Time: time.Now().Unix(), Timeout: 7200,
				})
				if err != nil {
					t.Fatal(err)
				}
				file := filepath.Join(t.TempDir(), "session")
				if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "SSL SESSION PARAMETERS", Bytes: der}), 0o600); err != nil {
					t.Fatal(err)
				}
				server := dtlsecho.Serve(t, config, ask)
				client := dtlsecho.Start(t, "openssl", "s_client", "-dtls1_2", "-sess_in", file, "-cipher", suite.String()+":@SECLEVEL=0", "-legacy_server_connect",
					"-connect", server.Addr().String())
				client.Wait("Reused, ")
				talk(t, client, server, suite)
			})
		}
	}
}

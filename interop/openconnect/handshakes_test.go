//go:build interop

package openconnect_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/stage/tunnel/dtls"
	"github.com/longcord/longcord/wire/cstp"
)

// beginners are clients that begin DTLS handshakes and never finish one, so many for each session as a gateway allows.
const (
	beginners = 52
	tries     = 4
)

// begin gives a beginner a session and returns its first hello.
func begin(t *testing.T, o *office.Office) (hello []byte, err error) {
	t.Helper()
	var line net.Conn
	err = o.Client.Do(func() (err error) {
		dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: office.Patience}, Config: &tls.Config{InsecureSkipVerify: true}}
		line, err = dialer.DialContext(t.Context(), "tcp4", office.Outside+":443")
		return err
	})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { line.Close() })
	in, form := bufio.NewReader(line), url.Values{"username": {"anna"}, "password": {password}}.Encode()
	if _, err := fmt.Fprintf(line, "POST /phone HTTP/1.1\r\nHost: %s\r\nUser-Agent: Cisco SVC IPPhone Client v1.0\r\nContent-Length: %d\r\n\r\n%s", office.Outside, len(form), form); err != nil {
		return nil, err
	}
	reply, err := http.ReadResponse(in, nil)
	if err != nil {
		return nil, err
	}
	cookies, master := reply.Cookies(), make([]byte, dtls.MasterLen)
	if len(cookies) != 1 {
		return nil, fmt.Errorf("a login is answered %s with %d cookies", reply.Status, len(cookies))
	}
	_, _ = rand.Read(master) // never fails
	request, err := cstp.Request{
		Host: office.Outside, Cookie: secret.New(cookies[0].Value), MTU: 1290, CipherSuites12: []string{"AES128-GCM-SHA256"},
		MasterSecret: secret.New(hex.EncodeToString(master)),
	}.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	if _, err := line.Write(request); err != nil {
		return nil, err
	}
	head, err := cstp.ReadHead(in)
	if err != nil {
		return nil, err
	}
	answer, err := cstp.ParseAnswer(head)
	if err != nil {
		return nil, err
	}
	version, suite, _ := answer.DTLS.Suite()
	client, err := dtls.NewClient(dtls.Config{Version: version, Suite: suite, SessionID: answer.DTLS.SessionID, MasterSecret: master, Rand: rand.Reader})
	if err != nil {
		return nil, err
	}
	return client.Start(time.Now())[0].(dtls.Send).Datagram, nil
}

// TestManyHandshakes: while hundreds of handshakes are under way that nobody finishes, openconnect has to show where it
// is, and its DTLS of each kind comes up all the same.
func TestManyHandshakes(t *testing.T) {
	o := office.New(t, "--legacy-phones")
	change(t, o, "inventory.yaml", "kind: GroupPolicy\nname: phones\n", "kind: GroupPolicy\nname: phones\nsimultaneousLogins: 1000\n")
	o.Serve()
	o.AddUser("anna", password)
	ctx, end := context.WithCancel(t.Context())
	var work sync.WaitGroup
	defer work.Wait()
	defer end()
	for range beginners {
		hello, err := begin(t, o)
		if err != nil {
			t.Fatal(err)
		}
		for range tries {
			var sock net.Conn
			if err := o.Client.Do(func() (err error) {
				sock, err = net.Dial("udp4", office.Outside+":443")
				return err
			}); err != nil {
				t.Fatal(err)
			}
			work.Go(func() { // the gateway gives a handshake up after a while
				defer sock.Close()
				again := time.NewTicker(time.Second)
				defer again.Stop()
				for ctx.Err() == nil {
					if _, err := sock.Write(hello); err != nil {
						t.Error(err)
						return
					}
					select {
					case <-again.C:
					case <-ctx.Done():
					}
				}
			})
		}
	}
	for name, flags := range map[string][]string{
		"pre-shared key": nil,
		"0.9":            {"--dtls-ciphers", "AES128-SHA"},
		"1.2":            only12("AES256-GCM-SHA384"),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "script")
			if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
			args := append([]string{"--user", "anna", "--passwd-on-stdin", "--servercert", pinOf(t, o, office.URL), "--script", path, "--verbose"}, flags...)
			cmd := exec.Command(office.Peer(t, "openconnect"), append(args, office.URL)...)
			cmd.Env, cmd.Stdin = append(os.Environ(), "GNUTLS_DEBUG_LEVEL=4"), strings.NewReader(password+"\n")
			c := o.StartCommand(o.Client, cmd)
			c.Wait("script connect ")
			c.Wait("Established DTLS connection")
			if !strings.Contains(c.Output(), "HELLO VERIFY REQUEST") {
				t.Error("openconnect was not asked to show where it is")
			}
			pings(t, o, "-c", "1", "-w", "20")
			c.Signal(syscall.SIGINT)
			c.Ended()
		})
	}
}

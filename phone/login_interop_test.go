//go:build interop && trixie

package phone

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/testcert"
)

// ocservRoot is the folder with ocserv 1.3, Debian 13's package: the only free gateway with the phones' own
// login, and Debian 12's is too old. `make interop-trixie` makes it and runs these tests.
func ocservRoot(t *testing.T) string {
	t.Helper()
	root := os.Getenv("LONGCORD_OCSERV_ROOT")
	if _, err := os.Stat(filepath.Join(root, "usr/sbin/ocserv")); root == "" || err != nil || os.Getuid() != 0 {
		t.Fatalf("LONGCORD_OCSERV_ROOT=%q, user %d: needs ocserv 1.3 in a folder, and root", root, os.Getuid())
	}
	return root
}

const ocservConfig = `auth = "plain[passwd=%[1]s/passwd]"
listen-host = 127.0.0.1
tcp-port = %[2]s
udp-port = 0
run-as-user = root
run-as-group = root
socket-file = %[1]s/sock
pid-file = %[1]s/pid
server-cert = %[1]s/cert.pem
server-key = %[1]s/key.pem
isolate-workers = false
max-same-clients = 0
device = lc-vpn
ipv4-network = 10.88.0.0/24
cisco-client-compat = true
dtls-legacy = true
cisco-svc-client-compat = true
tls-priorities = "%[3]s"
use-occtl = false
log-level = 4
`

const (
	oldSuites = "NONE:%SERVER_PRECEDENCE:%COMPAT:+VERS-TLS-ALL:+SIGN-ALL:+COMP-ALL:+RSA:+SHA1:+AES-256-CBC"
	newSuites = "NORMAL:-VERS-ALL:+VERS-TLS1.2"
)

// startOcserv returns its address. It runs in a mount namespace of its own, inside the folder.
func startOcserv(t *testing.T, cert tls.Certificate, priorities string) string {
	t.Helper()
	root := ocservRoot(t)
	dir, err := os.MkdirTemp(root, "lc-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	_, port, _ := net.SplitHostPort(refusing(t))
	inside := "/" + filepath.Base(dir)
	certificate, key := testcert.PEM(cert)
	for name, text := range map[string]string{
		"cert.pem": certificate, "key.pem": key, "ocserv.conf": fmt.Sprintf(ocservConfig, inside, port, priorities)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	passwd := exec.Command("chroot", root, "ocpasswd", "-c", inside+"/passwd", "alice")
	passwd.Stdin = strings.NewReader("p w&+%\np w&+%\n")
	if out, err := passwd.CombinedOutput(); err != nil {
		t.Fatalf("ocpasswd: %v\n%s", err, out)
	}
	runOcserv(t, root, inside)
	return "127.0.0.1:" + port
}

// runOcserv returns when ocserv says that it is ready.
func runOcserv(t *testing.T, root, inside string) {
	t.Helper()
	script := `mount --bind /dev "$1/dev" && mount -t proc proc "$1/proc" && exec chroot "$1" ocserv -f -d 3 -c "$2/ocserv.conf"`
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "unshare", "-m", "sh", "-c", script, "sh", root, inside)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var said strings.Builder
		for lines := bufio.NewScanner(out); lines.Scan(); {
			fmt.Fprintln(&said, lines.Text())
			if strings.Contains(lines.Text(), "initialized OpenConnect VPN Server") {
				ready <- ""
				break
			}
		}
		select {
		case ready <- said.String():
		default:
		}
		io.Copy(io.Discard, out)
	}()
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		<-done
		cmd.Wait()
	})
	if said := <-ready; said != "" {
		t.Fatalf("ocserv is not ready:\n%s", said)
	}
}

// TestLoginAtOcserv logs in as a phone where real phones do.
func TestLoginAtOcserv(t *testing.T) {
	t.Parallel()
	cert := testcert.RSA("127.0.0.1")
	pin := hashOf(cert, 0)
	for name, c := range map[string]struct {
		priorities string
		profile    tlsProfile
	}{
		"old phone": {oldSuites, tlsOld},
		"new phone": {newSuites, tlsNew},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := startOcserv(t, cert, c.priorities)
			cfg := loginFor("https://"+address+"/svc", pin)
			cfg.profile, cfg.password = c.profile, secret.New("p w&+%")
			in, err := login(limited(t), cfg)
			if err != nil {
				t.Fatal(err)
			}
			in.conn.Close()
			if len(in.cookie.Reveal()) < 20 || in.hash.String() != pin {
				t.Errorf("cookie of %d characters, hash %s", len(in.cookie.Reveal()), in.hash)
			}
			cfg.password = secret.New("wrong")
			if _, err := login(limited(t), cfg); err == nil || !strings.Contains(err.Error(), "401") {
				t.Errorf("wrong password: %v", err)
			}
			cfg = loginFor("https://"+address+"/elsewhere", pin)
			cfg.profile = c.profile
			if _, err := login(limited(t), cfg); err == nil || !strings.Contains(err.Error(), "wrong URL") {
				t.Errorf("wrong URL: %v", err)
			}
		})
	}
}

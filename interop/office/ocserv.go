package office

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/internal/testnet"
)

// ocservSettings are those that every ocserv here has. One security module (sec-mod-scale): of several, a worker
// that took a session over may tell the wrong one about the goodbye, and the session lives on. Seen with ocserv
// 1.1.6: "session stats but with non-existing SID".
const ocservSettings = `run-as-user = root
run-as-group = root
socket-file = %[1]s/sock
pid-file = %[1]s/pid
server-cert = %[1]s/cert.pem
server-key = %[1]s/key.pem
isolate-workers = false
sec-mod-scale = 1
max-same-clients = 0
device = lc-vpn
ipv4-network = 10.88.0.0/24
cisco-client-compat = true
dtls-legacy = true
use-occtl = false
`

// OcservByPassword is how it lets users in unless something else is said.
const OcservByPassword = "auth = \"plain[passwd=%[1]s/passwd]\"\n"

// Ocserv is a gateway that is not ours, with one user. Its address in the tunnel is 10.88.0.1.
type Ocserv struct {
	Root           string        // the folder of a Debian that has it; empty for the one installed here
	Host           *testnet.Host // where it runs; nil for this machine
	Certificate    tls.Certificate
	User, Password string
	Auth           string            // lines about how users are let in, %[1]s its folder; empty: OcservByPassword
	Files          map[string]string // more files of its folder, by name
	Settings       string            // lines besides the usual ones: ports, times, priorities
}

// OcservRoot is the folder with ocserv 1.3, Debian 13's package: the only free gateway with the phones' own login, and
// Debian 12's is too old. `make interop-trixie` makes it and runs the tests that need it.
func OcservRoot(t testing.TB) string {
	t.Helper()
	root := os.Getenv("LONGCORD_OCSERV_ROOT")
	if _, err := os.Stat(filepath.Join(root, "usr/sbin/ocserv")); root == "" || err != nil || !Root() {
		t.Fatalf("LONGCORD_OCSERV_ROOT=%q, user %d: needs ocserv 1.3 in a folder, and root", root, os.Getuid())
	}
	return root
}

// Start starts it and waits until it is ready. One in a folder runs in a mount namespace of its own.
func (o Ocserv) Start(t testing.TB) *Program {
	t.Helper()
	dir, inside := t.TempDir(), ""
	if o.Root == "" {
		inside = dir
	} else {
		var err error
		if dir, err = os.MkdirTemp(o.Root, "ocserv-"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		inside = "/" + filepath.Base(dir)
	}
	certificate, key := testcert.PEM(o.Certificate)
	files := map[string]string{
		"cert.pem": certificate, "key.pem": key,
		"ocserv.conf": fmt.Sprintf(cmp.Or(o.Auth, OcservByPassword)+ocservSettings, inside) + o.Settings,
	}
	maps.Copy(files, o.Files)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	passwd := o.command(t, "ocpasswd", "-c", inside+"/passwd", o.User)
	passwd.Stdin = strings.NewReader(o.Password + "\n" + o.Password + "\n")
	if out, err := passwd.CombinedOutput(); err != nil {
		t.Fatalf("ocpasswd: %v\n%s", err, out)
	}
	start := (*exec.Cmd).Start
	if o.Host != nil {
		start = o.Host.Start
	}
	p := launch(t, o.command(t, "ocserv", "-f", "-d", "3", "-c", inside+"/ocserv.conf"), start)
	p.Wait("initialized")
	return p
}

func (o Ocserv) command(t testing.TB, program string, args ...string) *exec.Cmd {
	t.Helper()
	if o.Root == "" {
		return exec.Command(Peer(t, program), args...)
	}
	script := `mount --bind /dev "$0/dev" && mount -t proc proc "$0/proc" && exec chroot "$0" "$@"`
	return exec.Command("unshare", append([]string{"-m", "sh", "-c", script, o.Root, program}, args...)...)
}

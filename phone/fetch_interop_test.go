//go:build interop

package phone

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/longcord/longcord/stage/provision"
)

// startTFTPD runs tftpd-hpa on a folder and returns a fetcher for it. It is not waited for: the phone
// asks again until somebody listens.
func startTFTPD(t *testing.T, dir string, flags ...string) fetcher {
	t.Helper()
	path, err := exec.LookPath("/usr/sbin/in.tftpd")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("tftpd-hpa is not installed")
	}
	f := fetcher{httpPort: closedPort(t), tftpPort: closedPort(t)}
	args := append([]string{"--foreground", "--secure", "--user", "root", "--address", fmt.Sprintf("127.0.0.1:%d", f.tftpPort)}, flags...)
	cmd := exec.Command(path, append(args, dir)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return f
}

func TestFetchFromTFTPD(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	content := make([]byte, 1<<20+5)
	source := rand.New(rand.NewPCG(1, 2))
	for i := range content {
		content[i] = byte(source.Uint32())
	}
	if err := os.WriteFile(filepath.Join(dir, "f"), content, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, flags := range map[string][]string{
		"options": nil, "no block size": {"--refuse", "blksize"}, "no size": {"--refuse", "tsize"},
		"no options": {"--refuse", "blksize", "--refuse", "tsize"}, "smaller blocks": {"--blocksize", "600"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startTFTPD(t, dir, flags...)
			got, transport, err := f.file(context.Background(), "127.0.0.1", "f")
			if err != nil || transport != provision.TFTP || !bytes.Equal(got, content) {
				t.Errorf("%d bytes by %s, %v, want the %d of the file", len(got), transport, err, len(content))
			}
			if _, _, err := f.file(context.Background(), "127.0.0.1", "missing"); !errors.Is(err, errNoFile) {
				t.Errorf("a file that is not there: %v, want errNoFile", err)
			}
		})
	}
}

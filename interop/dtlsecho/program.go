//go:build interop

package dtlsecho

import (
	"io"
	"net/netip"
	"os/exec"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// Program is somebody else's program that runs.
type Program struct {
	*office.Program
	In io.WriteCloser // what it reads
}

// Start starts a program, which ends with the test.
func Start(t testing.TB, name string, args ...string) Program {
	t.Helper()
	cmd := exec.Command(office.Peer(t, name), args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	return Program{office.LaunchCommand(t, cmd), in}
}

// FreePort is a port of the loopback address that nobody uses.
func FreePort() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(office.Port()))
}

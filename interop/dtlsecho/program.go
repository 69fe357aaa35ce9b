//go:build interop

package dtlsecho

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/interop/office"
)

// Program is somebody else's program that runs.
type Program struct {
	In io.WriteCloser // what it reads

	t     testing.TB
	lines chan string
}

// Start starts a program, which ends with the test.
func Start(t testing.TB, name string, args ...string) *Program {
	t.Helper()
	cmd := exec.Command(office.Peer(t, name), args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	read, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &Program{In: in, t: t, lines: make(chan string, 1000)}
	go func() {
		defer close(p.lines)
		for lines := bufio.NewScanner(read); lines.Scan(); {
			p.lines <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		_ = write.Close()
	})
	return p
}

// Wait returns the first line that contains some text.
func (p *Program) Wait(text string) string {
	p.t.Helper()
	deadline := time.After(Patience)
	var said []string
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("ended without %q:\n%s", text, strings.Join(said, "\n"))
			}
			if said = append(said, line); strings.Contains(line, text) {
				return line
			}
		case <-deadline:
			p.t.Fatalf("nothing like %q:\n%s", text, strings.Join(said, "\n"))
		}
	}
}

// FreePort is a UDP port of the loopback address that nobody uses.
func FreePort(t testing.TB) netip.AddrPort {
	t.Helper()
	sock, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer sock.Close()
	return sock.LocalAddr().(*net.UDPAddr).AddrPort()
}

//go:build interop

package tshark_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// Places of the capture, by the names of its interfaces.
const (
	inOffice = `frame.interface_name == "office-lan"`
	onTheWay = `frame.interface_name == "internet"`
	atHome   = `frame.interface_name == "home-lan"`
	inTunnel = `frame.interface_name == "phone-tunnel"`
)

// capture is a capture file and the tshark that reads it.
type capture struct {
	tshark, file string
}

// tell has `longcord lab` tell the story, recorded.
func tell(t *testing.T, vpn string) capture {
	t.Helper()
	c := capture{tshark: office.Peer(t, "tshark"), file: filepath.Join(t.TempDir(), "lab.pcapng")}
	program := os.Getenv("LONGCORD")
	if program == "" {
		t.Fatal("LONGCORD does not name the program to test; use make interop")
	}
	if out, err := exec.Command(program, "lab", "--vpn", vpn, "--pcap", c.file).CombinedOutput(); err != nil {
		t.Fatalf("lab: %v\n%s", err, out)
	}
	return c
}

// run runs tshark on the capture, without looking names up, and returns the lines it prints.
func (c capture) run(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command(c.tshark, append([]string{"-n", "-r", c.file}, args...)...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark %q: %v\n%s", args, err, &errs)
	}
	text := strings.TrimRight(string(out), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// fields returns these fields of the packets that pass the filter, one line a packet, parted by spaces.
func (c capture) fields(t *testing.T, filter string, names ...string) []string {
	t.Helper()
	args := []string{"-Y", filter, "-T", "fields", "-E", "separator=/s"}
	for _, name := range names {
		args = append(args, "-e", name)
	}
	return c.run(t, args...)
}

// none fails with the packets that pass the filter, if there are any.
func (c capture) none(t *testing.T, what, filter string) {
	t.Helper()
	if found := c.run(t, "-Y", filter); len(found) > 0 {
		t.Errorf("%s:\n%s", what, strings.Join(found[:min(len(found), 10)], "\n"))
	}
}

//go:build interop

package serve_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/tone"
	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/wire/wav"
)

// The phones that init makes when it is not told of others.
const (
	desk, deskNumber = "SEP020000001001", "1001"
	home, homeNumber = "SEP020000001002", "1002"
	user, password   = "anna", "correct-horse"
)

// household is a desk phone in the office and a phone that has been there and was carried home.
type household struct {
	o     *office.Office
	dir   string
	desk  *office.Program
	sound string
}

// newHousehold boots both phones in a running office. The user must be there.
func newHousehold(t *testing.T, o *office.Office) *household {
	t.Helper()
	h := &household{o: o, dir: t.TempDir()}
	h.sound = filepath.Join(h.dir, "sound.wav")
	must(t, os.WriteFile(h.sound, wav.AppendBinary(nil, tone.Generate(tone.Home, time.Second)), 0o600))
	h.desk = o.Start(o.Inside, program(), "phone", desk, "--tftp", office.Inside, "--state", filepath.Join(h.dir, desk), "--answer", "--json")
	h.desk.Wait(`"step":"register","ok":true`)
	boot := o.Start(o.Inside, program(), h.home()...)
	boot.Wait(`"step":"register","ok":true`)
	boot.Kill()
	return h
}

func (h *household) home(more ...string) []string {
	return append([]string{"phone", home, "--tftp", office.Inside, "--state", filepath.Join(h.dir, home), "--tun", "vpn0", "--json"}, more...)
}

// talk has the phone at home call the desk through the tunnel, and fails unless both have heard something.
func (h *household) talk(t *testing.T) {
	t.Helper()
	mark := h.desk.Mark()
	caller := h.o.StartWith(h.o.Client, password+"\n", program(), h.home("--user", user, "--password-stdin", "--call", deskNumber, "--play", h.sound)...)
	if code := caller.Ended(); code != 0 {
		t.Fatalf("the phone at home ends with %d:\n%s", code, caller.Output())
	}
	caller.Wait(`"step":"tunnel","ok":true`)
	caller.Wait(`"event":"media"`)
	h.desk.WaitAfter(mark, `"event":"media"`)
}

// stay has the phone at home come up and stay registered.
func (h *household) stay(t *testing.T) *office.Program {
	t.Helper()
	p := h.o.StartWith(h.o.Client, password+"\n", program(), h.home("--user", user, "--password-stdin")...)
	p.Wait(`"step":"register","ok":true`)
	return p
}

func program() string { return os.Getenv("LONGCORD") }

//go:build interop

// Package away_test lets tftp-hpa, curl, xmllint and tshark judge how a phone that was never in the office gets
// its first file at home, behind a router whose NAT knows nothing of TFTP; and what phones at home believe of
// where they are.
package away_test

import (
	"encoding/json"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/interop/office"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

const (
	phone    = "SEP001122334455"
	neighbor = "SEP001122334466" // in the inventory, too
	password = "correct-horse-battery"
	wan      = "203.0.113.9" // of the home router
)

// home is an office with a home beside it: a router with NAT and no helpers, and on its LAN the phone, another
// device and a laptop.
type home struct {
	*office.Office
	t                    *testing.T
	phone, other, laptop *testnet.Host
	router               netip.Addr
}

// newHome makes a home whose network is lan; its router has the first address.
func newHome(t *testing.T, lan string, flags ...string) *home {
	t.Helper()
	h := &home{t: t}
	h.Office = office.New(t, append([]string{"--phone", phone + "=CP-8861:1001:Home", "--phone", neighbor + "=CP-8861:1002"}, flags...)...)
	network := netip.MustParsePrefix(lan)
	h.router = network.Addr().Next()
	cables, err := testnet.NewSwitch("home")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cables.Close() })
	must(t, cables.Plug(h.Client, "lan", nil))
	must(t, h.Client.Address("lan", netip.PrefixFrom(h.router, network.Bits())))
	must(t, h.Client.Forward())
	must(t, h.Client.Masquerade("eth0"))
	address := network.Addr()
	for range 100 {
		address = address.Next()
	}
	for _, host := range []**testnet.Host{&h.phone, &h.other, &h.laptop} {
		if *host, err = testnet.NewHost("at home", nil); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { (*host).Close() })
		address = address.Next()
		must(t, cables.Plug(*host, "eth0", nil))
		must(t, (*host).Address("eth0", netip.PrefixFrom(address, network.Bits())))
		must(t, (*host).Route(netip.Prefix{}, h.router))
	}
	must(t, h.Inside.Route(netip.MustParsePrefix("203.0.113.0/24"), netip.MustParseAddr(office.Inside)))
	return h
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// serve starts the office, with a user for the phone.
func (h *home) serve() {
	h.t.Helper()
	h.Serve()
	if out, err := h.command(password+"\n", "users", "add", "alice", "--device", phone, "--password-stdin"); err != nil {
		h.t.Fatalf("users add: %v\n%s", err, out)
	}
}

// command runs a command of the office.
func (h *home) command(input string, args ...string) (string, error) {
	return h.Longcord(input, append([]string{"-c", h.Path("longcord.yaml")}, args...)...)
}

// invitation is what `phones invite --json` prints.
type invitation struct {
	ID, Link, Server, Inside   string
	Used, Delivered, Connected string
	Keys                       struct{ AlternateTFTP string }
}

func (h *home) invite() invitation {
	h.t.Helper()
	out, err := h.command("", "phones", "invite", phone, "--json")
	var made struct{ Invitations []invitation }
	if err != nil || json.Unmarshal([]byte(out), &made) != nil || len(made.Invitations) != 1 {
		h.t.Fatalf("phones invite: %v\n%s", err, out)
	}
	return made.Invitations[0]
}

func (h *home) listed() invitation {
	h.t.Helper()
	out, err := h.command("", "phones", "invite", "--list", "--json")
	var all struct{ Invitations []invitation }
	if err != nil || json.Unmarshal([]byte(out), &all) != nil || len(all.Invitations) == 0 {
		h.t.Fatalf("phones invite --list: %v\n%s", err, out)
	}
	return all.Invitations[len(all.Invitations)-1]
}

// listedWhen lists until the invitation is as wanted: the office notes what phones did a moment after they did it.
func (h *home) listedWhen(what string, wanted func(invitation) bool) {
	h.t.Helper()
	patience := time.After(30 * time.Second)
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for !wanted(h.listed()) {
		select {
		case <-look.C:
		case <-patience:
			h.t.Fatalf("the list does not say that %s: %+v", what, h.listed())
		}
	}
}

// curl asks from a host, and does not mind the certificate; it returns status and body, or curl's exit code.
func (h *home) curl(from *testnet.Host, args ...string) (out string, exit int) {
	h.t.Helper()
	curl := office.Peer(h.t, "curl")
	out, err := h.Run(from, "", curl, append([]string{"-sSk", "--max-time", "20"}, args...)...)
	if err == nil {
		return out, 0
	}
	code, ok := err.(*exec.ExitError)
	if !ok {
		h.t.Fatal(err)
	}
	return out, code.ExitCode()
}

// tftp fetches a file by tftp-hpa and returns it, or nothing after what that program takes for long.
func (h *home) tftp(from *testnet.Host, server, name string) []byte {
	h.t.Helper()
	got := filepath.Join(h.t.TempDir(), "got")
	out, err := h.Run(from, "timeout 5\nrexmt 1\nmode binary\nget "+name+" "+got+"\nquit\n", office.Peer(h.t, "tftp"), server)
	if err != nil {
		h.t.Fatalf("tftp: %v\n%s", err, out)
	}
	content, err := os.ReadFile(got) // that program makes an empty file before it asks
	if err != nil && !os.IsNotExist(err) {
		h.t.Fatal(err)
	}
	if len(content) == 0 {
		return nil
	}
	return content
}

// boot starts the software phone at home.
func (h *home) boot(state, tftp string, more ...string) *office.Program {
	h.t.Helper()
	args := append([]string{"phone", phone, "--tftp", tftp, "--state", state, "--user", "alice", "--password-stdin", "--json"}, more...)
	return h.StartWith(h.phone, password+"\n", os.Getenv("LONGCORD"), args...)
}

// judged runs tshark over a capture and returns the values of fields of the packets that a filter shows.
func judged(t *testing.T, recorded *testnet.Capture, filter string, fields ...string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "capture.pcapng")
	out, err := os.Create(file)
	must(t, err)
	must(t, recorded.Save(out, nil))
	must(t, out.Close())
	return look(t, file, filter, fields...)
}

func look(t *testing.T, file, filter string, fields ...string) []string {
	t.Helper()
	args := []string{"-n", "-r", file, "-Y", filter, "-T", "fields"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	cmd := exec.Command(office.Peer(t, "tshark"), args...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	return strings.Fields(string(out))
}

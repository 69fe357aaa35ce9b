//go:build interop

package serve_test

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// Told to end, serve gives back all that it took: the machine is as it was before it began, though a phone
// was in a tunnel and in use until then.
func TestEnd(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	before := stateOf(t, o)
	serve := o.Serve()
	o.AddUser(user, password)
	h := newHousehold(t, o)
	h.talk(t)
	atHome := h.stay(t)
	during := stateOf(t, o)
	if !strings.Contains(during["packet filter"], "table ip longcord") || !strings.Contains(during["interfaces"], "longcord0") {
		t.Errorf("packet filter and interfaces while it runs:\n%s\n%s", during["packet filter"], during["interfaces"])
	}
	deskSaid, homeSaid := h.desk.Mark(), atHome.Mark()
	serve.Signal(syscall.SIGTERM)
	if code := serve.Ended(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	if _, err := os.Stat(o.Path("longcord.sock")); err == nil {
		t.Error("the control socket is still there")
	}
	compare(t, before, stateOf(t, o))

	// A second life begins where the first ended, and the phones find it by themselves.
	o.Serve()
	h.desk.WaitAfter(deskSaid, `"event":"registered"`)
	atHome.WaitAfter(homeSaid, `"event":"registered"`)
	atHome.Kill()
	h.talk(t)
}

// Killed, it leaves things behind; the next one takes them over and gives back what the first had found.
func TestEndAfterKill(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	before := stateOf(t, o)
	serve := o.Serve()
	o.AddUser(user, password)
	h := newHousehold(t, o)
	atHome := h.stay(t)
	deskSaid, homeSaid := h.desk.Mark(), atHome.Mark()
	serve.Kill()
	serve = o.Serve()
	h.desk.WaitAfter(deskSaid, `"event":"registered"`)
	atHome.WaitAfter(homeSaid, `"event":"registered"`)
	atHome.Kill()
	h.talk(t)
	serve.Signal(syscall.SIGTERM)
	if code := serve.Ended(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	compare(t, before, stateOf(t, o))
}

// stateOf is all that serve might change on the gateway's host, by what it is.
func stateOf(t *testing.T, o *office.Office) map[string]string {
	t.Helper()
	state := map[string]string{"settings": settings(t, o)}
	for what, command := range map[string]string{
		"packet filter": "nft list ruleset",
		"routes":        "ip route show table all",
		"rules":         "ip rule show",
		"proxies":       "ip neigh show proxy",
		"addresses":     "ip -brief address show",
	} {
		words := strings.Fields(command)
		out, err := o.Run(o.Gateway, "", office.Peer(t, words[0]), words[1:]...)
		if err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		state[what] = out
	}
	must(t, o.Gateway.Do(func() error {
		all, err := net.Interfaces()
		for _, i := range all {
			state["interfaces"] += fmt.Sprintf("%s %d %v\n", i.Name, i.MTU, i.Flags)
		}
		return err
	}))
	return state
}

// settings are the network settings of the gateway's host, one a line.
func settings(t *testing.T, o *office.Office) string {
	t.Helper()
	var all strings.Builder
	must(t, o.Gateway.Do(func() error {
		return filepath.WalkDir("/proc/sys/net/ipv4", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			if value, err := os.ReadFile(path); err == nil { // some can only be written
				fmt.Fprintf(&all, "%s = %s\n", path, strings.TrimSpace(string(value)))
			}
			return nil
		})
	}))
	return all.String()
}

func compare(t *testing.T, before, after map[string]string) {
	t.Helper()
	for what, was := range before {
		is := after[what]
		if is == was {
			continue
		}
		t.Errorf("%s changed:\n%s", what, difference(was, is))
	}
}

// difference lists the lines that only one of two texts has.
func difference(was, is string) string {
	var out strings.Builder
	for _, each := range []struct{ sign, text, other string }{{"-", was, is}, {"+", is, was}} {
		for line := range strings.Lines(each.text) {
			if !strings.Contains("\n"+each.other, "\n"+line) {
				out.WriteString(each.sign + line)
			}
		}
	}
	return out.String()
}

// A second serve on the same set-up says who is there already, and does the first no harm.
func TestSecond(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	first := o.Serve()
	out, code := run(t, o, "", "-c", o.Path(configuration), "serve")
	judgeRefusal(t, out, code, 1, "longcord.db", fmt.Sprintf("in use by longcord, process %d", first.PID()))
	o.AddUser(user, password)
	newHousehold(t, o).talk(t)
}

// Each part runs alone, and opens its own ports only.
func TestOnly(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	parts := map[string][]string{
		"provisioner": {"tcp " + office.Inside + ":6970", "udp " + office.Inside + ":69"},
		"gateway":     {"tcp " + office.Outside + ":443", "udp " + office.Outside + ":443"},
		"callmanager": {"tcp " + office.Inside + ":5060", "udp " + office.Inside + ":5060"},
	}
	for part := range parts {
		t.Run(part, func(t *testing.T) {
			serve := o.Start(o.Gateway, program(), "-c", o.Path(configuration), "serve", "--only", part)
			ready := serve.Wait("ready")
			for other, theirs := range parts {
				for _, port := range theirs {
					if (other == part) != taken(t, o, port) || (other == part) != strings.Contains(ready, port) {
						t.Errorf("port %s of %s: taken %v; %s", port, other, taken(t, o, port), ready)
					}
				}
			}
			if out, code := run(t, o, "", "-c", o.Path(configuration), "phones", "list"); code != 0 || !strings.Contains(out, desk) {
				t.Errorf("phones list: exit code %d\n%s", code, out)
			}
			serve.Signal(syscall.SIGTERM)
			if code := serve.Ended(); code != 0 {
				t.Errorf("exit code %d, want 0", code)
			}
		})
	}
	out, code := run(t, o, "", "-c", o.Path(configuration), "serve", "--only", "gatway")
	judgeRefusal(t, out, code, 2, "gatway", "gateway")
}

// taken reports whether a port of the gateway's host is in use.
func taken(t *testing.T, o *office.Office, port string) (taken bool) {
	t.Helper()
	network, address, _ := strings.Cut(port, " ")
	must(t, o.Gateway.Do(func() error {
		var opened interface{ Close() error }
		var err error
		if network == "tcp" {
			opened, err = net.Listen("tcp4", address)
		} else {
			opened, err = net.ListenPacket("udp4", address)
		}
		if err != nil {
			taken = true
			return nil
		}
		return opened.Close()
	}))
	return taken
}

// A gateway alone carries phones to the provisioner and call manager of another process.
func TestPartsApart(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	apart := copyOf(t, o)
	gateway := o.Start(o.Gateway, program(), "-c", o.Path(configuration), "serve", "--only", "gateway")
	gateway.Wait("ready")
	rest := o.Start(o.Gateway, program(), "-c", filepath.Join(apart, configuration), "serve", "--only", "provisioner,callmanager")
	rest.Wait("ready")
	o.AddUser(user, password)
	newHousehold(t, o).talk(t)
}

// Without a running system every command about it says so, with exit code 4.
func TestNotRunning(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	for _, command := range []string{
		"users list", "users add x --password-stdin", "users passwd x --password-stdin", "users remove x --yes",
		"phones list", "phones show " + desk, "phones add SEP0200000010FF --model CP-8861 --line 1099", "phones remove " + desk + " --yes",
		"sessions list", "sessions show 1", "sessions logoff 1", "get Device", "export", "delete Line 1001 --yes",
		"apply -f " + o.Path(inventory),
	} {
		out, code := run(t, o, "word\n", append([]string{"-c", o.Path(configuration)}, strings.Fields(command)...)...)
		if code != 4 || !strings.Contains(out, "hint: ") || !strings.Contains(out, "longcord serve") || strings.Contains(out, "panic") {
			t.Errorf("%s: exit code %d, want 4 and a hint:\n%s", command, code, out)
		}
		for _, c := range [][]string{{"-c", o.Path("gone.yaml")}, {"--nonsense"}} {
			if out, code := run(t, o, "word\n", append(c, strings.Fields(command)...)...); code != 2 || strings.Contains(out, "panic") {
				t.Errorf("%q %s: exit code %d, want 2:\n%s", c, command, code, out)
			}
		}
	}
}

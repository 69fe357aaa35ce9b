//go:build interop

package serve_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/longcord/longcord/interop/office"
)

// What was acknowledged survives a serve that is killed in the middle of further changes, round after
// round.
func TestAcknowledgedIsKept(t *testing.T) {
	t.Parallel()
	const rounds = 5
	o := office.New(t)
	var acknowledged ledger
	for round := range rounds {
		serve := o.Serve()
		acknowledged.judge(t, o)
		var writers sync.WaitGroup
		writers.Go(func() {
			acknowledged.add(t, o, "User", func(i int) (name string, command []string) {
				name = fmt.Sprintf("user-%d-%d", round, i)
				return name, []string{"users", "add", name, "--password-stdin"}
			})
		})
		writers.Go(func() {
			acknowledged.add(t, o, "Device", func(i int) (name string, command []string) {
				name = fmt.Sprintf("SEP0200%04X%04X", round, i)
				return name, []string{"phones", "add", name, "--model", "CP-8861", "--line", fmt.Sprintf("2%02d%03d", round, i)}
			})
		})
		acknowledged.wait(t, round, 6)
		time.Sleep(time.Duration(rand.IntN(40)) * time.Millisecond) // anywhere in the next ones
		serve.Kill()
		writers.Wait()
	}
	o.Serve()
	acknowledged.judge(t, o)
}

// ledger notes what the running system has said it did.
type ledger struct {
	mu    sync.Mutex
	names map[string][]string // by kind
	count int
}

// add runs one command after another until one fails, because the system is gone.
func (l *ledger) add(t *testing.T, o *office.Office, kind string, next func(i int) (string, []string)) {
	for i := 0; ; i++ {
		name, command := next(i)
		out, err := o.Longcord("word\n", append([]string{"-c", o.Path(configuration)}, command...)...)
		if err != nil {
			if !strings.Contains(out, "longcord: ") || strings.Contains(out, "panic") {
				t.Errorf("%s: %v: %s", name, err, out)
			}
			return
		}
		l.mu.Lock()
		if l.names == nil {
			l.names = map[string][]string{}
		}
		l.names[kind] = append(l.names[kind], name)
		l.count++
		l.mu.Unlock()
	}
}

// wait waits until so many more have been acknowledged in a round.
func (l *ledger) wait(t *testing.T, round, more int) {
	t.Helper()
	l.mu.Lock()
	target := l.count + more
	l.mu.Unlock()
	for deadline := time.Now().Add(office.Patience); ; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		count := l.count
		l.mu.Unlock()
		if count >= target {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("round %d: only %d acknowledged, expected %d", round, count, target)
		}
	}
}

// judge looks for all of it.
func (l *ledger) judge(t *testing.T, o *office.Office) {
	t.Helper()
	for kind, names := range l.names {
		out, code := run(t, o, "", "-c", o.Path(configuration), "get", kind)
		if code != 0 {
			t.Fatalf("get %s: exit code %d\n%s", kind, code, out)
		}
		for _, name := range names {
			if !strings.Contains(out, "name: "+name+"\n") {
				t.Errorf("%s %s was acknowledged and is gone", kind, name)
			}
		}
	}
}

// A file that is refused changes nothing, not even with what is right in it, nor does it disturb a call.
func TestBadApply(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	o.Serve()
	o.AddUser(user, password)
	before := export(t, o)
	const good = "kind: Line\nname: \"1007\"\ndisplayName: \"Good\"\n---\n"
	for _, c := range []struct {
		name, text string
		line       int
		says       []string
	}{
		{"unknown kind", good + "kind: Lune\nname: \"1008\"\n", 5, []string{"Lune", "hint: "}},
		{"unknown field", good + "kind: Line\nname: \"1008\"\nsecrte: x\n", 7, []string{"secrte", "secret"}},
		{"bad number", good + "kind: Line\nname: \"10 08\"\n", 6, []string{"10 08", "hint: "}},
		{"missing reference", good + "kind: Device\nname: SEP020000001009\nmodel: CP-8861\nlines: [\"1009\"]\n", 8, []string{"1009", "hint: "}},
		{"reference to what is not in the file but there", good + "kind: Device\nname: SEP020000001009\nmodel: CP-8861\nlines: [\"1001\", \"1001\"]\n", 8, []string{"twice"}},
		{"split tunnel for phones in force", good + "kind: GroupPolicy\nname: phones\nsplitTunnelPolicy: tunnelspecified\nsplitTunnelNetworks: [10.20.0.0/24]\n", 0, []string{"splits the tunnel"}},
		{"gateway's URL", good + "kind: VPNGateway\nname: gateway\nurl: https://203.0.113.2/Phone\ncertificates: [gateway]\n", 7, []string{"byte for byte"}},
		{"space in the password", good + "kind: User\nname: " + home + "\npassword: two words\n", 7, []string{"space"}},
		{"tab", good + "kind: Line\nname:\n\t\"1008\"\n", 7, []string{"tab"}},
		{"not YAML", good + "kind: {Line\n", 5, nil},
		{"a picture", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", 0, nil},
		{"nothing", "", 0, nil},
		{"a thousand aliases", "kind: &a Line\nname: *a\n", 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bad.yaml")
			must(t, os.WriteFile(path, []byte(c.text), 0o600))
			out, code := run(t, o, "", "-c", o.Path(configuration), "apply", "-f", path)
			if code != 2 || strings.Contains(out, "panic") {
				t.Errorf("exit code %d, want 2:\n%s", code, out)
			}
			if c.line != 0 && !strings.Contains(out, fmt.Sprintf("%s:%d: ", path, c.line)) {
				t.Errorf("no word of line %d:\n%s", c.line, out)
			}
			for _, says := range c.says {
				if !strings.Contains(out, says) {
					t.Errorf("no word of %q:\n%s", says, out)
				}
			}
			if after := export(t, o); after != before {
				t.Errorf("the inventory has changed:\n%s", difference(before, after))
			}
		})
	}
	for _, command := range []string{
		"delete Line " + deskNumber + " --yes", "delete VPNGateway gateway --yes", "delete Line 9999 --yes", "delete Lune 1001 --yes",
		"phones add " + desk + " --model CP-8861 --line 1099", "phones add SEP12 --model CP-8861 --line 1099",
		"phones add SEP020000001099 --model CP-9999 --line 1099", "phones remove SEP020000009999 --yes",
		"users add " + user + " --password-stdin", "users add " + home + " --password-stdin --device " + home,
		"users add other --password-stdin --group-lock nobody", "users add other",
		"users passwd nobody --password-stdin", "users remove nobody --yes",
		"phones remove " + desk, "sessions logoff 77 --yes",
	} {
		out, code := run(t, o, "two words\n", append([]string{"-c", o.Path(configuration)}, strings.Fields(command)...)...)
		if code != 2 || !strings.Contains(out, "longcord: ") || strings.Contains(out, "panic") {
			t.Errorf("%s: exit code %d, want 2:\n%s", command, code, out)
		}
	}
	if after := export(t, o); after != before {
		t.Errorf("the inventory has changed:\n%s", difference(before, after))
	}

	// What export gives, apply takes back unchanged.
	path := filepath.Join(t.TempDir(), "export.yaml")
	must(t, os.WriteFile(path, []byte(before), 0o600))
	if out, code := run(t, o, "", "-c", o.Path(configuration), "apply", "-f", path); code != 0 || !strings.Contains(out, "nothing to change") {
		t.Errorf("apply of the export: exit code %d:\n%s", code, out)
	}
	newHousehold(t, o).talk(t)
}

func export(t *testing.T, o *office.Office) string {
	t.Helper()
	out, code := run(t, o, "", "-c", o.Path(configuration), "export", "--with-secrets")
	if code != 0 {
		t.Fatalf("export: exit code %d\n%s", code, out)
	}
	return out
}

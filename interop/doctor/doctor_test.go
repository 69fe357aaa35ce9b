//go:build interop

package doctor_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/interop/office"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

const (
	phone    = "SEP001122334455"
	other    = "SEP001122334466"
	password = "correct-horse-battery"
)

// report is what `longcord doctor --json` prints, as far as the tests look at it.
type report struct {
	Verdict  string `json:"verdict"`
	Findings []struct {
		Code      string   `json:"code"`
		Severity  string   `json:"severity"`
		Certainty string   `json:"certainty"`
		Says      string   `json:"says"`
		Fix       []string `json:"fix"`
	} `json:"findings"`
	NotJudged []struct {
		Step string `json:"step"`
	} `json:"not_judged"`
	Needs []string `json:"needs"`

	progress string
}

// codes are the codes of what is worse than a note.
func (r report) codes() string {
	var codes []string
	for _, f := range r.Findings {
		if f.Severity != "note" {
			codes = append(codes, f.Code)
		}
	}
	return strings.Join(codes, " ")
}

// judge walks from a host and returns what is said; start starts a command there.
func judge(t *testing.T, start func(*exec.Cmd) error, input string, args ...string) report {
	t.Helper()
	program := os.Getenv("LONGCORD")
	if program == "" {
		t.Fatal("LONGCORD does not name the program to test; use make interop")
	}
	cmd := exec.CommandContext(t.Context(), program, append([]string{"doctor", "--as", phone, "--json"}, args...)...)
	var out, progress strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &progress
	if err := start(cmd); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	r := report{progress: progress.String()}
	if bad := json.Unmarshal([]byte(out.String()), &r); bad != nil {
		t.Fatalf("%v: the doctor says no JSON: %q\n%s", err, out.String(), r.progress)
	}
	var exit *exec.ExitError
	code := 0
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	}
	if want := map[string]int{"ok": 0, "fault": 1, "insufficient": 3}[r.Verdict]; code != want {
		t.Errorf("verdict %s, and exit code %d", r.Verdict, code)
	}
	if strings.Contains(out.String()+r.progress, password) {
		t.Errorf("the password is told:\n%s\n%s", out.String(), r.progress)
	}
	return r
}

// expect says whether verdict and codes are those.
func (r report) expect(t *testing.T, verdict, codes string) {
	t.Helper()
	if r.Verdict != verdict || r.codes() != codes {
		t.Errorf("verdict %s and %q, want %s and %q; needs %q\n%+v\n%s", r.Verdict, r.codes(), verdict, codes, r.Needs, r.Findings, r.progress)
	}
}

// ourOffice is an office with two phones, and a user for the first.
func ourOffice(t *testing.T, flags ...string) *office.Office {
	t.Helper()
	o := office.New(t, append([]string{"--phone", phone + "=CP-8861:1001", "--phone", other + "=CP-8861:1002"}, flags...)...)
	o.Serve()
	out, err := o.Longcord(password+"\n", "-c", o.Path("longcord.yaml"), "users", "add", "alice", "--device", phone, "--password-stdin")
	if err != nil {
		t.Fatalf("users add: %v\n%s", err, out)
	}
	return o
}

// fileOf fetches the phone's file inside and returns its path.
func fileOf(t *testing.T, o *office.Office) string {
	t.Helper()
	path := o.Path(phone + ".kept.xml")
	out, err := o.Run(o.Inside, "", office.Peer(t, "curl"), "-sSf", "-o", path, "http://"+office.Inside+":6970/"+phone+".cnf.xml")
	if err != nil {
		t.Fatalf("curl: %v\n%s", err, out)
	}
	return path
}

// changed writes a file of the phone with something else in it, and returns its path.
func changed(t *testing.T, o *office.Office, file string, oldnew ...string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(oldnew...).Replace(string(content))
	if text == string(content) {
		t.Fatalf("the file holds none of %q:\n%s", oldnew, content)
	}
	path := o.Path(phone + ".changed.xml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// answering starts the other phone inside, which takes calls, and waits for its registration.
func answering(t *testing.T, o *office.Office) {
	t.Helper()
	p := o.Start(o.Inside, o.Program(), "phone", other, "--tftp", office.Inside, "--state", t.TempDir(), "--vpn", "off", "--answer")
	p.Wait("registered")
}

func on(h *testnet.Host) func(*exec.Cmd) error { return h.Start }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func host(t *testing.T, name string) *testnet.Host {
	t.Helper()
	h, err := testnet.NewHost(name, nil)
	must(t, err)
	t.Cleanup(func() { must(t, h.Close()) })
	return h
}

package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/testnet"
)

// forbidden is why this machine lets us make no networks; nil when it does.
var forbidden error

func TestMain(m *testing.M) {
	if how := os.Getenv("LAB_FAKE"); how != "" {
		if err := (fake{args: os.Args[1:], how: how}).main(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code, done, err := testnet.Enter(context.Background())
	if done {
		os.Exit(code)
	}
	forbidden = err
	goleak.VerifyTestMain(m)
}

// allowed skips the test where networks cannot be made, and fails it where they must be.
func allowed(t *testing.T) {
	t.Helper()
	if forbidden == nil {
		return
	}
	var reason *testnet.Forbidden
	if os.Getenv("CI") != "true" && errors.As(forbidden, &reason) {
		t.Skipf("%v; %s", reason, reason.Fix)
	}
	t.Fatal(forbidden)
}

// tell runs the story with the fake in place of the program.
func tell(t *testing.T, how string, c Config) (result Result, out string) {
	t.Helper()
	allowed(t)
	var stdout bytes.Buffer
	c.Stdout, c.Stderr, c.Version, c.env = &stdout, t.Output(), "test", fakeEnv(how)
	result, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return result, stdout.String()
}

// fakeEnv makes copies of the test program fakes, which under the race detector end without lingering.
func fakeEnv(how string) []string {
	return []string{"LAB_FAKE=" + how, "GORACE=atexit_sleep_ms=0"}
}

func words(steps []Step) (words []string) {
	for _, s := range steps {
		word := s.Step.String()
		if !s.OK {
			word += " failed"
		}
		words = append(words, word)
	}
	return words
}

func TestWholeStory(t *testing.T) {
	t.Parallel()
	for _, vpn := range []string{"dtls12", "psk", "dtls09", "tls"} {
		t.Run(vpn, func(t *testing.T) {
			t.Parallel()
			result, out := tell(t, "well", Config{VPN: vpn})
			want := []string{"provision", "detect", "connect", "verify", "tunnel", "register", "call"}
			if got := words(result.Steps); !slices.Equal(got, want) || !result.OK {
				t.Fatalf("ok %v, steps %q, want all of %q; output:\n%s", result.OK, got, want, out)
			}
			if got, want := result.Session.Transport+result.Session.DTLSVersion, variants[vpn].transport+variants[vpn].dtlsVersion; got != want {
				t.Errorf("tunnel over %s, want %s", got, want)
			}
			toOffice := Direction{Sent: 250, Received: 249, Lost: 1, JitterMS: 0.5, MOS: 4.3, Heard: true}
			toHome := Direction{Sent: 251, Received: 251, JitterMS: 0.4, MOS: 4.4, Heard: true}
			if result.Call.HomeToOffice != toOffice || result.Call.OfficeToHome != toHome {
				t.Errorf("call is %+v, want %+v and %+v", result.Call, toOffice, toHome)
			}
			if lines := strings.Count(out, "\n"); lines != 10 {
				t.Errorf("%d lines, want one for each of 7 steps, 2 directions and the end:\n%s", lines, out)
			}
		})
	}
}

func TestStoryStops(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ how, last, why string }{
		{"no set-up", "provision failed", "init ended with exit status 1; its last words: init: the folder is not to my liking"},
		{"office dies", "provision failed", "its last words: serve: out of order"},
		{"unknown phone", "provision failed", "fetched"},
		{"refused", "verify failed", "the gateway refuses the login of anna"},
		{"crash", "verify failed", "home phone ended with exit status 1; its last words: phone: something gave way"},
		{"wrong channel", "tunnel failed", "the tunnel runs over TLS, expected DTLS 1.2"},
		{"tunnel lost", "call failed", "the phone has lost its tunnel and logs in anew"},
		{"deaf", "call failed", "the desk phone does not hear the home phone"},
	} {
		t.Run(c.how, func(t *testing.T) {
			t.Parallel()
			result, out := tell(t, c.how, Config{})
			steps := words(result.Steps)
			last := result.Steps[len(result.Steps)-1]
			if result.OK || steps[len(steps)-1] != c.last || !strings.Contains(last.Detail, c.why) {
				t.Errorf("ok %v, steps %q, because %q; want the last to be %q because of %q", result.OK, steps, last.Detail, c.last, c.why)
			}
			if !strings.Contains(out, "FAILED") || !strings.Contains(out, c.why) {
				t.Errorf("output does not say so:\n%s", out)
			}
			var found string
			for _, f := range result.Findings {
				found += f.Code
			}
			if want := map[string]string{"refused": "login-refused", "deaf": "one-way-audio"}[c.how]; found != want {
				t.Errorf("findings are %+v, want %q", result.Findings, want)
			}
		})
	}
}

func TestDocumentIsAloneOnStandardOutput(t *testing.T) {
	t.Parallel()
	capture := filepath.Join(t.TempDir(), "lab.pcapng")
	result, out := tell(t, "well", Config{JSON: true, PCAP: capture})
	var back Result
	dec := json.NewDecoder(strings.NewReader(out))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&back); err != nil || dec.More() {
		t.Fatalf("output is not one document: %v\n%s", err, out)
	}
	if back.Schema != 1 || !back.OK || back.Version != "test" || len(back.Steps) != len(result.Steps) || back.Findings == nil {
		t.Errorf("document holds %+v", back)
	}
	file, err := os.ReadFile(capture)
	if err != nil || !bytes.Contains(file, []byte("office-lan")) || len(file) < 1000 {
		t.Errorf("capture of %d bytes, %v, want the office's frames in it", len(file), err)
	}
}

func TestKeepStaysUntilToldToEnd(t *testing.T) {
	t.Parallel()
	allowed(t)
	ctx, cancel := context.WithCancel(t.Context())
	out := &watched{want: "tail -f", seen: cancel}
	result, err := Run(ctx, Config{Keep: true, Stdout: out, Stderr: t.Output(), env: fakeEnv("well")})
	if err != nil || !result.OK {
		t.Errorf("ok %v, %v; output:\n%s", result.OK, err, out)
	}
	if got := strings.Count(out.String(), "nsenter --target"); got != 5 {
		t.Errorf("%d ways to look around, want one for each host:\n%s", got, out)
	}
}

// watched calls seen when what is written to it holds want.
type watched struct {
	bytes.Buffer
	want string
	seen func()
}

func (w *watched) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(w.want)) {
		defer w.seen()
	}
	return w.Buffer.Write(b)
}

func TestChoicesThatCannotBeMet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config Config
		says   string
	}{
		{Config{VPN: "ipsec"}, "lab: --vpn ipsec is not one of its values; what works: dtls12, psk, dtls09, tls\n"},
		{Config{Signalling: "sccp"}, "lab: --signalling sccp is not built yet; what works: sip\n"},
		{Config{Auth: "fingerprint"}, "lab: --auth fingerprint is not one of its values; what works: password, certificate\n"},
	} {
		var stderr bytes.Buffer
		c.config.Stderr = &stderr
		if code := Main(t.Context(), c.config); code != 2 || stderr.String() != c.says {
			t.Errorf("exit code %d, %q, want 2 and %q", code, &stderr, c.says)
		}
	}
}

// TestBreaksAreFindings holds what can be broken to the findings that must come out: each is declared, its page says how to
// see it, and they stand in the order of a phone's steps.
func TestBreaksAreFindings(t *testing.T) {
	t.Parallel()
	var last finding.Declaration
	for _, b := range Breaks() {
		d, ok := finding.Lookup(b.Code)
		if !ok {
			t.Errorf("--break %s is no finding", b.Code)
			continue
		}
		if d.Step < last.Step {
			t.Errorf("--break %s (%s) stands after %s (%s)", d.Code, d.Step, last.Code, last.Step)
		}
		last = d
		page, err := os.ReadFile(filepath.Join("../docs/errors", b.Code+".md"))
		if err != nil {
			t.Fatal(err)
		}
		if want := "`longcord lab --break " + b.Code + "`: " + b.Does + "."; !strings.Contains(string(page), want) {
			t.Errorf("docs/errors/%s.md does not hold %q", b.Code, want)
		}
	}
}

func TestBreakOfNothing(t *testing.T) {
	t.Parallel()
	_, err := Run(t.Context(), Config{Break: "login-refusd"})
	var usage *usageError
	if !errors.As(err, &usage) || !strings.Contains(usage.says, "login-refused") {
		t.Fatalf("got %v, want a usage error that lists what can be broken", err)
	}
}

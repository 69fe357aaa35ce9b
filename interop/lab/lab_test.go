//go:build interop

// Package lab_test judges `longcord lab` by what scripts see of it: its exit code, its document, and what
// it leaves behind. The program is the binary that LONGCORD names.
package lab_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A run should take less than usual and must take less than most.
const (
	usual = 30 * time.Second
	most  = 2 * time.Minute
)

func TestDocument(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"dtls12", "password"}, {"psk", "password"}, {"dtls09", "password"}, {"tls", "password"}, {"dtls12", "certificate"}, {"dtls09", "certificate"},
	} {
		vpn, auth := c[0], c[1]
		for _, who := range people() {
			t.Run(vpn+" by "+auth+" as "+who.name, func(t *testing.T) {
				t.Parallel()
				m := newMachine(t)
				out := call(t, m, who, vpn, auth)
				for range calls - 1 {
					if c := parse(t, out).Call; c.HomeToOffice.clear() && c.OfficeToHome.clear() {
						break
					}
					t.Logf("the machine was busy with something else, or the voice is bad: once more\n%s", out)
					out = call(t, m, who, vpn, auth)
				}
				judgeDocument(t, vpn, out)
				m.leavesNothing(t, captureFile)
			})
		}
	}
}

// calls is how often a call may be made until its voice is clear. A machine that is busy with something else spoils one;
// what spoils each is ours.
const calls = 3

// call runs the lab, and returns its document.
func call(t *testing.T, m *machine, who person, vpn, auth string) string {
	t.Helper()
	began := time.Now()
	out, stderr, code := m.run(t, who, "lab", "--vpn", vpn, "--auth", auth, "--json", "--pcap", captureFile)
	took := time.Since(began)
	if code != 0 {
		t.Fatalf("exit code %d, want 0\n%s%s", code, out, stderr)
	}
	t.Logf("took %v", took)
	if took > most {
		t.Errorf("took %v; %v is usual", took, usual)
	}
	return out
}

// fields are all fields of the document, with [] for any element of a list.
var fields = []string{
	"call.home_to_office.heard", "call.home_to_office.jitter_ms", "call.home_to_office.lost",
	"call.home_to_office.mos", "call.home_to_office.received", "call.home_to_office.sent",
	"call.office_to_home.heard", "call.office_to_home.jitter_ms", "call.office_to_home.lost",
	"call.office_to_home.mos", "call.office_to_home.received", "call.office_to_home.sent",
	"call.signalling", "duration_s", "findings", "ok", "schema",
	"session.certificate_hash", "session.certificate_sha1", "session.cipher", "session.dtls_version",
	"session.inner_address", "session.phone", "session.transport", "session.user",
	"steps[].detail", "steps[].duration_ms", "steps[].ok", "steps[].step", "version",
}

// flatten notes the path of every value below v.
func flatten(v any, path string, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			flatten(value, strings.TrimPrefix(path+"."+key, "."), into)
		}
	case []any:
		if len(v) == 0 {
			into[path] = true
		}
		for _, value := range v {
			flatten(value, path+"[]", into)
		}
	default:
		into[path] = true
	}
}

// document is what scripts read of it.
type document struct {
	Schema    int     `json:"schema"`
	OK        bool    `json:"ok"`
	Version   string  `json:"version"`
	DurationS float64 `json:"duration_s"`
	Steps     []struct {
		Step       string  `json:"step"`
		OK         bool    `json:"ok"`
		Detail     string  `json:"detail"`
		DurationMS float64 `json:"duration_ms"`
	} `json:"steps"`
	Session struct {
		Phone           string     `json:"phone"`
		User            string     `json:"user"`
		InnerAddress    netip.Addr `json:"inner_address"`
		Transport       string     `json:"transport"`
		DTLSVersion     string     `json:"dtls_version"`
		Cipher          string     `json:"cipher"`
		CertificateSHA1 string     `json:"certificate_sha1"`
		CertificateHash string     `json:"certificate_hash"`
	} `json:"session"`
	Call struct {
		Signalling   string    `json:"signalling"`
		HomeToOffice direction `json:"home_to_office"`
		OfficeToHome direction `json:"office_to_home"`
	} `json:"call"`
}

type direction struct {
	Sent     int     `json:"sent"`
	Received int     `json:"received"`
	Lost     int     `json:"lost"`
	JitterMS float64 `json:"jitter_ms"`
	MOS      float64 `json:"mos"`
	Heard    bool    `json:"heard"`
}

func judgeDocument(t *testing.T, vpn, out string) {
	t.Helper()
	d := parse(t, out)
	if d.Schema != 1 || !d.OK || d.Version == "" || d.DurationS <= 0 || d.DurationS > most.Seconds() {
		t.Errorf("schema %d, ok %v, version %q, duration %v", d.Schema, d.OK, d.Version, d.DurationS)
	}
	var steps []string
	for _, s := range d.Steps {
		steps = append(steps, s.Step)
		if !s.OK || s.Detail == "" || s.DurationMS < 0 {
			t.Errorf("step %+v", s)
		}
	}
	if want := []string{"provision", "detect", "connect", "verify", "tunnel", "register", "call"}; !slices.Equal(steps, want) {
		t.Errorf("steps %q, want %q", steps, want)
	}
	judgeSession(t, vpn, d)
	if d.Call.Signalling != "sip" {
		t.Errorf("signalling %q, want sip", d.Call.Signalling)
	}
	judgeDirection(t, "home to office", d.Call.HomeToOffice)
	judgeDirection(t, "office to home", d.Call.OfficeToHome)
}

func parse(t *testing.T, out string) (d document) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(out))
	var all map[string]any
	if err := decoder.Decode(&all); err != nil {
		t.Fatalf("standard output is no document: %v\n%s", err, out)
	}
	if rest := strings.TrimSpace(out[decoder.InputOffset():]); rest != "" {
		t.Errorf("behind the document stands %q", rest)
	}
	if list, ok := all["findings"].([]any); !ok || len(list) != 0 {
		t.Errorf("findings are %v, want an empty list", all["findings"])
	}
	there := map[string]bool{}
	flatten(all, "", there)
	if got := slices.Sorted(maps.Keys(there)); !slices.Equal(got, fields) {
		t.Errorf("fields are\n%q, want\n%q", got, fields)
	}
	if err := json.Unmarshal([]byte(out), &d); err != nil {
		t.Fatalf("a field has another type: %v\n%s", err, out)
	}
	return d
}

var (
	deviceName = regexp.MustCompile(`^SEP[0-9A-F]{12}$`)
	sha1Digits = regexp.MustCompile(`^[0-9A-F]{40}$`)
)

func judgeSession(t *testing.T, vpn string, d document) {
	t.Helper()
	want := map[string]string{"dtls12": "dtls 1.2", "psk": "dtls 1.2", "dtls09": "dtls 0.9", "tls": "tls "}[vpn]
	s := d.Session
	if got := s.Transport + " " + s.DTLSVersion; got != want {
		t.Errorf("transport and version are %q, want %q", got, want)
	}
	if !deviceName.MatchString(s.Phone) || s.User == "" || !s.InnerAddress.IsValid() || s.Cipher == "" {
		t.Errorf("phone %q, user %q, address %v, cipher %q", s.Phone, s.User, s.InnerAddress, s.Cipher)
	}
	if got := strings.HasPrefix(s.Cipher, "PSK-"); got != (vpn == "psk") {
		t.Errorf("the cipher of %s is %s", vpn, s.Cipher)
	}
	if !sha1Digits.MatchString(s.CertificateSHA1) {
		t.Fatalf("certificate_sha1 is %q, want 40 upper-case hex digits", s.CertificateSHA1)
	}
	digest, err := hex.DecodeString(s.CertificateSHA1)
	if want := base64.StdEncoding.EncodeToString(digest); err != nil || s.CertificateHash != want {
		t.Errorf("certificate_hash is %q, want %q, the base64 of certificate_sha1", s.CertificateHash, want)
	}
}

// Of 250 packets of 20 ms nearly all arrive, and the voice is good.
const (
	least   = 240
	quality = 4.0 // MOS
)

// clear reports whether a direction is as it should be on a machine that has time.
func (d direction) clear() bool { return d.Sent >= least && d.Received >= least && d.MOS >= quality }

func judgeDirection(t *testing.T, name string, d direction) {
	t.Helper()
	if !d.Heard || d.Sent < least || d.Received < least || d.Received > d.Sent || d.Lost < 0 || d.Lost > d.Sent-d.Received+1 {
		t.Errorf("%s: %+v, want it heard, with nearly 250 packets", name, d)
	}
	if d.MOS < quality || d.MOS > 5 || d.JitterMS < 0 {
		t.Errorf("%s: MOS %v, jitter %v ms", name, d.MOS, d.JitterMS)
	}
}

func TestForPeople(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	out, stderr, code := m.run(t, people()[0], "lab")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for i, step := range []string{"provision", "detect", "connect", "verify", "tunnel", "register", "call"} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], step+" ") || !strings.Contains(lines[i], " ok ") {
			t.Errorf("line %d is not about %s:\n%s", i+1, step, out)
		}
	}
	if code != 0 || !strings.HasPrefix(lines[len(lines)-1], "Two people have talked") || stderr != "" {
		t.Errorf("exit code %d; output:\n%s%s", code, out, stderr)
	}
	m.leavesNothing(t)
}

func TestRefused(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--signalling", "sccp"}, "not built yet"},
		{[]string{"--vpn", "ipsec"}, "ipsec"},
		{[]string{"--vpn"}, "--vpn"},
		{[]string{"--vpn", "DTLS12"}, "DTLS12"},
		{[]string{"--signalling", "h323"}, "h323"},
		{[]string{"--auth", "fingerprint"}, "fingerprint"},
		{[]string{"--break", "nonsense"}, "--break"},
		{[]string{"--nonsense"}, "--nonsense"},
		{[]string{"nonsense"}, "nonsense"},
		{[]string{"--pcap", "/nowhere/lab.pcapng"}, "/nowhere/lab.pcapng"},
		{[]string{"--pcap", "/tmp"}, "/tmp"},
	} {
		for _, who := range people() {
			t.Run(fmt.Sprintf("%s as %s", strings.Join(c.args, " "), who.name), func(t *testing.T) {
				out, stderr, code := m.run(t, who, append([]string{"lab", "--json"}, c.args...)...)
				if code != 2 || out != "" || !strings.Contains(stderr, c.says) {
					t.Errorf("exit code %d, standard output %q, standard error %q; want 2, nothing, and %q", code, out, stderr, c.says)
				}
			})
		}
	}
	m.leavesNothing(t)
}

// A run that is told to end, and one that cannot even clean up, leave as little.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		signal syscall.Signal
		name   string
		code   int
	}{
		{syscall.SIGTERM, "told to end", 3},
		{syscall.SIGKILL, "killed", -1},
	} {
		for _, who := range people() {
			t.Run(c.name+" as "+who.name, func(t *testing.T) {
				t.Parallel()
				m := newMachine(t)
				ctx, cancel := context.WithTimeout(t.Context(), most)
				defer cancel()
				var stderr bytes.Buffer
				cmd := m.command(ctx, who, "lab")
				cmd.Stderr = &stderr
				out := m.start(t, cmd)
				out.until(t, "detect ")
				if err := cmd.Process.Signal(c.signal); err != nil {
					t.Fatal(err)
				}
				out.rest()
				_ = cmd.Wait() // how it ended is in ProcessState
				if got := cmd.ProcessState.ExitCode(); got != c.code {
					t.Errorf("exit code %d, want %d\n%s", got, c.code, &stderr)
				}
				m.leavesNothing(t)
			})
		}
	}
}

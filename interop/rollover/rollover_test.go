//go:build interop

// Package rollover_test changes a gateway's certificate under phones that are away, with real processes.
// The certificates are openssl's, and openssl says which one is presented.
package rollover_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/interop/office"
)

func TestMain(m *testing.M) {
	_, _ = pebble() // fetched and built while there is still a network; TestACME says why it cannot be
	os.Exit(office.Main(m))
}

// The phones that init makes.
const (
	desk           = "SEP020000001001"
	home           = "SEP020000001002"
	user, password = "anna", "correct-horse"
)

const gatewayHost = "203.0.113.2"

// house is an office that runs, and one phone that sits in it and one that was carried home.
type house struct {
	*office.Office
	t   *testing.T
	dir string

	desk *office.Program
}

func newHouse(t *testing.T) *house {
	t.Helper()
	return newOffice(t, "").live()
}

// newOffice sets an office up, with some lines more at the end of longcord.yaml, and starts nothing.
func newOffice(t *testing.T, more string) *house {
	t.Helper()
	h := &house{Office: office.New(t), t: t, dir: t.TempDir()}
	config, err := os.ReadFile(h.Path("longcord.yaml"))
	must(t, err)
	must(t, os.WriteFile(h.Path("longcord.yaml"), []byte(strings.Replace(string(config), "\n  port: 443\n", "\n  port: 443\n  morePorts: [8443]\n", 1)+more), 0o600))
	return h
}

// live starts the system and the phones; one of them is then carried away.
func (h *house) live() *house {
	h.t.Helper()
	h.Serve()
	h.good(password+"\n", "users", "add", user, "--device", home, "--password-stdin")
	h.startDesk()
	carried := h.Start(h.Inside, program(), h.phone(home)...)
	carried.Wait(`"step":"register","ok":true`)
	carried.Kill()
	return h
}

func program() string { return os.Getenv("LONGCORD") }

func (h *house) phone(name string, more ...string) []string {
	return append([]string{"phone", name, "--tftp", office.Inside, "--state", filepath.Join(h.dir, name), "--tun", "vpn0", "--json"}, more...)
}

// startDesk starts the desk phone, anew if it runs: it fetches its file and registers.
func (h *house) startDesk() {
	h.t.Helper()
	if h.desk != nil {
		h.desk.Kill() // no harm if it is off
	}
	h.desk = h.Start(h.Inside, program(), h.phone(desk)...)
	h.desk.Wait(`"step":"register","ok":true`)
}

// atHome starts the phone at home, without waiting for anything.
func (h *house) atHome() *office.Program {
	h.t.Helper()
	return h.StartWith(h.Client, password+"\n", program(), h.phone(home, "--user", user, "--password-stdin")...)
}

// stays starts the phone at home, and waits until it has registered through its tunnel.
func (h *house) stays() *office.Program {
	h.t.Helper()
	p := h.atHome()
	p.Wait(`"step":"register","ok":true`)
	return p
}

// command runs a command of the program where the gateway is.
func (h *house) command(input string, args ...string) (out string, code int) {
	h.t.Helper()
	out, err := h.Longcord(input, append([]string{"-c", h.Path("longcord.yaml")}, args...)...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out, exit.ExitCode()
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return out, 0
}

func (h *house) good(input string, args ...string) string {
	h.t.Helper()
	out, code := h.command(input, args...)
	if code != 0 {
		h.t.Fatalf("longcord %s: exit code %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// refused runs a command that must fail with a code and say some things.
func (h *house) refused(code int, args []string, says ...string) {
	h.t.Helper()
	out, got := h.command("", args...)
	if got != code {
		h.t.Errorf("longcord %s: exit code %d, want %d\n%s", strings.Join(args, " "), got, code, out)
	}
	for _, want := range says {
		if !strings.Contains(out, want) {
			h.t.Errorf("longcord %s: no word of %q:\n%s", strings.Join(args, " "), want, out)
		}
	}
}

// eventually asks until a command ends well.
func (h *house) eventually(args ...string) string {
	h.t.Helper()
	out, code := "", -1
	for end := time.Now().Add(office.Patience); time.Now().Before(end); {
		if out, code = h.command("", args...); code == 0 {
			return out
		}
	}
	h.t.Fatalf("longcord %s: still exit code %d\n%s", strings.Join(args, " "), code, out)
	return ""
}

// newCertificate has openssl make a certificate for the gateway, takes it in under a name, and returns its
// SHA-1 fingerprint.
func (h *house) newCertificate(name string) string {
	h.t.Helper()
	openssl := office.Peer(h.t, "openssl")
	certificate, key := filepath.Join(h.dir, name+".pem"), filepath.Join(h.dir, name+".key")
	h.run(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "400", "-subj", "/CN="+gatewayHost,
		"-addext", "subjectAltName=IP:"+gatewayHost, "-keyout", key, "-out", certificate)
	h.good("", "certs", "import", name, certificate, "--key", key)
	return fingerprint(h.run(openssl, "x509", "-in", certificate, "-noout", "-fingerprint", "-sha1"))
}

// made is the fingerprint of a certificate that init made.
func (h *house) made(name string) string {
	h.t.Helper()
	return fingerprint(h.run(office.Peer(h.t, "openssl"), "x509", "-in", h.Path("certificates/"+name+".pem"), "-noout", "-fingerprint", "-sha1"))
}

// presented is the fingerprint of what openssl meets at the gateway when it offers RSA only, as our phone does.
func (h *house) presented() string { return h.presentedAt("443") }

func (h *house) presentedAt(port string) string {
	h.t.Helper()
	return h.met(port, "-tls1_2 -cipher aRSA")
}

// met is the fingerprint of what openssl meets at a port of the gateway.
func (h *house) met(port, flags string) string {
	h.t.Helper()
	openssl := office.Peer(h.t, "openssl")
	out, err := h.Run(h.Client, "", "sh", "-c",
		openssl+" s_client -connect "+gatewayHost+":"+port+" -noservername "+flags+" </dev/null 2>/dev/null | "+openssl+" x509 -noout -fingerprint -sha1")
	if err != nil {
		h.t.Fatalf("s_client: %v\n%s", err, out)
	}
	return fingerprint(out)
}

func (h *house) run(program string, args ...string) string {
	h.t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		h.t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func fingerprint(text string) string {
	_, after, _ := strings.Cut(text, "ingerprint=")
	return strings.ReplaceAll(strings.TrimSpace(after), ":", "")
}

// A phone that is away keeps its tunnel while the certificate changes, and comes back by the new hash that
// it has fetched through the tunnel.
func TestPhoneStaysAway(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.stays()
	before, next := h.presented(), h.newCertificate("next")
	if before == next || len(next) != 40 {
		t.Fatalf("fingerprints %q and %q", before, next)
	}
	h.desk.Kill()
	h.good("", "certs", "rollover", "start", "--to", "next")
	h.refused(1, []string{"certs", "rollover", "commit"}, "would be kept out", desk, "last seen")
	if got := h.presented(); got != before {
		t.Fatalf("before the commit %s is presented, want %s", got, before)
	}

	// Both fetch their files: one when it starts, the other when it is told so through its tunnel.
	h.startDesk()
	h.eventually("certs", "rollover", "status")
	mark := p.Mark()
	h.good("", "certs", "rollover", "commit")
	if got := h.presented(); got != next {
		t.Fatalf("after the commit %s is presented, want %s", got, next)
	}
	if out := h.good("", "sessions", "list"); !strings.Contains(out, home) {
		t.Errorf("the session did not outlive the change:\n%s", out)
	}
	h.good("", "sessions", "logoff", user, "--yes")
	p.WaitAfter(mark, `"certificate_sha1":"`+next+`"`)
	p.WaitAfter(mark, `"step":"register","ok":true`)

	h.good("", "certs", "rollover", "retire")
	if out := h.good("", "certs", "rollover", "status"); !strings.Contains(out, "no roll-over under way") || !strings.Contains(out, "presented  next,") {
		t.Errorf("at the end:\n%s", out)
	}
}

// The spare locks nobody out, though nobody has fetched anything since the first day.
func TestSpareAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	spare := h.made("gateway-spare")
	h.good("", "certs", "rollover", "start")
	h.good("", "certs", "rollover", "commit")
	if got := h.presented(); got != spare {
		t.Fatalf("%s is presented, want the spare %s", got, spare)
	}
	p := h.stays()
	p.Wait(`"certificate_sha1":"` + spare + `"`)
	h.good("", "certs", "rollover", "retire")
	if out := h.good("", "certs", "list"); !strings.Contains(out, "spare of gateway gateway") {
		t.Errorf("no new spare:\n%s", out)
	}
}

// Whom a change would lock out is named before it is made, by each command that could make it; by force it
// is made, the phone that knocks is seen, and there is a way back.
func TestForceNamesThePhone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.stays() // so that its address is known by its session
	p.Kill()
	h.newCertificate("next")
	inventory := filepath.Join(h.dir, "swapped.yaml")
	must(t, os.WriteFile(inventory, []byte("kind: VPNGateway\nname: gateway\nurl: "+office.URL+"\ncertificates: [next, gateway, gateway-spare]\n"), 0o600))
	h.refused(2, []string{"apply", "-f", inventory, "--dry-run"}, "2 phones would be kept out", home, "last seen", "certs rollover start gateway --to next")
	h.refused(2, []string{"apply", "-f", inventory}, home)
	h.refused(1, []string{"plan", "-f", inventory}, home, "would not come back")

	h.good("", "certs", "rollover", "start", "--to", "next")
	h.startDesk()
	for end := time.Now().Add(office.Patience); ; {
		if out, _ := h.command("", "certs", "rollover", "status"); strings.Contains(out, "1 of 2 phones") {
			break
		} else if time.Now().After(end) {
			t.Fatalf("the desk phone does not become ready:\n%s", out)
		}
	}
	h.namedByDoctor("next", home, desk)
	h.refused(1, []string{"certs", "rollover", "commit"}, "1 phone would be kept out", home)
	h.refused(2, []string{"certs", "rollover", "commit", "--force"}, home, "no terminal to ask on")
	h.good("", "certs", "rollover", "commit", "--force", "--yes")

	p = h.atHome()
	p.Wait("certificate-hash-mismatch")
	for end := time.Now().Add(office.Patience); ; {
		if out, _ := h.command("", "certs", "rollover", "status"); strings.Contains(out, "refused    by "+home) {
			break
		} else if time.Now().After(end) {
			t.Fatalf("nobody has seen the phone knock:\n%s", out)
		}
	}
	mark := p.Mark()
	h.good("", "certs", "rollover", "abort")
	p.WaitAfter(mark, `"step":"register","ok":true`)
}

// namedByDoctor asks the doctor, before a change, about the whole system and about each of two phones: the one that a
// certificate would keep out is named in what it says and in the facts that it saves, the other is not.
func (h *house) namedByDoctor(certificate, lost, stays string) {
	h.t.Helper()
	for about, named := range map[string]bool{"--system": true, lost: true, stays: false} {
		saved := filepath.Join(h.dir, "facts"+about+".json")
		out, _ := h.command("", "doctor", about, "--facts", saved) // the code says whether the phone at home is off
		facts, err := os.ReadFile(saved)
		must(h.t, err)
		var of struct {
			Facts []struct {
				Kind   string            `json:"kind"`
				Values map[string]string `json:"values"`
			} `json:"facts"`
		}
		must(h.t, json.Unmarshal(facts, &of))
		var devices []string
		for _, f := range of.Facts {
			if f.Kind == "system.unready" && f.Values["certificate"] == certificate && f.Values["state"] == "staged" {
				devices = append(devices, f.Values["device"])
			}
		}
		want := []string{lost}
		if !named {
			want = nil
		}
		if !slices.Equal(devices, want) {
			h.t.Errorf("longcord doctor %s: the facts name %q, want %q\n%s", about, devices, want, facts)
		}
		if says := "presents certificate " + certificate + " next, and these phones are not known to hold its hash: " + lost; strings.Contains(out, says) != named {
			h.t.Errorf("longcord doctor %s: whether it says %q should be %v:\n%s", about, says, named, out)
		}
	}
}

// Signed files count as plain ones do, and the trust lists that come with them for nothing.
func TestSignedFiles(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	profile := filepath.Join(h.dir, "signed.yaml")
	must(t, os.WriteFile(profile, []byte("kind: CommonPhoneProfile\nname: home\nvpnGroup: phones\nvpnProfile: home\nsecurityByDefault: enabled\n"), 0o600))
	h.good("", "apply", "-f", profile)
	h.startDesk()
	p := h.stays()
	next := h.newCertificate("next")
	h.good("", "certs", "rollover", "start", "--to", "next")
	h.startDesk()
	p.Kill()
	p = h.stays()
	p.Wait(home + ".cnf.xml.sgn")
	h.eventually("certs", "rollover", "status")
	h.good("", "certs", "rollover", "commit")
	p.Kill()
	h.stays().Wait(`"certificate_sha1":"` + next + `"`)
}

// Two certificates are served side by side, at two URLs: who has the old file comes by the old one, and by
// the new one when it has fetched its new file.
func TestSideBySide(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	before, next := h.presented(), h.newCertificate("next")
	const newURL = "https://" + gatewayHost + ":8443/phone"
	inventory := filepath.Join(h.dir, "both.yaml")
	must(t, os.WriteFile(inventory, []byte(`kind: TunnelGroup
name: phones
groupURLs: [`+office.URL+`, `+newURL+`]
addressPool: phones
defaultGroupPolicy: phones
phones: true
---
kind: VPNGateway
name: gateway-2
url: `+newURL+`
certificates: [next, gateway-spare]
---
kind: VPNGroup
name: phones
gateways: [gateway-2, gateway]
`), 0o600))
	h.good("", "apply", "-f", inventory)
	if old, other := h.presented(), h.presentedAt("8443"); old != before || other != next {
		t.Fatalf("presented are %s and %s, want %s and %s", old, other, before, next)
	}
	p := h.stays()
	p.Wait(`"certificate_sha1":"` + before + `"`)
	p.Kill()
	p = h.stays()
	p.Wait(`"certificate_sha1":"` + next + `"`)
	p.Wait(`"transport":"dtls"`)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

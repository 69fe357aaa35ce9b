//go:build interop

package curl_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/interop/office"
)

// file asks for a phone's file from inside and returns the status and the file.
func file(t *testing.T, o *office.Office, name string) (status, body string) {
	t.Helper()
	out, err := o.Run(o.Inside, "", office.Peer(t, "curl"), "-sS", "--max-time", "20", "-w", "\n%{http_code}", "http://"+office.Inside+":6970/"+name)
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	at := strings.LastIndex(out, "\n")
	return out[at+1:], out[:at]
}

// longcord runs a command that must succeed.
func longcord(t *testing.T, o *office.Office, args ...string) string {
	t.Helper()
	out, err := o.Longcord("", append([]string{"-c", o.Path("longcord.yaml")}, args...)...)
	if err != nil {
		t.Fatalf("%q: %v\n%s", args, err, out)
	}
	return out
}

// registrations are how many lines a phone is registered with.
func registrations(t *testing.T, o *office.Office, phone string) int {
	t.Helper()
	var shown struct {
		Phone struct {
			Registrations []any `json:"registrations"`
		} `json:"phone"`
	}
	out := longcord(t, o, "phones", "show", phone, "--json")
	if err := json.Unmarshal([]byte(out), &shown); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return len(shown.Phone.Registrations)
}

// TestStolenPhone: one act takes a phone's files, registration and passwords; another takes its place; and
// phones that nobody has added are seen.
func TestStolenPhone(t *testing.T) {
	const stolen, next, stranger = "SEP001122334455", "SEP001122334466", "SEP0011223344FF"
	o := office.New(t, "--phone", stolen+"=CP-8861:1001:Anna")
	o.Serve()
	status, before := file(t, o, stolen+".cnf.xml")
	if status != "200" || !strings.Contains(before, "<authPassword>") {
		t.Fatalf("the phone's file: %s\n%s", status, before)
	}
	phone := o.Start(o.Inside, o.Program(), "phone", stolen, "--tftp", office.Inside, "--state", t.TempDir())
	phone.Wait("register")
	waitFor(t, "the phone registers", func() bool { return registrations(t, o, stolen) == 1 })

	longcord(t, o, "phones", "block", stolen, "--yes")
	waitFor(t, "its registration ends", func() bool { return registrations(t, o, stolen) == 0 })
	if status, body := file(t, o, stolen+".cnf.xml"); status != "403" || strings.Contains(body, "<") {
		t.Errorf("a blocked phone's file: %s\n%s", status, body)
	}
	if out, err := o.Run(o.Inside, "", office.Peer(t, "curl"), "-sS", "--max-time", "20", "tftp://"+office.Inside+"/"+stolen+".cnf.xml"); err == nil {
		t.Errorf("a blocked phone's file by TFTP:\n%s", out)
	}
	phone.Kill()

	longcord(t, o, "phones", "replace", stolen, next, "--model", "CP-8865", "--yes")
	status, after := file(t, o, next+".cnf.xml")
	if status != "200" || !strings.Contains(after, "<name>1001</name>") || password(after) == password(before) {
		t.Errorf("the new phone's file: %s, password changed: %t\n%s", status, password(after) != password(before), after)
	}

	if status, _ := file(t, o, "CTL"+stranger+".tlv"); status != "404" {
		t.Errorf("a stranger's trust list: %s", status)
	}
	if out := longcord(t, o, "phones", "list", "--unknown"); !strings.Contains(out, "longcord phones add "+stranger+" --model MODEL --line NUMBER") || !strings.Contains(out, office.Desk) {
		t.Errorf("unknown phones are\n%s", out)
	}
	longcord(t, o, "phones", "add", stranger, "--model", "CP-8861", "--line", "1009")
	if out := longcord(t, o, "phones", "list", "--unknown"); strings.Contains(out, stranger) {
		t.Errorf("it was added and is unknown:\n%s", out)
	}
}

func password(file string) string {
	_, rest, _ := strings.Cut(file, "<authPassword>")
	found, _, _ := strings.Cut(rest, "<")
	return found
}

func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline, tick := time.After(office.Patience), time.NewTicker(100*time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never happened: %s", what)
		}
	}
}

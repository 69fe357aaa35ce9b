//go:build interop

package doctor_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// TestSCCPOffice walks as a phone with an SCCP load, inside and through a tunnel as such phones have it, and where the
// call manager does not want it, or is none.
func TestSCCPOffice(t *testing.T) {
	t.Parallel()
	o := office.New(t, "--phone", phone+"=CP-7945G:1001")
	o.Serve()
	longcord := func(input string, args ...string) string {
		t.Helper()
		out, err := o.Longcord(input, append([]string{"-c", o.Path("longcord.yaml")}, args...)...)
		if err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
		return out
	}
	longcord(password+"\n", "users", "add", "alice", "--device", phone, "--password-stdin")
	device := filepath.Join(t.TempDir(), "device.yaml")
	sip := longcord("", "get", "Device", phone)
	speak := func(text string) {
		t.Helper()
		if err := os.WriteFile(device, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		longcord("", "apply", "-f", device)
	}
	speak(strings.TrimRight(sip, "\n") + "\nprotocol: SCCP\n")
	file := fileOf(t, o)
	r := judge(t, on(o.Inside), "", "--tftp", office.Inside, "--model", "CP-7945G", "--call", "1002")
	r.expect(t, "ok", "")
	for _, line := range []string{"register: 1001 at " + office.Inside + ":2000", "carries no calls by SCCP"} {
		if !strings.Contains(r.progress, line) {
			t.Errorf("%q is not told:\n%s", line, r.progress)
		}
	}
	outside := []string{"--model", "CP-7945G", "--user", "alice", "--password-stdin", "--file"}
	r = judge(t, on(o.Client), password+"\n", append(outside, file)...)
	r.expect(t, "ok", "")
	if !strings.Contains(r.progress, "registers line 1001 through the tunnel") {
		t.Errorf("it does not register through the tunnel:\n%s", r.progress)
	}
	if list := longcord("", "phones", "show", phone, "--json"); !strings.Contains(list, `"registrations": []`) {
		t.Errorf("the doctor has left its registration behind:\n%s", list)
	}
	// The file server takes connections, and speaks no SCCP.
	deaf := changed(t, o, file, "<ethernetPhonePort>2000<", "<ethernetPhonePort>6970<")
	judge(t, on(o.Client), password+"\n", append(outside, deaf)...).expect(t, "fault", "registration-unreachable")

	// The device is set up for SIP now, and the phone has the file of before.
	speak(sip)
	r = judge(t, on(o.Client), password+"\n", append(outside, file)...)
	r.expect(t, "fault", "registration-refused")
	if !strings.Contains(r.progress, `RegisterReject "This device is set up for SIP"`) {
		t.Errorf("the reason is not told:\n%s", r.progress)
	}
}

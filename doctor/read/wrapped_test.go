package read

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/doctor/fact"
)

// TestWrapped puts together what a terminal broke at its width, and leaves alone what only looks like it.
func TestWrapped(t *testing.T) {
	t.Parallel()
	const hash = "6CBA05200CF3E2C5A70CB9B7123D2454F5DB7643"
	entry := "1234: NOT 10:00:00.123456 SECD: Leaf cert hash = " + hash
	next := "1235: NOT 10:00:00.223456 VPNC: 'webvpn=' not found in cookie"
	long := strings.Repeat("1233: NOT 10:00:00.023456 JVM: "+strings.Repeat("x", 48)+"\n", 3) // 79 wide
	tests := map[string]struct {
		text string
		want bool // the hash is told
	}{
		"as it is":        {entry + "\n" + next, true},
		"broken at 80":    {entry[:80] + "\n" + entry[80:] + "\n" + next, true},
		"at its widest":   {long + entry[:79] + "\n" + entry[79:] + "\n" + next, true},
		"broken anywhere": {entry[:70] + "\n" + entry[70:] + "\n" + next, false},
		"at the very end": {next + "\n" + entry[:80] + "\n" + entry[80:], true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := readAll(t, "x", strings.NewReader(test.text), Options{})
			told, cookie := false, false
			for _, each := range f.Facts {
				told = told || each.Kind == fact.PhoneLeafHash && each.Get("hash") == hash
				cookie = cookie || each.Kind == fact.PhoneCookieMissing
			}
			if told != test.want || !cookie {
				t.Errorf("the hash is told: %v, want %v; what stands beside it: %v", told, test.want, cookie)
			}
		})
	}
}

// TestWrappedLogs puts together entries of other logs, broken at 80 and at 132.
func TestWrappedLogs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		entry string
		want  fact.Kind
		value string
	}{
		"ASA":          {"%ASA-6-113015: AAA user authentication Rejected : reason = Invalid password : local database : user = anna.of.a.long.name : user IP = 192.0.2.9", "", "anna.of.a.long.name"},
		"ASA, a time":  {"Nov 25 2026 10:00:00: %ASA-6-113015: AAA user authentication Rejected : reason = Invalid password : local database : user = anna : user IP = 192.0.2.9", "", "anna"},
		"Asterisk":     {"[2026-11-25 09:28:40] NOTICE[5403]: sccp_actions.c:876 handle_register: SEP001B0CDB8F24: Rejecting device: Device Unknown in the database of this server", fact.RegistrarRefused, "SEP001B0CDB8F24"},
		"Kamailio":     {" 6(26928) DEBUG: {1 2 REGISTER c42018@and-a-call-id-that-is-rather-long.example.com} auth_db [authorize.c:185]: get_ha1(): no result for user '6999@example.com'", fact.RegistrarRefused, "6999"},
		"syslog":       {"Nov 25 10:00:00 pbx.of.a.long.name.example.com kamailio[4711]: 6(26928) DEBUG: {1 2 REGISTER c42018} auth_db [authorize.c:185]: get_ha1(): no result for user '6999@example.com'", fact.RegistrarRefused, "6999"},
		"CUCM's TFTP":  {"00004410.000 |07:28:32.739 |AppInfo  |INFO: TFTPEngine::sendNAK[0xf4d26318~5~192.0.2.11~51909], File[SEP001122334455.cnf.xml], Error(1)", fact.FileMissing, "SEP001122334455.cnf.xml"},
		"CUCM's alarm": {"Nov 25 2026 07:10:02 UTC : %UC_CALLMANAGER-4-EndPointTransientConnection: %[ConnectingPort=5060][DeviceName=SEP001122334455][IPAddress=10.88.0.14][Reason=2]: An endpoint", fact.RegistrarRefused, "SEP001122334455"},
	} {
		for _, width := range []int{80, 132, 1000} {
			t.Run(fmt.Sprintf("%s at %d", name, width), func(t *testing.T) {
				t.Parallel()
				text, rest := "", test.entry
				for ; len(rest) > width; rest = rest[width:] {
					text += rest[:width] + "\n"
				}
				f := readAll(t, "x", strings.NewReader(text+rest+"\n"), Options{Now: time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)})
				for _, each := range f.Facts {
					for _, value := range each.Values {
						if (test.want == "" || each.Kind == test.want) && value == test.value {
							return
						}
					}
				}
				t.Errorf("%s is not told: %+v", test.value, f.Facts)
			})
		}
	}
}

package doctor_test

import (
	"slices"
	"testing"

	"github.com/longcord/longcord/doctor/judge"
)

// TestSaidOtherwise gives what is known in another form, beside the nearest that is not it.
func TestSaidOtherwise(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text    string
		verdict judge.Verdict
		codes   []string
	}{
		"VPN Authentication failed":                {"VPN Authentication failed\n", judge.Fault, []string{"login-refused"}},
		"with a colon":                             {"VPN: Authentication failed\n", judge.Fault, []string{"login-refused"}},
		"numbered, with its time":                  {"1: 9:15:01a VPN Authentication failed\n", judge.Fault, []string{"login-refused"}},
		"of another":                               {"1: 9:15:01a WLAN Authentication failed\n", judge.Insufficient, nil},
		"a phone in software":                      {"10:00:00.000 provision failed: no answer\n10:00:00.000 finding   tftp-unreachable: the phone's TFTP server 192.0.2.7 does not answer\n", judge.Fault, []string{"tftp-unreachable"}},
		"a phone in software that goes on with it": {"10:00:00.000 finding   login-refused: the gateway refuses the login of anna\n10:00:01.000 verify    logged in (12 ms)\n", judge.OK, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := diagnose(t, c.text)
			if got := codes(r); r.Verdict != c.verdict || !slices.Equal(got, c.codes) {
				t.Errorf("got %s %v, want %s %v; needs %q", r.Verdict, got, c.verdict, c.codes, r.Needs)
			}
		})
	}
}

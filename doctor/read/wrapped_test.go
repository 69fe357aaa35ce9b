package read

import (
	"strings"
	"testing"

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

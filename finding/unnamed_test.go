package finding_test

import (
	"testing"

	"github.com/longcord/longcord/finding"
)

// TestUnnamed says what nobody knows in words where people read, and in capitals where they type.
func TestUnnamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		user      any
		says, fix string
	}{
		{"anna", "the gateway refuses the login of anna", "check user name and password; set a new one with `longcord users passwd anna --password-stdin`"},
		{finding.Unnamed("somebody"), "the gateway refuses the login of somebody", "check user name and password; set a new one with `longcord users passwd USER --password-stdin`"},
		{"the user of this phone", "the gateway refuses the login of the user of this phone", "check user name and password; set a new one with `longcord users passwd USER --password-stdin`"},
		{"in the phone's file", "the gateway refuses the login of in the phone's file", "check user name and password; set a new one with `longcord users passwd USER --password-stdin`"},
	} {
		if f := finding.LoginRefused.With(c.user); f.Says != c.says || f.Fix[0] != c.fix {
			t.Errorf("got %q and %q, want %q and %q", f.Says, f.Fix[0], c.says, c.fix)
		}
	}
}

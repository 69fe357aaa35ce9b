package finding_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/longcord/longcord/finding"
)

// TestRead: what any declaration says is read back into a finding that says the same.
func TestRead(t *testing.T) {
	t.Parallel()
	for _, d := range finding.All() {
		args := make([]any, len(d.Args))
		for i := range args {
			args[i] = fmt.Sprintf("x%d", i)
			if strings.Contains(d.Says, fmt.Sprintf("%%[%d]d", i+1)) {
				args[i] = 41 + i
			}
		}
		want := d.With(args...)
		got, ok := d.Read(want.Says)
		if !ok || got.Says != want.Says || got.Subject != want.Subject && len(d.Args) > 0 && got.Subject == "" {
			t.Errorf("%s: %q is read as %q, %v", d.Code, want.Says, got.Says, ok)
		}
		if _, ok := d.Read(want.Says + ", or something else"); ok && len(d.Args) == 0 {
			t.Errorf("%s reads what it does not say", d.Code)
		}
	}
	if _, ok := finding.GroupURLMismatch.Read("the moon is full"); ok {
		t.Error("any sentence is read")
	}
}

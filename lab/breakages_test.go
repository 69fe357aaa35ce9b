package lab

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/finding"
)

// TestBreakOrReason makes sure that every finding can be brought about here, or that the page says why not.
func TestBreakOrReason(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/stages/8-diagnose.md")
	if err != nil {
		t.Fatal(err)
	}
	_, reasons, _ := strings.Cut(string(page), "Some causes cannot stand there:")
	reasons, _, found := strings.Cut(reasons, "\n#")
	if !found {
		t.Fatal("the page says of no cause why it cannot be broken")
	}
	for _, d := range finding.All() {
		broken := slices.ContainsFunc(breakages, func(b breakage) bool { return b.code == d.Code })
		if reasoned := strings.Contains(reasons, "`"+d.Code+"`"); broken == reasoned {
			t.Errorf("%s: can be broken: %t, and the page says why not: %t", d.Code, broken, reasoned)
		}
	}
}

package provision

import (
	"slices"
	"testing"

	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/phonexml"
)

func TestDialled(t *testing.T) {
	t.Parallel()
	second := phonexml.Number(2)
	template := &phonexml.DialTemplate{Patterns: []phonexml.DialPattern{
		{Match: "0,11.", Rewrite: "11."},
		{Match: `\*9.`, Rewrite: "%2%1"},
		{Match: "9.*", Rewrite: "00%2%3"},
		{Match: "8..", Rewrite: "%0-%%%.%1%2%5"},
		{Match: "", Rewrite: "300", Line: &second},
		{Match: "7*1", Rewrite: "%2"},
		{Match: "*"},
	}}
	for _, c := range []struct {
		line         int
		digits, want string
	}{
		{1, "0112", "112"},          // the comma plays a tone and takes no digit
		{1, "*94", "4*9"},           // \* is a star; %1 is the run of literals
		{1, "95", "005"},            // * takes nothing
		{1, "9567", "00567"},        // and the rest
		{1, "812", "812-%.812"},     // groups that are not there are empty
		{2, "", "300"},              // a hot line
		{1, "", ""},                 // of line 2 alone
		{1, "7881881", "88188"},     // * takes as much as it can
		{1, "1001", "1001"},         // no rewrite
		{1, "#31#0123", "#31#0123"}, // * takes # as well
	} {
		if got := Dialled(template, c.line, c.digits); got != c.want {
			t.Errorf("%q on line %d dials %q, want %q", c.digits, c.line, got, c.want)
		}
	}
	if got := Dialled(&phonexml.DialTemplate{}, 1, "1001"); got != "1001" {
		t.Errorf("without patterns 1001 dials %q", got)
	}
}

func TestCompanionsAreNamed(t *testing.T) {
	t.Parallel()
	doc := &cnf.Device{FeaturePolicyFile: "/FP.xml", SIPProfile: &cnf.SIPProfile{DialTemplate: "DR.xml", SoftKeyFile: "../../etc/passwd"}}
	if got := Companions(doc); !slices.Equal(got, []string{"DR.xml", "FP.xml"}) {
		t.Errorf("companions are %v, want those with a name that is one", got)
	}
	if got := Companions(&cnf.Device{}); got != nil {
		t.Errorf("companions are %v, want none", got)
	}
}

// FuzzDialled: digits and patterns come from people and from files.
func FuzzDialled(f *testing.F) {
	f.Add("0,11.", "11.%1", "0112")
	f.Add(`\`, "%", "*")
	f.Add("****1", "%5", "1111111111")
	f.Add("************************1", "", "999999999999999999999999999999")
	f.Fuzz(func(_ *testing.T, pattern, rewrite, digits string) {
		if len(pattern) > 64 || len(digits) > 64 {
			return
		}
		Dialled(&phonexml.DialTemplate{Patterns: []phonexml.DialPattern{{Match: pattern, Rewrite: rewrite}}}, 1, digits)
	})
}

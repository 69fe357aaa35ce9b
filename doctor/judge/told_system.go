package judge

import (
	"fmt"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// What a running system has found is found: it looks at more than a doctor can ask it.
var _ = lateRule(func(c *Case) {
	for _, f := range c.All(fact.SystemFinding) {
		d, ok := finding.Lookup(f.Get("code"))
		if !ok {
			continue
		}
		told := toldBy(d, f)
		if s := finding.Severity(f.Get("severity")); s != "" {
			told.Severity = s
		}
		if certainty := finding.Certainty(f.Get("certainty")); certainty != "" {
			told = told.As(certainty)
		}
		c.FindAgain(told, f)
	}
}, finding.BackupMissing) // and whatever else; but of this nobody knows who is not told

// fixesOf returns the remedies that a system told.
func fixesOf(f fact.Fact) (fixes []string) {
	for n := 1; f.Get(fmt.Sprintf("fix-%d", n)) != ""; n++ {
		fixes = append(fixes, f.Get(fmt.Sprintf("fix-%d", n)))
	}
	return fixes
}

// toldBy is a finding as a system told it, about the subject of which its sentence speaks.
func toldBy(d finding.Declaration, f fact.Fact) finding.Finding {
	told := finding.Told(d, f.Get("says"), fixesOf(f))
	if read, ok := d.Read(f.Get("says")); ok {
		told.Subject = read.Subject
	}
	return told
}

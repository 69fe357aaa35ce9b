package judge

import (
	"fmt"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// What a running system has found is found: it looks at more than a doctor can ask it.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.SystemFinding) {
		d, ok := finding.Lookup(f.Get("code"))
		if !ok {
			continue
		}
		var fix []string
		for n := 1; f.Get(fmt.Sprintf("fix-%d", n)) != ""; n++ {
			fix = append(fix, f.Get(fmt.Sprintf("fix-%d", n)))
		}
		told := finding.Told(d, f.Get("says"), fix)
		if s := finding.Severity(f.Get("severity")); s != "" {
			told.Severity = s
		}
		if certainty := finding.Certainty(f.Get("certainty")); certainty != "" {
			told = told.As(certainty)
		}
		c.Find(told, f)
	}
})

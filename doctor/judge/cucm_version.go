package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Phones' VPN begins with CUCM 8.0(1), and the build without export restrictions does not have it.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.CUCMVersion) {
		version := f.Get("version")
		major, _, _ := strings.Cut(version, ".")
		switch {
		case len(major) == 1 && major < "8":
			c.Find(finding.CUCMVersion.With(version, "8.0(1)"), f)
		case f.Get("unrestricted") == "true":
			c.Find(finding.CUCMVersion.With(version+" (export unrestricted)", "the restricted build of 8.0(1)"), f)
		}
	}
}, finding.CUCMVersion)

package judge

import (
	"regexp"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// deviceFile is a phone's own configuration, in the forms in which it asks for it; group 1 is the phone.
var deviceFile = regexp.MustCompile(`^(SEP[0-9A-Fa-f]{12})(?:\.cnf\.xml)?(?:\.enc)?(?:\.sgn)?$`)

// A phone asks for many files that a server need not have: trust lists, signed forms, dial rules, languages. Without its
// own configuration it is lost, and without what a load is made of it does not take the load.
var _ = rule(func(c *Case) {
	sent := func(missing fact.Fact, phone string) bool {
		return slices.ContainsFunc(c.All(fact.FileSent), func(f fact.Fact) bool {
			return strings.HasPrefix(strings.ToUpper(f.Get("name")), strings.ToUpper(phone))
		})
	}
	for _, f := range append(slices.Clone(c.All(fact.FileMissing)), c.All(fact.FileDenied)...) {
		name := f.Get("name")
		if m := deviceFile.FindStringSubmatch(name); m != nil && !sent(f, m[1]) {
			c.Find(finding.TFTPFileMissing.With("the file server", m[1]+".cnf.xml"), f)
		}
		if load, ok := strings.CutSuffix(name, ".loads"); ok {
			c.Find(finding.LoadMissing.With(load, name), f)
		}
	}
}, finding.TFTPFileMissing, finding.LoadMissing)

// A file server that does not run, has its hands full, or has an address that phones cannot read.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.FileServerDown) {
		c.Find(finding.TFTPUnreachable.With("the machine where "+f.Get("program")+" has not started").As(finding.Likely), f)
	}
	for _, f := range c.All(fact.DHCPText) {
		c.Find(finding.TFTPUnreachable.With("what phones read in option 150, since the DHCP server sends \""+f.Get("servers")+"\" as text and not as an address").As(finding.Likely), f)
	}
	for _, f := range c.All(fact.FileServerFull) {
		c.Find(finding.TFTPUnreachable.With("CUCM's Cisco Tftp, which has as many requests at hand as it takes").As(finding.Likely), f)
	}
}, finding.TFTPUnreachable)

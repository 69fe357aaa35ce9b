package judge

import (
	"net/netip"
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
	sent := func(beginning string) bool {
		return slices.ContainsFunc(c.All(fact.FileSent), func(f fact.Fact) bool {
			return strings.HasPrefix(strings.ToUpper(f.Get("name")), strings.ToUpper(beginning))
		})
	}
	for _, f := range append(slices.Clone(c.All(fact.FileMissing)), c.All(fact.FileDenied)...) {
		name := f.Get("name")
		if m := deviceFile.FindStringSubmatch(name); m != nil && !sent(m[1]) {
			found := finding.TFTPFileMissing.With("the file server", m[1]+".cnf.xml")
			if f.Kind == fact.FileMissing && formOfFile.MatchString(name) && !c.Sees(finding.CUCM) { // which signs all that it has
				found = found.As(finding.Possible) // a phone asks for the plain one next, unless a trust list forbids it
				if f.Count > 0 && signed.MatchString(name) && len(c.Of(fact.FileMissing, "name", m[1]+".cnf.xml")) == 0 {
					c.Find(finding.ForeignTrustList.With(m[1]).As(finding.Likely), f) // it takes nothing else
				}
			}
			if client, err := netip.ParseAddr(f.Get("client")); err == nil && public(client) && slices.ContainsFunc(c.Of(fact.FileMissing, "client", f.Get("client")), func(other fact.Fact) bool {
				return deviceFile.MatchString(other.Get("name")) && !strings.HasPrefix(other.Get("name"), m[1])
			}) {
				found = found.As(finding.Possible) // who guesses names asks, too
			}
			c.Find(found, f)
		}
		if load, ok := strings.CutSuffix(name, ".loads"); ok && !sent(name) {
			c.Find(finding.LoadMissing.With(load, name), f)
		}
	}
}, finding.TFTPFileMissing, finding.LoadMissing, finding.ForeignTrustList)

// formOfFile ends the name of a file in a form that not every server makes.
var (
	formOfFile = regexp.MustCompile(`\.(?:enc|sgn)$`)
	signed     = regexp.MustCompile(`\.sgn$`)
)

// A file server that does not run, has its hands full, or has an address that phones cannot read.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.FileServerDown) {
		if c.later(fact.FileSent, f) {
			continue
		}
		c.Find(finding.TFTPUnreachable.With("the machine where "+f.Get("program")+" has not started").As(finding.Likely), f)
	}
	for _, f := range c.All(fact.DHCPText) {
		c.Find(finding.TFTPUnreachable.With("what phones read in option 150, since the DHCP server sends \""+f.Get("servers")+"\" as text and not as an address").As(finding.Likely), f)
	}
	for _, f := range c.All(fact.FileServerFull) {
		if c.later(fact.FileSent, f) {
			continue
		}
		c.Find(finding.TFTPUnreachable.With("CUCM's Cisco Tftp, which has as many requests at hand as it takes").As(finding.Likely), f)
	}
}, finding.TFTPUnreachable)

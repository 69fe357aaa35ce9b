package judge

import (
	"cmp"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory"
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

// Two servers that name different file servers to phones. A second address in one option is only where to ask when the
// first is down.
var _ = rule(func(c *Case) {
	all := c.All(fact.DHCPFiles)
	for _, f := range all {
		first, _, _ := strings.Cut(f.Get("servers"), ",")
		server, err := netip.ParseAddr(first)
		if err != nil || f.Get("by") != "" { // an offer that was seen somewhere may be a home's
			continue
		}
		if network, whose, home := inventory.HomeNetwork(netip.PrefixFrom(server, server.BitLen())); home {
			c.Find(finding.HomeNetworkOverlaps.With(server.String(), network.String(), whose), f)
		}
	}
	for i, a := range all {
		for _, b := range all[:i] {
			if shareOne(a.Get("servers"), b.Get("servers")) {
				continue
			}
			switch byA, byB := cmp.Or(a.Get("by"), a.Source), cmp.Or(b.Get("by"), b.Source); {
			case byA != byB && a.Get("option") == b.Get("option"):
				c.Find(finding.SecondTFTPAnswers.With(b.Get("servers"), a.Get("servers")).As(finding.Likely), b, a)
			case byA == byB && a.Get("option") != b.Get("option"): // a phone takes 150, another kind of phone 66
				c.Find(finding.SecondTFTPAnswers.With(b.Get("servers"), a.Get("servers")).As(finding.Possible), b, a)
			}
		}
	}
}, finding.SecondTFTPAnswers, finding.HomeNetworkOverlaps)

// shareOne reports whether two lists, by comma, have an element in common, or one is a name, of which nobody knows here
// where it leads.
func shareOne(a, b string) bool {
	for one := range strings.SplitSeq(a, ",") {
		if strings.Contains(","+b+",", ","+one+",") || strings.ContainsFunc(one, isLetter) {
			return true
		}
	}
	return strings.ContainsFunc(b, isLetter)
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

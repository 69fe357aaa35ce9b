package judge

import (
	"cmp"
	"net/netip"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory"
)

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
				found := finding.SecondTFTPAnswers.With(b.Get("servers"), a.Get("servers")).As(finding.Likely)
				if a.Get("by") == "" || b.Get("by") == "" || a.Get("to") != b.Get("to") {
					found = found.As(finding.Possible) // they may be of two networks
				}
				c.Find(found, b, a)
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

// A phone that got its configuration from two servers has two that think it theirs.
var _ = rule(func(c *Case) {
	var first fact.Fact
	for _, f := range c.All(fact.FileSent) {
		if f.Get("server") == "" || !deviceFile.MatchString(f.Get("name")) {
			continue
		}
		switch {
		case first.Kind == "":
			first = f
		case first.Get("name") == f.Get("name") && first.Get("server") != f.Get("server") && first.Get("client") == f.Get("client"):
			c.Find(finding.SecondTFTPAnswers.With(first.Get("server"), f.Get("server")).As(finding.Likely), first, f)
		}
	}
}, finding.SecondTFTPAnswers)

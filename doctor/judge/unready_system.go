package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// maxNamed is how many phones one sentence names. The evidence has all.
const maxNamed = 10

// A system knows which phones have shown that they hold a certificate's hash. Whom a change would keep out is named before
// it is made. While nobody is about to change, it is a note: the spare may be needed any day.
var _ = rule(func(c *Case) {
	waits := map[string][]fact.Fact{}
	var gateways []string
	for _, f := range c.All(fact.SystemUnready) {
		if f.Get("state") == "swapped" {
			certainty := finding.Possible // it may be in a drawer
			if f.Get("refused") == "true" {
				certainty = finding.Certain
			}
			c.Find(finding.CertificateHashMismatch.With(hashWords(f.Get("sha1"))).As(certainty), f)
			continue
		}
		name := f.Get("gateway")
		if waits[name] == nil {
			gateways = append(gateways, name)
		}
		waits[name] = append(waits[name], f)
	}
	for _, name := range gateways {
		first := waits[name][0]
		found := finding.NextCertificateUnknown.With(name, first.Get("certificate"), unreadyPhones(waits[name]))
		if first.Get("state") == "none" {
			found.Severity = finding.Note
		}
		c.Find(found, waits[name]...)
	}
}, finding.NextCertificateUnknown, finding.CertificateHashMismatch)

func unreadyPhones(facts []fact.Fact) string {
	var named []string
	for _, f := range facts {
		named = append(named, f.Get("device"))
	}
	return someOf(named)
}

// someOf names the first of many.
func someOf(names []string) string {
	if more := len(names) - maxNamed; more > 0 {
		names = append(slices.Clone(names[:maxNamed]), fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

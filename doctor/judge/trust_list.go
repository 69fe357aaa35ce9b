package judge

import (
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Whose signatures the phone believes.
var _ = rule(func(c *Case) {
	server := value(c, "server", fact.PhoneFetched, fact.PhoneFileRefused)
	if server == "" {
		server = "its TFTP server"
	}
	for _, f := range c.All(fact.PhoneSignatureRefused) {
		if recovered(c, f) || c.later(fact.PhoneTrustListTaken, f) {
			continue // TVS, or another of its lists, knows who signed
		}
		file := f.Get("file")
		if file == "" {
			file = "the file"
		}
		found := finding.TrustListMismatch.With(file, server)
		if f.Get("file") == "" {
			found = found.As(finding.Likely)
		}
		c.Find(found, f)
		c.Find(finding.ForeignTrustList.With(device(c)).As(finding.Possible), f)
	}
	for _, f := range c.All(fact.PhoneTrustListFailed) {
		if c.later(fact.PhoneTrustListTaken, f) {
			continue
		}
		certainty := finding.Likely
		if f.Get("verification") == "true" {
			certainty = finding.Certain
		}
		c.Find(finding.TrustListMismatch.With("the trust lists", server).As(certainty), f)
		c.Find(finding.ForeignTrustList.With(device(c)).As(finding.Possible), f)
		if !c.Has(fact.PhoneTVSAnswered, fact.PhoneTVSFailed) {
			c.Find(finding.TVSUnreachable.With("the call managers of its stored file").As(finding.Possible), f)
		}
	}
	for _, f := range c.Of(fact.CUCMTrustList, "verified", "false") {
		if slices.ContainsFunc(c.Of(fact.CUCMTrustList, "list", f.Get("list"), "verified", "true"), func(good fact.Fact) bool { return below(good, f) }) {
			continue
		}
		c.Find(finding.TrustListMismatch.With("the "+f.Get("list")+" file", "CUCM, which cannot verify it itself").As(finding.Likely), f)
	}
	compareSigners(c, server)
}, finding.TrustListMismatch, finding.ForeignTrustList, finding.TVSUnreachable)

// compareSigners looks whether the phone's trust list has who signed its file.
func compareSigners(c *Case, server string) {
	lists := c.All(fact.TrustList)
	for _, f := range c.All(fact.SEPSigner) {
		known := false
		for _, r := range c.All(fact.TrustRecord) {
			known = known || r.Get("issuer") == f.Get("issuer") && strings.EqualFold(r.Get("serial"), f.Get("serial"))
		}
		if known || len(lists) == 0 {
			continue
		}
		c.Find(finding.TrustListMismatch.With(f.Get("file"), server).As(finding.Likely), f, lists[0])
		c.Find(finding.ForeignTrustList.With(device(c)).As(finding.Possible), f, lists[0])
	}
}

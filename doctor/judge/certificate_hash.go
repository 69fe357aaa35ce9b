package judge

import (
	"slices"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The gateway's certificate has to be among the hashes of the phone's file. What the phone says of it, what a client saw
// and what the file has are held against each other.
var _ = rule(func(c *Case) {
	refused := distrusted(c)
	shown := presentedHashes(c)
	inFile := c.All(fact.FileHash)
	match := slices.ContainsFunc(inFile, func(h fact.Fact) bool {
		return slices.ContainsFunc(shown, func(s fact.Fact) bool { return hashOf(s) == h.Get("sha1") })
	})
	switch {
	case believed(c) && len(refused) == 0:
	case len(inFile) > 0 && match && len(refused) > 0:
		oldFile(c, refused)
	case len(inFile) > 0 && len(shown) > 0 && !match:
		certainty := finding.Certain
		if len(refused) == 0 && !wholeChain(c) {
			certainty = finding.Likely
		}
		c.Find(finding.CertificateHashMismatch.With(hashWords(hashOf(shown[0]))).As(certainty), slices.Concat(refused, shown[:1], inFile)...)
	case len(refused) > 0 && !match:
		hash, certainty := any(finding.Unnamed("which this log does not show")), finding.Likely
		if c.Has(fact.PhoneChainUntrusted) {
			certainty = finding.Certain
		}
		if len(shown) > 0 {
			hash = hashWords(hashOf(shown[0]))
		}
		c.Find(finding.CertificateHashMismatch.With(hash).As(certainty), append(refused, shown...)...)
	}
}, finding.CertificateHashMismatch, finding.VPNNotRestarted, finding.ConfigChangeNotTaken)

// oldFile: the phone refuses a certificate whose hash the file has. So it runs with another file.
func oldFile(c *Case, refused []fact.Fact) {
	for _, got := range c.All(fact.PhoneFetched) {
		c.Find(finding.VPNNotRestarted.With(device(c)).As(finding.Likely), append(refused, got)...)
		return
	}
	c.Find(finding.ConfigChangeNotTaken.With(device(c), "and names the gateway's certificate").As(finding.Likely), append(refused, c.All(fact.FileHash)...)...)
}

// presentedHashes returns what is known of the hashes that the gateway shows: the phone's own log first. Where nobody
// saw it present a certificate, neither the phone nor a client, those that were pasted count, but for authorities'.
func presentedHashes(c *Case) []fact.Fact {
	all := slices.Clone(c.All(fact.PhoneLeafHash))
	if last, ok := c.Last(fact.PhoneLeafHash); ok {
		all = []fact.Fact{last}
	}
	heard := len(all) > 0
	seen := heard || slices.ContainsFunc(c.All(fact.GatewayCertificate), func(f fact.Fact) bool { return f.Get("presented") != "" })
	for _, f := range c.All(fact.GatewayCertificate) {
		selfSigned := f.Get("subject") == f.Get("issuer")
		if heard && (f.Get("depth") == "0" || f.Get("depth") == "") {
			continue // the phone has said what it was shown
		}
		if f.Get("sha1") != "" && (f.Get("presented") != "" || !seen && (f.Get("ca") != "true" || selfSigned)) {
			all = append(all, f)
		}
	}
	return all
}

func hashOf(f fact.Fact) string {
	if h := f.Get("hash"); h != "" {
		return h
	}
	return f.Get("sha1")
}

// wholeChain says whether the hash of each certificate that the gateway presents is known.
func wholeChain(c *Case) bool {
	leaf := false
	for _, f := range c.All(fact.GatewayCertificate) {
		if f.Get("presented") == "" {
			continue
		}
		if f.Get("sha1") == "" && f.Get("depth") != "0" {
			return false
		}
		leaf = leaf || f.Get("sha1") != "" && f.Get("depth") == "0"
	}
	return leaf
}

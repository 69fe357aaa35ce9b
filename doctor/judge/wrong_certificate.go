package judge

import (
	"slices"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Phones compare what the gateway sends. The hash of an authority that it does not send is never compared.
var _ = rule(func(c *Case) {
	var leaf fact.Fact
	for _, f := range leaves(c) {
		if f.Get("sha1") != "" && (f.Get("presented") != "" || f.Get("ca") != "true") {
			leaf = f
		}
	}
	sent := presentedHashes(c)
	for _, h := range c.All(fact.FileHash) {
		for _, f := range c.All(fact.GatewayCertificate) {
			authority := f.Get("ca") == "true" && f.Get("subject") != leaf.Get("subject")
			if f.Get("sha1") != h.Get("sha1") || f.Get("presented") != "" || !authority || leaf.Get("presented") == "" && !c.Has(fact.PhoneLeafHash) {
				continue
			}
			if !slices.ContainsFunc(sent, func(s fact.Fact) bool { return hashOf(s) == h.Get("sha1") && s.Get("presented") != "" }) {
				c.Find(finding.CertificateHashOfWrongCertificate.With(gateway(c), f.Get("subject")), h, f)
			}
		}
	}
	missing, alone := c.First(fact.PhoneIssuerMissing)
	alone = alone && len(c.Of(fact.PhoneVPN, "error", "self-signed")) == 0 // which has no other issuer
	if refused := distrusted(c); alone && len(refused) > 0 && !believed(c) && !c.Has(fact.FileHash) {
		c.Find(finding.CertificateHashOfWrongCertificate.With(gateway(c), "an issuer, perhaps").As(finding.Possible), missing, refused[0])
	}
}, finding.CertificateHashOfWrongCertificate)

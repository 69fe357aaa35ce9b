package judge

import (
	"cmp"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// cnOID is where phones' certificates have their name, CP-…-SEP…; they have no other.
const cnOID = "2.5.4.3"

var _ = rule(func(c *Case) {
	refused := c.All(fact.OcservCertificateRefused)
	if c.ocservDemandsCertificates() {
		refused = c.All(fact.OcservCertificateRefused, fact.OcservNoCertificate)
	}
	for _, f := range refused {
		reason := cmp.Or(f.Get("reason"), "it shows none")
		found := finding.ClientCertificateUntrusted.With(client(f), reason)
		if outOfDate.MatchString(reason) {
			found = finding.ClientCertificateExpired.With(client(f), reason)
		}
		if f.Get("user") != "" && c.entered(f, fact.OcservLogin) || c.passerby(f) { // browsers and scanners have no certificate either
			found = aside(found)
		}
		c.Find(found, f)
	}
	if f, ok := c.First(fact.ClientNoCertificate); ok {
		c.Find(finding.ClientCertificateUntrusted.With("who was tried", "the gateway wants one, and none was shown").As(finding.Likely), f)
	}
	for _, o := range c.ocservFiles() {
		oid, ok := o.last("cert-user-oid")
		if !ok || oid.Get("value") == cnOID {
			continue
		}
		for _, auth := range o.all("auth") {
			if ofCertificate(auth) {
				c.Find(c.ifMeant(finding.ClientCertificateUntrusted.With("every phone", "ocserv looks for the user in "+oid.Get("value")+", which phones' certificates do not have").As(finding.Likely)), oid, auth)
			}
		}
	}
}, finding.ClientCertificateUntrusted, finding.ClientCertificateExpired)

// ocservDemandsCertificates reports whether nobody comes in without a certificate, by the settings that were sent.
func (c *Case) ocservDemandsCertificates() bool {
	files := c.ocservFiles()
	return len(files) > 0 && !slices.ContainsFunc(files, func(o ocservFile) bool {
		return !slices.ContainsFunc(o.all("auth"), ofCertificate) || slices.ContainsFunc(o.all("enable-auth"), func(way fact.Fact) bool { return !ofCertificate(way) })
	})
}

// ofCertificate reports whether a way to log in asks for a certificate.
func ofCertificate(way fact.Fact) bool {
	return strings.HasPrefix(strings.Trim(way.Get("value"), `"`), "certificate")
}

// client names who it was: by user, or by address.
func client(f fact.Fact) string {
	if user := f.Get("user"); user != "" {
		return user
	}
	if address := f.Get("client"); address != "" {
		return address
	}
	return "a client"
}

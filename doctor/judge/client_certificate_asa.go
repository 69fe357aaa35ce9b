package judge

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// asaPhoneSubject is how the certificates of phones and of those who sign them are called.
var asaPhoneSubject = regexp.MustCompile(`(?i)SEP[0-9A-F]{12}|CAPF|CAP-RTP|Cisco Manufacturing|Cisco Root`)

// outOfDate is how gateways say that a client's certificate is refused for its dates.
var outOfDate = regexp.MustCompile(`(?i)expired|not yet valid|not yet activated|not valid yet|validity|out[- ]of[- ]range`)

var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.ASACertificateRefused) {
		who, reason := cmp.Or(f.Get("subject"), "a client"), strings.TrimSuffix(f.Get("reason"), ".")
		lower := strings.ToLower(reason)
		add := func(found finding.Finding) {
			if !asaPhoneSubject.MatchString(who) && f.Get("subject") != "" {
				found = found.As(finding.Possible) // somebody else's
			}
			c.Find(lasting(found, f), f)
		}
		switch {
		case outOfDate.MatchString(reason):
			add(finding.ClientCertificateExpired.With(who, reason))
		case strings.Contains(lower, "did not return a certificate"), strings.Contains(lower, "no certificate returned"):
			add(c.ofPasserby(finding.ClientCertificateUntrusted.With(who, "none was sent").As(finding.Likely), f)) // as browsers and scanners do
		case strings.Contains(lower, "suitable trustpoint"):
			add(finding.ClientCertificateUntrusted.With(who, "the ASA has no trustpoint for its issuer"))
		default:
			add(finding.ClientCertificateUntrusted.With(who, cmp.Or(reason, "it says no more")).As(finding.Likely))
		}
	}
	for _, b := range c.asas() {
		c.judgeIssuers(b)
	}
}, finding.ClientCertificateUntrusted, finding.ClientCertificateExpired)

// judgeIssuers looks for the issuer of phones' certificates where phones log in by certificate.
func (c *Case) judgeIssuers(b *asaBox) {
	for _, g := range b.phoneGroups() {
		how, ok := b.last(fact.ASAGroup, "group", g.name, "setting", "authentication")
		if !ok || !strings.Contains(how.Get("value"), "certificate") {
			continue
		}
		if !b.whole() {
			if len(b.facts[fact.ASATrustpoint]) > 0 && !b.trustsOthers() {
				c.Need("send `show crypto ca certificates` of the ASA: phones of tunnel group " + g.name + " log in by certificate, and their issuer (CAPF, or Cisco's manufacturing authority) must be among them")
			}
			continue
		}
		if len(b.facts[fact.ASATrustpoint]) == 0 || !b.trustsOthers() {
			c.Find(g.as(finding.ClientCertificateUntrusted.With("phones", "the ASA has no trustpoint with the certificate of their issuer").As(finding.Likely)), how)
		}
	}
}

// trustsOthers reports whether a trustpoint holds an issuer's certificate without one of the ASA's own below it. One
// whose certificates were not sent may.
func (b *asaBox) trustsOthers() bool {
	own := map[string]bool{}
	for _, f := range b.all(fact.ASATrustpoint, "own", "true") {
		own[f.Get("name")] = true
	}
	for _, f := range b.all(fact.ASAGlobal, "setting", "ssl trust-point") {
		own[strings.Fields(f.Get("value") + " -")[0]] = true
	}
	for _, f := range b.facts[fact.ASATrustpoint] {
		if !own[f.Get("name")] {
			return true
		}
	}
	return false
}

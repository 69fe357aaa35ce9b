package judge

import (
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The dates of a gateway's certificate, by the certificate itself, or as the phone's OpenSSL sees them.
var _ = rule(func(c *Case) {
	now, valid := c.Now(), false
	certainty := finding.Certain
	if believed(c) {
		certainty = finding.Possible // phones go by the hash
	}
	for _, f := range leaves(c) {
		from, known := moment(f, "not-before")
		until, ends := moment(f, "not-after")
		if now.IsZero() {
			break
		}
		shown, certainty := c.asaShows(f), certainty
		if shown == finding.Likely && certainty == finding.Certain {
			certainty = finding.Likely
		}
		switch {
		case shown == "":
		case ends && now.After(until):
			c.Find(finding.CertificateExpired.With(gatewayOf(c, f), until.Format(time.DateOnly)).As(certainty), f)
		case known && now.Before(from):
			c.Find(finding.CertificateNotYetValid.With(gatewayOf(c, f), from.Format(time.DateOnly)).As(certainty), f)
		case ends:
			valid = true
		}
	}
	for _, f := range c.All(fact.PhoneCertificateDate) {
		switch {
		case believed(c):
		case valid:
			c.Find(finding.ClockWrong.With(device(c), "it takes a certificate for out of date that is not").As(finding.Likely), f)
		case f.Get("error") == "expired":
			c.Find(finding.CertificateExpired.With(gateway(c), "by the phone's clock").As(finding.Likely), f)
			c.Find(finding.ClockWrong.With(device(c), "it is behind the end of the gateway's certificate, perhaps").As(finding.Possible), f)
		default:
			c.Find(finding.ClockWrong.With(device(c), "it stands before the beginning of the gateway's certificate").As(finding.Likely), f)
			c.Find(finding.CertificateNotYetValid.With(gateway(c), "the phone's time").As(finding.Possible), f)
		}
	}
}, finding.CertificateExpired, finding.CertificateNotYetValid, finding.ClockWrong)

// asaShows says how sure it is that the gateway shows a certificate. An ASA that lists those it has may use them for peers of
// IPsec; which trust point the VPN has, its settings say. Empty: it shows another one.
func (c *Case) asaShows(certificate fact.Fact) finding.Certainty {
	name, bound := certificate.Get("trustpoint"), c.Of(fact.ASAGlobal, "setting", "ssl trust-point")
	switch {
	case name == "":
		return finding.Certain
	case len(bound) == 0:
		return finding.Likely
	case slices.ContainsFunc(bound, func(f fact.Fact) bool {
		return slices.Contains(strings.Fields(name), strings.Fields(f.Get("value") + " -")[0])
	}):
		return finding.Certain
	}
	return ""
}

// gatewayOf returns the gateway's host, and where nothing names it, the one that its certificate is made out to.
func gatewayOf(c *Case, certificate fact.Fact) any {
	if gatewayURL(c) != "" {
		return gateway(c)
	}
	for _, part := range strings.FieldsFunc(certificate.Get("subject"), func(r rune) bool { return r == ',' || r == '+' || r == '/' }) {
		if name, value, ok := strings.Cut(part, "="); ok && strings.EqualFold(strings.TrimSpace(name), "CN") && strings.TrimSpace(value) != "" {
			return strings.TrimSpace(value)
		}
	}
	return finding.Unnamed("(no name is told)")
}

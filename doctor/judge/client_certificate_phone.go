package judge

import (
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The gateway refuses the phone's own certificate with an alert.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.PhoneAlert) {
		if f.Get("by") != "gateway" {
			continue
		}
		if found, ok := refusedBy(strings.ToLower(f.Get("name")), device(c), ""); ok {
			c.Find(found.As(finding.Likely), f)
		}
	}
	if len(c.Of(fact.WalkLogin, "by", "certificate", "outcome", "in")) > 0 {
		return // whoever let it in does not mind
	}
	for _, f := range c.All(fact.PhoneCertificate) {
		if c.Now().IsZero() {
			break
		}
		if until, ok := moment(f, "not-after"); ok && c.Now().After(until) {
			c.Find(finding.ClientCertificateExpired.With(f.Get("device"), "it ended on "+until.Format(time.DateOnly)).As(finding.Likely), f)
		}
		if from, ok := moment(f, "not-before"); ok && c.Now().Before(from) {
			c.Find(finding.ClientCertificateExpired.With(f.Get("device"), "it begins on "+from.Format(time.DateOnly)).As(finding.Likely), f)
		}
	}
}, finding.ClientCertificateUntrusted, finding.ClientCertificateExpired)

// refusedBy returns what an alert says of the certificate of who got it, if anything; as RFC 5246 calls alerts. more is
// what else is known of why.
func refusedBy(alert, who, more string) (finding.Finding, bool) {
	switch alert {
	case "unknown ca", "bad certificate", "certificate unknown", "unsupported certificate", "certificate required", "access denied":
		return finding.ClientCertificateUntrusted.With(who, "it answers "+alert+more), true
	case "certificate expired", "certificate revoked":
		return finding.ClientCertificateExpired.With(who, "the gateway answers "+alert), true
	}
	return finding.Finding{}, false
}

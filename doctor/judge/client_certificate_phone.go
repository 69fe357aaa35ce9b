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
		switch name := strings.ToLower(f.Get("name")); name {
		case "unknown ca", "bad certificate", "certificate unknown", "unsupported certificate", "certificate required", "access denied":
			c.Find(finding.ClientCertificateUntrusted.With(device(c), "it answers "+name).As(finding.Likely), f)
		case "certificate expired", "certificate revoked":
			c.Find(finding.ClientCertificateExpired.With(device(c), "the gateway answers "+name).As(finding.Likely), f)
		}
	}
	for _, f := range c.All(fact.PhoneCertificate) {
		if until, ok := moment(f, "not-after"); ok && !c.Now().IsZero() && c.Now().After(until) {
			c.Find(finding.ClientCertificateExpired.With(f.Get("device"), "it ended on "+until.Format(time.DateOnly)).As(finding.Likely), f)
		}
	}
}, finding.ClientCertificateUntrusted, finding.ClientCertificateExpired)

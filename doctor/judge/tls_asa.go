package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Which versions and ciphers of TLS the ASA takes, and what its TLS library says of phones. Newer phones speak
// TLS 1.2, so without a model a lower limit is only possibly the cause.
var _ = rule(func(c *Case) {
	phone, old := c.asaOldPhones()
	for _, b := range c.asas() {
		for _, f := range b.all(fact.ASAGlobal, "setting", "ssl server-version") {
			value := strings.ToLower(f.Get("value"))
			found := finding.TLSVersion.With(b.named())
			switch {
			case strings.HasPrefix(value, "sslv3-only"), strings.HasPrefix(value, "tlsv1.3"):
				c.Find(c.ifMeant(found), f)
			case strings.HasPrefix(value, "tlsv1.1"), strings.HasPrefix(value, "tlsv1.2"):
				if old {
					c.Find(found, f, phone)
					continue
				}
				if c.asaNewPhones() {
					continue
				}
				c.Find(found.As(finding.Possible), f)
				c.Need("say which model the phones are, or send a phone's file or log: 79xx speak TLS 1.0 alone, 88xx speak TLS 1.2")
			}
		}
		for _, f := range b.all(fact.ASAGlobal, "setting", "ssl cipher") {
			value := strings.ToLower(f.Get("value"))
			list, one := strings.CutPrefix(value, "tlsv1 ")
			if !one || !asaPoor(list) {
				continue
			}
			if old {
				c.Find(finding.TLSCipher.With(b.named()), f, phone)
			} else {
				c.Find(c.ifMeant(finding.TLSCipher.With(b.named()).As(finding.Likely)), f)
			}
		}
	}
	for _, f := range c.All(fact.ASATLSFailed) {
		reason := strings.ToLower(f.Get("reason"))
		switch {
		case strings.Contains(reason, "no shared cipher"), strings.Contains(reason, "no ciphers available"):
			c.Find(finding.TLSCipher.With("(ASA)").As(finding.Likely), f)
		case strings.Contains(reason, "unsupported protocol"), strings.Contains(reason, "wrong version number"), strings.Contains(reason, "unknown protocol"), strings.Contains(reason, "version too low"):
			c.Find(finding.TLSVersion.With("(ASA)").As(finding.Likely), f)
		}
	}
	for _, f := range c.All(fact.ASATLSFailed) {
		reason := strings.ToLower(f.Get("reason"))
		if strings.Contains(reason, "alert unknown ca") || strings.Contains(reason, "alert bad certificate") || strings.Contains(reason, "alert certificate unknown") {
			c.Find(finding.CertificateHashMismatch.With(finding.Unnamed("which this log does not show")).As(finding.Likely), f)
		}
	}
}, finding.TLSVersion, finding.TLSCipher, finding.CertificateHashMismatch)

package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Which versions and ciphers of TLS the ASA takes, and what its TLS library says of phones.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		for _, f := range b.all(fact.ASAGlobal, "setting", "ssl server-version") {
			value := strings.ToLower(f.Get("value"))
			found := finding.TLSVersion.With(b.named())
			switch {
			case strings.HasPrefix(value, "sslv3-only"), strings.HasPrefix(value, "tlsv1.3"):
				c.Find(c.ifMeant(found), f)
			case strings.HasPrefix(value, "tlsv1.1"), strings.HasPrefix(value, "tlsv1.2"):
				c.keepsOutOld(found, "the gateway "+b.named()+" takes no TLS 1.0: 88xx do without, and 79xx, 89xx and 99xx would not get in", f)
			}
		}
		for _, f := range b.all(fact.ASAGlobal, "setting", "ssl cipher") {
			if list, one := strings.CutPrefix(strings.ToLower(f.Get("value")), "tlsv1 "); one && asaPoor(list) {
				c.keepsOutOld(finding.TLSCipher.With(b.named()), "the gateway "+b.named()+" takes neither AES128-SHA nor AES256-SHA with TLS 1.0: 88xx speak TLS 1.2, and 79xx, 89xx and 99xx would not get in", f)
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

package judge

import (
	"regexp"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The phone and the CAPF server do not believe each other.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.PhoneCAPFFailed) {
		if f.Get("text") == "Unknown device" {
			c.Find(finding.CAPFUntrusted.With(f.Get("device"), "it knows no such phone").As(finding.Likely), f)
		} else if capfTrust.MatchString(f.Get("text")) {
			c.Find(finding.CAPFUntrusted.With(device(c), "the phone says \""+f.Get("text")+"\"").As(finding.Likely), f)
		}
	}
}, finding.CAPFUntrusted)

var capfTrust = regexp.MustCompile(`(?i)\b(?:un|not |dis)trust|unknown ca|bad certificate|certificate (?:unknown|not (?:found|valid)|verif\w+ fail|expired)|(?:handshake|ssl|tls)\b.*\bfail|fail\w*\b.*\b(?:handshake|ssl|tls|verify)`)

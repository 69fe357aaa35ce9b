package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// An old phone wants the cipher of its TLS for DTLS, too.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.PhoneSuiteChanged) {
		c.Find(finding.DTLSCipherMismatch.With(gateway(c), "the gateway resumed with another cipher than the one of the phone's TLS"), f)
	}
}, finding.DTLSCipherMismatch)

package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// A machine may have certificates for many names; where the gateway's is known, the others are none of its.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.CertificateNotRenewed) {
		host := f.Get("host")
		if host == "" || c.elsewhere(host) {
			continue
		}
		certainty := finding.Possible
		if c.gatewayHost(host) {
			certainty = finding.Certain
		}
		c.Find(finding.CertificateNotObtained.With(host, host).As(certainty), f)
	}
}, finding.CertificateNotObtained)

package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The walk tried with the phone's TLS, and where that failed with all that a newer client has.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.WalkTLS) {
		if f.Get("ok") == "true" {
			continue
		}
		address := f.Get("address")
		switch f.Get("lacks") {
		case "version":
			c.Find(finding.TLSVersion.With(address), f)
		case "cipher":
			c.Find(finding.TLSCipher.With(address), f)
		case "certificate":
			c.Need("give the walk the phone's certificate, for which the gateway asks before anything else: `--cert FILE --key FILE`")
		}
	}
}, finding.TLSVersion, finding.TLSCipher)

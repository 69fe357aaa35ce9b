package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// TLS with the call manager that an alert ended: one side refuses what the other one shows. A registration by the same
// phone below says that it came up at last.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.RegistrarTLSFailed) {
		reason := "the phone " + f.Get("client") + " ends it with \"" + f.Get("alert") + "\", about the call manager's certificate or settings"
		if f.Get("by") == "server" {
			reason = "it ends it with \"" + f.Get("alert") + "\", about the certificate or the settings of the phone " + f.Get("client")
		}
		found := finding.RegistrationTLS.With(f.Get("server"), reason).As(finding.Likely)
		if c.later(fact.RegistrarRegistered, f, "client") {
			found = aside(found)
		}
		c.Find(found, f)
	}
}, finding.RegistrationTLS)

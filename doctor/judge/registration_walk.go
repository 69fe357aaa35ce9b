package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// A registration that was tried tells more than the port; where none was tried the port counts.
var _ = rule(func(c *Case) {
	if c.officeIsDark() {
		return
	}
	tried := false
	for _, f := range c.All(fact.WalkRegister) {
		switch f.Get("outcome") {
		case "silent":
			c.Find(finding.RegistrationUnreachable.With(f.Get("manager")), f)
		case "tls":
			c.Find(finding.RegistrationTLS.With(f.Get("manager"), f.Get("reason")), f)
		case "refused":
			c.Find(finding.RegistrationRefused.With(f.Get("line"), f.Get("reason")), f)
		}
		tried = tried || f.Get("outcome") != "none"
	}
	if tried || len(c.reached("call manager", true)) > 0 {
		return
	}
	for _, f := range c.reached("call manager", false) {
		c.Find(finding.RegistrationUnreachable.With(f.Get("address")), f)
	}
}, finding.RegistrationUnreachable, finding.RegistrationTLS, finding.RegistrationRefused)

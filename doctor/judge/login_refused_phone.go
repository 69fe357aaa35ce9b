package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The phone says that the gateway did not take user name and password. A phone that refuses the gateway's certificate
// never came so far, whatever its screen says.
var _ = rule(func(c *Case) {
	if len(distrusted(c)) > 0 {
		return
	}
	user := value(c, "user", fact.PhoneLoginRefused)
	if user == "" {
		user = device(c)
	}
	for _, f := range c.All(fact.PhoneLoginRefused) {
		if connected(c, f) {
			continue
		}
		c.Find(finding.LoginRefused.With(user).As(finding.Likely), f)
	}
	for _, f := range c.All(fact.PhoneLoginReply) {
		if status := f.Get("status"); (status == "401" || status == "403") && !connected(c, f) {
			c.Find(finding.LoginRefused.With(user).As(finding.Likely), f)
		}
	}
}, finding.LoginRefused)

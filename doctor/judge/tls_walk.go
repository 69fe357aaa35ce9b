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
			c.Find(finding.TLSVersion.With(address), c.withComputers(f)...)
		case "cipher":
			c.Find(finding.TLSCipher.With(address), c.withComputers(f)...)
		case "certificate":
			c.judgeShown(f)
		}
	}
}, finding.TLSVersion, finding.TLSCipher, finding.ClientCertificateUntrusted, finding.ClientCertificateExpired)

// judgeShown judges TLS that ended when the gateway had asked for the phone's certificate.
func (c *Case) judgeShown(f fact.Fact) {
	if f.Get("shown") != "true" {
		ask := "give the walk the phone's certificate, for which the gateway asks before anything else: `--cert FILE --key FILE`"
		if names := c.asksFor(f.Get("gateway")).Get("names"); names != "" {
			ask += "; it wants one of " + names
		}
		c.Need(ask)
		return
	}
	more := c.otherIssuer(f.Get("gateway"))
	found, says := refusedBy(f.Get("alert"), c.file.Subject, more)
	switch {
	case !says: // it hangs up, or says what it says of everything
		found = finding.ClientCertificateUntrusted.With(c.file.Subject, "TLS ends when it has been shown"+more).As(finding.Likely)
	case f.Get("alert") == "bad certificate": // what some say of one whose time has not come
		found = found.As(finding.Likely)
	}
	c.Find(found, f)
}

// asksFor returns what a gateway has said of the certificates that it takes.
func (c *Case) asksFor(gateway string) fact.Fact {
	if all := c.Of(fact.WalkAuthorities, "gateway", gateway); len(all) > 0 {
		return all[0]
	}
	return fact.Fact{}
}

// otherIssuer says so where the phone's certificate is of none of the authorities that a gateway asks for.
func (c *Case) otherIssuer(gateway string) string {
	asked := c.asksFor(gateway)
	if asked.Get("among") != "false" {
		return ""
	}
	return "; it asks for one of " + asked.Get("names") + ", and this one is of " + asked.Get("issuer")
}

package judge

import (
	"cmp"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// What Asterisk, Kamailio and CUCM say of registrations that they refuse. Asterisk answers an unknown user as it answers a wrong password, so of
// the causes that are named for one line the most telling counts.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.RegistrarDenied) {
		if c.guessed(f) {
			continue
		}
		found := finding.RegistrationACL.With(f.Get("program"), cmp.Or(f.Get("line"), "whoever comes")+" from "+cmp.Or(f.Get("client"), "there")+" "+cmp.Or(f.Get("reason"), "is denied"))
		found.Subject += ": " + f.Get("line") + " " + f.Get("reason") // who is barred in two ways has two findings
		if f.Get("program") == "fail2ban" {
			found = found.As(finding.Likely) // that a phone is at that address is not told
		}
		if c.registeredAfter(f) || c.stranger(f) {
			found = found.As(finding.Possible)
		}
		c.Find(found, f)
	}
	refused := c.All(fact.RegistrarRefused)
	for _, f := range refused {
		if c.guessed(f) {
			continue
		}
		if f.Get("cause") == "password" && f.Get("program") != "kamailio" && slices.ContainsFunc(slices.Concat(refused, c.All(fact.RegistrarDenied)), func(other fact.Fact) bool {
			return other.Source == f.Source && other.Get("line") == f.Get("line") && other.Get("cause") != "password"
		}) {
			continue
		}
		found := finding.RegistrationRefused.With(f.Get("line"), registrarReason(f))
		found.Subject += ": " + f.Get("cause") // two causes are two findings
		if f.Get("cause") == "domain" {
			found = found.As(finding.Likely) // what its configuration makes of a foreign domain is not told
		}
		if c.registeredAfter(f) || c.stranger(f) || f.Get("program") == "CUCM" && !hardPhone.MatchString(f.Get("line")) {
			found = found.As(finding.Possible)
		}
		c.Find(found, f)
	}
}, finding.RegistrationACL, finding.RegistrationRefused)

// hardPhone is how CUCM names what may be a phone: softphones, gateways and conference bridges have other names.
var hardPhone = regexp.MustCompile(`^(?:SEP|a phone at )`)

func registrarReason(f fact.Fact) string {
	switch f.Get("cause") {
	case "password":
		return "the password is wrong"
	case "unknown":
		return "it knows no such line"
	case "no-aor":
		return f.Get("reason") + ", so nobody may register as it"
	case "static":
		return "its host is not dynamic, so nobody may register as it"
	}
	return f.Get("reason")
}

// guesses is how many names somebody tries who guesses, where phones register from inside: a phone may have a line or two
// that nobody takes. Where none does, a home may have some phones.
const (
	guesses         = 3
	guessesWithNone = 5
)

// guessed notes that somebody guesses, once for each address: a public one tries several names that the call manager does
// not take, and never gets in.
func (c *Case) guessed(f fact.Fact) bool {
	client := f.Get("client")
	address, err := netip.ParseAddr(client)
	if err != nil || !public(address) || len(c.Of(fact.RegistrarRegistered, "client", client)) > 0 || len(c.Of(fact.RegistrarRegistered, "from", client)) > 0 {
		return false
	}
	var names []string
	for _, other := range c.Of(fact.RegistrarRefused, "client", client) {
		if deviceName.MatchString(other.Get("line")) {
			return false
		}
		if cause := other.Get("cause"); cause == "unknown" || cause == "password" {
			names = with(names, other.Get("line"))
		}
	}
	inside := slices.ContainsFunc(c.All(fact.RegistrarRegistered), func(in fact.Fact) bool {
		at, err := netip.ParseAddr(in.Get("client"))
		return err == nil && !public(at)
	})
	if len(names) < guesses || !inside && len(names) < guessesWithNone {
		return false
	}
	found := finding.Told(finding.RegistrationRefused, "somebody at "+client+" tries names that the call manager does not take: "+someOf(names), []string{
		"if no phone of yours is there, let nobody register from the Internet: phones outside come through their tunnel",
		"if one is, give the call manager its line",
	}).As(finding.Likely)
	found.Severity = finding.Note
	c.Find(found, f)
	return true
}

// stranger reports whether somebody was refused who is more likely to guess on the Internet than to be a phone: a public
// address asks, which no tunnel gives, and the call manager knows no such line or takes nobody from there, or the line is
// registered from elsewhere, or several lines are tried from there. Who names no line has many that do as it does.
func (c *Case) stranger(f fact.Fact) bool {
	client := f.Get("client")
	address, err := netip.ParseAddr(client)
	if err != nil || !public(address) || deviceName.MatchString(f.Get("line")) {
		return false
	}
	if f.Get("line") == "" {
		return c.Has(fact.RegistrarRegistered) || slices.ContainsFunc(c.All(fact.RegistrarDenied), func(other fact.Fact) bool { return other.Get("client") != client })
	}
	return f.Kind == fact.RegistrarDenied || f.Get("cause") == "unknown" ||
		slices.ContainsFunc(c.All(fact.RegistrarRefused), func(other fact.Fact) bool {
			return other.Get("client") == client && other.Get("line") != f.Get("line")
		}) ||
		slices.ContainsFunc(c.All(fact.RegistrarRegistered), func(in fact.Fact) bool {
			return in.Get("line") == f.Get("line") && in.Get("client") != "" && in.Get("client") != client
		})
}

// registeredAfter reports whether the same line came in later on, or any from the same address where a fact names none.
func (c *Case) registeredAfter(f fact.Fact) bool {
	if f.Get("line") == "" {
		return f.Get("client") != "" && c.later(fact.RegistrarRegistered, f, "client")
	}
	return c.later(fact.RegistrarRegistered, f, "line")
}

// A phone that registered and does not answer is switched off, or the call manager has no way to its address. An address
// that cannot be one of the tunnel's tells more: it is that of the phone's home, written into Contact.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.RegistrarLost) {
		address, err := netip.ParseAddr(f.Get("address"))
		if err != nil || c.registeredAfter(f) {
			continue
		}
		pool, known := c.poolOf(address)
		switch {
		case c.translated(f.Get("line"), address):
			found := finding.NATInTheWay.With("the registration of "+f.Get("line"), "it says "+address.String()+", and comes from a public address").As(finding.Likely)
			found.Severity = finding.Fault // nobody reaches it
			c.Find(found, f)
		case pool != "":
			c.Find(finding.NoRouteToPool.With(pool, "the gateway's inside address").As(finding.Possible), f)
		case known:
			c.Find(finding.NATInTheWay.With("the registration of "+f.Get("line"), "it is registered at "+address.String()+", which is not an address of the tunnels").As(finding.Possible), f)
		}
	}
}, finding.NoRouteToPool, finding.NATInTheWay)

// translated reports whether a line registered with a private address from a public one.
func (c *Case) translated(line string, address netip.Addr) bool {
	return address.IsPrivate() && slices.ContainsFunc(c.Of(fact.RegistrarRegistered, "line", line, "client", address.String()), func(in fact.Fact) bool {
		from, err := netip.ParseAddr(in.Get("from"))
		return err == nil && public(from)
	})
}

// Who comes to register and gets no further than TLS.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.RegistrarTLS) {
		says, known := tlsWords[f.Get("reason")]
		client, err := netip.ParseAddr(f.Get("client"))
		if !known || err != nil || c.later(fact.RegistrarRegistered, f, "client") {
			continue
		}
		found := finding.RegistrationTLS.With(f.Get("program"), says).As(finding.Likely)
		if public(client) {
			found = found.As(finding.Possible) // it may be anybody
		}
		c.Find(found, f)
	}
}, finding.RegistrationTLS)

// tlsWords are reasons of OpenSSL why a server gets no TLS with who comes, in other words. Others may be no phone's: a
// browser that knocks, or a scanner.
var tlsWords = map[string]string{
	"unsupported protocol":              "it does not speak the phone's version of TLS",
	"no shared cipher":                  "it has no cipher in common with the phone",
	"tlsv1 alert unknown ca":            "the phone does not believe its certificate",
	"sslv3 alert bad certificate":       "the phone does not believe its certificate",
	"sslv3 alert certificate unknown":   "the phone does not believe its certificate",
	"certificate verify failed":         "it does not believe the phone's certificate",
	"peer did not return a certificate": "it asks for a certificate, and the phone shows none",
}

// public reports whether an address is one of the Internet's.
func public(a netip.Addr) bool {
	return !a.IsPrivate() && !a.IsLoopback() && !a.IsLinkLocalUnicast()
}

// comesAndGoes is how often a phone is lost in one log that is not just switched off.
const comesAndGoes = 3

// A phone that is lost and does not come back may be switched off, and may not: that others are there does not tell. One that
// is lost again and again is not.
var _ = rule(func(c *Case) {
	var gone []string
	for _, f := range c.All(fact.RegistrarLost) {
		address, err := netip.ParseAddr(f.Get("address"))
		explained := err == nil && c.translated(f.Get("line"), address)
		if name := cmp.Or(f.Get("line"), f.Get("address")); !explained && !c.back(f) && !slices.Contains(gone, name) {
			gone = append(gone, name)
		}
		if f.Count+1 >= comesAndGoes {
			c.Need("see what lies between call manager and " + f.Get("line") + ", which is lost again and again: `ping` its address for some minutes, and send that; " +
				"and the call manager's log with SIP in it (Asterisk: `pjsip set logger on`, or `sip set debug on`)")
		}
	}
	if len(gone) > 0 {
		c.Need("say whether "+someOf(gone)+" is switched on, and send its status messages (web page of the phone: Status Messages; or its settings, Status)",
			"see whether the call manager has a way to it: `ping` its address from there, and send the call manager's log of the minute in which the phone starts")
	}
})

// back reports whether a line that was lost is registered later on, or again as often as it was lost.
func (c *Case) back(lost fact.Fact) bool {
	return slices.ContainsFunc(c.All(fact.RegistrarRegistered), func(in fact.Fact) bool {
		return in.Get("line") == lost.Get("line") && (below(in, lost) && in.Count >= lost.Count || below(lost, in) && in.Count > lost.Count)
	})
}

// poolOf returns the pool that an address is of, and whether any pool is known.
func (c *Case) poolOf(address netip.Addr) (pool string, known bool) {
	for _, f := range c.All(fact.GatewayPool) {
		p, ok := poolPrefix(f.Get("network"))
		if !ok {
			continue
		}
		known = true
		if p(address) {
			return f.Get("network"), true
		}
	}
	return "", known
}

// poolPrefix returns who is in a pool that is written as CIDR or FIRST-LAST.
func poolPrefix(network string) (func(netip.Addr) bool, bool) {
	if p, err := netip.ParsePrefix(network); err == nil {
		return p.Contains, true
	}
	first, last, ok := addressRange(network)
	return func(a netip.Addr) bool { return first.Compare(a) <= 0 && a.Compare(last) <= 0 }, ok
}

// addressRange reads FIRST-LAST.
func addressRange(text string) (first, last netip.Addr, ok bool) {
	a, z, _ := strings.Cut(text, "-")
	first, err := netip.ParseAddr(a)
	if err != nil {
		return first, last, false
	}
	last, err = netip.ParseAddr(z)
	return first, last, err == nil && !last.Less(first)
}

package judge

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// With the host check on, the certificate has to name the host of the URL; a wildcard does not count.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.PhoneHostRefused) {
		c.Find(finding.HostIDMismatch.With(gateway(c)), f)
	}
	check, on := c.First(fact.SEPVPN)
	if !on {
		askedHost(c)
		return
	}
	if check.Get("host-check") == "0" {
		return
	}
	for _, u := range c.All(fact.FileURL) {
		host := hostOf(u.Get("url"))
		if host == "" {
			continue
		}
		named, unnamed := false, []fact.Fact{}
		for _, f := range leaves(c) {
			if names, told := namesOf(f); told {
				named = named || namesHost(names, host)
				unnamed = append(unnamed, f)
			}
		}
		switch _, err := netip.ParseAddr(host); {
		case named:
		case len(unnamed) > 0 && len(c.All(fact.FileURL)) == 1:
			c.Find(finding.HostIDMismatch.With(host), append([]fact.Fact{u}, unnamed...)...)
		case len(unnamed) > 0:
			c.Find(finding.HostIDMismatch.With(host).As(finding.Possible), append([]fact.Fact{u}, unnamed...)...)
		case err == nil && c.Failed() && !believed(c) && !c.Has(fact.WalkTLS): // who tried need not guess
			c.Find(finding.HostIDMismatch.With(host).As(finding.Possible), u)
		}
	}
}, finding.HostIDMismatch)

// askedHost compares the host of the URL that the user gives, where there is no file to tell whether phones check it: a
// call manager has them check unless somebody turns it off.
func askedHost(c *Case) {
	u, asked := c.First(fact.AskedURL)
	host := hostOf(u.Get("url"))
	if !asked || host == "" || c.Has(fact.FileURL) || believed(c) {
		return
	}
	var unnamed []fact.Fact
	for _, f := range leaves(c) {
		switch names, told := namesOf(f); {
		case told && namesHost(names, host):
			return
		case told && f.Get("presented") == "true":
			unnamed = append(unnamed, f)
		}
	}
	if len(unnamed) > 0 {
		c.Find(finding.HostIDMismatch.With(host).As(finding.Likely), append([]fact.Fact{u}, unnamed...)...)
	}
}

func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// namesOf returns what a certificate names: its alternative names, else its common name.
func namesOf(f fact.Fact) ([]string, bool) {
	if names := f.Get("names"); names != "" {
		return strings.Split(names, ","), true
	}
	if f.Get("sha1") == "" { // parts of it only
		return nil, false
	}
	for part := range strings.SplitSeq(f.Get("subject"), ",") {
		if name, ok := strings.CutPrefix(strings.TrimSpace(part), "CN="); ok {
			return []string{name}, true
		}
	}
	return nil, false
}

func namesHost(names []string, host string) bool {
	for _, name := range names {
		if strings.EqualFold(strings.TrimSuffix(strings.TrimSpace(name), "."), strings.TrimSuffix(host, ".")) {
			return true
		}
	}
	return false
}

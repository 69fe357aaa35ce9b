package judge

import (
	"net/url"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Group URLs whose host the certificate does not name. Phones check it unless their profile says not to.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		var own []fact.Fact
		for _, f := range b.all(fact.GatewayCertificate, "depth", "0") {
			if f.Get("names")+f.Get("subject") != "" && strings.HasPrefix(f.Text, "crypto ca trustpoint") || strings.HasPrefix(f.Text, "Certificate, ") {
				own = append(own, f)
			}
		}
		if len(own) != 1 || c.hostCheckOff() {
			continue
		}
		shown := strings.HasPrefix(own[0].Text, "Certificate, ") // by show, which does not tell alternative names
		for _, g := range b.phoneGroups() {
			var hosts []string
			var at fact.Fact
			named := false
			for _, f := range b.all(fact.GatewayGroupURL, "group", g.name) {
				u, err := url.Parse(f.Get("url"))
				if err != nil || u.Hostname() == "" {
					continue
				}
				at = f
				hosts = append(hosts, u.Hostname())
				named = named || asaNames(own[0], u.Hostname())
			}
			if len(hosts) > 0 && !named && shown {
				c.Find(finding.HostIDMismatch.With(hosts[0]).As(finding.Possible), at, own[0])
				c.Need("send the certificate itself, `crypto ca export NAME identity-certificate`: its alternative names may have " + hosts[0])
			} else if len(hosts) > 0 && !named {
				c.Find(g.as(finding.HostIDMismatch.With(hosts[0]).As(finding.Likely)), at, own[0])
			}
		}
	}
}, finding.HostIDMismatch)

// asaNames reports whether a certificate names a host. Phones take no wildcards.
func asaNames(f fact.Fact, host string) bool {
	names := strings.Split(f.Get("names"), ",")
	if f.Get("names") == "" {
		names = nil
	}
	for _, part := range strings.FieldsFunc(f.Get("subject"), func(r rune) bool { return r == ',' || r == '+' }) {
		if name, value, ok := strings.Cut(strings.TrimSpace(part), "="); ok && strings.EqualFold(name, "cn") {
			names = append(names, value)
		}
	}
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, host) })
}

// hostCheckOff reports whether somebody switched the phones' check off.
func (c *Case) hostCheckOff() bool {
	for _, f := range c.All(fact.IOSProfile) {
		if f.Get("setting") == "host-id-check" && f.Get("value") == "disable" {
			return true
		}
	}
	for _, f := range c.All(fact.CUCMObject) {
		if f.Get("setting") == "host-id-check" && (f.Get("value") == "false" || f.Get("value") == "f") {
			return true
		}
	}
	return false
}

package judge

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// phoneAgent begins what phones call themselves when they log in.
const phoneAgent = "Cisco SVC IPPhone Client"

// A phone that asked for a URL on which nothing is served; and openconnect, sent to the phones' URL. ocserv serves phones
// on /svc and nowhere else (docs/wire/vpn-login.md#requests-of-a-phone).
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.OcservUnknownURL) {
		if strings.HasPrefix(f.Get("agent"), phoneAgent) {
			c.Find(finding.GroupURLMismatch.With(f.Get("url")), f)
		}
	}
	for _, f := range c.All(fact.ClientUnknownURL) {
		if c.later(fact.ClientAsks, f, "url") && c.later(fact.ClientUp, f) { // with GET, after POST was not taken
			continue
		}
		if f.Get("status") == "404" {
			var at any = finding.Unnamed("that was tried")
			if url := f.Get("url"); url != "" {
				at = url
			}
			c.Find(finding.GroupURLMismatch.With(at).As(finding.Likely), f)
		} else if !c.Has(fact.ClientCertificateRefused, fact.ClientNoCertificate) {
			c.Need("say what listens at " + cmp.Or(f.Get("url"), "that address") + ", which answers " + f.Get("status") + " to a login, as no gateway for phones does; " +
				"a web server in its place does: on that machine, `ss -tlnp`")
		}
	}
	if !c.Sees(finding.Ocserv) || c.Sees(finding.ASA) || c.Sees(finding.IOS) {
		return
	}
	for _, f := range append(slices.Clone(c.All(fact.FileURL)), c.All(fact.AskedURL)...) {
		u, err := url.Parse(f.Get("url"))
		if err == nil && u.Path != "/svc" && !strings.HasPrefix(u.Path, "/svc/") {
			c.Find(finding.GroupURLMismatch.With(f.Get("url")).As(finding.Likely), f)
		}
	}
}, finding.GroupURLMismatch)

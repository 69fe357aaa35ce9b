package judge

import (
	"net/url"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The gateway that knows the group URL answers with the cookies that a phone waits for; any other page brings none.
var _ = rule(func(c *Case) {
	var asked any = finding.Unnamed("like the one in the phone's file")
	if url := gatewayURL(c); url != "" {
		asked = url
	}
	for _, f := range c.All(fact.PhoneCookieMissing) {
		if connected(c, f) {
			continue
		}
		c.Find(finding.GroupURLMismatch.With(asked).As(finding.Likely), f)
	}
	for _, f := range c.All(fact.PhoneLoginReply) {
		if status := f.Get("status"); (strings.HasPrefix(status, "3") || status == "404") && !connected(c, f) {
			c.Find(finding.GroupURLMismatch.With(asked).As(finding.Likely), f)
		}
	}
	compareURLs(c)
}, finding.GroupURLMismatch)

// compareURLs holds the URLs of phones against those of the gateway, byte for byte.
func compareURLs(c *Case) {
	known := c.All(fact.GatewayGroupURL)
	var phones []fact.Fact
	for _, kind := range []fact.Kind{fact.FileURL, fact.PhoneURL, fact.AskedURL} {
		phones = append(phones, c.All(kind)...)
	}
	if len(known) == 0 || len(phones) == 0 {
		return
	}
	met := false
	for _, p := range phones {
		for _, g := range known {
			met = met || sameGroupURL(p.Get("url"), g.Get("url"))
		}
	}
	for _, p := range phones {
		var near *fact.Fact
		for i, g := range known {
			if sameGroupURL(p.Get("url"), g.Get("url")) {
				near = nil
				break
			}
			if near == nil && (!met || sameHost(p.Get("url"), g.Get("url"))) {
				near = &known[i]
			}
		}
		if near != nil && (p.Kind != fact.PhoneURL || !strings.Contains(p.Get("url"), "+CSCO")) {
			c.Find(finding.GroupURLMismatch.With(p.Get("url")), p, *near)
		}
	}
}

// sameGroupURL compares as gateways do: the path byte for byte; host and scheme in any letter case, and with the usual
// port or without. A group URL without a host is one of any.
func sameGroupURL(phone, group string) bool {
	p, err := url.Parse(phone)
	if err != nil {
		return phone == group
	}
	g, err := url.Parse(group)
	if err != nil {
		return false
	}
	if g.Host == "" {
		return p.EscapedPath() == g.EscapedPath()
	}
	return p.EscapedPath() == g.EscapedPath() && p.RawQuery == g.RawQuery && strings.EqualFold(p.Scheme, g.Scheme) &&
		strings.EqualFold(p.Hostname(), g.Hostname()) && port(p) == port(g)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" || u.Scheme != "https" {
		return p
	}
	return "443"
}

func sameHost(phone, group string) bool {
	p, err := url.Parse(phone)
	if err != nil {
		return false
	}
	g, err := url.Parse(group)
	return err == nil && (g.Host == "" || strings.EqualFold(p.Hostname(), g.Hostname()))
}

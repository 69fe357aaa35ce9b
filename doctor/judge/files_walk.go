package judge

import (
	"strconv"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// What came of the phone's own file. From outside its file server need not answer: then there is no such fact.
var _ = rule(func(c *Case) {
	if c.officeIsDark() {
		return // said by another rule
	}
	for _, f := range c.All(fact.WalkFile) {
		server, name := f.Get("server"), f.Get("name")
		switch f.Get("outcome") {
		case "silent":
			c.Find(finding.TFTPUnreachable.With(server), f)
		case "missing":
			c.Find(finding.TFTPFileMissing.With(server, name), f)
		case "refused":
			c.Find(finding.FilesRefused.With("this machine", "it refuses "+name, "USER", c.file.Subject).As(finding.Likely), f)
		case "unbelieved":
			c.Find(finding.TrustListMismatch.With(name, server), f)
		case "foreign":
			c.Find(finding.ForeignTFTPServer.With(server), f)
		case "invalid":
			c.Find(finding.ConfigInvalid.With(name, f.Get("reason")), f)
		}
	}
	for _, f := range c.All(fact.WalkPlace) {
		if network := f.Get("network"); network != "" && f.Get("place") == "outside" {
			c.Find(finding.HomeNetworkOverlaps.With(f.Get("server"), network, "this one has"), f)
		}
		if f.Get("reason") == "foreign" {
			c.Find(finding.ForeignTFTPServer.With(f.Get("server")).As(finding.Likely), f)
		}
	}
	for _, server := range c.silentFileServers() {
		c.Find(finding.TFTPUnreachable.With(server[0].Get("server")+" through the tunnel"), server...)
	}
}, finding.TFTPUnreachable, finding.TFTPFileMissing, finding.FilesRefused, finding.TrustListMismatch, finding.ForeignTFTPServer, finding.HomeNetworkOverlaps, finding.ConfigInvalid)

// The phone's two file servers, asked for the phone's own file in plain, give what is not the same.
var _ = rule(func(c *Case) {
	for _, first := range c.Of(fact.WalkAsked, "place", "1") {
		for _, second := range c.Of(fact.WalkAsked, "place", "2", "name", first.Get("name")) {
			if first.Get("sha256") != second.Get("sha256") {
				c.Find(finding.SecondTFTPAnswers.With(first.Get("server"), second.Get("server")), first, second)
			}
		}
	}
}, finding.SecondTFTPAnswers)

// silentFileServers returns what was asked of each server that answers through the tunnel in none of its ways.
func (c *Case) silentFileServers() [][]fact.Fact {
	byServer := map[string][]fact.Fact{}
	answers := map[string]bool{}
	var order []string
	for _, f := range c.All(fact.WalkAsked) {
		if f.Get("from") != "tunnel" {
			continue
		}
		server := f.Get("server")
		if byServer[server] == nil {
			order = append(order, server)
		}
		byServer[server] = append(byServer[server], f)
		answers[server] = answers[server] || f.Get("outcome") != "silent"
	}
	var silent [][]fact.Fact
	for _, server := range order {
		if !answers[server] {
			silent = append(silent, byServer[server])
		}
	}
	return silent
}

// A phone that is in the office needs no gateway; outside it does.
var _ = rule(func(c *Case) {
	f, ok := c.First(fact.WalkVPN)
	if ok && f.Get("ok") == "false" && c.brokeAt("connect") {
		c.Find(finding.VPNNotConfigured.With(f.Get("device")), f)
	}
}, finding.VPNNotConfigured)

// brokeAt reports whether the walk ended at this step.
func (c *Case) brokeAt(step string) bool {
	return len(c.Of(fact.WalkStep, "step", step, "ok", "false")) > 0
}

// A trust verification service that answers on TCP and not as the phone wants is no matter of reach.
var _ = rule(func(c *Case) {
	if c.officeIsDark() {
		return
	}
	for _, f := range c.reached("trust verification service", false) {
		if reason := f.Get("reason"); reason != "tls" && reason != "other" {
			c.Find(finding.TVSUnreachable.With(f.Get("address")).As(finding.Likely), f)
		}
	}
}, finding.TVSUnreachable)

// reached returns the attempts by TCP at servers of this kind that came out so.
func (c *Case) reached(what string, ok bool) []fact.Fact {
	return c.Of(fact.WalkReach, "what", what, "ok", strconv.FormatBool(ok))
}

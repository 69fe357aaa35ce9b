package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The gateway's certificate was held against the phone's file, as the phone does it.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.WalkPinned) {
		if f.Get("ok") == "false" {
			c.Find(finding.CertificateHashMismatch.With(hashWords(f.Get("sha1"))), f)
		}
	}
	for _, f := range c.All(fact.WalkNamed) {
		if f.Get("ok") == "false" && f.Get("checked") == "true" {
			c.Find(finding.HostIDMismatch.With(f.Get("host")), f)
		}
	}
}, finding.CertificateHashMismatch, finding.HostIDMismatch)

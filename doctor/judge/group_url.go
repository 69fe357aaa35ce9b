package judge

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The gateway that knows the group URL answers with the cookies that a phone waits for; any other page brings none.
var _ = rule(func(c *Case) {
	if f, ok := c.First(fact.PhoneCookieMissing); ok {
		c.Find(finding.GroupURLMismatch.With("in the phone's file").As(finding.Likely), f)
	}
}, finding.GroupURLMismatch)

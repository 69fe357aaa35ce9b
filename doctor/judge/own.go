package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/stage"
)

// What Longcord itself has found stands, unless the same source says later that the step went well. It comes in the
// order in which it was met: what follows from a broken step comes after it.
var _ = lateRule(func(c *Case) {
	for _, f := range c.All(fact.OwnFinding) {
		d, ok := finding.Lookup(f.Get("code"))
		if !ok || wentWell(c, f, d.Step) {
			continue
		}
		found, ok := d.Read(f.Get("says"))
		if !ok {
			found = d.With(argumentsOf(d, f)...)
		}
		switch certainty := finding.Certainty(f.Get("certainty")); certainty {
		case finding.Likely, finding.Possible:
			found = found.As(certainty)
		}
		c.FindAgain(found, f)
	}
})

// wentWell says whether a step went well further below. That a later one did says as much, but for provisioning: a phone
// lives with the file that it has. Then nothing was wrong with a server that was not in reach, and all with one that was.
func wentWell(c *Case, f fact.Fact, step stage.Step) bool {
	for _, ok := range c.All(fact.OwnStep) {
		var done stage.Step
		if !below(ok, f) || done.UnmarshalText([]byte(ok.Get("step"))) != nil {
			continue
		}
		switch stored := ok.Get("stored") == "true"; {
		case stored && f.Get("code") != finding.TFTPUnreachable.Code:
		case done == step, done > step && step != stage.Provision:
			return true
		}
	}
	return false
}

// otherNames are what attributes of log lines call an argument of a finding.
var otherNames = map[string][]string{
	"phone": {"phone", "device"}, "device": {"phone", "device"}, "user": {"user"}, "reason": {"why", "reason", "err"}, "problem": {"err", "why"},
	"address": {"peer", "address", "server"}, "server": {"server", "peer"}, "name": {"file", "name"}, "file": {"file", "name"}, "line": {"line", "user", "phone"},
	"client": {"user", "phone", "peer"}, "gateway": {"gateway", "name"}, "url": {"url", "path"}, "host": {"host", "name"}, "hash": {"hash", "certificate"},
}

// argumentsOf takes the arguments of a finding out of a log line.
func argumentsOf(d finding.Declaration, f fact.Fact) []any {
	args := make([]any, len(d.Args))
	for i, name := range d.Args {
		args[i] = finding.Unnamed("(the log does not say which " + name + ")")
		for _, other := range append([]string{name}, otherNames[name]...) {
			if v := strings.TrimSpace(f.Get(other)); v != "" {
				args[i] = v
				break
			}
		}
	}
	return args
}

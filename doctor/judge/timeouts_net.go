package judge

import (
	"fmt"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// usualIdle is what ocserv's sample configuration has, in seconds.
const usualIdle = 1200

// shortIdle is an idle limit, in seconds, that a phone may hit although it is registered: it speaks with its call manager
// at least every two minutes.
const shortIdle = 120

// ocserv ended sessions, or will.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.OcservEnded) {
		after := "the time that is set"
		if seconds, err := time.ParseDuration(f.Get("after") + "s"); err == nil {
			after = seconds.String()
		}
		switch f.Get("reason") {
		case "session timeout":
			c.Find(finding.SessionTimeout.With(client(f), after), f)
		case "idle timeout":
			c.Find(finding.IdleTimeout.With(client(f), after), f)
		case "DPD timeout":
			c.Find(c.dead(client(f), f, fact.OcservLogin), f)
		}
	}
	for _, f := range c.All(fact.ClientDead) {
		if f.Get("channel") == "CSTP" {
			c.Find(finding.DeadPeer.With("the gateway").As(finding.Likely), f)
		}
	}
	for _, o := range c.ocservFiles() {
		if n, f, ok := o.number("session-timeout"); ok && n > 0 {
			c.Find(finding.SessionTimeout.With("every phone", seconds(n)).As(finding.Likely), f)
		}
		for _, key := range []string{"idle-timeout", "mobile-idle-timeout"} {
			n, f, ok := o.number(key)
			switch {
			case !ok || n <= 0 || n >= usualIdle:
			case n <= shortIdle:
				c.Find(finding.IdleTimeout.With("every phone", seconds(n)).As(finding.Likely), f)
			default:
				c.Find(finding.IdleTimeout.With("every phone", seconds(n)).As(finding.Possible), f)
			}
		}
	}
}, finding.SessionTimeout, finding.IdleTimeout, finding.DeadPeer)

// seconds writes a time of settings as people say it.
func seconds(n int) string {
	switch {
	case n >= 7200 && n%3600 == 0:
		return fmt.Sprintf("%d hours", n/3600)
	case n >= 120 && n%60 == 0:
		return fmt.Sprintf("%d minutes", n/60)
	}
	return fmt.Sprintf("%d seconds", n)
}

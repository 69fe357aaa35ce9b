package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Services of CUCM that phones need and that do not run. Of a cluster's nodes not all run each.
var _ = rule(func(c *Case) {
	for _, f := range c.Of(fact.CUCMService, "state", "stopped") {
		name := f.Get("service")
		where := "CUCM, whose service " + name + " is stopped"
		var found finding.Finding
		switch name {
		case "Cisco Tftp":
			found = finding.TFTPUnreachable.With(where)
		case "Cisco CallManager":
			found = finding.RegistrationUnreachable.With(where)
		case "Cisco Trust Verification Service":
			found = finding.TVSUnreachable.With(where)
		default:
			continue // without CAPF phones go on
		}
		certainty := finding.Likely
		if strings.Contains(f.Get("reason"), "Not Activated") || len(c.Of(fact.CUCMService, "service", name, "state", "started")) > 0 {
			certainty = finding.Possible
		}
		c.Find(found.As(certainty), f)
	}
}, finding.TFTPUnreachable, finding.RegistrationUnreachable, finding.TVSUnreachable)

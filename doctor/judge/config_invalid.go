package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// What a phone cannot use of its file.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.SEPInvalid) {
		certainty := finding.Certain
		if f.Get("sure") == "likely" {
			certainty = finding.Likely
		}
		c.Find(finding.ConfigInvalid.With(f.Get("file"), f.Get("problem")).As(certainty), f)
	}
	for _, f := range c.All(fact.SEPVPN) {
		if f.Get("whole") == "true" && f.Get("urls") != "0" && f.Get("hashes") == "0" {
			c.Find(finding.ConfigInvalid.With(device(c), "its VPN group has no hash of a certificate, so that the phone believes no gateway").As(finding.Likely), f)
		}
	}
	for _, f := range c.All(fact.PhoneLoadRejected) {
		if strings.Contains(strings.ToUpper(f.Get("text")), "REJECTED HC") {
			c.Find(finding.ConfigInvalid.With("the phone's file", "the load that it names is not for this phone's hardware").As(finding.Likely), f)
		}
	}
	for _, f := range c.All(fact.PhoneFileTooLarge) {
		c.Find(finding.ConfigInvalid.With("the phone's file", "it is too large for the phone's memory"), f)
	}
}, finding.ConfigInvalid)

package judge

import (
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// vpnAlone are findings of what only a phone's VPN needs. A phone on a desk, a router in a lab and a gateway of computers do
// without, so where no phone's VPN is meant they are notes.
var vpnAlone = []finding.Declaration{
	finding.ModelWithoutVPN, finding.LoadTooOld, finding.MPPFirmware, finding.VPNNotConfigured, finding.CUCMVersion, finding.ASAVersion,
	finding.HomeNetworkOverlaps, finding.NetworkDetectionUnreliable,
	finding.SplitTunnel, finding.EssentialsLicense, finding.DTLSCipherMismatch, finding.CertificateHashMismatch,
}

// noteOthers makes notes of what is found of somebody who does not mean a phone's VPN, one for all that an office has.
func (c *Case) noteOthers() {
	if c.meant || c.asksWhatFits() {
		return
	}
	c.note(func(f found) bool { return needsVPN(f.Code) })
}

// noteDoubts makes notes of what is no more than possible where all is well: a verdict of OK does not stand above a fault.
func (c *Case) noteDoubts() {
	if len(c.needs) == 0 && c.broken(party{}) == 0 {
		c.note(func(f found) bool { return f.Certainty == finding.Possible })
	}
}

// note makes notes of such findings, one for all that have the same code.
func (c *Case) note(such func(found) bool) {
	noted := map[string]bool{}
	c.found = slices.DeleteFunc(c.found, func(f found) bool {
		if !such(f) {
			return false
		}
		again := noted[f.Code]
		noted[f.Code] = true
		return again
	})
	for i := range c.found {
		if f := &c.found[i]; such(*f) {
			f.Severity = finding.Note
		}
	}
}

func needsVPN(code string) bool {
	return slices.ContainsFunc(vpnAlone, func(d finding.Declaration) bool { return d.Code == code })
}

// ifMeant makes only possible what is no more than that unless a phone's VPN is meant: the same is found of others for other reasons.
func (c *Case) ifMeant(f finding.Finding) finding.Finding {
	if c.meant {
		return f
	}
	return f.As(finding.Possible)
}

// vpnKinds are what nobody tells who has no phone's VPN: what its client says, and what it is told.
var vpnKinds = []fact.Kind{
	fact.PhoneVPN, fact.PhoneURL, fact.PhoneTLS, fact.PhoneLeafHash, fact.PhoneHashFound, fact.PhoneIssuerMissing, fact.PhoneChainUntrusted,
	fact.PhoneCertificateDate, fact.PhoneHostRefused, fact.PhoneAlert, fact.PhoneLoginReply, fact.PhoneCookieMissing, fact.PhoneLoginRefused,
	fact.PhoneSuiteChanged, fact.PhoneVPNFailed, fact.PhoneVPNUp, fact.PhoneAttempting,
	fact.SEPVPN, fact.FileURL, fact.FileHash, fact.AskedURL, fact.CUCMObject, fact.IOSGroup, fact.IOSProfile,
}

// vpnMeant reports whether the evidence shows that a phone is to come in from outside: its client speaks, its file or its call
// manager names a gateway, somebody asks about a URL, a gateway has a phone's session or groups for phones, or it is our own
// system or walk, which is for nothing else.
func (c *Case) vpnMeant() bool {
	if c.Has(vpnKinds...) {
		return true
	}
	for _, f := range c.Every() {
		source, _, _ := strings.Cut(string(f.Kind), ".")
		switch source {
		case "walk", "own", "system":
			return true
		case "ios":
			if f.Get("vpn-group") != "" {
				return true
			}
		case "asa":
			if f.Get("phone") == "true" || deviceName.MatchString(f.Get("user")) {
				return true
			}
		case "ocserv", "aaa":
			if deviceName.MatchString(f.Get("user")) {
				return true
			}
		}
	}
	for _, o := range c.ocservFiles() {
		if _, phones := o.is("cisco-svc-client-compat", true); phones {
			return true
		}
	}
	return slices.ContainsFunc(c.asas(), (*asaBox).forPhones)
}

// forPhones reports whether an ASA has tunnel groups or group policies for phones, by their names or URLs.
func (b *asaBox) forPhones() bool {
	return slices.ContainsFunc([]fact.Kind{fact.ASAGroup, fact.ASAPolicy, fact.GatewayGroupURL}, func(k fact.Kind) bool {
		return slices.ContainsFunc(b.facts[k], func(f fact.Fact) bool { return ofPhones(f) && !b.toSite(f.Get("group")) })
	})
}

// ofPhones reports whether a tunnel group or a group policy is called after phones, or has a URL that is.
func ofPhones(f fact.Fact) bool {
	return fact.PhoneWord.MatchString(f.Get("group")) || fact.PhoneWord.MatchString(f.Get("policy")) || fact.PhoneWord.MatchString(asaPath(f.Get("url"))) ||
		f.Get("setting") == "group-url" && fact.PhoneWord.MatchString(asaPath(f.Get("value")))
}

// asksWhatFits reports whether only what somebody has is told, and nothing that happened: who shows a phone's file or page, or
// which release runs, asks whether that is fit for VPN.
func (c *Case) asksWhatFits() bool {
	return !slices.ContainsFunc(c.Every(), func(f fact.Fact) bool {
		switch f.Kind {
		case fact.Device, fact.PhonePage, fact.CUCMVersion, fact.ASAVersion, fact.ASALicence:
			return false
		}
		return !strings.HasPrefix(string(f.Kind), "sep.") && !strings.HasPrefix(string(f.Kind), "trust.")
	})
}

package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/stage"
)

// That nothing is known to have failed is no health: most of what is published was never known here. The verdict OK is
// earned by what was seen to work, or by settings that were judged as a whole, as long as nothing that was begun is without
// an end. All that counts for it stands in this file.

// sign is what a kind of fact says of a step.
type sign struct {
	kind   fact.Kind
	step   stage.Step
	says   int
	having []string // values that the fact must have, pairs of name and value
}

const (
	begun  = iota + 1 // the step was begun, and this does not say that it came out
	passed            // it came out, and whoever logs this has more to say when all is well
	worked            // it came out, and a log that says no more may end here
)

// signs are in the order of the story. Step 0: it stands in the fact.
var signs = []sign{
	{fact.FileMissing, stage.Provision, begun, nil},
	{fact.FileDenied, stage.Provision, begun, nil},
	{fact.PhoneFileMissing, stage.Provision, begun, nil},
	{fact.PhoneFileRefused, stage.Provision, begun, nil},
	{fact.PhoneFileTimeout, stage.Provision, begun, nil},
	{fact.FileSent, stage.Provision, worked, nil},
	{fact.FileHeld, stage.Provision, worked, nil},
	{fact.PhoneFetched, stage.Provision, worked, nil},
	{fact.PhoneTrustListTaken, stage.Provision, worked, nil},
	{fact.PhoneTrustListShown, stage.Provision, worked, nil},
	{fact.CUCMTrustList, stage.Provision, worked, []string{"verified", "true"}},
	{fact.ClockState, stage.Provision, worked, []string{"whose", "CUCM", "synchronised", "true"}},

	{fact.GatewayNoName, stage.Connect, begun, nil},
	{fact.GatewayNoAnswer, stage.Connect, begun, nil},
	{fact.NetAnswers, stage.Connect, worked, []string{"by", "tcp"}},
	{fact.GatewayCertificate, stage.Connect, worked, []string{"presented", "true"}},
	{fact.Handshake, stage.Connect, worked, nil},

	{fact.PhoneVPN, stage.Verify, begun, nil},
	{fact.PhoneIssuerMissing, stage.Verify, begun, nil},
	{fact.PhoneURL, stage.Verify, begun, nil},
	{fact.PhoneTLS, stage.Verify, begun, nil},
	{fact.PhoneAlert, stage.Verify, begun, nil},
	{fact.PhoneHashFound, stage.Verify, passed, nil},
	{fact.ClientAsks, stage.Verify, begun, nil},
	{fact.ClientUnknownURL, stage.Verify, begun, nil},
	{fact.ClientLoginRefused, stage.Verify, begun, nil},
	{fact.ClientNoCertificate, stage.Verify, begun, nil},
	{fact.ClientCertificateRefused, stage.Verify, begun, nil},
	{fact.ASALoginRefused, stage.Verify, begun, nil},
	{fact.ASACertificateRefused, stage.Verify, begun, nil},
	{fact.OcservLoginRefused, stage.Verify, begun, nil},
	{fact.OcservCertificateRefused, stage.Verify, begun, nil},
	{fact.AAARefused, stage.Verify, begun, nil},
	{fact.AAAAccepted, stage.Verify, worked, nil},

	{fact.PhoneVPNUp, stage.Tunnel, worked, []string{"order", ""}},
	{fact.ASAEntered, stage.Tunnel, begun, nil},
	{fact.ASAAddress, stage.Tunnel, worked, nil},
	{fact.ASASession, stage.Tunnel, worked, nil},
	{fact.ASASessionEnded, stage.Tunnel, worked, []string{"reason", "User Requested"}},
	{fact.OcservLogin, stage.Tunnel, worked, nil},
	{fact.OcservAddress, stage.Tunnel, worked, nil},
	{fact.ClientUp, stage.Tunnel, worked, nil},
	{fact.ClientNoUDP, stage.Tunnel, worked, nil}, // UDP is tried when the tunnel is up
	{fact.ClientDTLSFailed, stage.Tunnel, worked, nil},

	{fact.PhoneRegisterReply, stage.Register, begun, nil},
	{fact.PhoneRegisterReply, stage.Register, worked, []string{"status", "200"}},
	{fact.RegistrarRefused, stage.Register, begun, nil},
	{fact.RegistrarRegistered, stage.Register, worked, nil},
	{fact.SystemPhone, stage.Register, worked, nil}, // a running system was asked, and this is all that it has to say
	{fact.SystemFinding, stage.Register, worked, nil},
	{fact.SystemUnready, stage.Register, worked, nil},

	{fact.CallStatistics, stage.Call, worked, nil},

	{fact.OwnStep, 0, worked, nil},
	{fact.WalkStep, 0, worked, []string{"ok", "true"}},
}

// stepOf returns the step that a fact with this sign is about.
func (s sign) stepOf(f fact.Fact) stage.Step {
	step := s.step
	if step == 0 && step.UnmarshalText([]byte(f.Get("step"))) != nil {
		return 0
	}
	return step
}

// earn asks for more where OK would not be earned. A warning earns it, too, unless it is no more than possible: it is an answer.
func (c *Case) earn() {
	for _, b := range c.asas() {
		b.doubt()
	}
	if len(c.needs) == 0 {
		c.lost()
	}
	if len(c.needs) > 0 || slices.ContainsFunc(c.found, func(f found) bool { return f.Severity == finding.Warning && f.Certainty != finding.Possible }) {
		return
	}
	var came, works stage.Step // the furthest step that came out, and the furthest that may be the end
	for _, s := range signs {
		for _, f := range c.Of(s.kind, s.having...) {
			if s.says >= passed {
				came = max(came, s.stepOf(f))
			}
			if s.says == worked {
				works = max(works, s.stepOf(f))
			}
		}
	}
	for _, f := range c.Every() {
		if f.Get("then") == "in" { // what it says did not work did later
			came, works = max(came, stage.Verify), max(works, stage.Verify)
		}
	}
	var open fact.Fact // the last that was begun and has no end
	for _, s := range signs {
		if f, ok := c.Last(s.kind); ok && s.says == begun && s.step > came && (open.Kind == "" || !below(open, f)) {
			open = f
		}
	}
	tried, _ := fact.SymptomOf(fact.PhoneVPNFailed)
	switch {
	case strings.HasPrefix(string(open.Kind), "phone."):
		c.Need(tried.Ask...) // it is a piece of what would tell
	case open.Kind != "":
		c.Need(fmt.Sprintf("line %d of %s does not say how it went on: %q. Send what follows it, and what the other side logged at that time", open.Line, open.Source, open.Text))
	case works == 0 && !c.settled():
		c.Need("nothing in this shows that a phone's way works, or where it ends: send a phone's console log, its SEP file, or the configuration or log of the gateway; " +
			"`longcord doctor ask phone` says how to get them")
	}
}

// settled reports whether settings were given that can be judged as a whole: those of a phone, or those that a gateway or
// call manager has for phones.
func (c *Case) settled() bool {
	profile := len(c.Of(fact.IOSProfile, "setting", "")) < len(c.All(fact.IOSProfile))
	return slices.ContainsFunc(c.Of(fact.SEPFile, "whole", "true"), func(f fact.Fact) bool { return f.Get("form") != "encrypted" }) ||
		len(c.Of(fact.SEPVPN, "whole", "true")) > 0 ||
		len(c.Of(fact.ASALicence, "feature", "phone", "value", "Enabled")) > 0 ||
		profile && len(c.Of(fact.IOSGroup, "setting", "vpn-gateway")) > 0 ||
		slices.ContainsFunc(c.asas(), (*asaBox).settled) || slices.ContainsFunc(c.ocservFiles(), ocservFile.settled)
}

// settled reports whether the ASA's configuration has what phones go through: a webvpn that is on, and one of their tunnel
// groups with its policy and pool.
func (b *asaBox) settled() bool {
	if _, on := b.webvpn("enable"); !on {
		return false
	}
	return slices.ContainsFunc(b.facts[fact.ASAGroup], func(f fact.Fact) bool {
		g := asaGroup{name: f.Get("group"), policy: b.policyOf(f.Get("group"))}
		names, _ := b.pools(g)
		return g.name != asaDefaultGroup && g.policy != "" && len(names) > 0
	})
}

// doubt asks about what stands in the ASA's configuration, bears on phones, and cannot be judged here.
func (b *asaBox) doubt() {
	for _, p := range b.phonePolicies() {
		if f, ok := b.setting(p.policy, "vpn-filter"); ok && f.Get("value") != "none" {
			list := strings.TrimPrefix(f.Get("value"), "value ")
			if _, permits := b.last(fact.ASAAccessList, "list", list, "permits", "true"); !permits {
				b.c.Need(fmt.Sprintf("send `show run access-list %s`: by it group-policy %s filters what phones may reach, and in what was sent it lets nothing through", list, f.Get("policy")))
			}
		}
	}
	for _, g := range b.phoneGroups() {
		how, _ := b.last(fact.ASAGroup, "group", g.name, "setting", "authentication")
		if f, ok := b.last(fact.ASAGroup, "group", g.name, "setting", "authentication-server-group"); ok && f.Get("value") == "LOCAL" &&
			how.Get("value") != "certificate" && len(b.facts[fact.ASAUser]) == 0 {
			b.c.Need(fmt.Sprintf("send `show run username`: tunnel-group %s lets in users of the ASA itself, and none is in what was sent", g.name))
		}
	}
}

// settled reports whether the file says who may log in, with which certificate ocserv shows itself, and which addresses there are.
func (o ocservFile) settled() bool {
	_, who := o.last("auth")
	_, shows := o.last("server-cert")
	_, addresses := o.last("ipv4-network")
	return who && shows && addresses
}

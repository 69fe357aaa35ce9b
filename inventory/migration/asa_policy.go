package migration

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/asa"
)

// setting puts the words that follow an attribute into a policy. It returns why not, or nothing.
type setting func(p *inventory.GroupPolicy, rest []string) (why string)

// policySettings are the attributes of a group policy that have their like here. Those of webvpn are
// known as anyconnect and, in old versions, as svc.
var policySettings = map[string]setting{
	"banner value":                        banner,
	"banner none":                         func(p *inventory.GroupPolicy, _ []string) string { p.Banner = inventory.None; return "" },
	"dns-server value":                    texts(func(p *inventory.GroupPolicy) *[]string { return &p.DNSServers }),
	"wins-server value":                   texts(func(p *inventory.GroupPolicy) *[]string { return &p.WINSServers }),
	"split-dns value":                     texts(func(p *inventory.GroupPolicy) *[]string { return &p.SplitDNS }),
	"split-dns none":                      func(p *inventory.GroupPolicy, _ []string) string { p.SplitDNS = []string{inventory.None}; return "" },
	"address-pools value":                 texts(func(p *inventory.GroupPolicy) *[]string { return &p.AddressPools }),
	"default-domain value":                word(func(p *inventory.GroupPolicy) *string { return &p.DefaultDomain }),
	"split-tunnel-policy":                 word(func(p *inventory.GroupPolicy) *string { return &p.SplitTunnelPolicy }),
	"split-tunnel-all-dns":                truth(func(p *inventory.GroupPolicy) **bool { return &p.SplitTunnelAllDNS }),
	"client-bypass-protocol":              truth(func(p *inventory.GroupPolicy) **bool { return &p.ClientBypassProtocol }),
	"smartcard-removal-disconnect":        truth(func(p *inventory.GroupPolicy) **bool { return &p.SmartcardRemovalDisconnect }),
	"vpn-idle-timeout":                    times(60, func(p *inventory.GroupPolicy) **int { return &p.IdleTimeout }),
	"vpn-session-timeout":                 times(60, func(p *inventory.GroupPolicy) **int { return &p.SessionTimeout }),
	"vpn-simultaneous-logins":             times(1, func(p *inventory.GroupPolicy) **int { return &p.SimultaneousLogins }),
	"webvpn ssl dtls":                     truth(func(p *inventory.GroupPolicy) **bool { return &p.DTLS }),
	"webvpn dtls":                         truth(func(p *inventory.GroupPolicy) **bool { return &p.DTLS }),
	"webvpn ssl keepalive":                times(1, func(p *inventory.GroupPolicy) **int { return &p.KeepAlive }),
	"webvpn keepalive":                    times(1, func(p *inventory.GroupPolicy) **int { return &p.KeepAlive }),
	"webvpn dpd-interval client":          times(1, func(p *inventory.GroupPolicy) **int { return &p.DPDClient }),
	"webvpn dpd-interval gateway":         times(1, func(p *inventory.GroupPolicy) **int { return &p.DPDGateway }),
	"webvpn ssl rekey time":               times(60, func(p *inventory.GroupPolicy) **int { return &p.RekeyTime }),
	"webvpn rekey time":                   times(60, func(p *inventory.GroupPolicy) **int { return &p.RekeyTime }),
	"webvpn ssl rekey method":             rekey,
	"webvpn rekey method":                 rekey,
	"webvpn mtu":                          mtu,
	"webvpn smartcard-removal-disconnect": truth(func(p *inventory.GroupPolicy) **bool { return &p.SmartcardRemovalDisconnect }),
}

// unneededPolicy are attributes of a group policy that set nothing which exists here, by their first words.
var unneededPolicy = map[string]string{
	"webvpn ask":                       "phones and OpenConnect are not asked",
	"webvpn ssl compression":           "nothing is compressed here",
	"webvpn compression":               "nothing is compressed here",
	"webvpn keep-installer":            "no client is installed from here",
	"webvpn profiles":                  "no profile is sent; the client's own stays",
	"webvpn modules":                   "no client is installed from here",
	"webvpn ssl df-bit-ignore":         "packets that do not fit are answered to their sender",
	"webvpn always-on-vpn":             "the client's profile decides",
	"webvpn customization":             "web pages are not served here",
	"webvpn url-list":                  "web pages are not served here",
	"webvpn homepage":                  "web pages are not served here",
	"webvpn file":                      "web pages are not served here",
	"webvpn url-entry":                 "web pages are not served here",
	"webvpn hidden-shares":             "web pages are not served here",
	"webvpn http-proxy":                "web pages are not served here",
	"webvpn port-forward":              "web pages are not served here",
	"webvpn functions":                 "web pages are not served here",
	"webvpn svc":                       "",
	"webvpn required":                  "",
	"webvpn none":                      "",
	"password-storage":                 "of IPsec clients",
	"ip-comp":                          "of IPsec clients",
	"re-xauth":                         "of IPsec clients",
	"pfs":                              "of IPsec clients",
	"ipsec-udp":                        "of IPsec clients",
	"ipsec-udp-port":                   "of IPsec clients",
	"backup-servers":                   "of IPsec clients",
	"nem":                              "of hardware clients",
	"secure-unit-authentication":       "of hardware clients",
	"user-authentication":              "of hardware clients",
	"user-authentication-idle-timeout": "of hardware clients",
	"ip-phone-bypass":                  "of hardware clients",
	"leap-bypass":                      "of hardware clients",
	"client-firewall":                  "the client's own firewall is not managed here",
	"intercept-dhcp":                   "of Windows XP",
	"msie-proxy":                       "browsers are not managed here",
	"gateway-fqdn":                     "",
}

func (m *asaMigration) policy(b *asa.Block) {
	at := m.atLine(b.Line, "group-policy "+b.Name)
	p := &inventory.GroupPolicy{Name: b.Name}
	m.inherit(p, b, at)
	split := ""
	for _, a := range b.Attributes {
		if list, is := m.policyAttribute(p, a); is {
			split = list
		}
	}
	if split != "" {
		m.splitNetworks(p, split, at)
	}
	m.add(p, at)
}

// asaLogins is how many sessions a user may have where nothing is said.
const asaLogins = 3

// closePolicies shuts the policies that let nobody in, and sees that those that say they do are not shut by
// what they take from the default policy.
func (m *asaMigration) closePolicies() {
	base := asaLogins
	if d := m.set.GroupPolicies[inventory.DefaultPolicy]; d != nil && d.SimultaneousLogins != nil {
		base = *d.SimultaneousLogins
	}
	for name, p := range m.set.GroupPolicies {
		if m.closed[name] {
			p.SimultaneousLogins = ptr(0)
		} else if m.closed[inventory.DefaultPolicy] && m.open[name] && p.SimultaneousLogins == nil {
			p.SimultaneousLogins = ptr(base)
		}
	}
}

// inherit takes what "group-policy B internal from A" copies.
func (m *asaMigration) inherit(p *inventory.GroupPolicy, b *asa.Block, at position) {
	w := b.Words
	switch {
	case len(w) > 2 && w[1] == "from":
		if from := m.set.GroupPolicies[w[2]]; from != nil {
			*p = *from
			p.Name = b.Name
		} else {
			m.remark(Lost, at, "takes after %s, which does not stand above it", w[2])
		}
	case len(w) > 0 && w[0] == "external":
		m.remark(Lost, at, "is kept by a RADIUS server; here a server only names the policy, so write its attributes by hand")
	}
}

// policyAttribute takes one attribute. It returns the name of the list that a split policy speaks of.
func (m *asaMigration) policyAttribute(p *inventory.GroupPolicy, a asa.Attribute) (split string, is bool) {
	at := m.at(a.From)
	w := m.named(a)
	switch text := strings.Join(w, " "); {
	case strings.HasPrefix(text, "vpn-filter "):
		m.filter(p, w, at)
	case strings.HasPrefix(text, "split-tunnel-network-list value ") && len(w) > 2:
		return w[2], true
	case strings.HasPrefix(text, "vpn-tunnel-protocol "):
		if !slices.Contains(w, "ssl-client") && !slices.Contains(w, "svc") {
			m.closed[p.Name] = true
			m.remark(Changed, at, "lets no SSL client in: simultaneousLogins 0 says so here")
		} else {
			m.open[p.Name] = true
		}
	case strings.HasPrefix(text, "group-lock value "):
		m.closed[p.Name] = true
		m.remark(Lost, at, "a policy has no lock here; users have (groupLock). So that nobody gets further than before, its simultaneousLogins are 0: change that when the users have their locks")
	case strings.HasPrefix(text, "vpn-access-hours value "):
		m.closed[p.Name] = true
		m.remark(Lost, at, "there are no hours of access here. So that nobody gets further than before, its simultaneousLogins are 0")
	case len(w) > 1 && w[len(w)-1] == inventory.None && policySettings[text] == nil && !knownSetting(w):
		m.remark(Unneeded, at, "sets nothing")
	default:
		m.simpleAttribute(p, w, at)
	}
	return "", false
}

// named returns the words of an attribute under one name in all versions.
func (m *asaMigration) named(a asa.Attribute) []string {
	w := a.Words
	if a.Mode == "webvpn" && (w[0] == "anyconnect" || w[0] == "svc") && len(w) > 1 {
		w = w[1:]
	}
	if a.Mode != "" {
		w = append([]string{a.Mode}, w...)
	}
	return w
}

func knownSetting(w []string) bool {
	_, _, ok := settingFor(w)
	return ok
}

// settingFor finds the longest attribute that words begin with.
func settingFor(w []string) (s setting, rest []string, ok bool) {
	for n := len(w); n > 0; n-- {
		if s, ok := policySettings[strings.Join(w[:n], " ")]; ok {
			return s, w[n:], true
		}
	}
	return nil, nil, false
}

func (m *asaMigration) simpleAttribute(p *inventory.GroupPolicy, w []string, at position) {
	if s, rest, ok := settingFor(w); ok {
		if why := s(p, rest); why != "" {
			m.remark(Lost, at, "%s", why)
		}
		return
	}
	for n := len(w); n > 0; n-- {
		if why, ok := unneededPolicy[strings.Join(w[:n], " ")]; ok {
			m.remark(Unneeded, at, "%s", why)
			return
		}
	}
	m.remark(Lost, at, "has no like here")
}

func banner(p *inventory.GroupPolicy, rest []string) string {
	line := strings.Join(rest, " ")
	if p.Banner != "" && p.Banner != inventory.None {
		line = p.Banner + "\n" + line
	}
	p.Banner = line
	return ""
}

func texts(field func(*inventory.GroupPolicy) *[]string) setting {
	return func(p *inventory.GroupPolicy, rest []string) string {
		*field(p) = rest
		return ""
	}
}

func word(field func(*inventory.GroupPolicy) *string) setting {
	return func(p *inventory.GroupPolicy, rest []string) string {
		if len(rest) != 1 {
			return "has no single value"
		}
		*field(p) = rest[0]
		return ""
	}
}

func truth(field func(*inventory.GroupPolicy) **bool) setting {
	return func(p *inventory.GroupPolicy, rest []string) string {
		if len(rest) == 0 {
			return "has no value"
		}
		*field(p) = ptr(rest[0] == "enable")
		return ""
	}
}

// times takes a number of some unit, in seconds, or none.
func times(unit int, field func(*inventory.GroupPolicy) **int) setting {
	return func(p *inventory.GroupPolicy, rest []string) string {
		if len(rest) == 0 {
			return "has no value"
		}
		if rest[0] == inventory.None {
			*field(p) = ptr(0)
			return ""
		}
		n, err := strconv.Atoi(rest[0])
		if err != nil || n < 0 || n > 1<<24 {
			return fmt.Sprintf("%q is no number that can be carried over", rest[0])
		}
		*field(p) = ptr(n * unit)
		return ""
	}
}

func rekey(p *inventory.GroupPolicy, rest []string) string {
	switch strings.Join(rest, " ") {
	case "ssl", "new-tunnel":
		p.RekeyMethod = inventory.RekeyNewTunnel
	case "none":
		p.RekeyMethod = inventory.None
	default:
		return "is no way of changing keys that is known here"
	}
	return ""
}

func mtu(p *inventory.GroupPolicy, rest []string) string {
	n, err := strconv.Atoi(strings.Join(rest, ""))
	if err != nil {
		return "is no number"
	}
	p.MTU = min(n, inventory.MaxMTU)
	if n > p.MTU {
		return fmt.Sprintf("%d is the most here", p.MTU)
	}
	return ""
}

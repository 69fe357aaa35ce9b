package judge

import (
	"cmp"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// asaBox is one ASA, put together from everything that was sent of it.
type asaBox struct {
	name  string // as people call it
	facts map[fact.Kind][]fact.Fact
	c     *Case
}

// asaKinds are the kinds that an ASA tells of itself.
var asaKinds = []fact.Kind{
	fact.ASAVersion, fact.ASALicence, fact.ASAConfiguration, fact.ASAPolicy, fact.ASAGroup, fact.ASAUser, fact.ASAWebVPN, fact.ASAGlobal, fact.ASAInterface, fact.ASAInterfaceDown,
	fact.ASARoute, fact.ASATranslation, fact.ASARange, fact.ASAAccessList, fact.ASATrustpoint, fact.ASACertificateRule, fact.ASASession, fact.ASALicenceUse, fact.ASAImages,
	fact.GatewayPool, fact.GatewayGroupURL, fact.GatewayCertificate,
}

// nameless is an ASA whose configuration has no host name.
const nameless = "the ASA"

// named returns the name as it stands behind "the gateway".
func (b *asaBox) named() string {
	if b.name == nameless {
		return "(ASA)"
	}
	return b.name
}

// asas returns the ASAs of a case. What has no name belongs to the only one that has.
func (c *Case) asas() []*asaBox {
	var names []string
	seen := false
	for _, k := range asaKinds {
		for _, f := range c.All(k) {
			seen = seen || strings.HasPrefix(string(k), "asa.")
			if name := f.Get("gateway"); name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if !seen {
		return nil
	}
	if len(names) == 0 {
		names = []string{""}
	}
	boxes := make([]*asaBox, 0, len(names))
	for _, name := range names {
		b := &asaBox{name: cmp.Or(name, nameless), facts: map[fact.Kind][]fact.Fact{}, c: c}
		for _, k := range asaKinds {
			for _, f := range c.All(k) {
				if of := f.Get("gateway"); of == name || of == "" && len(names) == 1 {
					b.facts[k] = append(b.facts[k], f)
				}
			}
		}
		boxes = append(boxes, b)
	}
	return boxes
}

// whole reports whether all of the configuration was sent, so that what is not there is not set.
func (b *asaBox) whole() bool {
	return slices.ContainsFunc(b.facts[fact.ASAConfiguration], func(f fact.Fact) bool { return f.Get("whole") == "true" })
}

// last returns the last fact of a kind with these values.
func (b *asaBox) last(k fact.Kind, values ...string) (found fact.Fact, ok bool) {
	for _, f := range b.facts[k] {
		if has(f, values) {
			found, ok = f, true
		}
	}
	return found, ok
}

// listed returns a block that was sent from its beginning to its end, so that what is not in it is not set.
func (b *asaBox) listed(k fact.Kind, values ...string) (fact.Fact, bool) {
	return b.last(k, append(values, "listed", "whole")...)
}

func (b *asaBox) all(k fact.Kind, values ...string) []fact.Fact { return having(b.facts[k], values) }

// setting returns a setting of a group policy: its own, or that of DfltGrpPolicy, which all inherit from.
func (b *asaBox) setting(policy, setting string) (f fact.Fact, ok bool) {
	for _, name := range []string{policy, asaDefaultPolicy} {
		if f, ok = b.last(fact.ASAPolicy, "policy", name, "setting", setting); ok {
			return f, true
		}
	}
	return f, false
}

const (
	asaDefaultPolicy = "DfltGrpPolicy"
	asaDefaultGroup  = "DefaultWEBVPNGroup"
)

// webvpn returns a setting of the gateway's webvpn.
func (b *asaBox) webvpn(setting string) (fact.Fact, bool) {
	f, ok := b.last(fact.ASAWebVPN, "setting", setting)
	return f, ok && !strings.HasPrefix(f.Get("value"), "no ") && f.Get("value") != "no"
}

// asaGroup is a tunnel group that phones use.
type asaGroup struct {
	name      string
	policy    string // its default group policy
	certainty finding.Certainty
	why       []fact.Fact
}

// toSite reports whether a tunnel group is for another site, and for nobody's client.
func (b *asaBox) toSite(group string) bool {
	_, ok := b.last(fact.ASAGroup, "group", group, "setting", "type", "value", "ipsec-l2l")
	return ok
}

// phoneGroups returns the tunnel groups that phones use: those that a phone's file or session names, else those that
// are called after phones, else the only one with a group URL.
func (b *asaBox) phoneGroups() (groups []asaGroup) {
	add := func(name string, certainty finding.Certainty, why ...fact.Fact) {
		if name == "" || name == asaDefaultGroup || b.toSite(name) || slices.ContainsFunc(groups, func(g asaGroup) bool { return g.name == name }) {
			return
		}
		groups = append(groups, asaGroup{name, b.policyOf(name), certainty, why})
	}
	for _, k := range []fact.Kind{fact.FileURL, fact.AskedURL} {
		for _, of := range b.c.All(k) {
			for _, f := range b.facts[fact.GatewayGroupURL] {
				if sameGroupURL(of.Get("url"), f.Get("url")) {
					add(f.Get("group"), finding.Certain, of)
				}
			}
		}
	}
	for _, s := range append(slices.Clone(b.facts[fact.ASASession]), b.c.All(fact.ASAEntered)...) {
		if s.Get("phone") == "true" {
			add(s.Get("group"), finding.Certain, s)
		}
	}
	if len(groups) > 0 {
		return groups
	}
	for _, f := range b.facts[fact.ASAGroup] {
		if ofPhones(f) {
			add(f.Get("group"), finding.Certain)
		}
	}
	if len(groups) > 0 {
		return groups
	}
	guess := b.guess()
	for _, f := range b.facts[fact.GatewayGroupURL] {
		add(f.Get("group"), guess)
	}
	if len(b.facts[fact.GatewayGroupURL]) == 0 {
		for _, f := range b.all(fact.ASAGroup, "setting", "type") {
			if strings.HasPrefix(f.Get("value"), "remote-access") || f.Get("value") == "webvpn" {
				add(f.Get("group"), guess)
			}
		}
	}
	if len(groups) != 1 {
		return nil
	}
	return groups
}

// phonePolicies returns the group policies that phones get, each once.
func (b *asaBox) phonePolicies() (policies []asaGroup) {
	groups := b.phoneGroups()
	for _, s := range append(slices.Clone(b.facts[fact.ASASession]), b.c.All(fact.ASAEntered)...) {
		if s.Get("phone") == "true" && s.Get("policy") != "" {
			groups = append(groups, asaGroup{s.Get("group"), s.Get("policy"), finding.Certain, []fact.Fact{s}})
		}
	}
	if len(groups) == 0 && len(b.facts[fact.ASAGroup]) == 0 {
		for _, f := range b.facts[fact.ASAPolicy] { // a policy was sent alone
			if fact.PhoneWord.MatchString(f.Get("policy")) {
				groups = append(groups, asaGroup{"", f.Get("policy"), finding.Certain, nil})
			}
		}
		if names := b.policies(); len(groups) == 0 && len(names) == 1 {
			groups = append(groups, asaGroup{"", names[0], b.guess(), nil})
		}
	}
	for _, g := range groups {
		if g.policy != "" && !slices.ContainsFunc(policies, func(p asaGroup) bool { return p.policy == g.policy }) {
			policies = append(policies, g)
		}
	}
	return policies
}

func (b *asaBox) policies() (names []string) {
	for _, f := range b.facts[fact.ASAPolicy] {
		if name := f.Get("policy"); name != asaDefaultPolicy && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// policyOf returns the default group policy of a tunnel group; empty: that part of it was not sent.
func (b *asaBox) policyOf(group string) string {
	if f, ok := b.last(fact.ASAGroup, "group", group, "setting", "default-group-policy"); ok {
		return f.Get("value")
	}
	if _, ok := b.listed(fact.ASAGroup, "group", group, "setting", "general-attributes"); ok || b.whole() {
		return asaDefaultPolicy
	}
	return ""
}

// pools returns the names of the address pools of a group, and where they are named.
func (b *asaBox) pools(g asaGroup) (names []string, at []fact.Fact) {
	if f, ok := b.setting(g.policy, "address-pools"); ok && strings.HasPrefix(f.Get("value"), "value ") {
		return strings.Fields(f.Get("value"))[1:], []fact.Fact{f}
	}
	for _, f := range b.all(fact.ASAGroup, "group", g.name, "setting", "address-pool") {
		for _, word := range strings.Fields(f.Get("value")) {
			if !strings.HasPrefix(word, "(") {
				names = append(names, word)
			}
		}
		at = append(at, f)
	}
	return names, at
}

// asaPool is an address pool.
type asaPool struct {
	name        string
	first, last netip.Addr
	at          fact.Fact
}

func (p asaPool) String() string {
	return p.name + " (" + p.first.String() + "-" + p.last.String() + ")"
}

// size is how many addresses a pool has.
func (p asaPool) size() int {
	a, z := p.first.As4(), p.last.As4()
	n := func(b [4]byte) int { return int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3]) }
	return n(z) - n(a) + 1
}

func (p asaPool) has(a netip.Addr) bool {
	return a.IsValid() && !a.Less(p.first) && !p.last.Less(a)
}

// phonePools returns the pools that phones get addresses of; those of the phones' groups, or all when no group is known.
func (b *asaBox) phonePools() (pools []asaPool) {
	var names []string
	for _, g := range b.phoneGroups() {
		of, _ := b.pools(g)
		names = append(names, of...)
	}
	for _, f := range b.facts[fact.GatewayPool] {
		if len(names) > 0 && !slices.Contains(names, f.Get("name")) {
			continue
		}
		if first, last, ok := asaRange(f.Get("network")); ok {
			pools = append(pools, asaPool{f.Get("name"), first, last, f})
		}
	}
	return pools
}

// asaRange reads FIRST-LAST of IPv4.
func asaRange(text string) (first, last netip.Addr, ok bool) {
	first, last, ok = addressRange(text)
	return first, last, ok && first.Is4() && last.Is4()
}

// outside returns the interfaces that serve VPN.
func (b *asaBox) outside() (names []string) {
	for _, f := range b.all(fact.ASAWebVPN, "setting", "enable") {
		if name, _, _ := strings.Cut(f.Get("value"), " "); name != "" && name != "no" {
			names = append(names, strings.ToLower(name))
		}
	}
	return names
}

func asaPath(value string) string {
	u, err := url.Parse(strings.Fields(value + " -")[0])
	if err != nil {
		return ""
	}
	return u.Path
}

// asaVersion is the version of an ASA: 9.8(2)20 is 9, 8, 2.
type asaVersion struct {
	major, minor, maintenance int
	at                        fact.Fact
}

var asaVersionText = regexp.MustCompile(`^(\d+)\.(\d+)(?:\((\d+))?`)

func asaRelease(f fact.Fact) (r asaVersion, ok bool) {
	m := asaVersionText.FindStringSubmatch(f.Get("version"))
	if m == nil {
		return r, false
	}
	n := func(s string) int { i, _ := strconv.Atoi(s); return i }
	return asaVersion{n(m[1]), n(m[2]), n(m[3]), f}, true
}

func (r asaVersion) before(major, minor, maintenance int) bool {
	return cmp.Or(cmp.Compare(r.major, major), cmp.Compare(r.minor, minor), cmp.Compare(r.maintenance, maintenance)) < 0
}

func (b *asaBox) version() (asaVersion, bool) {
	for _, f := range b.facts[fact.ASAVersion] {
		if r, ok := asaRelease(f); ok {
			return r, true
		}
	}
	return asaVersion{}, false
}

// asaEvents returns what a log tells of phones: of users that are phones where there are such, else of all.
func (c *Case) asaEvents(k fact.Kind) []fact.Fact {
	all := c.All(k)
	users := c.asaPhoneUsers()
	if len(users) == 0 {
		return all
	}
	var of []fact.Fact
	for _, f := range all {
		if user := f.Get("user"); user == "" || user == "*****" || users[user] || asaDevice.MatchString(user) || f.Get("phone") == "true" {
			of = append(of, f)
		}
	}
	return of
}

var asaDevice = regexp.MustCompile(`SEP[0-9A-Fa-f]{12}`)

// lasting makes a note of what did not last: the same client got further later, or another server answered.
func lasting(found finding.Finding, f fact.Fact) finding.Finding {
	if f.Get("then") == "in" {
		return aside(found)
	}
	return found
}

// asaPhoneUsers are the users that are known to be phones.
func (c *Case) asaPhoneUsers() map[string]bool {
	users := map[string]bool{}
	for _, k := range []fact.Kind{fact.ASAEntered, fact.ASAAddress, fact.ASASession, fact.ASASessionEnded} {
		for _, f := range c.All(k) {
			if f.Get("phone") == "true" && f.Get("user") != "" {
				users[f.Get("user")] = true
			}
		}
	}
	return users
}

// asaPhones counts the phones that are known, by their names.
func (c *Case) asaPhones() int {
	names := map[string]bool{}
	for _, f := range c.All(fact.Device) {
		if name := strings.ToUpper(f.Get("device")); strings.HasPrefix(name, "SEP") {
			names[name] = true
		}
	}
	return len(names)
}

// guess is how far the only group is to be taken for one of phones.
func (b *asaBox) guess() finding.Certainty {
	if b.c.meant {
		return finding.Likely
	}
	return finding.Possible
}

// as lowers a certainty to what is known of the group. What only hampers phones is worth to be known before there are any.
func (g asaGroup) as(f finding.Finding) finding.Finding {
	switch {
	case g.certainty == finding.Possible && f.Severity == finding.Fault:
		return f.As(finding.Possible)
	case g.certainty != finding.Certain && f.Certainty == finding.Certain:
		return f.As(finding.Likely)
	}
	return f
}

// asaNumber reads the first number of a setting's value.
func asaNumber(f fact.Fact) (int, bool) {
	n, err := strconv.Atoi(strings.Fields(f.Get("value") + " -")[0])
	return n, err == nil
}

package judge

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// party is whom a finding is about, as far as it and its evidence say: phones, the users as whom they log in, the
// addresses that they come from, and gateways. Names are sorted by how well they tell one phone from another. The zero
// party is anybody.
type party [parties][]string

const (
	ofPhone = iota
	ofUser
	ofAddress
	ofGateway
	parties
)

// apart reports whether two findings are about different phones, or different gateways: what both name says so. Who
// names nobody may mean anybody.
func (p party) apart(other party) bool {
	for i := range p {
		if len(p[i]) > 0 && len(other[i]) > 0 {
			return !slices.ContainsFunc(p[i], func(name string) bool { return slices.Contains(other[i], name) })
		}
	}
	return false
}

func (p *party) add(kind int, name string) {
	if name != "" && !slices.Contains(p[kind], name) {
		p[kind] = append(p[kind], name)
	}
}

// join adds those of another party.
func (p *party) join(other party) {
	for kind, names := range other {
		for _, name := range names {
			p.add(kind, name)
		}
	}
}

var deviceName = regexp.MustCompile(`SEP[0-9A-Fa-f]{12}`)

// partyOf says whom a finding is about that rests on these facts.
func (c *Case) partyOf(f finding.Finding, on []fact.Fact) party {
	var p party
	for _, name := range deviceName.FindAllString(f.Says, -1) {
		p.add(ofPhone, strings.ToUpper(name))
	}
	// Words in place of a name, and a name in a longer sentence than ours, tell of nobody.
	if d, ok := finding.Lookup(f.Code); ok && len(d.Args) > 0 && d.Args[0] == "user" && !strings.Contains(f.Subject, " ") {
		p.add(ofUser, strings.ToLower(f.Subject))
	}
	for _, each := range on {
		p.join(c.namedIn(each))
	}
	for _, user := range p[ofUser] {
		for _, phone := range c.phonesOf[user] {
			p.add(ofPhone, phone)
		}
	}
	return p
}

// namedIn returns whom a fact names. What a phone keeps or says itself is about that phone, where its source tells of one.
func (c *Case) namedIn(f fact.Fact) party {
	var p party
	for _, name := range []string{"device", "phone", "user", "subject", "file", "says"} {
		p.add(ofPhone, strings.ToUpper(deviceName.FindString(f.Get(name))))
	}
	p.add(ofUser, strings.ToLower(f.Get("user")))
	p.add(ofAddress, f.Get("client"))
	for _, name := range []string{"gateway", "url"} {
		if u, err := url.Parse(f.Get(name)); err == nil {
			p.add(ofGateway, strings.ToLower(u.Hostname()))
		}
	}
	source, _, _ := strings.Cut(string(f.Kind), ".")
	if of := c.speakers[f.Source]; len(of) == 1 && (source == "phone" || source == "sep") {
		p.add(ofPhone, of[0])
	}
	return p
}

// learnParties notes whose phones are whose, and which phones each source tells of.
func (c *Case) learnParties() {
	c.phonesOf, c.speakers = map[string][]string{}, map[string][]string{}
	for _, f := range c.file.Facts {
		p := c.namedIn(f)
		for _, phone := range p[ofPhone] {
			for _, user := range p[ofUser] {
				c.phonesOf[user] = with(c.phonesOf[user], phone)
			}
			c.speakers[f.Source] = with(c.speakers[f.Source], phone)
		}
	}
}

func with(all []string, name string) []string {
	if slices.Contains(all, name) {
		return all
	}
	return append(all, name)
}

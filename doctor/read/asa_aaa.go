package read

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// An ASA that asks those who know users: debug ldap, whose lines begin with the number of a request, and test aaa-server.
// documented: Cisco's guides to LDAP for VPN users, and the ASA's command reference
var (
	asaLDAP        = compile(`^\s*\[-?\d+\] (.+)$`)
	asaLDAPPhrases = phrasesOf(
		says(`^Connect to LDAP server: ldaps?://(?P<server>[^,]*?), status = Failed`, fact.AAANoAnswer, "reason", "the directory cannot be reached"),
		says(`^Unable to read rootDSE\. Can't contact LDAP server`, ""),
		says(`^Simple authentication for (?P<user>.+) returned code \(49\) (?P<reason>.*)`, fact.AAARefused, "vpn", "true", "program", "LDAP"),
		says(`^Authentication successful for (?P<user>\S+)`, fact.AAAAccepted, "program", "LDAP"),
		says(`^Failed to bind as administrator returned code \(49\)`, fact.AAANoAnswer, "reason", "the directory refuses the ASA's own login (ldap-login-dn, ldap-login-password)"),
		says(`^(?:Session (?:Start|End)$|New request Session, |Fiber (?:started|exit)|Creating LDAP context with uri=|Connect to LDAP server: |supportedLDAPVersion|Binding as |Performing |LDAP Search:|User DN = |Talking to |Reading password policy|Read bad password count|Checking password policy|Invalid password for |Message \(|LDAP attributes? |Retrieved User Attributes|Search result parsing)`, ""),
	)
	asaTestTo      = compile(`^INFO: Attempting \w+ test to IP address (?:\(|<)?([^\s()>]+)`)
	asaTestPhrases = phrasesOf(
		says(`^ERROR: Authentication Rejected: (?P<reason>.*)`, fact.AAARefused, "vpn", "true"),
		says(`^ERROR: (?:Authentication|Authorization) Server not responding: (?P<reason>.*)`, fact.AAANoAnswer),
		says(`^INFO: Authentication Successful`, fact.AAAAccepted),
	)
	asaTestUser = compile(`\btest aaa-server authentication \S+.*\busername (\S+)`)
)

var _ = recognise(Recogniser{
	Format: "ASA debug ldap and test aaa-server", Platform: finding.ASA, Early: true,
	Marks: []string{
		"ldap", "simple authentication for", "authentication successful", "as administrator", "session start", "session end", "new request session", "] fiber ",
		"binding as", "user dn = ", "talking to ", "password policy", "bad password count", "invalid password for", "] performing ", "] message (", "user attributes",
		"search result parsing", "attempting ", "authentication rejected", "server not responding", "test aaa-server",
	},
	Alone: true,
	New:   func(in *fact.Input) Reader { return &asaAAA{in: in} },
})

type asaAAA struct {
	in           *fact.Input
	server, user string // of the test
	refused      func() // adds the last refusal, which may turn out to be of the ASA's own login
}

func (r *asaAAA) Line(l Line) bool {
	text := strings.TrimSpace(l.Text)
	if m := asaTestUser.FindStringSubmatch(text); m != nil {
		r.user = m[1]
		return true
	}
	if m := asaTestTo.FindStringSubmatch(text); m != nil {
		r.server = m[1]
		return true
	}
	if p, m := asaTestPhrases.of(text); p != nil {
		values := []string{}
		if r.server != "" && p.tells == fact.AAANoAnswer {
			values = append(values, "server", r.server)
		}
		if r.user != "" && p.tells != fact.AAANoAnswer {
			values = append(values, "user", r.user)
		}
		p.tell(r.in, m, l, values...)
		return true
	}
	of := asaLDAP.FindStringSubmatch(text)
	if of == nil {
		return false
	}
	p, m := asaLDAPPhrases.of(of[1])
	switch {
	case p == nil:
		return false
	case p.tells == fact.AAARefused:
		r.flush()
		r.refused = func() { p.tell(r.in, m, l) }
	case strings.HasPrefix(of[1], "Failed to bind as administrator"):
		r.refused = nil
		p.tell(r.in, m, l)
	default:
		p.tell(r.in, m, l)
	}
	return true
}

func (r *asaAAA) flush() {
	if r.refused != nil {
		r.refused()
		r.refused = nil
	}
}

func (r *asaAAA) End() { r.flush() }

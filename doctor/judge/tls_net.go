package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Handshakes that ocserv could not finish. A gateway on the Internet hears from scanners, too: where sessions come up, it
// need not be the phone.
var _ = rule(func(c *Case) {
	works := c.Has(fact.OcservLogin)
	weigh := func(found finding.Finding) finding.Finding {
		if works {
			return aside(found)
		}
		return found.As(finding.Likely)
	}
	for _, f := range c.All(fact.OcservTLSFailed) {
		switch reason := strings.ToLower(f.Get("reason")); {
		case strings.Contains(reason, "no supported cipher suites"):
			c.Find(weigh(finding.TLSCipher.With("(ocserv)")), f)
		case strings.Contains(reason, "unsupported version"), strings.Contains(reason, "unsupported protocol version"):
			c.Find(weigh(finding.TLSVersion.With("(ocserv)")), f)
		case !works: // closed, timed out, alerts: the other side did not like something
			c.Need("send the phone's console log of the same time: it ended the TLS handshake, and only the phone knows why",
				"send the phone's file and the gateway's certificate, to compare its hash: `openssl s_client -connect HOST:443 -showcerts </dev/null`")
		}
	}
	for _, o := range c.ocservFiles() {
		c.judgePriorities(o)
	}
}, finding.TLSVersion, finding.TLSCipher)

// judgePriorities says what of GnuTLS's priorities leaves out phones. Old ones speak TLS 1.0 with RSA, AES-CBC and SHA-1 and
// nothing else; newer ones more.
func (c *Case) judgePriorities(o ocservFile) {
	f, ok := o.last("tls-priorities")
	if !ok {
		return
	}
	p := readPriorities(f.Get("value"))
	if !p.known {
		return
	}
	if !p.version["1.0"] && !p.version["1.1"] && !p.version["1.2"] {
		c.Find(c.ifMeant(finding.TLSVersion.With("(ocserv)")), f)
		return
	}
	if !p.version["1.0"] {
		c.keepsOutOld(finding.TLSVersion.With("(ocserv)"), "ocserv takes no TLS 1.0: 88xx do without, and 79xx, 89xx and 99xx would not get in", f)
	}
	if !p.rsa || !p.cbc || !p.sha1 {
		c.keepsOutOld(finding.TLSCipher.With("(ocserv)"), "ocserv lacks RSA, AES-CBC or SHA-1: 88xx do without, and 79xx, 89xx and 99xx would not get in", f)
	}
}

// priorities is what of a priority string bears on phones.
type priorities struct {
	known          bool // by what we have seen of GnuTLS; a name of the system's is not
	version        map[string]bool
	rsa, cbc, sha1 bool
}

// readPriorities follows a priority string from left to right. What the first words stand for was seen with GnuTLS 3.7.9
// (docs/wire/foreign-settings.md#priorities).
func readPriorities(text string) priorities {
	p := priorities{version: map[string]bool{}}
	words := strings.Split(text, ":")
	all := func(on bool) {
		for _, v := range []string{"1.0", "1.1", "1.2", "1.3"} {
			p.version[v] = on
		}
	}
	switch words[0] {
	case "NORMAL", "PERFORMANCE", "LEGACY", "SECURE128":
		p.known, p.rsa, p.cbc, p.sha1 = true, true, true, true
		all(true)
	case "PFS":
		p.known, p.cbc, p.sha1 = true, true, true
		all(true)
	case "SECURE192", "SECURE256":
		p.known = true
		all(true)
	case "NONE":
		p.known = true
	default:
		return p
	}
	for _, word := range words[1:] {
		if len(word) < 2 || word[0] != '+' && word[0] != '-' && word[0] != '!' {
			continue
		}
		on, name := word[0] == '+', word[1:]
		switch {
		case name == "VERS-ALL", name == "VERS-TLS-ALL":
			all(on)
		case strings.HasPrefix(name, "VERS-TLS"):
			p.version[strings.TrimPrefix(name, "VERS-TLS")] = on
		case name == "RSA", name == "KX-ALL":
			p.rsa = on
		case name == "AES-128-CBC", name == "CIPHER-ALL":
			p.cbc = on
		case name == "AES-256-CBC": // either of the two is enough for a phone
			p.cbc = p.cbc || on
		case name == "SHA1", name == "MAC-ALL":
			p.sha1 = on
		}
	}
	return p
}

package read

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/internal/secret"
)

// What an excerpt keeps: lines around each that told something, up to a bound, and the last ones, where what nobody
// knows yet may stand.
const (
	excerptAround = 3
	excerptLast   = 60
	excerptMost   = 600
)

// excerpt gathers an excerpt while lines go by.
type excerpt struct {
	kept   []fact.ExcerptLine
	recent []fact.ExcerptLine // the last lines that are not in kept
	after  int                // lines still to keep after one that told something
	keys   keyGuard
}

// keyGuard knows lines of private keys, which no form of one line tells.
type keyGuard struct {
	within bool // an armor that may hold one
	lines  int  // so many still belong to one of PuTTY's
	digits bool // of OpenSSL's text form
}

var (
	armorLine   = regexp.MustCompile(`-{4,5} ?(BEGIN|END) ([\w ]+?) ?-{4,5}`)
	publicArmor = regexp.MustCompile(`CERTIFICATE|\bCRL\b|PUBLIC KEY|DH PARAMETERS|EC PARAMETERS|SIGNATURE`)
	puttyKey    = regexp.MustCompile(`^Private-Lines: (\d{1,4})\s*$`)
	keyNumber   = regexp.MustCompile(`(?i)^\s*(?:private ?exponent|priv|prime ?[12pq]?|exponent ?[12]|exp[12]|coefficient|secret key x|private key)\b[^:]*:\s*$`)
	keyDigits   = regexp.MustCompile(`^\s*(?:[0-9A-Fa-f]{2}:)+(?:[0-9A-Fa-f]{2})?\s*$`)
)

// of reports whether the line is a part of a private key.
func (g *keyGuard) of(text string) bool {
	if m := armorLine.FindStringSubmatch(text); m != nil {
		g.within = m[1] == "BEGIN" && !publicArmor.MatchString(m[2])
		return false
	}
	if g.within {
		return true
	}
	if g.lines > 0 {
		g.lines--
		return true
	}
	if m := puttyKey.FindStringSubmatch(text); m != nil {
		g.lines, _ = strconv.Atoi(m[1])
		return false
	}
	g.digits = g.digits && keyDigits.MatchString(text) || keyNumber.MatchString(text)
	return g.digits && keyDigits.MatchString(text)
}

func (e *excerpt) take(line Line, told bool) {
	text := line.Raw
	if e.keys.of(text) {
		return
	}
	at := fact.ExcerptLine{Line: line.Number, Text: fact.Cut(text)}
	if told && len(e.kept) < excerptMost {
		e.kept = append(e.kept, e.recent[max(0, len(e.recent)-excerptAround):]...)
		e.kept = append(e.kept, at)
		e.recent, e.after = e.recent[:0], excerptAround
		return
	}
	if e.after > 0 && len(e.kept) < excerptMost {
		e.after--
		e.kept = append(e.kept, at)
		return
	}
	if len(e.recent) == 2*excerptLast {
		e.recent = append(e.recent[:0], e.recent[excerptLast:]...)
	}
	e.recent = append(e.recent, at)
}

// lines returns what is kept of the source of that name.
func (e *excerpt) lines(source string) []fact.ExcerptLine {
	all := append(e.kept, e.recent[max(0, len(e.recent)-excerptLast):]...)
	if secretFile.MatchString(path.Base(strings.ReplaceAll(source, `\`, "/"))) {
		return nil
	}
	return withoutPairs(all)
}

// secretFile are names of files that hold secrets and nothing else.
var secretFile = regexp.MustCompile(`(?i)^(?:ocpasswd|\.?htpasswd|passwd|g?shadow|(?:ipsec|chap|pap|sip|radius|l2tp)[.-]secrets?|.*\.secrets?|\.netrc|_netrc|\.pgpass|.*[._-]psks?(?:\.txt)?|id_(?:rsa|dsa|ecdsa|ed25519)|.*\.(?:key|ppk|p12|pfx|jks|keytab))$`)

// pair is a host, or a client and a server, and one word: a line of the list of secrets that RADIUS clients have, of an
// access point's keys, and of nothing else that the doctor reads.
var pair = regexp.MustCompile(`^\s*([\w.:\[\]-]*[.:\w-](?:/[\w.:-]+)?)[ \t]+(\S+)\s*$`)

// withoutPairs takes the secrets out of a list of nothing but hosts with a secret each.
func withoutPairs(all []fact.ExcerptLine) []fact.ExcerptLine {
	pairs := map[int]string{}
	for i, l := range all {
		text := strings.TrimSpace(l.Text)
		if text == "" || strings.HasPrefix(text, "#") || strings.HasPrefix(text, ";") {
			continue
		}
		m := pair.FindStringSubmatch(l.Text)
		if m == nil || !strings.ContainsAny(m[1], ".:/") && m[1] != "localhost" {
			return all
		}
		pairs[i] = m[1] + " " + secret.Redacted
	}
	for i, text := range pairs {
		all[i].Text = text
	}
	return all
}

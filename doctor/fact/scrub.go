package fact

import (
	"regexp"
	"strings"

	"github.com/longcord/longcord/internal/secret"
)

// Scrub takes secrets out of a line that somebody else wrote, in every form in which equipment is known to write them:
// passwords and their hashes, keys, cookies, communities, tokens. What stays tells that something stood there.
func Scrub(line string) string {
	if !strings.ContainsAny(line, " \t\n\v\f\r=:$<{") { // no form does without one of these
		return line
	}
	lower := strings.ToLower(line)
	for _, form := range secrets {
		for _, word := range form.words {
			if strings.Contains(lower, word) {
				line = form.scrub(line)
				break
			}
		}
	}
	return line
}

// secretForm is one form in which secrets are written: its only group is the secret. The words, in lower case, are a
// quick look whether it can be there.
type secretForm struct {
	words   []string
	pattern *regexp.Regexp
}

func (f secretForm) scrub(line string) string {
	var out strings.Builder
	end := 0
	for _, at := range f.pattern.FindAllStringSubmatchIndex(line, -1) {
		if harmless(line[at[2]:at[3]]) {
			continue
		}
		out.WriteString(line[end:at[2]])
		out.WriteString(secret.Redacted)
		end = at[3]
	}
	return out.String() + line[end:]
}

// harmless reports whether a value is none of a secret: a switch, the path of a file, a word about one, what was taken
// out before.
func harmless(value string) bool {
	value = strings.ToLower(strings.Trim(value, `"'`))
	switch value {
	case "", "true", "false", "yes", "no", "on", "off", "0", "1", "none", "null", "enable", "disable", "enabled", "disabled", "required", "optional":
		return true
	case "wrong", "invalid", "incorrect", "refused", "rejected", "right", "correct", "valid", "expired", "missing", "empty", "not", "too", "set", "changed", "case-sensitive", "authentication", "failed", "is", "was":
		return true
	}
	return strings.HasPrefix(value, "/") || strings.HasPrefix(value, secret.Redacted) || strings.Trim(value, "*") == ""
}

const (
	// A value ends at white space, or at its own quotes.
	value = `("[^"]*"|'[^']*'|[^\s;,&"'<>]+)`
	// Names that things with a secret in them have, whatever stands before or behind.
	named = `[\w.-]*(?:passwor[dt]|passwd|passphrase|passcode|secret|pre-?shared-?key|psk|pincode|private[_-]?key|api[_-]?key)[\w.-]*`
)

var secrets = []secretForm{
	// Keys: in PEM on one line, in a log of TLS keys, in what clients print for Wireshark.
	{[]string{"private key"}, regexp.MustCompile(`(?i)-----BEGIN [A-Z ]*PRIVATE KEY-----(.+)`)},
	{[]string{"client_", "server_", "exporter_", "early_", "rsa "}, regexp.MustCompile(`\b(?:(?:CLIENT|SERVER|EXPORTER|EARLY)_[A-Z_0-9]+|RSA) [0-9a-fA-F]{16,} ([0-9a-fA-F]{32,})`)},
	{[]string{"master"}, regexp.MustCompile(`(?i)\b(?:x-dtls-)?(?:pre-?)?master[- ]?(?:secret|key)\s*[:=]\s*` + value)},
	{[]string{"inline:"}, regexp.MustCompile(`\binline:([^\s|]+)`)},

	// HTTP and SIP.
	{[]string{"authorization"}, regexp.MustCompile(`(?i)\b(?:proxy-)?authorization["']?\s*[:=]\s*["']?(?:(?:basic|bearer|digest|negotiate|ntlm)\s+)?(.+)`)},
	{[]string{"cookie"}, regexp.MustCompile(`(?i)\b(?:set-)?cookie["']?\s*[:=]\s*["']?(?:[\w.-]+=)?([^\s;,"']+)`)},
	{[]string{"webvpn", "sessionid=", "session_id=", "session-id=", "sessionkey=", "session_key=", "session-key=", "token=", "sid="}, regexp.MustCompile(`(?i)\b(?:webvpn\w*|j?session[_-]?(?:id|token|key)|ac?samlv2token|token|sid)=` + value)},
	{[]string{"token", "session-id", "ticket"}, regexp.MustCompile(`(?i)<(?:session-|host-scan-)(?:token|id|ticket)\b[^>]*>([^<]+)</`)},
	{[]string{"://"}, regexp.MustCompile(`[A-Za-z][\w+.-]*://[^/\s:@"'<>]*:([^@/\s"'<>]+)@`)},
	{[]string{"response=", "cnonce="}, regexp.MustCompile(`(?i)\b(?:response|cnonce)="?([0-9a-f]{16,})`)},

	// XML and JSON.
	{[]string{"passw", "secret", "psk", "pin", "phrase", "pass", "key"}, regexp.MustCompile(`(?i)<\w*(?:passwor[dt]|passwd|passphrase|secret|psk|pincode|authkey|privatekey|\bpass|\bpin)\w*\b[^>/]*>([^<]+)</`)},
	{[]string{`":`, `" :`}, regexp.MustCompile(`(?i)"(?:` + named + `|[\w.-]*(?:token|cookie|community))"\s*:\s*("(?:[^"\\]|\\.)*")`)},

	// Settings: name=value, name: value.
	{[]string{"passw", "passphrase", "passcode", "secret", "key", "psk", "pincode"}, regexp.MustCompile(`(?i)\b` + named + `["']?\s*=>?\s*` + value)},
	{[]string{"passw", "passphrase", "passcode", "secret", "pre-shared", "psk"}, regexp.MustCompile(`(?i)\b(?:user[-_ ]?|enable[-_ ]?|admin[-_ ]?|tunnel[-_ ]?)?(?:password|passwd|passphrase|passcode|secret|pre-shared-key|psk)\s*:\s*` + value + `\s*$`)},
	{[]string{"pwd=", "pass=", "pin=", "key="}, regexp.MustCompile(`(?i)\b(?:pwd|pass|pin|key|auth_pass)=` + value)},

	// Commands of ASA and IOS.
	{[]string{"passw"}, regexp.MustCompile(`^\s*(?:\S+[>#] ?)?(?:no )?(?:(?:enable|username \S+|user \S+|name \S+)\s+)?(?:(?:privilege|level) \d+ )?(?:password|passwd)\s+(?:[0-9] )?` + value + `(?:\s+(?:level|privilege|encrypted|nt-encrypted|mschap|pbkdf2)\b.*)?\s*$`)},
	{[]string{"password", "secret"}, regexp.MustCompile(`\busername \S+ (?:.*? )?(?:password|secret) (?:[0-9] )?` + value)},
	{[]string{"secret "}, regexp.MustCompile(`^\s*(?:\S+[>#] ?)?(?:enable )?secret (?:[0-9] )?` + value + `\s*$`)},
	{[]string{"password"}, regexp.MustCompile(`\b(?:ldap-login|authentication|server|proxy|auth-user|pkcs12|line|vpdn|ppp)[a-z-]*-password (?:[0-9] )?` + value)},
	{[]string{"pre-shared-key"}, regexp.MustCompile(`\bpre-shared-key (?:local |remote |address \S+ (?:\S+ )?key |hostname \S+ key )?(?:[0-9] )?` + value)},
	{[]string{" key ", "key-string"}, regexp.MustCompile(`\b(?:isakmp|radius-server|tacacs-server|failover|server-private \S+|radius|ospf message-digest-key \d+)(?: .*?)? key(?:-string)? (?:hex )?(?:[0-9] )?` + value)},
	{[]string{"key"}, regexp.MustCompile(`^\s*(?:key|key-string|(?:ntp )?authentication-key \d+ md5) (?:[0-9] )?` + value + `\s*$`)},
	{[]string{"radius-common-pw"}, regexp.MustCompile(`\bradius-common-pw ` + value)},
	{[]string{"community"}, regexp.MustCompile(`\b(?:snmp-server (?:host .*?)?community |community(?: string)?\s*[:=]\s*)(?:[0-9] )?` + value)},
	{[]string{"snmp-server"}, regexp.MustCompile(`\bsnmp-server host \S+ (?:\S+ )*?version (?:1|2c) ` + value)},
	{[]string{" auth "}, regexp.MustCompile(`\bauth (?:md5|sha\S*) ` + value)},
	{[]string{" priv "}, regexp.MustCompile(`\bpriv (?:des|3des|aes(?: \d+)?) ` + value)},

	{[]string{"password", "secret"}, regexp.MustCompile(`\b(?:password|secret) [0-9] ` + value + `\s*$`)},
	{[]string{"password"}, regexp.MustCompile(`\b(?:neighbor \S+|http client(?: \S+)?) password ` + value)},
	{[]string{"authentication-key", " ascii "}, regexp.MustCompile(`\b(?:ospf authentication-key|wpa-psk ascii) (?:[0-9] )?` + value)},

	// What people write, and phones of what was typed into them.
	{[]string{"passw"}, regexp.MustCompile(`(?i)\bpass(?:word|wd|code|phrase)(?: (?:for|of) (?:\S+ ){1,4}?| )(?:is|was):? (?:now )?` + value)},
	{[]string{" pass", ",pass"}, regexp.MustCompile(`(?i)\buser(?:name)? \S+[, ]+(?:and )?pass(?:word|wd)? ` + value)},
	{[]string{"password "}, regexp.MustCompile(`(?i)\bpassword ["']?([^\s"']+)["']? (?:is|was) (?:wrong|invalid|incorrect|refused|rejected)\b`)},
	{[]string{"type=\"password\"", "type=password"}, regexp.MustCompile(`(?i)<input\b[^>]*\btype="?password\b[^>]*\bvalue=` + value)},

	// What command lines give, and hashes of passwords wherever they stand.
	{[]string{"echo ", "printf "}, regexp.MustCompile(`\b(?:echo|printf)(?: -\S+)* ` + value + `\s*\|`)},
	{[]string{"openconnect", "sshpass"}, regexp.MustCompile(`\b(?:openconnect\b.*?\s-C|sshpass -p) ?` + value)},
	{[]string{"--"}, regexp.MustCompile(`(?i)\s--(?:` + named + `|cookie|token-secret)[= ]` + value)},
	{[]string{"curl", "wget"}, regexp.MustCompile(`\s(?:-u|--user) ?['"]?[^\s:'"]+:([^\s'"]+)`)},
	{[]string{"$"}, regexp.MustCompile(`(\$(?:1|2[abxy]?|5|6|7|8|9|14|y|gy|sha\d+|pbkdf2[\w-]*|argon2\w*|scrypt|apr1)\$[^\s:"'<>]+)`)},
	{[]string{"{ssha", "{sha", "{smd5", "{md5", "{crypt", "{plain", "{clear"}, regexp.MustCompile(`(?i)(\{(?:s?sha\d*|s?md5|crypt|plain|clear(?:text)?)\}[^\s:"'<>]+)`)},
}

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
	line = scrubForms(line)
	if m := logged.FindStringSubmatchIndex(line); m != nil {
		line = line[:m[2]] + scrubForms(line[m[2]:m[3]]) + line[m[3]:]
	}
	return line
}

// logged finds a command where somebody typed it, or where equipment logs it, which has the forms of a configuration's line
// by itself: gw(config)# COMMAND, … executed 'COMMAND', … logged command:COMMAND, … cmd=COMMAND <cr>.
var logged = regexp.MustCompile(`(?:^\s*[\w./-]+(?:\([\w-]+\))?[#>] ?|\bexecuted (?:the )?['"]|(?i:\b(?:command|cmd) ?[:=] ?)['"]?)` +
	`(\S.*?)(?:['"](?: command)?\.?| <cr>)?\s*$`)

func scrubForms(line string) string {
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
	case "wrong", "invalid", "incorrect", "refused", "rejected", "right", "correct", "valid", "expired", "missing", "empty", "not", "too", "set", "changed", "case-sensitive", "authentication", "failed", "is", "was",
		"mismatch", "error", "failure", "prompt", "policy", "storage", "management", "encryption", "encrypted", "needed", "and", "or", "for", "of", "only", "field", "input", "file", "database", "column", "chain", "exchange",
		"unchanged", "unset", "unknown", "default", "saved", "accepted", "verified", "sent", "asked", "given", "again", "supplied", "provided", "entered", "typed", "now":
		return true
	}
	return strings.HasPrefix(value, "/") || strings.HasPrefix(value, secret.Redacted) || strings.Trim(value, "*") == ""
}

const (
	// A value ends at white space, or at its own quotes.
	value = `("[^"]*"|'[^']*'|[^\s;,&"'<>]+)`
	// Names that things with a secret in them have, whatever stands before or behind.
	named = `[\w.-]*(?:passwor[dt]|passwd|passphrase|passcode|kennwort|secret|pre-?shared[-_]?(?:key|secret)|psk|pincode|private[-_]?(?:key|exponent)|api[-_]?key|` +
		`auth[-_]?(?:key|string|token)|wep[-_]?key|crypto[-_]?key|key-?material|access[-_]?token|refresh[-_]?token|md5_cred)[\w.-]*|` +
		`[\w.-]*(?:pass|pwd)|(?:[\w.-]*[_.-])?(?:pw|pin|otp)|\w*[A-Z]PW`
	// Commands of configurations after whose last word the secret stands, as a rule with the digit of its form before.
	commanded = `(?:[\w-]*password|passwd|[\w-]*secret|passphrase|pre-shared-key|psksecret|key-string|server-key|pac key|config-key \S+|[\w-]*auth(?:entication)?-key|authkey|auth-string|` +
		`wep-key \d+|omapi-key|wpa-psk (?:ascii|hex)|set-key (?:ascii|hex)|authentication (?:text|string|md5 key-string)|nhrp authentication|standby \d+ authentication|key ascii-text|` +
		`message-digest-key \d+ md5|\bpin)`
)

var secrets = []secretForm{
	// Keys: in PEM on one line, in a log of TLS keys, in what clients print for Wireshark.
	{[]string{"private key"}, regexp.MustCompile(`(?i)-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----(.+)`)},
	{[]string{"client_", "server_", "exporter_", "early_", "rsa "}, regexp.MustCompile(`\b(?:(?:CLIENT|SERVER|EXPORTER|EARLY)_[A-Z_0-9]+|RSA) [0-9a-fA-F]{16,} ([0-9a-fA-F]{32,})`)},
	{[]string{"master"}, regexp.MustCompile(`(?i)\b(?:x-dtls-)?(?:pre-?)?master[- ]?(?:secret|key)\s*[:=]\s*` + value)},
	{[]string{"inline:"}, regexp.MustCompile(`\binline:([^\s|]+)`)},
	{[]string{"key:", "key :"}, regexp.MustCompile(`(?i)\b(?:crypto|session|srtp|wpa\d?|wi-?fi|wlan|pre[- ]?shared|encryption)[ -]key ?: ?` + value + `\s*$`)},
	{[]string{"exponent:", "prime1:", "prime2:", "coefficient:"}, regexp.MustCompile(`(?i)\b(?:private ?exponent|exponent[12]|prime[12]|coefficient): ?(\S+)`)},

	// HTTP and SIP.
	{[]string{"authorization"}, regexp.MustCompile(`(?i)\b(?:proxy-)?authorization["']?\s*[:=]\s*["']?(?:(?:basic|bearer|digest|negotiate|ntlm)\s+)?(.+)`)},
	{[]string{"cookie:"}, regexp.MustCompile(`(?i)\bcookie:\s*[^;]*;(.*\S)`)}, // what follows the first, or a first one's attributes
	{[]string{"cookie"}, regexp.MustCompile(`(?i)\b(?:set-)?cookie["']?\s*[:=]\s*["']?(?:[\w.-]+=)?([^\s;,"']+)`)},
	{[]string{"token:", "api-key:"}, regexp.MustCompile(`(?i)\b[\w-]*(?:token|api-key):\s*` + value + `\s*$`)},
	{[]string{"bearer "}, regexp.MustCompile(`(?i)\bbearer ([\w.~+/=-]{16,})`)},
	{[]string{"eyj"}, regexp.MustCompile(`\b(eyJ[\w-]{8,}\.[\w-]+\.[\w-]*)`)},
	{[]string{"samlre", "answer=", "code="}, regexp.MustCompile(`(?i)(?:^|[?&])(?:SAMLRe(?:sponse|quest)|answer|code)=([^&\s"']+)`)},
	{[]string{"ha1"}, regexp.MustCompile(`\bHA1(?: string)?(?: calculated)?\s*[:=]\s*` + value)},
	{[]string{"webvpn", "sessionid=", "session_id=", "session-id=", "sessionkey=", "session_key=", "session-key=", "token=", "sid="}, regexp.MustCompile(`(?i)\b(?:webvpn\w*|j?session[_-]?(?:id|token|key)|ac?samlv2token|token|sid)=` + value)},
	{[]string{"token", "session-id", "ticket"}, regexp.MustCompile(`(?i)<(?:session-|host-scan-)(?:token|id|ticket)\b[^>]*>([^<]+)</`)},
	{[]string{"://"}, regexp.MustCompile(`[A-Za-z][\w+.-]*://[^/\s:@"'<>]*:([^@/\s"'<>]+)@`)},
	{[]string{"response=", "cnonce="}, regexp.MustCompile(`(?i)\b(?:response|cnonce)="?([0-9a-f]{16,})`)},

	// XML and JSON.
	{[]string{"passw", "secret", "psk", "pin", "phrase", "pass", "key", "auth", "community", "answer"}, regexp.MustCompile(`(?i)<\w*(?:passwor[dt]|passwd|passphrase|secret|psk|pincode|(?:auth|private|preshared|wep|api|encryption)key|keymaterial|auth(?:string|token)|community|\bpass|\bpin|userpin|\banswer|\bkey\b)\w*\b[^>/]*>([^<]+)(?:</|$)`)},
	{[]string{`":`, `" :`}, regexp.MustCompile(`(?i)"(?:` + named + `|[\w.-]*(?:token|cookie|community))"\s*:\s*("(?:[^"\\]|\\.)*")`)},

	// Settings: name=value, name: value.
	{[]string{"="}, regexp.MustCompile(`(?i)(?:^|[^\w.-])(?:` + named + `)["']?\]?\s*[:=]?=>?\s*` + value)},
	{[]string{":"}, regexp.MustCompile(`(?i)(?:^|[^\w.-])(?:` + named + `|(?:pem )?pass phrase|mot de passe|contraseña)(?: for \S+)?["']?\s*::?\s*` + value + `\s*(?:[;#].*)?$`)},
	{[]string{"key=", "keysalt="}, regexp.MustCompile(`(?i)\b(?:key|keysalt)=` + value)},
	{[]string{"register"}, regexp.MustCompile(`(?i)\bregister\s*=>?\s*[^\s:@]+:([^\s@]+)@`)},
	{[]string{"=>"}, regexp.MustCompile(`^\s*\d{2,}\s*=>\s*([^\s,]+),`)}, // voicemail.conf: the box's PIN
	{[]string{"secret \"", "secret ", "omapi-key "}, regexp.MustCompile(`\b(?:secret|omapi-key) ("[^"]*"|[^\s;]+);`)},

	// Commands of ASA and IOS.
	{[]string{"passw"}, regexp.MustCompile(`^\s*(?:\S+[>#] ?)?(?:no )?(?:(?:enable|username \S+|user \S+|name \S+)\s+)?(?:(?:privilege|level) \d+ )?(?:password|passwd)\s+(?:[0-9] )?` + value + `(?:\s+(?:level|privilege|encrypted|nt-encrypted|mschap|pbkdf2)\b.*)?\s*$`)},
	{[]string{"password", "secret"}, regexp.MustCompile(`\busername \S+ (?:.*? )?(?:password|secret) (?:[0-9] )?` + value)},
	{[]string{"secret "}, regexp.MustCompile(`^\s*(?:\S+[>#] ?)?(?:enable )?secret (?:[0-9] )?` + value + `\s*$`)},
	{[]string{"password"}, regexp.MustCompile(`\b(?:ldap-login|authentication|server|proxy|auth-user|pkcs12|line|vpdn|ppp)[a-z-]*-password (?:[0-9] )?` + value)},
	{[]string{"pre-shared-key"}, regexp.MustCompile(`\bpre-shared-key (?:ascii-text |local |remote |address \S+ (?:\S+ )?key |hostname \S+ key )?(?:[0-9] )?` + value)},
	{[]string{" key ", "key-string"}, regexp.MustCompile(`\b(?:isakmp|radius-server|tacacs-server|failover|server-private \S+|radius|ospf message-digest-key \d+)(?: .*?)? key(?:-string)? (?:hex )?(?:[0-9] )?` + value)},
	{[]string{"key"}, regexp.MustCompile(`^\s*(?:key|key-string|(?:ntp )?authentication-key \d+ md5) (?:[0-9] )?` + value + `(?: [0-9])?\s*$`)},
	{[]string{"password", "passwd", "secret", "passphrase", "key", "auth", "psk", "pin"}, regexp.MustCompile(`(?i)(?:^|[\s"'])` + commanded + ` (?:[0-9] |ENC |ascii(?:-text)? |hex )*` + value + `(?: (?:realm \S+|[0-9]{1,2}|encrypted|legacy|old|port \d+|hostname \S+|timeout \d+))?["']?\s*$`)},
	{[]string{"pkcs12", "terminal", "pem ", "passphrase"}, regexp.MustCompile(`\bcrypto (?:ca|pki|key) (?:import|export|decrypt)\b.*? (?:pkcs12|password|passphrase|terminal|3des|des|aes) ` + value + `\s*$`)},
	{[]string{"encryption key"}, regexp.MustCompile(`\bencryption key \d+ size \S+ (?:[0-9] )?` + value)},
	{[]string{"aaa-server"}, regexp.MustCompile(`^\s*aaa-server \S+ (?:\(\S+\) )?host \S+ ` + value + `(?: timeout \d+)?\s*$`)},
	{[]string{"test aaa"}, regexp.MustCompile(`\btest aaa group \S+(?: server \S+)? \S+ ` + value)},
	{[]string{"credential", "url authentication"}, regexp.MustCompile(`\b(?:authentica(?:te|tion) credential|url authentication \S+) \S+ ` + value)},
	{[]string{"night-service code"}, regexp.MustCompile(`\bnight-service code ` + value)},
	{[]string{" security "}, regexp.MustCompile(`\bset-key (?:ascii|hex) (?:[0-9] )?` + value)},
	{[]string{"radius-common-pw"}, regexp.MustCompile(`\bradius-common-pw ` + value)},
	{[]string{"community"}, regexp.MustCompile(`\b(?:snmp-server (?:host .*?)?community |snmp community |r[ow]community6? |community(?: string)?\s*[:=]\s*|community string (?:is )?)(?:[0-9] )?` + value)},
	{[]string{"snmp-server"}, regexp.MustCompile(`\bsnmp-server host \S+ (?:\S+ )*?version (?:1|2c|3 (?:auth|noauth|priv)) ` + value)},
	{[]string{"snmp-server"}, regexp.MustCompile(`\bsnmp-server host (?:\S+ )??[\d.:a-fA-F]+ (?:(?:traps|informs|poll|trap) )?` + value + `\s*$`)},
	{[]string{"com2sec", "trapsink", "trap2sink", "informsink"}, regexp.MustCompile(`^\s*(?:com2sec6? \S+ \S+|(?:trap2?|inform)sink \S+) ` + value)},
	{[]string{"createuser"}, regexp.MustCompile(`\bcreateUser (?:-e \S+ )?\S+ (?:MD5|SHA\S*) ` + value)},
	{[]string{"createuser"}, regexp.MustCompile(`\bcreateUser .* (?:DES|AES\S*) ` + value)},
	{[]string{" auth "}, regexp.MustCompile(`\bauth (?:md5|sha\S*) ` + value)},
	{[]string{" priv "}, regexp.MustCompile(`\bpriv (?:des(?:56)?|3des|aes(?: \d+)?) ` + value)},

	{[]string{"password", "secret"}, regexp.MustCompile(`\b(?:password|secret) [0-9] ` + value + `\s*$`)},
	{[]string{"password"}, regexp.MustCompile(`\b(?:neighbor \S+|http client(?: \S+)?) password ` + value)},

	// Files that hold nothing but secrets: ipsec.secrets, chap-secrets, .netrc, .pgpass.
	{[]string{": psk", ": eap", ": xauth", ": rsa", ": ecdsa", ": pkcs8", ": pin"}, regexp.MustCompile(`:\s+(?:PSK|EAP|XAUTH|NTLM|PIN \S+|(?:RSA|ECDSA|PKCS\w*|BLISS) \S+) ` + value)},
	{[]string{" ", "\t"}, regexp.MustCompile(`^\s*(?:"[^"]*"|[^\s"]+)\s+\*\s+` + value + `(?:\s+\S+)?\s*$`)},
	{[]string{"machine "}, regexp.MustCompile(`\bmachine \S+ .*\bpassword ` + value)},
	{[]string{":"}, regexp.MustCompile(`^(?:\*|localhost|[\w-]+(?:\.[\w-]+)+):(?:\d+|\*):[\w*-]+:[\w*-]+:([^\s:]+)$`)},
	{[]string{":"}, regexp.MustCompile(`^[\w.@-]+:[\w,*-]*:([./0-9A-Za-z]{13})$`)}, // ocpasswd, of crypt's first form

	// What people write, and phones of what was typed into them.
	{[]string{"passw", "secret is", "psk is", "pin is", "key is"}, regexp.MustCompile(`(?i)\b(?:pass(?:word|wd|wort|code|phrase)|shared secret|psk|pin|shared key)(?: (?:for|of) (?:\S+ ){1,4}?| )(?:is|was|ist|war):? (?:now )?` + value)},
	{[]string{"key "}, regexp.MustCompile(`(?i)\b(?:wi-?fi|wpa\d?|srtp|pre[- ]?shared) key ` + value + `\s*$`)},
	{[]string{" pass", ",pass"}, regexp.MustCompile(`(?i)\buser(?:name)? \S+[, ]+(?:and )?pass(?:word|wd)? ` + value)},
	{[]string{"password "}, regexp.MustCompile(`(?i)\bpassword ["']?([^\s"']+)["']? (?:is|was) (?:wrong|invalid|incorrect|refused|rejected)\b`)},
	{[]string{"type=\"password\"", "type=password"}, regexp.MustCompile(`(?i)<input\b[^>]*\btype="?password\b[^>]*\bvalue=` + value)},

	// What command lines give, and hashes of passwords wherever they stand.
	{[]string{"echo ", "printf "}, regexp.MustCompile(`\b(?:echo|printf)(?: -\S+)* ` + value + `\s*\|`)},
	{[]string{"openconnect", "sshpass"}, regexp.MustCompile(`\b(?:openconnect\b.*?\s-C|sshpass -p) ?` + value)},
	{[]string{"mysql", "mariadb"}, regexp.MustCompile(`\b(?:mysql|mariadb)\w*\b.*?\s-p([^\s-]\S*)`)},
	{[]string{"ldap"}, regexp.MustCompile(`\bldap(?:search|modify|add|delete|whoami|passwd|modrdn|compare)\b.*?\s-w ?` + value)},
	{[]string{"snmp"}, regexp.MustCompile(`\bsnmp(?:walk|get|getnext|set|bulkwalk|bulkget|trap|inform|table|status)\b.*?\s-c ?` + value)},
	{[]string{"snmp"}, regexp.MustCompile(`\bsnmp(?:walk|get|getnext|set|bulkwalk|bulkget|trap|inform|table|status)\b.*?\s-A ?` + value)},
	{[]string{"snmp"}, regexp.MustCompile(`\bsnmp(?:walk|get|getnext|set|bulkwalk|bulkget|trap|inform|table|status)\b.*?\s-X ?` + value)},
	{[]string{"radtest"}, regexp.MustCompile(`\bradtest (?:-\S+ \S+ )*\S+ ` + value)},
	{[]string{"radtest"}, regexp.MustCompile(`\bradtest (?:-\S+ \S+ )*\S+ \S+ \S+ \d+ ` + value)},
	{[]string{"smbclient", "rpcclient", "wbinfo", "ntlm_auth"}, regexp.MustCompile(`\b(?:smbclient|rpcclient|wbinfo|ntlm_auth)\b.*?\s(?:-U|--user(?:name)?=|-a) ?[^\s%]+%(\S+)`)},
	{[]string{"plink", "pscp", "psftp"}, regexp.MustCompile(`\b(?:plink|pscp|psftp)\b.*?\s-pw ` + value)},
	{[]string{"pass:"}, regexp.MustCompile(`\s-pass(?:in|out)? pass:` + value)},
	{[]string{"openssl"}, regexp.MustCompile(`\bopenssl \S+.*?\s-(?:k|K|psk|passin|passout) ` + value)},
	{[]string{"storepass", "keypass"}, regexp.MustCompile(`\s-(?:store|key|src\w*|dest\w*)pass ` + value)},
	{[]string{"redis-cli", "docker login"}, regexp.MustCompile(`\b(?:redis-cli\b.*?\s-a|docker login\b.*?\s-p) ` + value)},
	{[]string{"net use"}, regexp.MustCompile(`(?i)\bnet use \S+ \\\\\S+ ` + value)},
	{[]string{"send "}, regexp.MustCompile(`\bsend ("[^"]*\\r")`)},
	{[]string{"--"}, regexp.MustCompile(`(?i)\s--(?:` + named + `|cookie|token-secret)[= ]` + value)},
	{[]string{"curl", "wget"}, regexp.MustCompile(`\s(?:-u|--user) ?['"]?[^\s:'"]+:([^\s'"]+)`)},
	{[]string{"$"}, regexp.MustCompile(`(\$(?:1|2[abxy]?|5|6|7|8|9|14|y|gy|sha\d+|pbkdf2[\w-]*|argon2\w*|scrypt|apr1)\$[^\s:"'<>]+)`)},
	{[]string{"{ssha", "{sha", "{smd5", "{md5", "{crypt", "{plain", "{clear"}, regexp.MustCompile(`(?i)(\{(?:s?sha\d*|s?md5|crypt|plain|clear(?:text)?)\}[^\s:"'<>]+)`)},
}

package asa

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Pasted reads a configuration as people send it to each other: in pieces, with prompts before the commands, without
// its indentation, and with other text between. Its zero value is ready.
type Pasted struct {
	// Host is the name of the ASA, as a prompt or the command hostname tells it.
	Host string

	parser   configurationParser
	lines    int
	whole    bool   // within a configuration that began with its version: every line is part of it
	begun    bool   // there was such a beginning
	tail     bool   // what stands near the end of every configuration was there
	active   bool   // the last line was part of a configuration
	block    string // what the commands below belong to; empty: nothing is open
	indent   int    // of that block
	indented bool   // something below it was indented
	webvpn   bool   // the webvpn part of a policy or user is open, without indentation

	prompted  string // the name in the last prompt, whose ASA or router is not known yet
	pending   string // a line that begins an interface: its next shows whether it is an ASA's
	pendingAt int
}

// modePrompt is a prompt of a configuration mode, which published examples have before each command.
var (
	modePrompt = regexp.MustCompile(`^([0-9A-Za-z][0-9A-Za-z._/-]*) ?\((config[0-9A-Za-z-]*)\) ?# ?(.*)$`)
	execPrompt = regexp.MustCompile(`^([0-9A-Za-z][0-9A-Za-z._/-]*)[#>] ?(.*)$`)
	quoted     = regexp.MustCompile(`^(?:> ?)+`)
)

// Line takes a line and reports whether it is part of a configuration of an ASA.
func (r *Pasted) Line(number int, text string) bool {
	text = visible(strings.TrimRight(text, "\r\n"))
	if len(text) > maxLine || r.lines > maxLines {
		return false
	}
	mode := ""
	if strings.HasPrefix(text, ">") {
		text = quoted.ReplaceAllString(text, "")
	}
	if !mayPrompt(text) {
		// nearly every line of a log
	} else if m := modePrompt.FindStringSubmatch(text); m != nil {
		mode, text = m[2], m[3]
		r.prompted = m[1]
		if !r.active && !strong(splitWords(text)) && mode != "config-webvpn" && !r.isPending(number, text) {
			return false // IOS has such prompts, too
		}
		r.openMode(number, mode, text)
	} else if m := execPrompt.FindStringSubmatch(text); m != nil {
		r.whole, r.active, r.block, r.prompted = false, false, "", m[1]
		return false
	}
	if !r.active && r.isPending(number, text) {
		return false
	}
	if r.pending != "" && strings.HasPrefix(strings.TrimLeft(text, " "), "nameif ") {
		r.active = true
		r.take(r.pendingAt, r.pending, "")
	}
	if r.idle() && mode == "" && !mayBegin(text) {
		return false
	}
	r.pending = ""
	r.active = r.take(number, text, mode)
	if r.active {
		r.lines++
		r.named(r.prompted)
	}
	return r.active
}

// idle reports whether nothing is open, so that only a command which shows alone that it is an ASA's is one.
func (r *Pasted) idle() bool {
	return !r.active && !r.whole && r.block == "" && r.pending == "" && !r.parser.broken
}

// mayPrompt reports whether a line may begin with a prompt: a name, and # or > or a mode in parentheses.
func mayPrompt(text string) bool {
	n := 0
	for n < len(text) && (alphanumeric(text[n]) || n > 0 && strings.IndexByte("._/-", text[n]) >= 0) {
		n++
	}
	rest := strings.TrimPrefix(text[n:], " ")
	return n > 0 && rest != "" && strings.IndexByte("#>(", rest[0]) >= 0
}

func alphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// mayBegin reports whether a line outside of all blocks may matter, by its first word: most lines of a long log do not,
// and need not be taken apart.
func mayBegin(text string) bool {
	text = strings.TrimLeft(text, " ")
	n := 0
	for n < len(text) && (alphanumeric(text[n]) || text[n] == '-') {
		n++
	}
	if n == 0 {
		return text != "" && (text[0] == ':' || text[0] == '"' || text[0] < ' ' || text[0] >= utf8.RuneSelf) // quotes and rare white space
	}
	return strongWords[text[:n]] || n < len(text) && text[n] == '"'
}

// isPending keeps a line that begins an interface, of an ASA or of a router.
func (r *Pasted) isPending(number int, text string) bool {
	if len(text) < 10 || !strings.EqualFold(text[:10], "interface ") {
		return false
	}
	r.pending, r.pendingAt = "interface "+text[10:], number
	return true
}

// openMode opens webvpn where only the prompt says that what follows belongs to it.
func (r *Pasted) openMode(number int, mode, text string) {
	if mode != "config-webvpn" || r.block == "webvpn" || strong(splitWords(text)) {
		return
	}
	r.take(number, "webvpn", "config")
}

func (r *Pasted) named(prompt string) {
	name, _, _ := strings.Cut(prompt, "/")
	if r.Host == "" && name != "" && name != "ciscoasa" && name != "hostname" {
		r.Host = name
	}
}

// Configuration returns what was read.
func (r *Pasted) Configuration() *Configuration {
	if r.parser.result == nil {
		return new(Configuration)
	}
	return r.parser.result
}

// Begun reports whether the beginning of a configuration was there.
func (r *Pasted) Begun() bool { return r.begun }

// Whole reports whether the configuration has its beginning and its end.
func (r *Pasted) Whole() bool { return r.begun && (r.tail || r.Configuration().Ended) }

func (r *Pasted) take(number int, text, mode string) bool {
	if r.parser.result == nil {
		r.parser.result = new(Configuration)
	}
	trimmed := strings.TrimLeft(text, " ")
	words := splitWords(trimmed)
	switch {
	case len(words) == 0:
		r.parser.broken = false
		return r.active
	case trimmed == ": end":
		r.parser.line(number, trimmed, words)
		if !r.whole && !r.active {
			return false
		}
		r.whole, r.block = false, ""
		return true
	case strings.HasPrefix(trimmed, ": Saved"), strings.HasPrefix(trimmed, ": Serial Number:"), strings.HasPrefix(trimmed, ": Hardware:"), trimmed == ":":
		return true
	case trimmed[0] == '!':
		r.parser.broken = false
		return r.active || r.whole
	case strings.HasPrefix(trimmed, "Cryptochecksum:"):
		r.tail = r.whole
		return r.whole || r.active
	case strings.Contains(trimmed, "%ASA-"), strings.HasPrefix(trimmed, "%"), trimmed[0] >= 'A' && trimmed[0] <= 'Z' && sessionField.MatchString(trimmed):
		return false
	case beginsASA(words):
		r.whole, r.begun, r.block = true, true, ""
		r.parser.line(number, trimmed, words)
		return true
	}
	if r.parser.broken && r.parser.continues(text) {
		r.parser.line(number, text, words)
		return true
	}
	indent := len(text) - len(trimmed)
	at, known := r.place(indent, words, mode)
	if !known {
		if !r.whole {
			return false
		}
		at = indent
	}
	if at != indent {
		text = strings.Repeat(" ", at) + trimmed
	}
	r.parser.line(number, text, words)
	if open := r.parser.open; mode != "" && len(open) > 0 {
		open[len(open)-1].command.Typed = true
	}
	r.tail = r.tail || r.whole && words[0] == "prompt"
	if words[0] == "hostname" && len(words) == 2 {
		r.Host = words[1]
	}
	return true
}

// sessionField is a line of a table of sessions or licences, which may follow a configuration.
var sessionField = regexp.MustCompile(`^[A-Z][A-Za-z0-9 /-]{2,40} *: `)

func beginsASA(words []string) bool {
	return len(words) > 2 && (words[0] == "ASA" || words[0] == "PIX") && words[1] == "Version" && words[2][0] >= '6' && words[2][0] <= '9'
}

// place returns the indentation at which a command counts, and whether it is known to be of an ASA.
func (r *Pasted) place(indent int, words []string, mode string) (at int, known bool) {
	if r.block != "" && indent > r.indent {
		r.indented = true
		return indent, true
	}
	if r.block != "" && !r.indented && indent == r.indent {
		if at, ok := r.flat(words); ok {
			return at, true
		}
		if mode != "" && mode != "config" && !strong(words) {
			return r.indent + 1, true
		}
	}
	weak := r.active || r.whole || mode != ""
	if !strong(words) && !(weak && beginnings[words[0]]) && !(weak && words[0] == "no" && len(words) > 1) {
		if r.whole {
			r.block = ""
		}
		return indent, false
	}
	r.block, r.indent, r.indented, r.webvpn = blockOf(words), indent, false, false
	return indent, true
}

// flat places a command of an open block that has lost its indentation.
func (r *Pasted) flat(words []string) (at int, ok bool) {
	word := words[0]
	if word == "no" && len(words) > 1 {
		word = words[1]
	}
	policy := r.block == "policy"
	switch {
	case policy && len(words) == 1 && word == "webvpn":
		r.webvpn = true
		return r.indent + 1, true
	case policy && r.webvpn && ofGateway(words):
		r.lift()
		return r.indent + 1, true
	case policy && r.webvpn && below["policy webvpn"][word]:
		return r.indent + 2, true
	case policy && below["policy"][word]:
		r.webvpn = false
		return r.indent + 1, true
	case r.block == "chain" && (word == "certificate" && len(words) > 1):
		return r.indent + 1, true
	case r.block == "chain" && (word == "quit" || isHex(word)):
		return r.indent + 2, true
	case below[r.block][word]:
		return r.indent + 1, true
	}
	return 0, false
}

// lift makes the webvpn that seemed to be of a policy one of its own, because what follows is of the gateway.
func (r *Pasted) lift() {
	r.block, r.webvpn = "webvpn", false
	if len(r.parser.open) < 2 {
		return
	}
	policy, w := r.parser.open[0].command, r.parser.open[1].command
	policy.Below = slices.DeleteFunc(policy.Below, func(c *Command) bool { return c == w })
	r.parser.result.Commands = append(r.parser.result.Commands, w)
	r.parser.open = []level{{r.indent, w}}
}

// ofGateway reports whether a command below webvpn is one of the gateway, and not of a policy.
func ofGateway(words []string) bool {
	switch words[0] {
	case "enable", "port", "dtls", "tunnel-group-list", "csd", "hostscan", "anyconnect-essentials", "certificate-group-map", "no":
		return true
	case "anyconnect", "svc":
		return len(words) > 1 && (words[1] == "image" || words[1] == "enable" || words[1] == "profiles" && len(words) > 3)
	}
	return false
}

// blockOf names what the commands below a command belong to.
func blockOf(words []string) string {
	last := words[len(words)-1]
	switch words[0] {
	case "group-policy", "username":
		if last == "attributes" || last == "attribute" {
			return "policy"
		}
	case "tunnel-group":
		if strings.HasSuffix(last, "-attributes") {
			return "group"
		}
	case "webvpn", "interface":
		return words[0]
	case "object", "object-group":
		return "object"
	case "aaa-server", "ldap", "dynamic-access-policy-record", "policy-map", "class-map", "router":
		return words[0]
	case "crypto":
		switch {
		case len(words) > 4 && words[2] == "certificate" && words[3] == "chain":
			return "chain"
		case len(words) > 4 && words[2] == "certificate" && words[3] == "map":
			return "map"
		case len(words) > 3 && words[2] == "trustpoint":
			return "trustpoint"
		}
	}
	return ""
}

// below are the words that begin commands of a block, of those that bear on VPN.
var below = map[string]map[string]bool{
	"policy": wordSet(`banner wins-server dns-server dhcp-network-scope vpn-access-hours vpn-simultaneous-logins vpn-idle-timeout
		vpn-session-timeout vpn-filter ipv6-vpn-filter vpn-tunnel-protocol password-storage ip-comp re-xauth group-lock pfs ipsec-udp
		split-tunnel-policy ipv6-split-tunnel-policy split-tunnel-network-list default-domain split-dns split-tunnel-all-dns
		intercept-dhcp address-pools ipv6-address-pools client-bypass-protocol gateway-fqdn vlan nac-settings vpn-group-policy
		vpn-framed-ip-address service-type memberof scep-forwarding-url user-authentication nem backup-servers msie-proxy`),
	"policy webvpn": wordSet(`url-list filter homepage html-content-filter port-forward http-proxy sso-server anyconnect svc deny-message
		keep-alive-ignore http-comp file-entry file-browsing url-entry hidden-shares smart-tunnel activex-relay customization
		always-on-vpn functions storage-objects user-storage`),
	"group": wordSet(`address-pool ipv6-address-pool authentication-server-group authorization-server-group accounting-server-group
		default-group-policy dhcp-server override-account-disable password-management strip-group strip-realm username-from-certificate
		authorization-required authentication group-url group-alias customization hic-fail-group-policy nbns-server radius-reject-message
		without-csd pre-fill-username secondary-pre-fill-username proxy-auth override-svc-download dns-group nat-assigned-to-public-ip
		secondary-authentication-server-group pre-shared-key peer-id-validate chain trust-point isakmp ikev1 ikev2`),
	"webvpn": wordSet(`enable port dtls svc anyconnect csd hostscan tunnel-group-list anyconnect-essentials certificate-group-map
		default-idle-timeout default-language cache error-recovery keepout onscreen-keyboard http-headers internal-password memory-size
		mus portal-access-rule proxy-bypass ssl-server-check tls-only apcf auto-signon character-encoding customization rewrite
		smart-tunnel http-proxy https-proxy`),
	"interface":                    wordSet("nameif security-level ip ipv6 description shutdown speed duplex vlan switchport channel-group management-only"),
	"object":                       wordSet("host subnet range fqdn nat network-object group-object service-object port-object protocol-object icmp-object service"),
	"trustpoint":                   wordSet("enrollment fqdn subject-name keypair crl ip-address validation-usage validation-policy id-usage email serial-number revocation-check proxy-ldc-issuer match client-types"),
	"map":                          wordSet("subject-name issuer-name alt-subject-name extended-key-usage"),
	"aaa-server":                   wordSet("key authentication-port accounting-port timeout retry-interval server-port ldap-base-dn ldap-scope ldap-naming-attribute ldap-login-password ldap-login-dn ldap-over-ssl ldap-attribute-map server-type"),
	"ldap":                         wordSet("map-name map-value"),
	"dynamic-access-policy-record": wordSet("action user-message network-acl priority webvpn description"),
	"router":                       wordSet("network router-id log-adj-changes redistribute passive-interface neighbor area default-information"),
}

// strongWords begin what strong knows, and what begins and ends a configuration.
var strongWords = wordSet(`ASA PIX Cryptochecksum access-group access-list crypto dhcpd dynamic-access-policy-record global group-policy http ip nat no object
	route same-security-traffic ssl static sysopt tunnel-group tunnel-group-map vpn-addr-assign vpn-sessiondb webvpn`)

// strong reports whether a command alone shows that the text is an ASA's configuration.
func strong(words []string) bool {
	if len(words) == 0 || !strongWords[words[0]] {
		return false
	}
	w := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	switch words[0] {
	case "group-policy":
		return w(2) == "internal" || w(2) == "external" || w(2) == "attributes" || w(2) == "attribute"
	case "tunnel-group":
		return w(2) == "type" || strings.HasSuffix(w(2), "-attributes")
	case "webvpn":
		return len(words) == 1
	case "ip":
		return w(1) == "local" && w(2) == "pool" && poolRange.MatchString(w(4)) && (w(5) == "" || w(5) == "mask")
	case "ssl":
		return w(2) != "" && slices.Contains([]string{"trust-point", "encryption", "server-version", "client-version", "cipher", "dh-group", "ecdh-group", "certificate-authentication"}, w(1))
	case "nat", "global":
		return strings.HasPrefix(w(1), "(")
	case "static":
		return strings.HasPrefix(w(1), "(") && strings.Contains(w(1), ",")
	case "same-security-traffic":
		return w(1) == "permit"
	case "crypto":
		return w(1) == "ca" && (w(2) == "trustpoint" || w(2) == "certificate") && w(3) != ""
	case "access-list":
		return w(2) == "extended" || w(2) == "standard" || w(2) == "remark"
	case "sysopt":
		return w(1) == "connection" || w(1) == "noproxyarp"
	case "route":
		return len(words) > 4 && poolRange.MatchString(w(2)+"-"+w(3))
	case "object":
		return w(1) == "network" && w(2) != ""
	case "tunnel-group-map", "dynamic-access-policy-record":
		return len(words) > 1
	case "http":
		return w(1) == "server" && w(2) == "enable"
	case "dhcpd":
		return w(1) == "address"
	case "access-group":
		return w(2) == "in" && w(3) == "interface"
	case "vpn-addr-assign", "vpn-sessiondb":
		return len(words) > 1 && !strings.HasPrefix(w(1), "logoff")
	case "no":
		return len(words) > 2 && (words[1] == "sysopt" || words[1] == "ssl") && strong(words[1:])
	}
	return false
}

var poolRange = regexp.MustCompile(`^\d+\.\d+\.\d+\.\d+(?:-\d+\.\d+\.\d+\.\d+)?$`)

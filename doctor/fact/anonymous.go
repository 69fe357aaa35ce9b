package fact

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// anonymous puts other names and addresses in the place of those in facts, the same everywhere, so that what belongs
// together still does. Private and special addresses stay: half the world has them, and rules look at them. It knows as
// names what stands where names stand; a name in free text that nothing tells is one is not found.
type anonymous struct {
	names map[string]string // in lower case
	cased map[string]string // names as somebody wrote them, to what takes their place; whoever compares letter by letter still sees what differs
	forms map[string]int    // in lower case, to how many ways of writing it were met
	nets4 map[[3]byte]int
	nets6 map[netip.Prefix]int
	macs  map[string]string
	given map[string]int // how many names of a kind were given

	phrases  []string // names of several words, each before what takes its place
	replacer *strings.Replacer
}

// Anonymous returns the file with other addresses and names in it.
func (f *File) Anonymous() *File {
	a := &anonymous{names: map[string]string{}, cased: map[string]string{}, forms: map[string]int{}, nets4: map[[3]byte]int{}, nets6: map[netip.Prefix]int{}, macs: map[string]string{}, given: map[string]int{}}
	for _, each := range f.Facts {
		for name, value := range each.Values {
			if !ownWords(each.Kind, name) {
				a.learn(name, value)
			}
		}
		a.learnText(each.Text)
	}
	for _, e := range f.Excerpts {
		for _, l := range e.Lines {
			a.learnText(l.Text)
		}
	}
	a.replacer = strings.NewReplacer(a.phrases...)
	out := *f
	out.Subject = a.text(f.Subject)
	out.Sources, out.Facts, out.Excerpts = nil, nil, nil
	for _, s := range f.Sources {
		s.Name, s.Problem, s.Unread = a.text(s.Name), a.text(s.Problem), a.text(s.Unread)
		s.Losses = slices.Clone(s.Losses)
		for j := range s.Losses {
			s.Losses[j].Text = a.text(s.Losses[j].Text)
		}
		out.Sources = append(out.Sources, s)
	}
	for _, each := range f.Facts {
		each.Source, each.Text = a.text(each.Source), a.text(each.Text)
		values := make(map[string]string, len(each.Values))
		for name, value := range each.Values {
			if values[name] = value; !ownWords(each.Kind, name) {
				values[name] = a.text(value)
			}
		}
		if each.Values != nil {
			each.Values = values
		}
		out.Facts = append(out.Facts, each)
	}
	for _, e := range f.Excerpts {
		lines := make([]ExcerptLine, len(e.Lines))
		for i, l := range e.Lines {
			lines[i] = ExcerptLine{l.Line, a.text(l.Text)}
		}
		out.Excerpts = append(out.Excerpts, Excerpt{a.text(e.Source), lines})
	}
	return &out
}

// Where names stand in values, and in lines.
var (
	valueNames = map[string]string{
		"user": "user", "client": "user", "username": "user", "group": "group", "policy": "group", "host": "host", "server": "host",
		"names": "host", "gateway": "host", "name": "name", "line": "line", "subject": "name", "issuer": "name",
	}
	linePatterns = []struct {
		kind    string
		pattern *regexp.Regexp
	}{
		{"host", regexp.MustCompile(`[a-z]+://(?:[^/@\s]*@)?([A-Za-z0-9.-]+)`)},
		{"user", regexp.MustCompile(`[a-z]+://([^/:@\s]+)(?::[^/@\s]*)?@`)},
		{"user", regexp.MustCompile(`(?i)\busername[ =:]+["'<]?([\w.@\\-]+)`)},
		{"user", regexp.MustCompile(`(?i)\buser(?:name)?\s*[=:<]\s*["'<]?([\w.@\\-]+)`)},
		{"user", regexp.MustCompile(`(?i)\bUser <([^>]+)>`)},
		{"group", regexp.MustCompile(`(?i)\b(?:Group|GroupPolicy|TunnelGroup) <([^>]+)>`)},
		{"group", regexp.MustCompile(`^(?:tunnel-group|group-policy) (\S+)`)},
		{"host", regexp.MustCompile(`^hostname (\S+)`)},
		{"host", regexp.MustCompile(`^domain-name (\S+)`)},
		{"host", regexp.MustCompile(`^aaa-server \S+ (?:\(\S+\) )?host (\S+)`)},
		{"name", regexp.MustCompile(`^object(?:-group)? network (\S+)`)},
		{"host", regexp.MustCompile(`(?i)\bCN\s*=\s*([\w.*-]+)`)},
		{"name", regexp.MustCompile(`\bO\s*=\s*"?([^,/"]+)`)},
		{"name", regexp.MustCompile(`(?i)\b(?:OU|DC|UID)\s*=\s*"?([^,/"]+)`)},
		{"host", regexp.MustCompile(`\bDNS:([\w.*-]+)`)},
		{"mail", regexp.MustCompile(`(?:^|[^/\w.+-])([\w.+-]+@[\w-]+\.[\w.-]+)`)},
	}
	wordPattern = regexp.MustCompile(`[\pL\pN_](?:[\pL\pN_.@\\-]*[\pL\pN_])?`)
)

// ownWords reports whether a value is one of the words that rules know, and that nobody else has chosen.
func ownWords(kind Kind, name string) bool {
	switch name {
	case "setting", "key", "what", "type", "protocol", "cipher", "outcome", "form", "feature", "scope", "by":
		return true
	case "name":
		return kind == SEPSetting || kind == PhoneAlert || kind == ASALicence
	}
	return false
}

// phoneFile are files that phones ask for, whose names are the vendor's.
var phoneFile = regexp.MustCompile(`(?i)\.(?:loads|sbn|bin|xml|tlv|sgn|jar|raw|rwb|txt)$`)

// PhoneWord is how people call what is for phones; iPhones, smartphones and softphones have another VPN. Rules go by it, so
// what takes the place of such a name has it, too.
var PhoneWord = regexp.MustCompile(`(?i)(?:^|[^it])phone|voip|voice|\bcp-|(?:^|\D)(?:79|88)\d\d(?:\D|$)`)

// plain are words that stand where names stand, and name nobody.
var plain = map[string]bool{
	"": true, "root": true, "admin": true, "unknown": true, "none": true, "any": true, "localhost": true, "outside": true, "inside": true, "asa": true,
	"com": true, "net": true, "org": true, "local": true, "users": true, "ipv4-network": true, "defaultwebvpngroup": true, "dfltgrppolicy": true, "defaultragroup": true, "ocserv": true, "the": true, "name": true, "password": true,
}

func (a *anonymous) learn(name, value string) {
	if u, err := url.Parse(value); err == nil && u.Host != "" {
		a.name("host", u.Hostname())
	}
	kind, ok := valueNames[name]
	if !ok {
		return
	}
	for part := range strings.SplitSeq(value, ",") {
		part = strings.TrimSpace(part)
		if block, of, found := strings.Cut(part, " "); found && (block == "gateway" || block == "context") { // as IOS calls its blocks
			part = of
		}
		if strings.Contains(part, "=") {
			a.learnText(part)
		} else if host, _, found := strings.Cut(part, ":"); found && kind == "host" {
			a.name(kind, host)
		} else {
			a.name(kind, part)
		}
	}
}

func (a *anonymous) learnText(text string) {
	for _, p := range linePatterns {
		for _, m := range p.pattern.FindAllStringSubmatch(text, -1) {
			a.name(p.kind, m[1])
		}
	}
}

var device = regexp.MustCompile(`(?i)^(?:CP-?\d+\w*-)?SEP[0-9A-F]{12}$`)

// name gives a name a new one, if it is one.
func (a *anonymous) name(kind, name string) {
	written := strings.Trim(name, " .*\"'")
	name = strings.ToLower(written)
	if _, known := a.names[name]; known || plain[name] || len(name) < 2 || !strings.ContainsFunc(name, func(r rune) bool { return r > '9' }) || device.MatchString(name) || phoneFile.MatchString(name) {
		return
	}
	if _, err := netip.ParseAddr(name); err == nil || !wordPattern.MatchString(name) {
		return
	}
	a.given[kind]++
	n := a.given[kind]
	switch kind {
	case "host":
		if strings.Contains(name, "vpn") { // names of gateways often have it, and rules look at it
			kind = "vpn"
		}
		a.names[name] = fmt.Sprintf("%s%d.example", kind, n)
	case "mail":
		a.names[name] = fmt.Sprintf("user%d@host.example", n)
	default:
		if kind == "user" && strings.Contains(name, " ") { // phones cannot send it
			kind = "user "
		}
		if PhoneWord.MatchString(name) {
			kind = "phone-" + kind
		}
		a.names[name] = fmt.Sprintf("%s%d", kind, n)
	}
	if wordPattern.FindString(name) != name {
		a.phrases = append(a.phrases, written, a.names[name])
	}
}

var (
	address4 = regexp.MustCompile(`\b(?:\d{1,3}\.){3}\d{1,3}\b`)
	address6 = regexp.MustCompile(`(?i)\b(?:[0-9a-f]{1,4}:){2,7}(?::?[0-9a-f]{1,4})*\b`)
	mac      = regexp.MustCompile(`(?i)\b(SEP)?([0-9a-f]{6})([0-9a-f]{6})\b|\b([0-9a-f]{2}[:.-][0-9a-f]{2}[:.-][0-9a-f]{2})([:.-][0-9a-f]{2}){3}\b|\b([0-9a-f]{4}\.[0-9a-f]{2})[0-9a-f]{2}\.[0-9a-f]{4}\b`)
)

func (a *anonymous) text(s string) string {
	s = mac.ReplaceAllStringFunc(s, a.mac)
	s = address4.ReplaceAllStringFunc(s, a.address)
	s = address6.ReplaceAllStringFunc(s, a.address)
	if len(a.names) == 0 {
		return s
	}
	return wordPattern.ReplaceAllStringFunc(a.replacer.Replace(s), func(word string) string {
		if other, ok := a.other(word); ok {
			return other
		}
		// Parts of a word that is glued together, longest first, such as anna@vpn.example.com.
		parts := strings.FieldsFunc(word, func(r rune) bool { return r == '@' || r == '\\' })
		if len(parts) > 1 {
			sort.Slice(parts, func(i, j int) bool { return len(parts[i]) > len(parts[j]) })
			for _, part := range parts {
				if other, ok := a.other(part); ok {
					word = strings.ReplaceAll(word, part, other)
				}
			}
		}
		return word
	})
}

// other returns what takes the place of a name. The same name in other letters gets the same in other letters: a group URL
// that differs in nothing else is a fault.
func (a *anonymous) other(word string) (string, bool) {
	lower := strings.ToLower(word)
	other, ok := a.names[lower]
	if !ok {
		return "", false
	}
	if _, met := a.cased[word]; !met {
		a.cased[word] = capitals(other, a.forms[lower])
		a.forms[lower]++
	}
	return a.cased[word], true
}

// capitals writes the letters of s large that n counts, as a binary number.
func capitals(s string, n int) string {
	out := []byte(s)
	for i := 0; i < len(out) && n > 0; i++ {
		if out[i] >= 'a' && out[i] <= 'z' {
			if n&1 == 1 {
				out[i] -= 'a' - 'A'
			}
			n >>= 1
		}
	}
	return string(out)
}

// address puts a network of the documentation's benchmarks (RFC 2544, RFC 3849) in the place of a public one; the last
// part stays, so that neighbours stay neighbours.
func (a *anonymous) address(s string) string {
	ip, err := netip.ParseAddr(s)
	if err != nil || !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return s
	}
	if ip.Is4() {
		b := ip.As4()
		if special4(b) {
			return s
		}
		net := [3]byte(b[:3])
		n, ok := a.nets4[net]
		if !ok {
			n = len(a.nets4) % 512
			a.nets4[net] = n
		}
		return netip.AddrFrom4([4]byte{198, byte(18 + n/256), byte(n % 256), b[3]}).String()
	}
	net, err := ip.Prefix(64)
	if err != nil {
		return s
	}
	n, ok := a.nets6[net]
	if !ok {
		n = len(a.nets6) + 1
		a.nets6[net] = n
	}
	b := ip.As16()
	other := [16]byte{0x20, 0x01, 0x0d, 0xb8, 0, 0, byte(n >> 8), byte(n)}
	copy(other[14:], b[14:])
	return netip.AddrFrom16(other).String()
}

// special4 reports whether an address is a mask, of a network that says nothing about its owner, or the number of an
// attribute in certificates, which looks like one: 2.5.4.3 is the common name.
func special4(b [4]byte) bool {
	ip := netip.AddrFrom4(b)
	for _, p := range []string{"0.0.0.0/8", "2.5.4.0/24", "100.64.0.0/10", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"} {
		if netip.MustParsePrefix(p).Contains(ip) {
			return true
		}
	}
	return false
}

// mac keeps the maker's half of a hardware address and numbers the other.
func (a *anonymous) mac(s string) string {
	key := strings.ToLower(strings.NewReplacer(":", "", "-", "", ".", "", "SEP", "", "sep", "").Replace(s))
	other, ok := a.macs[key]
	if !ok {
		other = fmt.Sprintf("%06x", len(a.macs)+1)
		a.macs[key] = other
	}
	out, digits := []byte(s), 0
	for i := len(out) - 1; i >= 0 && digits < 6; i-- {
		if c := out[i]; c != ':' && c != '-' && c != '.' {
			digits++
			out[i] = other[6-digits]
			if s == strings.ToUpper(s) {
				out[i] = strings.ToUpper(other)[6-digits]
			}
		}
	}
	return string(out)
}

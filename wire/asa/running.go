package asa

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of a configuration that is read.
const (
	MaxConfiguration = 16 << 20 // bytes
	maxLines         = 400_000
	maxLine          = 16 << 10 // bytes
)

// ErrNotText: the bytes are no text. Give what `show running-config` prints, saved as a text file.
var ErrNotText = errors.New("is not text")

// Command is one line of a configuration with what is indented below it.
type Command struct {
	Line  int      // where it begins, 1-based
	Text  string   // without indentation
	Words []string // double quotes hold words together
	Typed bool     // it stands behind a prompt: somebody entered it, so what is there beside it is not told
	Below []*Command
}

// Configuration is a running configuration as a tree of commands, in their order.
type Configuration struct {
	Commands []*Command
	Ended    bool // the line ": end" was there: nothing is missing at the end
}

// ParseConfiguration reads what `show running-config` or `more system:running-config` prints, also as
// terminals record it: with prompts, "<--- More --->", carriage returns, and lines broken at the right
// edge. Comments are passed over. What a command means is Settings' business.
func ParseConfiguration(text []byte) (*Configuration, error) {
	if err := isText(text); err != nil {
		return nil, err
	}
	p := &configurationParser{result: new(Configuration)}
	number := 0
	for raw := range bytes.Lines(text) {
		number++
		if number > maxLines {
			return nil, fmt.Errorf("asa: has more than %d lines", maxLines)
		}
		if len(raw) > maxLine {
			return nil, fmt.Errorf("asa: line %d has %d bytes; at most %d are read", number, len(raw), maxLine)
		}
		text := visible(strings.TrimRight(string(raw), "\n"))
		p.line(number, text, splitWords(text))
	}
	return p.result, nil
}

func isText(text []byte) error {
	if len(text) > MaxConfiguration {
		return fmt.Errorf("asa: has %d bytes; at most %d are read", len(text), MaxConfiguration)
	}
	if i := bytes.IndexByte(text, 0); i >= 0 {
		return fmt.Errorf("asa: %w: byte %d is zero", ErrNotText, i)
	}
	return nil
}

var (
	escapes = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)
	prompt  = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._/-]*(\([0-9A-Za-z-]+\))?[#>]( |$)`)
)

// visible is what a terminal shows of a line in the end.
func visible(line string) string {
	line = strings.ReplaceAll(line, "<--- More --->", "\r")
	if strings.IndexByte(line, '\x1b') >= 0 {
		line = escapes.ReplaceAllString(line, "")
	}
	line = strings.TrimRight(line, "\r")
	if i := strings.LastIndexByte(line, '\r'); i >= 0 {
		line = line[i+1:]
	}
	if strings.ContainsRune(line, '\b') {
		line = withoutBackspaces(line)
	}
	return strings.ReplaceAll(line, "\t", " ")
}

func withoutBackspaces(line string) string {
	var kept []byte
	for _, b := range []byte(line) {
		switch {
		case b != '\b':
			kept = append(kept, b)
		case len(kept) > 0:
			kept = kept[:len(kept)-1]
		}
	}
	return string(kept)
}

// edges are the widths at which terminals break lines.
var edges = map[int]bool{80: true, 132: true}

type configurationParser struct {
	result *Configuration
	open   []level // the command at hand and those above it
	broken bool    // the line before went to the right edge
	whole  string  // what it is the end of, with the spaces at its end
}

type level struct {
	indent  int
	command *Command
}

// line takes a line and its words.
func (p *configurationParser) line(number int, text string, words []string) {
	trimmed := strings.Trim(text, " ")
	switch {
	case trimmed == ": end":
		p.result.Ended = true
		p.broken = false
		return
	case len(words) == 0 || trimmed[0] == '!' || trimmed[0] == ':' || mayPrompt(text) && prompt.MatchString(text):
		p.broken = false
		return
	}
	if p.broken && p.continues(text) {
		last := p.open[len(p.open)-1].command
		last.Text = p.whole + text
		last.Words = splitWords(last.Text)
		p.atEdge(text, last.Text)
		return
	}
	whole := strings.TrimLeft(text, " ")
	p.add(len(text)-len(whole), &Command{Line: number, Text: trimmed, Words: words})
	p.atEdge(text, whole)
}

func (p *configurationParser) atEdge(line, whole string) {
	p.broken, p.whole = edges[len(line)], whole
}

// continues reports whether text is the rest of a broken line: at the left edge, and no beginning of a
// command that is known. Nothing is indented below an access list, so there the rest may begin with a space.
func (p *configurationParser) continues(text string) bool {
	if len(p.open) == 0 {
		return false
	}
	if text[0] == ' ' {
		return strings.HasPrefix(p.whole, "access-list ")
	}
	first, _, _ := strings.Cut(text, " ")
	return !beginnings[first]
}

// beginnings are words that begin commands, of those that are longer than a terminal is wide.
var beginnings = wordSet(`aaa aaa-server access-group access-list anyconnect arp banner boot call-home class-map clock
	console crypto cts dhcpd dns domain-name dynamic-access-policy-record enable failover ftp group-policy hostname http icmp
	interface ip ipv6 ldap logging mac-address-table mtu name names nat no ntp object object-group pager passwd policy-map
	prompt route router same-security-traffic service service-policy snmp-server ssh ssl sysopt telnet threat-detection
	timeout tls-proxy tunnel-group tunnel-group-map user-identity username webvpn xlate zonelabs-integrity`)

func wordSet(text string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(text) {
		set[word] = true
	}
	return set
}

func (p *configurationParser) add(indent int, c *Command) {
	for len(p.open) > 0 && p.open[len(p.open)-1].indent >= indent {
		p.open = p.open[:len(p.open)-1]
	}
	if len(p.open) == 0 {
		p.result.Commands = append(p.result.Commands, c)
	} else {
		above := p.open[len(p.open)-1].command
		above.Below = append(above.Below, c)
	}
	p.open = append(p.open, level{indent, c})
}

// splitWords splits at spaces; double quotes hold words together. Bytes that are no UTF-8 are replaced.
func splitWords(text string) (words []string) {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "�")
	}
	if !strings.Contains(text, `"`) {
		return strings.Fields(text)
	}
	var word strings.Builder
	quoted, begun := false, false
	for _, r := range text {
		switch {
		case r == '"':
			quoted, begun = !quoted, true
		case r == ' ' && !quoted:
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words
}

// secretAfter are words that a secret follows, in some command or other.
var secretAfter = wordSet(`password passwd key pre-shared-key ldap-login-password community passphrase secret md5
	local-authentication remote-authentication auth priv key-string encrypted shared-secret authentication-key`)

// Redacted returns the line with what may be a secret replaced by asterisks.
func (c *Command) Redacted() string {
	words := strings.Fields(c.Text)
	for i := 1; i < len(words); i++ {
		if secretAfter[words[i-1]] && !harmless[words[i]] {
			words[i] = "*****"
		} else if i > 1 && secretAfter[words[i-2]] && (words[i-1] == "0" || words[i-1] == "7" || words[i-1] == "8" || words[i-1] == "pre-shared-key") {
			words[i] = "*****"
		}
	}
	if len(words) > 1 && len(words[0]) >= 8 && isHex(words[0]) && isHex(words[1]) {
		return words[0] + " …"
	}
	return strings.ToValidUTF8(strings.Join(words, " "), "�")
}

// harmless are words after such a word that are none of its secrets.
var harmless = wordSet(`encrypted chain 0 7 8 pre-shared-key certificate sha md5 aes des 3des rsa`)

func isHex(s string) bool {
	return s != "" && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// Starts reports whether the command begins with these words.
func (c *Command) Starts(words ...string) bool {
	return len(c.Words) >= len(words) && slices.Equal(c.Words[:len(words)], words)
}

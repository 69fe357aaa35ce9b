//go:build interop

package docs

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// block is one fenced block of a page that is run, with what the comment before it says.
type block struct {
	line   int
	lines  []string // commands, continued lines joined
	exit   int      // exit code of each command
	prints []string // what their output must hold
	phones bool     // the phones start anew before it: each fetches its file and registers
	away   string   // this phone is switched off before it
	file   string   // the block is the text of this file, to be written before what follows
	apply  bool     // the block is a piece of inventory, to be applied
	where  string   // from it on the reader is elsewhere: in another office, or at a machine with nothing on it
	given  []string // what is there before it: see reader.give
	home   bool     // it is typed at somebody's home
	until  string   // its last command goes on running, and says this when the next may be typed
}

// runnable is how a line of a page begins that is a command and not its output or something else to type.
var runnable = regexp.MustCompile(`^(\$ )?(longcord|openssl|echo|curl|cat|mkdir|cp|rm|sudo|xmllint) `)

// directive is the comment before a block: <!-- run: exit 1; prints TEXT -->
var directive = regexp.MustCompile(`^<!-- run: (.*) -->$`)

// blocks returns what is to be run of a page. Blocks in a language are data, unless they are a file's text.
// Blocks without a command in them are passed over.
func blocks(page string) ([]block, error) {
	var all []block
	var said string
	lines := strings.Split(page, "\n")
	for i := 0; i < len(lines); i++ {
		switch line := lines[i]; {
		case directive.MatchString(line):
			said = directive.FindStringSubmatch(line)[1]
		case strings.HasPrefix(line, "```"):
			b, err := blockOf(said, i+1)
			if err != nil {
				return nil, err
			}
			language, begin := strings.TrimPrefix(line, "```"), i+1
			for i++; i < len(lines) && lines[i] != "```"; i++ {
			}
			if i == len(lines) {
				return nil, fmt.Errorf("line %d: the block has no end", begin)
			}
			if b.take(lines[begin:i], language) {
				all = append(all, b)
			} else if said != "" {
				return nil, fmt.Errorf("line %d: the comment speaks of a block that holds no command", begin)
			}
			said = ""
		case strings.TrimSpace(line) != "" && said != "":
			return nil, fmt.Errorf("line %d: the comment before speaks of no block", i+1)
		}
	}
	return all, nil
}

func blockOf(said string, line int) (block, error) {
	b := block{line: line}
	if said == "" {
		return b, nil
	}
	for part := range strings.SplitSeq(said, "; ") {
		word, rest, _ := strings.Cut(part, " ")
		switch word {
		case "exit":
			code, err := strconv.Atoi(rest)
			if err != nil {
				return b, fmt.Errorf("line %d: exit %q is no code", line, rest)
			}
			b.exit = code
		case "prints":
			b.prints = append(b.prints, rest)
		case "phones":
			b.phones = true
		case "away":
			b.away = rest
		case "file":
			b.file = rest
		case "apply":
			b.apply, b.file = true, fmt.Sprintf("piece-%d.yaml", line)
		case "office", "machine":
			b.where = word
		case "given":
			b.given = append(b.given, rest)
		case "home":
			b.home = true
		case "until":
			b.until = rest
		default:
			return b, fmt.Errorf("line %d: %q is no word for a block: exit, prints, phones, away, file, apply, office, machine, given, home, until", line, word)
		}
	}
	return b, nil
}

// take takes the lines of a block, and reports whether there is something to do with them.
func (b *block) take(lines []string, language string) bool {
	if b.file != "" {
		b.lines = lines
		return true
	}
	if language != "" && language != "sh" {
		return false
	}
	whole := ""
	for _, line := range lines {
		if whole == "" && !runnable.MatchString(line) {
			continue
		}
		whole += strings.TrimPrefix(line, "$ ")
		if before, more := strings.CutSuffix(whole, `\`); more {
			whole = before
			continue
		}
		b.lines, whole = append(b.lines, whole), ""
	}
	return len(b.lines) > 0
}

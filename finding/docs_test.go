package finding_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/finding"
)

const pagesDir = "../docs/errors"

// marker ends the generated part of a page. What stands below it is written by hand and stays.
const marker = "<!-- Up to here made by: UPDATE=1 go test ./finding. Below this line people write. -->"

var severities = map[finding.Severity]string{
	finding.Fault:   "something does not work",
	finding.Warning: "it works, and will not for ever",
	finding.Note:    "worth knowing",
}

var platforms = []struct {
	name    finding.Platform
	heading string
}{
	{finding.ASA, "On an ASA"}, {finding.CUCM, "On CUCM"}, {finding.Ocserv, "With ocserv"},
	{finding.IOS, "On IOS with CME"}, {finding.Asterisk, "With Asterisk"}, {finding.Kamailio, "With Kamailio"}, {finding.Phone, "On the phone"},
}

// TestPages compares every page in docs/errors with the declaration it explains.
func TestPages(t *testing.T) {
	t.Parallel()
	wanted := map[string]bool{"README.md": true}
	compare(t, "README.md", index(t), "")
	for _, d := range finding.All() {
		name := d.Code + ".md"
		wanted[name] = true
		compare(t, name, page(t, d), "\n"+marker+"\n")
	}
	entries, err := os.ReadDir(pagesDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !wanted[e.Name()] {
			t.Errorf("docs/errors/%s explains a finding that nobody declares", e.Name())
		}
	}
}

// compare holds the generated part of a file, which ends with the given line, against what it should be.
func compare(t *testing.T, name, want, end string) {
	t.Helper()
	path := filepath.Join(pagesDir, name)
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	got, below := string(text), ""
	if end != "" {
		got, below, _ = strings.Cut(got, end)
		if strings.TrimSpace(below) == "" {
			t.Errorf("docs/errors/%s has nothing below its last line: write who says it, and how to look closer", name)
		}
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(want+end+below), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("docs/errors/%s is not what its declaration says; run: UPDATE=1 go test ./finding\ngot:\n%s\nwant:\n%s", name, got, want)
	}
}

func page(t *testing.T, d finding.Declaration) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", d.Code)
	if len(d.Messages) > 0 {
		b.WriteString("Messages that lead here:\n\n")
		for _, m := range d.Messages {
			fmt.Fprintf(&b, "    %s\n", m)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "Step: %s. Severity: %s, %s.\n\n", d.Step, d.Severity, severities[d.Severity])
	fmt.Fprintf(&b, "## What it says\n\n%s.\n\n", capital(inWords(t, d, d.Says)))
	b.WriteString("## What to do\n\n")
	for _, fix := range d.Fix {
		fmt.Fprintf(&b, "- %s.\n", capital(inWords(t, d, fix)))
	}
	for _, p := range platforms {
		if len(d.Elsewhere[p.name]) > 0 {
			fmt.Fprintf(&b, "\n%s:\n\n", p.heading)
		}
		for _, fix := range d.Elsewhere[p.name] {
			fmt.Fprintf(&b, "- %s.\n", capital(inWords(t, d, fix)))
		}
	}
	if len(d.MootedBy) > 0 {
		b.WriteString("\n## When it is not worth saying\n\n")
		for _, code := range d.MootedBy {
			fmt.Fprintf(&b, "- [%s](%s.md) has been found.\n", code, code)
		}
	}
	return b.String()
}

func index(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("# Findings\n\n" +
		"What can be wrong, in the order of a phone's steps. Codes are stable: scripts may rely on them. A fault means that\n" +
		severities[finding.Fault] + "; a warning that " + severities[finding.Warning] + "; a note is " + severities[finding.Note] + ".\n\n" +
		"This page, and the upper part of every other page here, is made from `finding/codes_*.go` by\n" +
		"`UPDATE=1 go test ./finding`; the test fails when they differ.\n\n" +
		"Found in: *files* that people give to the doctor; a *walk* of the doctor in a phone's place; *running*, by a part of\n" +
		"Longcord while it works, which `longcord doctor --system` and logs tell the doctor, too.\n\n" +
		"| code | step | severity | says | found in |\n| --- | --- | --- | --- | --- |\n")
	by := finders(t)
	for _, d := range finding.All() {
		fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s | %s | %s |\n", d.Code, d.Code, d.Step, d.Severity, inWords(t, d, d.Says), strings.Join(by[d.Code], ", "))
		if len(by[d.Code]) == 0 {
			t.Errorf("nobody finds %s", d.Code)
		}
	}
	return b.String()
}

var (
	declared = regexp.MustCompile(`(?m)^\t(\w+) += Define\(Declaration\{\s+Code: "([a-z0-9-]+)"`)
	named    = regexp.MustCompile(`\bfinding\.([A-Z]\w*)`)
)

// finders returns where each code can be found: whose source names its declaration.
func finders(t *testing.T) map[string][]string {
	t.Helper()
	codes := map[string]string{} // by the name of the declaration
	places := map[string]map[string]bool{}
	each(t, ".", func(_, text string) {
		for _, m := range declared.FindAllStringSubmatch(text, -1) {
			codes[m[1]], places[m[2]] = m[2], map[string]bool{}
		}
	})
	each(t, "..", func(path, text string) {
		place := "running"
		switch {
		case strings.HasPrefix(path, "../doctor/judge/") && strings.HasSuffix(path, "_walk.go"):
			place = "walk"
		case strings.HasPrefix(path, "../doctor/judge/") && !strings.HasSuffix(path, "_system.go"):
			place = "files"
		case strings.HasPrefix(path, "../doctor/") && !strings.HasPrefix(path, "../doctor/judge/"):
			return // decides nothing
		}
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			if code := codes[m[1]]; code != "" {
				places[code][place] = true
			}
		}
	})
	by := map[string][]string{}
	for code, at := range places {
		by[code] = slices.Sorted(maps.Keys(at))
	}
	return by
}

// each reads every file of Go below a folder, but for tests.
func each(t *testing.T, root string, read func(path, text string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil {
			read(filepath.ToSlash(path), string(text))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

var verb = regexp.MustCompile(`%\[(\d)\][a-z]`)

// inWords puts the words of d in the place of a sentence's verbs.
func inWords(t *testing.T, d finding.Declaration, sentence string) string {
	t.Helper()
	return verb.ReplaceAllStringFunc(sentence, func(v string) string {
		i := int(v[2] - '1')
		if i >= len(d.Args) {
			t.Errorf("Args of %s do not name argument %d of %q", d.Code, i+1, sentence)
			return v
		}
		return strings.ToUpper(d.Args[i])
	})
}

// capital begins a sentence. Commands and words in capitals stay as they are.
func capital(sentence string) string {
	return strings.ToUpper(sentence[:1]) + sentence[1:]
}

// TestArgs makes sure that every argument is named, and used.
func TestArgs(t *testing.T) {
	t.Parallel()
	for _, d := range finding.All() {
		sentences := append(slices.Clone(d.Fix), d.Says)
		for _, fixes := range d.Elsewhere {
			sentences = append(sentences, fixes...)
		}
		all := strings.Join(sentences, "\n")
		for i := range d.Args {
			if !strings.Contains(all, fmt.Sprintf("%%[%d]", i+1)) {
				t.Errorf("%s has no argument %d", d.Code, i+1)
			}
		}
		if strings.Contains(verb.ReplaceAllString(all, ""), "%") {
			t.Errorf("%s has an argument without its index: %s", d.Code, all)
		}
	}
}

// TestMootedBy makes sure that what makes a finding moot is declared.
func TestMootedBy(t *testing.T) {
	t.Parallel()
	for _, d := range finding.All() {
		for _, code := range d.MootedBy {
			if _, ok := finding.Lookup(code); !ok || code == d.Code {
				t.Errorf("%s is mooted by %q, which is not another finding", d.Code, code)
			}
		}
	}
}

package finding_test

import (
	"errors"
	"fmt"
	"io/fs"
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

// words name the arguments of each declaration's sentences, in order. Pages show them in capitals.
var words = map[string][]string{
	"config-invalid":                        {"file", "problem"},
	"port-taken":                            {"address", "program"},
	"tftp-unreachable":                      {"server"},
	"tftp-file-missing":                     {"server", "name"},
	"trust-list-mismatch":                   {"name", "server"},
	"file-not-fetched":                      {"phone"},
	"alternate-tftp-not-set":                {"phone", "address", "keys"},
	"web-access-off":                        {"phone"},
	"model-without-vpn":                     {"phone", "model"},
	"load-too-old":                          {"phone", "load", "release"},
	"not-registered":                        {"phone"},
	"credentials-missing":                   {"phone"},
	"credential-characters":                 {"user"},
	"gateway-name-elsewhere":                {"host", "addresses", "address"},
	"network-detection-unreliable":          {"phone", "reason"},
	"home-network-overlaps":                 {"address", "network", "whose"},
	"door-open":                             {"phone", "address", "time"},
	"unknown-phone":                         {"phone", "address", "model"},
	"load-missing":                          {"load", "file"},
	"files-refused":                         {"address", "reason", "user", "device"},
	"files-in-plain":                        {"networks", "so many"},
	"vpn-not-configured":                    {"device"},
	"foreign-tftp-server":                   {"server"},
	"gateway-unreachable":                   {"address"},
	"gateway-name-unresolved":               {"host"},
	"tls-version":                           {"address"},
	"tls-cipher":                            {"address"},
	"certificate-hash-mismatch":             {"hash"},
	"host-id-mismatch":                      {"host"},
	"group-url-mismatch":                    {"url"},
	"login-refused":                         {"user"},
	"lsc-expires":                           {"device", "date"},
	"authority-key-expires":                 {"purpose", "date"},
	"manufacturer-certificate-expires":      {"device", "date"},
	"login-banned":                          {"user"},
	"aaa-server-dead":                       {"name", "reason"},
	"aaa-server-unsigned":                   {"name"},
	"accounting-stopped":                    {"names", "reason"},
	"no-spare-certificate":                  {"gateway"},
	"certificate-expired":                   {"gateway", "date"},
	"certificate-not-yet-valid":             {"gateway", "date"},
	"certificate-hash-of-wrong-certificate": {"gateway", "certificate"},
	"config-change-not-taken":               {"device", "date"},
	"client-certificate-untrusted":          {"client", "reason"},
	"client-certificate-expired":            {"client", "reason"},
	"revocation-list-stale":                 {"authority", "date"},
	"session-limit":                         {"user"},
	"address-pool-exhausted":                {"network"},
	"dtls-blocked":                          {"port"},
	"legacy-in-use":                         {"group", "so many phones have"},
	"no-route-to-pool":                      {"pool", "inside address"},
	"pool-overlaps":                         {"pool", "network", "interface"},
	"registration-unreachable":              {"server"},
	"registration-refused":                  {"line", "reason"},
	"one-way-audio":                         {"one phone", "another phone"},
}

var severities = map[finding.Severity]string{
	finding.Fault:   "something does not work",
	finding.Warning: "it works, and will not for ever",
	finding.Note:    "worth knowing",
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
	fmt.Fprintf(&b, "Step: %s. Severity: %s, %s.\n\n", d.Step, d.Severity, severities[d.Severity])
	fmt.Fprintf(&b, "## What it says\n\n%s.\n\n", capital(inWords(t, d, d.Says)))
	b.WriteString("## What to do\n\n")
	for _, fix := range d.Fix {
		fmt.Fprintf(&b, "- %s.\n", capital(inWords(t, d, fix)))
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
		"This page, and the upper part of every other page here, is made from `finding/codes.go` by\n" +
		"`UPDATE=1 go test ./finding`; the test fails when they differ.\n\n" +
		"| code | step | severity | says |\n| --- | --- | --- | --- |\n")
	for _, d := range finding.All() {
		fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s | %s |\n", d.Code, d.Code, d.Step, d.Severity, inWords(t, d, d.Says))
	}
	return b.String()
}

var verb = regexp.MustCompile(`%\[(\d)\][a-z]`)

// inWords puts the words of d in the place of a sentence's verbs.
func inWords(t *testing.T, d finding.Declaration, sentence string) string {
	t.Helper()
	return verb.ReplaceAllStringFunc(sentence, func(v string) string {
		i := int(v[2] - '1')
		if i >= len(words[d.Code]) {
			t.Errorf("words of %s do not name argument %d of %q", d.Code, i+1, sentence)
			return v
		}
		return strings.ToUpper(words[d.Code][i])
	})
}

// capital begins a sentence. Commands and words in capitals stay as they are.
func capital(sentence string) string {
	return strings.ToUpper(sentence[:1]) + sentence[1:]
}

// TestWords makes sure that the words speak of what is declared, and that every argument is used.
func TestWords(t *testing.T) {
	t.Parallel()
	for code, names := range words {
		d, ok := finding.Lookup(code)
		if !ok {
			t.Errorf("words name the code %s, which nobody declares", code)
			continue
		}
		all := strings.Join(append(slices.Clone(d.Fix), d.Says), "\n")
		for i := range names {
			if !strings.Contains(all, fmt.Sprintf("%%[%d]", i+1)) {
				t.Errorf("%s has no argument %d", code, i+1)
			}
		}
		if strings.Contains(verb.ReplaceAllString(all, ""), "%") {
			t.Errorf("%s has an argument without its index: %s", code, all)
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

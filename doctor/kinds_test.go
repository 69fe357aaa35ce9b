package doctor_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/longcord/longcord/doctor/fact"
)

// unjudged are kinds that no rule looks at, and why there are such facts all the same.
var unjudged = map[string]string{
	"DNSMasqSetting":   "its lines go into a bundle, for who looks at dnsmasq.conf",
	"PhoneNoTrustList": "a phone may have none",
	"SystemUnknown":    "says in a facts file what could not be looked at",
	"WalkCompanion":    "people read it while the walk goes on",
	"WalkTunnelLost":   "people read it while the walk goes on; the step that ended is a symptom",
}

var kind = regexp.MustCompile(`(?m)^(?:const |\t)(\w+)(?: +Kind)? += "([a-z]+\.[a-z0-9-]+)"`)

// TestKinds makes sure that every kind of fact is told by somebody, and is a symptom or judged by a rule.
func TestKinds(t *testing.T) {
	t.Parallel()
	declared, told, judged := "", "", ""
	for folder, into := range map[string]*string{"fact": &declared, "read": &told, "walk": &told, "../cmd/longcord": &told, "judge": &judged} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files in %s: %v", folder, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			*into += string(text)
		}
	}
	names := kind.FindAllStringSubmatch(declared, -1)
	if len(names) < 150 {
		t.Errorf("only %d kinds were found", len(names))
	}
	for _, m := range names {
		use := regexp.MustCompile(`\bfact\.` + m[1] + `\b`)
		if !use.MatchString(told) {
			t.Errorf("nobody tells %s", m[1])
		}
		_, symptom := fact.SymptomOf(fact.Kind(m[2]))
		if _, known := unjudged[m[1]]; known == (symptom || use.MatchString(judged)) {
			t.Errorf("%s: judged or a symptom: %t, listed as neither: %t", m[1], !known, known)
		}
	}
}

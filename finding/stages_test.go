package finding_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/stage"
)

const stagesDir = "../docs/stages"

var toFinding = regexp.MustCompile(`\[([^\]]*)\]\(\.\./errors/([^)]*)\.md\)`)

// TestStagePages holds the pages of the steps to the findings: each link is one that is declared, under
// its own code, and each finding of a step stands on the step's page.
func TestStagePages(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob(filepath.Join(stagesDir, "[1-8]-*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages in %s: %v", stagesDir, err)
	}
	for _, path := range pages {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		named := map[string]bool{}
		for _, link := range toFinding.FindAllStringSubmatch(string(text), -1) {
			if link[2] == "README" { // the list of all of them
				continue
			}
			named[link[2]] = true
			if _, ok := finding.Lookup(link[2]); !ok || link[1] != link[2] {
				t.Errorf("%s: %s is not a finding under its own code", path, link[0])
			}
		}
		for _, d := range finding.All() {
			if filepath.Base(path) == pageOf(d.Step) && !named[d.Code] {
				t.Errorf("%s does not name [%s](../errors/%s.md), which can be found in this step", path, d.Code, d.Code)
			}
		}
	}
}

func pageOf(step stage.Step) string { return fmt.Sprintf("%d-%s.md", int(step), step) }

package file_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/inventory/file"
)

// TestSnippets reads the pieces of inventory that operators are shown: each has to be what it says, as
// they will paste it.
func TestSnippets(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/*/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	read := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, after := range strings.Split(string(text), "```yaml\n")[1:] {
			snippet, _, _ := strings.Cut(after, "```")
			if !strings.HasPrefix(snippet, "kind: ") {
				continue
			}
			read++
			name := fmt.Sprintf("%s, piece %d", page, i+1)
			if _, err := file.Parse(name, []byte(snippet), func(string) ([]byte, error) { return []byte("-"), nil }); err != nil {
				t.Error(err)
			}
		}
	}
	if read == 0 {
		t.Error("no page shows a piece of inventory")
	}
}

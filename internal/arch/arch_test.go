package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/longcord/longcord"

// pkg is the part of `go list -json` that the rules speak of.
type pkg struct {
	ImportPath string
	Imports    []string
}

func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports"}, args...)...)
	cmd.Dir = root(t)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestImports checks every import of ours against the rules.
func TestImports(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, "./...") {
		from := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, imported := range p.Imports {
			if why := forbidden(from, imported); why != "" {
				t.Errorf("%s imports %s: %s", from, strings.TrimPrefix(imported, module+"/"), why)
			}
		}
	}
}

// TestRulesBite makes sure that the rules refuse what they are there to refuse.
func TestRulesBite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, imported string }{
		{"wire/tftp", module + "/stage"},
		{"wire/tftp", "net"},
		{"wire/tftp", "log/slog"},
		{"stage/detect", module + "/stage/connect"},
		{"stage/detect", "os"},
		{"gateway", module + "/provisioner"},
		{"gateway", module + "/store/sqlite"},
		{"phone", module + "/gateway"},
		{"inventory", module + "/store"},
		{"internal/testnet", module + "/lab"},
		{"newroom", module + "/stage"},
	} {
		if forbidden(c.from, c.imported) == "" {
			t.Errorf("%s may import %s, and should not", c.from, c.imported)
		}
	}
}

// TestModules compares the modules that the program is built from with the list in testdata, so that a
// new dependency shows in review. Update it with UPDATE=1.
func TestModules(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./cmd/longcord")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := slices.Compact(slices.Sorted(slices.Values(strings.Fields(string(out)))))
	golden := filepath.Join("testdata", "modules.txt")
	text := strings.Join(got, "\n") + "\n"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("the program's modules changed; if that is meant, run UPDATE=1 go test ./internal/arch and say why in docs/decisions\ngot:\n%swant:\n%s", text, want)
	}
}

var pointer = regexp.MustCompile(`docs/[a-z0-9/_.-]+\.md(#[a-z0-9-]+)?`)

// TestPointers checks that every docs/….md#section that code or documents mention exists.
func TestPointers(t *testing.T) {
	t.Parallel()
	dir := root(t)
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == ".git" || name == "bin" || name == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		if ext := filepath.Ext(path); ext != ".go" && ext != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, p := range pointer.FindAllString(string(text), -1) {
			if err := resolves(dir, p); err != nil {
				t.Errorf("%s: %s: %v", strings.TrimPrefix(path, dir+"/"), p, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func resolves(dir, pointer string) error {
	file, section, _ := strings.Cut(pointer, "#")
	text, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return errors.New("no such document")
	}
	if section == "" {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") && anchor(line) == section {
			return nil
		}
	}
	return errors.New("no such section")
}

// anchor makes a heading's anchor as the usual renderers do.
func anchor(heading string) string {
	heading = strings.ToLower(strings.TrimSpace(strings.TrimLeft(heading, "#")))
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return -1
	}, heading)
}

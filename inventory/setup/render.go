package setup

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"text/template"
)

//go:embed templates
var templateFiles embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{"quote": quote, "word": word}).ParseFS(templateFiles, "templates/*"))

var plainWord = regexp.MustCompile(`^[0-9A-Za-z._~/+@%,:=-]+$`)

// word writes the parts of a path as one word of a shell's command line.
func word(parts ...string) string {
	path := strings.Join(parts, "")
	if plainWord.MatchString(path) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// quote writes a text as a double-quoted YAML value.
func quote(value any) (string, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(fmt.Sprint(value)); err != nil {
		return "", err
	}
	return string(bytes.TrimSpace(out.Bytes())), nil
}

func render(name string, v *values) ([]byte, error) {
	var out bytes.Buffer
	if err := templates.ExecuteTemplate(&out, name, v); err != nil {
		return nil, fmt.Errorf("setup: %w", err)
	}
	return out.Bytes(), nil
}

package doctor

import (
	"fmt"
	"strings"

	"github.com/longcord/longcord/docs"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/nearest"
)

// Explain returns the page of docs/errors that explains a finding. For a code that nobody declares, the error names the
// nearest.
func Explain(code string) (string, error) {
	code = strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(code, "docs/errors/"), ".md"))
	if _, ok := finding.Lookup(code); ok {
		page, err := docs.Errors.ReadFile("errors/" + code + ".md")
		if err != nil {
			return "", fmt.Errorf("doctor: %w", err)
		}
		return readable(string(page)), nil
	}
	var codes, within []string
	for _, d := range finding.All() {
		codes = append(codes, d.Code)
		if len(code) > 2 && strings.Contains(d.Code, code) {
			within = append(within, d.Code)
		}
	}
	if near := nearest.Word(code, codes); near != "" {
		within = append([]string{near}, within...)
	}
	if len(within) > 0 {
		return "", &UnknownCodeError{code, within}
	}
	return "", &UnknownCodeError{Code: code}
}

// UnknownCodeError is a code that no finding has.
type UnknownCodeError struct {
	Code string
	Near []string // codes that may be meant, nearest first
}

func (e *UnknownCodeError) Error() string { return fmt.Sprintf("no finding has the code %q", e.Code) }

// readable takes out of a page what only its makers need.
func readable(page string) string {
	var b strings.Builder
	for line := range strings.Lines(page) {
		if !strings.HasPrefix(line, "<!--") {
			b.WriteString(line)
		}
	}
	return strings.ReplaceAll(b.String(), "\n\n\n", "\n\n")
}

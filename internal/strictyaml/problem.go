package strictyaml

import (
	"fmt"
	"strings"
)

// Problem is one thing wrong in a file, addressed to its reader.
type Problem struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`    // 1-based; 0: the file as a whole
	Excerpt string `json:"excerpt,omitempty"` // the line's text; never a secret's
	Says    string `json:"says"`              // lower case, no full stop
	Hint    string `json:"hint,omitempty"`    // what to write instead
}

// Error returns the problem on one line: file, line, what is wrong.
func (p Problem) Error() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, p.Says)
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Says)
}

// Problems is everything wrong in a file, in its order.
type Problems []Problem

// Error returns one problem a line.
func (all Problems) Error() string {
	lines := make([]string, len(all))
	for i, p := range all {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// OrNil returns the problems as an error, or nil when there are none.
func (all Problems) OrNil() error {
	if len(all) == 0 {
		return nil
	}
	return all
}

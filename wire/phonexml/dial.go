package phonexml

import "fmt"

// DialTemplate says when a dialled number is complete. The first pattern that matches decides.
type DialTemplate struct {
	VersionStamp string        `xml:"versionStamp,omitempty"`
	Patterns     []DialPattern `xml:"TEMPLATE"`
	Rest
}

// DialPattern is one TEMPLATE.
type DialPattern struct {
	// Match is digits and #, . for any one of digits, # and *, * for any number of them, \* for a *, and a
	// comma where Tone is played. An empty one matches at off-hook.
	Match   string `xml:"match,attr"`
	Timeout Number `xml:"timeout,attr"` // seconds to wait for more; 0 none
	// Line is the lineIndex that the pattern is for; nil for all.
	Line *Number `xml:"line,attr,omitempty"`
	// Rewrite is what is dialled instead: digits, . for what a . matched, %0 for everything, %1 to %5 for groups.
	Rewrite string `xml:"rewrite,attr,omitempty"`
	Tone    string `xml:"tone,attr,omitempty"` // such as Bellcore-Outside
	Rest
}

func (*DialTemplate) root() string { return "dialTemplate" }

// String describes the file on one line.
func (d *DialTemplate) String() string {
	return fmt.Sprintf("dial template stamp %q, %d patterns", d.VersionStamp, len(d.Patterns))
}

// Package fact holds what the doctor has collected: one line of evidence each, with what it means as named values.
// Readers of files, the walk of a live phone and questions to a running system all make facts; judging sees nothing
// else. Facts can be saved and judged again.
//
// Each file declares the kinds of one source of facts, and what their values are.
package fact

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/longcord/longcord/finding"
)

// Schema is the version of the facts file. It grows when kinds or values change their meaning.
const Schema = 1

// Kind names what a fact tells, such as phone.leaf-hash. The part before the point is its source of facts.
type Kind string

// Fact is one thing that was seen.
type Fact struct {
	Kind   Kind              `json:"kind"`
	Source string            `json:"source"`         // file, host or command, as people call it
	Line   int               `json:"line,omitempty"` // 1-based; 0 when the source has no lines
	Text   string            `json:"text"`           // the line as it stood there, at most MaxText bytes
	Time   time.Time         `json:"time,omitzero"`  // when it happened, as far as the source tells
	Values map[string]string `json:"values,omitempty"`
	Count  int               `json:"count,omitempty"` // how often more the source says the same
	Last   int               `json:"last,omitempty"`  // the line that says so last, where it does so more than once
}

// Get returns the value of that name, or nothing.
func (f Fact) Get(name string) string { return f.Values[name] }

// Source is one input, and what it turned out to be.
type Source struct {
	Name      string             `json:"name"`
	Formats   []string           `json:"formats"`             // in words for people; none when nothing was recognised
	Platforms []finding.Platform `json:"platforms,omitempty"` // whose equipment speaks in it
	Lines     int                `json:"lines,omitempty"`
	Known     int                `json:"known,omitempty"`   // lines that somebody understood
	Problem   string             `json:"problem,omitempty"` // why it could not be read to its end
	Partly    bool               `json:"partly,omitempty"`  // what was not read may tell something; Problem says why it was not
	// Unread is the first line that says in plain words that something failed, and that nobody understood; empty: none does.
	Unread     string `json:"unread,omitempty"`
	UnreadLine int    `json:"unread_line,omitempty"`
	// Losses are the last lines of a log that tell in plain words of a failure or a loss, whether they were understood or not.
	Losses []Loss `json:"losses,omitempty"`
}

// Loss is a line of a source that tells of a failure or a loss.
type Loss struct {
	Line int       `json:"line"`
	Text string    `json:"text"`
	Time time.Time `json:"time,omitzero"`
}

// File is everything that was collected.
type File struct {
	Schema  int    `json:"schema"`
	Version string `json:"version"` // of the program that collected
	Subject string `json:"subject"` // what the question is about: a phone, a user, the files
	// Collected is when it was collected, so that dates can be judged without a clock; zero: not known.
	Collected time.Time `json:"collected,omitzero"`

	Sources []Source `json:"sources"`
	Facts   []Fact   `json:"facts"`

	Excerpts []Excerpt `json:"excerpts,omitempty"` // in a bundle only; judging does not look at them
}

// Check says why a facts file cannot be judged.
func (f *File) Check() error {
	if f.Schema != Schema {
		return fmt.Errorf("fact: the file has schema %d, and this program judges schema %d", f.Schema, Schema)
	}
	return nil
}

// Excerpt is a part of a source around what was understood in it, scrubbed, for who looks after the doctor.
type Excerpt struct {
	Source string        `json:"source"`
	Lines  []ExcerptLine `json:"lines"`
}

// ExcerptLine is one line of a source. Lines between are left out where the number jumps.
type ExcerptLine struct {
	Line int    `json:"line"`
	Text string `json:"text"`
}

// maxFile bounds a facts file, in bytes. What a collector gathers is smaller.
const maxFile = 256 << 20

// Read reads a facts file, or a bundle, which has excerpts in it.
func Read(r io.Reader) (*File, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("fact: %w", err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("fact: the file is larger than %d bytes", maxFile)
	}
	var f File
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("fact: this is no file that `longcord doctor --facts` wrote: %w", err)
	}
	if err := f.Check(); err != nil {
		return nil, err
	}
	// Somebody else may have written it.
	for i := range f.Facts {
		each := &f.Facts[i]
		each.Text, each.Source = Printable(each.Text), Printable(each.Source)
		for name, value := range each.Values {
			each.Values[name] = Printable(value)
		}
	}
	for i := range f.Sources {
		for j := range f.Sources[i].Losses {
			each := &f.Sources[i].Losses[j]
			each.Text = Printable(each.Text)
		}
	}
	return &f, nil
}

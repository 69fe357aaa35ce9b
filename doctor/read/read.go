// Package read recognises by content what people send to the doctor, in any mixture, and turns it into facts.
//
// Archives and compressed files are opened, whatever their name is (unpack.go). Text is read line by line and each line
// is offered to the recognisers, which are small and know one format each; see Recogniser. What is not text goes to who
// knows its first bytes; see Binary. Nothing is executed, no file is written, and memory is bounded however long the
// input is.
package read

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Limit is how many bytes of one input are read when Options do not say otherwise, those that come out of archives
// included. It ends what has no end.
const Limit = 16 << 30

// Options say how to read.
type Options struct {
	Now      time.Time        // gives years to lines without one, and dates are held against it; zero: unknown
	Progress func(read int64) // called now and then with the bytes read; nil: nobody asks
	Limit    int64            // in bytes; zero: Limit
	KeyLog   []byte           // keys of recorded TLS connections, as SSLKEYLOGFILE has them; may be nil
	Excerpts bool             // keep what stands around the lines that told something

	unsieved bool // offer every line to everybody, for tests
}

// Line is one line of text, without what terminals, editors and syslog daemons put around it.
type Line struct {
	Number  int       // 1-based, in its source
	Text    string    // without escapes, line end and syslog prefix
	Raw     string    // without escapes and line end
	Time    time.Time // of the syslog prefix; zero: there is none
	Host    string    // of the syslog prefix
	Program string    // of the syslog prefix, without pid
	Latin   bool      // its bytes are no UTF-8, and were taken for ISO 8859-1
}

// Recogniser knows one text format. Add one by declaring it in a file of its own: var _ = recognise(Recogniser{…}).
type Recogniser struct {
	Format   string           // in words for people, such as "ASA syslog"
	Platform finding.Platform // whose equipment writes it; empty: cannot be told from the format
	// Early recognisers are asked before the others: those that know a line by an unmistakable sign.
	Early bool
	// Marks are texts of which a line has at least one when it begins something of the format, without regard to case.
	// Lines without any are not offered, unless Maybe says so, or a line shortly before was one of the format's or might
	// have been. They make long logs fast; TestSieves finds what they lose. None: every line is offered.
	Marks []string
	Maybe func(line string) bool // for what has no mark; nil: the marks decide
	// Alone says that each line of the format has a mark of its own, so that those after one need not be looked at.
	Alone bool
	// Follows says that the reader follows what fails to its end, and tells of it then, or that its lines are settings: none
	// of them tells of a loss by itself.
	Follows bool
	// Begins reports whether a line begins an entry of a log. With it, entries that a terminal broke at its width are
	// put together again. Nil: lines of this format are taken as they stand.
	Begins func(text string) bool
	// New returns the state for one input.
	New func(*fact.Input) Reader
}

// Reader reads the lines of one input for one recogniser.
type Reader interface {
	// Line takes a line and reports whether it belongs to the format. Whoever knew the last line is asked first, so a
	// reader within a block gets all of it, as long as it says yes.
	Line(Line) bool
	// End is called after the last line.
	End()
}

var early, late []Recogniser

func recognise(r Recogniser) struct{} {
	if r.Early {
		early = append(early, r)
	} else {
		late = append(late, r)
	}
	return struct{}{}
}

// Input reads one input to its end and adds what it tells to c. It returns an error only when reading fails or ctx
// ends; what cannot be understood is noted in the source.
func Input(ctx context.Context, c *fact.Collector, name string, r io.Reader, o Options) error {
	c.At(o.Now)
	if o.Limit == 0 {
		o.Limit = Limit
	}
	u := &unpacking{ctx: ctx, to: c, options: o, left: o.Limit, members: maxMembers}
	if err := u.open(name, r, 0); err != nil {
		return fmt.Errorf("doctor/read: %s: %w", name, err)
	}
	return nil
}

// headSize is how much of an input decides what it is.
const headSize = 4096

// open reads what is called name, at this depth of packing.
func (u *unpacking) open(name string, r io.Reader, depth int) error {
	b := bufio.NewReaderSize(&metered{u: u, r: r, outer: depth == 0}, maxLine)
	head, err := peek(b)
	if u.failed != nil {
		return u.failed
	}
	if err != nil && len(head) == 0 {
		return u.problem(u.to.Open(name), err)
	}
	if unpack := packing(head); unpack != nil {
		return unpack(u, name, b, r, depth)
	}
	in := u.to.Open(name)
	if bin, ok := binaryOf(head); ok {
		in.Recognised(bin.Format, bin.Platform)
		return u.problem(in, bin.Read(u.ctx, in, b, u.options))
	}
	if what := foreign(head); what != "" {
		in.Source().Problem = what
		return nil
	}
	return u.problem(in, text(in, b, head, u.options))
}

// peek returns the beginning of what b reads. Zeros at the very beginning are passed over: a log that was being written
// when the power went has them.
func peek(b *bufio.Reader) ([]byte, error) {
	for {
		head, err := b.Peek(headSize)
		if errors.Is(err, io.EOF) {
			err = nil
		}
		zeros := 0
		for zeros < len(head) && head[zeros] == 0 {
			zeros++
		}
		if zeros < len(head) || len(head) == 0 || err != nil {
			return head, err
		}
		if _, err := b.Discard(zeros); err != nil {
			return nil, err
		}
	}
}

// problem notes in the source why it was not read to its end. What concerns the input as a whole is returned.
func (u *unpacking) problem(in *fact.Input, err error) error {
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return nil
	case errors.Is(err, errLimit):
		in.Partly(fmt.Sprintf("only the first %d bytes were read", u.options.Limit))
		return nil
	case u.failed != nil:
		in.Source().Problem = u.failed.Error()
		return u.failed
	}
	in.Partly(err.Error())
	return nil
}

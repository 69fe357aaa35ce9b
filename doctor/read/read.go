// Package read recognises by content what people send to the doctor, in any mixture, and turns it into facts.
//
// Text is read line by line and each line is offered to the recognisers, which are small and know one format each; see
// Recogniser. Nothing is executed, no file is written, and memory is bounded however long the input is.
package read

import (
	"bufio"
	"context"
	"errors"
	"io"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// maxLine bounds a line, in bytes; the rest of a longer one is passed over.
const maxLine = 64 << 10

// Options say how to read.
type Options struct {
	Now      time.Time        // gives years to lines without one, and dates are held against it; zero: unknown
	Progress func(read int64) // called now and then with the bytes read; nil: nobody asks
}

// Line is one line of text, without what terminals, editors and syslog daemons put around it.
type Line struct {
	Number  int       // 1-based, in its source
	Text    string    // without escapes, line end and syslog prefix
	Raw     string    // without escapes and line end
	Time    time.Time // of the syslog prefix; zero: there is none
	Host    string    // of the syslog prefix
	Program string    // of the syslog prefix, without pid
}

// Recogniser knows one text format. Add one by declaring it in a file of its own: var _ = recognise(Recogniser{…}).
type Recogniser struct {
	Format   string           // in words for people, such as "ASA syslog"
	Platform finding.Platform // whose equipment writes it; empty: cannot be told from the format
	// Early recognisers are asked before the others: those that know a line by an unmistakable sign.
	Early bool
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

// Binary knows a format that is not text, by how it begins. Add one by declaring it in a file of its own:
// var _ = recogniseBinary(Binary{…}).
type Binary struct {
	Format   string
	Platform finding.Platform
	Is       func(head []byte) bool // head is the first headSize bytes, or all there are
	// Read reads r as far as it needs, in bounded memory. What is wrong with the content it notes in the source; an
	// error is for r and ctx.
	Read func(ctx context.Context, in *fact.Input, r *bufio.Reader, o Options) error
}

// headSize is how many bytes say what a binary file is.
const headSize = 512

var binaries []Binary

func recogniseBinary(b Binary) struct{} {
	binaries = append(binaries, b)
	return struct{}{}
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
	in := c.Open(name)
	buffered := bufio.NewReaderSize(r, maxLine)
	head, _ := buffered.Peek(headSize) // an error shows again when the rest is read
	for _, b := range binaries {
		if b.Is(head) {
			in.Recognised(b.Format, b.Platform)
			return b.Read(ctx, in, buffered, o)
		}
	}
	return text(ctx, in, buffered, o)
}

type asked struct {
	Recogniser
	Reader
}

// text offers each line to the recognisers.
func text(ctx context.Context, in *fact.Input, r *bufio.Reader, o Options) error {
	var all []*asked
	for _, rec := range append(append([]Recogniser{}, early...), late...) {
		all = append(all, &asked{rec, rec.New(in)})
	}
	var (
		last *asked
		read int64
	)
	for number := 1; ; number++ {
		raw, n, err := readLine(r)
		read += n
		if n > 0 {
			in.Source().Lines = number
			line := normalise(raw, number, o.Now)
			last = offer(all, last, line, in)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			in.Source().Problem = err.Error()
			return err
		}
		if number%10_000 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if o.Progress != nil {
				o.Progress(read)
			}
		}
	}
	for _, a := range all {
		a.End()
	}
	return nil
}

// offer asks who knows the line, and returns who did, or who knew the last one when nobody does.
func offer(all []*asked, last *asked, line Line, in *fact.Input) *asked {
	if last != nil && last.Line(line) {
		in.Source().Known++
		return last
	}
	for _, a := range all {
		if a != last && a.Line(line) {
			in.Source().Known++
			in.Recognised(a.Format, a.Platform)
			return a
		}
	}
	return last
}

// readLine returns the next line without its end, at most maxLine bytes of it, and how many bytes it took.
func readLine(r *bufio.Reader) (line []byte, n int64, err error) {
	line, err = r.ReadSlice('\n')
	n = int64(len(line))
	for errors.Is(err, bufio.ErrBufferFull) {
		line = append([]byte(nil), line...) // the buffer is used again
		var rest []byte
		for errors.Is(err, bufio.ErrBufferFull) {
			rest, err = r.ReadSlice('\n')
			n += int64(len(rest))
		}
	}
	return line, n, err
}

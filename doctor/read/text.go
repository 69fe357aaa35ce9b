package read

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/longcord/longcord/doctor/fact"
)

// maxLine bounds a line, in bytes; the rest of a longer one is passed over.
const maxLine = 64 << 10

// asked is a recogniser at work on one input.
type asked struct {
	Recogniser
	Reader
	bit   uint64 // what marks says when a line has one of the recogniser's
	until int    // it is offered every line up to this one
	known bool   // it knew a line
}

// lines is one input of text while it is read.
type lines struct {
	in      *fact.Input
	all     []*asked
	last    *asked // who knew the last line
	options Options
	sieved  bool

	page    *page    // not nil: it is one
	excerpt *excerpt // not nil: one is asked for
	unread  unread

	// held is a line as wide as a terminal, which may go on in the next one.
	held    Line
	holding bool
	piece   int // width of what was added to held last
	widest  int // line so far
	widestN int // how many lines were so wide
}

// text offers each line to the recognisers.
func text(in *fact.Input, r *bufio.Reader, head []byte, o Options) error {
	if order := utf16Order(head); order != nil {
		decoded := &utf16Reader{r: r, order: order}
		r = bufio.NewReaderSize(decoded, maxLine)
		head, _ = r.Peek(headSize) // an error comes again when the lines are read
	}
	t := &lines{in: in, options: o, sieved: !o.unsieved}
	if isHTML(head) {
		t.page = &page{}
	}
	if o.Excerpts {
		t.excerpt = &excerpt{}
	}
	for i, rec := range recognisers() {
		a := &asked{Recogniser: rec, Reader: rec.New(in), bit: 1 << (i % 64)} // more than 64 share bits, and are offered some lines too many
		t.all = append(t.all, a)
	}
	var failed error
	for number := 1; ; number++ {
		raw, cut, err := readLine(r)
		if len(raw) > 0 {
			in.Source().Lines = number
			known := in.Source().Known
			t.line(raw, number)
			if cut && in.Source().Known > known {
				in.Partly(fmt.Sprintf("line %d is longer than %d KB; the rest of it was passed over", number, maxLine>>10))
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				failed = err
			}
			break
		}
	}
	t.release()
	for _, a := range t.all {
		a.End()
	}
	t.unread.tell(in.Source())
	if t.excerpt != nil {
		in.Excerpt(t.excerpt.lines(in.Source().Name))
	}
	return failed
}

func recognisers() []Recogniser { return append(append([]Recogniser{}, early...), late...) }

// line takes one line of the source as it stands there.
func (t *lines) line(raw []byte, number int) {
	if t.page == nil {
		t.take(normalise(string(raw), number, t.options.Now))
		return
	}
	for _, shown := range t.page.lines(latin1(string(bytes.TrimRight(raw, "\r\n")))) {
		if shown != "" {
			t.take(normalise(shown, number, t.options.Now))
		}
	}
}

// take offers a line, or holds it back when a terminal may have broken it.
func (t *lines) take(line Line) {
	width := len(line.Raw)
	if t.holding {
		if t.goesOn(line) {
			t.held.Text += line.Raw
			t.held.Raw += line.Raw
			if t.piece = width; !t.wide(width) {
				t.release()
			}
			return
		}
		t.release()
	}
	if t.wide(width) && t.begins(line) {
		t.held, t.holding, t.piece = line, true, width
		return
	}
	t.offer(line)
}

func (t *lines) release() {
	if t.holding {
		t.holding = false
		t.offer(t.held)
	}
}

// wide reports whether a terminal may have broken a line of this width, in bytes: it is a usual width, or lines are
// often just so wide and never wider.
func (t *lines) wide(width int) bool {
	if width > t.widest {
		t.widest, t.widestN = width, 0
	}
	if width == t.widest {
		t.widestN++
	}
	switch width {
	case 80, 100, 120, 132, 160:
		return true
	}
	return width >= 40 && width == t.widest && t.widestN > 2
}

// goesOn reports whether line is the rest of the held one.
func (t *lines) goesOn(line Line) bool {
	return line.Raw != "" && len(t.held.Raw)+len(line.Raw) <= maxLine && t.wide(t.piece) && !t.begins(line)
}

// begins reports whether the line begins an entry of any log: with the prefix of a syslog daemon, or as one of the formats
// does.
func (t *lines) begins(line Line) bool {
	if len(line.Text) != len(line.Raw) {
		return true
	}
	for _, a := range t.all {
		if a.Begins != nil && a.Begins(line.Text) {
			return true
		}
	}
	return false
}

// offer asks who knows the line.
func (t *lines) offer(line Line) {
	if t.excerpt != nil {
		before := t.in.Told()
		defer func() { t.excerpt.take(line, t.in.Told() > before) }()
	}
	var has uint64
	if t.sieved {
		has = allMarks().in(line.Raw)
	}
	if t.last != nil && t.offerTo(t.last, line, has) {
		t.knows(t.last, line)
		return
	}
	for _, a := range t.all {
		if a != t.last && t.offerTo(a, line, has) {
			t.last = a
			t.knows(a, line)
			return
		}
	}
	fails := saysFailure(line.Text)
	if fails && t.knownAfterAll(line, has) {
		return
	}
	t.unread.passes(line, fails)
}

// knownAfterAll offers a line that speaks of a failure to those who know the source, and whose marks have kept it back.
func (t *lines) knownAfterAll(line Line, has uint64) bool {
	for _, a := range t.all {
		if a.known && t.keepsBack(a, line, has) && a.Line(line) {
			t.in.Source().Known++
			t.knows(a, line)
			return true
		}
	}
	return false
}

// knows notes a line that somebody knew, and the loss that it tells of.
func (t *lines) knows(a *asked, line Line) {
	t.unread.knows(line)
	if !a.Follows && !t.in.Minded(line.Number) {
		t.unread.loses(line)
	}
}

// keepsBack reports whether the marks say that a recogniser need not look at a line.
func (t *lines) keepsBack(a *asked, line Line, has uint64) bool {
	return t.sieved && len(a.Marks) > 0 && line.Number > a.until && has&a.bit == 0 && (a.Maybe == nil || !a.Maybe(line.Raw))
}

// offerTo offers a line to one recogniser, if it may know it.
func (t *lines) offerTo(a *asked, line Line, has uint64) bool {
	if t.keepsBack(a, line, has) {
		return false
	}
	if t.sieved && len(a.Marks) > 0 && line.Number > a.until && !a.Alone {
		a.until = line.Number + afterMark
	}
	if !a.Line(line) {
		return false
	}
	if !a.Alone {
		a.until = max(a.until, line.Number+afterKnown)
	}
	t.in.Source().Known++
	if !a.known {
		a.known = true
		t.in.Recognised(a.Format, a.Platform)
	}
	return true
}

// readLine returns the next line with its end, at most maxLine bytes of it, and whether there is more of it.
func readLine(r *bufio.Reader) (line []byte, cut bool, err error) {
	line, err = r.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, false, err
	}
	line = bytes.Clone(line) // the buffer is used again
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = r.ReadSlice('\n')
	}
	for len(line) > 0 && !utf8.RuneStart(line[len(line)-1]) { // do not end within a character
		line = line[:len(line)-1]
	}
	return line, true, err
}

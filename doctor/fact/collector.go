package fact

import (
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/longcord/longcord/finding"
)

// MaxText bounds a fact's text, in bytes.
const MaxText = 400

// maxPerKind bounds how many different facts of one kind one source gives. A log of a gigabyte tells nothing new by
// the thousandth line of a kind.
const maxPerKind = 500

// maxFacts bounds the facts of all sources together.
const maxFacts = 50_000

// Collector gathers facts in bounded memory: the same said again by one source is counted. Every text that it is given
// goes through Scrub, so that no secret gets into facts whoever reads.
type Collector struct {
	file  File
	seen  map[string]int // key of a fact to its place
	raw   map[uint64]int // the same by what was given, before it was scrubbed, hashed because it may hold secrets
	seed  maphash.Seed
	kinds map[string]int // source and kind to how many facts there are
}

// NewCollector returns an empty collector for this subject.
func NewCollector(version, subject string) *Collector {
	return &Collector{
		file: File{Schema: Schema, Version: version, Subject: subject, Sources: []Source{}, Facts: []Fact{}},
		seen: map[string]int{}, raw: map[uint64]int{}, seed: maphash.MakeSeed(), kinds: map[string]int{},
	}
}

// File returns what was collected so far. Rotated logs stand in the order in which they were written; see order.
func (c *Collector) File() *File {
	f := c.file
	f.Subject = Scrub(f.Subject)
	f.Facts, f.Sources = slices.Clone(f.Facts), slices.Clone(f.Sources)
	for i := range f.Sources {
		f.Sources[i].Problem, f.Sources[i].Unread = Cut(Scrub(f.Sources[i].Problem)), Cut(Scrub(f.Sources[i].Unread))
		f.Sources[i].Losses = slices.Clone(f.Sources[i].Losses)
		for j := range f.Sources[i].Losses {
			f.Sources[i].Losses[j].Text = Cut(Scrub(f.Sources[i].Losses[j].Text))
		}
	}
	f.order()
	return &f
}

// About says what the question is about, such as a phone.
func (c *Collector) About(subject string) { c.file.Subject = subject }

// At says when this is collected. The first word counts.
func (c *Collector) At(now time.Time) {
	if c.file.Collected.IsZero() {
		c.file.Collected = now
	}
}

// Take adds what another collector has saved.
func (c *Collector) Take(f *File) {
	c.At(f.Collected)
	c.file.Sources = append(c.file.Sources, f.Sources...)
	c.file.Facts = append(c.file.Facts, f.Facts...)
}

// Open begins a source.
func (c *Collector) Open(name string) *Input {
	c.file.Sources = append(c.file.Sources, Source{Name: Cut(Scrub(name)), Formats: []string{}})
	return &Input{collector: c, index: len(c.file.Sources) - 1}
}

// Input is one source while it is read.
type Input struct {
	collector *Collector
	index     int
	told      int
	minded    int
}

// Source returns what is known of the source so far, to be changed by who reads it.
func (i *Input) Source() *Source { return &i.collector.file.Sources[i.index] }

// Partly notes why some of the source was not read, so that what stands there does not pass for health.
func (i *Input) Partly(why string) {
	s := i.Source()
	if s.Problem != "" && s.Problem != why {
		why = s.Problem + "; " + why
	}
	s.Partly, s.Problem = true, Cut(why)
}

// Now returns when this is collected, which gives years to times without one; zero: not known.
func (i *Input) Now() time.Time { return i.collector.file.Collected }

// Recognised notes that the source holds this format, and whose equipment speaks in it; an empty platform tells nothing.
func (i *Input) Recognised(format string, p finding.Platform) {
	s, format := i.Source(), Cut(Scrub(format))
	if !slices.Contains(s.Formats, format) {
		s.Formats = append(s.Formats, format)
	}
	if p != "" && !slices.Contains(s.Platforms, p) {
		s.Platforms = append(s.Platforms, p)
	}
}

// Mind says that who reads this line follows what failed there to its end, and tells of it then.
func (i *Input) Mind(line int) { i.minded = line }

// Minded reports whether somebody does.
func (i *Input) Minded(line int) bool { return i.minded == line }

// Told returns how often Add was called.
func (i *Input) Told() int { return i.told }

// Excerpt keeps a part of the source beside its facts.
func (i *Input) Excerpt(lines []ExcerptLine) {
	if len(lines) == 0 {
		return
	}
	for n := range lines {
		lines[n].Text = Cut(Scrub(lines[n].Text))
	}
	f := &i.collector.file
	f.Excerpts = append(f.Excerpts, Excerpt{Source: i.Source().Name, Lines: lines})
}

// Add adds a fact that stands in this line of the source (0: it has no lines). Values are pairs of name and value.
func (i *Input) Add(kind Kind, line int, text string, when time.Time, values ...string) {
	c, name := i.collector, i.Source().Name
	i.told++
	of := name + "\x00" + string(kind)
	given := c.given(of, text, values)
	if at, ok := c.raw[given]; ok {
		c.file.Facts[at].again(line)
		return
	}
	if c.kinds[of] >= maxPerKind || len(c.file.Facts) >= maxFacts {
		return // what is new is not kept, and scrubbing it would take most of the time
	}
	f := Fact{Kind: kind, Source: name, Line: line, Text: Cut(Scrub(text)), Time: when}
	if len(values) > 0 {
		f.Values = make(map[string]string, len(values)/2)
		for n := 0; n+1 < len(values); n += 2 {
			f.Values[values[n]] = Cut(Scrub(values[n+1]))
		}
	}
	k := key(f)
	if at, ok := c.seen[k]; ok {
		c.file.Facts[at].again(line)
		return
	}
	c.kinds[of]++
	c.seen[k], c.raw[given] = len(c.file.Facts), len(c.file.Facts)
	c.file.Facts = append(c.file.Facts, f)
}

// again notes that the source says the same once more.
func (f *Fact) again(line int) {
	f.Count++
	f.Last = max(f.Last, line)
}

// given is a hash of what makes two facts the same, before secrets are taken out.
func (c *Collector) given(of, text string, values []string) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	if len(values) == 0 {
		values = []string{text}
	}
	_, _ = h.WriteString(of)
	for _, value := range values {
		_ = h.WriteByte(0)
		_, _ = h.WriteString(value)
	}
	return h.Sum64()
}

// key is what makes two facts of one source the same: kind and values, or the text where there are none.
func key(f Fact) string {
	var b strings.Builder
	b.WriteString(f.Source + "\x00" + string(f.Kind))
	if len(f.Values) == 0 {
		b.WriteString("\x00" + f.Text)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Values)) {
		b.WriteString("\x00" + name + "\x00" + f.Values[name])
	}
	return b.String()
}

// Printable returns text of valid UTF-8 on one line, without characters that steer a terminal or turn the direction of
// writing.
func Printable(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text))
}

// Cut shortens printable text to MaxText bytes.
func Cut(text string) string {
	text = Printable(text)
	if len(text) <= MaxText {
		return text
	}
	end := MaxText
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

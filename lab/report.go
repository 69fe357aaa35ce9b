package lab

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/stage"
)

// reporter tells the story while it happens, one line a step; or, as JSON, as one document at its end.
type reporter struct {
	out  io.Writer
	json bool

	diagnosis func(io.Writer) // what the doctor says at the end; nil: nobody asked him
}

func (r reporter) say(format string, args ...any) {
	if !r.json {
		fmt.Fprintf(r.out, format+"\n", args...)
	}
}

func (r reporter) step(s Step) {
	mark := "ok"
	if !s.OK {
		mark = "FAILED"
	}
	r.say("%-10s %-6s %6.2f s  %s", s.Step, mark, (time.Duration(s.DurationMS) * time.Millisecond).Seconds(), s.Detail)
}

// end tells how the call was and how it all came out.
func (r reporter) end(res Result) error {
	if r.json {
		return document(r.out, res)
	}
	if c := res.Call; c != nil {
		r.direction("home to office", c.HomeToOffice)
		r.direction("office to home", c.OfficeToHome)
	}
	if r.diagnosis != nil {
		r.stops(res)
		r.diagnosis(r.out)
		return nil
	}
	for _, f := range res.Findings {
		r.finding(f)
	}
	if res.OK {
		r.say("Two people have talked, after %.1f s.", res.DurationS)
		return nil
	}
	r.stops(res)
	return nil
}

// stops says where the story ended.
func (r reporter) stops(res Result) {
	last := res.Steps[len(res.Steps)-1]
	switch {
	case last.OK && last.Step == stage.Call:
		r.say("The story goes to its end all the same.")
	case last.OK:
		r.say("The story goes well as far as %s, and is told no further.", last.Step)
	default:
		r.say("The story stops at %s.", last.Step)
	}
}

func (r reporter) direction(name string, d Direction) {
	heard := "heard"
	if !d.Heard {
		heard = "NOT HEARD"
	}
	r.say("  %s: %d sent, %d received, %d lost, jitter %.1f ms, MOS %.1f, %s",
		name, d.Sent, d.Received, d.Lost, d.JitterMS, d.MOS, heard)
}

func (r reporter) finding(f finding.Finding) {
	r.say("  %s (%s): %s", f.Severity, f.Code, f.Says)
	for _, fix := range f.Fix {
		r.say("    - %s", fix)
	}
}

// document writes the result as the one document of --json.
func document(out io.Writer, res Result) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(res)
}

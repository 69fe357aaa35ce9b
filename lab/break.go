package lab

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/longcord/longcord/stage"
)

// moment is when something is broken.
type moment int

const (
	setUp   moment = iota + 1 // the set-up is written, and the office not yet open
	opened                    // the office is open, and no phone has started
	carried                   // the phone is between office and home
	settled                   // the phone has registered at home
	talking                   // the desk phone has answered
)

// act brings a cause about.
type act func(context.Context, *story) error

// breakage is one thing that --break breaks.
type breakage struct {
	code  string        // of the finding that must come out
	does  string        // what is broken, as a clause for people
	needs func(*Config) // what the story must be for it; nil: nothing
	acts  map[moment]act
	until stage.Step // the last step that has to be told for it; zero: the call
}

// Break is a name that --break takes, and what it breaks.
type Break struct{ Code, Does string }

// Breaks returns what can be broken, in the order of a phone's steps.
func Breaks() []Break {
	all := make([]Break, 0, len(breakages))
	for _, b := range breakages {
		all = append(all, Break{b.code, b.does})
	}
	return all
}

func breakageOf(code string) (breakage, error) {
	i := slices.IndexFunc(breakages, func(b breakage) bool { return b.code == code })
	if i >= 0 {
		return breakages[i], nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "--break %s is nothing that can be broken here; what can:", code)
	for _, each := range breakages {
		fmt.Fprintf(&b, "\n  %-32s %s", each.code, each.does)
	}
	return breakage{}, &usageError{b.String()}
}

// shown reports whether the story has been told as far as what is broken needs it.
func (s *story) shown() bool {
	last := len(s.result.Steps) - 1
	return last >= 0 && s.result.Steps[last].Step == s.until
}

// breakAt breaks what is to be broken now, if anything is.
func (s *story) breakAt(ctx context.Context, now moment) error {
	if s.config.Break == "" {
		return nil
	}
	b, err := breakageOf(s.config.Break)
	if err != nil || b.acts[now] == nil {
		return err
	}
	if err := b.acts[now](ctx, s); err != nil {
		return fmt.Errorf("lab: break %s: %w", b.code, err)
	}
	return nil
}

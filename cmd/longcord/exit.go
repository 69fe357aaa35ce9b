package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/longcord/longcord/internal/strictyaml"
)

// The exit codes, as the help of the program lists them.
const (
	exitGood        = 0
	exitNotWell     = 1 // the thing asked about is not well: a fault found, a step failed
	exitUsage       = 2 // wrong usage or bad configuration
	exitCannotTell  = 3
	exitUnreachable = 4 // the running system cannot be reached, or we have no right to
)

// failure is an error with its exit code and what to try next.
type failure struct {
	code  int
	err   error
	hints []string
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// usage is wrong usage or bad configuration.
func usage(err error, hints ...string) error { return &failure{exitUsage, err, hints} }

// notWell is a thing asked about that is not well.
func notWell(err error, hints ...string) error { return &failure{exitNotWell, err, hints} }

// cannotTell is a question that found no answer.
func cannotTell(err error, hints ...string) error { return &failure{exitCannotTell, err, hints} }

// errQuiet ends a command whose output has said everything.
var errQuiet = errors.New("")

// report prints err as people read it: the message, then what to try next. It returns the exit code.
func report(out io.Writer, err error) int {
	if err == nil {
		return exitGood
	}
	f := &failure{code: exitUsage, err: err} // what the command line itself refuses
	errors.As(err, &f)
	if errors.Is(f.err, errQuiet) {
		return f.code
	}
	var problems strictyaml.Problems
	if errors.As(f.err, &problems) {
		printProblems(out, problems)
	} else {
		printLines(out, "longcord: ", strings.Split(f.Error(), "\n"))
	}
	printLines(out, "  hint: ", slices.DeleteFunc(slices.Clone(f.hints), func(hint string) bool { return hint == "" }))
	return f.code
}

func printLines(out io.Writer, before string, lines []string) {
	shown, more := few(lines)
	for _, line := range shown {
		fmt.Fprintf(out, "%s%s\n", before, line)
	}
	if more > 0 {
		fmt.Fprintf(out, "%s… and %d more\n", before, more)
	}
}

// few returns as many of all as people read, and how many more there are.
func few[T any](all []T) (shown []T, more int) {
	const most = 20
	shown = all[:min(len(all), most)]
	return shown, len(all) - len(shown)
}

func printProblems(out io.Writer, problems strictyaml.Problems) {
	shown, more := few(problems)
	for _, p := range shown {
		fmt.Fprintf(out, "%s\n", p.Error())
		if p.Excerpt != "" {
			fmt.Fprintf(out, "    %s\n", legible(p.Excerpt))
		}
		if p.Hint != "" {
			fmt.Fprintf(out, "  hint: %s\n", p.Hint)
		}
	}
	if more > 0 {
		fmt.Fprintf(out, "… and %d more\n", more)
	}
}

// legible is a line of a file that a terminal can show, whatever the file is.
func legible(line string) string {
	const most = 200
	line = strings.TrimSpace(line)
	if runes := []rune(line); len(runes) > most {
		line = string(runes[:most]) + "…"
	}
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) && r != '\t' {
			return '?'
		}
		return r
	}, line)
}

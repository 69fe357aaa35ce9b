// Command benchcases judges the cases of doctor/testdata/cases, which were written from what is published and apart from
// the doctor's rules, and prints how often the doctor is right: precision (of what it says above note, how much is so),
// recall (of what is so, how much it says), the share of right verdicts and how many cases mislead, by category; then each
// case that came out wrong. `make bench-doctor` runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

func main() {
	dir := flag.String("cases", "doctor/testdata/cases", "`folder` with CATEGORY/NAME/case.yaml")
	only := flag.String("only", "", "judge only cases whose CATEGORY/NAME begins with this")
	name := flag.String("name", "", "judge only cases whose NAME begins with this")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *dir, *only, *name); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func run(ctx context.Context, dir, only, name string) error {
	cases, err := load(dir)
	if err != nil {
		return err
	}
	var outcomes []*outcome
	for _, c := range cases {
		if !strings.HasPrefix(c.String(), only) || !strings.HasPrefix(c.name, name) {
			continue
		}
		report, err := c.judge(ctx)
		if err != nil {
			return err
		}
		outcomes = append(outcomes, weigh(c, report))
	}
	return write(os.Stdout, outcomes)
}

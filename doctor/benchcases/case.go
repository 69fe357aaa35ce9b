package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/judge"
	"github.com/longcord/longcord/doctor/read"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/strictyaml"
)

// now is the day on which cases are judged, so that dates in them stay what they are.
var now = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// strongest first: what a case asks for is met by anything that is at least as strong.
var certainties = []finding.Certainty{finding.Certain, finding.Likely, finding.Possible}

// expected is a finding that a case must lead to.
type expected struct {
	Code    string            `json:"code"`
	AtLeast finding.Certainty `json:"at-least"`
}

// met reports whether c is as strong as the case asks for.
func (e expected) met(c finding.Certainty) bool {
	return slices.Index(certainties, c) <= slices.Index(certainties, e.AtLeast)
}

// testCase is what somebody sends, and what the doctor should say to it; see doctor/testdata/cases/README.md.
type testCase struct {
	Source   string          `json:"source"`
	Inputs   []string        `json:"inputs"` // file names, in the order in which they are given
	URL      string          `json:"url"`    // --url; empty: not given
	Verdict  []judge.Verdict `json:"verdict"`
	Findings []expected      `json:"findings"`
	Allowed  []string        `json:"allowed"`
	Remark   string          `json:"remark"`

	category, name, dir string
}

func (c *testCase) String() string { return c.category + "/" + c.name }

// load reads every case under dir, which holds CATEGORY/NAME/case.yaml.
func load(dir string) ([]*testCase, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "*", "case.yaml"))
	if err != nil {
		return nil, fmt.Errorf("benchcases: find cases: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("benchcases: %s holds no CATEGORY/NAME/case.yaml", dir)
	}
	var cases []*testCase
	for _, file := range files {
		c, err := loadOne(file)
		if err != nil {
			return nil, fmt.Errorf("benchcases: %s: %w", file, err)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

func loadOne(file string) (*testCase, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	documents, err := strictyaml.Parse(file, text)
	if err != nil {
		return nil, err
	}
	if len(documents) != 1 {
		return nil, fmt.Errorf("has %d documents, not one", len(documents))
	}
	dir := filepath.Dir(file)
	c := &testCase{dir: dir, name: filepath.Base(dir), category: filepath.Base(filepath.Dir(dir))}
	if err := documents[0].Decode(c); err != nil {
		return nil, err
	}
	return c, c.check()
}

func (c *testCase) check() error {
	if c.Source == "" || c.Remark == "" || len(c.Inputs) == 0 || len(c.Verdict) == 0 {
		return fmt.Errorf("source, inputs, verdict and remark are needed")
	}
	for _, v := range c.Verdict {
		if !slices.Contains([]judge.Verdict{judge.Fault, judge.OK, judge.Insufficient}, v) {
			return fmt.Errorf("no verdict is called %q", v)
		}
	}
	codes := slices.Clone(c.Allowed)
	for _, e := range c.Findings {
		if !slices.Contains(certainties, e.AtLeast) {
			return fmt.Errorf("no certainty is called %q", e.AtLeast)
		}
		codes = append(codes, e.Code)
	}
	for _, code := range codes {
		if _, known := finding.Lookup(code); !known {
			return fmt.Errorf("no finding is called %q; codes are declared in finding/codes_STEP.go", code)
		}
	}
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() != "case.yaml" && !slices.Contains(c.Inputs, entry.Name()) {
			return fmt.Errorf("%s is there and no input", entry.Name())
		}
	}
	return nil
}

// judge lets the doctor read the case's inputs, as `longcord doctor FILE… --url URL` does, and say what is wrong.
func (c *testCase) judge(ctx context.Context) (*judge.Report, error) {
	collector := fact.NewCollector("bench", "files")
	if c.URL != "" {
		in := collector.Open("--url")
		in.Add(fact.AskedURL, 0, c.URL, time.Time{}, "url", c.URL)
		in.Recognised("what you say", "")
	}
	for _, name := range c.Inputs {
		if err := readFile(ctx, collector, filepath.Join(c.dir, name)); err != nil {
			return nil, fmt.Errorf("benchcases: %s: %w", c, err)
		}
	}
	return judge.Facts(collector.File(), "bench"), nil
}

func readFile(ctx context.Context, collector *fact.Collector, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return read.Input(ctx, collector, filepath.Base(file), f, read.Options{Now: now})
}

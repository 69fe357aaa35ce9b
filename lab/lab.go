package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/phone"
	"github.com/longcord/longcord/stage"
)

// Exit codes of the command.
const (
	exitGood       = 0
	exitStopped    = 1 // the story stops somewhere
	exitUsage      = 2
	exitCannotTell = 3 // the world could not be built, or the story was interrupted
)

// Main is the command `longcord lab`. It runs the story, started anew in a user namespace where that is
// needed, and returns the exit code.
func Main(ctx context.Context, c Config) int {
	if _, err := c.withDefaults(); err != nil {
		return complain(c.Stderr, err)
	}
	code, done, err := testnet.Enter(ctx)
	if err != nil {
		return complain(c.Stderr, err)
	}
	if done {
		return code
	}
	result, err := Run(ctx, c)
	if err != nil {
		return complain(c.Stderr, err)
	}
	if !result.OK {
		return exitStopped
	}
	return exitGood
}

// complain prints why there is no result, with what to try, and returns the exit code.
func complain(w io.Writer, err error) int {
	fmt.Fprintln(w, err)
	var usage *usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	var forbidden *testnet.Forbidden
	if errors.As(err, &forbidden) {
		fmt.Fprintln(w, "hint:", forbidden.Fix)
	}
	return exitCannotTell
}

// Run tells the story and returns its document, printed already. A story that stops is a Result that is not OK; an error
// means that it could not be told. The process must be allowed to make networks (testnet.Enter). With
// Keep it returns when ctx ends.
func Run(ctx context.Context, c Config) (result Result, err error) {
	if c, err = c.withDefaults(); err != nil {
		return result, err
	}
	var file *os.File // holds the keys too
	if c.PCAP != "" {
		if file, err = os.OpenFile(c.PCAP, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
			return result, &usageError{"--pcap: " + err.Error()}
		}
		defer func() { err = errors.Join(err, file.Close()) }()
	}
	// Hosts see their own disk where the program may lie; by its descriptor they find it all the same.
	program, err := os.Open(c.Executable)
	if err != nil {
		return result, fmt.Errorf("lab: find the program: %w", err)
	}
	defer func() { err = errors.Join(err, program.Close()) }()
	c.Executable = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), program.Fd())
	w, err := newWorld(c)
	defer func() { err = errors.Join(err, w.close()) }()
	if err != nil {
		return result, err
	}
	s := newStory(c, w, &result)
	if file != nil {
		if err := s.record(); err != nil {
			return result, err
		}
		defer func() { err = errors.Join(err, s.saveCapture(file)) }()
	}
	defer s.closeOffice()
	if err := s.tell(ctx); err != nil {
		return result, err
	}
	if c.Keep {
		return result, s.keep(ctx)
	}
	return result, nil
}

func newStory(c Config, w *world, result *Result) *story {
	*result = Result{Schema: 1, Version: c.Version, Steps: []Step{}, Findings: []finding.Finding{}}
	s := &story{config: c, variant: variants[c.VPN], world: w, launcher: newLauncher(c, w.disk), result: result, user: user}
	if c.model != "" {
		s.variant.model = c.model
	}
	s.report = reporter{out: c.Stdout, json: c.JSON}
	return s
}

// tell lives the story, notes how it came out and prints that.
func (s *story) tell(ctx context.Context) error {
	began := time.Now()
	err := s.live(ctx)
	s.result.DurationS = float64(time.Since(began).Milliseconds()) / 1000
	var end *stopped
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("lab: interrupted: %w", ctx.Err())
	case errors.As(err, &end):
		if end.step != stage.Tunnel {
			s.flush()
		}
		s.gatherFindings(afterthought)
		s.reached(Step{Step: end.step, Detail: s.reason(end)})
	case err != nil:
		return err
	default:
		s.gatherFindings(0)
		s.result.OK = s.config.Break == ""
	}
	if s.config.Break != "" {
		if err := s.diagnose(ctx); err != nil {
			return err
		}
	}
	return s.report.end(*s.result)
}

// afterthought is how long phones get, after the story has stopped, to say what they found.
const afterthought = time.Second

// gatherFindings collects what the phones found, each code once. A phone that may still be thinking is
// waited for, for at most wait.
func (s *story) gatherFindings(wait time.Duration) {
	seen := map[string]bool{}
	for _, p := range []*program{s.desk, s.boot, s.home} {
		if p == nil {
			continue
		}
		if p != s.desk && wait > 0 {
			p.gone(wait)
		}
		for _, line := range p.all() {
			var e phone.Event
			if json.Unmarshal([]byte(line), &e) == nil && e.Finding != nil && !seen[e.Finding.Code] {
				seen[e.Finding.Code] = true
				s.result.Findings = append(s.result.Findings, *e.Finding)
			}
		}
	}
}

// reason says why the story stopped: the phone's own words, else what it found, with the servers' last
// words when they are gone.
func (s *story) reason(end *stopped) string {
	why := end.why
	for _, f := range s.result.Findings {
		if why == "" && f.Severity == finding.Fault {
			why = f.Says
		}
	}
	if s.serve != nil && s.serve.ended() {
		why += "; " + s.serve.failure().Error()
	}
	return why
}

// record begins the capture and has the programs tell their keys.
func (s *story) record() error {
	if err := s.world.disk.Files.WriteFile(keysFile, nil, 0o600); err != nil {
		return fmt.Errorf("lab: key log: %w", err)
	}
	s.launcher.env = append(s.launcher.env, "SSLKEYLOGFILE="+path(keysFile))
	return s.world.record()
}

// saveCapture writes the capture with the keys that the programs told.
func (s *story) saveCapture(file io.Writer) error {
	keys, err := s.world.disk.Files.ReadFile(keysFile)
	if err != nil {
		return fmt.Errorf("lab: key log: %w", err)
	}
	return s.world.capture.Save(file, keys)
}

// closeOffice ends what still runs, phones before servers, so that they can log off.
func (s *story) closeOffice() {
	for _, p := range []*program{s.boot, s.home, s.desk, s.serve, s.old} {
		if p != nil {
			p.stop()
		}
	}
}

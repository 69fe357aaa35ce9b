package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
)

// Times of looking at this machine's clock.
const (
	clockLooked = time.Minute
	// clockSlack is what certificates and phones forgive, and NTP corrects without a word.
	clockSlack = 2 * time.Minute
	// clockDoubted is how long a jump is spoken of that nobody explains.
	clockDoubted = 24 * time.Hour
)

// ownClock is whose clock it is, in findings.
const ownClock = "this machine"

// clock judges this machine's own clock: by what was written when it showed more, and by how it goes. That the kernel calls
// it unsynchronised is no fault by itself, since many machines have their time from elsewhere; a jump that nobody
// answers for is.
type clock struct {
	findings *finding.Board
	written  func() []dated           // what the store has, with the time that it was written at
	kept     func() (kept, told bool) // whether the kernel says that somebody keeps it synchronised

	last    time.Time
	running time.Duration // since some moment, by a clock that nobody sets, at last
}

// dated is something that happened by this machine's clock.
type dated struct {
	what string
	at   time.Time
}

// look judges the clock at now; running is what another clock shows that nobody sets.
func (c *clock) look(now time.Time, running time.Duration) (found []finding.Finding) {
	if f, behind := c.behind(now); behind {
		if c.findings.Raise(f) {
			found = append(found, f)
		}
	} else if f, jumped := c.jumped(now, running); jumped {
		c.findings.RaiseFor(clockDoubted, f)
		found = append(found, f)
	} else if kept, _ := c.kept(); kept || !c.doubted() {
		c.findings.Clear(finding.ClockWrong, ownClock)
	}
	c.last, c.running = now, running
	return found
}

// behind says that something in the store is younger than now: the clock was set back, or stands in the past since the
// machine started. Or it was ahead then.
func (c *clock) behind(now time.Time) (finding.Finding, bool) {
	var newest dated
	now = now.Round(0) // what was written in this process has the other clock's time, too
	for _, d := range c.written() {
		if d.at = d.at.Round(0); d.at.After(newest.at) {
			newest = d
		}
	}
	if newest.at.Before(now.Add(clockSlack)) {
		return finding.Finding{}, false
	}
	f := finding.ClockWrong.With(ownClock, fmt.Sprintf("it says %s, and %s is of %s", said(now), newest.what, said(newest.at))).As(finding.Likely)
	return f.Because("serve", 0, c.keeper()), true
}

// jumped says that the clock went otherwise than time does, and that nobody answers for what it shows now.
func (c *clock) jumped(now time.Time, running time.Duration) (finding.Finding, bool) {
	if c.last.IsZero() {
		return finding.Finding{}, false
	}
	by := now.Round(0).Sub(c.last.Round(0)) - (running - c.running)
	if kept, told := c.kept(); by.Abs() < clockSlack || kept || !told {
		return finding.Finding{}, false
	}
	f := finding.ClockWrong.With(ownClock, fmt.Sprintf("it jumped by %s to %s", by.Round(time.Second), said(now))).As(finding.Possible)
	return f.Because("serve", 0, c.keeper()), true
}

// doubted reports whether a jump stands that nobody answers for.
func (c *clock) doubted() bool {
	for _, f := range c.findings.Findings() {
		if f.Code == finding.ClockWrong.Code && f.Subject == ownClock {
			return f.Certainty == finding.Possible
		}
	}
	return false
}

// keeper says what the kernel knows of who keeps the clock.
func (c *clock) keeper() string {
	switch kept, told := c.kept(); {
	case !told:
		return "the kernel does not tell whether the clock is synchronised"
	case kept:
		return "the kernel says that the clock is synchronised"
	}
	return "the kernel says that nobody synchronises the clock"
}

// kernelClock asks the kernel whether its clock is synchronised. Containers may not be told.
func kernelClock() (kept, told bool) {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err == nil && state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0, err == nil
}

// sinceStart is how long the machine runs, sleep included.
func sinceStart() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// watchClock looks after this machine's clock.
func (s *system) watchClock(ctx context.Context) error {
	c := &clock{findings: s.findings, written: s.writings, kept: kernelClock}
	ticker := time.NewTicker(clockLooked)
	defer ticker.Stop()
	for {
		for _, f := range c.look(time.Now(), sinceStart()) {
			s.log.Warn("clock is wrong", logging.Finding, f.Code, "says", f.Says, "evidence", f.Evidence[0].Text)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// writings are what the store has that was written at a time of this machine's clock.
func (s *system) writings() (all []dated) {
	for _, r := range s.authority.Records() {
		if !r.Foreign {
			all = append(all, dated{"the certificate of this house's key " + string(r.Purpose), r.Certificate.NotBefore})
		}
	}
	for device, deliveries := range s.deliveries() {
		for _, d := range deliveries {
			all = append(all, dated{"the delivery of " + d.File + " to " + device, d.Complete})
		}
	}
	for _, r := range s.registrations() {
		all = append(all, dated{"the registration of line " + r.Line, r.Began})
	}
	if s.gateway != nil {
		for _, g := range s.gateway.Sessions() {
			all = append(all, dated{fmt.Sprintf("session %d of %s", g.ID, g.User), g.Began})
		}
	}
	return all
}

package main

import (
	"context"
	"slices"
	"time"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
)

// Times of looking for phones that stay behind.
const (
	filesLooked = 15 * time.Second
	// filesTaken is how long a phone that has said yes may take to fetch its file and to register.
	filesTaken = 2 * time.Minute
)

// watchFiles raises a finding for each phone that was told of a new file and does not run it.
func (s *system) watchFiles(ctx context.Context) error {
	ticker := time.NewTicker(filesLooked)
	defer ticker.Stop()
	raised := map[string]bool{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			s.judgeFiles(now, raised)
		}
	}
}

func (s *system) judgeFiles(now time.Time, raised map[string]bool) {
	stamps, deliveries := s.stamps(s.catalog.Current()), s.deliveries()
	registered := map[string][]control.Registration{}
	for _, r := range s.registrations() {
		registered[r.Phone] = append(registered[r.Phone], r)
	}
	behind := map[string]control.Telling{}
	for _, t := range s.teller().Tellings() {
		runs := control.Running(deliveries[t.Phone], registered[t.Phone])
		if t.Why = staysBehind(now, t, runs, stamps[t.Phone]); t.Why != "" {
			behind[t.Phone] = t
		}
	}
	for phone := range raised {
		if _, still := behind[phone]; !still {
			s.findings.Clear(finding.ConfigChangeNotTaken, phone)
			s.findings.Clear(finding.VPNNotRestarted, phone)
			delete(raised, phone)
		}
	}
	for phone, t := range behind {
		f, moot := whyBehind(t, control.Holds(deliveries[phone], registered[phone]) == stamps[phone])
		s.findings.Clear(moot, phone)
		if s.findings.Raise(f) {
			s.log.Warn("phone stays behind", logging.Phone, phone, "why", t.Why, logging.Finding, f.Code)
		}
		raised[phone] = true
	}
}

// whyBehind returns the finding for a phone that stays behind, and the one that it is not: it has the new file and has not
// started with it, or it has not even fetched it.
func whyBehind(t control.Telling, hasIt bool) (f finding.Finding, not finding.Declaration) {
	f, not = finding.ConfigChangeNotTaken.With(t.Phone, t.Since.UTC().Format(time.DateTime)), finding.VPNNotRestarted
	if hasIt {
		f, not = finding.VPNNotRestarted.With(t.Phone), finding.ConfigChangeNotTaken
	}
	return f.Because("call manager", 0, t.Why), not
}

// staysBehind returns why a phone does not run the file that it should and was told of; nothing when it
// does, or may yet.
func staysBehind(now time.Time, t control.Telling, runs, should string) string {
	aboutFiles := slices.Contains([]control.PhoneAction{control.CheckVersion, control.ApplyConfig, control.RestartPhone}, t.Action)
	switch {
	case should == "" || runs == should || t.Stamp != should || !aboutFiles:
		return ""
	case t.State == "declined" || t.State == "silent":
		return tellingWords(t)
	case t.State == "taken" && now.Sub(t.Since) > filesTaken:
		return "it said that it would, and runs the old one"
	}
	return ""
}

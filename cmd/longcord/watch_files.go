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
	s.judgeTellings(now, raised, s.teller().Tellings(), stamps, deliveries, registered)
}

// judgeTellings judges what phones made of what they were told; all but the first three by phone.
func (s *system) judgeTellings(now time.Time, raised map[string]bool, told []control.Telling, stamps map[string]string, deliveries map[string][]control.Delivery, registered map[string][]control.Registration) {
	behind := map[string]control.Telling{}
	for _, t := range told {
		runs := control.Running(deliveries[t.Phone], registered[t.Phone])
		if t.Why = staysBehind(now, t, runs, stamps[t.Phone]); t.Why != "" {
			behind[t.Phone] = t
		}
	}
	for phone := range raised {
		if _, still := behind[phone]; !still {
			s.findings.Clear(finding.ConfigChangeNotTaken, phone)
			s.findings.Clear(finding.VPNNotRestarted, phone)
			s.findings.Clear(finding.SecondTFTPAnswers, phone)
			delete(raised, phone)
		}
	}
	for phone, t := range behind {
		f, moot := whyBehind(t, control.Holds(deliveries[phone], registered[phone]) == stamps[phone])
		s.findings.Clear(moot, phone)
		if s.findings.Raise(f) {
			s.log.Warn("phone stays behind", logging.Phone, phone, "why", t.Why, logging.Finding, f.Code)
		}
		if f, elsewhere := asksElsewhere(t, deliveries[phone], registered[phone], s.settings.Inside.String()); elsewhere {
			s.findings.Raise(f)
		} else {
			s.findings.Clear(finding.SecondTFTPAnswers, phone)
		}
		raised[phone] = true
	}
}

// asksElsewhere says of a phone that it must have a file server besides ours, which is at inside: told to restart it did,
// for it has registered anew, and it has fetched nothing here on the way. It may also have found no server at all, and gone
// on with what it had.
func asksElsewhere(t control.Telling, deliveries []control.Delivery, registered []control.Registration, inside string) (finding.Finding, bool) {
	restarted := slices.ContainsFunc(registered, func(r control.Registration) bool { return r.Began.After(t.Since) })
	fetched := slices.ContainsFunc(deliveries, func(d control.Delivery) bool { return !d.Complete.Before(t.Since) })
	if t.State != "taken" || t.Action != control.RestartPhone || !restarted || fetched {
		return finding.Finding{}, false
	}
	f := finding.SecondTFTPAnswers.With(inside, finding.Unnamed("that nobody knows here")).As(finding.Possible)
	f.Subject = t.Phone
	f.Fix = append(f.Fix[:1:1], "find who else offers the phones' network option 150 or 66, or the file: capture there what `"+t.Phone+"` sends while it restarts, and give it to `longcord doctor`",
		"if nobody does, look whether "+inside+" can be reached from the phone by UDP 69 and TCP 6970")
	return f.Because("serve", 0, t.Phone+" was told to restart at "+said(t.Since)+", has registered again, and has fetched nothing here since"), true
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

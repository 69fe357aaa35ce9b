package trust

import (
	"context"
	"time"

	"github.com/longcord/longcord/finding"
)

// When people are told that a key of the house ends, and how often somebody looks. Purposes change one at a time,
// and between them every phone has to come by.
const (
	warnBefore = year
	lookEvery  = 6 * time.Hour
)

// Run looks at the dates of the house's keys now and then, until ctx ends.
func (a *Authority) Run(ctx context.Context) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		a.Look()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// Look tells which keys in use end within a year, and is silent again about those that were replaced.
func (a *Authority) Look() {
	if a.config.Findings == nil {
		return
	}
	now := a.config.Now()
	for _, r := range a.Records() {
		switch {
		case !r.Until.IsZero():
		case now.After(r.Certificate.NotAfter.Add(-warnBefore)):
			a.config.Findings.Raise(finding.AuthorityKeyExpires.With(string(r.Purpose), r.Certificate.NotAfter.UTC().Format(time.DateOnly)))
		default:
			a.config.Findings.Clear(finding.AuthorityKeyExpires, string(r.Purpose))
		}
	}
}

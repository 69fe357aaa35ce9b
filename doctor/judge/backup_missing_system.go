package judge

import (
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// backupGood is how long a copy of the state folder is young enough: certificates are made for months.
const backupGood = 30 * 24 * time.Hour

// Who copies the folder says so by a file in it. That nobody has said so is no proof that nobody does.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.SystemBackup) {
		since, certainty := f.Get("copied"), finding.Likely
		if since == "" {
			since, certainty = f.Get("began"), finding.Possible
		}
		at, err := time.Parse(time.RFC3339, since)
		if err != nil || c.Now().IsZero() || c.Now().Sub(at) < backupGood {
			continue
		}
		c.Find(finding.BackupMissing.With(f.Get("folder"), at.Format(time.DateOnly)).As(certainty), f)
	}
}, finding.BackupMissing)

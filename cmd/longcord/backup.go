package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/store"
)

const (
	// backupGood is how long an export is young enough: certificates are made for months.
	backupGood   = 30 * 24 * time.Hour
	backupLooked = time.Hour
)

// backedUp is what there is to be a backup of.
const backedUp = "the inventory"

// exportRecord keeps when the whole inventory was handed out last with its secrets. The table is "system/export/", the name
// "inventory".
type exportRecord struct {
	At time.Time `json:"at"`
}

// backups knows when somebody could last make a backup. Whether he keeps it, or copies folders, nobody can see.
type backups struct {
	findings *finding.Board
	exports  *store.Table[exportRecord]
	began    func() time.Time // when there was first something to lose
}

const inventoryExport = "inventory"

func newBackups(in store.Store, findings *finding.Board, began func() time.Time) *backups {
	return &backups{findings, store.NewTable[exportRecord](in, "system/export/", 1, nil), began}
}

// exported records an export.
func (b *backups) exported(ctx context.Context, now time.Time) error {
	if _, err := b.exports.Put(ctx, inventoryExport, exportRecord{now.Round(0).UTC()}, store.Any); err != nil {
		return err
	}
	b.findings.Clear(finding.BackupMissing, backedUp)
	return nil
}

// look raises the finding when the last export is long ago, and takes it down when not.
func (b *backups) look(ctx context.Context, now time.Time) error {
	since, certainty, why := b.began(), finding.Possible, "nothing was exported with its secrets since the set-up"
	switch last, err := b.exports.Get(ctx, inventoryExport); {
	case err == nil:
		since, certainty = last.Value.At, finding.Likely
		why = "exported last with its secrets on " + since.Format(time.DateOnly)
	case !errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("last export: %w", err)
	}
	if now.Sub(since) < backupGood {
		b.findings.Clear(finding.BackupMissing, backedUp)
		return nil
	}
	b.findings.Raise(finding.BackupMissing.With(backedUp, since.Format(time.DateOnly)).As(certainty).Because("serve", 0, why))
	return nil
}

// exported hears of an export.
func (s *system) exported(ctx context.Context) error { return s.backups.exported(ctx, time.Now()) }

// setUp is when the first key of the house was made, at the first start.
func (s *system) setUp() (first time.Time) {
	for _, r := range s.authority.Records() {
		if first.IsZero() || r.Since.Before(first) {
			first = r.Since
		}
	}
	return first
}

// watchBackup looks whether there can be a backup.
func (s *system) watchBackup(ctx context.Context) error {
	ticker := time.NewTicker(backupLooked)
	defer ticker.Stop()
	for {
		if err := s.backups.look(ctx, time.Now()); err != nil && ctx.Err() == nil {
			s.log.Warn("backups are not known", logging.Err, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

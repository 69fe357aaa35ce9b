package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/memory"
)

// TestBackups: what was never exported is said possible, what was exported long ago likely, and an export takes it down.
func TestBackups(t *testing.T) {
	t.Parallel()
	in := memory.New()
	defer in.Close()
	board := finding.NewBoard()
	began := time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)
	b := newBackups(in, board, func() time.Time { return began })
	after := func(days int, want finding.Certainty) {
		t.Helper()
		if err := b.look(t.Context(), began.AddDate(0, 0, days)); err != nil {
			t.Fatal(err)
		}
		var got finding.Certainty
		for _, f := range board.Findings() {
			got = f.Certainty
			if f.Code != finding.BackupMissing.Code || f.Says != "there is no backup of the inventory since "+map[finding.Certainty]string{
				finding.Possible: "2026-11-26", finding.Likely: "2027-01-05"}[got]+"; its keys cannot be made again" {
				t.Errorf("%+v", f)
			}
		}
		if got != want {
			t.Errorf("after %d days: %q, want %q", days, got, want)
		}
	}
	after(0, "")
	after(29, "")
	after(31, finding.Possible)
	if err := b.exported(t.Context(), began.AddDate(0, 0, 40)); err != nil {
		t.Fatal(err)
	}
	if len(board.Findings()) != 0 {
		t.Errorf("exported, and still %+v", board.Findings())
	}
	b = newBackups(in, board, b.began) // a restart
	after(41, "")
	after(71, finding.Likely)
	if err := b.exported(t.Context(), began.AddDate(0, 0, 72)); err != nil {
		t.Fatal(err)
	}
	after(73, "")
	if err := newBackups(unreadable{in}, board, b.began).look(t.Context(), began); err == nil {
		t.Error("a store that cannot be read is taken for one without an export")
	}
}

// unreadable is a store that cannot be read.
type unreadable struct{ store.Store }

func (unreadable) Get(context.Context, string) (store.Record, error) {
	return store.Record{}, errors.New("test: unreadable")
}

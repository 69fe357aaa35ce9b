package finding_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longcord/longcord/finding"
)

func TestBoardCountsUntilCleared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, began := finding.NewBoard(), time.Now()
		if !b.Raise(finding.AddressPoolExhausted.With("10.0.0.0/24").Because("gateway", 0, "alice")) {
			t.Error("the first is not new")
		}
		time.Sleep(time.Hour)
		if b.Raise(finding.AddressPoolExhausted.With("10.0.0.0/24").Because("gateway", 0, "bob")) {
			t.Error("the second is new")
		}
		b.Raise(finding.AddressPoolExhausted.With("10.0.1.0/24"))
		all := b.Findings()
		if len(all) != 2 {
			t.Fatalf("%d stand, want one for each pool: %+v", len(all), all)
		}
		if f := all[0]; f.Count != 2 || !f.First.Equal(began) || f.Last.Sub(began) != time.Hour || f.Evidence[0].Text != "bob" {
			t.Errorf("got %+v, want both times counted and the last evidence", f)
		}
		if !b.Clear(finding.AddressPoolExhausted, "10.0.0.0/24") || b.Clear(finding.AddressPoolExhausted, "10.0.0.0/24") {
			t.Error("what stood was not cleared once")
		}
		if all := b.Findings(); len(all) != 1 || all[0].Subject != "10.0.1.0/24" {
			t.Errorf("after one was cleared: %+v", all)
		}
	})
}

func TestBoardForgetsWhatHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := finding.NewBoard()
		b.RaiseFor(time.Hour, finding.LoginRefused.With("alice"))
		b.Raise(finding.LegacyInUse.With("phones", "no phone has"))
		time.Sleep(50 * time.Minute)
		b.RaiseFor(time.Hour, finding.LoginRefused.With("alice"))
		time.Sleep(50 * time.Minute)
		if all := b.Findings(); len(all) != 2 || all[0].Count != 2 {
			t.Errorf("met again within the hour: %+v", all)
		}
		time.Sleep(11 * time.Minute)
		if all := b.Findings(); len(all) != 1 || all[0].Code != finding.LegacyInUse.Code {
			t.Errorf("an hour later: %+v", all)
		}
	})
}

// TestBoardIsBounded lets strangers log in under many names.
func TestBoardIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := finding.NewBoard()
		b.Raise(finding.GroupURLMismatch.With("https://old/"))
		for i := range 1000 {
			time.Sleep(time.Millisecond)
			b.RaiseFor(time.Hour, finding.LoginRefused.With(fmt.Sprintf("user%03d", i)))
		}
		all := b.Findings()
		if len(all) != 101 || all[0].Code != finding.GroupURLMismatch.Code || all[1].Subject != "user900" || all[100].Subject != "user999" {
			t.Errorf("%d stand, from %q; want the last hundred names and the other finding", len(all), all[1].Subject)
		}
	})
}

func TestNoBoard(t *testing.T) {
	t.Parallel()
	var b *finding.Board
	if b.Raise(finding.DeadPeer.With("the gateway")) || b.Clear(finding.DeadPeer, "") || len(b.Findings()) != 0 {
		t.Error("a board that is not there holds something")
	}
}

package callmanager

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/wire/sip"
)

func binding(line string) register.Binding {
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	return register.Binding{
		Line: line, Device: "SEP001122334455", Model: 684, Contact: "<sip:a@192.0.2.40:50057;transport=tcp>;x=1",
		Flow:   sip.Flow{Transport: sip.TCP, Peer: netip.MustParseAddrPort("192.0.2.40:50057")},
		CallID: "c", CSeq: 101, UserAgent: "Cisco-CP8851/12.1.1", Load: "sip88xx.12-1-1", Restart: "initialized",
		Since: at, Lifetime: 2 * time.Minute, Written: at.Add(2 * time.Hour), Follows: true,
	}
}

func TestRecordName(t *testing.T) {
	t.Parallel()
	odd := binding("1/2 \x00ü")
	odd.Device = strings.Repeat("x", 60000)
	if n := name(odd); len(n) > 100 || strings.Count(n, "/") != 1 {
		t.Errorf("the record is called %q", n)
	}
	other := binding("1001")
	other.Device = "SEP665544332211"
	if name(other) == name(binding("1001")) {
		t.Error("two phones of a line share a record")
	}
}

// broken is a store that refuses the first commits.
type broken struct {
	store.Store
	refuse  int32
	commits atomic.Int32
}

func (b *broken) Commit(ctx context.Context, ops ...store.Op) (store.Revision, error) {
	if b.commits.Add(1) <= b.refuse {
		return 0, errors.New("disk full")
	}
	return b.Store.Commit(ctx, ops...)
}

func TestKeeperTriesAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		kept := &broken{Store: memory.New(), refuse: 3}
		k := newKeeper(kept, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			k.run(ctx)
		}()
		k.keep(binding("1001"))
		k.keep(binding("1002"))
		synctest.Wait()
		k.forget(binding("1002")) // newer than what waits to be tried again
		time.Sleep(2*retry + retry/2)
		synctest.Wait()
		if all, err := k.load(ctx); err != nil || len(all) != 0 || kept.commits.Load() != 3 {
			t.Errorf("after %d commits %v (%v) are kept", kept.commits.Load(), all, err)
		}
		time.Sleep(retry)
		synctest.Wait()
		all, err := k.load(ctx)
		if err != nil || len(all) != 1 || all[0].Line != "1001" || kept.commits.Load() != 4 {
			t.Errorf("after %d commits %v (%v) are kept, want line 1001", kept.commits.Load(), all, err)
		}
		cancel()
		<-done
	})
}

func TestKeeperWritesAtTheEnd(t *testing.T) {
	t.Parallel()
	kept := memory.New()
	k := newKeeper(kept, slog.New(slog.DiscardHandler))
	const many = 2*store.MaxOps + 1
	for i := range many {
		k.keep(binding(strings.Repeat("1", i+1)))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	k.run(ended)
	if all, err := k.load(t.Context()); err != nil || len(all) != many {
		t.Errorf("%d records kept (%v), want %d", len(all), err, many)
	}
}

package rollover_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/longcord/longcord/trust/rollover"
)

// TestYears lets an office live until its certificate has changed ten times by itself, which takes a century
// and some. Its phones stay away for up to a year and a half; none is locked out.
func TestYears(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12)
	random := rand.New(rand.NewPCG(1, 2))
	back := map[string]time.Time{}
	presented, changes := w.presented(), 0
	for changes < 10 {
		w.now = w.now.Add(7 * day)
		for device := range w.phones {
			if w.now.Before(back[device]) {
				continue
			}
			w.come(device)
			away := time.Duration(0)
			if random.IntN(10) == 0 {
				away = time.Duration(random.IntN(540)) * day
				delete(w.said, device)
			}
			back[device] = w.now.Add(away)
		}
		w.advance()
		if random.IntN(200) == 0 {
			w.restart()
		}
		if w.presented() != presented {
			presented = w.presented()
			changes++
		}
		if w.found("no-spare-certificate") || w.found("certificate-expired") {
			t.Fatalf("%s: %+v", w.now.Format(time.DateOnly), w.board.Findings())
		}
		if n := len(w.set.VPNGateways["gateway"].Certificates); n > 4 {
			t.Fatalf("%s: phones' files have %d hashes", w.now.Format(time.DateOnly), n)
		}
		if w.now.Year() > 2300 {
			t.Fatalf("after %d changes nothing changes any more: %+v", changes, w.status())
		}
	}
}

// TestNobodyIsLost takes steps as they come: phones fetch files, throw some away, vanish and come back;
// operators begin, commit, go back and retire in any order, never by force. At no time does a phone meet a
// certificate that it does not believe.
func TestNobodyIsLost(t *testing.T) {
	t.Parallel()
	var allSwaps, allRefusals atomic.Int64
	t.Cleanup(func() {
		if allSwaps.Load() < 60 || allRefusals.Load() < 60 {
			t.Errorf("%d changes were made and %d refused: the walks go nowhere", allSwaps.Load(), allRefusals.Load())
		}
	})
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 5)
			w.settings.Before = 0 // the operator does it all
			w.aside = seed%3 == 0
			w.restart()
			swaps, refusals := walk(t, w, rand.New(rand.NewPCG(seed, 7)))
			allSwaps.Add(int64(swaps))
			allRefusals.Add(int64(refusals))
		})
	}
}

func walk(t *testing.T, w *world, random *rand.Rand) (swaps, refusals int) {
	var givens []string
	names := make([]string, 0, len(w.phones))
	for name := range w.phones {
		names = append(names, name)
	}
	slices.Sort(names)
	for range 250 {
		w.now = w.now.Add(time.Duration(random.IntN(72)) * time.Hour)
		device := names[random.IntN(len(names))]
		o := rollover.Order{Gateway: "gateway", By: "test"}
		var err error
		switch random.IntN(12) {
		case 0, 1, 2:
			w.come(device)
		case 3:
			// Aside, a complete delivery is all the proof there can be.
			w.fetch(device, w.aside || random.IntN(2) == 0)
		case 4:
			w.register(device)
		case 5:
			delete(w.said, device)
		case 6:
			w.restart()
		case 7:
			switch random.IntN(3) {
			case 0:
				given := w.certificate(fmt.Sprintf("given-%d", w.now.Unix()), 3*year)
				must(t, w.apply(t.Context(), []inventoryObject{given}))
				o.Certificate, givens = given.Name, append(givens, given.Name)
			case 1: // one that was given up before, and is still in some phones' files
				if len(givens) > 0 {
					o.Certificate = givens[len(givens)-1]
				}
			}
			_, err = w.keeper.Start(t.Context(), o)
		case 8, 9:
			before := w.presented()
			if _, err = w.keeper.Commit(t.Context(), o); err == nil && w.presented() != before {
				swaps++
			}
		case 10:
			if random.IntN(2) == 0 {
				_, err = w.keeper.Abort(t.Context(), o)
			}
		case 11:
			_, err = w.keeper.Retire(t.Context(), o)
		}
		var refused *rollover.Refused
		if errors.As(err, &refused) {
			refusals++
		} else if err != nil && !errors.Is(err, rollover.ErrState) && !errors.Is(err, rollover.ErrUnfit) {
			t.Fatal(err)
		}
		w.advance()
		for _, device := range names {
			w.meet(device)
		}
		if spares := rollover.Spares(w.set, w.set.VPNGateways["gateway"], w.now); len(spares) == 0 {
			t.Fatalf("no spare is left: %v", w.set.VPNGateways["gateway"].Certificates)
		}
	}
	return swaps, refusals
}

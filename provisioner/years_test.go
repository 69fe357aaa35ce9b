package provisioner

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/wire/tlv"
)

// keyChange is a change of the house's keys that an operator means to make.
type keyChange struct {
	after   time.Duration // since the first day
	purpose trust.Purpose // to be replaced; empty: let the second signer sign
	force   bool          // once phones are away: TVS has to save them
}

// keyChanges are those of twelve years. Everything that ends is replaced in time, and the signers three times;
// once all of it at once, as after a burglary: step by step, each when every phone knows the one before.
var keyChanges = []keyChange{
	{1 * year, trust.Signer2, false},
	{1 * year, "", false},
	{2 * year, trust.Files, false},
	{3 * year, trust.CAPF, false},
	{5 * year, trust.Signer2, false},
	{5 * year, "", false},
	{5 * year, trust.TVS, false},
	{5 * year, trust.Files, false},
	{9 * year, trust.Signer2, false},
	{9 * year, "", true},
	{10 * year, trust.TVS, false},
	{11 * year, trust.CAPF, false},
}

// TestTwelveYears is the life of an office by one clock. The gateway's certificates last a year, phones' own
// five, the house's keys ten; signers are changed three times. Eight phones know only what they have fetched,
// and five of them are switched off for up to five months at a time, now and then by a power cut that takes the
// file that they had just fetched. Whenever one comes back it believes the gateway, the gateway believes it, and
// it believes its lists and its file.
func TestTwelveYears(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const phones, homely, fortnight = 8, 3, 14 * day // the homely are never away
		h := newYearsHouse(t, phones)
		random := rand.New(rand.NewPCG(12, 26))
		first, pending := time.Now(), keyChanges
		for n := 0; time.Since(first) < 12*year; n++ {
			for i, r := range h.roamers {
				if r.away() {
					continue
				}
				leaves, cut := i >= homely && random.IntN(4) == 0, n > 0 && random.IntN(4) == 0
				r.come(leaves && cut)
				if leaves {
					r.back = time.Now().Add(time.Duration(2+random.IntN(9)) * fortnight)
					h.counts.returns++
				}
			}
			if n%13 == 12 {
				h.restart()
			}
			h.look()
			if len(pending) > 0 && time.Since(first) >= pending[0].after && h.change(pending[0]) {
				pending = pending[1:]
			}
			time.Sleep(fortnight)
		}
		for _, r := range h.roamers {
			r.come(false)
			if r.issued < 3 { // the first one and two renewals
				t.Errorf("%s got %d LSCs in twelve years, want 3 or more", r.name, r.issued)
			}
			signer, err := h.authority.Pair(trust.Signer1)
			h.must(err)
			if got, want := r.belief.ITL.Header.Signer.Name, tlv.NameText(signer.Leaf.Subject); got != want {
				t.Errorf("%s has a list that %q has signed, want %q", r.name, got, want)
			}
		}
		t.Logf("%+v", h.counts)
		c := h.counts
		switch {
		case len(pending) > 0:
			t.Errorf("%d changes of keys were never made", len(pending))
		case c.rollovers < 10 || c.signers < 2:
			t.Errorf("%d roll-overs and %d changes of signers, want 10 and 2", c.rollovers, c.signers)
		case c.waited == 0 || c.vouched == 0 || c.spares == 0 || c.returns < 50 || c.cuts == 0:
			t.Errorf("the story has too few turns: %+v", c)
		}
	})
}

// change tries a change of keys, as the program does it on order, and reports whether it was made.
func (h *yearsHouse) change(c keyChange) bool {
	h.t.Helper()
	lag, err := h.files.Lag(h.own)
	h.must(err)
	consent := trust.Consent{Behind: lag.Behind, Force: c.force}
	if c.purpose == "" {
		err = h.authority.Promote(h.t.Context(), consent)
	} else {
		err = h.authority.Replace(h.t.Context(), c.purpose, consent)
	}
	var late *trust.BehindError
	if errors.As(err, &late) {
		if !slices.ContainsFunc(h.roamers, (*roamer).away) {
			h.t.Errorf("%s: held back for %v, and nobody is away", today(), late.Phones)
		}
		h.counts.waited++
		return false
	}
	h.must(err)
	if c.purpose == "" {
		h.counts.signers++
	}
	return true
}

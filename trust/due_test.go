package trust

import (
	"slices"
	"testing"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/store/memory"
)

// A key that ends within a year is told of until it is replaced; a signer's until the other has taken over and
// it is replaced as the second.
func TestKeysOfTheHouseEnd(t *testing.T) {
	t.Parallel()
	kept := memory.New()
	t.Cleanup(func() { _ = kept.Close() })
	board, now := finding.NewBoard(), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	began := now
	a, err := OpenAuthority(t.Context(), AuthorityConfig{
		Store: kept, Sealer: NewSealer([KeySize]byte{1}), Findings: board, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	check := func(when string, want ...string) {
		t.Helper()
		a.Look()
		var got []string
		for _, f := range board.Findings() {
			if f.Code != "authority-key-expires" || f.Severity != finding.Warning {
				t.Errorf("%s: %+v", when, f)
			}
			got = append(got, f.Subject)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: told of %q, want %q", when, got, want)
		}
	}
	check("at first")
	now = began.Add(houseLifetime - warnBefore - time.Hour)
	check("a year and an hour before")
	now = now.Add(2 * time.Hour)
	check("a year before", "capf", "files", "files-ec", "tvs")
	for _, p := range []Purpose{Files, TVS, CAPF, FilesEC} {
		if err := a.Replace(t.Context(), p, Consent{}); err != nil {
			t.Fatal(err)
		}
	}
	check("with new keys")
	now = began.Add(signerLifetime - warnBefore + time.Hour)
	check("the others again, and signers", "capf", "files", "files-ec", "signer-1", "signer-2", "tvs")
	if err := a.Replace(t.Context(), Signer2, Consent{}); err != nil {
		t.Fatal(err)
	}
	check("with another second signer", "capf", "files", "files-ec", "signer-1", "tvs")
	if err := a.Promote(t.Context(), Consent{}); err != nil {
		t.Fatal(err)
	}
	check("when that signs", "capf", "files", "files-ec", "signer-2", "tvs")
	if err := a.Replace(t.Context(), Signer2, Consent{}); err != nil {
		t.Fatal(err)
	}
	check("at the end", "capf", "files", "files-ec", "tvs")
}

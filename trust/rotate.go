package trust

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/wire/tlv"
)

var (
	// ErrSigns: the first signer is the one whom phones ask for. Replace the second, wait until every phone has
	// a list that names the new one, and let that sign.
	ErrSigns = errors.New("the first signer cannot be replaced in one step")
	// ErrUnfit: the certificate cannot be one of the house's. Take another.
	ErrUnfit = errors.New("the certificate cannot be used here")
)

// BehindError: phones may hold an older list, which does not name who is new since. They would be lost if
// there were one more change. Bring them home, or restart them where they are, or force it and cure them by
// hand.
type BehindError struct{ Phones []string }

// Error names some of them.
func (e *BehindError) Error() string {
	const most = 10
	names := strings.Join(e.Phones[:min(len(e.Phones), most)], ", ")
	if len(e.Phones) > most {
		names += ", …"
	}
	return fmt.Sprintf("%d phones have not fetched the trust list as it is now: %s", len(e.Phones), names)
}

// Consent is what a change of keys rests on.
type Consent struct {
	Behind []string // phones that have not fetched the trust list as it is now
	Force  bool     // change it all the same
}

func (c Consent) check() error {
	if len(c.Behind) > 0 && !c.Force {
		return fmt.Errorf("trust: %w", &BehindError{c.Behind})
	}
	return nil
}

// Names are how phones know a certificate that was made elsewhere; zero: in CUCM's form.
type Names struct{ Subject, Issuer string }

// Replace makes a new key for a purpose. Only one purpose changes at a time: until every phone has the list
// that names the new one, Consent.Behind holds the next change back. TVS goes on vouching for the old
// certificate.
func (a *Authority) Replace(ctx context.Context, p Purpose, c Consent) error {
	if !slices.Contains(Purposes, p) {
		return fmt.Errorf("trust: there is no purpose %q", p)
	}
	if err := c.check(); err != nil {
		return err
	}
	if p == Signer1 {
		return fmt.Errorf("trust: %w", ErrSigns)
	}
	pair, err := a.create(p, a.config.Now())
	if err != nil {
		return fmt.Errorf("trust: replace %s: %w", p, err)
	}
	return a.replace(ctx, p, pair, Names{}, false)
}

// Import takes a signer that was made elsewhere. If it is one of the two already, its key is put back. Else
// it becomes the second, which phones believe once they have fetched a list.
func (a *Authority) Import(ctx context.Context, pair Pair, names Names, c Consent) error {
	loaded, err := pair.Load()
	if err != nil {
		return err
	}
	for _, p := range []Purpose{Signer1, Signer2} {
		if a.record(p).Certificate.Equal(loaded.Leaf) {
			return a.putBack(ctx, p, pair)
		}
	}
	if err := c.check(); err != nil {
		return err
	}
	key, ok := loaded.Leaf.PublicKey.(*rsa.PublicKey)
	switch {
	case !ok:
		return fmt.Errorf("trust: %w: signers need an RSA key", ErrUnfit)
	case !slices.Contains([]int{1024, 2048, 4096}, key.N.BitLen()):
		return fmt.Errorf("trust: %w: its RSA key has %d bits, and phones know 1024, 2048 and 4096", ErrUnfit, key.N.BitLen())
	}
	if err := CheckTime([]*x509.Certificate{loaded.Leaf}, a.config.Now()); err != nil {
		return err
	}
	return a.replace(ctx, Signer2, Pair{certificatePEM(loaded.Leaf.Raw), pair.Key}, names, true)
}

// Promote lets the second signer sign from now on; the first becomes the second. Phones believe both.
func (a *Authority) Promote(ctx context.Context, c Consent) error {
	if err := c.check(); err != nil {
		return err
	}
	if !a.record(Signer2).Online {
		return fmt.Errorf("trust: %s: %w", Signer2, ErrOffline)
	}
	first, second, err := a.heldBoth(ctx)
	if err != nil {
		return err
	}
	now := a.config.Now()
	var ops []store.Op
	for _, move := range []struct {
		from store.Entry[heldKey]
		was  Purpose
		to   store.Entry[heldKey]
		is   Purpose
	}{{first, Signer1, second, Signer2}, {second, Signer2, first, Signer1}} {
		record := move.from.Value
		record.Since = now.UTC()
		if len(record.Sealed) > 0 {
			text, err := a.config.Sealer.Open(record.Sealed, associated(move.was))
			if err != nil {
				return err
			}
			record.Sealed = a.config.Sealer.Seal(text, associated(move.is))
		}
		op, err := a.tables.keys.PutOp(string(move.is), record, move.to.Revision, 0)
		if err != nil {
			return err
		}
		ops = append(ops, op)
	}
	return a.commit(ctx, ops...)
}

func (a *Authority) heldBoth(ctx context.Context) (first, second store.Entry[heldKey], err error) {
	if first, err = a.tables.keys.Get(ctx, string(Signer1)); err == nil {
		second, err = a.tables.keys.Get(ctx, string(Signer2))
	}
	return first, second, err
}

// TakeOut hands the second signer's pair to keep, and forgets its key when that has gone well. Lists go on
// naming its certificate.
func (a *Authority) TakeOut(ctx context.Context, keep func(Pair) error) error {
	entry, err := a.tables.keys.Get(ctx, string(Signer2))
	if err != nil {
		return err
	}
	pair, err := a.Pair(Signer2)
	if err != nil {
		return err
	}
	text, err := pairOf(pair.Certificate[0], pair.PrivateKey.(*rsa.PrivateKey))
	if err != nil {
		return err
	}
	if err := keep(text); err != nil {
		return err
	}
	record := entry.Value
	record.Sealed = nil
	op, err := a.tables.keys.PutOp(string(Signer2), record, entry.Revision, 0)
	if err != nil {
		return err
	}
	return a.commit(ctx, op)
}

// putBack stores the key of a signer that is known.
func (a *Authority) putBack(ctx context.Context, p Purpose, pair Pair) error {
	entry, err := a.tables.keys.Get(ctx, string(p))
	if err != nil {
		return err
	}
	record := entry.Value
	record.Sealed = a.config.Sealer.Seal([]byte(pair.Key.Reveal()), associated(p))
	op, err := a.tables.keys.PutOp(string(p), record, entry.Revision, 0)
	if err != nil {
		return err
	}
	return a.commit(ctx, op)
}

// replace puts a pair in a place and remembers who had it.
func (a *Authority) replace(ctx context.Context, p Purpose, pair Pair, names Names, foreign bool) error {
	now := a.config.Now()
	before, err := a.tables.keys.Get(ctx, string(p))
	if err != nil {
		return err
	}
	old := a.record(p)
	gone, err := a.tables.former.PutOp(fingerprint(old), formerKey{
		Purpose: p, Certificate: before.Value.Certificate, Since: before.Value.Since, Until: now.UTC(),
		Subject: before.Value.Subject, Issuer: before.Value.Issuer, Foreign: before.Value.Foreign,
	}, store.Any, 0)
	if err != nil {
		return err
	}
	record, err := a.sealed(p, pair, now)
	if err != nil {
		return err
	}
	record.Foreign = foreign
	if names != (Names{}) {
		record.Subject, record.Issuer = names.Subject, names.Issuer
	}
	put, err := a.tables.keys.PutOp(string(p), record, before.Revision, 0)
	if err != nil {
		return err
	}
	return a.commit(ctx, gone, put)
}

// commit writes and takes up what was written.
func (a *Authority) commit(ctx context.Context, ops ...store.Op) error {
	if _, err := a.config.Store.Commit(ctx, ops...); err != nil {
		return fmt.Errorf("trust: keys of the house: %w", err)
	}
	if err := a.load(ctx); err != nil {
		return err
	}
	a.Look()
	return nil
}

// record is the certificate in use for a purpose.
func (a *Authority) record(p Purpose) Record {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.keys[p].record
}

// fingerprint names a former certificate.
func fingerprint(r Record) string {
	sum := sha256.Sum256(r.Certificate.Raw)
	return hex.EncodeToString(sum[:])
}

// NamesIn returns how a trust list that phones hold names a signer, and whether it does. Who takes over from
// another server takes over these texts, because phones compare them.
func NamesIn(list []byte, signer Pair) (Names, error) {
	loaded, err := signer.Load()
	if err != nil {
		return Names{}, err
	}
	file, err := tlv.Parse(list)
	if err != nil {
		return Names{}, err
	}
	records, err := file.Records()
	if err != nil {
		return Names{}, err
	}
	for _, r := range records {
		if r.Role == tlv.SAST && string(r.Certificate) == string(loaded.Leaf.Raw) {
			return Names{r.Subject, r.Issuer}, nil
		}
	}
	return Names{}, fmt.Errorf("trust: %w: the list does not name %s as a signer", ErrUnfit, loaded.Leaf.Subject)
}

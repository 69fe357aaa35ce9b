package login

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
)

// ErrBanned: too many logins of this user from this address failed, or of anybody. Nothing was checked;
// tell the peer what ErrBusy tells, for that says nothing about the password.
var ErrBanned = errors.New("login: too many failed logins")

// How many failed logins are borne, and how fast they are forgotten: docs/decisions/bans.md.
var (
	ofOneUser    = limit{6, 2 * time.Minute}    // of one user from one address
	ofOneAddress = limit{100, 30 * time.Second} // from one address
)

const (
	maxBans   = 20_000         // that are remembered of either kind
	maxGood   = 32             // users remembered as good at one address
	goodFor   = 24 * time.Hour // after a login that succeeded
	evictFrom = 32             // how many are looked at when one has to go
)

// bans counts failed logins. The low bound is of a user at an address, so a neighbour behind the same
// address is spared; the high one is of the address, and spares those who logged in from there lately.
type bans struct {
	findings *finding.Board
	log      *slog.Logger
	key      [32]byte

	mu        sync.Mutex
	users     map[userAt]*failures
	addresses map[netip.Prefix]*addressFailures
}

// userAt is a user, as the peer wrote the name, at an address. Case does not make another user: to some
// directories it does not.
type userAt struct {
	source netip.Prefix
	user   string
}

// failures are the failed logins of a user from an address.
type failures struct {
	bucket
	last   [sha256.Size]byte // keyed hash of what was tried last: a phone that repeats itself does not guess
	name   string            // as it was written then
	stored secret.String     // hash of the user of that name then: a new password makes good
}

type addressFailures struct {
	bucket
	good map[string]time.Time // users that logged in from there, and when
}

func newBans(findings *finding.Board, log *slog.Logger) *bans {
	b := &bans{findings: findings, log: log, users: map[userAt]*failures{}, addresses: map[netip.Prefix]*addressFailures{}}
	rand.Read(b.key[:])
	return b
}

func (b *bans) userAt(r Request) userAt {
	return userAt{sourceOf(r.Source), strings.ToLower(r.User)}
}

// refuse returns ErrBanned when a login is not to be looked at.
func (b *bans) refuse(set *inventory.Set, r Request) error {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	who := b.userAt(r)
	if f := b.users[who]; f != nil {
		if f.stored != storedOf(set, f.name) {
			delete(b.users, who)
			b.findings.Clear(finding.LoginBanned, nameOf(who))
		} else if f.leak(ofOneUser, now); f.full(ofOneUser) {
			return fmt.Errorf("%w of this user from this address", ErrBanned)
		}
	}
	if a := b.addresses[who.source]; a != nil {
		if a.leak(ofOneAddress, now); a.full(ofOneAddress) && now.After(a.good[who.user].Add(goodFor)) {
			return fmt.Errorf("%w from this address", ErrBanned)
		}
	}
	return nil
}

func storedOf(set *inventory.Set, user string) secret.String {
	if u := set.Users[user]; u != nil {
		return u.PasswordHash
	}
	return secret.String{}
}

func nameOf(who userAt) string { return who.user + " from " + addressOf(who.source) }

func addressOf(source netip.Prefix) string {
	if source.IsSingleIP() {
		return source.Addr().String()
	}
	return source.String()
}

// note counts how a login that was looked at went.
func (b *bans) note(set *inventory.Set, r Request, err error) {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case err == nil:
		b.succeeded(b.userAt(r), now)
	case errors.Is(err, ErrRefused):
		b.failed(b.userAt(r), failures{last: b.mac(r), name: r.User, stored: storedOf(set, r.User)}, now)
	}
}

func (b *bans) succeeded(who userAt, now time.Time) {
	if b.users[who] != nil {
		delete(b.users, who)
		b.findings.Clear(finding.LoginBanned, nameOf(who))
	}
	a := b.address(who.source, now)
	if len(a.good) >= maxGood {
		for user, at := range a.good {
			if now.After(at.Add(goodFor)) {
				delete(a.good, user)
			}
		}
	}
	if _, known := a.good[who.user]; known || len(a.good) < maxGood {
		a.good[who.user] = now
	}
}

func (b *bans) failed(who userAt, latest failures, now time.Time) {
	f := b.users[who]
	if f == nil {
		f = makeRoom(b.users, who, ofOneUser, now, func(f *failures) *bucket { return &f.bucket }, &failures{})
	} else if f.last == latest.last {
		return
	}
	latest.bucket = f.bucket
	*f = latest
	if f.add(ofOneUser, now) {
		b.banned(nameOf(who), f.until(ofOneUser), now)
	}
	if a := b.address(who.source, now); a.add(ofOneAddress, now) {
		b.banned(addressOf(who.source), a.until(ofOneAddress), now)
	}
}

// address returns what is known of an address.
func (b *bans) address(source netip.Prefix, now time.Time) *addressFailures {
	if a := b.addresses[source]; a != nil {
		return a
	}
	bucketOf := func(a *addressFailures) *bucket { return &a.bucket }
	return makeRoom(b.addresses, source, ofOneAddress, now, bucketOf, &addressFailures{good: map[string]time.Time{}})
}

func (b *bans) banned(who string, until, now time.Time) {
	f := finding.LoginBanned.With(who)
	b.findings.RaiseFor(until.Sub(now), f)
	b.log.Warn("logins are put off", logging.Finding, f.Code, "says", f.Says, "until", until)
}

// mac is a keyed hash of what was tried.
func (b *bans) mac(r Request) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, b.key[:])
	fmt.Fprintf(h, "%q %q", r.Password.Reveal(), r.SecondFactor.Reveal())
	h.Sum(sum[:0])
	return sum
}

// makeRoom enters fresh under key. When there are too many, the emptiest of some goes: what is remembered
// is bounded, and strangers cannot have a full one forgotten.
func makeRoom[K comparable, V any](all map[K]*V, key K, l limit, now time.Time, bucketOf func(*V) *bucket, fresh *V) *V {
	if len(all) >= maxBans {
		var emptiest K
		lowest, looked := -1.0, 0
		for k, v := range all {
			bucketOf(v).leak(l, now)
			if level := bucketOf(v).level; lowest < 0 || level < lowest {
				emptiest, lowest = k, level
			}
			if looked++; looked == evictFrom {
				break
			}
		}
		delete(all, emptiest)
	}
	bucketOf(fresh).at = now
	all[key] = fresh
	return fresh
}

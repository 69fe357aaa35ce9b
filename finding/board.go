package finding

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Board holds what is wrong with a running system now. Parts raise a finding as often as they meet its
// cause; it stands there once, with how often and when, until it is cleared. Two findings are the same
// when they have one code and one subject.
//
// The methods of a nil Board do nothing, so that a part runs without one.
type Board struct {
	mu       sync.Mutex
	standing map[key]*Standing
}

// Standing is a finding on the board.
type Standing struct {
	Finding
	Count uint64    `json:"count" doc:"how often it was met"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`

	until time.Time // when it is taken down by itself; zero: never
}

type key struct{ code, subject string }

// perCode bounds how many findings of one code stand at a time: strangers can cause some, under any
// subject they like. Beyond it the one that was not met for longest goes.
const perCode = 100

// NewBoard returns an empty board.
func NewBoard() *Board { return &Board{standing: map[key]*Standing{}} }

// Raise puts a finding on the board until it is cleared: for what is so until it is mended. It reports
// whether the finding is new there.
func (b *Board) Raise(f Finding) bool { return b.raise(f, time.Time{}) }

// RaiseFor puts a finding on the board until it is cleared, or was not met again for that long: for what
// happens, such as a login that is refused.
func (b *Board) RaiseFor(d time.Duration, f Finding) bool { return b.raise(f, time.Now().Add(d)) }

func (b *Board) raise(f Finding, until time.Time) bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.sweep(now)
	k := key{f.Code, f.Subject}
	s, stood := b.standing[k]
	if !stood {
		b.makeRoom(f.Code)
		s = &Standing{First: now}
		b.standing[k] = s
	}
	s.Finding, s.until, s.Last = f, until, now
	s.Count++
	return !stood
}

// Clear takes a finding off the board: what it said is mended. It reports whether it stood there.
func (b *Board) Clear(d Declaration, subject string) bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k := key{d.Code, subject}
	_, stood := b.standing[k]
	delete(b.standing, k)
	return stood
}

// Findings returns what stands on the board, by step, code and subject.
func (b *Board) Findings() []Standing {
	all := []Standing{}
	if b == nil {
		return all
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep(time.Now())
	for _, s := range b.standing {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(x, y Standing) int {
		return cmp.Or(cmp.Compare(x.Step, y.Step), cmp.Compare(x.Code, y.Code), cmp.Compare(x.Subject, y.Subject))
	})
	return all
}

// sweep takes down what has gone by itself. mu is held.
func (b *Board) sweep(now time.Time) {
	for k, s := range b.standing {
		if !s.until.IsZero() && now.After(s.until) {
			delete(b.standing, k)
		}
	}
}

// makeRoom lets one more of a code stand. mu is held.
func (b *Board) makeRoom(code string) {
	var stalest *Standing
	count := 0
	for k, s := range b.standing {
		if k.code != code {
			continue
		}
		if count++; stalest == nil || s.Last.Before(stalest.Last) {
			stalest = s
		}
	}
	if count >= perCode {
		delete(b.standing, key{stalest.Code, stalest.Subject})
	}
}

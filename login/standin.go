package login

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"sync"

	"github.com/longcord/longcord/inventory"
)

// standIns supplies hashes to check against when there is no user, so that the time a refusal takes does
// not tell who exists. Hashes in an inventory may be of several forms, and fast ones would give their
// users away; so each unknown name borrows some user's hash, always the same one.
type standIns struct {
	key   [32]byte
	dummy hash // when nobody has a hash

	mu     sync.Mutex
	set    *inventory.Set // that hashes was taken from
	hashes []string
}

func newStandIns() *standIns {
	s := &standIns{dummy: newArgon()} // its key is all zeros, which no password gives
	rand.Read(s.key[:])
	return s
}

// pick returns the hash that name borrows.
func (s *standIns) pick(set *inventory.Set, name string) hash {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.set != set {
		s.set, s.hashes = set, hashesOf(set)
	}
	if len(s.hashes) == 0 {
		return s.dummy
	}
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write([]byte(name))
	n := binary.BigEndian.Uint64(mac.Sum(nil)) % uint64(len(s.hashes))
	h, err := parseHash(s.hashes[n])
	if err != nil {
		return s.dummy
	}
	return h
}

// hashesOf returns all users' hashes in the order of names, which makes pick repeat itself.
func hashesOf(set *inventory.Set) []string {
	hashes := make([]string, 0, len(set.Users))
	for _, name := range slices.Sorted(maps.Keys(set.Users)) {
		if h := set.Users[name].PasswordHash; !h.IsZero() {
			hashes = append(hashes, h.Reveal())
		}
	}
	return hashes
}

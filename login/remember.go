package login

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
)

// rememberFor is how long a verified password spares its user the hashing.
const rememberFor = 12 * time.Hour

// memory remembers verified passwords as keyed hashes that are worth nothing outside this process. Each
// is bound to the stored hash it was verified against, so a changed password or a removed user is
// forgotten at once.
type memory struct {
	key [32]byte

	mu    sync.Mutex
	users map[string]verified
}

type verified struct {
	mac   [sha256.Size]byte
	until time.Time
}

func newMemory() *memory {
	m := &memory{users: map[string]verified{}}
	rand.Read(m.key[:])
	return m
}

func (m *memory) mac(user *inventory.User, stored, password secret.String) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, m.key[:])
	for _, text := range []string{user.Name, stored.Reveal(), password.Reveal()} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(text))))
		h.Write([]byte(text))
	}
	h.Sum(sum[:0])
	return sum
}

// knows reports whether this password was verified against the user's present hash lately.
func (m *memory) knows(user *inventory.User, password secret.String) bool {
	sum := m.mac(user, user.PasswordHash, password)
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.users[user.Name]
	return ok && time.Now().Before(v.until) && hmac.Equal(v.mac[:], sum[:])
}

// remember notes that password was verified against stored. set is the present inventory; who is no
// longer in it is dropped.
func (m *memory) remember(set *inventory.Set, user *inventory.User, stored, password secret.String) {
	sum := m.mac(user, stored, password)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.users[user.Name] = verified{sum, time.Now().Add(rememberFor)}
	if len(m.users) <= len(set.Users) {
		return
	}
	for name := range m.users {
		if _, ok := set.Users[name]; !ok {
			delete(m.users, name)
		}
	}
}

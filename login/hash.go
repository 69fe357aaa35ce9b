package login

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/longcord/longcord/internal/secret"
)

// What a new hash costs: about 30 ms of a core.
const (
	argonMemory  = 19 << 10 // KiB
	argonTime    = 2
	argonThreads = 1
	argonSalt    = 16 // bytes
	argonKey     = 32 // bytes
)

// What a hash from elsewhere may cost, so that one bad line in an import cannot tie up a core.
const (
	maxArgonMemory  = 256 << 10 // KiB
	maxArgonTime    = 16
	maxArgonThreads = 16
)

// maxPassword is the longest password anybody can have, in bytes: some hashes work through the whole
// password thousands of times.
const maxPassword = 512

var errUnknownHash = errors.New("the hash is of no known form: argon2id, crypt $1$, $5$, $6$ or ASA pbkdf2")

// hash is a stored hash, parsed.
type hash interface {
	// verify reports whether the hash is of this password.
	verify(password string) bool
}

// parseHash reads any form of hash that we verify. Errors never quote the text.
func parseHash(text string) (hash, error) {
	switch {
	case strings.HasPrefix(text, "$argon2id$"):
		return parseArgon(text)
	case strings.HasPrefix(text, "$1$"), strings.HasPrefix(text, "$5$"), strings.HasPrefix(text, "$6$"):
		return parseCrypt(text)
	case strings.HasPrefix(text, "$sha512$"):
		return parseASA(text)
	}
	return nil, errUnknownHash
}

// HashPassword returns the hash under which a password rests: argon2id as PHC text.
func HashPassword(password secret.String) (string, error) {
	if password.IsZero() {
		return "", errors.New("login: the password is empty")
	}
	if n := len(password.Reveal()); n > maxPassword {
		return "", fmt.Errorf("login: the password has %d bytes, at most %d are allowed", n, maxPassword)
	}
	h := newArgon()
	h.key = h.derive(password.Reveal())
	return h.String(), nil
}

// VerifyPassword reports whether a stored hash is of this password. It costs a full hashing each time;
// logins go through Local.
func VerifyPassword(stored, password secret.String) bool {
	h, err := parseHash(stored.Reveal())
	return err == nil && len(password.Reveal()) <= maxPassword && h.verify(password.Reveal())
}

// argon is an argon2id hash.
type argon struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

// newArgon returns one with today's costs, a fresh salt and no key yet.
func newArgon() *argon {
	h := &argon{argonMemory, argonTime, argonThreads, make([]byte, argonSalt), make([]byte, argonKey)}
	rand.Read(h.salt)
	return h
}

func (h *argon) derive(password string) []byte {
	defer leftovers.soon()
	return argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.threads, uint32(len(h.key)))
}

func (h *argon) verify(password string) bool {
	return subtle.ConstantTimeCompare(h.derive(password), h.key) == 1
}

// String returns the PHC text.
func (h *argon) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.time, h.threads,
		base64.RawStdEncoding.EncodeToString(h.salt), base64.RawStdEncoding.EncodeToString(h.key))
}

func parseArgon(text string) (*argon, error) {
	fields := strings.Split(text, "$")
	if len(fields) != 6 || fields[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, errors.New("the argon2id hash is not of the form $argon2id$v=19$m=…,t=…,p=…$salt$hash")
	}
	h := new(argon)
	if _, err := fmt.Sscanf(fields[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); err != nil {
		return nil, errors.New("the argon2id hash has no costs m=…,t=…,p=…")
	}
	var err1, err2 error
	h.salt, err1 = base64.RawStdEncoding.DecodeString(fields[4])
	h.key, err2 = base64.RawStdEncoding.DecodeString(fields[5])
	if err1 != nil || err2 != nil || len(h.salt) < 8 || len(h.salt) > 64 || len(h.key) < 16 || len(h.key) > 64 {
		return nil, errors.New("the argon2id hash has a damaged salt or hash")
	}
	if h.memory < 8 || h.memory > maxArgonMemory || h.time < 1 || h.time > maxArgonTime || h.threads < 1 || h.threads > maxArgonThreads {
		return nil, fmt.Errorf("the argon2id hash costs m=%d,t=%d,p=%d; at most m=%d,t=%d,p=%d are accepted",
			h.memory, h.time, h.threads, maxArgonMemory, maxArgonTime, maxArgonThreads)
	}
	if h.String() != text {
		return nil, errors.New("the argon2id hash has something that does not belong there")
	}
	return h, nil
}

// outdated reports whether a hash should be renewed now that its password is known.
func outdated(h hash) bool {
	a, ok := h.(*argon)
	return !ok || a.memory != argonMemory || a.time != argonTime || a.threads != argonThreads
}

package verify

import (
	"crypto/sha1" //nolint:gosec // phones compare SHA-1; nothing else here relies on it
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// Hash is the certificate hash that phones compare: SHA-1 over the DER certificate
// (docs/wire/vpn-login.md#certificate-hash).
type Hash [sha1.Size]byte

// HashOf returns the hash of one DER certificate.
func HashOf(der []byte) Hash { return sha1.Sum(der) }

// String returns the 28 characters that stand in a phone's certHash elements.
func (h Hash) String() string { return base64.StdEncoding.EncodeToString(h[:]) }

// Hex returns the fingerprint as 40 upper-case hex digits without colons.
func (h Hash) Hex() string { return strings.ToUpper(hex.EncodeToString(h[:])) }

// ParseHash reads a hash in any form that people have at hand: the base64 of certHash, with or without
// its "=", or a hex fingerprint with or without colons or spaces, also as openssl prints it
// ("sha1 Fingerprint=AA:BB:…").
func ParseHash(text string) (Hash, error) {
	var h Hash
	compact := strings.Map(func(r rune) rune {
		if r == ':' || r == ' ' || r == '\t' || r == '\r' || r == '\n' {
			return -1
		}
		return r
	}, text)
	if _, after, ok := strings.Cut(strings.ToLower(compact), "fingerprint="); ok {
		compact = after
	}
	if len(compact) == hex.EncodedLen(len(h)) {
		if _, err := hex.Decode(h[:], []byte(compact)); err == nil {
			return h, nil
		}
	}
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(compact, "="))
	if err != nil || len(raw) != len(h) {
		return Hash{}, fmt.Errorf("verify: %q is no SHA-1 hash: neither 40 hex digits nor 28 characters of base64", text)
	}
	return Hash(raw), nil
}

// Match looks for the first certificate of a presented chain whose hash is among hashes, the texts of a
// phone's certHash elements. A match on any certificate counts, because some operators pin the issuer.
// Texts that are no hash match nothing. The results are indices into chain and hashes.
func Match(chain [][]byte, hashes []string) (cert, hash int, ok bool) {
	for i, der := range chain {
		presented := HashOf(der)
		for j, text := range hashes {
			if pinned, err := ParseHash(text); err == nil && pinned == presented {
				return i, j, true
			}
		}
	}
	return 0, 0, false
}

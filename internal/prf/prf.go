// Package prf holds the pseudo-random functions of TLS, by which old and new handshakes make keys out of
// secrets.
package prf

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"hash"
)

// TLS10 is the function of TLS 1.0 and 1.1, RFC 2246 section 5. It returns length bytes.
func TLS10(secret []byte, label string, seed []byte, length int) []byte {
	labelled := append([]byte(label), seed...)
	out, other := make([]byte, length), make([]byte, length)
	half := (len(secret) + 1) / 2
	expand(out, md5.New, secret[:half], labelled)
	expand(other, sha1.New, secret[len(secret)-half:], labelled)
	for i := range out {
		out[i] ^= other[i]
	}
	return out
}

// TLS12 is the function of TLS 1.2 with the hash of its suite, RFC 5246 section 5. It returns length
// bytes.
func TLS12(h func() hash.Hash, secret []byte, label string, seed []byte, length int) []byte {
	out := make([]byte, length)
	expand(out, h, secret, append([]byte(label), seed...))
	return out
}

// expand is P_hash of RFC 5246 section 5.
func expand(out []byte, h func() hash.Hash, secret, seed []byte) {
	mac := hmac.New(h, secret)
	mac.Write(seed)
	a := mac.Sum(nil)
	for len(out) > 0 {
		mac.Reset()
		mac.Write(a)
		mac.Write(seed)
		out = out[copy(out, mac.Sum(nil)):]
		mac.Reset()
		mac.Write(a)
		a = mac.Sum(nil)
	}
}

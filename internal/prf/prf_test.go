package prf

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// TestTLS12 uses the published test vector for TLS 1.2 with SHA-256.
func TestTLS12(t *testing.T) {
	t.Parallel()
	secret := unhex(t, "9bbe436ba940f017b17652849a71db35")
	seed := unhex(t, "a0ba9f936cda311827a6f796ffd5198c")
	want := unhex(t, "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a")
	if got := TLS12(sha256.New, secret, "test label", seed, len(want)); !bytes.Equal(got, want) {
		t.Errorf("got %x want %x", got, want)
	}
}

// TestTLS10 checks what callers rely on beside the recorded handshakes in stage/tunnel/dtls, which hold
// its values: a shorter output is the beginning of a longer one, and a secret of odd length is shared by
// both halves.
func TestTLS10(t *testing.T) {
	t.Parallel()
	long := TLS10([]byte("12345"), "label", []byte("seed"), 100)
	if short := TLS10([]byte("12345"), "label", []byte("seed"), 12); !bytes.Equal(short, long[:12]) {
		t.Errorf("got %x want %x", short, long[:12])
	}
	if other := TLS10([]byte("12445"), "label", []byte("seed"), 100); bytes.Equal(other, long) {
		t.Error("the middle byte of the secret does not count")
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

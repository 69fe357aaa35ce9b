package login

import (
	"crypto/pbkdf2"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The ASA's form: $sha512$iterations$salt$hash, where salt and hash are standard base64 of 16 bytes each
// and the hash is the beginning of PBKDF2 with HMAC-SHA-512. See docs/decisions/passwords.md#foreign-hashes.
const (
	asaSalt          = 16
	asaKey           = 16
	maxASAIterations = 1_000_000 // the ASA's own is 5000
)

// asa is an ASA's pbkdf2 hash.
type asa struct {
	iterations int
	salt, key  []byte
}

func parseASA(text string) (*asa, error) {
	fields := strings.Split(text, "$")
	if len(fields) != 5 {
		return nil, errors.New("the ASA hash is not of the form $sha512$iterations$salt$hash")
	}
	iterations, err := strconv.ParseUint(fields[2], 10, 32)
	if err != nil || iterations < 1 || iterations > maxASAIterations {
		return nil, fmt.Errorf("the ASA hash has no number of iterations from 1 to %d", maxASAIterations)
	}
	salt, err1 := base64.StdEncoding.DecodeString(fields[3])
	key, err2 := base64.StdEncoding.DecodeString(fields[4])
	if err1 != nil || err2 != nil || len(salt) != asaSalt || len(key) != asaKey {
		return nil, fmt.Errorf("the ASA hash has a damaged salt or hash; each is base64 of %d bytes", asaKey)
	}
	return &asa{int(iterations), salt, key}, nil
}

func (h *asa) verify(password string) bool {
	key, err := pbkdf2.Key(sha512.New, password, h.salt, h.iterations, asaKey)
	return err == nil && subtle.ConstantTimeCompare(key, h.key) == 1
}

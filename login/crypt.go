package login

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"fmt"
	stdhash "hash"
	"strconv"
	"strings"
)

// The rounds of crypt's $5$ and $6$.
const (
	defaultRounds = 5000
	minRounds     = 1000
	maxRounds     = 1_000_000 // crypt itself would take a thousand times as many
)

// cryptHash is a crypt(3) hash: $1$ (MD5), $5$ (SHA-256) or $6$ (SHA-512).
type cryptHash struct {
	method byte // '1', '5', '6'
	rounds int  // of $5$ and $6$
	salt   string
	sum    string
}

const cryptDigits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func parseCrypt(text string) (*cryptHash, error) {
	h := &cryptHash{method: text[1], rounds: defaultRounds}
	fields := strings.Split(text[3:], "$")
	if rounds, ok := strings.CutPrefix(fields[0], "rounds="); ok && h.method != '1' {
		n, err := strconv.ParseUint(rounds, 10, 32)
		if err != nil || n < minRounds || n > maxRounds {
			return nil, fmt.Errorf("the crypt hash has no number of rounds from %d to %d", minRounds, maxRounds)
		}
		h.rounds, fields = int(n), fields[1:]
	}
	if len(fields) != 2 {
		return nil, errors.New("the crypt hash is not of the form $method$salt$hash")
	}
	h.salt, h.sum = fields[0], fields[1]
	salt, sum := 16, map[byte]int{'1': 22, '5': 43, '6': 86}[h.method]
	if h.method == '1' {
		salt = 8
	}
	if len(h.salt) > salt || len(h.sum) != sum || strings.Trim(h.sum, cryptDigits) != "" {
		return nil, fmt.Errorf("the crypt hash $%c$ has a damaged salt or hash", h.method)
	}
	return h, nil
}

func (h *cryptHash) verify(password string) bool {
	var sum string
	switch h.method {
	case '1':
		sum = cryptMD5(password, h.salt)
	case '5':
		sum = cryptText(cryptSHA(sha256.New, password, h.salt, h.rounds), cryptOrder256)
	case '6':
		sum = cryptText(cryptSHA(sha512.New, password, h.salt, h.rounds), cryptOrder512)
	}
	return subtle.ConstantTimeCompare([]byte(sum), []byte(h.sum)) == 1
}

// cryptMD5 is $1$, from FreeBSD's crypt(3).
func cryptMD5(password, salt string) string {
	inner := md5.Sum([]byte(password + salt + password))
	h := md5.New()
	h.Write([]byte(password + "$1$" + salt))
	h.Write(cycled(inner[:], len(password)))
	for n := len(password); n > 0; n >>= 1 {
		if n&1 != 0 {
			h.Write([]byte{0})
		} else {
			h.Write([]byte(password[:1]))
		}
	}
	sum := cryptRounds(md5.New, h.Sum(nil), []byte(password), []byte(salt), 1000)
	return cryptText(sum, cryptOrderMD5)
}

// cryptSHA is $5$ and $6$, from Ulrich Drepper's specification of 2007.
func cryptSHA(newHash func() stdhash.Hash, password, salt string, rounds int) []byte {
	inner := sumOf(newHash, password+salt+password)
	h := newHash()
	h.Write([]byte(password + salt))
	h.Write(cycled(inner, len(password)))
	for n := len(password); n > 0; n >>= 1 {
		if n&1 != 0 {
			h.Write(inner)
		} else {
			h.Write([]byte(password))
		}
	}
	start := h.Sum(nil)
	mixedPassword := cycled(sumOf(newHash, strings.Repeat(password, len(password))), len(password))
	mixedSalt := cycled(sumOf(newHash, strings.Repeat(salt, 16+int(start[0]))), len(salt))
	return cryptRounds(newHash, start, mixedPassword, mixedSalt, rounds)
}

// cryptRounds is the loop that all three methods share.
func cryptRounds(newHash func() stdhash.Hash, sum, password, salt []byte, rounds int) []byte {
	h := newHash()
	for i := range rounds {
		first, last := sum, password
		if i%2 != 0 {
			first, last = password, sum
		}
		h.Reset()
		h.Write(first)
		if i%3 != 0 {
			h.Write(salt)
		}
		if i%7 != 0 {
			h.Write(password)
		}
		h.Write(last)
		sum = h.Sum(sum[:0:0])
	}
	return sum
}

func sumOf(newHash func() stdhash.Hash, text string) []byte {
	h := newHash()
	h.Write([]byte(text))
	return h.Sum(nil)
}

// cycled repeats b up to length n.
func cycled(b []byte, n int) []byte {
	long := make([]byte, 0, n+len(b))
	for len(long) < n {
		long = append(long, b...)
	}
	return long[:n]
}

// The orders in which crypt writes the bytes of a sum, three at a time, the highest first; -1 stands for
// a byte that is not there.
var (
	cryptOrderMD5 = []int{0, 6, 12, 1, 7, 13, 2, 8, 14, 3, 9, 15, 4, 10, 5, -1, -1, 11}
	cryptOrder256 = []int{
		0, 10, 20, 21, 1, 11, 12, 22, 2, 3, 13, 23, 24, 4, 14, 15, 25, 5, 6, 16, 26, 27, 7, 17, 18, 28, 8, 9, 19, 29, -1, 31, 30,
	}
	cryptOrder512 = []int{
		0, 21, 42, 22, 43, 1, 44, 2, 23, 3, 24, 45, 25, 46, 4, 47, 5, 26, 6, 27, 48, 28, 49, 7, 50, 8, 29, 9, 30, 51, 31, 52, 10,
		53, 11, 32, 12, 33, 54, 34, 55, 13, 56, 14, 35, 15, 36, 57, 37, 58, 16, 59, 17, 38, 18, 39, 60, 40, 61, 19, 62, 20, 41,
		-1, -1, 63,
	}
)

// cryptText writes a sum with crypt's digits, the lowest six bits of each three bytes first.
func cryptText(sum []byte, order []int) string {
	var text strings.Builder
	for i := 0; i < len(order); i += 3 {
		bits, digits := 0, 4
		for _, at := range order[i : i+3] {
			bits <<= 8
			if at < 0 {
				digits--
				continue
			}
			bits |= int(sum[at])
		}
		for range digits {
			text.WriteByte(cryptDigits[bits&0x3f])
			bits >>= 6
		}
	}
	return text.String()
}

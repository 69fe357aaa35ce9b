package login

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/store"
)

// One-time codes as every program that makes them knows them: RFC 6238 with its defaults.
const (
	codeDigits = 6
	codeStep   = 30 * time.Second
	codeSlack  = 1 // steps that a clock may be off, either way
	codeKey    = 20
)

// ofOneCode bounds how many codes can be guessed by somebody who has the password, from wherever.
var ofOneCode = limit{5, 5 * time.Minute}

// codes checks one-time codes. A code counts once.
type codes struct {
	table *store.Table[usedCode]

	mu    sync.Mutex
	wrong map[string]*bucket // by user of the inventory
}

// usedCode is what the store keeps of a user's codes, so that a code which was seen is worth nothing to
// who saw it, also after a restart.
type usedCode struct {
	Step int64 `json:"step"` // of the last one that was used
}

func newCodes(s store.Store) *codes {
	return &codes{table: store.NewTable[usedCode](s, "login/code/", 1, nil), wrong: map[string]*bucket{}}
}

// check returns nil for a right code, ErrRefused for another, and what else is wrong when it could not be
// checked. A user who has no key has no right code.
func (c *codes) check(ctx context.Context, user *inventory.User, code secret.String) error {
	if user == nil || code.IsZero() {
		return refused("no one-time code, or no such user in the inventory")
	}
	key, err := user.TOTPKey()
	if err != nil || key == nil {
		return refused("user without a usable key of one-time codes")
	}
	now := time.Now()
	if c.exhausted(user.Name, now) {
		return refused("too many wrong one-time codes")
	}
	step, ok := findStep(key, code.Reveal(), now)
	if !ok {
		c.guessed(user.Name, now)
		return refused("wrong one-time code")
	}
	return c.use(ctx, user.Name, step)
}

// use notes that a code was used, unless it or a later one was.
func (c *codes) use(ctx context.Context, user string, step int64) error {
	last, err := c.table.Get(ctx, user)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("login: one-time codes: %w", err)
	}
	if last.Value.Step >= step {
		return refused("one-time code was used before")
	}
	_, err = c.table.Put(ctx, user, usedCode{step}, last.Revision)
	if errors.Is(err, store.ErrConflict) {
		return refused("one-time code was used at the same time")
	}
	if err != nil {
		return fmt.Errorf("login: one-time codes: %w", err)
	}
	return nil
}

func (c *codes) exhausted(user string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.wrong[user]
	if b == nil {
		return false
	}
	if b.leak(ofOneCode, now); b.level == 0 {
		delete(c.wrong, user)
	}
	return b.full(ofOneCode)
}

func (c *codes) guessed(user string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wrong[user] == nil {
		c.wrong[user] = &bucket{at: now}
	}
	c.wrong[user].add(ofOneCode, now)
}

// findStep returns the step of which code is the code, if it is one of those that count now.
func findStep(key []byte, code string, now time.Time) (int64, bool) {
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	current := now.Unix() / int64(codeStep/time.Second)
	for step := current - codeSlack; step <= current+codeSlack; step++ {
		if subtle.ConstantTimeCompare([]byte(oneTimeCode(key, step, codeDigits)), []byte(code)) == 1 {
			return step, true
		}
	}
	return 0, false
}

// oneTimeCode is RFC 4226's HOTP of a step.
func oneTimeCode(key []byte, step int64, digits int) string {
	mac := hmac.New(sha1.New, key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	number := uint64(binary.BigEndian.Uint32(sum[sum[len(sum)-1]&0xf:]) & 0x7fffffff)
	text := fmt.Sprintf("%0*d", digits, number)
	return text[len(text)-digits:]
}

// NewTOTPSecret returns a fresh key of one-time codes, in the form that inventories and phones' apps take.
func NewTOTPSecret() secret.String {
	key := make([]byte, codeKey)
	rand.Read(key)
	return secret.New(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(key))
}

// TOTPURL is what apps that make one-time codes read, mostly as a picture. It holds the secret.
func TOTPURL(issuer, user string, key secret.String) string {
	u := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + user}
	u.RawQuery = url.Values{"secret": {key.Reveal()}, "issuer": {issuer}}.Encode()
	return u.String()
}

package register

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/longcord/longcord/wire/sip"
)

// nonceLife is how long a nonce may be answered, and answered again with a higher count.
const nonceLife = 5 * time.Minute

// nonces makes and checks the nonces of digest login. A nonce carries its time and a seal over that, the
// line and the peer's address, so nothing is remembered for those who never answer. For those who did,
// the last count is kept: an answer that was overheard cannot be used again.
type nonces struct {
	key  [32]byte
	last int64          // time of the newest nonce, in Unix nanoseconds
	used map[string]use // by line
}

type use struct {
	nonce string
	made  int64 // when, in Unix nanoseconds
	count uint32
	until time.Time
}

func (n *nonces) mac(text string) [sha256.Size]byte {
	h := hmac.New(sha256.New, n.key[:])
	h.Write([]byte(text))
	return [sha256.Size]byte(h.Sum(nil))
}

// make returns a nonce that was never given before: two phones that ask at one time must not share a count.
func (n *nonces) make(now time.Time, flow sip.Flow, line string) string {
	n.last = max(n.last+1, now.UnixNano())
	at := strconv.FormatInt(n.last, 36)
	return at + "." + n.seal(at, flow, line)
}

func (n *nonces) seal(at string, flow sip.Flow, line string) string {
	sum := n.mac(fmt.Sprintf("%s %s %q", at, flow.Peer.Addr(), line))
	return hex.EncodeToString(sum[:16])
}

// fresh reports whether a nonce is ours for this peer and line, young enough, and neither older than the
// one used last nor used with this count before. If so it counts as used now.
func (n *nonces) fresh(now time.Time, flow sip.Flow, line string, a sip.Credentials) bool {
	at, seal, _ := strings.Cut(a.Nonce, ".")
	if !hmac.Equal([]byte(seal), []byte(n.seal(at, flow, line))) {
		return false
	}
	made, err := strconv.ParseInt(at, 36, 64)
	last := n.used[line]
	switch {
	case err != nil, now.Sub(time.Unix(0, made)) > nonceLife:
		return false
	case last.nonce == a.Nonce && a.Count <= last.count:
		return false
	case last.nonce != a.Nonce && made < last.made:
		return false
	}
	n.used[line] = use{a.Nonce, made, a.Count, now.Add(nonceLife)}
	return true
}

func (n *nonces) sweep(now time.Time) {
	for line, u := range n.used {
		if now.After(u.until) {
			delete(n.used, line)
		}
	}
}

// login checks the credentials of a request. When they are not right it returns the challenge to answer
// with; no challenge means that the secret is wrong and asking again would make a phone loop.
func (r *Registrar) login(now time.Time, flow sip.Flow, line Line, request *sip.Message) (challenge string, ok bool) {
	ask := sip.Challenge{Realm: r.config.Realm, Nonce: r.nonces.make(now, flow, line.Number), QOP: true}
	var given []sip.Credentials
	for _, text := range request.Fields.All("Authorization") {
		if a, err := sip.ParseCredentials(text); err == nil && a.Realm == r.config.Realm {
			given = append(given, a)
		}
	}
	if len(given) == 0 {
		return ask.String(), false
	}
	a := given[0]
	if a.Username != line.Number || !a.Right(line.Secret, request.Method) {
		return "", false
	}
	if a.CNonce == "" || !r.nonces.fresh(now, flow, line.Number, a) {
		ask.Stale = true
		return ask.String(), false
	}
	return "", true
}

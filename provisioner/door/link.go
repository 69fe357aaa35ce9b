package door

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/longcord/longcord/inventory"
)

// Link is an invitation as people pass it on:
//
//	https://vpn.example.net/.longcord/TOKEN#HASH,HASH
//
// A browser keeps what is behind the # to itself. A laptop that carries the file finds there which
// certificates the gateway may present: the SHA-256 of each, in base64 for URLs.
type Link struct {
	Host   string // with its port, if it has one
	Token  string
	Hashes [][sha256.Size]byte
}

const (
	tokenLength = 26 // characters of a fresh token: 130 bits
	maxLink     = 1024
)

var plainToken = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// String returns the whole link. It opens a door: print it for who is invited, and nowhere else.
func (l Link) String() string {
	hashes := make([]string, len(l.Hashes))
	for i, hash := range l.Hashes {
		hashes[i] = base64.RawURLEncoding.EncodeToString(hash[:])
	}
	return "https://" + l.Host + inventory.ReservedPath + l.Token + "#" + strings.Join(hashes, ",")
}

// ParseLink reads a link as somebody pastes it. A link that lost its certificates' hashes on the way is
// refused: nothing else says who answers.
func ParseLink(text string) (Link, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxLink {
		return Link{}, fmt.Errorf("door: link of %d characters, more than %d", len(text), maxLink)
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return Link{}, errors.New("door: it is no https link of an invitation")
	}
	token, ok := strings.CutPrefix(u.EscapedPath(), inventory.ReservedPath)
	if !ok || !plainToken.MatchString(token) {
		return Link{}, fmt.Errorf("door: the path of the link is not %s and %d letters and digits", inventory.ReservedPath, tokenLength)
	}
	link := Link{Host: u.Host, Token: token}
	for part := range strings.SplitSeq(u.EscapedFragment(), ",") {
		hash, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil || len(hash) != sha256.Size {
			return Link{}, errors.New("door: the link is not whole: behind its # stand the hashes of the gateway's certificates")
		}
		link.Hashes = append(link.Hashes, [sha256.Size]byte(hash))
	}
	return link, nil
}

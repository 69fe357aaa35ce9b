package verify_test

import (
	"strings"
	"testing"

	"github.com/longcord/longcord/stage/verify"
)

func TestParseHash(t *testing.T) {
	t.Parallel()
	const (
		base64 = "1eD9l3VEI9DGWQGKlNBGE1bRhUg="
		hex    = "D5E0FD97754423D0C659018A94D0461356D18548"
	)
	colons := "D5:E0:FD:97:75:44:23:D0:C6:59:01:8A:94:D0:46:13:56:D1:85:48"
	for _, text := range []string{
		base64, strings.TrimSuffix(base64, "="), " " + base64 + "\n", hex, strings.ToLower(hex), colons,
		strings.ReplaceAll(colons, ":", " "), "sha1 Fingerprint=" + colons, "SHA1 Fingerprint=" + colons + "\r\n",
	} {
		h, err := verify.ParseHash(text)
		if err != nil || h.String() != base64 || h.Hex() != hex {
			t.Errorf("%q is read as %s, %s, %v", text, h, h.Hex(), err)
		}
	}
	for n := range len(hex) {
		if h, err := verify.ParseHash(hex[:n]); err == nil && n != 27 && n != 28 { // those lengths are base64's
			t.Errorf("%q is read as %s", hex[:n], h)
		}
	}
	for _, text := range []string{"", "=", base64 + base64, "zz" + hex[2:], hex + "00", base64[:20]} {
		if h, err := verify.ParseHash(text); err == nil {
			t.Errorf("%q is read as %s", text, h)
		}
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	leaf, issuer, other := []byte("leaf"), []byte("issuer"), []byte("other")
	hash := func(der []byte) string { return verify.HashOf(der).String() }
	chain := [][]byte{leaf, issuer}
	for name, c := range map[string]struct {
		hashes     []string
		cert, hash int
		ok         bool
	}{
		"leaf":                {[]string{hash(leaf)}, 0, 0, true},
		"issuer, second hash": {[]string{hash(other), hash(issuer)}, 1, 1, true},
		"leaf before issuer":  {[]string{hash(issuer), hash(leaf)}, 0, 1, true},
		"hex":                 {[]string{verify.HashOf(leaf).Hex()}, 0, 0, true},
		"other":               {[]string{hash(other)}, 0, 0, false},
		"garbage":             {[]string{"", "garbage"}, 0, 0, false},
		"none":                {nil, 0, 0, false},
	} {
		cert, hash, ok := verify.Match(chain, c.hashes)
		if cert != c.cert || hash != c.hash || ok != c.ok {
			t.Errorf("%s: certificate %d, hash %d, %v; want %d, %d, %v", name, cert, hash, ok, c.cert, c.hash, c.ok)
		}
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add("1eD9l3VEI9DGWQGKlNBGE1bRhUg=")
	f.Add("sha1 Fingerprint=D5:E0:FD:97:75:44:23:D0:C6:59:01:8A:94:D0:46:13:56:D1:85:48")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := verify.ParseHash(text)
		if err != nil {
			return
		}
		for _, form := range []string{h.String(), h.Hex()} {
			if again, err := verify.ParseHash(form); err != nil || again != h {
				t.Fatalf("%q: %q is read as %s, %v", text, form, again, err)
			}
		}
	})
}

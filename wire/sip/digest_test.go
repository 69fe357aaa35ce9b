package sip

import (
	"testing"

	"github.com/longcord/longcord/internal/secret"
)

// The example of RFC 2617 section 3.5.
func TestDigestExample(t *testing.T) {
	t.Parallel()
	c, err := ParseChallenge(`Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"`)
	if err != nil {
		t.Fatal(err)
	}
	a := c.Answer("Mufasa", secret.New("Circle Of Life"), "GET", "/dir/index.html", "0a4f113b", 1)
	if want := "6629fae49393a05397450978507c4ef1"; a.Response != want {
		t.Errorf("response %s, want %s", a.Response, want)
	}
	b, err := ParseCredentials(a.String())
	if err != nil || b != a {
		t.Errorf("%s read back as %+v (%v)", a, b, err)
	}
	if !b.Right(secret.New("Circle Of Life"), "GET") || b.Right(secret.New("Circle of Life"), "GET") || b.Right(secret.New("Circle Of Life"), "PUT") {
		t.Error("the right secret is refused or a wrong one accepted")
	}
}

func TestDigestWithoutQOP(t *testing.T) {
	t.Parallel()
	c, err := ParseChallenge(`Digest realm="r", nonce="n", stale=TRUE`)
	if err != nil || c.QOP || !c.Stale {
		t.Fatalf("challenge %+v (%v)", c, err)
	}
	a, err := ParseCredentials(c.Answer("u", secret.New("p"), Register, "sip:x", "ignored", 1).String())
	if err != nil || a.CNonce != "" || !a.Right(secret.New("p"), Register) {
		t.Errorf("answer %+v (%v)", a, err)
	}
}

func TestChallengeBothWays(t *testing.T) {
	t.Parallel()
	for _, want := range []Challenge{
		{Realm: `a "quoted" realm`, Nonce: "n,1", QOP: true},
		{Realm: "r", Nonce: "n", Opaque: "o", Stale: true},
	} {
		if got, err := ParseChallenge(want.String()); err != nil || got != want {
			t.Errorf("%s read back as %+v (%v)", want, got, err)
		}
	}
}

func TestDigestRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "Basic dTpw", "Digest", `Digest realm="r"`, `Digest nonce="n",algorithm=SHA-256`, `Digest nonce="n",qop="auth-int"`, `Digest nonce="n`} {
		if c, err := ParseChallenge(text); err == nil {
			t.Errorf("%q taken for the challenge %+v", text, c)
		}
	}
	const right = `response="6629fae49393a05397450978507c4ef1"`
	for _, text := range []string{
		"", "Digest", `Digest username="u",nonce="n",response="short"`, `Digest nonce="n",` + right,
		`Digest username="u",nonce="n",qop=auth,nc=00000000,cnonce="c",` + right,
		`Digest username="u",nonce="n",qop=auth,nc=1,` + right, `Digest username="u",nonce="n",qop=auth-int,nc=1,cnonce="c",` + right,
	} {
		if a, err := ParseCredentials(text); err == nil {
			t.Errorf("%q taken for %+v", text, a)
		}
	}
}

func FuzzDigest(f *testing.F) {
	f.Add(`Digest realm="r", nonce="n", qop="auth"`)
	f.Add(`Digest username="u",realm="r",nonce="n",uri="sip:x",response="6629fae49393a05397450978507c4ef1",qop=auth,nc=00000001,cnonce="c"`)
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := ParseChallenge(text); err == nil {
			if again, err := ParseChallenge(c.String()); err != nil || again != c {
				t.Fatalf("%q: %+v read back as %+v (%v)", text, c, again, err)
			}
		}
		if a, err := ParseCredentials(text); err == nil {
			_ = a.Right(secret.New("x"), Register)
			_ = a.String()
		}
	})
}

package acme

import (
	"crypto/ecdsa"
	"crypto/tls"
	"errors"
	"testing"

	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/trust"
)

// TestAccount: the account's key is the same after a restart, and opens with the master key alone.
func TestAccount(t *testing.T) {
	t.Parallel()
	s := memory.New()
	defer s.Close()
	sealer := trust.NewSealer([trust.KeySize]byte{1})
	first, err := OpenAccount(t.Context(), s, sealer)
	if err != nil {
		t.Fatal(err)
	}
	again, err := OpenAccount(t.Context(), s, sealer)
	if err != nil || !first.(*ecdsa.PrivateKey).Equal(again) {
		t.Errorf("another key after a restart: %v", err)
	}
	if _, err := OpenAccount(t.Context(), s, trust.NewSealer([trust.KeySize]byte{2})); !errors.Is(err, trust.ErrSealed) {
		t.Errorf("with another master key: %v", err)
	}
}

// TestAnswer: there is an answer while an authority may ask, under the name that it asks for.
func TestAnswer(t *testing.T) {
	t.Parallel()
	s := memory.New()
	defer s.Close()
	key, err := OpenAccount(t.Context(), s, trust.NewSealer([trust.KeySize]byte{1}))
	if err != nil {
		t.Fatal(err)
	}
	i, err := New(Config{Directory: "https://ca.example.net/dir", Key: key})
	if err != nil {
		t.Fatal(err)
	}
	answer := &tls.Certificate{}
	for host, name := range map[string]string{"VPN.example.net": "vpn.example.net", "203.0.113.2": "2.113.0.203.in-addr.arpa"} {
		if i.Answer(name) != nil {
			t.Errorf("%s: an answer to nobody", host)
		}
		i.setAnswer(askedAs(host), answer)
		if i.Answer(name) != answer || i.Answer(name+".") != answer {
			t.Errorf("%s: no answer when asked for %s", host, name)
		}
		i.setAnswer(askedAs(host), nil)
		if i.Answer(name) != nil {
			t.Errorf("%s: an answer afterwards", host)
		}
	}
	if _, err := New(Config{Key: key}); err == nil {
		t.Error("an issuer without a directory")
	}
}

package verify

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"reflect"
	"testing"
	"time"

	"github.com/longcord/longcord/wire/tlv"
	"github.com/longcord/longcord/wire/tvs"
)

func signerCertificate(t *testing.T, name string, serial int64) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name, Organization: []string{"Office"}}, NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func recordOf(c *x509.Certificate, roles ...tlv.Role) TVSRecord {
	return TVSRecord{c.Raw, tlv.NameText(c.Issuer), c.SerialNumber.Bytes(), roles}
}

func TestTVSBothWays(t *testing.T) {
	signer, other := signerCertificate(t, "signer", 0x1234), signerCertificate(t, "other", 0x1234)
	known := []TVSRecord{recordOf(other, tlv.TVS), recordOf(signer, tlv.SAST, tlv.TFTP)}
	for name, request := range map[string]tvs.Request{
		"certificate":     {Session: 5, Certificate: signer.Raw},
		"name and number": {Session: 5, Issuer: "CN=signer;O=Office", Serial: []byte{0x12, 0x34}},
	} {
		answer := AnswerTVS(request, known)
		c, roles, holds, err := TakeTVS(request, answer)
		if err != nil || !c.Equal(signer) || !reflect.DeepEqual(roles, []tlv.Role{tlv.SAST, tlv.TFTP}) || holds != 24*time.Hour {
			t.Errorf("%s: %v %v %s %v", name, c, roles, holds, err)
		}
	}
	for name, request := range map[string]tvs.Request{
		"another certificate": {Certificate: signerCertificate(t, "signer", 0x1234).Raw},
		"another number":      {Issuer: "CN=signer;O=Office", Serial: []byte{0x12, 0x35}},
		"another issuer":      {Issuer: "CN=signer;O=Elsewhere", Serial: []byte{0x12, 0x34}},
		"nothing":             {},
	} {
		answer := AnswerTVS(request, known)
		if answer.Valid || answer.Certificate != nil || answer.Roles != nil {
			t.Errorf("%s is answered by %+v", name, answer)
		}
		if _, _, _, err := TakeTVS(request, answer); !errors.Is(err, ErrNotVouched) {
			t.Errorf("%s: error %v, want ErrNotVouched", name, err)
		}
	}
}

// TestTVSLies: what was not asked for is not taken.
func TestTVSLies(t *testing.T) {
	signer, other := signerCertificate(t, "signer", 1), signerCertificate(t, "other", 1)
	good := tvs.Answer{Session: 5, ToQuery: true, Valid: true, Certificate: signer.Raw, Roles: []tlv.Role{tlv.TFTP}, TTL: tvs.DefaultTTL}
	query := tvs.Request{Session: 5, Issuer: "CN=signer;O=Office", Serial: []byte{0, 1}}
	if _, _, _, err := TakeTVS(query, good); err != nil {
		t.Fatalf("the right answer: %v", err)
	}
	for name, change := range map[string]func(*tvs.Answer){
		"another session":     func(a *tvs.Answer) { a.Session++ },
		"another kind":        func(a *tvs.Answer) { a.ToQuery = false },
		"another certificate": func(a *tvs.Answer) { a.Certificate = other.Raw },
		"no certificate":      func(a *tvs.Answer) { a.Certificate = nil },
	} {
		lie := good
		change(&lie)
		if c, _, _, err := TakeTVS(query, lie); err == nil {
			t.Errorf("%s was taken: %s", name, c.Subject)
		}
	}
	long := good
	long.TTL = 1000 * time.Hour
	if _, _, holds, err := TakeTVS(query, long); err != nil || holds != 24*time.Hour {
		t.Errorf("1000 hours are taken for %s, %v; want 24h", holds, err)
	}
	query.Issuer = "O=Office,CN=signer" // as other tools write it
	if _, _, _, err := TakeTVS(query, good); err != nil {
		t.Errorf("the same name in another order: %v", err)
	}
}

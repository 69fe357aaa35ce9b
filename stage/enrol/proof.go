package enrol

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"

	"github.com/longcord/longcord/wire/capf"
)

// CheckProof checks that who makes the claim holds the key of the certificate in it, and of the SUDI where
// there is one, and returns the certificate. Whose it is and who vouches for it is for others to judge.
func (c Claim) CheckProof() (*x509.Certificate, error) {
	leaf, err := x509.ParseCertificate(c.Certificate.DER)
	if err != nil {
		return nil, fmt.Errorf("enrol: certificate: %w", err)
	}
	if err := check(leaf.PublicKey, c.Proof, capf.ProofData(c.Device, c.Certificate.DER)); err != nil {
		return nil, err
	}
	if c.SUDI.Certificate == nil {
		return leaf, nil
	}
	sudi, err := x509.ParseCertificate(c.SUDI.Certificate)
	if err != nil {
		return nil, fmt.Errorf("enrol: SUDI certificate: %w", err)
	}
	if err := check(sudi.PublicKey, c.SUDI.Proof, capf.SUDIData(c.Session, c.SUDI.Certificate)); err != nil {
		return nil, fmt.Errorf("%w (SUDI)", err)
	}
	return leaf, nil
}

// maxProofKey bounds what a stranger has us compute.
const maxProofKey = 4096

// check verifies the better of the signatures.
func check(public crypto.PublicKey, proof capf.Proof, data []byte) error {
	var digest, signature []byte
	switch {
	case proof.SHA512 != nil:
		sum := sha512.Sum512(data)
		digest, signature = sum[:], proof.SHA512
	case proof.SHA1 != nil:
		sum := sha1.Sum(data)
		digest, signature = sum[:], proof.SHA1
	default:
		return errors.New("enrol: certificate without a proof")
	}
	ok := false
	switch public := public.(type) {
	case *rsa.PublicKey:
		ok = endsWith(public, digest, signature)
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(public, digest, signature)
	}
	if !ok {
		return errors.New("enrol: the proof does not fit the certificate")
	}
	return nil
}

// maxDigestName is the longest that stands before the digest in a signature, in bytes.
const maxDigestName = 19

// endsWith verifies an RSA signature with or without the digest's name before the digest, which
// crypto/rsa knows only one at a time. Everything before that must be padding, so nothing is left that
// could be chosen freely.
func endsWith(public *rsa.PublicKey, digest, signature []byte) bool {
	bits := public.N.BitLen()
	if bits < 512 || bits > maxProofKey || public.E < 3 || len(signature) != public.Size() {
		return false
	}
	number := new(big.Int).SetBytes(signature)
	if number.Cmp(public.N) >= 0 {
		return false
	}
	text := new(big.Int).Exp(number, big.NewInt(int64(public.E)), public.N).FillBytes(make([]byte, public.Size()))
	if text[0] != 0 || text[1] != 1 {
		return false
	}
	at := 2
	for at < len(text) && text[at] == 0xff {
		at++
	}
	if at == len(text) || text[at] != 0 || at < 2+8 {
		return false
	}
	said := text[at+1:]
	if len(said) == len(digest) {
		return bytes.Equal(said, digest)
	}
	return len(said) > len(digest) && len(said) <= len(digest)+maxDigestName && bytes.HasSuffix(said, digest)
}

// Prove signs a claim with the key of its certificate, as phones do.
func (c *Claim) Prove(key crypto.Signer) error {
	data := capf.ProofData(c.Device, c.Certificate.DER)
	old, modern := sha1.Sum(data), sha512.Sum512(data)
	var err, err2 error
	c.Proof.SHA1, err = key.Sign(nil, old[:], crypto.SHA1)
	c.Proof.SHA512, err2 = key.Sign(nil, modern[:], crypto.SHA512)
	return errors.Join(err, err2)
}

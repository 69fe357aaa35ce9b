package trust

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/longcord/longcord/wire/tlv"
)

// ErrNotRSA: files can be encrypted for RSA keys alone. Give the phone an LSC with an RSA key.
var ErrNotRSA = errors.New("the phone's certificate has no RSA key")

// Signing is how a file or list is signed.
type Signing struct {
	Name   string     // of the file, as the phone asks for it
	Digest tlv.Digest // zero: SHA-1, which every phone knows
	At     time.Time  // what the file says about when it was signed
}

func (s Signing) digest() tlv.Digest {
	if s.Digest == 0 {
		return tlv.SHA1
	}
	return s.Digest
}

// SignFile returns content as a signed file.
func (a *Authority) SignFile(s Signing, content []byte) ([]byte, error) {
	return a.sign(Files, s, tlv.Header{Version: tlv.VersionSigned}, content)
}

// EncryptFile returns content encrypted for the RSA key of a phone's certificate, and signed.
func (a *Authority) EncryptFile(s Signing, content []byte, phone *x509.Certificate) ([]byte, error) {
	encryption, sealed, err := encryptFor(phone, s.digest(), content)
	if err != nil {
		return nil, fmt.Errorf("trust: encrypt %s: %w", s.Name, err)
	}
	return a.sign(Files, s, tlv.Header{Version: tlv.VersionEncrypted, Encryption: encryption}, sealed)
}

// sign completes a header and signs.
func (a *Authority) sign(by Purpose, s Signing, h tlv.Header, content []byte) ([]byte, error) {
	a.mu.Lock()
	held := a.keys[by]
	a.mu.Unlock()
	key, ok := held.key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("trust: sign %s by %s: %w", s.Name, by, ErrOffline)
	}
	h.Signer = tlv.Signer{Name: held.record.Subject, Serial: held.record.Serial(), Issuer: held.record.Issuer}
	h.Digest, h.KeyBits, h.FileName, h.Time = s.digest(), key.N.BitLen(), s.Name, s.At
	unsigned, err := tlv.New(h, content)
	if err != nil {
		return nil, fmt.Errorf("trust: sign %s: %w", s.Name, err)
	}
	text, err := unsigned.SignedBytes()
	if err != nil {
		return nil, fmt.Errorf("trust: sign %s: %w", s.Name, err)
	}
	hash := h.Digest.Hash()
	sum := hash.New()
	sum.Write(text)
	signature, err := rsa.SignPKCS1v15(nil, key, hash, sum.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("trust: sign %s: %w", s.Name, err)
	}
	signed, err := unsigned.Sign(signature)
	if err != nil {
		return nil, fmt.Errorf("trust: sign %s: %w", s.Name, err)
	}
	return signed.AppendBinary(nil)
}

// encryptFor encrypts content with a fresh key (docs/wire/trust-lists.md#encrypted).
func encryptFor(phone *x509.Certificate, digest tlv.Digest, content []byte) (*tlv.Encryption, []byte, error) {
	public, ok := phone.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, nil, ErrNotRSA
	}
	e := &tlv.Encryption{Padding: aes.BlockSize - len(content)%aes.BlockSize, KeyBits: public.N.BitLen(), Digest: digest}
	var key [16]byte
	rand.Read(key[:])
	rand.Read(e.IV[:])
	hash := digest.Hash().New()
	hash.Write(content)
	e.PlainHash = hash.Sum(nil)
	var err error
	//lint:ignore SA1019 phones know no other
	if e.Key, err = rsa.EncryptPKCS1v15(rand.Reader, public, key[:]); err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, nil, err
	}
	sealed := append(make([]byte, 0, len(content)+e.Padding), content...)
	for range e.Padding {
		sealed = append(sealed, filler)
	}
	cipher.NewCBCEncrypter(block, e.IV[:]).CryptBlocks(sealed, sealed)
	return e, sealed, nil
}

// filler fills the last block of an encrypted file.
const filler = 0x0d

// ListKind is which of the two trust lists.
type ListKind string

// The trust lists.
const (
	CTL ListKind = "CTL"
	ITL ListKind = "ITL"
)

// ListOptions are what may differ between the lists of two phones.
type ListOptions struct {
	// Advanced tells phones that HTTPS is served on 6971, and names the certificate that is shown there.
	Advanced bool
	// Rollback leaves only the signers, so that phones ask for plain files again and take any list next.
	Rollback bool
}

// Members returns the certificates that a list names, in its order.
func (a *Authority) Members(kind ListKind, o ListOptions) []Record {
	var members []Record
	for _, r := range a.Records() {
		switch {
		case !r.Until.IsZero():
		case r.Purpose.IsSigner():
			members = append(members, r)
		case o.Rollback, r.Purpose == FilesEC && !o.Advanced, r.Purpose == TVS && kind == CTL:
		default:
			if r.Purpose == Files && kind == CTL {
				r.Role = tlv.CCMTFTP // with a CTL phones encrypt their signalling: the call manager shows this one, too
			}
			members = append(members, r)
		}
	}
	return members
}

// List returns a trust list, signed by the first signer. The same members give the same bytes: s.At is not
// looked at, the list says when the newest of its members took its place.
func (a *Authority) List(s Signing, kind ListKind, o ListOptions) ([]byte, error) {
	h := tlv.Header{Version: tlv.VersionList}
	if o.Advanced {
		h.SignerVersion = tlv.SignerAdvanced
	}
	s.At = time.Time{}
	var content []byte
	for _, member := range a.Members(kind, o) {
		if member.Since.After(s.At) {
			s.At = member.Since
		}
		record, err := listed(member)
		if err != nil {
			return nil, fmt.Errorf("trust: %s: %s: %w", s.Name, member.Purpose, err)
		}
		if content, err = tlv.AppendRecords(content, record); err != nil {
			return nil, fmt.Errorf("trust: %s: %s: %w", s.Name, member.Purpose, err)
		}
	}
	return a.sign(Signer1, s, h, content)
}

// listed is a certificate as a record of a trust list.
func listed(r Record) (tlv.Record, error) {
	public, err := publicKey(r.Certificate.PublicKey)
	return tlv.NewRecord(tlv.Record{
		Subject: r.Subject, Role: r.Role, Issuer: r.Issuer, Serial: r.Serial(), PublicKey: public,
		Signature: r.Certificate.Signature, Certificate: r.Certificate.Raw,
	}), err
}

func publicKey(key crypto.PublicKey) ([]byte, error) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return x509.MarshalPKCS1PublicKey(key), nil
	case *ecdsa.PublicKey:
		return key.Bytes()
	}
	return nil, fmt.Errorf("public key is a %T", key)
}

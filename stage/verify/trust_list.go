package verify

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/wire/tlv"
)

// Why something is not believed. What the phone has stays.
var (
	// ErrUntrusted: nobody whom the phone believes has signed it.
	ErrUntrusted = errors.New("not signed by anybody who is trusted for it")
	// ErrSignature: it was changed on its way, or cut, or signed by another key than it says.
	ErrSignature = errors.New("the signature does not fit")
	// ErrBadList: the list cannot be one of this phone's: nobody could ever take it over.
	ErrBadList = errors.New("the trust list is not usable")
	// ErrOtherFile: it was signed as another file.
	ErrOtherFile = errors.New("it was signed as another file")
)

// maxSigners is how many SAST a list may have (docs/wire/trust-lists.md#roles).
const maxSigners = 2

// vouchedFor is how long at most TVS is taken at its word.
const vouchedFor = 24 * time.Hour

// TrustList is a CTL or an ITL.
type TrustList struct {
	Raw     []byte // as it came
	Header  tlv.Header
	Records []tlv.Record
	file    *tlv.File
}

// ReadTrustList reads a list. Whether it is believed is TrustStore's to say.
func ReadTrustList(raw []byte) (*TrustList, error) {
	file, err := tlv.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("verify: %w: %w", ErrBadList, err)
	}
	records, err := file.Records()
	if err != nil {
		return nil, fmt.Errorf("verify: %w: %w", ErrBadList, err)
	}
	list := &TrustList{Raw: raw, Header: file.Header, Records: records, file: file}
	signers := 0
	for _, r := range records {
		if r.Role == tlv.SAST {
			signers++
		}
	}
	if signers == 0 || signers > maxSigners {
		return nil, fmt.Errorf("verify: %w: it names %d signers, want 1 or 2", ErrBadList, signers)
	}
	return list, nil
}

// Vouched is what TVS says of a certificate.
type Vouched struct {
	Certificate *x509.Certificate
	Subject     string // as it was asked for
	Issuer      string // likewise
	Serial      []byte
	Roles       []tlv.Role
	Lifetime    time.Duration // how long it holds; never more than a day
}

type cached struct {
	Vouched
	until time.Time
}

// TrustStore is what a phone believes: two lists and what TVS has said lately. The zero value is a phone
// on its first day. Each question to it is answered by an Answer; after AskTVS and Vouch the same question
// is put again.
type TrustStore struct {
	CTL, ITL *TrustList // nil: none
	cache    []cached
}

// Answer is what becomes of a list or a file: Believe, AskTVS or Reject.
type Answer interface{ isAnswer() }

// Believe takes it. Content is a file's, without what surrounds it; an encrypted one is still to be opened
// with File.
type Believe struct {
	File    *tlv.File
	Content []byte
	Same    bool // a list that is stored already
	First   bool // a list that is believed because there is none yet
}

// AskTVS wants to know about a certificate that no list names.
type AskTVS struct {
	Signer tlv.Signer
	Role   tlv.Role // that it needs: SAST or TFTP
}

// Reject keeps what there is.
type Reject struct{ Err error }

func (Believe) isAnswer() {}
func (AskTVS) isAnswer()  {}
func (Reject) isAnswer()  {}

// lists returns those that are stored, in the order in which phones look.
func (t *TrustStore) lists() []*TrustList {
	var all []*TrustList
	for _, l := range []*TrustList{t.CTL, t.ITL} {
		if l != nil {
			all = append(all, l)
		}
	}
	return all
}

// WantsSigned reports whether the phone asks for signed files: a list names somebody who signs them.
func (t *TrustStore) WantsSigned() bool {
	for _, l := range t.lists() {
		for _, r := range l.Records {
			if r.Role.SignsFiles() && len(r.Certificate)+len(r.PublicKey) > 0 {
				return true
			}
		}
	}
	return false
}

// WantsHTTPS reports whether the phone asks for its own file by HTTPS first.
func (t *TrustStore) WantsHTTPS() bool {
	return t.ITL != nil && t.ITL.Header.SignerVersion.AtLeast(tlv.SignerAdvanced)
}

// Servers returns the certificates that the lists name for a role, the CTL's first.
func (t *TrustStore) Servers(role tlv.Role) []*x509.Certificate {
	var all []*x509.Certificate
	for _, l := range t.lists() {
		for _, r := range l.Records {
			if r.Role != role && (role != tlv.TFTP || r.Role != tlv.CCMTFTP) {
				continue
			}
			if certificate, err := x509.ParseCertificate(r.Certificate); err == nil {
				all = append(all, certificate)
			}
		}
	}
	return all
}

// Knows reports whether a server's certificate is believed for a role.
func (t *TrustStore) Knows(now time.Time, certificate *x509.Certificate, role tlv.Role) bool {
	for _, known := range t.Servers(role) {
		if known.Equal(certificate) {
			return true
		}
	}
	for _, c := range t.cache {
		if now.Before(c.until) && c.may(role) && c.Certificate.Equal(certificate) {
			return true
		}
	}
	return false
}

// Vouch remembers what TVS has said.
func (t *TrustStore) Vouch(now time.Time, v Vouched) {
	t.cache = append(t.cache, cached{v, now.Add(min(v.Lifetime, vouchedFor))})
}

func (v Vouched) may(role tlv.Role) bool {
	for _, r := range v.Roles {
		if r == role || role == tlv.TFTP && r.SignsFiles() {
			return true
		}
	}
	return false
}

// ListOffered judges a CTL or ITL that came.
func (t *TrustStore) ListOffered(now time.Time, raw []byte) Answer {
	list, err := ReadTrustList(raw)
	if err != nil {
		return Reject{err}
	}
	believe := Believe{File: list.file, Content: list.file.Content}
	held := t.lists()
	for _, l := range held {
		if bytes.Equal(l.Raw, raw) {
			believe.Same = true
			return believe
		}
	}
	if len(held) > 0 {
		return t.judge(now, list.file, tlv.SAST, believe)
	}
	// Nobody can vouch for the first. But a list whose own signer does not fit would never be followed by
	// another: that is a mistake, or somebody's cut.
	believe.First = true
	return (&TrustStore{ITL: list}).judge(now, list.file, tlv.SAST, believe)
}

// Foreign reports whether a list is another house's: it names nobody whom the phone's own lists name. It is no proof of
// anything, and says what to mend when the list is not believed.
func (t *TrustStore) Foreign(raw []byte) bool {
	offered, err := ReadTrustList(raw)
	if err != nil || len(t.lists()) == 0 {
		return false
	}
	for _, l := range t.lists() {
		for _, r := range l.Records {
			own := tlv.Signer{Serial: r.Serial, Issuer: r.Issuer}
			if slices.ContainsFunc(offered.Records, func(o tlv.Record) bool { return o.Is(own) }) {
				return false
			}
		}
	}
	return true
}

// FileOffered judges a signed file that came under a name.
func (t *TrustStore) FileOffered(now time.Time, name string, raw []byte) Answer {
	file, err := tlv.Parse(raw)
	if err != nil {
		return Reject{fmt.Errorf("verify: %s: %w: %w", name, ErrSignature, err)}
	}
	// A file of another phone, signed as it is, must not pass for this one's. Folders are not compared.
	if !strings.EqualFold(path.Base(file.Header.FileName), path.Base(name)) {
		return Reject{fmt.Errorf("verify: %s: %w, %q", name, ErrOtherFile, file.Header.FileName)}
	}
	return t.judge(now, file, tlv.TFTP, Believe{File: file, Content: file.Content})
}

// judge finds the signer and checks the signature. A signer that a list names for something else is not
// asked for at TVS: the list is the last word about it.
func (t *TrustStore) judge(now time.Time, file *tlv.File, role tlv.Role, believe Believe) Answer {
	signer := file.Header.Signer
	key, found := t.keyOf(now, signer, role)
	switch {
	case key != nil:
	case found || len(t.Servers(tlv.TVS)) == 0:
		return Reject{fmt.Errorf("verify: %s: %w: %q, serial %x", file.Header.FileName, ErrUntrusted, signer.Name, signer.Serial)}
	default:
		return AskTVS{signer, role}
	}
	if err := checkSignature(file, key); err != nil {
		return Reject{err}
	}
	return believe
}

// keyOf returns the key of a signer that may do this, and whether the signer is known at all.
func (t *TrustStore) keyOf(now time.Time, signer tlv.Signer, role tlv.Role) (key *rsa.PublicKey, found bool) {
	for _, l := range t.lists() {
		for _, r := range l.Records {
			if !r.Is(signer) {
				continue
			}
			found = true
			if key := keyIn(r); key != nil && (r.Role == role || role == tlv.TFTP && r.Role.SignsFiles()) {
				return key, true
			}
		}
	}
	for _, c := range t.cache {
		if !now.Before(c.until) || c.Issuer != signer.Issuer || !bytes.Equal(c.Serial, signer.Serial) {
			continue
		}
		found = true
		if key, ok := c.Certificate.PublicKey.(*rsa.PublicKey); ok && c.may(role) {
			return key, true
		}
	}
	return nil, found
}

// keyIn is a record's RSA key: of its certificate, or alone.
func keyIn(r tlv.Record) *rsa.PublicKey {
	if certificate, err := x509.ParseCertificate(r.Certificate); err == nil {
		key, _ := certificate.PublicKey.(*rsa.PublicKey)
		return key
	}
	key, err := x509.ParsePKCS1PublicKey(r.PublicKey)
	if err != nil {
		return nil
	}
	return key
}

func checkSignature(file *tlv.File, key *rsa.PublicKey) error {
	text, err := file.SignedBytes()
	if err != nil {
		return fmt.Errorf("verify: %s: %w: %w", file.Header.FileName, ErrSignature, err)
	}
	hash := file.Header.Digest.Hash()
	if hash == 0 {
		return fmt.Errorf("verify: %s: %w: %s", file.Header.FileName, ErrSignature, file.Header.Digest)
	}
	sum := hash.New()
	sum.Write(text)
	if err := rsa.VerifyPKCS1v15(key, hash, sum.Sum(nil), file.Header.Signature); err != nil {
		return fmt.Errorf("verify: %s: %w: %w", file.Header.FileName, ErrSignature, err)
	}
	return nil
}

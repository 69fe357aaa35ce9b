package tlv

import (
	"crypto"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Version is that of a header or of a signer, as major and minor number.
type Version struct{ Major, Minor uint8 }

// The versions of headers.
var (
	VersionSigned    = Version{1, 0} // .sgn
	VersionEncrypted = Version{2, 0} // .enc.sgn
	VersionList      = Version{1, 2} // .tlv
)

// The versions of signers. With SignerAdvanced a phone fetches its file by HTTPS on 6971 first
// (docs/wire/trust-lists.md#signer-version).
var (
	SignerBasic    = Version{1, 0}
	SignerAdvanced = Version{1, 1}
)

// String returns the version as phones log it.
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// AtLeast reports whether v is w or a later version.
func (v Version) AtLeast(w Version) bool {
	return v.Major > w.Major || v.Major == w.Major && v.Minor >= w.Minor
}

// Digest is the hash that a signature is over.
type Digest uint8

// The digests. Nobody was seen to use SHA256.
const (
	SHA1   Digest = 1
	SHA256 Digest = 2
	SHA512 Digest = 3
)

// Hash returns the hash function, 0 for a digest that is not known.
func (d Digest) Hash() crypto.Hash {
	switch d {
	case SHA1:
		return crypto.SHA1
	case SHA256:
		return crypto.SHA256
	case SHA512:
		return crypto.SHA512
	}
	return 0
}

// String returns the digest's usual name.
func (d Digest) String() string {
	if h := d.Hash(); h != 0 {
		return h.String()
	}
	return fmt.Sprintf("digest %d", uint8(d))
}

// modulusBits are the lengths of RSA keys by their code.
var modulusBits = []int{512, 1024, 2048, 4096}

// Signer names the certificate whose key has signed.
type Signer struct {
	Name   string // its subject
	Serial []byte // without leading zeros
	Issuer string
}

// Encryption is how the content of an encrypted file was encrypted. The fields that have one known value
// only are written as that and refused otherwise.
type Encryption struct {
	IV        [16]byte
	Padding   int    // bytes 0x0D at the end of the content, 1 to 16
	KeyBits   int    // of the RSA key that Key is encrypted with
	Key       []byte // of AES-128, encrypted
	Digest    Digest // of PlainHash
	PlainHash []byte // of the content before it was padded and encrypted
}

// Header is what stands before the content.
type Header struct {
	Version       Version
	SignerVersion Version // of trust lists; zero: not told
	Signer        Signer
	Digest        Digest
	KeyBits       int    // of the signer's RSA key: 512, 1024, 2048 or 4096
	Signature     []byte // KeyBits/8 bytes
	FileName      string // as it is asked for
	Time          time.Time
	Encryption    *Encryption // of VersionEncrypted alone
}

// File is a signed file. Elements are its header as it stands, what is not known included, and what
// AppendBinary writes; Header is what they say.
type File struct {
	Header   Header
	Elements []Element
	Content  []byte
}

const (
	headerAlign = 4
	maxHeader   = 0xffff // bytes
	// leader is the least that says how long the header is: version and header length.
	leader = 2 * (elementHead + 2)
)

// New returns a file with this header. Without a signature it has room for one, all zero, so that
// everything else stands as it will be: that is what SignedBytes are taken of.
func New(h Header, content []byte) (*File, error) {
	if h.Signature == nil {
		h.Signature = make([]byte, h.KeyBits/8)
	}
	elements, err := h.elements()
	if err != nil {
		return nil, err
	}
	return &File{Header: h, Elements: elements, Content: content}, nil
}

func (h Header) elements() ([]Element, error) {
	code := -1
	for i, bits := range modulusBits {
		if bits == h.KeyBits {
			code = i
		}
	}
	switch {
	case code < 0:
		return nil, fmt.Errorf("tlv: signer's key has %d bits, want 512, 1024, 2048 or 4096", h.KeyBits)
	case len(h.Signature) != h.KeyBits/8:
		return nil, fmt.Errorf("tlv: signature has %d bytes, want %d", len(h.Signature), h.KeyBits/8)
	case h.Digest.Hash() == 0:
		return nil, fmt.Errorf("tlv: %s is not known", h.Digest)
	case (h.Version == VersionEncrypted) != (h.Encryption != nil):
		return nil, fmt.Errorf("tlv: version %s does not go with the encryption given", h.Version)
	}
	all := []Element{element(tagVersion, h.Version.Major, h.Version.Minor), number16(tagHeaderLength, 0)}
	if h.SignerVersion != (Version{}) {
		all = append(all, element(tagSignerVersion, h.SignerVersion.Major, h.SignerVersion.Minor))
	}
	all = append(all,
		container(tagSigner, text(tagSignerName, h.Signer.Name), element(tagSerial, magnitude(h.Signer.Serial)...), text(tagIssuer, h.Signer.Issuer)),
		container(tagSignatureInfo, element(tagDigest, byte(h.Digest)),
			container(tagAlgorithmInfo, element(tagAlgorithm, 0), element(tagModulus, byte(code)))),
		Element{Tag: tagSignature, Value: h.Signature},
		text(tagFileName, h.FileName),
		Element{Tag: tagTime, Value: binary.BigEndian.AppendUint32(nil, uint32(h.Time.Unix()))},
	)
	if e := h.Encryption; e != nil {
		all = append(all, e.elements()...)
	}
	for sizeOf(all)%headerAlign != 0 {
		all = append(all, Element{Tag: tagPadding})
	}
	length := sizeOf(all)
	if length > maxHeader {
		return nil, fmt.Errorf("tlv: header has %d bytes, at most %d fit", length, maxHeader)
	}
	all[1] = number16(tagHeaderLength, uint16(length))
	return all, nil
}

func (e *Encryption) elements() []Element {
	return []Element{
		container(tagEncryption,
			container(tagIVInfo, element(tagCipher, 0), Element{Tag: tagIV, Value: e.IV[:]}, number16(tagContentPadding, uint16(e.Padding))),
			container(tagKeyInfo, element(tagKeyKind, 0), number16(tagKeyBits, uint16(e.KeyBits)), element(tagKeyAlgorithm, 1), Element{Tag: tagKey, Value: e.Key}),
		),
		element(tagPlainDigest, byte(e.Digest)),
		{Tag: tagPlainHash, Value: e.PlainHash},
	}
}

// Sign returns the file with a signature in its place. The length must be that of the key.
func (f *File) Sign(signature []byte) (*File, error) {
	h := f.Header
	h.Signature = signature
	return New(h, f.Content)
}

// AppendBinary appends the file.
func (f *File) AppendBinary(b []byte) ([]byte, error) {
	b, err := appendElements(b, f.Elements)
	if err != nil {
		return nil, err
	}
	return append(b, f.Content...), nil
}

// SignedBytes returns what the signature is over: the file without it.
func (f *File) SignedBytes() ([]byte, error) {
	var rest []Element
	for _, e := range f.Elements {
		if e.Tag != tagSignature {
			rest = append(rest, e)
		}
	}
	return (&File{Elements: rest, Content: f.Content}).AppendBinary(nil)
}

// ErrNotSigned: the bytes do not begin like a signed file or trust list. It may be a plain one.
var ErrNotSigned = errors.New("not a signed file")

// Parse reads a signed file or a trust list. What it returns shares b.
func Parse(b []byte) (*File, error) {
	if len(b) < leader || Tag(b[0]) != tagVersion || binary.BigEndian.Uint16(b[1:]) != 2 ||
		Tag(b[5]) != tagHeaderLength || binary.BigEndian.Uint16(b[6:]) != 2 {
		return nil, fmt.Errorf("tlv: %w: %d bytes that begin with %x", ErrNotSigned, len(b), b[:min(len(b), leader)])
	}
	length := int(binary.BigEndian.Uint16(b[8:]))
	if length < leader || length > len(b) {
		return nil, fmt.Errorf("tlv: header length %d at offset 8, the file has %d bytes", length, len(b))
	}
	elements, err := parser{"header", true}.elements(b[:length], 0)
	if err != nil {
		return nil, err
	}
	h, err := headerOf(elements)
	if err != nil {
		return nil, err
	}
	return &File{Header: h, Elements: elements, Content: b[length:]}, nil
}

func headerOf(elements []Element) (Header, error) {
	r := newReader("header", elements)
	version := r.value(tagVersion, 2)
	r.value(tagHeaderLength, 2)
	h := Header{Version: Version{version[0], version[1]}}
	if _, told := r.find(tagSignerVersion); told {
		v := r.value(tagSignerVersion, 2)
		h.SignerVersion = Version{v[0], v[1]}
	}
	signer := r.parts(tagSigner)
	h.Signer = Signer{Name: signer.text(tagSignerName), Serial: magnitude(signer.value(tagSerial, -1)), Issuer: signer.text(tagIssuer)}
	info := r.parts(tagSignatureInfo)
	h.Digest = Digest(info.value(tagDigest, 1)[0])
	algorithm := info.parts(tagAlgorithmInfo)
	if n := algorithm.value(tagAlgorithm, 1)[0]; n != 0 {
		algorithm.fail("signature algorithm %d is not RSA", n)
	}
	if code := int(algorithm.value(tagModulus, 1)[0]); code < len(modulusBits) {
		h.KeyBits = modulusBits[code]
	} else {
		algorithm.fail("modulus code %d is not known", code)
	}
	h.Signature = r.value(tagSignature, h.KeyBits/8)
	h.FileName = r.text(tagFileName)
	h.Time = time.Unix(int64(binary.BigEndian.Uint32(r.value(tagTime, 4))), 0).UTC()
	if h.Version.Major == VersionEncrypted.Major {
		h.Encryption = encryptionOf(r)
	}
	return h, *r.err
}

func encryptionOf(r *reader) *Encryption {
	encryption := r.parts(tagEncryption)
	iv, key := encryption.parts(tagIVInfo), encryption.parts(tagKeyInfo)
	e := &Encryption{
		IV:        [16]byte(iv.value(tagIV, 16)),
		Padding:   int(binary.BigEndian.Uint16(iv.value(tagContentPadding, 2))),
		KeyBits:   int(binary.BigEndian.Uint16(key.value(tagKeyBits, 2))),
		Key:       key.value(tagKey, -1),
		Digest:    Digest(r.value(tagPlainDigest, 1)[0]),
		PlainHash: r.value(tagPlainHash, -1),
	}
	if n := iv.value(tagCipher, 1)[0]; n != 0 {
		iv.fail("cipher %d is not AES-128-CBC", n)
	}
	if n := key.value(tagKeyKind, 1)[0]; n != 0 {
		key.fail("kind of key %d is not known", n)
	}
	if n := key.value(tagKeyAlgorithm, 1)[0]; n != 1 {
		key.fail("encryption of the key %d is not PKCS #1 v1.5", n)
	}
	if e.Padding < 1 || e.Padding > 16 {
		iv.fail("padding of %d bytes", e.Padding)
	}
	if h := e.Digest.Hash(); h == 0 || len(e.PlainHash) != h.Size() {
		r.fail("%s with %d bytes", e.Digest, len(e.PlainHash))
	}
	return e
}

// String returns the file on one line.
func (f *File) String() string {
	h := f.Header
	s := fmt.Sprintf("%s version %s, signed by %q serial %x with %s, RSA %d, at %s, %d bytes", h.FileName, h.Version,
		h.Signer.Name, h.Signer.Serial, h.Digest, h.KeyBits, h.Time.Format(time.DateTime), len(f.Content))
	if h.SignerVersion != (Version{}) {
		s += ", signer version " + h.SignerVersion.String()
	}
	if h.Encryption != nil {
		s += fmt.Sprintf(", encrypted for RSA %d", h.Encryption.KeyBits)
	}
	return s
}

package dtls

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"hash"
	"io"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/longcord/longcord/wire/dtls"
)

const (
	gcmImplicit = 4  // bytes of the nonce out of the key block
	gcmExplicit = 8  // bytes of the nonce in the record
	aeadTag     = 16 //
	ivLen       = aes.BlockSize
)

// errRecord is the one answer to every record that does not authenticate, so that nothing can be learnt
// from which check refused it.
var errRecord = errors.New("dtls: record does not authenticate")

// protection seals and opens the fragments of one direction in place. It is not safe for concurrent use.
type protection interface {
	// prefix is how many bytes stand before the content in a sealed fragment.
	prefix() int
	// suffix is the most bytes that stand behind it.
	suffix() int
	// seal turns buf[prefix:prefix+n] into a fragment that begins at buf[0], and returns its length.
	seal(buf []byte, n int, h pseudoHeader) (int, error)
	// open returns the content of a fragment, which it overwrites.
	open(fragment []byte, h pseudoHeader) ([]byte, error)
}

// pseudoHeader is what a record authenticates besides its content, but for the length.
type pseudoHeader struct {
	number  uint64 // epoch and sequence
	kind    dtls.ContentType
	version dtls.Version
}

// put writes the 13 bytes that MACs and AEADs cover.
func (h pseudoHeader) put(dst *[13]byte, length int) {
	binary.BigEndian.PutUint64(dst[0:], h.number)
	dst[8] = byte(h.kind)
	binary.BigEndian.PutUint16(dst[9:], uint16(h.version))
	binary.BigEndian.PutUint16(dst[11:], uint16(length))
}

// gcm is AES-GCM as in RFC 5288.
type gcm struct {
	aead  cipher.AEAD
	nonce [gcmImplicit + gcmExplicit]byte
	aad   [13]byte
}

func newGCM(key, implicit []byte) (*gcm, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	g := &gcm{aead: aead}
	copy(g.nonce[:], implicit)
	return g, nil
}

func (g *gcm) prefix() int { return gcmExplicit }
func (g *gcm) suffix() int { return aeadTag }

func (g *gcm) seal(buf []byte, n int, h pseudoHeader) (int, error) {
	binary.BigEndian.PutUint64(buf, h.number) // unique as long as the sequence is
	copy(g.nonce[gcmImplicit:], buf[:gcmExplicit])
	h.put(&g.aad, n)
	content := buf[gcmExplicit : gcmExplicit+n]
	return gcmExplicit + len(g.aead.Seal(content[:0], g.nonce[:], content, g.aad[:])), nil
}

func (g *gcm) open(fragment []byte, h pseudoHeader) ([]byte, error) {
	if len(fragment) < gcmExplicit+aeadTag {
		return nil, errRecord
	}
	copy(g.nonce[gcmImplicit:], fragment[:gcmExplicit])
	sealed := fragment[gcmExplicit:]
	h.put(&g.aad, len(sealed)-aeadTag)
	content, err := g.aead.Open(sealed[:0], g.nonce[:], sealed, g.aad[:])
	if err != nil {
		return nil, errRecord
	}
	return content, nil
}

// chacha is ChaCha20 with Poly1305 as in RFC 7905: the nonce is the IV of the key block with the record's
// number over its end, and nothing of it stands in the record.
type chacha struct {
	aead  cipher.AEAD
	iv    [chacha20poly1305.NonceSize]byte
	nonce [chacha20poly1305.NonceSize]byte
	aad   [13]byte
}

func newChaCha20(key, iv []byte) (*chacha, error) {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		return nil, err
	}
	c := &chacha{aead: aead}
	copy(c.iv[:], iv)
	return c, nil
}

func (c *chacha) prefix() int { return 0 }
func (c *chacha) suffix() int { return aeadTag }

// number sets the nonce of a record.
func (c *chacha) number(n uint64) {
	c.nonce = c.iv
	last := c.nonce[len(c.nonce)-8:]
	binary.BigEndian.PutUint64(last, binary.BigEndian.Uint64(last)^n)
}

func (c *chacha) seal(buf []byte, n int, h pseudoHeader) (int, error) {
	c.number(h.number)
	h.put(&c.aad, n)
	return len(c.aead.Seal(buf[:0], c.nonce[:], buf[:n], c.aad[:])), nil
}

func (c *chacha) open(fragment []byte, h pseudoHeader) ([]byte, error) {
	if len(fragment) < aeadTag {
		return nil, errRecord
	}
	c.number(h.number)
	h.put(&c.aad, len(fragment)-aeadTag)
	content, err := c.aead.Open(fragment[:0], c.nonce[:], fragment, c.aad[:])
	if err != nil {
		return nil, errRecord
	}
	return content, nil
}

// cbc is AES-CBC with HMAC-SHA1, MAC then encrypt, a fresh IV in each record.
type cbc struct {
	mode cbcMode
	mac  hash.Hash // the library's HMAC where we seal, since the length of what we send is no secret; else a steadyMAC
	rand io.Reader // IVs; nil in the direction that only opens
	aad  [13]byte
	sum  [sha1.Size]byte
}

// cbcMode is what crypto/cipher's CBC modes can do: start over with another IV.
type cbcMode interface {
	cipher.BlockMode
	SetIV(iv []byte)
}

func newCBC(key, macKey []byte, seal bool, rand io.Reader) (*cbc, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	c := &cbc{rand: rand, mac: hmac.New(sha1.New, macKey)}
	var zero [ivLen]byte
	mode := cipher.NewCBCDecrypter(block, zero[:])
	if seal {
		mode = cipher.NewCBCEncrypter(block, zero[:])
	}
	var ok bool
	if c.mode, ok = mode.(cbcMode); !ok {
		return nil, errors.New("dtls: this Go's CBC mode has no SetIV")
	}
	if !seal {
		if c.mac, err = newSteadyMAC(macKey); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *cbc) prefix() int { return ivLen }
func (c *cbc) suffix() int { return sha1.Size + aes.BlockSize } // MAC, and padding up to a whole block

func (c *cbc) seal(buf []byte, n int, h pseudoHeader) (int, error) {
	if _, err := io.ReadFull(c.rand, buf[:ivLen]); err != nil {
		return 0, err
	}
	content := buf[ivLen : ivLen+n]
	h.put(&c.aad, n)
	c.mac.Reset()
	c.mac.Write(c.aad[:])
	c.mac.Write(content)
	sealed := c.mac.Sum(content)
	padding := aes.BlockSize - len(sealed)%aes.BlockSize
	sealed = buf[ivLen : ivLen+len(sealed)+padding]
	for i := len(sealed) - padding; i < len(sealed); i++ {
		sealed[i] = byte(padding - 1)
	}
	c.mode.SetIV(buf[:ivLen])
	c.mode.CryptBlocks(sealed, sealed)
	return ivLen + len(sealed), nil
}

// open works in constant time but for the length of the fragment: padding is judged without branches,
// the MAC is computed over the content and then over what the padding took away, so that the number of
// hashed bytes does not tell where the content ends, and both verdicts are joined before one is acted on.
func (c *cbc) open(fragment []byte, h pseudoHeader) ([]byte, error) {
	if len(fragment) < 2*ivLen || len(fragment)%aes.BlockSize != 0 {
		return nil, errRecord
	}
	sealed := fragment[ivLen:]
	if len(sealed) < sha1.Size+1 {
		return nil, errRecord
	}
	c.mode.SetIV(fragment[:ivLen])
	c.mode.CryptBlocks(sealed, sealed)

	padding, good := paddingLen(sealed)
	n := len(sealed) - sha1.Size - padding
	short := subtle.ConstantTimeLessOrEq(n, -1)
	n = subtle.ConstantTimeSelect(short, 0, n)

	h.put(&c.aad, n)
	c.mac.Reset()
	c.mac.Write(c.aad[:])
	c.mac.Write(sealed[:n])
	sum := c.mac.Sum(c.sum[:0])
	c.mac.Write(sealed[n:])

	same := subtle.ConstantTimeCompare(sum, sealed[n:n+sha1.Size])
	if same&good&(1-short) != 1 {
		return nil, errRecord
	}
	return sealed[:n], nil
}

// paddingLen returns how many bytes of padding, its length byte included, stand at the end of b, and 1
// if it is well formed. Badly formed padding counts as none. b is never empty.
func paddingLen(b []byte) (length, good int) {
	last := b[len(b)-1]
	end := b[max(0, len(b)-256):]
	fits := subtle.ConstantTimeLessOrEq(int(last)+1, len(b))
	first := int32(len(end)) - int32(last) - 1 // of the padding
	var wrong byte
	for i, v := range end {
		outside := byte((int32(i) - first) >> 31) // all bits or none
		wrong |= (v ^ last) &^ outside
	}
	good = fits & subtle.ConstantTimeByteEq(wrong, 0)
	return subtle.ConstantTimeSelect(good, int(last)+1, 0), good
}

// steadyMAC is HMAC-SHA1 whose sum takes the same time wherever in a block the data ends: the inner hash ends
// by a method that crypto/sha1 has for crypto/tls's sake and that costs several times an ordinary end. The outer
// hash is over 84 bytes whatever the data, and ends as usual.
type steadyMAC struct {
	inner      steadyHash
	outer      hash.Hash
	ipad, opad [sha1.BlockSize]byte
	sum        [sha1.Size]byte
}

type steadyHash interface {
	hash.Hash
	ConstantTimeSum(b []byte) []byte
}

// newSteadyMAC takes a key of at most a block, as TLS's are.
func newSteadyMAC(key []byte) (*steadyMAC, error) {
	inner, ok := sha1.New().(steadyHash)
	if !ok {
		return nil, errors.New("dtls: this Go's SHA-1 has no sum of constant time")
	}
	m := &steadyMAC{inner: inner, outer: sha1.New()}
	for i := range m.ipad {
		m.ipad[i], m.opad[i] = 0x36, 0x5c // RFC 2104
	}
	subtle.XORBytes(m.ipad[:], m.ipad[:], key)
	subtle.XORBytes(m.opad[:], m.opad[:], key)
	m.Reset()
	return m, nil
}

func (m *steadyMAC) Reset() {
	m.inner.Reset()
	m.inner.Write(m.ipad[:])
}

func (m *steadyMAC) Write(b []byte) (int, error) { return m.inner.Write(b) }
func (m *steadyMAC) Size() int                   { return sha1.Size }
func (m *steadyMAC) BlockSize() int              { return sha1.BlockSize }

// Sum appends the MAC of what was written since Reset. More may be written for its time only.
func (m *steadyMAC) Sum(b []byte) []byte {
	inner := m.inner.ConstantTimeSum(m.sum[:0])
	m.outer.Reset()
	m.outer.Write(m.opad[:])
	m.outer.Write(inner)
	return m.outer.Sum(b)
}

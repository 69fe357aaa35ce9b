package dtls

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding"
	"encoding/binary"
	"errors"
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

const pseudoHeaderLen = 13

// put writes the bytes that MACs and AEADs cover.
func (h pseudoHeader) put(dst *[pseudoHeaderLen]byte, length int) {
	binary.BigEndian.PutUint64(dst[0:], h.number)
	dst[8] = byte(h.kind)
	binary.BigEndian.PutUint16(dst[9:], uint16(h.version))
	binary.BigEndian.PutUint16(dst[11:], uint16(length))
}

// gcm is AES-GCM as in RFC 5288.
type gcm struct {
	aead  cipher.AEAD
	nonce [gcmImplicit + gcmExplicit]byte
	aad   [pseudoHeaderLen]byte
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
	aad   [pseudoHeaderLen]byte
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

// cbc is AES-CBC with HMAC-SHA1, MAC then encrypt, a fresh IV in each record. What the MAC covers before the
// content stands where the IV does, so that both are hashed in one piece: until there is an IV, or once it has served.
type cbc struct {
	mode cbcMode
	mac  *steadyMAC
	rand io.Reader // IVs; nil in the direction that only opens
}

// cbcMode is what crypto/cipher's CBC modes can do: start over with another IV.
type cbcMode interface {
	cipher.BlockMode
	SetIV(iv []byte)
}

const cbcHeader = ivLen - pseudoHeaderLen // where what the MAC covers begins

func newCBC(key, macKey []byte, seal bool, rand io.Reader) (*cbc, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	c := &cbc{}
	var zero [ivLen]byte
	mode := cipher.NewCBCDecrypter(block, zero[:])
	if seal {
		mode = cipher.NewCBCEncrypter(block, zero[:])
		c.rand = bufio.NewReaderSize(rand, 16*ivLen) // before Linux 6.11 each read is a system call
	}
	var ok bool
	if c.mode, ok = mode.(cbcMode); !ok {
		return nil, errors.New("dtls: this Go's CBC mode has no SetIV")
	}
	if c.mac, err = newSteadyMAC(macKey); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *cbc) prefix() int { return ivLen }
func (c *cbc) suffix() int { return sha1.Size + aes.BlockSize } // MAC, and padding up to a whole block

func (c *cbc) seal(buf []byte, n int, h pseudoHeader) (int, error) {
	h.put((*[pseudoHeaderLen]byte)(buf[cbcHeader:]), n)
	covered := buf[cbcHeader : ivLen+n]
	end := ivLen + n + copy(buf[ivLen+n:], c.mac.sum(covered, len(covered), len(covered)))
	padding := aes.BlockSize - end%aes.BlockSize
	for i := range padding {
		buf[end+i] = byte(padding - 1)
	}
	end += padding
	if _, err := io.ReadFull(c.rand, buf[:ivLen]); err != nil {
		return 0, err
	}
	c.mode.SetIV(buf[:ivLen])
	c.mode.CryptBlocks(buf[ivLen:end], buf[ivLen:end])
	return end, nil
}

// open works in constant time but for the length of the fragment: padding is judged without branches, the MAC
// takes the same time wherever the content ends, and both verdicts are joined before one is acted on.
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

	h.put((*[pseudoHeaderLen]byte)(fragment[cbcHeader:]), n)
	least := max(0, len(sealed)-sha1.Size-maxPadding)
	sum := c.mac.sum(fragment[cbcHeader:len(fragment)-sha1.Size], pseudoHeaderLen+least, pseudoHeaderLen+n)

	same := subtle.ConstantTimeCompare(sum, sealed[n:n+sha1.Size])
	if same&good&(1-short) != 1 {
		return nil, errRecord
	}
	return sealed[:n], nil
}

const maxPadding = 256 // its length byte included

// paddingLen returns how many bytes of padding, its length byte included, stand at the end of b, and 1
// if it is well formed. Badly formed padding counts as none. b is whole blocks.
func paddingLen(b []byte) (length, good int) {
	last := b[len(b)-1]
	fits := subtle.ConstantTimeLessOrEq(int(last)+1, len(b))
	end := b[max(0, len(b)-maxPadding):]
	before := len(end) - int(last) - 1 // bytes of end that are no padding
	all := uint64(last) * 0x0101010101010101
	var wrong uint64
	for ; len(end) >= 8; end = end[8:] {
		wrong |= (binary.BigEndian.Uint64(end) ^ all) &^ firstBytes(before)
		before -= 8
	}
	good = fits & int(1^(wrong|-wrong)>>63)
	return subtle.ConstantTimeSelect(good, int(last)+1, 0), good
}

// firstBytes masks the first n bytes of a big-endian word: none if n is below zero, all if it is above eight. A
// shift beyond the word takes no branch.
func firstBytes(n int) uint64 {
	return ^(^uint64(0) >> uint64(8*n)) &^ uint64(n>>63)
}

// steadyMAC is HMAC-SHA1 (RFC 2104) in a time that only bounds on the length of its data tell. It pads the data
// itself, hashes every block that may be the last, and keeps the sum after the one that is, which crypto/sha1 shows
// when asked for its state. The states after the key's blocks are kept, so that those are hashed but once.
type steadyMAC struct {
	hash         hashState
	inner, outer []byte               // states after the key's block
	state        []byte               // room for another
	block        [sha1.BlockSize]byte // of the data, padded
	last         [sha1.BlockSize]byte // of the outer hash: the sum of the inner one, padded
}

// hashState is what of crypto/sha1 takes the same time whatever the data, if it is given whole blocks. It never fails,
// or newSteadyMAC would have seen it.
type hashState interface {
	io.Writer
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

const hashStateSum = 4 // where in a state of SHA-1 the sum begins

// newSteadyMAC takes a key of at most a block, as TLS's are.
func newSteadyMAC(key []byte) (*steadyMAC, error) {
	var ok bool
	m := &steadyMAC{}
	if m.hash, ok = sha1.New().(hashState); !ok {
		return nil, errors.New("dtls: this Go's SHA-1 does not show its state")
	}
	state := func(pad byte) []byte {
		var block [sha1.BlockSize]byte
		copy(block[:], key)
		for i := range block {
			block[i] ^= pad
		}
		h := sha1.New()
		h.Write(block[:])
		s, _ := h.(hashState).AppendBinary(nil)
		return s
	}
	m.inner, m.outer = state(0x36), state(0x5c)
	m.last[sha1.Size] = 0x80
	binary.BigEndian.PutUint64(m.last[sha1.BlockSize-8:], 8*(sha1.BlockSize+sha1.Size))

	known := hmac.New(sha1.New, key)
	known.Write(key)
	if !hmac.Equal(known.Sum(nil), m.sum(key, 0, len(key))) {
		return nil, errors.New("dtls: this Go's SHA-1 keeps its state in another form")
	}
	return m, nil
}

// sum returns the MAC of b[:n], in the time that it takes for any n from least to len(b). It is good until the
// next sum.
func (m *steadyMAC) sum(b []byte, least, n int) []byte {
	at := least &^ (sha1.BlockSize - 1) // the blocks before are full whatever n is
	m.resume(m.inner)
	m.add(b[:at])
	end := (n + 8) &^ (sha1.BlockSize - 1) // where the last block begins
	bits := uint64(8 * (sha1.BlockSize + n))
	var sum0, sum8, sum16 uint64
	for ; at <= len(b)+8; at += sha1.BlockSize {
		copy(m.block[:], b[min(at, len(b)):])
		endData(m.block[:], n-at)
		isLast := uint64(-subtle.ConstantTimeEq(int32(at), int32(end)))
		length := m.block[sha1.BlockSize-8:]
		binary.BigEndian.PutUint64(length, binary.BigEndian.Uint64(length)|bits&isLast)
		m.add(m.block[:])
		s := m.sumSoFar()
		sum0 |= binary.BigEndian.Uint64(s) & isLast
		sum8 |= binary.BigEndian.Uint64(s[8:]) & isLast
		sum16 |= uint64(binary.BigEndian.Uint32(s[16:])) & isLast
	}
	binary.BigEndian.PutUint64(m.last[0:], sum0)
	binary.BigEndian.PutUint64(m.last[8:], sum8)
	binary.BigEndian.PutUint32(m.last[16:], uint32(sum16))
	m.resume(m.outer)
	m.add(m.last[:])
	return m.sumSoFar()
}

// endData ends the data in a block after n bytes as SHA-1 wants it, but for the length: all of the block is data if
// n is above its size, and nothing if n is below zero.
func endData(block []byte, n int) {
	for ; len(block) >= 8; block = block[8:] {
		binary.BigEndian.PutUint64(block, binary.BigEndian.Uint64(block)&firstBytes(n)|0x80<<56>>uint64(8*n))
		n -= 8
	}
}

// resume sets the hash to a state that it had.
func (m *steadyMAC) resume(state []byte) { _ = m.hash.UnmarshalBinary(state) }

// add hashes whole blocks.
func (m *steadyMAC) add(blocks []byte) { _, _ = m.hash.Write(blocks) }

// sumSoFar is the sum of what was hashed, if that was padded.
func (m *steadyMAC) sumSoFar() []byte {
	m.state, _ = m.hash.AppendBinary(m.state[:0])
	return m.state[hashStateSum : hashStateSum+sha1.Size]
}

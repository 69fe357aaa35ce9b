package dtls

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"

	prfs "github.com/longcord/longcord/internal/prf"
	"github.com/longcord/longcord/wire/dtls"
)

// verifyDataLen is the length of a Finished message's body.
const verifyDataLen = 12

// prf is the pseudo-random function of the version: TLS 1.0's for 0x0100, TLS 1.2's with the suite's hash
// for DTLS 1.2 (RFC 5246 section 5).
func prf(v dtls.Version, s dtls.Suite, secret []byte, label string, seed []byte, length int) []byte {
	if v == dtls.Version09 {
		return prfs.TLS10(secret, label, seed, length)
	}
	return prfs.TLS12(suiteHash(s), secret, label, seed, length)
}

// suiteHash is the hash of a suite's PRF at DTLS 1.2.
func suiteHash(s dtls.Suite) func() hash.Hash {
	if s == dtls.AES256GCM || s == dtls.ECDHERSAAES256GCM {
		return sha512.New384
	}
	return sha256.New
}

// transcript gathers the handshake messages that the Finished messages cover.
type transcript struct {
	version dtls.Version
	suite   dtls.Suite
	bytes   []byte
}

// add enters a message. At 0x0100 only bodies count; at DTLS 1.2 the header does too, as of a message
// in one piece. See docs/wire/dtls.md#differences-of-0x0100.
func (t *transcript) add(m dtls.Handshake) {
	if t.version == dtls.Version09 {
		t.bytes = append(t.bytes, m.Body...)
		return
	}
	t.bytes, _ = m.AppendBinary(t.bytes) // cannot fail: the body came out of a message or is short
}

// finished is the verify data of the Finished message with this label over what was added so far.
func (t *transcript) finished(master []byte, label string) []byte {
	var sum []byte
	if t.version == dtls.Version09 {
		m, s := md5.Sum(t.bytes), sha1.Sum(t.bytes)
		sum = append(m[:], s[:]...)
	} else {
		h := suiteHash(t.suite)()
		h.Write(t.bytes)
		sum = h.Sum(nil)
	}
	return prf(t.version, t.suite, master, label, sum, verifyDataLen)
}

const (
	clientFinished = "client finished"
	serverFinished = "server finished"
)

// keyBlock holds one connection's keys.
type keyBlock struct {
	clientMAC, serverMAC []byte // CBC suites
	clientKey, serverKey []byte
	clientIV, serverIV   []byte // GCM suites: the implicit 4 bytes of the nonce
}

func newKeyBlock(v dtls.Version, s dtls.Suite, master, serverRandom, clientRandom []byte) keyBlock {
	macLen, ivLen := sha1.Size, 0
	if s.GCM() {
		macLen, ivLen = 0, gcmImplicit
	}
	seed := append(append([]byte{}, serverRandom...), clientRandom...)
	block := prf(v, s, master, "key expansion", seed, 2*(macLen+s.KeyLen()+ivLen))
	cut := func(n int) []byte {
		part := block[:n:n]
		block = block[n:]
		return part
	}
	var k keyBlock
	k.clientMAC, k.serverMAC = cut(macLen), cut(macLen)
	k.clientKey, k.serverKey = cut(s.KeyLen()), cut(s.KeyLen())
	k.clientIV, k.serverIV = cut(ivLen), cut(ivLen)
	return k
}

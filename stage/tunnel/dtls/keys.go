package dtls

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"

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
	if s.GCM() && s.KeyLen() == 32 {
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
	return prf(t.version, t.suite, master, label, t.sum(), verifyDataLen)
}

// sum is the hash of what was added so far.
func (t *transcript) sum() []byte {
	if t.version == dtls.Version09 {
		m, s := md5.Sum(t.bytes), sha1.Sum(t.bytes)
		return append(m[:], s[:]...)
	}
	h := suiteHash(t.suite)()
	h.Write(t.bytes)
	return h.Sum(nil)
}

// pskMaster is the master secret of a handshake with a pre-shared key: RFC 4279 section 2, RFC 5246 section
// 8.1, and with the extended one RFC 7627 section 4. The transcript ends with the ClientKeyExchange.
func pskMaster(t *transcript, psk, clientRandom, serverRandom []byte, extended bool) []byte {
	premaster := make([]byte, 0, 4+2*len(psk))
	premaster = append(premaster, byte(len(psk)>>8), byte(len(psk)))
	premaster = append(premaster, make([]byte, len(psk))...)
	premaster = append(premaster, byte(len(psk)>>8), byte(len(psk)))
	premaster = append(premaster, psk...)
	defer clear(premaster)
	if extended {
		return prf(t.version, t.suite, premaster, "extended master secret", t.sum(), MasterLen)
	}
	seed := append(append([]byte{}, clientRandom...), serverRandom...)
	return prf(t.version, t.suite, premaster, "master secret", seed, MasterLen)
}

const (
	clientFinished = "client finished"
	serverFinished = "server finished"
)

// keyBlock holds one connection's keys.
type keyBlock struct {
	clientMAC, serverMAC []byte // CBC suites
	clientKey, serverKey []byte
	clientIV, serverIV   []byte // AEAD suites: of GCM the implicit 4 bytes of the nonce
}

func newKeyBlock(v dtls.Version, s dtls.Suite, master, serverRandom, clientRandom []byte) keyBlock {
	macLen, ivLen := 0, 0
	switch s.Cipher() {
	case dtls.AESCBC:
		macLen = sha1.Size
	case dtls.AESGCM:
		ivLen = gcmImplicit
	case dtls.ChaCha20:
		ivLen = chacha20poly1305.NonceSize
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

package read

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strings"

	"github.com/longcord/longcord/internal/prf"
)

// keyLog is the secrets of an NSS key log: label and client random to secret.
type keyLog map[string][]byte

// maxKeys bounds how many secrets are kept.
const maxKeys = 1 << 16

func (k keyLog) add(log []byte) {
	lines := bufio.NewScanner(bytes.NewReader(log))
	for lines.Scan() && len(k) < maxKeys {
		words := strings.Fields(lines.Text())
		if len(words) != 3 || len(words[1]) != 64 {
			continue
		}
		if secret, err := hex.DecodeString(words[2]); err == nil && len(secret) >= 16 {
			k[words[0]+" "+strings.ToLower(words[1])] = secret
		}
	}
}

// suite is what of a cipher suite is needed to read records.
type suite struct {
	key  int // bytes
	aead bool
	mac  func() hash.Hash // of CBC
	prf  func() hash.Hash // of TLS 1.2 and 1.3
}

// suites by their numbers: RFC 5246, 5288, 5289, 8446. RSA, DHE and ECDHE differ only in how the secret came about.
var suites = map[uint16]suite{}

func init() {
	for _, each := range []struct {
		ids []uint16
		suite
	}{
		{[]uint16{0x002f, 0x0033, 0xc009, 0xc013}, suite{key: 16, mac: sha1.New, prf: sha256.New}},
		{[]uint16{0x0035, 0x0039, 0xc00a, 0xc014}, suite{key: 32, mac: sha1.New, prf: sha256.New}},
		{[]uint16{0x003c, 0x0067, 0xc023, 0xc027}, suite{key: 16, mac: sha256.New, prf: sha256.New}},
		{[]uint16{0x003d, 0x006b}, suite{key: 32, mac: sha256.New, prf: sha256.New}},
		{[]uint16{0xc024, 0xc028}, suite{key: 32, mac: sha512.New384, prf: sha512.New384}},
		{[]uint16{0x009c, 0x009e, 0xc02b, 0xc02f, 0x1301}, suite{key: 16, aead: true, prf: sha256.New}},
		{[]uint16{0x009d, 0x009f, 0xc02c, 0xc030, 0x1302}, suite{key: 32, aead: true, prf: sha512.New384}},
	} {
		for _, id := range each.ids {
			suites[id] = each.suite
		}
	}
}

// suiteName returns a suite's name of RFC 5246 and its likes.
func suiteName(id uint16) string { return tls.CipherSuiteName(id) }

// recordCipher opens the records of one direction.
type recordCipher struct {
	version uint16
	suite   suite
	block   cipher.Block
	aead    cipher.AEAD
	iv      []byte // fixed part of the nonce; of TLS 1.0 the last block of the record before
	etm     bool
	seq     uint64
	lost    bool // a record could not be opened, so no later one can
}

// closedCipher opens nothing: there is no key.
var closedCipher = &recordCipher{lost: true}

// cipher returns how the records of a side are opened.
func (k keyLog) cipher(t *tlsTalk, side int) *recordCipher {
	s, ok := suites[t.server.suite]
	if !ok {
		return closedCipher
	}
	random := hex.EncodeToString(t.hello.random)
	if t.server.version == tls13 {
		secret := k[[]string{"CLIENT_TRAFFIC_SECRET_0 ", "SERVER_TRAFFIC_SECRET_0 "}[side]+random]
		if secret == nil {
			return closedCipher
		}
		key, err := expandLabel(s.prf, secret, "key", s.key)
		iv, err2 := expandLabel(s.prf, secret, "iv", 12)
		if err != nil || err2 != nil {
			return closedCipher
		}
		return newRecordCipher(tls13, s, key, iv, false)
	}
	master := k["CLIENT_RANDOM "+random]
	if master == nil {
		return closedCipher
	}
	mac, fixed := 0, 4
	if !s.aead {
		mac, fixed = s.mac().Size(), aes.BlockSize
	}
	seed := append(append([]byte{}, t.server.random...), t.hello.random...)
	size := 2 * (mac + s.key + fixed)
	var keys []byte
	if t.server.version < tls12 {
		keys = prf.TLS10(master, "key expansion", seed, size)
	} else {
		keys = prf.TLS12(s.prf, master, "key expansion", seed, size)
	}
	keys = keys[2*mac:]
	key := keys[side*s.key : (side+1)*s.key]
	iv := keys[2*s.key+side*fixed : 2*s.key+(side+1)*fixed]
	return newRecordCipher(t.server.version, s, key, iv, t.server.etm)
}

func newRecordCipher(version uint16, s suite, key, iv []byte, etm bool) *recordCipher {
	block, err := aes.NewCipher(key)
	if err != nil {
		return closedCipher
	}
	r := &recordCipher{version: version, suite: s, block: block, iv: bytes.Clone(iv), etm: etm && !s.aead}
	if s.aead {
		if r.aead, err = cipher.NewGCM(block); err != nil {
			return closedCipher
		}
	}
	return r
}

// expandLabel is HKDF-Expand-Label of RFC 8446, section 7.1, without a context.
func expandLabel(h func() hash.Hash, secret []byte, label string, size int) ([]byte, error) {
	label = "tls13 " + label
	info := append([]byte{byte(size >> 8), byte(size), byte(len(label))}, label...)
	return hkdf.Expand(h, secret, string(append(info, 0)), size)
}

// open returns what is in a record, and of which kind it is. Records that the capture shows before the keys count, which are
// the end of the handshake of TLS 1.3, are passed over.
func (r *recordCipher) open(kind byte, version uint16, body []byte) (plain []byte, inner byte, ok bool) {
	switch {
	case r.lost:
		return nil, 0, false
	case r.version == tls13:
		return r.open13(kind, body)
	case r.aead != nil:
		plain, ok = r.openGCM(kind, version, body)
	default:
		plain, ok = r.openCBC(body)
	}
	r.seq++
	r.lost = !ok
	return plain, kind, ok
}

func (r *recordCipher) open13(kind byte, body []byte) (plain []byte, inner byte, ok bool) {
	nonce := bytes.Clone(r.iv)
	for i := range 8 {
		nonce[len(nonce)-1-i] ^= byte(r.seq >> (8 * i))
	}
	header := []byte{kind, 3, 3, byte(len(body) >> 8), byte(len(body))}
	plain, err := r.aead.Open(nil, nonce, body, header)
	if err != nil {
		r.lost = r.seq > 0
		return nil, 0, false
	}
	r.seq++
	plain = bytes.TrimRight(plain, "\x00")
	if len(plain) == 0 {
		return nil, 0, false
	}
	return plain[:len(plain)-1], plain[len(plain)-1], true
}

func (r *recordCipher) openGCM(kind byte, version uint16, body []byte) ([]byte, bool) {
	const explicit, tag = 8, 16
	if len(body) < explicit+tag {
		return nil, false
	}
	nonce := append(bytes.Clone(r.iv), body[:explicit]...)
	header := binary.BigEndian.AppendUint64(nil, r.seq)
	size := len(body) - explicit - tag
	header = append(header, kind, byte(version>>8), byte(version), byte(size>>8), byte(size))
	plain, err := r.aead.Open(nil, nonce, body[explicit:], header)
	return plain, err == nil
}

// openCBC decrypts without comparing the MAC: nobody is deceived but who deceives himself with a wrong key log, and what
// comes out then is no HTTP.
func (r *recordCipher) openCBC(body []byte) ([]byte, bool) {
	mac := r.suite.mac().Size()
	if r.etm {
		if len(body) < mac {
			return nil, false
		}
		body = body[:len(body)-mac]
	}
	iv := r.iv
	if r.version > tls10 {
		if len(body) < aes.BlockSize {
			return nil, false
		}
		iv, body = body[:aes.BlockSize], body[aes.BlockSize:]
	}
	if len(body) == 0 || len(body)%aes.BlockSize != 0 {
		return nil, false
	}
	plain := make([]byte, len(body))
	cipher.NewCBCDecrypter(r.block, iv).CryptBlocks(plain, body)
	if r.version <= tls10 {
		r.iv = bytes.Clone(body[len(body)-aes.BlockSize:])
	}
	end := len(plain) - 1 - int(plain[len(plain)-1])
	if !r.etm {
		end -= mac
	}
	if end < 0 {
		return nil, false
	}
	return plain[:end], true
}

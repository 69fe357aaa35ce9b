// Package dtls is the format of DTLS as tunnels speak it: records, handshake messages and suites, including
// the version from before RFC 4347 that old phones use. It holds no keys in use and no state; the engine is
// stage/tunnel/dtls.
package dtls

import "fmt"

// Version is a DTLS version as it stands in records and hellos.
type Version uint16

// The versions that tunnels use. DTLS 1.0 proper (0xfeff) is not among them.
const (
	Version09 Version = 0x0100 // from before RFC 4347; old phones speak it, and some programs show it as DTLS 1.0
	Version12 Version = 0xfefd // RFC 6347
)

// String returns "0.9" or "1.2".
func (v Version) String() string {
	switch v {
	case Version09:
		return "0.9"
	case Version12:
		return "1.2"
	}
	return fmt.Sprintf("version 0x%04x", uint16(v))
}

// Suite is a cipher suite number. Where a session is resumed the key exchange in its name is only a label.
type Suite uint16

// The suites that we speak. Version09 has only the CBC ones, Version12 all.
const (
	AES128SHA         Suite = 0x002f
	AES256SHA         Suite = 0x0035
	AES128GCM         Suite = 0x009c
	AES256GCM         Suite = 0x009d
	ECDHERSAAES128GCM Suite = 0xc02f
	ECDHERSAAES256GCM Suite = 0xc030
	ECDHERSAChaCha20  Suite = 0xcca8
	PSKAES128GCM      Suite = 0x00a8
	PSKAES256GCM      Suite = 0x00a9
	PSKChaCha20       Suite = 0xccab
)

// PSKSuites are those of a handshake with a pre-shared key, the best first.
var PSKSuites = []Suite{PSKAES256GCM, PSKAES128GCM, PSKChaCha20}

// Cipher is how a suite protects records.
type Cipher uint8

// The ciphers.
const (
	AESCBC   Cipher = iota // with HMAC-SHA1, MAC then encrypt
	AESGCM                 // RFC 5288
	ChaCha20               // with Poly1305, RFC 7905
)

// suites says what each suite is. The name is OpenSSL's; header is what X-DTLS-CipherSuite calls it and
// header12 what X-DTLS12-CipherSuite does, empty where it may not stand.
var suites = []struct {
	suite            Suite
	name             string
	cipher           Cipher
	keyLen           int
	header, header12 string
}{
	{AES128SHA, "AES128-SHA", AESCBC, 16, "AES128-SHA", "AES128-SHA"},
	{AES256SHA, "AES256-SHA", AESCBC, 32, "AES256-SHA", "AES256-SHA"},
	{AES128GCM, "AES128-GCM-SHA256", AESGCM, 16, "OC-DTLS1_2-AES128-GCM", "AES128-GCM-SHA256"},
	{AES256GCM, "AES256-GCM-SHA384", AESGCM, 32, "OC-DTLS1_2-AES256-GCM", "AES256-GCM-SHA384"},
	{ECDHERSAAES128GCM, "ECDHE-RSA-AES128-GCM-SHA256", AESGCM, 16, "", "ECDHE-RSA-AES128-GCM-SHA256"},
	{ECDHERSAAES256GCM, "ECDHE-RSA-AES256-GCM-SHA384", AESGCM, 32, "", "ECDHE-RSA-AES256-GCM-SHA384"},
	{ECDHERSAChaCha20, "ECDHE-RSA-CHACHA20-POLY1305", ChaCha20, 32, "", "ECDHE-RSA-CHACHA20-POLY1305"},
	{PSKAES128GCM, "PSK-AES128-GCM-SHA256", AESGCM, 16, "", ""},
	{PSKAES256GCM, "PSK-AES256-GCM-SHA384", AESGCM, 32, "", ""},
	{PSKChaCha20, "PSK-CHACHA20-POLY1305", ChaCha20, 32, "OC2-DTLS1_2-CHACHA20-POLY1305", ""},
}

// Sizes in bytes of the parts of a record that are not payload.
const (
	RecordHeaderLen = 13 // type, version, epoch, sequence number, length
	cbcBlock        = 16 // AES block: explicit IV, and padding up to a multiple
	cbcMAC          = 20 // HMAC-SHA1
	gcmNonce        = 8  // explicit part of the nonce
	aeadTag         = 16
)

// String returns the suite's name as OpenSSL writes it.
func (s Suite) String() string {
	for _, known := range suites {
		if known.suite == s {
			return known.name
		}
	}
	return fmt.Sprintf("suite 0x%04x", uint16(s))
}

// Cipher returns how the suite protects records.
func (s Suite) Cipher() Cipher {
	for _, known := range suites {
		if known.suite == s {
			return known.cipher
		}
	}
	return AESCBC
}

// GCM reports whether the suite encrypts with AES-GCM.
func (s Suite) GCM() bool { return s.Cipher() == AESGCM }

// KeyLen is the length of the cipher's key in bytes: 16 or 32.
func (s Suite) KeyLen() int {
	for _, known := range suites {
		if known.suite == s {
			return known.keyLen
		}
	}
	return 0
}

// PSK reports whether the suite's keys come out of a pre-shared key where nothing is resumed.
func (s Suite) PSK() bool { return s == PSKAES128GCM || s == PSKAES256GCM || s == PSKChaCha20 }

// aead returns what an AEAD suite adds to the content of a record.
func (c Cipher) aead() int {
	if c == AESGCM {
		return gcmNonce + aeadTag
	}
	return aeadTag
}

// RecordLen returns how many bytes of UDP payload a record with n bytes of content takes, header
// included. The content of a tunnel's record is one type byte and the packet.
func (s Suite) RecordLen(n int) int {
	c := s.Cipher()
	if c != AESCBC {
		return RecordHeaderLen + n + c.aead()
	}
	sealed := (n + cbcMAC + 1 + cbcBlock - 1) / cbcBlock * cbcBlock
	return RecordHeaderLen + cbcBlock + sealed
}

// MaxContent is the inverse of RecordLen: the most content that fits into size bytes of UDP payload, or
// zero when not even an empty record fits.
func (s Suite) MaxContent(size int) int {
	c := s.Cipher()
	if c != AESCBC {
		return max(0, size-RecordHeaderLen-c.aead())
	}
	sealed := (size - RecordHeaderLen - cbcBlock) / cbcBlock * cbcBlock
	return max(0, sealed-cbcMAC-1)
}

// SameCipher reports whether a TLS connection of suite tls (its IANA number) uses this suite's cipher
// and MAC. Old phones bring DTLS up only when it does.
func (s Suite) SameCipher(tls uint16) bool {
	is := func(c Cipher, keyLen int) bool { return s.Cipher() == c && s.KeyLen() == keyLen }
	switch tls {
	case 0x002f, 0x0033, 0xc009, 0xc013:
		return is(AESCBC, 16)
	case 0x0035, 0x0039, 0xc00a, 0xc014:
		return is(AESCBC, 32)
	case 0x009c, 0x009e, 0xc02b, 0xc02f, 0x1301:
		return is(AESGCM, 16)
	case 0x009d, 0x009f, 0xc02c, 0xc030, 0x1302:
		return is(AESGCM, 32)
	case 0xcca8, 0xcca9, 0xccaa, 0x1303:
		return is(ChaCha20, 32)
	}
	return false
}

// Header is one of the two headers of the CONNECT exchange that name DTLS suites.
type Header int

// The two headers. Which of them carries the chosen suite says, together with the suite, the version.
const (
	CipherSuite   Header = iota // X-DTLS-CipherSuite: CBC suites mean Version09, OC-DTLS1_2-* names Version12
	CipherSuite12               // X-DTLS12-CipherSuite: Version12
)

// PSKNegotiate stands in X-DTLS-CipherSuite for a full handshake with a pre-shared key, which chooses one
// of PSKSuites.
const PSKNegotiate = "PSK-NEGOTIATE"

// String returns the header's name in the spelling that clients compare.
func (h Header) String() string {
	if h == CipherSuite12 {
		return "X-DTLS12-CipherSuite"
	}
	return "X-DTLS-CipherSuite"
}

// SuiteByName reads the name of a suite to resume with out of a header's list. Names are compared with
// case. It knows only what we speak: 3DES, CBC with other hashes and the DHE names are not found. Who
// offers those offers plain ones too.
func SuiteByName(h Header, name string) (Version, Suite, bool) {
	for _, known := range suites {
		switch {
		case name == "":
		case h == CipherSuite12 && known.header12 == name:
			return Version12, known.suite, true
		case h == CipherSuite && known.header == name && known.cipher == AESCBC:
			return Version09, known.suite, true
		case h == CipherSuite && known.header == name:
			return Version12, known.suite, true
		}
	}
	return 0, 0, false
}

// Name returns what the suite is called in header h, or an empty string where it has no name there.
func (s Suite) Name(h Header) string {
	for _, known := range suites {
		if known.suite == s && h == CipherSuite {
			return known.header
		}
		if known.suite == s {
			return known.header12
		}
	}
	return ""
}

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

// Suite is a cipher suite number. The key exchange in its name is only a label: every handshake resumes
// a session that was agreed over TLS, so no keys are exchanged.
type Suite uint16

// The suites that we speak. The CBC ones belong to Version09, the GCM ones to Version12.
const (
	AES128SHA         Suite = 0x002f
	AES256SHA         Suite = 0x0035
	AES128GCM         Suite = 0x009c
	AES256GCM         Suite = 0x009d
	ECDHERSAAES128GCM Suite = 0xc02f
	ECDHERSAAES256GCM Suite = 0xc030
)

// Sizes in bytes of the parts of a record that are not payload.
const (
	RecordHeaderLen = 13 // type, version, epoch, sequence number, length
	cbcBlock        = 16 // AES block: explicit IV, and padding up to a multiple
	cbcMAC          = 20 // HMAC-SHA1
	gcmNonce        = 8  // explicit part of the nonce
	gcmTag          = 16
)

// String returns the suite's name as OpenSSL writes it.
func (s Suite) String() string {
	for _, n := range names {
		if n.suite == s {
			return n.openssl
		}
	}
	return fmt.Sprintf("suite 0x%04x", uint16(s))
}

// GCM reports whether the suite encrypts with AES-GCM; the others use AES-CBC with HMAC-SHA1.
func (s Suite) GCM() bool {
	switch s {
	case AES128GCM, AES256GCM, ECDHERSAAES128GCM, ECDHERSAAES256GCM:
		return true
	}
	return false
}

// KeyLen is the length of the cipher's key in bytes: 16 or 32.
func (s Suite) KeyLen() int {
	switch s {
	case AES256SHA, AES256GCM, ECDHERSAAES256GCM:
		return 32
	}
	return 16
}

// RecordLen returns how many bytes of UDP payload a record with n bytes of content takes, header
// included. The content of a tunnel's record is one type byte and the packet.
func (s Suite) RecordLen(n int) int {
	if s.GCM() {
		return RecordHeaderLen + gcmNonce + n + gcmTag
	}
	sealed := (n + cbcMAC + 1 + cbcBlock - 1) / cbcBlock * cbcBlock
	return RecordHeaderLen + cbcBlock + sealed
}

// MaxContent is the inverse of RecordLen: the most content that fits into size bytes of UDP payload, or
// zero when not even an empty record fits.
func (s Suite) MaxContent(size int) int {
	if s.GCM() {
		return max(0, size-RecordHeaderLen-gcmNonce-gcmTag)
	}
	sealed := (size - RecordHeaderLen - cbcBlock) / cbcBlock * cbcBlock
	return max(0, sealed-cbcMAC-1)
}

// SameCipher reports whether a TLS connection of suite tls (its IANA number) uses this suite's cipher
// and MAC. Old phones bring DTLS up only when it does.
func (s Suite) SameCipher(tls uint16) bool {
	switch tls {
	case 0x002f, 0x0033, 0xc009, 0xc013:
		return s == AES128SHA
	case 0x0035, 0x0039, 0xc00a, 0xc014:
		return s == AES256SHA
	case 0x009c, 0x009e, 0xc02b, 0xc02f, 0x1301:
		return s == AES128GCM || s == ECDHERSAAES128GCM
	case 0x009d, 0x009f, 0xc02c, 0xc030, 0x1302:
		return s == AES256GCM || s == ECDHERSAAES256GCM
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

// String returns the header's name in the spelling that clients compare.
func (h Header) String() string {
	if h == CipherSuite12 {
		return "X-DTLS12-CipherSuite"
	}
	return "X-DTLS-CipherSuite"
}

// names holds each suite's names; header is what X-DTLS-CipherSuite calls it, empty if it may not stand
// there.
var names = []struct {
	suite   Suite
	openssl string
	header  string
}{
	{AES128SHA, "AES128-SHA", "AES128-SHA"},
	{AES256SHA, "AES256-SHA", "AES256-SHA"},
	{AES128GCM, "AES128-GCM-SHA256", "OC-DTLS1_2-AES128-GCM"},
	{AES256GCM, "AES256-GCM-SHA384", "OC-DTLS1_2-AES256-GCM"},
	{ECDHERSAAES128GCM, "ECDHE-RSA-AES128-GCM-SHA256", ""},
	{ECDHERSAAES256GCM, "ECDHE-RSA-AES256-GCM-SHA384", ""},
}

// SuiteByName reads a name out of a header's list. Names are compared with case. It knows only what we
// speak: PSK-NEGOTIATE, ChaCha20, 3DES and CBC at DTLS 1.2 are not found.
func SuiteByName(h Header, name string) (Version, Suite, bool) {
	for _, n := range names {
		switch {
		case h == CipherSuite12 && n.suite.GCM() && n.openssl == name:
			return Version12, n.suite, true
		case h == CipherSuite && n.header != "" && n.header == name:
			if n.suite.GCM() {
				return Version12, n.suite, true
			}
			return Version09, n.suite, true
		}
	}
	return 0, 0, false
}

// Name returns what the suite is called in header h, or an empty string where it has no name there.
func (s Suite) Name(h Header) string {
	for _, n := range names {
		if n.suite != s {
			continue
		}
		if h == CipherSuite {
			return n.header
		}
		if s.GCM() {
			return n.openssl
		}
	}
	return ""
}

package read

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// Record types, handshake messages and extensions of TLS that are looked at: RFC 5246, RFC 8446.
const (
	recordChange    = 20
	recordAlert     = 21
	recordHandshake = 22
	recordData      = 23

	helloFromClient = 1
	helloFromServer = 2
	certificates    = 11

	extensionName     = 0
	extensionEncrypt  = 22 // encrypt, then MAC
	extensionVersions = 43

	tls10 = 0x0301
	tls12 = 0x0303
	tls13 = 0x0304
)

// maxRecord bounds a record: RFC 5246, section 6.2.3.
const maxRecord = 1<<14 + 2048

// maxHandshake bounds what is kept of a handshake's messages of one side; chains of certificates are of some KB.
const maxHandshake = 128 << 10

// alerts by their number, as openssl writes them.
var alerts = map[byte]string{
	0: "close notify", 10: "unexpected message", 20: "bad record mac", 40: "handshake failure", 42: "bad certificate", 43: "unsupported certificate",
	44: "certificate revoked", 45: "certificate expired", 46: "certificate unknown", 47: "illegal parameter", 48: "unknown ca", 49: "access denied",
	50: "decode error", 51: "decrypt error", 70: "protocol version", 71: "insufficient security", 80: "internal error", 86: "inappropriate fallback",
	90: "user canceled", 100: "no renegotiation", 112: "unrecognized name", 116: "certificate required",
}

// tlsVersions as openssl writes them.
var tlsVersions = map[uint16]string{0x0300: "SSLv3", tls10: "TLSv1", 0x0302: "TLSv1.1", tls12: "TLSv1.2", tls13: "TLSv1.3"}

// tlsTalk is a TLS connection that is watched.
type tlsTalk struct {
	c    *capture
	flow *tcpFlow

	sides [2]struct {
		buffer    []byte // of records
		handshake []byte // of messages
		changed   bool   // encrypted from here on
		data      int    // encrypted records of data
		cipher    *recordCipher
	}
	hello  clientHello
	server serverHello
	sha1   string // of the gateway's certificate
	after  bool   // the client sent something after the certificate
	up     bool
	told   bool // how it failed
	broken bool
	http   *httpTalk // what is in it, with keys
}

type clientHello struct {
	seen    moment
	offered uint16 // highest version
	name    string
	random  []byte
}

// phone reports whether a hello looks like an old phone's. inferred: nobody has published one
func (h clientHello) phone() bool { return h.offered <= tls10 && h.name == "" }

type serverHello struct {
	seen    moment
	version uint16
	suite   uint16
	etm     bool
	random  []byte
}

func (t *tlsTalk) data(side int, b []byte) {
	s := &t.sides[side]
	if t.broken {
		return
	}
	if side == fromClient && t.sha1 != "" {
		t.after = true
	}
	s.buffer = append(s.buffer, b...)
	for len(s.buffer) >= 5 && !t.broken {
		size := int(binary.BigEndian.Uint16(s.buffer[3:]))
		if kind := s.buffer[0]; kind < recordChange || kind > recordData || s.buffer[1] != 3 || size > maxRecord {
			t.broken = true
			break
		}
		if len(s.buffer) < 5+size {
			return
		}
		t.record(side, s.buffer[0], binary.BigEndian.Uint16(s.buffer[1:]), s.buffer[5:5+size])
		s.buffer = append(s.buffer[:0], s.buffer[5+size:]...)
	}
	s.buffer = nil
}

func (t *tlsTalk) record(side int, kind byte, version uint16, body []byte) {
	s := &t.sides[side]
	if s.changed || kind == recordData {
		t.encrypted(side, kind, version, body)
		return
	}
	switch kind {
	case recordChange:
		s.changed = t.server.version != 0 && t.server.version < tls13 // later versions only pretend
	case recordAlert:
		if len(body) == 2 {
			t.alert(side, body[0], body[1])
		}
	case recordHandshake:
		if len(s.handshake)+len(body) > maxHandshake {
			t.broken = true
			return
		}
		s.handshake = append(s.handshake, body...)
		for len(s.handshake) >= 4 {
			size := int(s.handshake[1])<<16 | int(s.handshake[2])<<8 | int(s.handshake[3])
			if len(s.handshake) < 4+size {
				return
			}
			t.message(side, s.handshake[0], s.handshake[4:4+size])
			s.handshake = s.handshake[4+size:]
		}
	}
}

func (t *tlsTalk) message(side int, kind byte, b []byte) {
	switch {
	case side == fromClient && kind == helloFromClient:
		if h, ok := parseClientHello(b); ok {
			h.seen = t.c.now
			t.hello = h
		}
	case side == fromServer && kind == helloFromServer:
		if h, ok := parseServerHello(b); ok {
			h.seen = t.c.now
			t.server = h
		}
	case side == fromServer && kind == certificates && t.server.version < tls13:
		t.chain(b)
	}
}

// encrypted counts what nobody can read, and reads it when there are keys.
func (t *tlsTalk) encrypted(side int, kind byte, version uint16, body []byte) {
	s := &t.sides[side]
	if kind == recordData {
		s.data++
	}
	enough := 1
	if t.server.version == tls13 { // the end of the handshake is data, too
		enough = 2
	}
	if !t.up && t.server.version != 0 && t.sides[fromClient].data >= enough {
		t.up = true
		mark(t.c.secured, t.flow.server.Addr())
		t.c.tell(fact.Handshake, t.server.seen, fmt.Sprintf("%s to %s: %s comes up with %s", t.flow.client, t.flow.server, tlsVersions[t.server.version], suiteName(t.server.suite)),
			"server", t.flow.server.String(), "protocol", tlsVersions[t.server.version], "cipher", suiteName(t.server.suite))
	}
	if len(t.c.keys) == 0 || t.hello.random == nil || t.server.random == nil {
		return
	}
	if s.cipher == nil {
		s.cipher = t.c.keys.cipher(t, side)
	}
	plain, inner, ok := s.cipher.open(kind, version, body)
	switch {
	case !ok:
	case inner == recordAlert && len(plain) == 2:
		t.alert(side, plain[0], plain[1])
	case inner == recordData:
		if t.http == nil {
			t.http = &httpTalk{c: t.c, flow: t.flow, gateway: true, host: t.hello.name}
		}
		t.http.data(side, plain)
	}
}

// chain reads the gateway's certificates.
func (t *tlsTalk) chain(b []byte) {
	if len(b) < 3 {
		return
	}
	for depth, rest := 0, b[3:]; len(rest) >= 3; depth++ {
		size := int(rest[0])<<16 | int(rest[1])<<8 | int(rest[2])
		if 3+size > len(rest) {
			return
		}
		der := rest[3 : 3+size]
		rest = rest[3+size:]
		if depth == 0 {
			t.sha1 = fmt.Sprintf("%X", sha1.Sum(der))
			host := t.hello.name
			if host == "" {
				host = t.c.hosts[t.flow.server.Addr()]
			}
			if host != "" {
				t.c.tell(fact.CaptureName, t.hello.seen, fmt.Sprintf("%s to %s: asks for %s", t.flow.client, t.flow.server, host),
					"host", host, "server", t.flow.server.String(), "sha1", t.sha1)
			}
		}
		cert, err := readDER(der)
		if err != nil {
			continue
		}
		values := []string{"depth", fmt.Sprint(depth), "presented", "true"}
		for name, value := range cert.values {
			values = append(values, name, value)
		}
		t.c.tell(fact.GatewayCertificate, t.c.now, fmt.Sprintf("%s to %s: %s", t.flow.server, t.flow.client, cert.text), values...)
	}
}

// ofCertificates are the alerts of a client that does not want the gateway's certificate.
var ofCertificates = map[byte]bool{42: true, 43: true, 44: true, 45: true, 46: true, 48: true}

func (t *tlsTalk) alert(side int, level, number byte) {
	const fatal = 2
	if level != fatal || t.told {
		return
	}
	name := alerts[number]
	if name == "" {
		name = fmt.Sprintf("alert %d", number)
	}
	if side == fromClient && ofCertificates[number] && t.sha1 != "" {
		t.certificateRefused(name)
		return
	}
	if !t.up {
		t.failed(name, []string{"client", "gateway"}[side])
	}
}

func (t *tlsTalk) certificateRefused(alert string) {
	t.told = true
	text := fmt.Sprintf("%s to %s: the client ends the handshake at the certificate %s", t.flow.client, t.flow.server, t.sha1)
	values := []string{"server", t.flow.server.String(), "sha1", t.sha1, "phone", fmt.Sprint(t.hello.phone())}
	if alert != "" {
		text += ", alert " + alert
		values = append(values, "alert", alert)
	}
	t.c.tell(fact.CaptureCertificateRefused, t.c.now, text, values...)
}

// failed tells that a handshake ended.
func (t *tlsTalk) failed(alert, by string) {
	t.told = true
	text := fmt.Sprintf("%s to %s: the TLS handshake ends (the client offers up to %s)", t.flow.client, t.flow.server, tlsVersions[t.hello.offered])
	values := []string{"server", t.flow.server.String(), "offered", tlsVersions[t.hello.offered], "by", by}
	if alert != "" {
		text += ", alert " + alert + " of the " + by
		values = append(values, "alert", alert)
	}
	t.c.tell(fact.HandshakeFailed, t.c.now, text, values...)
}

// closed judges an end before the connection was up: at the certificate, or at the hello.
func (t *tlsTalk) closed(side int) {
	switch {
	case t.up || t.told || t.broken || t.hello.random == nil:
	case side == fromClient && t.sha1 != "" && !t.after:
		t.certificateRefused("")
	case side == fromServer && t.server.version == 0:
		t.failed("", "gateway")
	}
}

func (t *tlsTalk) over() {}

func parseClientHello(b []byte) (h clientHello, ok bool) {
	if len(b) < 35 {
		return h, false
	}
	h.offered, h.random = binary.BigEndian.Uint16(b), append([]byte(nil), b[2:34]...)
	rest, ok := behind8(b[34:]) // session id
	if !ok || len(rest) < 2 {
		return h, false
	}
	size := int(binary.BigEndian.Uint16(rest))
	if len(rest) < 2+size {
		return h, false
	}
	if rest, ok = behind8(rest[2+size:]); !ok { // compression
		return h, false
	}
	extensions(rest, func(kind uint16, value []byte) {
		switch {
		case kind == extensionName && len(value) > 5 && value[2] == 0:
			if n := int(binary.BigEndian.Uint16(value[3:])); 5+n <= len(value) {
				h.name = strings.ToValidUTF8(string(value[5:5+n]), "?")
			}
		case kind == extensionVersions && len(value) > 0:
			for v := value[1:]; len(v) >= 2; v = v[2:] {
				if version := binary.BigEndian.Uint16(v); version <= tls13 && version > h.offered {
					h.offered = version
				}
			}
		}
	})
	return h, true
}

func parseServerHello(b []byte) (h serverHello, ok bool) {
	if len(b) < 35 {
		return h, false
	}
	h.version, h.random = binary.BigEndian.Uint16(b), append([]byte(nil), b[2:34]...)
	rest, ok := behind8(b[34:])
	if !ok || len(rest) < 3 {
		return h, false
	}
	h.suite = binary.BigEndian.Uint16(rest)
	extensions(rest[3:], func(kind uint16, value []byte) {
		switch {
		case kind == extensionVersions && len(value) == 2:
			h.version = binary.BigEndian.Uint16(value)
		case kind == extensionEncrypt:
			h.etm = true
		}
	})
	return h, true
}

// behind8 returns what follows a field with one byte of length.
func behind8(b []byte) ([]byte, bool) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return nil, false
	}
	return b[1+int(b[0]):], true
}

// extensions calls f for each of a list with two bytes of length.
func extensions(b []byte, f func(kind uint16, value []byte)) {
	if len(b) < 2 {
		return
	}
	for b = b[2:]; len(b) >= 4; {
		size := int(binary.BigEndian.Uint16(b[2:]))
		if 4+size > len(b) {
			return
		}
		f(binary.BigEndian.Uint16(b), b[4:4+size])
		b = b[4+size:]
	}
}

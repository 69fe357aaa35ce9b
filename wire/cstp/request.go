package cstp

import (
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/wire/dtls"
)

// Path is the target of every CONNECT. One client leaves the leading slash out.
const Path = "/CSCOSSLC/tunnel"

// Protocol is the value of X-CSTP-Protocol, without which some gateways refuse.
const Protocol = "Copyright (c) 2004 Cisco Systems, Inc."

// PSKLabel and PSKLen say how the TLS connection of a CONNECT exports the pre-shared key of its DTLS
// channel; there is no context.
const (
	PSKLabel = "EXPORTER-openconnect-psk"
	PSKLen   = 32
)

// MasterSecretLen is the length in bytes of the master secret for the DTLS channel.
const MasterSecretLen = 48

// Request is a client's CONNECT: what it offers and wants.
type Request struct {
	Host               string
	UserAgent          string
	Cookie             secret.String // value of the cookie webvpn; zero: there was none
	Hostname           string        // the client's own name
	Protocol           string        // Protocol, or empty
	AcceptEncoding     []string      // compressions it could use on CSTP
	BaseMTU            int           // bytes a packet may have on the way to the gateway; zero: not said
	MTU                int           // bytes it wants for a packet inside; zero: not said
	AddressTypes       []string      // IPv4, IPv6
	Addresses          []netip.Addr  // inner addresses of the session it comes back to
	FullIPv6           bool          // it reads IPv6 in the headers made for it
	License            string        // mobile clients
	MasterSecret       secret.String // hex digits, chosen by the client for its DTLS channel
	CipherSuites       []string      // names of X-DTLS-CipherSuite in the client's order
	CipherSuites12     []string      // names of X-DTLS12-CipherSuite in the client's order
	DTLSAcceptEncoding []string      // compressions it could use on DTLS

	Other []Header // X- headers without a field, as they came
}

// cookieName is the session cookie in all dialects.
const cookieName = "webvpn"

var requestFields = []field[Request]{
	text("Host", func(r *Request) *string { return &r.Host }),
	text("User-Agent", func(r *Request) *string { return &r.UserAgent }),
	{"Cookie", cookieLine, readCookie},
	always[Request]("X-CSTP-Version", "1"),
	text("X-CSTP-Hostname", func(r *Request) *string { return &r.Hostname }),
	text("X-CSTP-Protocol", func(r *Request) *string { return &r.Protocol }),
	list("X-CSTP-Accept-Encoding", ",", func(r *Request) *[]string { return &r.AcceptEncoding }),
	number("X-CSTP-Base-MTU", func(r *Request) *int { return &r.BaseMTU }),
	number("X-CSTP-MTU", func(r *Request) *int { return &r.MTU }),
	list("X-CSTP-Address-Type", ",", func(r *Request) *[]string { return &r.AddressTypes }),
	addresses("X-CSTP-Address", netip.Addr.IsValid, func(r *Request) *[]netip.Addr { return &r.Addresses }),
	flag("X-CSTP-Full-IPv6-Capability", func(r *Request) *bool { return &r.FullIPv6 }),
	text("X-CSTP-License", func(r *Request) *string { return &r.License }),
	{"X-DTLS-Master-Secret", masterSecretLine, readMasterSecret},
	suites(dtls.CipherSuite, func(r *Request) *[]string { return &r.CipherSuites }),
	suites(dtls.CipherSuite12, func(r *Request) *[]string { return &r.CipherSuites12 }),
	list("X-DTLS-Accept-Encoding", ",", func(r *Request) *[]string { return &r.DTLSAcceptEncoding }),
}

func cookieLine(r *Request) []string {
	if r.Cookie.IsZero() {
		return nil
	}
	return []string{cookieName + "=" + r.Cookie.Reveal()}
}

// readCookie finds webvpn among the cookies of the line; the others are dropped.
func readCookie(r *Request, line string) error {
	for part := range strings.SplitSeq(line, ";") {
		name, value, found := strings.Cut(strings.TrimSpace(part), "=")
		if found && name == cookieName {
			r.Cookie = secret.New(value)
		}
	}
	return nil
}

func masterSecretLine(r *Request) []string { return unlessEmpty(r.MasterSecret.Reveal()) }

func readMasterSecret(r *Request, s string) error {
	r.MasterSecret = secret.New(s)
	return nil
}

// MasterKey returns the bytes of MasterSecret. Without a usable one a session has no DTLS channel.
func (r Request) MasterKey() ([]byte, error) {
	key, err := hex.DecodeString(r.MasterSecret.Reveal())
	if err != nil || len(key) != MasterSecretLen {
		return nil, fmt.Errorf("cstp: X-DTLS-Master-Secret: not %d hex digits", 2*MasterSecretLen)
	}
	return key, nil
}

// String returns the request on one line, without its secrets.
func (r Request) String() string {
	return fmt.Sprintf("CONNECT from %q of %q, mtu %d of %d, suites %s and %s", r.UserAgent, r.Hostname, r.MTU, r.BaseMTU,
		strings.Join(r.CipherSuites, ":"), strings.Join(r.CipherSuites12, ":"))
}

// ParseRequest reads a CONNECT from its first line to its empty line. Header names are taken in any
// case.
func ParseRequest(head []byte) (Request, error) {
	first, headers, err := splitHead(head)
	if err != nil {
		return Request{}, err
	}
	words := strings.Fields(first)
	if len(words) != 3 || words[0] != "CONNECT" || !strings.HasPrefix(words[2], "HTTP/1.") {
		return Request{}, fmt.Errorf("cstp: request line %q, want CONNECT %s HTTP/1.1", first, Path)
	}
	if strings.TrimPrefix(words[1], "/") != Path[1:] {
		return Request{}, fmt.Errorf("cstp: CONNECT to %q, want %s", words[1], Path)
	}
	return requestOf(headers)
}

// RequestOf reads the headers of a CONNECT that net/http has parsed, an http.Header. Headers that are
// not known come out in the order of their names.
func RequestOf(headers map[string][]string) (Request, error) {
	var lines []Header
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		for _, value := range headers[name] {
			lines = append(lines, Header{name, strings.TrimSpace(value)})
		}
	}
	return requestOf(lines)
}

func requestOf(headers []Header) (r Request, err error) {
	r.Other, err = read(&r, requestFields, headers)
	if err != nil {
		return Request{}, err
	}
	return r, nil
}

// AppendBinary appends the request as it stands on the wire. It refuses values that hold a line break.
func (r Request) AppendBinary(dst []byte) ([]byte, error) {
	dst = append(dst, "CONNECT "+Path+" HTTP/1.1\r\n"...)
	return write(dst, &r, requestFields, r.Other)
}

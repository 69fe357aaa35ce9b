package dtls

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"

	"github.com/longcord/longcord/wire/dtls"
)

// Cookies lets clients show that they receive what is sent to the address they send from, before anything
// is kept for them: RFC 6347 section 4.2.1. A ClientHello that holds a cookie must have a Valid one before
// it goes to a Server.
type Cookies struct{ key [32]byte }

// NewCookies takes the random key that cookies are made with.
func NewCookies(key [32]byte) *Cookies { return &Cookies{key} }

// Valid reports whether a ClientHello from an address holds the cookie for it.
func (c *Cookies) Valid(from netip.AddrPort, hello dtls.ClientHello) bool {
	return hmac.Equal(hello.Cookie, c.cookie(from, hello))
}

// Ask returns the datagram that asks for a ClientHello once more with a cookie. The record number is that
// of the hello.
func (c *Cookies) Ask(from netip.AddrPort, hello dtls.ClientHello, record uint64) []byte {
	f := flight{version: hello.Version, record: record}
	body := dtls.HelloVerifyRequest{Version: hello.Version, Cookie: c.cookie(from, hello)}.AppendBody(nil)
	return f.handshake(f.messageOf(dtls.TypeHelloVerifyRequest, body))
}

func (c *Cookies) cookie(from netip.AddrPort, hello dtls.ClientHello) []byte {
	mac := hmac.New(sha256.New, c.key[:])
	addr := from.Addr().As16()
	mac.Write(addr[:])
	mac.Write(binary.BigEndian.AppendUint16(nil, from.Port()))
	hello.Cookie = nil
	mac.Write(hello.AppendBody(nil))
	return mac.Sum(nil)
}

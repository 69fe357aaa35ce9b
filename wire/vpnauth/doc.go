// Package vpnauth is how a phone or a VPN client logs in to a gateway before the tunnel: the config-auth
// XML documents, the older form posts, the cookies that carry the result, and the HTTP messages around
// them in exactly the bytes that phones accept.
//
//	message    bytes
//	Request    GET or POST of a group URL, as a phone sends it
//	Reply      status line, headers in order and spelling, body
//	Cookie     one Set-Cookie line; ParseCookies reads a Cookie line
//	Values     username=…&password=…, also the answers inside <auth> of an auth-reply
//	Document   <config-auth type="init|auth-request|auth-reply|complete|logout">
//
// Parse functions take what came from outside and refuse with the place; Append methods add the encoded
// form to a slice. Nothing here decides who may log in: that is stage/verify. The facts and where they
// come from are in docs/wire/vpn-login.md.
package vpnauth

// MaxBody is the most bytes that a login body may have. A whole document has well under 4 KiB; the limit
// is ocserv's. Readers stop there, and the parsers refuse more.
const MaxBody = 256 << 10

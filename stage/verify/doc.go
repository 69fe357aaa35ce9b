// Package verify decides the fourth step: is this my gateway, and am I who I say? It holds the
// certificate hash and host ID checks that a phone makes, and the login conversation, both ends.
//
// Server is one TLS connection at the gateway before its CONNECT. It is given whole requests and returns
// actions: replies to send, passwords to check, things worth reporting. Three dialogues end at the same
// Authenticate action: the phones' own, the XML documents of AnyConnect and openconnect, and the older
// form posts. Client is the phone's end of the first.
//
// Nothing here opens a connection, reads a clock or knows a user; docs/wire/vpn-login.md has the facts.
package verify

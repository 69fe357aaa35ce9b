// Package door brings a phone that was never inside its starter file, in two ways. Door: somebody at the
// phone's place opens a one-time link in a browser, and for some minutes that address may fetch that one
// phone's starter file from the office's outside address. Carry: a laptop at the phone's place fetches the
// file with the link over TLS and serves it to the phone.
//
// Keeper is the office's half: it makes and keeps invitations, answers the browser through the gateway, and
// serves who has been let in; stage/provision decides who that is. Everybody else meets silence: no refusal,
// no TCP handshake, nothing. Carrier is the laptop's half.
//
// A starter file holds no secret. It is neither signed nor encrypted, so by the door whoever stands between
// phone and office can read it and put another in its place; carrying leaves only the home network.
package door

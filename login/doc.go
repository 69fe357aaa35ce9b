// Package login says who may log in to the VPN: users of the inventory with passwords, whichever form
// their hashes came in, users that RADIUS servers and directories know, a second factor besides, and the
// tunnel groups each may use.
//
// AAA.Authenticate takes what a peer sent and answers with the user, with a Challenge that the peer has to
// answer, or with one of the errors in login.go. Failed logins are counted before anything else is done
// (bans.go), then the tunnel group's servers are asked (servers.go; Local for the inventory's own users),
// then for a one-time code (totp.go). How hashes rest and why: docs/decisions/passwords.md.
package login

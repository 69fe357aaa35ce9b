// Package login says who may log in to the VPN: local users with passwords, whichever form their hashes
// came in, and the tunnel groups each may use.
//
// Local.Authenticate takes a name and a password and answers with the user, with ErrRefused or with
// ErrBusy. How hashes rest and why: docs/decisions/passwords.md.
package login

// Package trust holds keys and certificates: the master key under which secrets rest in the store, the
// certificates that gateways present to phones and phones to gateways, and the Authority, which is the
// house's own keys: those that sign what phones believe.
//
// Sealing protects copies and backups of the store. It does not protect against who can read both the
// store and the key file, such as root on this machine.
package trust

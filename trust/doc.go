// Package trust holds keys and certificates: the master key under which secrets rest in the store, and
// the certificates that gateways present to phones and phones to gateways.
//
// Sealing protects copies and backups of the store. It does not protect against who can read both the
// store and the key file, such as root on this machine.
package trust

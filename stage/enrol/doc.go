// Package enrol decides how a phone comes by a certificate of its own: the conversation of CAPF, both ends,
// and whether the proof that a phone brings holds (docs/wire/capf.md#enrolment).
//
// Server and Client take messages and the time and return actions; who uses them carries messages, asks
// people's records and makes keys. Neither knows how certificates are issued.
package enrol

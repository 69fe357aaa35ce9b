// Package rollover changes the certificate that phones meet at a gateway without keeping one out.
//
// A phone believes only the certificates whose hashes are in the file it holds, and it gets the next file
// through the tunnel that it needs the certificate for. So a change has an order: first the hash of the
// next certificate goes out to every phone, then each phone has to show that it holds a file with it, and
// only then is the certificate presented. Held counts what one phone has shown; Lost tells whom a change
// would keep out; Rollover is the order, and Stage, Commit, Abort and Retire are its steps, as changes to
// the inventory. All of that is pure. Keeper does it in a running system: it takes in what phones fetch
// and when they register, answers operators, and begins by itself before a certificate runs out.
//
// The finished spare is a certificate whose hash is in every phone's file from the first day on. A
// roll-over to it waits for nobody.
package rollover

// Package fleet is many VPN clients in one process: load for a gateway, ours or another, and a measure of
// what it does with it.
//
// A Fleet logs its clients in over TLS, CONNECTs and brings up DTLS with the same halves that a phone
// uses. It needs no packet device: it writes the packets inside the tunnel itself. Talk has every client
// send voice to a socket on the inside, and that socket send as much back to each client's inner address.
// Each packet carries its number, the time it was sent and a checksum, so that loss, repetition, order,
// damage and latency are known for each direction. Search looks for the highest rate that a gateway
// carries, and Run does the usual in one call.
//
// One thread does all that concerns packets (loop.go): it sends each packet when it is due and takes in
// what has come, with the kernel's time of arrival, so that how late it looks does not count. With
// Config.Sources all clients share one socket and each still has an outer address of its own.
//
// The generator has limits too: Voice.Limited says when it, not the gateway, was the limit.
//
// Not here: registration and calls (package phone), lost sessions coming back.
package fleet

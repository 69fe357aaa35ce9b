// Package lab is the demonstration: an office, the Internet and a home behind NAT on one machine, in
// which a software phone lives its whole story with real sockets and real packets. It is provisioned in
// the office, carried home, finds out that it is outside, connects, checks the gateway and logs in,
// tunnels, registers, and calls the desk phone. What each side heard is compared with what the other
// played.
//
// Main is the command. world.go builds the networks; story.go tells what happens in them, in office.go
// and home.go; verdict.go judges, report.go prints. Everything that happens inside is done by the program
// itself, started as its users would start it: `longcord init`, `serve`, `users add` and `phone`.
//
// It says where the story stops and passes on what the phone found; it does not diagnose beyond that.
package lab

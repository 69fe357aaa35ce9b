// Package testnet makes several hosts on one Linux machine, each with its own network: network
// namespaces joined by virtual cables, switches, a home router with NAT and DHCP, packet filters and a
// capture of chosen interfaces. Libraries and system calls do it; no other program runs.
//
// Call Enter first: as root it returns at once, as an ordinary user it runs the program again inside a
// user namespace. Then make hosts with NewHost, join them with Connect or a Switch, and start programs
// inside with Host.Start. A program that also uses the network outside of hosts calls Alone instead.
//
// Nothing has a name outside this process. Namespaces are held by file descriptor, files live on a Disk
// that only the hosts see, and programs are killed with the thread that started them, so everything is
// gone when the process ends, however it ends.
//
// It speaks IPv4 only, and adds no delay or jitter.
package testnet

// Package asa is text as Cisco's ASA writes it, which other people's programs read: syslog messages
// (message.go, and events.go for those of VPN sessions) and the tables of `show vpn-sessiondb`
// (sessiondb.go). docs/wire/asa.md says where each form is from.
//
// It also reads a running configuration: ParseConfiguration makes a tree of commands (running.go), Settings
// what of it concerns VPN sessions (settings.go), with access lists written out (rules.go).
//
// It makes and reads text. It sends nothing, and has no opinion on when an event has happened.
package asa

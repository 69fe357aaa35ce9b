// Package lsc keeps the book of phones' own certificates (LSC, locally significant certificates): who is
// to get one and how they prove themselves, who has one, which are revoked, and which run out.
//
// Book is all of it. The provisioner's CAPF asks it about each phone (Judge, Sign, Ended), the gateway takes
// Authority for its tunnel groups, and operators order, revoke and list. Certificates are signed with the
// house's CAPF key; package trust keeps that.
package lsc

package main

import (
	"net/netip"
	"testing"

	"github.com/longcord/longcord/provisioner"
	"github.com/longcord/longcord/stage/provision"
)

// What a phone has fetched is its own file, and not what others have looked at, nor its trust list.
func TestNewestFile(t *testing.T) {
	t.Parallel()
	desk, operator := netip.MustParseAddrPort("10.1.0.20:40000"), netip.MustParseAddrPort("10.1.0.7:40000")
	deliveries := []provisioner.Delivery{
		{File: "ITLSEP001122334455.tlv", VersionStamp: "list", Peer: desk},
		{File: "SEP001122334455.cnf.xml", VersionStamp: "looked at", Peer: operator},
		{File: "SEP001122334455.cnf.xml.sgn", VersionStamp: "the phone's", Peer: desk},
	}
	own := func(is netip.Addr, known bool) func(provisioner.Delivery) bool {
		return func(d provisioner.Delivery) bool { return d.By == provision.ThePhone || !known || d.Peer.Addr() == is }
	}
	if d, ok := newestFile(deliveries, own(desk.Addr(), true)); !ok || d.VersionStamp != "the phone's" {
		t.Errorf("the phone at %s has fetched %q", desk, d.VersionStamp)
	}
	if d, ok := newestFile(deliveries, own(netip.Addr{}, false)); !ok || d.VersionStamp != "looked at" {
		t.Errorf("a phone of which nobody knows where it is has fetched %q", d.VersionStamp)
	}
	deliveries[1].By = provision.ThePhone
	if d, ok := newestFile(deliveries, own(desk.Addr(), true)); !ok || d.VersionStamp != "looked at" {
		t.Errorf("through its tunnel the phone has fetched %q", d.VersionStamp)
	}
	if d, ok := newestFile(deliveries[:1], own(desk.Addr(), true)); ok {
		t.Errorf("a trust list is taken for its file: %+v", d)
	}
}

package main

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory"
)

func TestStrangers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		set, board := inventory.NewSet(), finding.NewBoard()
		s := newStrangers(func() *inventory.Set { return set }, board)
		peer := netip.MustParseAddrPort("10.1.0.9:50000")
		s.met("SEP00000000000A", peer, "SEP00000000000A.cnf.xml", "")
		time.Sleep(time.Second)
		s.met("SEP00000000000B", peer, "ITLSEP00000000000B.tlv", "")
		time.Sleep(time.Second)
		s.met("SEP00000000000B", peer, askedBySCCP, "CP-7945G")
		time.Sleep(time.Second)
		s.met("SEP00000000000A", peer, "registration of line 1001", "Cisco-CP8851/12.1.1")
		all := s.list()
		if len(all) != 2 || all[0].Name != "SEP00000000000A" || all[0].Count != 2 || all[0].Address != "10.1.0.9" ||
			!slices.Equal(all[0].Asked, []string{"SEP00000000000A.cnf.xml", "registration of line 1001"}) {
			t.Fatalf("known are %+v", all)
		}
		if all[0].Add != "longcord phones add SEP00000000000A --model CP-8851 --line NUMBER" || all[1].Add != "longcord phones add SEP00000000000B --model CP-7945G --protocol SCCP --line NUMBER" {
			t.Errorf("to add them: %q, %q", all[0].Add, all[1].Add)
		}
		if found := board.Findings(); len(found) != 2 || found[0].Code != finding.UnknownPhone.Code || found[0].Subject != "SEP00000000000A" {
			t.Errorf("found are %+v", found)
		}
		set.Devices["SEP00000000000A"] = &inventory.Device{Name: "SEP00000000000A"}
		if all := s.list(); len(all) != 1 || len(board.Findings()) != 1 {
			t.Errorf("after one was added %+v are unknown, and %d findings stand", all, len(board.Findings()))
		}
		time.Sleep(strangerForgotten + time.Second)
		if all := s.list(); len(all) != 0 {
			t.Errorf("a day later %+v are known", all)
		}
	})
}

// TestStrangersAreBounded: one address that sends many names takes no other's place, and many addresses no
// more memory than there is.
func TestStrangersAreBounded(t *testing.T) {
	t.Parallel()
	set := inventory.NewSet()
	s := newStrangers(func() *inventory.Set { return set }, finding.NewBoard())
	quiet := netip.MustParseAddrPort("10.1.0.1:50000")
	s.met("SEP0000000000FF", quiet, "x", "")
	for i := range 10_000 {
		s.met(fmt.Sprintf("SEP%012X", i+1000), netip.MustParseAddrPort("10.1.0.9:50000"), "x", "")
		s.met("SEP0000000000FF", quiet, fmt.Sprint(i), "")
	}
	all := s.list()
	if len(all) != maxStrangersOf+1 {
		t.Errorf("of one address that sends ten thousand names %d are kept", len(all)-1)
	}
	one := slices.IndexFunc(all, func(s control.Stranger) bool { return s.Name == "SEP0000000000FF" })
	if one < 0 || len(all[one].Asked) != maxAskedFor || all[one].Count != 10_001 {
		t.Errorf("the other is %+v", all)
	}
	address := quiet.Addr()
	for i := range 10_000 {
		address = address.Next()
		s.met(fmt.Sprintf("SEP%012X", i+100_000), netip.AddrPortFrom(address, 1), "x", "")
	}
	if all := s.list(); len(all) != maxStrangers || all[0].Name != fmt.Sprintf("SEP%012X", 9_999+100_000) {
		t.Errorf("of many addresses %d are kept", len(all))
	}
}

func TestModelInAgent(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]string{
		"Cisco-CP8851/12.1.1": "CP-8851", "Cisco-CP7962G/9.4.2": "CP-7962G", "Cisco-CP9999/1": "", "Linphone": "", "": "",
	} {
		if got := modelIn(agent); got != want {
			t.Errorf("%q: %q, want %q", agent, got, want)
		}
	}
}

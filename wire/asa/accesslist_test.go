package asa

import (
	"net/netip"
	"testing"
)

func TestAccessList(t *testing.T) {
	t.Parallel()
	list := AccessList{Name: "phones", Lines: []AccessLine{
		{Action: "permit", Protocol: "udp", To: netip.MustParsePrefix("10.0.0.53/32"), Low: 53, High: 53, Hits: 7},
		{Action: "permit", Protocol: "udp", From: netip.MustParsePrefix("10.99.0.0/24"), To: netip.MustParsePrefix("10.0.0.0/16"), Low: 16384, High: 32767},
		{Action: "permit", Protocol: "icmp6", To: netip.MustParsePrefix("fd00::/64"), ICMPType: "echo"},
		{Action: "deny", Protocol: "ip", Members: []string{"anna", "SEP001122334455"}, To: netip.MustParsePrefix("fd00::1/128")},
		{Action: "permit", Protocol: "ip", Hits: 1 << 40},
	}}
	const want = `access-list phones; 5 elements; name hash: 0xe3282ef5
access-list phones line 1 extended permit udp any host 10.0.0.53 eq 53 (hitcnt=7) 0x1d820620 
access-list phones line 2 extended permit udp 10.99.0.0 255.255.255.0 10.0.0.0 255.255.0.0 range 16384 32767 (hitcnt=0) 0x57e04b47 
access-list phones line 3 extended permit icmp6 any fd00::/64 echo (hitcnt=0) 0xb7c09063 
access-list phones line 4 extended deny ip user anna,SEP001122334455 any host fd00::1 (hitcnt=0) 0xe835fe4f 
access-list phones line 5 extended permit ip any any (hitcnt=1099511627776) 0xa73a583c 
`
	if got := list.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

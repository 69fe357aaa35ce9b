package asa

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

func TestRules(t *testing.T) {
	t.Parallel()
	const names = `name 10.1.1.20 server
object network NET
 subnet 10.2.0.0 255.255.0.0
object network HOST
 host 10.3.0.1
object network PART
 range 10.4.0.1 10.4.0.4
object network NAMED
 fqdn www.example.net
object-group network MANY
 network-object host server
 group-object MORE
object-group network MORE
 network-object object NET
object-group network LOOP
 group-object LOOP
object service SIP
 service tcp destination eq sip
object-group service PORTS tcp-udp
 port-object eq domain
object-group service MIXED
 service-object object SIP
 service-object udp destination range 16384 32767
 service-object icmp echo
object-group protocol BOTH
 protocol-object tcp
 protocol-object udp
object-group icmp-type PING
 icmp-object echo
 icmp-object echo-reply
`
	for entry, want := range map[string]string{
		"extended permit ip any any":                                                "permit ip any any",
		"permit tcp any host 10.1.1.1 eq www":                                       "permit tcp any host 10.1.1.1 eq 80",
		"extended deny udp 10.99.0.0 255.255.255.0 any4 gt 1023 log 6 interval 300": "deny udp 10.99.0.0 255.255.255.0 any range 1024 65535",
		"line 4 extended permit tcp any any lt 1024":                                "permit tcp any any range 1 1023",
		"extended permit tcp any any neq ssh":                                       "permit tcp any any range 1 21; permit tcp any any range 23 65535",
		"extended permit tcp any any range sip 5061":                                "permit tcp any any range 5060 5061",
		"extended permit icmp any any echo-reply":                                   "permit icmp any any echo-reply",
		"extended permit icmp any any object-group PING":                            "permit icmp any any echo; permit icmp any any echo-reply",
		"extended permit ip object NET object HOST":                                 "permit ip 10.2.0.0 255.255.0.0 host 10.3.0.1",
		"extended permit ip any object PART":                                        "permit ip any host 10.4.0.1; permit ip any 10.4.0.2 255.255.255.254; permit ip any host 10.4.0.4",
		"extended permit ip any object-group MANY":                                  "permit ip any host 10.1.1.20; permit ip any 10.2.0.0 255.255.0.0",
		"extended permit object SIP any any":                                        "permit tcp any any eq 5060",
		"extended permit udp any any object-group PORTS":                            "permit tcp any any eq 53; permit udp any any eq 53",
		"extended permit object-group BOTH any any eq sip":                          "permit tcp any any eq 5060; permit udp any any eq 5060",
		"extended permit object-group MIXED any host server":                        "permit tcp any host 10.1.1.20 eq 5060; permit udp any host 10.1.1.20 range 16384 32767; permit icmp any host 10.1.1.20 echo",
		"standard permit 10.0.0.0 255.0.0.0":                                        "permit ip any 10.0.0.0 255.0.0.0",
		"standard permit host 10.1.1.1":                                             "permit ip any host 10.1.1.1",
		"extended permit ip any6 2001:db8::/32":                                     "permit ip any 2001:db8::/32",
		"extended permit tcp any any eq 80 inactive":                                "",
		"extended permit ip any object NAMED":                                       "? fqdn",
		"extended permit ip any object-group LOOP":                                  "? too deep",
		"extended permit ip any object NOWHERE":                                     "? not declared",
		"extended permit tcp any eq 80 any":                                         "? source ports",
		"extended permit gre any any":                                               `? protocol "gre"`,
		"extended permit tcp any any eq nothing":                                    `? port "nothing"`,
		"extended permit ip user LOCAL\\bob any any":                                "? user",
		"extended permit ip 10.0.0.0 255.0.255.0 any":                               "? cannot be read",
		"extended permit ip any any time-range WORK":                                "? some times",
		"extended permit ip any":                                                    "? too early",
		"webtype permit url any":                                                    "? webtype",
		"extended permit tcp any any eq 80 sideways":                                "? sideways",
	} {
		s := settings(t, names+"access-list L "+entry+"\n")
		e := s.Lists[0].Entries[0]
		var rules []string
		for _, r := range e.Rules {
			rules = append(rules, r.String())
		}
		got := strings.Join(rules, "; ")
		if why, refused := strings.CutPrefix(want, "? "); refused {
			if !strings.Contains(e.Why, why) || got != "" {
				t.Errorf("%s: got %q, %q, want a refusal with %q", entry, got, e.Why, why)
			}
		} else if got != want || e.Why != "" {
			t.Errorf("%s: got %q, %q, want %q", entry, got, e.Why, want)
		}
	}
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	for ends, want := range map[[2]string]string{
		{"10.0.0.1", "10.0.0.6"}:               "[10.0.0.1/32 10.0.0.2/31 10.0.0.4/31 10.0.0.6/32]",
		{"10.0.0.0", "10.0.0.255"}:             "[10.0.0.0/24]",
		{"0.0.0.0", "255.255.255.255"}:         "[0.0.0.0/0]",
		{"255.255.255.254", "255.255.255.255"}: "[255.255.255.254/31]",
		{"2001:db8::", "2001:db8::1"}:          "[2001:db8::/127]",
	} {
		if got := fmt.Sprint(Blocks(netip.MustParseAddr(ends[0]), netip.MustParseAddr(ends[1]))); got != want {
			t.Errorf("%v: got %s, want %s", ends, got, want)
		}
	}
}

package fact_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/doctor/fact"
)

// TestAnonymous finds nothing of the owner's in what is sent, and the same names in the same places.
func TestAnonymous(t *testing.T) {
	t.Parallel()
	c := fact.NewCollector("test", "acme.log")
	in := c.Open("acme.log")
	in.Add("file.url", 1, "<url1>https://vpn.acme.com/phones</url1>", time.Time{}, "url", "https://vpn.acme.com/phones")
	in.Add("test.login", 2, "Group <Roadrunners> User <wile> IP <81.2.69.160> Authentication: rejected", time.Time{}, "user", "wile", "group", "Roadrunners")
	in.Add("test.other", 3, "SEP001122ABCDEF 00:11:22:ab:cd:ef 0011.22ab.cdef 10.0.0.7 81.2.69.142 255.255.255.0 2a02:1234:5678:9::1", time.Time{}, "names", "vpn.acme.com,81.2.69.142")
	in.Excerpt([]fact.ExcerptLine{{Line: 4, Text: "wile@acme.com came from vpn.acme.com"}})
	in.Excerpt([]fact.ExcerptLine{
		{Line: 5, Text: "ldap-login-dn cn=svc-asa,ou=Road Runners,dc=acme,dc=com"}, {Line: 6, Text: "subject-name CN=vpn.acme.com,O=ACME Traps Inc,C=US"},
		{Line: 7, Text: "aaa-server L (inside) host dc1.acme.com"}, {Line: 8, Text: "object network Acme-phones"}, {Line: 9, Text: "ACME Traps Inc says so"},
	})
	in.Add("test.url", 10, "fetch https://coyote:[secret]@vpn.acme.com/ and https://tweety@vpn.acme.com/", time.Time{})
	in.Source().Unread = "vpn.acme.com failed for wile@acme.com at 81.2.69.142"
	in.Source().Losses = []fact.Loss{{Line: 10, Text: "vpn.acme.com lost wile@acme.com at 81.2.69.142"}}
	before := c.File()
	text, err := json.Marshal(before.Anonymous())
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []string{"vpn.acme", "acme.com", "wile", "coyote", "tweety", "Roadrunners", "81.2.69", "svc-asa", "Road Runners", "Traps", "dc1", "Acme-phones", "ABCDEF", "ab:cd:ef", "2a02"} {
		if strings.Contains(string(text), of) {
			t.Errorf("%q is still in %s", of, text)
		}
	}
	for _, stays := range []string{"10.0.0.7", "255.255.255.0", "SEP001122000001", "00:11:22:00:00:01", "0011.2200.0001", "198.18.0.160", "198.18.0.142", "https://vpn1.example/phones", "@vpn1.example/ and https://", "@vpn1.example/\""} {
		if !strings.Contains(string(text), stays) {
			t.Errorf("%q is not in %s", stays, text)
		}
	}
	if !strings.Contains(before.Facts[0].Text, "vpn.acme.com") {
		t.Errorf("the facts themselves were changed: %+v", before.Facts[0])
	}
}

// TestAnonymousLetters keeps apart what differs in the case of letters alone: that is what is wrong with many a group URL.
func TestAnonymousLetters(t *testing.T) {
	t.Parallel()
	c := fact.NewCollector("test", "x")
	in := c.Open("x")
	in.Add("test.one", 1, "tunnel-group PHONES type remote-access", time.Time{}, "url", "https://vpn.acme.com/phones", "group", "PHONES")
	in.Add("test.other", 2, "group-url https://VPN.acme.com/Phones enable", time.Time{}, "url", "https://VPN.acme.com/Phones", "again", "https://vpn.acme.com/phones")
	f := c.File().Anonymous().Facts
	one, other, again := f[0].Get("url"), f[1].Get("url"), f[1].Get("again")
	if one == other || !strings.EqualFold(one, other) || one != again || strings.Contains(one+other, "acme") {
		t.Errorf("got %s, %s and %s, want the first and the last to be equal, and the other to differ in capitals", one, other, again)
	}
	if !strings.Contains(f[0].Text, " "+f[0].Get("group")+" ") {
		t.Errorf("got %q in %q", f[0].Get("group"), f[0].Text)
	}
}

package provision_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/provision"
)

const (
	anna, annas2nd = "SEP00000000000A", "SEP00000000002A"
	bobs           = "SEP00000000000B"
	stolen         = "SEP00000000000C"
)

// household is an office whose pool lies in its own network, as with proxy ARP.
func household() *inventory.Set {
	set := inventory.NewSet()
	for _, name := range []string{anna, annas2nd, bobs, stolen} {
		set.Devices[name] = &inventory.Device{Name: name, Blocked: name == stolen}
	}
	set.AddressPools["phones"] = &inventory.AddressPool{Name: "phones", Network: "10.20.0.128/26"}
	set.Users["anna"] = &inventory.User{Name: "anna", Devices: []string{anna, annas2nd}}
	set.Users["staff"] = &inventory.User{Name: "staff"}
	return set
}

func TestAccess(t *testing.T) {
	t.Parallel()
	access := provision.Access{
		Office:    []netip.Prefix{netip.MustParsePrefix("10.20.0.0/24")},
		Operators: []netip.Prefix{netip.MustParsePrefix("10.20.0.7/32"), netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("10.20.0.140/32")},
	}
	asker := func(address, certified string, session *provision.Holder) provision.Asker {
		return provision.Asker{Address: netip.MustParseAddr(address), Certified: certified, Session: session}
	}
	tunnel := func(user, device string) provision.Asker {
		return asker("10.20.0.140", "", &provision.Holder{User: user, Device: device})
	}
	desk, outside := asker("10.20.0.9", "", nil), asker("198.51.100.9", "", nil)
	for _, c := range []struct {
		what string
		who  provision.Asker
		name string
		want string // the rule; with "no " in front a refusal
	}{
		{"the office, a phone's file", desk, anna + ".cnf.xml", "office"},
		{"the office, firmware", desk, "sip88xx.loads", "office"},
		{"the office, a blocked phone's file", desk, stolen + ".cnf.xml", "no blocked"},
		{"an operator, a blocked phone's file", asker("10.20.0.7", "", nil), stolen + ".cnf.xml", "operator"},
		{"an operator elsewhere", asker("192.0.2.7", "", nil), anna + ".cnf.xml", "operator"},
		{"a tunnel, its own file", tunnel("x", anna), anna + ".cnf.xml", "session"},
		{"a tunnel, its own in small letters", tunnel("x", anna), strings.ToLower(anna) + ".cnf.xml", "session"},
		{"a tunnel, its own signed file", tunnel("x", anna), anna + ".cnf.xml.sgn", "session"},
		{"a tunnel, its own trust list", tunnel("x", anna), "ITL" + anna + ".tlv", "session"},
		{"a tunnel, a shared file", tunnel("x", anna), "XMLDefault.cnf.xml", "session"},
		{"a tunnel, another's file, though the pool lies in the office and in an operator's network", tunnel("x", anna), bobs + ".cnf.xml", "no session"},
		{"a tunnel, another's trust list", tunnel("x", anna), "CTL" + bobs + ".tlv", "no session"},
		{"a tunnel, another's file in a folder", tunnel("x", anna), "old/" + bobs + ".cnf.xml.bak", "no session"},
		{"a tunnel, a blocked phone's file", tunnel("x", anna), stolen + ".cnf.xml", "no blocked"},
		{"a blocked phone's tunnel, a ring", tunnel("x", stolen), "Ringlist.xml", "no blocked"},
		{"a tunnel of a user with two phones, one of them", tunnel("anna", ""), annas2nd + ".cnf.xml", "session"},
		{"a tunnel of a user with two phones, a ring", tunnel("anna", ""), "Ringlist.xml", "session"},
		{"a tunnel of a user with two phones, the default file", tunnel("anna", ""), "xmldefault.cnf.xml", "no session"},
		{"a tunnel of a user with two phones, another's", tunnel("anna", ""), bobs + ".cnf.xml", "no session"},
		{"a laptop's tunnel", tunnel("staff", ""), "Ringlist.xml", "no session"},
		{"a tunnel of a user whom a server knows", tunnel("radius", ""), "Ringlist.xml", "no session"},
		{"an address of the pool that no session has", asker("10.20.0.141", "", nil), anna + ".cnf.xml", "no no-session"},
		{"an operator's address that is of the pool", asker("10.20.0.140", "", nil), anna + ".cnf.xml", "no no-session"},
		{"a certificate, its own file", asker("198.51.100.9", anna, nil), anna + ".cnf.xml", "certificate"},
		{"a certificate, a shared file", asker("198.51.100.9", anna, nil), "ITLFile.tlv", "certificate"},
		{"a certificate, another's file from the office", asker("10.20.0.9", anna, nil), bobs + ".cnf.xml", "no certificate"},
		{"a blocked phone's certificate", asker("198.51.100.9", stolen, nil), "Ringlist.xml", "no blocked"},
		{"outside, a phone's file", outside, anna + ".cnf.xml", "no not-an-office"},
		{"outside, a shared file", outside, "XMLDefault.cnf.xml", "no not-an-office"},
		{"outside, a phone that nobody knows", outside, "SEP0000000000FF.cnf.xml", "no not-an-office"},
		{"the office, a phone that nobody knows", desk, "SEP0000000000FF.cnf.xml", "office"},
	} {
		got := access.Decide(household(), c.who, c.name)
		rule, refused := strings.CutPrefix(c.want, "no ")
		if got.Allowed == refused || string(got.Rule) != rule || (got.Says == "") == refused {
			t.Errorf("%s: %+v, want %s", c.what, got, c.want)
		}
	}
}

// TestNoAccess: who sets nothing up shares nothing.
func TestNoAccess(t *testing.T) {
	t.Parallel()
	if got := (provision.Access{}).Decide(household(), provision.Asker{Address: netip.MustParseAddr("10.20.0.9")}, "Ringlist.xml"); got.Allowed {
		t.Errorf("without a network anybody gets files: %+v", got)
	}
}

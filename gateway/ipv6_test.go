package gateway

import (
	"net/netip"
	"testing"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/cstp"
)

// withSix gives people IPv6 inside.
func withSix(w *world, _ *Config) {
	set := declared()
	set.AddressPools["six"] = &inventory.AddressPool{Name: "six", Network: "fd00:99::/64"}
	set.TunnelGroups["staff"].IPv6AddressPool = "six"
	w.inventory.Store(set)
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"), withSix)
	c := w.dial(modern())
	request := c.offer(c.cookie(staffURL, "anna"))
	request.FullIPv6 = true
	if err := c.connect(request); err != nil {
		t.Fatal(err)
	}
	if got := c.answer.Address6.String(); got != "fd00:99::a63:2/64" {
		t.Fatalf("inner IPv6 address %s want fd00:99::a63:2/64", got)
	}
	mine := c.answer.Address6.Addr().String()
	up, down := packet6(mine, "fd00:20::5", protoUDP, udpHeader(53)), packet6("fd00:20::5", mine, protoUDP, udpHeader(4000))
	for _, forged := range [][]byte{
		packet6("fd00:99::a63:3", "fd00:20::5", protoUDP, udpHeader(53)), packet6("fe80::1", "ff02::2", protoICMPv6, []byte{133, 0, 0, 0}),
	} {
		c.sendFrame(cstp.Data, forged)
	}
	c.sendFrame(cstp.Data, up)
	if got := w.toHost(); got != string(up) {
		t.Errorf("the host gets % x", got)
	}
	w.fromHost(down)
	if got := c.frame(cstp.Data); got != string(down) {
		t.Errorf("the client gets % x", got)
	}
	d := c.dtls(w.socket())
	d.send(cstp.Data, up)
	if got := w.toHost(); got != string(up) {
		t.Errorf("the host gets % x", got)
	}
	w.fromHost(down)
	if got := d.message(cstp.Data); got != string(down) {
		t.Errorf("the client gets % x", got)
	}
	if w.router.holds() != 2 {
		t.Errorf("the host answers for %d addresses want 2", w.router.holds())
	}
	again := w.dial(modern()) // a client that comes back as one that knows no IPv6
	if err := again.connect(again.offer(request.Cookie)); err != nil || again.answer.Address6.IsValid() || again.answer.Address != c.answer.Address {
		t.Errorf("came back with %s and %s, %v", again.answer.Address, again.answer.Address6, err)
	}
	if w.router.holds() != 1 || w.g.sessions.inner.get(netip.MustParseAddr(mine)) != nil {
		t.Error("its IPv6 address is still the session's")
	}
	w.only().end(0)
	if w.router.holds() != 0 {
		t.Errorf("the host answers for %d addresses want none", w.router.holds())
	}
}

// TestIPv6Ends with the session, too.
func TestIPv6Ends(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"), withSix)
	c := w.dial(modern())
	request := c.offer(c.cookie(staffURL, "anna"))
	request.FullIPv6 = true
	if err := c.connect(request); err != nil {
		t.Fatal(err)
	}
	w.only().end(0)
	if w.router.holds() != 0 || w.g.sessions.inner.get(c.answer.Address6.Addr()) != nil {
		t.Error("something of the session is left")
	}
}

// TestNoIPv6ForPhones, whatever they say they can do.
func TestNoIPv6ForPhones(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"), withSix)
	w.inventory.Load().GroupPolicies["phones"].IPv6AddressPool = "six"
	c := w.dial(modern())
	request := c.offer(c.cookie(phoneURL, "anna"))
	request.FullIPv6 = true
	if err := c.connect(request); err != nil || c.answer.Address6.IsValid() {
		t.Errorf("a phone gets %s, %v", c.answer.Address6, err)
	}
}

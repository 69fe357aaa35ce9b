package judge

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/wire/asa"
)

// Addresses of phones that something else has. A free part of the inside network works, because the ASA answers ARP
// for it, and is only worth a note.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		pools := b.phonePools()
		for i, p := range pools {
			b.overInterfaces(p)
			for _, s := range c.All(fact.SEPServer) {
				if host, err := netip.ParseAddr(s.Get("host")); err == nil && p.has(host) {
					c.Find(finding.PoolOverlaps.With(p.String(), host.String(), "the phones' "+s.Get("what")), p.at, s)
				}
			}
			for _, d := range b.facts[fact.ASARange] {
				if first, last, ok := asaRange(d.Get("range")); ok && asaMeets(p, first, last) {
					c.Find(finding.PoolOverlaps.With(p.String(), d.Get("range"), d.Get("what")), p.at, d)
				}
			}
			for _, f := range b.facts[fact.GatewayPool] {
				if first, last, ok := asaRange(f.Get("network")); ok && f.Get("name") != p.name && asaMeets(p, first, last) && !slices.ContainsFunc(pools[:i], func(o asaPool) bool { return o.name == f.Get("name") }) {
					c.Find(finding.PoolOverlaps.With(p.String(), f.Get("network"), "pool "+f.Get("name")), p.at, f)
				}
			}
		}
	}
}, finding.PoolOverlaps)

func asaMeets(p asaPool, first, last netip.Addr) bool {
	return !last.Less(p.first) && !p.last.Less(first)
}

func (b *asaBox) overInterfaces(p asaPool) {
	for _, f := range b.facts[fact.ASAInterface] {
		at, err := netip.ParsePrefix(f.Get("address"))
		if err != nil || !slices.ContainsFunc(asa.Blocks(p.first, p.last), at.Masked().Overlaps) {
			continue
		}
		found := finding.PoolOverlaps.With(p.String(), at.Masked().String(), "interface "+f.Get("name"))
		switch {
		case p.has(at.Addr()):
			b.c.Find(found, p.at, f)
		case slices.Contains(b.outside(), strings.ToLower(f.Get("name"))) && !b.private(at.Addr()):
			b.c.Find(found, p.at, f)
		case !at.Masked().Contains(p.first) || !at.Masked().Contains(p.last):
			b.c.Find(found.As(finding.Likely), p.at, f)
		default:
			if quiet, ok := b.noProxyARP(f.Get("name")); ok {
				b.c.Find(found.As(finding.Likely), p.at, f, quiet)
				continue
			}
			found.Severity = finding.Note
			b.c.Find(found, p.at, f)
		}
	}
}

// private reports whether an interface that serves VPN has an address of an office: then it may be the inside one.
func (b *asaBox) private(a netip.Addr) bool { return a.IsPrivate() && len(b.outside()) > 1 }

// noProxyARP finds the command by which the ASA does not answer ARP for addresses of phones.
func (b *asaBox) noProxyARP(name string) (fact.Fact, bool) {
	return b.last(fact.ASAGlobal, "setting", "sysopt", "value", "noproxyarp "+name)
}

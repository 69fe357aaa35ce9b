package gateway

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// In the office's own network the gateway answers for phones: by ARP for IPv4 addresses, by neighbour
// discovery for IPv6 ones.

// AddProxy makes the gateway answer in the office's network for a phone's address. It does nothing when
// the pool needs no such answers, as a route leads to it or its addresses are translated.
func (r *Routing) AddProxy(address netip.Addr) error {
	pool, ok := r.poolWith(address)
	if !ok {
		return fmt.Errorf("gateway: %s is in no pool", address)
	}
	if r.wayOf(pool) != answered {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return fmt.Errorf("gateway: routing has been undone")
	}
	if err := r.kernel.NeighSet(proxyEntry(r.office.Attrs().Index, address)); err != nil {
		return fmt.Errorf("gateway: answer for %s on %s: %w", address, r.office.Attrs().Name, err)
	}
	r.proxied[address] = true
	return nil
}

// RemoveProxy ends what AddProxy began. An address that is not answered for is no error.
func (r *Routing) RemoveProxy(address netip.Addr) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.proxied[address] {
		return nil
	}
	delete(r.proxied, address)
	return r.removeProxy(proxy{link: r.office.Attrs().Index, address: address})
}

type proxy struct {
	link    int
	address netip.Addr
}

func proxyEntry(link int, address netip.Addr) *netlink.Neigh {
	family := netlink.FAMILY_V4
	if address.Is6() {
		family = netlink.FAMILY_V6
	}
	return &netlink.Neigh{LinkIndex: link, Family: family, Flags: netlink.NTF_PROXY, IP: address.AsSlice()}
}

func (r *Routing) removeProxy(p proxy) error {
	if err := r.kernel.NeighDel(proxyEntry(p.link, p.address)); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("end the answer for %s: %w", p.address, err)
	}
	return nil
}

// removeProxies removes every entry for the pools, on whichever interface: nobody but a gateway has a
// reason to answer for these addresses.
func (r *Routing) removeProxies() error {
	entries, err := r.proxies()
	for _, e := range entries {
		err = errors.Join(err, r.removeProxy(e))
	}
	return err
}

// proxies lists the entries that the kernel has for the pools.
func (r *Routing) proxies() ([]proxy, error) {
	var found []proxy
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		entries, err := r.kernel.NeighProxyList(0, family)
		if err != nil {
			return nil, fmt.Errorf("addresses answered for: %w", err)
		}
		for _, e := range entries {
			address, _ := netip.AddrFromSlice(e.IP)
			if _, ok := r.poolWith(address.Unmap()); ok {
				found = append(found, proxy{link: e.LinkIndex, address: address.Unmap()})
			}
		}
	}
	return found, nil
}

// lostProxies are the addresses that should be answered for and are not. r.mu is held, so that no session
// comes or goes between the list and the comparison.
func (r *Routing) lostProxies() ([]netip.Addr, error) {
	entries, err := r.proxies()
	if err != nil {
		return nil, err
	}
	var lost []netip.Addr
	for address := range r.proxied {
		if !slices.Contains(entries, proxy{link: r.office.Attrs().Index, address: address}) {
			lost = append(lost, address)
		}
	}
	return lost, nil
}

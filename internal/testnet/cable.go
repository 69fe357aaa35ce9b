package testnet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// Connect joins two hosts by a cable: interface ifA of a with prefixA, ifB of b with prefixB. A prefix
// that is not valid gives that end no address.
func Connect(a *Host, ifA string, prefixA netip.Prefix, b *Host, ifB string, prefixB netip.Prefix) error {
	if err := cable(a, ifA, nil, b, ifB); err != nil {
		return err
	}
	if prefixA.IsValid() {
		if err := a.Address(ifA, prefixA); err != nil {
			return err
		}
	}
	if prefixB.IsValid() {
		return b.Address(ifB, prefixB)
	}
	return nil
}

// cable joins two hosts and brings both ends up. A nil mac leaves a's address to the kernel.
func cable(a *Host, ifA string, mac net.HardwareAddr, b *Host, ifB string) error {
	pair := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: ifA, HardwareAddr: mac},
		PeerName:  ifB, PeerNamespace: netlink.NsFd(b.ns),
	}
	if err := a.link.LinkAdd(pair); err != nil {
		return fmt.Errorf("testnet: cable from %s of %s to %s of %s: %w", ifA, a.name, ifB, b.name, err)
	}
	if err := up(b.link, ifB); err != nil {
		return fmt.Errorf("testnet: host %s: %w", b.name, err)
	}
	if err := up(a.link, ifA); err != nil {
		return fmt.Errorf("testnet: host %s: %w", a.name, err)
	}
	return nil
}

// SwitchInterface is the switch's own interface, on which a Capture sees each frame once.
const SwitchInterface = "switch"

// Switch is an Ethernet switch: a bridge in a host of its own, without an address.
type Switch struct {
	*Host
	ports int
}

// NewSwitch makes a switch with nothing plugged in.
func NewSwitch(name string) (*Switch, error) {
	host, err := NewHost(name, nil)
	if err != nil {
		return nil, err
	}
	s := &Switch{Host: host}
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: SwitchInterface}}
	if err = s.link.LinkAdd(bridge); err == nil {
		err = up(s.link, SwitchInterface)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("testnet: switch %s: %w", name, err), s.Close())
	}
	return s, nil
}

// Plug joins the host's new interface ifname, with this hardware address (nil: any), to the switch. It
// is not for concurrent use.
func (s *Switch) Plug(h *Host, ifname string, mac net.HardwareAddr) error {
	s.ports++
	port := fmt.Sprintf("port%d", s.ports)
	if err := cable(h, ifname, mac, s.Host, port); err != nil {
		return err
	}
	link, err := s.link.LinkByName(port)
	if err == nil {
		var bridge netlink.Link
		if bridge, err = s.link.LinkByName(SwitchInterface); err == nil {
			err = s.link.LinkSetMaster(link, bridge)
		}
	}
	if err != nil {
		return fmt.Errorf("testnet: plug %s of %s into %s: %w", ifname, h.name, s.name, err)
	}
	return nil
}

// Unplug takes the cable away, the host's interface ifname with it.
func (h *Host) Unplug(ifname string) error {
	link, err := h.link.LinkByName(ifname)
	if err == nil {
		err = h.link.LinkDel(link)
	}
	if err != nil {
		return fmt.Errorf("testnet: unplug %s of %s: %w", ifname, h.name, err)
	}
	return nil
}

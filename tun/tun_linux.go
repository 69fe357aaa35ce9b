package tun

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Open makes a TUN interface, gives it its address and routes, and brings it up. It needs
// CAP_NET_ADMIN.
func Open(s Settings) (Device, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("tun: open /dev/net/tun: %w", err)
	}
	flags := uint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if s.Segments {
		flags |= unix.IFF_VNET_HDR
	}
	name, err := attach(fd, s.Name, flags)
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	if s.Segments { // a kernel that does not take it cuts and sums by itself, and its headers are empty
		_ = unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, unix.TUN_F_CSUM|unix.TUN_F_TSO4|unix.TUN_F_TSO6)
	}
	d := &device{file: os.NewFile(uintptr(fd), "/dev/net/tun"), name: name, headers: s.Segments}
	if err := d.configure(s); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// attach names the interface behind fd and returns the name it got.
func attach(fd int, name string, flags uint16) (string, error) {
	if name == "" {
		name = "longcord%d"
	}
	req, err := unix.NewIfreq(name)
	if err != nil {
		return "", fmt.Errorf("tun: interface name %q: %w", name, err)
	}
	req.SetUint16(flags)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
		return "", fmt.Errorf("tun: make interface %q: %w", name, err)
	}
	return req.Name(), nil
}

type device struct {
	file    *os.File // nil once fd is detached
	fd      int
	headers bool // packets have headers before them
	name    string
	rule    *sourceRule // nil: none
}

func (d *device) configure(s Settings) error {
	handle, err := netlink.NewHandle()
	if err != nil {
		return fmt.Errorf("tun: netlink: %w", err)
	}
	defer handle.Close()
	link, err := handle.LinkByName(d.name)
	if err != nil {
		return fmt.Errorf("tun: find %s: %w", d.name, err)
	}
	if s.MTU != 0 {
		if err := handle.LinkSetMTU(link, s.MTU); err != nil {
			return fmt.Errorf("tun: set MTU %d on %s: %w", s.MTU, d.name, err)
		}
	}
	if s.Queue != 0 {
		if err := handle.LinkSetTxQLen(link, s.Queue); err != nil {
			return fmt.Errorf("tun: set queue of %d packets on %s: %w", s.Queue, d.name, err)
		}
	}
	if s.Address.IsValid() {
		addr := &netlink.Addr{IPNet: &net.IPNet{
			IP:   s.Address.Addr().AsSlice(),
			Mask: net.CIDRMask(s.Address.Bits(), s.Address.Addr().BitLen()),
		}}
		if err := handle.AddrAdd(link, addr); err != nil {
			return fmt.Errorf("tun: add %s to %s: %w", s.Address, d.name, err)
		}
	}
	if err := handle.LinkSetUp(link); err != nil {
		return fmt.Errorf("tun: bring up %s: %w", d.name, err)
	}
	for _, prefix := range s.Routes {
		route := &netlink.Route{LinkIndex: link.Attrs().Index, Scope: netlink.SCOPE_LINK, Dst: &net.IPNet{
			IP:   prefix.Masked().Addr().AsSlice(),
			Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen()),
		}}
		if err := handle.RouteReplace(route); err != nil {
			return fmt.Errorf("tun: route %s to %s: %w", prefix, d.name, err)
		}
	}
	if s.FromAddress {
		d.rule, err = newSourceRule(link, s.Address.Addr())
	}
	return err
}

func (d *device) Name() string                     { return d.name }
func (d *device) Read(packet []byte) (int, error)  { return d.file.Read(packet) }
func (d *device) Write(packet []byte) (int, error) { return d.file.Write(packet) }

// Detach takes the descriptor away from Go's poller, which would be woken by every packet.
func (d *device) Detach() (fd int, headers bool, err error) {
	raw, err := d.file.SyscallConn()
	if err != nil {
		return 0, false, err
	}
	if controlErr := raw.Control(func(fd uintptr) {
		d.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
	}); controlErr != nil || err != nil {
		return 0, false, fmt.Errorf("tun: detach: %w", errors.Join(controlErr, err))
	}
	file := d.file
	d.file = nil
	return d.fd, d.headers, file.Close()
}

func (d *device) closeFile() error {
	if d.file == nil {
		return unix.Close(d.fd)
	}
	return d.file.Close()
}

// Close removes the interface: it lives as long as its file is open, and its routes with it.
func (d *device) Close() error {
	err := d.closeFile()
	if d.rule != nil {
		err = errors.Join(err, d.rule.close())
	}
	return err
}

// sourceRule sends packets from an address to an interface, by a routing table of their own.
type sourceRule struct {
	handle *netlink.Handle
	rule   *netlink.Rule
}

const (
	firstTable   = 0x4c43_0000 // the table's number is this and the interface's, far from what people number by hand
	rulePriority = 10_000      // before the main table's 32766
)

func newSourceRule(link netlink.Link, address netip.Addr) (*sourceRule, error) {
	handle, err := netlink.NewHandle()
	if err != nil {
		return nil, fmt.Errorf("tun: netlink: %w", err)
	}
	index := link.Attrs().Index
	r := &sourceRule{handle: handle, rule: netlink.NewRule()}
	r.rule.Family, r.rule.Table, r.rule.Priority = unix.AF_INET, firstTable+index, rulePriority
	if address.Is6() {
		r.rule.Family = unix.AF_INET6
	}
	size := address.BitLen()
	r.rule.Src = &net.IPNet{IP: address.AsSlice(), Mask: net.CIDRMask(size, size)}
	everything := &net.IPNet{IP: make(net.IP, size/8), Mask: net.CIDRMask(0, size)}
	route := &netlink.Route{LinkIndex: index, Scope: netlink.SCOPE_LINK, Table: r.rule.Table, Dst: everything}
	if err = handle.RouteReplace(route); err == nil {
		err = handle.RuleAdd(r.rule)
	}
	if err != nil {
		handle.Close()
		return nil, fmt.Errorf("tun: send what comes from %s to %s: %w", address, link.Attrs().Name, err)
	}
	return r, nil
}

func (r *sourceRule) close() error {
	defer r.handle.Close()
	if err := r.handle.RuleDel(r.rule); err != nil {
		return fmt.Errorf("tun: take back the rule for %s: %w", r.rule.Src, err)
	}
	return nil
}

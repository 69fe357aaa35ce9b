package tun

import (
	"errors"
	"fmt"
	"net"
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
	name, err := attach(fd, s.Name)
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	d := &device{file: os.NewFile(uintptr(fd), "/dev/net/tun"), name: name}
	if err := d.configure(s); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// attach names the interface behind fd and returns the name it got.
func attach(fd int, name string) (string, error) {
	if name == "" {
		name = "longcord%d"
	}
	req, err := unix.NewIfreq(name)
	if err != nil {
		return "", fmt.Errorf("tun: interface name %q: %w", name, err)
	}
	req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
		return "", fmt.Errorf("tun: make interface %q: %w", name, err)
	}
	return req.Name(), nil
}

type device struct {
	file *os.File
	name string
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
	return nil
}

func (d *device) Name() string                     { return d.name }
func (d *device) Read(packet []byte) (int, error)  { return d.file.Read(packet) }
func (d *device) Write(packet []byte) (int, error) { return d.file.Write(packet) }

// Close removes the interface: it lives as long as its file is open.
func (d *device) Close() error { return d.file.Close() }

package testnet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Host is a machine of its own as far as the network goes: a network namespace with its loopback up,
// and a thread inside that works and starts programs there.
type Host struct {
	name   string
	disk   *Disk
	thread *thread
	ns     netns.NsHandle
	link   *netlink.Handle
}

// NewHost makes a host without cables. The name appears in errors only. disk may be nil: then the host
// sees the machine's files as they are.
func NewHost(name string, disk *Disk) (*Host, error) {
	h := &Host{name: name, disk: disk, ns: netns.None()}
	var err error
	if h.thread, err = newThread(h.enter); err != nil {
		return nil, errors.Join(fmt.Errorf("testnet: make host %s: %w", name, err), h.release())
	}
	return h, nil
}

// enter moves the calling thread into a new network and prepares it.
func (h *Host) enter() error {
	if h.disk != nil {
		if err := h.disk.enter(); err != nil {
			return err
		}
	}
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("new network namespace: %w", err)
	}
	var err error
	if h.ns, err = netns.Get(); err != nil {
		return fmt.Errorf("hold network namespace: %w", err)
	}
	if h.link, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	if err := up(h.link, "lo"); err != nil {
		return err
	}
	// Neighbour and router discovery would only clutter captures. Without IPv6 in the kernel the
	// setting is missing, which is as good.
	err = writeSysctl("net/ipv6/conf/default/disable_ipv6", "1")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// Name returns the name given to NewHost.
func (h *Host) Name() string { return h.name }

// Namespace returns a path that stands for the host's network namespace as long as this process and
// the host live, fit for `nsenter --net=`.
func (h *Host) Namespace() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), int(h.ns)) }

// Do runs f inside the host and returns its error. Sockets that f opens stay the host's wherever they
// are used. One function runs at a time, and goroutines that f starts are elsewhere.
func (h *Host) Do(f func() error) error { return h.thread.do(f) }

// Start starts cmd inside the host, with the Disk as its working directory unless cmd says another. The
// program is killed when the host is closed or this process ends. The caller waits for it.
func (h *Host) Start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &unix.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = unix.SIGKILL
	if cmd.Dir == "" && h.disk != nil {
		cmd.Dir = DiskPath
	}
	if err := h.Do(cmd.Start); err != nil {
		return fmt.Errorf("testnet: start %s in host %s: %w", filepath.Base(cmd.Path), h.name, err)
	}
	return nil
}

// Close kills what runs in the host and lets go of its network, which takes its cables with it.
func (h *Host) Close() error {
	h.thread.close()
	return h.release()
}

func (h *Host) release() error {
	if h.link != nil {
		h.link.Close()
	}
	if h.ns.IsOpen() {
		return h.ns.Close()
	}
	return nil
}

// Sysctl sets one of the host's network settings, such as "net.ipv4.ip_forward".
func (h *Host) Sysctl(name, value string) error {
	path := strings.ReplaceAll(name, ".", "/")
	if err := h.Do(func() error { return writeSysctl(path, value) }); err != nil {
		return fmt.Errorf("testnet: host %s: %w", h.name, err)
	}
	return nil
}

func writeSysctl(path, value string) error {
	return os.WriteFile("/proc/sys/"+path, []byte(value), 0)
}

// Forward makes the host pass on packets that are not for itself.
func (h *Host) Forward() error { return h.Sysctl("net.ipv4.ip_forward", "1") }

// Address gives an interface an address with the length of its network.
func (h *Host) Address(ifname string, prefix netip.Prefix) error {
	link, err := h.link.LinkByName(ifname)
	if err == nil {
		err = h.link.AddrAdd(link, &netlink.Addr{IPNet: ipNet(prefix)})
	}
	if err != nil {
		return fmt.Errorf("testnet: host %s: add %s to %s: %w", h.name, prefix, ifname, err)
	}
	return nil
}

// MAC gives an interface another MAC address.
func (h *Host) MAC(ifname string, mac net.HardwareAddr) error {
	link, err := h.link.LinkByName(ifname)
	if err == nil {
		err = h.link.LinkSetHardwareAddr(link, mac)
	}
	if err != nil {
		return fmt.Errorf("testnet: host %s: MAC address of %s: %w", h.name, ifname, err)
	}
	return nil
}

// Own makes every address of a network the host's own, as if each stood on its loopback.
func (h *Host) Own(network netip.Prefix) error {
	lo, err := h.link.LinkByName("lo")
	if err == nil {
		err = h.link.RouteReplace(&netlink.Route{
			LinkIndex: lo.Attrs().Index, Dst: ipNet(network.Masked()), Type: unix.RTN_LOCAL, Table: unix.RT_TABLE_LOCAL, Scope: unix.RT_SCOPE_HOST,
		})
	}
	if err != nil {
		return fmt.Errorf("testnet: host %s: own %s: %w", h.name, network, err)
	}
	return nil
}

// Route sends packets for dst to via. The zero dst is the default route.
func (h *Host) Route(dst netip.Prefix, via netip.Addr) error {
	route := &netlink.Route{Gw: via.AsSlice()}
	if dst.IsValid() {
		route.Dst = ipNet(dst.Masked())
	}
	if err := h.link.RouteReplace(route); err != nil {
		return fmt.Errorf("testnet: host %s: route to %s: %w", h.name, via, err)
	}
	return nil
}

func up(handle *netlink.Handle, ifname string) error {
	link, err := handle.LinkByName(ifname)
	if err == nil {
		err = handle.LinkSetUp(link)
	}
	if err != nil {
		return fmt.Errorf("bring up %s: %w", ifname, err)
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

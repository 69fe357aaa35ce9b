package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"

	"github.com/longcord/longcord/internal/testnet"
)

// Where things are. The pool is part of the office's network, so nothing there needs a route to it.
//
//	desk ──┐
//	       ├─ office LAN ── gateway ── internet ── router ── home LAN
//	phone ─┘ 10.20.0.0/24          203.0.113.0/24   198.51.100.0/24  192.168.1.0/24
//	                                                                   └─ phone, later
var (
	insidePrefix  = netip.MustParsePrefix("10.20.0.1/24")
	poolPrefix    = netip.MustParsePrefix("10.20.0.128/26")
	outsidePrefix = netip.MustParsePrefix("203.0.113.2/24")
	officeISP     = netip.MustParsePrefix("203.0.113.1/24")
	homeISP       = netip.MustParsePrefix("198.51.100.1/24")
	wanPrefix     = netip.MustParsePrefix("198.51.100.77/24")
	homePrefix    = netip.MustParsePrefix("192.168.1.1/24")

	oldServerPrefix = netip.MustParsePrefix("10.20.0.5/24") // where one stands that somebody left
)

// Interfaces.
const (
	phonePort    = "eth0" // of both phones
	insidePort   = "inside"
	outsidePort  = "outside"
	wanPort      = "wan"
	lanPort      = "lan"
	towardOffice = "office" // of the internet
	towardHome   = "home"
	tunnelPort   = "vpn0" // the home phone's tunnel
)

// world is the networks of the story and the hosts in them.
type world struct {
	homeNetwork  netip.Prefix // the router's own address in it
	officeRouter netip.Addr   // as DHCP in the office names it
	fileServers  []netip.Addr // likewise

	disk         *testnet.Disk
	office, home *testnet.Switch
	gateway      *testnet.Host // in the office: provisioner, gateway and call manager
	desk         *testnet.Host // the desk phone
	phone        *testnet.Host // the phone that is carried home
	internet     *testnet.Host
	router       *testnet.Host // at home
	capture      *testnet.Capture

	closers []func() error // in the order of making
}

// newWorld builds the world with the phone's cable still in nobody's hands. Close it in any case.
func newWorld(c Config) (*world, error) {
	w := &world{homeNetwork: c.homeNetwork, officeRouter: c.officeRouter, fileServers: []netip.Addr{insidePrefix.Addr()}}
	if c.secondTFTP.IsValid() {
		w.fileServers = append(w.fileServers, c.secondTFTP)
	}
	for _, build := range []func() error{w.makeHosts, w.wireOffice, w.wireInternet, w.wireHome} {
		if err := build(); err != nil {
			return w, err
		}
	}
	return w, nil
}

func (w *world) makeHosts() (err error) {
	if w.disk, err = testnet.NewDisk(); err != nil {
		return err
	}
	w.closers = append(w.closers, w.disk.Close)
	for name, host := range map[string]**testnet.Host{
		"gateway": &w.gateway, "desk": &w.desk, "phone": &w.phone, "internet": &w.internet, "router": &w.router,
	} {
		if *host, err = testnet.NewHost(name, w.disk); err != nil {
			return err
		}
		w.closers = append(w.closers, (*host).Close)
	}
	for name, lan := range map[string]**testnet.Switch{"office": &w.office, "home": &w.home} {
		if *lan, err = testnet.NewSwitch(name); err != nil {
			return err
		}
		w.closers = append(w.closers, (*lan).Close)
	}
	return nil
}

// wireOffice gives the office its LAN and a DHCP server that tells phones where their files are.
func (w *world) wireOffice() error {
	var files []byte
	for _, server := range w.fileServers {
		files = append(files, server.AsSlice()...)
	}
	return errors.Join(
		w.office.Plug(w.gateway, insidePort, nil),
		w.gateway.Address(insidePort, insidePrefix),
		w.serveDHCP(w.gateway, insidePort, testnet.DHCPSettings{
			Server: insidePrefix, First: netip.MustParseAddr("10.20.0.10"), Last: netip.MustParseAddr("10.20.0.99"),
			Router: w.officeRouter, Options: map[uint8][]byte{testnet.OptionTFTPServerAddress: files},
		}),
	)
}

// oldServer is one more host in the office.
func (w *world) oldServer() (*testnet.Host, error) {
	h, err := testnet.NewHost("old", w.disk)
	if err != nil {
		return nil, err
	}
	w.closers = append(w.closers, h.Close)
	return h, errors.Join(w.office.Plug(h, insidePort, nil), h.Address(insidePort, oldServerPrefix))
}

// wireInternet joins office and home by a router that knows nothing of private addresses.
func (w *world) wireInternet() error {
	return errors.Join(
		testnet.Connect(w.gateway, outsidePort, outsidePrefix, w.internet, towardOffice, officeISP),
		w.gateway.Route(netip.Prefix{}, officeISP.Addr()),
		testnet.Connect(w.router, wanPort, wanPrefix, w.internet, towardHome, homeISP),
		w.router.Route(netip.Prefix{}, homeISP.Addr()),
		w.internet.Forward(),
	)
}

// wireHome makes the home router what such routers are: NAT and DHCP, and no word about phones.
func (w *world) wireHome() error {
	return errors.Join(
		w.home.Plug(w.router, lanPort, nil),
		w.router.Address(lanPort, w.homeNetwork),
		w.router.Forward(),
		w.router.Masquerade(wanPort),
		w.serveDHCP(w.router, lanPort, testnet.DHCPSettings{
			Server: w.homeNetwork, First: within(w.homeNetwork, 100), Last: within(w.homeNetwork, 199),
			Router: w.homeNetwork.Addr(), DNS: []netip.Addr{w.homeNetwork.Addr()},
		}),
	)
}

// within returns an address of an IPv4 network by its last byte.
func within(network netip.Prefix, last byte) netip.Addr {
	address := network.Masked().Addr().As4()
	address[3] = last
	return netip.AddrFrom4(address)
}

func (w *world) serveDHCP(h *testnet.Host, ifname string, settings testnet.DHCPSettings) error {
	server, err := testnet.ServeDHCP(h, ifname, settings)
	if err != nil {
		return err
	}
	w.closers = append(w.closers, server.Close)
	return nil
}

// plug puts the cable of the phone with this device name into a switch and waits for its address.
func (w *world) plug(ctx context.Context, lan *testnet.Switch, h *testnet.Host, name string) (testnet.Lease, error) {
	mac, err := net.ParseMAC(hardwareAddress(name))
	if err != nil {
		return testnet.Lease{}, err
	}
	if err := lan.Plug(h, phonePort, mac); err != nil {
		return testnet.Lease{}, err
	}
	return h.Lease(ctx, phonePort)
}

// hardwareAddress returns the MAC address that a device name holds.
func hardwareAddress(name string) string {
	hex := name[len("SEP"):]
	return fmt.Sprintf("%s:%s:%s:%s:%s:%s", hex[0:2], hex[2:4], hex[4:6], hex[6:8], hex[8:10], hex[10:12])
}

// record begins to capture where a packet of the story passes: before the NAT, behind it, in the
// office, and inside the tunnel.
func (w *world) record() error {
	w.capture = &testnet.Capture{}
	return errors.Join(
		w.capture.Tap("office-lan", w.office.Host, testnet.SwitchInterface),
		w.capture.Tap("internet", w.internet, towardOffice),
		w.capture.Tap("home-lan", w.home.Host, testnet.SwitchInterface),
		w.capture.Tap("phone-tunnel", w.phone, tunnelPort),
	)
}

// path is where hosts see a file of the disk.
func path(elements ...string) string {
	return filepath.Join(append([]string{testnet.DiskPath}, elements...)...)
}

// close takes the world down, the latest part first.
func (w *world) close() error {
	var errs []error
	for i := len(w.closers) - 1; i >= 0; i-- {
		errs = append(errs, w.closers[i]())
	}
	return errors.Join(errs...)
}

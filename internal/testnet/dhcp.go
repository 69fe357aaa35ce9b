package testnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
	"github.com/insomniacslk/dhcp/dhcpv4/server4"
)

// leaseTime outlasts any test: clients here do not renew.
const leaseTime = 24 * time.Hour

// OptionTFTPServerAddress is DHCP option 150, addresses of file servers for Cisco phones (RFC 5859).
const OptionTFTPServerAddress = 150

// DHCPSettings is what a DHCP server hands out. All addresses are IPv4.
type DHCPSettings struct {
	Server  netip.Prefix // its own address and the network's length
	First   netip.Addr   // first address handed out
	Last    netip.Addr   // last one
	Router  netip.Addr   // default route; the zero value gives none
	DNS     []netip.Addr
	Options map[uint8][]byte // further options as they go on the wire
}

// DHCPServer hands out addresses on one interface of a host.
type DHCPServer struct {
	settings DHCPSettings
	server   *server4.Server
	done     chan struct{}

	mu     sync.Mutex
	leases map[string]netip.Addr // by hardware address
}

// ServeDHCP starts a server on ifname, which has its address already.
func ServeDHCP(h *Host, ifname string, settings DHCPSettings) (*DHCPServer, error) {
	s := &DHCPServer{settings: settings, done: make(chan struct{}), leases: map[string]netip.Addr{}}
	err := h.Do(func() (err error) {
		s.server, err = server4.NewServer(ifname, nil, s.answer)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("testnet: DHCP server on %s of %s: %w", ifname, h.name, err)
	}
	go func() {
		defer close(s.done)
		// It ends with Close, and says no more than that the socket is closed.
		_ = s.server.Serve()
	}()
	return s, nil
}

// Close ends the server.
func (s *DHCPServer) Close() error {
	err := s.server.Close()
	<-s.done
	// Serve closes the socket too, whichever comes first.
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (s *DHCPServer) answer(conn net.PacketConn, peer net.Addr, request *dhcpv4.DHCPv4) {
	kind := dhcpv4.MessageTypeAck
	switch request.MessageType() {
	case dhcpv4.MessageTypeDiscover:
		kind = dhcpv4.MessageTypeOffer
	case dhcpv4.MessageTypeRequest:
	default:
		return
	}
	address, ok := s.lease(request.ClientHWAddr.String())
	if !ok {
		return
	}
	reply, err := dhcpv4.NewReplyFromRequest(request, s.options(kind, address)...)
	if err != nil {
		return
	}
	// A client that hears nothing asks again.
	_, _ = conn.WriteTo(reply.ToBytes(), peer)
}

// lease returns the address of this hardware address, the same one each time.
func (s *DHCPServer) lease(mac string) (netip.Addr, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if address, ok := s.leases[mac]; ok {
		return address, true
	}
	address := s.settings.First
	for range len(s.leases) {
		address = address.Next()
	}
	if s.settings.Last.Less(address) {
		return netip.Addr{}, false
	}
	s.leases[mac] = address
	return address, true
}

func (s *DHCPServer) options(kind dhcpv4.MessageType, address netip.Addr) []dhcpv4.Modifier {
	own := s.settings.Server
	mods := []dhcpv4.Modifier{
		dhcpv4.WithMessageType(kind),
		dhcpv4.WithYourIP(address.AsSlice()),
		dhcpv4.WithServerIP(own.Addr().AsSlice()),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(own.Addr().AsSlice())),
		dhcpv4.WithNetmask(net.CIDRMask(own.Bits(), 32)),
		dhcpv4.WithLeaseTime(uint32(leaseTime / time.Second)),
	}
	if s.settings.Router.IsValid() {
		mods = append(mods, dhcpv4.WithRouter(s.settings.Router.AsSlice()))
	}
	for _, dns := range s.settings.DNS {
		mods = append(mods, dhcpv4.WithDNS(dns.AsSlice()))
	}
	for code, value := range s.settings.Options {
		mods = append(mods, dhcpv4.WithGeneric(dhcpv4.GenericOptionCode(code), value))
	}
	return mods
}

// Lease is what a DHCP server gave.
type Lease struct {
	Address netip.Prefix
	Router  netip.Addr // the zero value when there is none
	DNS     []netip.Addr
	Options map[uint8][]byte // every option as it came
}

// Lease asks for an address on ifname by DHCP, and sets it and the default route.
func (h *Host) Lease(ctx context.Context, ifname string) (Lease, error) {
	lease, err := h.request(ctx, ifname)
	if err != nil {
		return Lease{}, fmt.Errorf("testnet: host %s: DHCP on %s: %w", h.name, ifname, err)
	}
	if err := h.Address(ifname, lease.Address); err != nil {
		return Lease{}, err
	}
	if lease.Router.IsValid() {
		if err := h.Route(netip.Prefix{}, lease.Router); err != nil {
			return Lease{}, err
		}
	}
	return lease, nil
}

func (h *Host) request(ctx context.Context, ifname string) (lease Lease, err error) {
	var client *nclient4.Client
	if err := h.Do(func() (err error) {
		// A switch port may drop the very first frames, so the first tries follow quickly.
		client, err = nclient4.New(ifname, nclient4.WithTimeout(300*time.Millisecond), nclient4.WithRetry(20))
		return err
	}); err != nil {
		return Lease{}, err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	given, err := client.Request(ctx, dhcpv4.WithRequestedOptions(dhcpv4.GenericOptionCode(OptionTFTPServerAddress), dhcpv4.OptionTFTPServerName))
	if err != nil {
		return Lease{}, err
	}
	return leaseOf(given.ACK)
}

func leaseOf(ack *dhcpv4.DHCPv4) (Lease, error) {
	address, ok := netip.AddrFromSlice(ack.YourIPAddr.To4())
	bits, size := ack.SubnetMask().Size()
	if !ok || size != 32 {
		return Lease{}, fmt.Errorf("answer gives address %v with mask %v", ack.YourIPAddr, ack.SubnetMask())
	}
	lease := Lease{Address: netip.PrefixFrom(address, bits), Options: map[uint8][]byte{}}
	for code, value := range ack.Options {
		lease.Options[code] = slices.Clone(value)
	}
	if routers := ack.Router(); len(routers) > 0 {
		lease.Router, _ = netip.AddrFromSlice(routers[0].To4())
	}
	for _, dns := range ack.DNS() {
		if addr, ok := netip.AddrFromSlice(dns.To4()); ok {
			lease.DNS = append(lease.DNS, addr)
		}
	}
	return lease, nil
}

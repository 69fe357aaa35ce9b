package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/longcord/longcord/config"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/fitness"
	"github.com/longcord/longcord/provisioner"
	"github.com/longcord/longcord/reader"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/wire/cnf"
)

// fitness collects what is known of a phone and judges it.
func (s *system) fitness(ctx context.Context, device *inventory.Device, resolver string) []fitness.Check {
	set := s.catalog.Current()
	f := fitness.Facts{
		Device: device.Name, Calls: s.callmanager != nil && s.settings.Calls.Mode == config.Own,
		Server: s.fileServer(), Outside: s.settings.Outside, Load: device.Load,
	}
	if f.Model, f.Known = set.Model(device.Model); !f.Known {
		f.Model.Name = device.Model
	}
	vpn, ok := set.VPNSettingsFor(device)
	if !ok {
		return fitness.Judge(f)
	}
	f.VPN = &vpn
	for _, certificate := range vpn.Certificates {
		if leaf, err := certificate.Leaf(); err == nil {
			f.Hashes = append(f.Hashes, cnf.CertificateHash(leaf.Raw))
		}
	}
	if own, err := s.provisionerConfig().Renderer().Device(set, device); err == nil {
		f.Own.Stamp = own.VersionStamp
		f.Own.WebAccess, _ = own.Setting("webAccess")
	}
	s.fetched(&f)
	for _, r := range s.registrations() {
		if r.Phone == device.Name {
			f.Registered = append(f.Registered, r.Began)
			if r.Load != "" {
				f.Load = r.Load
			}
		}
	}
	s.readPage(ctx, &f)
	f.Password = vpn.ClientAuthentication != inventory.ByCertificate
	logins(&f, set, device)
	if s.phoneCertificates != nil && s.phoneCertificates.Phone(device.Name).Current(time.Now()) != nil {
		has := true // that there is none of ours says nothing: another house's may be in the phone
		f.HasLSC = &has
	}
	f.Names = namesOf(ctx, vpn.Gateways, resolver)
	return fitness.Judge(f)
}

// fileServer is the address that belongs into phones' TFTP fields.
func (s *system) fileServer() netip.Addr {
	if own := s.settings.Provisioner.Address; own.IsValid() {
		return own
	}
	return s.settings.Inside
}

// readPage fills in what the phone's own web page tells, where it can be reached.
func (s *system) readPage(ctx context.Context, f *fitness.Facts) {
	address, ok := s.addressOf(f.Device)
	if !ok {
		return
	}
	visit, err := reader.New(reader.Config{}).Visit(ctx, address)
	if err != nil {
		return // the check says what to look at instead
	}
	f.Page = &fitness.Page{Servers: visit.Info.TFTPServers}
	if yes, known := visit.Info.HasAlternateTFTP(); known {
		f.Page.AlternateTFTP = &yes
	}
	if visit.Info.Load != "" {
		f.Load = visit.Info.Load
	}
}

// fetched fills in the newest delivery of the phone's own file.
func (s *system) fetched(f *fitness.Facts) {
	if s.provisioner == nil {
		return
	}
	recent := s.provisioner.Deliveries()[f.Device]
	if d, ok := newestFile(recent, s.counting()); ok {
		f.Fetched = &fitness.Fetched{Stamp: d.VersionStamp, Hashes: d.Hashes, Complete: d.Complete}
		return
	}
	if d, ok := newestFile(recent, func(provisioner.Delivery) bool { return true }); ok {
		f.Unproven = &fitness.Unproven{To: d.Peer.Addr().Unmap(), Other: d.By == provision.SomebodyElse}
	}
}

// logins fills in who may log in as a device: users of this inventory, or of servers that its tunnel group asks.
func logins(f *fitness.Facts, set *inventory.Set, device *inventory.Device) {
	for _, gateway := range f.VPN.Gateways {
		if group, ok := set.GroupByURL(gateway.URL); ok {
			f.Foreign = f.Foreign || slices.ContainsFunc(group.AuthenticationServerGroup, func(s string) bool { return s != inventory.LocalUsers })
		}
	}
	for name, user := range set.Users {
		switch {
		case user.Blocked:
		case name == device.Name || slices.Contains(user.Devices, device.Name):
			f.Users = append(f.Users, name)
		case len(user.Devices) == 0 && user.GroupLock == "":
			f.Others++
		}
	}
	slices.Sort(f.Users)
}

// lookupTime bounds the question for one name.
const lookupTime = 4 * time.Second

// namesOf asks for the addresses of the gateways' names, all at once.
func namesOf(ctx context.Context, gateways []*inventory.VPNGateway, resolver string) []fitness.Name {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	asked := &net.Resolver{}
	if resolver != "" {
		at := net.JoinHostPort(resolver, "53")
		if _, _, err := net.SplitHostPort(resolver); err == nil {
			at = resolver
		}
		asked = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, at)
		}}
	}
	names := make([]fitness.Name, len(gateways))
	var running sync.WaitGroup
	for i, gateway := range gateways {
		running.Go(func() {
			names[i].Public = resolver != ""
			u, err := url.Parse(gateway.URL)
			if err != nil {
				names[i].Err = errors.New("the URL cannot be read")
				return
			}
			names[i].Host = u.Hostname()
			if _, err := netip.ParseAddr(names[i].Host); err == nil {
				return
			}
			addresses, err := asked.LookupNetIP(ctx, "ip4", names[i].Host)
			for _, a := range addresses {
				names[i].Addresses = append(names[i].Addresses, a.Unmap())
			}
			names[i].Err = err
		})
	}
	running.Wait()
	return names
}

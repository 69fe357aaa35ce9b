package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"sync"
	"time"

	"github.com/longcord/longcord/gateway"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/provisioner"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/trust"
)

// What the provisioner is made of, and what it wants to know of other parts.

func (s *system) provisionerConfig() provisioner.Config {
	settings := provisioner.DefaultSettings(s.settings.Inside)
	settings.FilesDir = s.settings.Provisioner.Files
	settings.CallManagers = s.settings.Calls.Servers
	settings.Access = provision.Access{Office: s.settings.Provisioner.OfficeNetworks, Operators: s.settings.Provisioner.Operators}
	if settings.Access.Office == nil {
		if network := networkOf(s.settings.Inside); network.IsValid() {
			settings.Access.Office = []netip.Prefix{network}
		}
	}
	return provisioner.Config{
		Settings: settings, Inventory: s.catalog.Current, Authority: s.authority, Holder: s.holder(), EnrolMode: s.phoneCertificates.Mode,
		Store: s.store, Findings: s.findings, Log: s.log, PhoneCertificate: s.certificateOf,
		Unknown:     func(device string, peer netip.AddrPort, file string) { s.strangers.met(device, peer, file, "") },
		Certificate: func() (tls.Certificate, error) { return s.authority.Pair(trust.FilesEC) },
		Prove: func(sent []*x509.Certificate) (string, error) {
			return proven(s.catalog.Current(), s.phoneCertificates.Authority(), sent, time.Now())
		},
	}
}

// certificateOf returns what the files of a device are encrypted for.
func (s *system) certificateOf(device string) (phone *x509.Certificate, good bool) {
	return s.phoneCertificates.Phone(device).ForFiles()
}

// proven returns the device that a client certificate proves: one of an authority whose phones may log in to
// the VPN with it.
func proven(set *inventory.Set, own *verify.Authority, sent []*x509.Certificate, now time.Time) (string, error) {
	var authorities []verify.Authority
	seen := map[string]bool{}
	for _, group := range set.TunnelGroups {
		if !group.Phones {
			continue
		}
		for _, a := range set.Authorities(group) {
			if seen[a.Name] {
				continue
			}
			seen[a.Name] = true
			if a.Own {
				authorities = append(authorities, verify.Authority{Name: a.Name, Issuers: own.Issuers, Lists: own.Lists})
				continue
			}
			issuers, err := a.Issuers()
			if err != nil {
				return "", err
			}
			lists, err := a.RevocationLists()
			if err != nil {
				return "", err
			}
			authorities = append(authorities, verify.Authority{Name: a.Name, Manufacturer: a.Manufacturer, Issuers: issuers, Lists: lists})
		}
	}
	certificate, err := verify.CheckClient(now, sent, authorities)
	if err != nil {
		return "", err
	}
	return inventory.DeviceInName(certificate.Name), nil
}

// holder returns a function that knows who has an inner address: from the gateway here, or, where that is
// another process, from what it stores.
func (s *system) holder() func(netip.Addr) (provision.Holder, bool) {
	elsewhere := storedHolders{system: s}
	return func(address netip.Addr) (provision.Holder, bool) {
		of := elsewhere.holder
		if s.gateway != nil {
			of = s.gateway.Holder
		}
		who, ok := of(address)
		return provision.Holder(who), ok
	}
}

// phonesOfTunnel returns a function that knows which phones may be at the end of the tunnel that has an address.
func (s *system) phonesOfTunnel() func(netip.Addr) (devices []string, yes bool) {
	holder := s.holder()
	return func(address netip.Addr) ([]string, bool) {
		who, ok := holder(address)
		if user := s.catalog.Current().Users[who.User]; ok && who.Device == "" && user != nil {
			return user.Devices, true
		}
		return []string{who.Device}, ok
	}
}

// storedHolders are the holders of inner addresses as the store has them, read once a second at most.
type storedHolders struct {
	system *system

	mu   sync.Mutex
	read time.Time
	all  map[netip.Addr]gateway.Holder
}

const rereadHolders = time.Second

func (h *storedHolders) holder(address netip.Addr) (gateway.Holder, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := time.Now(); now.Sub(h.read) > rereadHolders {
		all, err := gateway.Holders(context.Background(), h.system.store)
		if err != nil {
			h.system.log.Debug("sessions cannot be read", logging.Err, err)
		} else {
			h.all, h.read = all, now
		}
	}
	who, ok := h.all[address]
	return who, ok
}

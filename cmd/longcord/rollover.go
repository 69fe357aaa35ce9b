package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/trust/acme"
	"github.com/longcord/longcord/trust/rollover"
)

// What the roll-over of certificates asks of the other parts is fitted here.

func (s *system) openRollover(ctx context.Context) (err error) {
	const day = 24 * time.Hour
	s.rollover, err = rollover.Open(ctx, rollover.Config{
		Settings: rollover.Settings{
			Before: time.Duration(s.settings.Certificates.RenewBefore) * day, Grace: time.Duration(s.settings.Certificates.KeepFor) * day,
		},
		Store: s.store, Inventory: s.catalog.Current,
		Apply: func(ctx context.Context, objects []inventory.Object) error {
			before := s.stamps(s.catalog.Current())
			_, err := s.catalog.Apply(ctx, objects, catalog.Options{Force: true})
			s.tellChanged(before)
			return err
		},
		Arrived: s.arrived, Registered: s.registered, Tunnels: s.phonesInTunnels, Elsewhere: s.registersElsewhere,
		Issued: s.getsIssued, Issue: s.issue,
		Findings: s.findings, Log: s.log,
	})
	if err == nil {
		s.catalog.SetGuard(s.rollover.Guard)
	}
	return err
}

// openACME makes the account with the authority that issues certificates, or takes it up.
func (s *system) openACME(ctx context.Context, sealer *trust.Sealer) error {
	c := s.settings.Certificates.ACME
	if c.Directory == "" {
		return nil
	}
	key, err := acme.OpenAccount(ctx, s.store, sealer)
	if err != nil {
		return err
	}
	s.issuer, err = acme.New(acme.Config{Directory: c.Directory, Email: c.Email, Key: key})
	return err
}

func (s *system) getsIssued(gateway string) bool {
	names := s.settings.Certificates.ACME.Gateways
	return s.issuer != nil && (len(names) == 0 || slices.Contains(names, gateway))
}

func (s *system) issue(ctx context.Context, host string) (trust.Pair, error) {
	return s.issuer.Obtain(ctx, host)
}

// challenge is what the gateway presents to the authority that asks about a host.
func (s *system) challenge(host string) *tls.Certificate {
	if s.issuer == nil {
		return nil
	}
	return s.issuer.Answer(host)
}

// arrived are the configuration files that arrived at phones lately.
func (s *system) arrived() map[string][]rollover.File {
	all := map[string][]rollover.File{}
	if s.provisioner == nil {
		return all
	}
	for device, recent := range s.provisioner.Deliveries() {
		for _, d := range recent {
			if provision.HoldsConfig(d.File) {
				f := rollover.File{
					Stamp: d.VersionStamp, Hashes: d.Hashes, At: d.Complete,
					Counts: s.witness(d).Counts(), Other: d.By == provision.SomebodyElse,
				}
				if d.By != provision.ThePhone {
					f.To = d.Peer.Addr().Unmap()
				}
				all[device] = append(all[device], f)
			}
		}
	}
	return all
}

func (s *system) registered() []rollover.Registration {
	if s.callmanager == nil {
		return nil
	}
	var all []rollover.Registration
	for _, b := range s.callmanager.Registrations() {
		if b.Device != "" && !b.Follows {
			all = append(all, began(b))
		}
	}
	return all
}

// registrationBegan is what the call manager tells as it happens.
func (s *system) registrationBegan(b register.Binding) {
	if b.Device != "" && !b.Follows {
		s.rollover.Heard(began(b))
	}
}

func began(b register.Binding) rollover.Registration {
	return rollover.Registration{Device: b.Device, Began: b.Since, From: b.Flow.Peer.Addr().Unmap()}
}

func (s *system) phonesInTunnels() []string {
	if s.gateway == nil {
		return nil
	}
	var all []string
	for _, session := range s.gateway.Sessions() {
		if session.Device != "" && session.Gone.IsZero() {
			all = append(all, session.Device)
		}
	}
	return all
}

// isHere reports whether a call manager that phones are told of is this one.
func (s *system) isHere(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		host = hostPort
	}
	return host == s.settings.Inside.String()
}

// mistrusted takes in that a client did not believe the gateway's certificate. One that left without a
// word counts where a phone has or had its session.
func (s *system) mistrusted(certificate []byte, from netip.Addr, said bool) {
	device := ""
	for _, session := range s.gateway.Sessions() {
		if session.Device != "" && session.CSTP.Peer.Addr() == from {
			device = session.Device
		}
	}
	if said || device != "" {
		s.rollover.Mistrusted(certificate, from, device)
	}
}

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/netip"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/provisioner"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/trust/lsc"
	"github.com/longcord/longcord/wire/capf"
	"github.com/longcord/longcord/wire/tlv"
	"github.com/longcord/longcord/wire/tvs"
)

// What the parts need of trust is fitted here: TVS and CAPF beside the provisioner, phones' certificates at
// the gateway.

// openBook opens the book of phones' certificates.
func (s *system) openBook(ctx context.Context, sealer *trust.Sealer) (err error) {
	s.phoneCertificates, err = lsc.Open(ctx, lsc.Config{
		Store: s.store, Sealer: sealer, Authority: s.authority, Inventory: s.catalog.Current, Findings: s.findings,
	})
	return err
}

// makeTrustServer makes what answers phones about certificates and gives them theirs.
func (s *system) makeTrustServer() (err error) {
	c := provisioner.TrustConfig{
		TVS:      netip.AddrPortFrom(s.settings.Inside, tvs.Port),
		CAPF:     netip.AddrPortFrom(s.settings.Inside, capf.Port),
		TVSPair:  func() (tls.Certificate, error) { return s.authority.Pair(trust.TVS) },
		CAPFPair: func() (tls.Certificate, error) { return s.authority.Pair(trust.CAPF) },
		Known:    s.vouchedFor, Enrolments: s.phoneCertificates, DeviceAt: s.deviceAt(), Legacy: s.hasOldPhones, Log: s.log,
	}
	if s.keyLog != nil {
		c.KeyLog = s.keyLog
	}
	s.trustServer, err = provisioner.NewTrustServer(c)
	return err
}

// vouchedFor is what TVS knows: the house's certificates.
func (s *system) vouchedFor() (all []verify.TVSRecord) {
	for _, r := range s.authority.Records() {
		all = append(all, verify.TVSRecord{Certificate: r.Certificate.Raw, Issuer: r.Issuer, Serial: r.Serial(), Roles: []tlv.Role{r.Role}})
	}
	return all
}

// deviceAt returns a function that knows whose tunnel an inner address belongs to.
func (s *system) deviceAt() func(netip.Addr) (string, bool) {
	return deviceAt(s.holder(), s.provisionerConfig().Access, s.catalog.Current)
}

// deviceAt takes every address that may fetch no file, such as one outside of the office, for a tunnel without
// a phone: who may not have a phone's file may not have its certificate either.
func deviceAt(holder func(netip.Addr) (provision.Holder, bool), access provision.Access, set func() *inventory.Set) func(netip.Addr) (string, bool) {
	return func(address netip.Addr) (string, bool) {
		if who, ok := holder(address); ok {
			return who.Device, true
		}
		return "", !access.Decide(set(), provision.Asker{Address: address}, provision.DefaultFile).Allowed
	}
}

// hasOldPhones reports whether some phone can do no better than TLS 1.0.
func (s *system) hasOldPhones() bool {
	for _, device := range s.catalog.Current().Devices {
		if model, ok := inventory.ModelByName(device.Model); ok && model.Legacy {
			return true
		}
	}
	return false
}

// sawCertificate takes note of a certificate that a phone has logged in with.
func (s *system) sawCertificate(ctx context.Context, leaf *x509.Certificate) {
	if err := s.phoneCertificates.Seen(ctx, leaf); err != nil {
		s.log.Error("certificate not noted", logging.Err, err)
	}
}

// watchCertificates looks at the dates of phones' certificates. A store that fails is told, and tried again.
func (s *system) watchCertificates(ctx context.Context) error {
	err := s.phoneCertificates.Run(ctx)
	if ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		s.log.Error("dates of phones' certificates not looked at", logging.Err, err)
		<-ctx.Done()
	}
	return ctx.Err()
}

package lsc

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/enrol"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/wire/capf"
)

// When people are told, and how often somebody looks.
const (
	warnBefore = 90 * 24 * time.Hour  // a renewal was due three months ago, and the phone has not come
	warnMIC    = 365 * 24 * time.Hour // replacing a fleet takes a while
	lookEvery  = 6 * time.Hour
	forgetLate = 365 * 24 * time.Hour
)

// Run looks at the dates now and then, until ctx ends.
func (b *Book) Run(ctx context.Context) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		if err := b.Look(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// Look orders the renewal of what runs out, tells what nobody came to renew, and forgets what has long
// been over.
func (b *Book) Look(ctx context.Context) error {
	now, set := b.config.Now(), b.config.Inventory()
	var errs []error
	for name, device := range set.Devices {
		p := b.Phone(name)
		current := p.Current(now)
		b.tell(now, p, current)
		if current == nil || device.Blocked || p.Order != nil || now.Before(current.Leaf.NotAfter.Add(-renewBefore)) || !b.longer(now, current) {
			continue
		}
		_, err := b.Start(ctx, name, Order{
			Operation: enrol.Install, Mode: enrol.ByCertificate, Key: keyOf(current), Until: current.Leaf.NotAfter, Renewal: true,
		})
		errs = append(errs, err)
	}
	b.tellManufacturers(now, set)
	return errors.Join(append(errs, b.forget(ctx, now))...)
}

// longer reports whether a new certificate would last longer than this one: none outlasts the authority's.
func (b *Book) longer(now time.Time, c *Certificate) bool {
	authority, err := b.config.Authority.Pair(trust.CAPF)
	if err != nil {
		return false
	}
	return template("", "", authority.Leaf, now).NotAfter.After(c.Leaf.NotAfter.Add(renewBefore / 2))
}

// keyOf is the kind of key of a certificate.
func keyOf(c *Certificate) enrol.Key {
	switch public := c.Leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		return enrol.Key{Type: capf.RSA, Bits: public.N.BitLen()}
	case *ecdsa.PublicKey:
		for _, curve := range []capf.Curve{capf.P256, capf.P384, capf.P521} {
			if curve.Elliptic() == public.Curve {
				return enrol.Key{Type: capf.EC, Curve: curve}
			}
		}
	}
	return enrol.DefaultKey
}

// tell raises and clears what is to be said about a phone's certificates.
func (b *Book) tell(now time.Time, p Phone, current *Certificate) {
	if current != nil && now.After(current.Leaf.NotAfter.Add(-warnBefore)) {
		b.config.Findings.Raise(finding.LSCExpires.With(p.Device, current.Leaf.NotAfter.UTC().Format(time.DateOnly)))
	} else {
		b.config.Findings.Clear(finding.LSCExpires, p.Device)
	}
	if current == nil && !p.Manufactured.IsZero() && now.After(p.Manufactured.Add(-warnMIC)) {
		b.config.Findings.Raise(finding.ManufacturerCertificateExpires.With(p.Device, p.Manufactured.UTC().Format(time.DateOnly)))
	} else {
		b.config.Findings.Clear(finding.ManufacturerCertificateExpires, p.Device)
	}
}

// tellManufacturers does the same for the certificates of those who made the phones.
func (b *Book) tellManufacturers(now time.Time, set *inventory.Set) {
	for name, a := range set.CertificateAuthorities {
		issuers, err := a.Issuers()
		if err != nil || !a.Manufacturer {
			continue
		}
		for _, issuer := range issuers {
			subject := fmt.Sprintf("%s (%s)", name, issuer.Subject.CommonName)
			if now.After(issuer.NotAfter.Add(-warnMIC)) {
				b.config.Findings.Raise(finding.ManufacturerCertificateExpires.With(subject, issuer.NotAfter.UTC().Format(time.DateOnly)))
			} else {
				b.config.Findings.Clear(finding.ManufacturerCertificateExpires, subject)
			}
		}
	}
}

// forget deletes certificates that expired a year ago, and orders whose time is over. What a phone's files are
// encrypted for is not forgotten: they would be given in plain.
func (b *Book) forget(ctx context.Context, now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for serial, c := range b.certificates {
		if now.Before(c.leaf.NotAfter.Add(forgetLate)) {
			continue
		}
		if last, _ := b.phone(c.Device).ForFiles(); last != nil && last.Equal(c.leaf) && b.config.Inventory().Devices[c.Device] != nil {
			continue
		}
		if err := b.tables.certificates.Delete(ctx, serial, store.Any); err != nil {
			return fmt.Errorf("lsc: certificate %s: %w", serial, err)
		}
		delete(b.certificates, serial)
		b.revision++
	}
	for device, o := range b.orders {
		if now.Before(o.Until) {
			continue
		}
		if err := b.dropOrder(ctx, device); err != nil {
			return fmt.Errorf("lsc: order for %s: %w", device, err)
		}
	}
	return nil
}

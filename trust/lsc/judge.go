package lsc

import (
	"context"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/enrol"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/store"
)

// failureStands is how long a finding about an enrolment stands that came to nothing, unless the phone tries again.
const failureStands = 24 * time.Hour

// Judge says what is to be done with a phone that makes a claim. From is the device that the address it
// comes from belongs to, or empty where nobody knows.
func (b *Book) Judge(ctx context.Context, c enrol.Claim, from string) (enrol.Task, error) {
	unknown := func(format string, args ...any) (enrol.Task, error) {
		return enrol.Task{Why: fmt.Sprintf(format, args...)}, nil
	}
	set := b.config.Inventory()
	device, ok := set.Devices[c.Device]
	switch {
	case !ok:
		return unknown("no device %.40q is in the inventory", c.Device)
	case device.Blocked:
		return unknown("the device is blocked")
	case from != "" && from != device.Name:
		return unknown("the address that it comes from belongs to %s", from)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	o, ok := b.pending(device.Name)
	switch {
	case !ok:
		return enrol.Task{Known: true}, nil
	case o.Tries >= maxTries:
		return unknown("%d proofs did not hold; order anew", o.Tries)
	case o.Signed >= maxSigned:
		return unknown("it got %d certificates and kept none; order anew", o.Signed)
	}
	if err := b.prove(ctx, set, o, c); err != nil {
		o.Tries++
		return enrol.Task{Why: err.Error()}, b.keepOrder(ctx, device.Name, o)
	}
	task := enrol.Task{Known: true, Operation: o.Operation}
	if o.Operation == enrol.Install {
		var err error
		if task.Key, err = enrol.ParseKey(o.Key); err != nil {
			return enrol.Task{}, fmt.Errorf("lsc: order for %s: %w", device.Name, err)
		}
	}
	return task, nil
}

// prove checks what a phone brings against what its order asks for. A certificate is always enough. mu is
// held.
func (b *Book) prove(ctx context.Context, set *inventory.Set, o order, c enrol.Claim) error {
	if c.Certificate.DER != nil {
		return b.proveByCertificate(ctx, set, o, c)
	}
	switch o.Mode {
	case enrol.ByNothing:
		return nil
	case enrol.ByPassword:
		password, err := b.config.Sealer.Open(o.Password, []byte(c.Device))
		if err != nil {
			return fmt.Errorf("password of the order: %w", err)
		}
		if subtle.ConstantTimeCompare(password, []byte(c.Password.Reveal())) != 1 {
			return errors.New("wrong password")
		}
		return nil
	}
	return errors.New("it brings no certificate, and is to prove itself by one")
}

func (b *Book) proveByCertificate(ctx context.Context, set *inventory.Set, o order, c enrol.Claim) error {
	leaf, err := c.CheckProof()
	if err != nil {
		return err
	}
	authorities := manufacturers(set)
	if o.Mode != enrol.ByMIC {
		authorities = append(authorities, *b.ours())
	}
	found, err := verify.CheckClient(b.config.Now(), []*x509.Certificate{leaf}, authorities)
	if err != nil {
		return err
	}
	if inventory.DeviceInName(found.Name) != c.Device {
		return fmt.Errorf("its certificate is that of %q", found.Name)
	}
	if found.Manufacturer {
		return b.sawManufactured(ctx, c.Device, leaf)
	}
	return b.saw(ctx, leaf)
}

// manufacturers are the authorities of the inventory that put certificates into phones.
func manufacturers(set *inventory.Set) (all []verify.Authority) {
	for _, a := range set.CertificateAuthorities {
		issuers, err := a.Issuers()
		if err != nil || !a.Manufacturer {
			continue // the inventory refuses those that cannot be read
		}
		lists, err := a.RevocationLists()
		if err != nil {
			continue
		}
		all = append(all, verify.Authority{Name: a.Name, Manufacturer: true, Issuers: issuers, Lists: lists})
	}
	return all
}

// Seen takes note of a certificate that a phone has shown in a handshake, and so proved to have the key of.
// Others' certificates are passed over.
func (b *Book) Seen(ctx context.Context, leaf *x509.Certificate) error {
	set := b.config.Inventory()
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ours := b.certificates[leaf.SerialNumber.Text(16)]; ours {
		return b.saw(ctx, leaf)
	}
	device := inventory.DeviceInName(leaf.Subject.CommonName)
	if _, known := set.Devices[device]; !known {
		return nil
	}
	if _, err := verify.CheckClient(b.config.Now(), []*x509.Certificate{leaf}, manufacturers(set)); err != nil {
		return nil
	}
	return b.sawManufactured(ctx, device, leaf)
}

// saw is Seen of one that was issued here. mu is held.
func (b *Book) saw(ctx context.Context, leaf *x509.Certificate) error {
	serial := leaf.SerialNumber.Text(16)
	c, ok := b.certificates[serial]
	if !ok || !c.leaf.Equal(leaf) || !c.Shown.IsZero() {
		return nil
	}
	c.Shown = b.config.Now().UTC()
	return b.keep(ctx, serial, c)
}

// sawManufactured is Seen of a manufacturer's. It is written once a day at most. mu is held.
func (b *Book) sawManufactured(ctx context.Context, device string, leaf *x509.Certificate) error {
	now := b.config.Now().UTC()
	old := b.manufactured[device]
	if old.Until.Equal(leaf.NotAfter) && now.Sub(old.Seen) < 24*time.Hour {
		return nil
	}
	m := manufactured{leaf.Subject.CommonName, leaf.NotAfter.UTC(), now}
	if _, err := b.tables.manufactured.Put(ctx, device, m, store.Any); err != nil {
		return err
	}
	b.manufactured[device] = m
	return nil
}

// Ended takes note of how a conversation ended.
func (b *Book) Ended(ctx context.Context, o enrol.Outcome) error {
	switch {
	case o.Operation == enrol.Nothing: // anybody can ask
		return nil
	case !o.Done:
		b.config.Findings.RaiseFor(failureStands, finding.CAPFUntrusted.With(o.Device, o.Says).Because("capf", 0, o.Operation.String()+": "+o.Says))
		return nil
	}
	b.config.Findings.Clear(finding.CAPFUntrusted, o.Device)
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.config.Now().UTC()
	for serial, c := range b.certificates {
		confirmed := o.Operation == enrol.Install && string(c.DER) == string(o.Certificate)
		deleted := o.Operation == enrol.Delete && c.Device == o.Device && c.Deleted.IsZero()
		if !confirmed && !deleted {
			continue
		}
		if confirmed {
			c.Confirmed = now
		} else {
			c.Deleted = now
		}
		if err := b.keep(ctx, serial, c); err != nil {
			return fmt.Errorf("lsc: certificate of %s: %w", o.Device, err)
		}
	}
	if done, ok := b.pending(o.Device); ok && o.Operation == enrol.Install {
		// That it has stored the certificate is the phone's word. A phone starts anew when it has got one, and then
		// proves that it has the key.
		prove := order{Operation: enrol.Fetch, Mode: enrol.ByCertificate, Renewal: done.Renewal, Since: now, Until: done.Until}
		if err := b.keepOrder(ctx, o.Device, prove); err != nil {
			return fmt.Errorf("lsc: order for %s: %w", o.Device, err)
		}
		return nil
	}
	if err := b.dropOrder(ctx, o.Device); err != nil {
		return fmt.Errorf("lsc: order for %s: %w", o.Device, err)
	}
	return nil
}

package lsc

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"time"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/enrol"
)

// What an order bounds.
const (
	maxTries  = 5  // proofs that did not hold
	maxSigned = 10 // certificates, of a phone that does not come to an end
)

// Start orders a phone to enrol, or what else it is to do, instead of what was ordered before. In mode
// ByPassword a password is made, which somebody types on the phone.
func (b *Book) Start(ctx context.Context, device string, o Order) (Order, error) {
	known, ok := b.config.Inventory().Devices[device]
	if !ok {
		return o, fmt.Errorf("lsc: no device %q in the inventory", device)
	}
	if known.Blocked {
		return o, fmt.Errorf("lsc: device %q is blocked", device)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	record := order{Operation: o.Operation, Mode: o.Mode, Since: b.config.Now().UTC(), Until: o.Until.UTC(), Renewal: o.Renewal}
	if o.Operation == enrol.Install {
		record.Key = o.Key.String()
	}
	if o.Mode == enrol.ByPassword {
		password, err := newPassword()
		if err != nil {
			return o, err
		}
		record.Password = b.config.Sealer.Seal([]byte(password), []byte(device))
	}
	if err := b.keepOrder(ctx, device, record); err != nil {
		return o, fmt.Errorf("lsc: order for %s: %w", device, err)
	}
	return *b.phone(device).Order, nil
}

// newPassword is digits alone: people type it with a phone's keys.
func newPassword() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1e8))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%08d", n), nil
}

// Cancel takes an order back.
func (b *Book) Cancel(ctx context.Context, device string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.dropOrder(ctx, device); err != nil {
		return fmt.Errorf("lsc: order for %s: %w", device, err)
	}
	return nil
}

// Revoke revokes every certificate of a device that is still good, also of one that the inventory has no
// more, takes an order back, and returns how many there were.
func (b *Book) Revoke(ctx context.Context, device string) (revoked int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.config.Now()
	for serial, c := range b.certificates {
		if c.Device != device || !c.Revoked.IsZero() || now.After(c.leaf.NotAfter) {
			continue
		}
		c.Revoked = now.UTC()
		if err := b.keep(ctx, serial, c); err != nil {
			return revoked, fmt.Errorf("lsc: revoke %s of %s: %w", serial, device, err)
		}
		revoked++
	}
	if err := b.dropOrder(ctx, device); err != nil {
		return revoked, fmt.Errorf("lsc: order for %s: %w", device, err)
	}
	return revoked, nil
}

// nameOf is the common name of a device's certificate, in CUCM's form.
func nameOf(device *inventory.Device) string {
	model := device.Model
	if known, ok := inventory.ModelByName(model); ok {
		model = known.Name
	}
	return model + "-" + device.Name
}

// renewBefore is how long before its end a certificate is renewed. Phones come by only when they start
// anew, which some do once a year.
const renewBefore = 180 * 24 * time.Hour

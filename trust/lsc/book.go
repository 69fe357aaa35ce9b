package lsc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/enrol"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/trust"
)

// Config is what a Book needs, all of it but Findings and Now.
type Config struct {
	Store  store.Store
	Sealer interface {
		Seal(text, associated []byte) []byte
		Open(sealed, associated []byte) ([]byte, error)
	}
	Authority interface {
		Pair(p trust.Purpose) (tls.Certificate, error)
		Records() []trust.Record
	}
	Inventory func() *inventory.Set
	Findings  *finding.Board   // nil: nobody keeps any
	Now       func() time.Time // nil: time.Now
}

// Book knows of all certificates. It may be used by several goroutines. One process at a time writes it.
type Book struct {
	config Config
	tables tables

	mu           sync.Mutex
	certificates map[string]issued // by serial number in hex
	orders       map[string]order  // by device
	manufactured map[string]manufactured
	revision     int // of certificates, for authority
	authority    *verify.Authority
	made         madeOf
}

// Open reads the book.
func Open(ctx context.Context, c Config) (*Book, error) {
	if c.Store == nil || c.Sealer == nil || c.Authority == nil || c.Inventory == nil {
		return nil, errors.New("lsc: store, sealer, authority or inventory is missing")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	b := &Book{
		config: c, tables: tablesIn(c.Store),
		certificates: map[string]issued{}, orders: map[string]order{}, manufactured: map[string]manufactured{},
	}
	if err := b.load(ctx); err != nil {
		return nil, fmt.Errorf("lsc: %w", err)
	}
	return b, nil
}

func (b *Book) load(ctx context.Context) error {
	certificates, _, err := b.tables.certificates.List(ctx)
	if err != nil {
		return err
	}
	for _, e := range certificates {
		if e.Value.leaf, err = x509.ParseCertificate(e.Value.DER); err != nil {
			return fmt.Errorf("certificate %s: %w", e.Name, err)
		}
		b.certificates[e.Name] = e.Value
	}
	orders, _, err := b.tables.orders.List(ctx)
	if err != nil {
		return err
	}
	for _, e := range orders {
		b.orders[e.Name] = e.Value
	}
	seen, _, err := b.tables.manufactured.List(ctx)
	if err != nil {
		return err
	}
	for _, e := range seen {
		b.manufactured[e.Name] = e.Value
	}
	return nil
}

// keep writes a certificate's record. mu is held.
func (b *Book) keep(ctx context.Context, serial string, c issued) error {
	if _, err := b.tables.certificates.Put(ctx, serial, c, store.Any); err != nil {
		return err
	}
	b.certificates[serial] = c
	b.revision++
	return nil
}

// keepOrder writes an order. mu is held.
func (b *Book) keepOrder(ctx context.Context, device string, o order) error {
	if _, err := b.tables.orders.Put(ctx, device, o, store.Any); err != nil {
		return err
	}
	b.orders[device] = o
	return nil
}

// dropOrder forgets an order. mu is held.
func (b *Book) dropOrder(ctx context.Context, device string) error {
	if _, there := b.orders[device]; !there {
		return nil
	}
	if err := b.tables.orders.Delete(ctx, device, store.Any); err != nil {
		return err
	}
	delete(b.orders, device)
	return nil
}

// Certificate is one certificate as people are told of it.
type Certificate struct {
	Device    string
	Leaf      *x509.Certificate
	Issued    time.Time
	Confirmed time.Time // zero: the phone has not said that it stored it
	Shown     time.Time // zero: no handshake has proved it
	Revoked   time.Time // zero: it is good
	Deleted   time.Time // zero: the phone has not deleted it
}

// Serial is the number in hex, as gateways log it.
func (c Certificate) Serial() string { return c.Leaf.SerialNumber.Text(16) }

// Counts reports whether the phone has the certificate, as far as anybody has said, and may use it.
func (c Certificate) Counts(now time.Time) bool {
	return c.Revoked.IsZero() && c.Deleted.IsZero() && now.Before(c.Leaf.NotAfter) && c.held()
}

// held reports whether the phone has had the certificate, as far as anybody has said.
func (c Certificate) held() bool { return !c.Confirmed.IsZero() || !c.Shown.IsZero() }

// Order is what a phone is to do when it comes.
type Order struct {
	Operation enrol.Operation
	Mode      enrol.Mode
	Password  secret.String // of mode ByPassword
	Key       enrol.Key
	Renewal   bool
	Since     time.Time
	Until     time.Time
	Tries     int
}

// Exhausted reports whether so many proofs did not hold that no further one is looked at.
func (o Order) Exhausted() bool { return o.Tries >= maxTries }

// Phone is what the book says of a device.
type Phone struct {
	Device       string
	Certificates []Certificate // newest first
	Order        *Order        // nil: nothing to do
	Manufactured time.Time     // when the manufacturer's certificate ends; zero: it was not seen
}

// Current is the newest certificate that counts, or nil.
func (p Phone) Current(now time.Time) *Certificate {
	for i := range p.Certificates {
		if p.Certificates[i].Counts(now) {
			return &p.Certificates[i]
		}
	}
	return nil
}

// ForFiles is the certificate that the phone's files are encrypted for, nil if it never had one with an RSA
// key, and whether it is good for that. One that has ended is: the phone has its key still, and reads in its
// file that it is to renew.
func (p Phone) ForFiles() (leaf *x509.Certificate, good bool) {
	for i, c := range p.Certificates { // newest first
		if c.held() && c.Leaf.PublicKeyAlgorithm == x509.RSA {
			return c.Leaf, c.Revoked.IsZero() && c.Deleted.IsZero() && !slices.ContainsFunc(p.Certificates[:i], Certificate.held)
		}
	}
	return nil, false
}

// Phones returns every device of which the book says something, by name.
func (b *Book) Phones() []Phone {
	b.mu.Lock()
	defer b.mu.Unlock()
	names := map[string]bool{}
	for _, c := range b.certificates {
		names[c.Device] = true
	}
	for name := range b.orders {
		names[name] = true
	}
	for name := range b.manufactured {
		names[name] = true
	}
	var all []Phone
	for name := range names {
		all = append(all, b.phone(name))
	}
	slices.SortFunc(all, func(x, y Phone) int { return strings.Compare(x.Device, y.Device) })
	return all
}

// Phone returns what the book says of one device.
func (b *Book) Phone(device string) Phone {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.phone(device)
}

// phone is Phone. mu is held.
func (b *Book) phone(device string) Phone {
	p := Phone{Device: device, Manufactured: b.manufactured[device].Until}
	for _, c := range b.certificates {
		if c.Device == device {
			p.Certificates = append(p.Certificates, Certificate{device, c.leaf, c.Issued, c.Confirmed, c.Shown, c.Revoked, c.Deleted})
		}
	}
	slices.SortFunc(p.Certificates, func(x, y Certificate) int { return y.Issued.Compare(x.Issued) })
	if o, ok := b.pending(device); ok {
		p.Order = &Order{o.Operation, o.Mode, secret.String{}, enrol.Key{}, o.Renewal, o.Since, o.Until, o.Tries}
		p.Order.Key, _ = enrol.ParseKey(o.Key)
		if text, err := b.config.Sealer.Open(o.Password, []byte(device)); err == nil && len(o.Password) > 0 {
			p.Order.Password = secret.New(string(text))
		}
	}
	return p
}

// pending is the order of a device that still counts. mu is held.
func (b *Book) pending(device string) (order, bool) {
	o, ok := b.orders[device]
	if !ok || !b.config.Now().Before(o.Until) {
		return order{}, false
	}
	return o, true
}

// Mode is how the phone is to prove itself when it comes, for its file.
func (b *Book) Mode(device string) enrol.Mode {
	b.mu.Lock()
	defer b.mu.Unlock()
	o, _ := b.pending(device)
	return o.Mode
}

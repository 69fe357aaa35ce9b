package trust

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/wire/tlv"
)

// ErrOffline: the private key is kept elsewhere. Bring it back with "longcord trust import-signer".
var ErrOffline = errors.New("the private key is not here")

// AuthorityConfig is what an Authority needs, all of it but Findings, Address and Now.
type AuthorityConfig struct {
	Store  store.Store
	Sealer interface {
		Seal(text, associated []byte) []byte
		Open(sealed, associated []byte) ([]byte, error)
	}
	Findings *finding.Board   // nil: nobody keeps any
	Address  netip.Addr       // stands in the certificates of servers; phones look only at trust lists
	Now      func() time.Time // nil: time.Now
}

// Authority holds the keys of the house: those that sign trust lists and files, and those of the servers
// that phones meet before anything else. They are made at the first start and rest sealed in the store.
// It may be used by several goroutines.
type Authority struct {
	config AuthorityConfig
	tables tables

	mu     sync.Mutex
	keys   map[Purpose]houseKey
	former []Record
}

// houseKey is a key in use as it is in memory.
type houseKey struct {
	record   Record
	key      crypto.Signer // nil: kept elsewhere
	revision store.Revision
}

// Record is a certificate of the house, as phones are told of it.
type Record struct {
	Purpose     Purpose
	Certificate *x509.Certificate
	Role        tlv.Role
	Subject     string    // as trust lists, signed files and TVS write it
	Issuer      string    // likewise
	Since       time.Time // when it took its place
	Until       time.Time // when another took it; zero: it is in use. Trust lists name only those in use
	Online      bool      // its private key is here
	Foreign     bool      // it was made elsewhere and brought in
}

// Serial is the certificate's number as phones are told it: without a leading zero.
func (r Record) Serial() []byte { return r.Certificate.SerialNumber.Bytes() }

// OpenAuthority returns the authority in a store. Keys that are not there are made.
func OpenAuthority(ctx context.Context, c AuthorityConfig) (*Authority, error) {
	if c.Store == nil || c.Sealer == nil {
		return nil, errors.New("trust: an authority needs store and sealer")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	a := &Authority{config: c, tables: tablesIn(c.Store)}
	err := a.load(ctx)
	if err == nil && len(a.keys) < len(Purposes) {
		err = a.makeMissing(ctx)
		if errors.Is(err, store.ErrConflict) { // another node was quicker
			err = nil
		}
		err = errors.Join(err, a.load(ctx))
	}
	if err != nil {
		return nil, fmt.Errorf("trust: keys of the house: %w", err)
	}
	return a, nil
}

// Pair returns certificate and private key for a purpose. The error is ErrOffline where the key is kept
// elsewhere.
func (a *Authority) Pair(p Purpose) (tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	held, ok := a.keys[p]
	if !ok {
		return tls.Certificate{}, fmt.Errorf("trust: there is no key for %q", p)
	}
	if held.key == nil {
		return tls.Certificate{}, fmt.Errorf("trust: %s: %w", p, ErrOffline)
	}
	return tls.Certificate{
		Certificate: [][]byte{held.record.Certificate.Raw}, PrivateKey: held.key, Leaf: held.record.Certificate,
	}, nil
}

// Records returns every certificate that phones may believe: those in use, in the order of Purposes, then
// the former ones, newest first.
func (a *Authority) Records() []Record {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []Record
	for _, p := range Purposes {
		if held, ok := a.keys[p]; ok {
			all = append(all, held.record)
		}
	}
	return append(all, a.former...)
}

// Vouches returns the record of a certificate by its issuer, as phones write it, and its number.
func (a *Authority) Vouches(issuer string, serial []byte) (Record, bool) {
	for _, r := range a.Records() {
		if r.Issuer == issuer && bytes.Equal(r.Serial(), serial) {
			return r, true
		}
	}
	return Record{}, false
}

// VouchesFor returns the record of a certificate.
func (a *Authority) VouchesFor(certificate *x509.Certificate) (Record, bool) {
	for _, r := range a.Records() {
		if r.Certificate.Equal(certificate) {
			return r, true
		}
	}
	return Record{}, false
}

// load reads everything from the store.
func (a *Authority) load(ctx context.Context) error {
	held, _, err := a.tables.keys.List(ctx)
	if err != nil {
		return err
	}
	keys := map[Purpose]houseKey{}
	for _, e := range held {
		key, err := a.opened(Purpose(e.Name), e.Value)
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
		key.revision = e.Revision
		keys[Purpose(e.Name)] = key
	}
	gone, _, err := a.tables.former.List(ctx)
	if err != nil {
		return err
	}
	var former []Record
	for _, e := range gone {
		record, err := e.Value.record()
		if err != nil {
			return fmt.Errorf("former %s: %w", e.Value.Purpose, err)
		}
		former = append(former, record)
	}
	slices.SortStableFunc(former, func(x, y Record) int { return y.Until.Compare(x.Until) })
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys, a.former = keys, former
	return nil
}

// opened unseals a record. Whether key and certificate belong together is checked once more: nothing
// that phones cannot verify must leave this house.
func (a *Authority) opened(p Purpose, h heldKey) (houseKey, error) {
	chain, err := ParseChain(h.Certificate)
	if err != nil {
		return houseKey{}, err
	}
	record := Record{
		Purpose: p, Certificate: chain[0], Role: p.Role(), Subject: h.Subject, Issuer: h.Issuer, Since: h.Since, Foreign: h.Foreign,
	}
	if len(h.Sealed) == 0 {
		return houseKey{record: record}, nil
	}
	text, err := a.config.Sealer.Open(h.Sealed, associated(p))
	if err != nil {
		return houseKey{}, err
	}
	loaded, err := Pair{h.Certificate, secret.New(string(text))}.Load()
	if err != nil {
		return houseKey{}, err
	}
	record.Online = true
	return houseKey{record: record, key: loaded.PrivateKey.(crypto.Signer)}, nil
}

func associated(p Purpose) []byte { return []byte(keyPrefix + string(p)) }

func (f formerKey) record() (Record, error) {
	chain, err := ParseChain(f.Certificate)
	if err != nil {
		return Record{}, err
	}
	return Record{
		Purpose: f.Purpose, Certificate: chain[0], Role: f.Purpose.Role(), Subject: f.Subject, Issuer: f.Issuer,
		Since: f.Since, Until: f.Until, Foreign: f.Foreign,
	}, nil
}

// sealed is the record of a pair in a place.
func (a *Authority) sealed(p Purpose, pair Pair, since time.Time) (heldKey, error) {
	chain, err := ParseChain(pair.Certificate)
	if err != nil {
		return heldKey{}, err
	}
	h := heldKey{
		Certificate: pair.Certificate, Since: since.UTC(),
		Subject: tlv.NameText(chain[0].Subject), Issuer: tlv.NameText(chain[0].Issuer),
	}
	if !pair.Key.IsZero() {
		h.Sealed = a.config.Sealer.Seal([]byte(pair.Key.Reveal()), associated(p))
	}
	return h, nil
}

// makeMissing makes the keys that are not there yet, all in one commit.
func (a *Authority) makeMissing(ctx context.Context) error {
	now := a.config.Now()
	ops := make([]store.Op, len(Purposes))
	errs := make([]error, len(Purposes))
	var making sync.WaitGroup
	for i, p := range Purposes {
		if _, there := a.keys[p]; !there {
			making.Go(func() { ops[i], errs[i] = a.made(p, now) })
		}
	}
	making.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	ops = slices.DeleteFunc(ops, func(op store.Op) bool { return op.Key == "" })
	_, err := a.config.Store.Commit(ctx, ops...)
	return err
}

// made is the record of a new key, to be written where there is none.
func (a *Authority) made(p Purpose, now time.Time) (store.Op, error) {
	pair, err := a.create(p, now)
	if err != nil {
		return store.Op{}, err
	}
	record, err := a.sealed(p, pair, now)
	if err != nil {
		return store.Op{}, err
	}
	return a.tables.keys.PutOp(string(p), record, 0, 0)
}

// create makes a key and its self-signed certificate.
func (a *Authority) create(p Purpose, now time.Time) (Pair, error) {
	template := validFor("", now, p.lifetime())
	template.Subject = pkix.Name{
		CommonName:   fmt.Sprintf("%s %x", p.label(), template.SerialNumber.Bytes()[:4]),
		Organization: []string{"Longcord"},
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	var key crypto.Signer
	var err error
	switch p {
	case FilesEC:
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		template.SignatureAlgorithm = x509.ECDSAWithSHA384
	default:
		key, err = rsa.GenerateKey(rand.Reader, keyBits)
	}
	if err != nil {
		return Pair{}, err
	}
	switch p {
	case TVS:
		template.KeyUsage |= x509.KeyUsageKeyEncipherment // old phones know no other key exchange
	case CAPF:
		template.KeyUsage |= x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign | x509.KeyUsageCRLSign
		template.IsCA, template.MaxPathLenZero = true, true
	}
	if !p.IsSigner() && p != Files && a.config.Address.IsValid() {
		template.IPAddresses = []net.IP{a.config.Address.AsSlice()}
	}
	return selfSigned(template, key)
}

// selfSigned makes a certificate that its own key signs.
func selfSigned(template *x509.Certificate, key crypto.Signer) (Pair, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return Pair{}, err
	}
	return pairOf(der, key)
}

// pairOf writes a certificate and its key as PEM.
func pairOf(der []byte, key crypto.Signer) (Pair, error) {
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Pair{}, err
	}
	return Pair{
		Certificate: certificatePEM(der),
		Key:         secret.New(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))),
	}, nil
}

func certificatePEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

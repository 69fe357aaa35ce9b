package enrol

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/wire/capf"
)

// Mode is how a phone proves who it is, by the numbers of capfAuthMode in its file.
type Mode int

// The modes. ByNothing takes the phone's word.
const (
	NotPending    Mode = 0
	ByPassword    Mode = 1
	ByNothing     Mode = 2
	ByCertificate Mode = 3 // LSC, or MIC where there is none
	ByMIC         Mode = 4
)

// String returns CUCM's words.
func (m Mode) String() string {
	switch m {
	case NotPending:
		return "nothing pending"
	case ByPassword:
		return "authentication string"
	case ByNothing:
		return "null string"
	case ByCertificate:
		return "existing certificate"
	case ByMIC:
		return "manufacturer certificate"
	}
	return fmt.Sprintf("mode %d", int(m))
}

// Operation is what a phone is to do.
type Operation int

// The operations.
const (
	Nothing Operation = iota
	Install
	Delete
	Fetch // show the LSC that it has
)

// String returns the operation's name.
func (o Operation) String() string {
	if names := []string{"nothing", "install", "delete", "fetch"}; o >= 0 && int(o) < len(names) {
		return names[o]
	}
	return fmt.Sprintf("operation %d", int(o))
}

// Key is the key that a phone is to make.
type Key struct {
	Type  capf.KeyType
	Bits  int        // of RSA
	Curve capf.Curve // of EC
}

// DefaultKey is what every phone with CAPF can make, old ones in some minutes.
var DefaultKey = Key{Type: capf.RSA, Bits: 2048}

// String returns it as people write it: rsa-2048, ec-384.
func (k Key) String() string {
	if k.Type == capf.RSA {
		return fmt.Sprintf("rsa-%d", k.Bits)
	}
	if curve := k.Curve.Elliptic(); curve != nil {
		return fmt.Sprintf("ec-%d", curve.Params().BitSize)
	}
	return fmt.Sprintf("curve %d", k.Curve)
}

// ParseKey reads what String writes.
func ParseKey(text string) (Key, error) {
	for _, k := range []Key{
		{capf.RSA, 1024, 0}, {capf.RSA, 2048, 0}, {capf.RSA, 3072, 0}, {capf.RSA, 4096, 0},
		{capf.EC, 0, capf.P256}, {capf.EC, 0, capf.P384}, {capf.EC, 0, capf.P521},
	} {
		if k.String() == text {
			return k, nil
		}
	}
	return Key{}, fmt.Errorf("enrol: key %q is none of rsa-1024, rsa-2048, rsa-3072, rsa-4096, ec-256, ec-384, ec-521", text)
}

// Take reads a public key and refuses any other than k asks for.
func (k Key) Take(spki []byte) (crypto.PublicKey, error) {
	public, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return nil, fmt.Errorf("enrol: public key: %w", err)
	}
	var got string
	switch public := public.(type) {
	case *rsa.PublicKey:
		got = Key{Type: capf.RSA, Bits: public.N.BitLen()}.String()
	case *ecdsa.PublicKey:
		got = fmt.Sprintf("ec-%d", public.Curve.Params().BitSize)
	default:
		got = fmt.Sprintf("%T", public)
	}
	if got != k.String() {
		return nil, fmt.Errorf("enrol: public key is %s, asked for was %s", got, k)
	}
	return public, nil
}

// Claim is who a phone says it is, and what it brings to prove it.
type Claim struct {
	Session     uint32
	Device      string
	Password    secret.String
	Certificate capf.Certificate
	Proof       capf.Proof
	SUDI        capf.SUDI
}

// maxName is more than any device name has, in bytes.
const maxName = 64

// claimOf reads an auth response.
func claimOf(m capf.Message) (c Claim, err error) {
	c.Session = m.Session
	if c.Device, err = m.Text(capf.TagDevice); err != nil {
		return c, err
	}
	if len(c.Device) > maxName {
		return c, fmt.Errorf("enrol: device name of %d bytes", len(c.Device))
	}
	if c.Password, err = m.Password(); err != nil {
		return c, err
	}
	if c.Certificate, err = m.Certificate(); err != nil {
		return c, err
	}
	if c.Proof, err = m.Proof(); err != nil {
		return c, err
	}
	c.SUDI, err = m.SUDI()
	return c, err
}

// message writes an auth response.
func (c Claim) message() (capf.Message, error) {
	m := capf.Message{Command: capf.AuthResponse, Session: c.Session, Elements: []capf.Element{
		capf.Byte(capf.TagVersion, uint8(capf.Version)), capf.Text(capf.TagDevice, c.Device),
	}}
	if !c.Password.IsZero() {
		m.Elements = append(m.Elements, capf.Text(capf.TagPassword, c.Password.Reveal()))
	}
	if c.Certificate.DER == nil {
		return m, nil
	}
	certificate, err := c.Certificate.Element()
	if err != nil {
		return m, err
	}
	m.Elements = append(append(m.Elements, certificate), c.Proof.Elements()...)
	if c.SUDI.Certificate != nil {
		sudi, err := c.SUDI.Element()
		if err != nil {
			return m, err
		}
		m.Elements = append(m.Elements, sudi)
	}
	return m, nil
}

// Action is what the user of a Server or Client is to do.
type Action interface{ action() }

type (
	// Send sends a message, in one piece.
	Send struct{ Message capf.Message }
	// Judge finds out what is to be done with the phone that makes this claim; Server.Judged takes it.
	Judge struct{ Claim Claim }
	// Sign issues a certificate for a key; Server.Signed takes it.
	Sign struct {
		Device string
		Public crypto.PublicKey
	}
	// Generate makes a key; Client.Generated takes it.
	Generate struct{ Key Key }
	// Keep stores the LSC; Client.Kept takes how that went.
	Keep struct{ Certificate []byte }
	// Forget deletes the LSC and its key; Client.Forgotten takes how that went.
	Forget struct{}
	// End ends the conversation: nothing more is to be read. A server's last message comes behind it, so that
	// what the phone hears has been taken note of.
	End struct{ Outcome Outcome }
)

func (Send) action()     {}
func (Judge) action()    {}
func (Sign) action()     {}
func (Generate) action() {}
func (Keep) action()     {}
func (Forget) action()   {}
func (End) action()      {}

// Outcome is how a conversation ended.
type Outcome struct {
	Device      string // as the phone called itself; empty: it did not come to that
	Operation   Operation
	Done        bool   // the phone says that it is done
	Certificate []byte // DER of what was issued or fetched
	Says        string // why it ended, for people
}

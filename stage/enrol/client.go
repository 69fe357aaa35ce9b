package enrol

import (
	"crypto"
	"errors"
	"fmt"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/wire/capf"
)

// ClientConfig is a phone that comes to CAPF.
type ClientConfig struct {
	Device   string        // SEP and the MAC address
	Password secret.String // of mode ByPassword; empty: none
	// Certificate and Key prove who the phone is in the modes ByCertificate and ByMIC. None: the zero value.
	Certificate capf.Certificate
	Key         crypto.Signer
	LSC         []byte // the certificate it has, for who asks; nil: none
}

// Client is the phone's half of one conversation. It does what the server says.
//
//	waiting ──auth request──▶ known ──key generate──▶ making ──store──▶ keeping ──▶ known ──end session──▶ over
type Client struct {
	config  ClientConfig
	session uint32
	begun   bool
	over    bool
	outcome Outcome
}

// NewClient returns a conversation that waits for the server to begin.
func NewClient(config ClientConfig) *Client { return &Client{config: config} }

// Received takes a message of the server. An error ends the conversation.
func (c *Client) Received(m capf.Message) ([]Action, error) {
	switch {
	case c.over:
		return nil, errors.New("enrol: a message after the end")
	case m.Command == capf.EndSession || m.Command == capf.RetryLater:
		return c.ended(m)
	case !c.begun && m.Command == capf.AuthRequest:
		return c.authenticate(m)
	case !c.begun || m.Session != c.session:
		return nil, fmt.Errorf("enrol: %s out of turn", m)
	case m.Command == capf.KeyGenerateRequest:
		return c.generate(m)
	case m.Command == capf.StoreRequest:
		certificate, err := m.Certificate()
		if err != nil {
			return nil, err
		}
		if certificate.DER == nil {
			return nil, errors.New("enrol: store request without a certificate")
		}
		c.outcome.Operation, c.outcome.Certificate = Install, certificate.DER
		return []Action{Keep{certificate.DER}}, nil
	case m.Command == capf.DeleteRequest:
		c.outcome.Operation = Delete
		return []Action{Forget{}}, nil
	case m.Command == capf.FetchRequest:
		c.outcome.Operation = Fetch
		return c.show()
	}
	return nil, fmt.Errorf("enrol: %s out of turn", m)
}

func (c *Client) authenticate(m capf.Message) ([]Action, error) {
	c.begun, c.session = true, m.Session
	claim := Claim{Session: m.Session, Device: c.config.Device, Password: c.config.Password}
	if c.config.Certificate.DER != nil {
		claim.Certificate = c.config.Certificate
		if err := claim.Prove(c.config.Key); err != nil {
			return nil, fmt.Errorf("enrol: proof: %w", err)
		}
	}
	answer, err := claim.message()
	return []Action{Send{answer}}, err
}

func (c *Client) generate(m capf.Message) ([]Action, error) {
	kind, err := m.Byte(capf.TagKeyType)
	if err != nil {
		return nil, err
	}
	key := Key{Type: capf.KeyType(kind)}
	switch key.Type {
	case capf.RSA:
		bits, err := m.Uint16(capf.TagKeySize)
		if err != nil {
			return nil, err
		}
		key.Bits = int(bits)
	case capf.EC:
		curve, err := m.Byte(capf.TagCurve)
		if err != nil {
			return nil, err
		}
		key.Curve = capf.Curve(curve)
	}
	if known, err := ParseKey(key.String()); err != nil || known != key {
		return c.send(capf.KeyGenerateResponse, capf.Byte(capf.TagReason, capf.InvalidElement)), nil
	}
	return append(c.send(capf.InProgress), Generate{key}), nil
}

// Generated hands over the public key as SubjectPublicKeyInfo.
func (c *Client) Generated(spki []byte) []Action {
	return c.send(capf.KeyGenerateResponse, capf.Element{Tag: capf.TagPublicKey, Value: spki})
}

// Kept says how storing the certificate went.
func (c *Client) Kept(err error) []Action { return c.confirm(capf.StoreResponse, err) }

// Forgotten says how deleting it went.
func (c *Client) Forgotten(err error) []Action { return c.confirm(capf.DeleteResponse, err) }

func (c *Client) confirm(command capf.Command, err error) []Action {
	reason := capf.Updated
	if err != nil {
		reason = capf.InvalidElement
	}
	c.outcome.Done = err == nil
	return c.send(command, capf.Byte(capf.TagReason, reason))
}

func (c *Client) show() ([]Action, error) {
	if c.config.LSC == nil {
		return c.send(capf.FetchResponse, capf.Byte(capf.TagReason, capf.NoAction)), nil
	}
	e, err := capf.Certificate{Type: capf.LSC, DER: c.config.LSC}.Element()
	c.outcome.Done = err == nil
	return c.send(capf.FetchResponse, e), err
}

func (c *Client) ended(m capf.Message) ([]Action, error) {
	c.over = true
	c.outcome.Device, c.outcome.Says = c.config.Device, m.Command.String()
	if reason, err := m.Byte(capf.TagReason); err == nil {
		c.outcome.Says = capf.Reason(reason).String()
		c.outcome.Done = c.outcome.Done || c.outcome.Operation == Nothing && capf.Reason(reason) == capf.NoAction
	}
	return []Action{End{c.outcome}}, nil
}

func (c *Client) send(command capf.Command, elements ...capf.Element) []Action {
	return []Action{Send{capf.Message{Command: command, Session: c.session, Elements: elements}}}
}

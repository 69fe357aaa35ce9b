package dtls

import (
	"bytes"
	"crypto/hmac"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/longcord/longcord/wire/dtls"
)

// pskIdentity is the name that clients give their key; gateways know it from the session id.
const pskIdentity = "psk"

// pskClient is the phone's half of a full handshake with a pre-shared key, RFC 4279.
//
//	new --Start--> hello --ServerHello, ServerHelloDone--> keyed --Finished--> done
//	                |  ^                                     |
//	                |  +--HelloVerifyRequest                 |
//	                +--------------- time -------------------+--> failed
type pskClient struct {
	cfg   Config
	state clientState
	timer retransmission

	flight     flight
	transcript transcript
	in         inbox
	hello      dtls.ClientHello
	helloMsg   dtls.Handshake
	answer     *dtls.ServerHello // nil until it came
	exchange   dtls.Handshake    // our ClientKeyExchange
	finished   dtls.Handshake
	master     []byte
	conn       *Conn
}

func newPSKClient(cfg Config) (*pskClient, error) {
	c := &pskClient{cfg: cfg, flight: flight{version: dtls.Version12}, transcript: transcript{version: dtls.Version12}}
	c.hello = dtls.ClientHello{
		Version: dtls.Version12, SessionID: cfg.SessionID, Suites: dtls.PSKSuites, Compressions: []byte{0},
		Extensions: dtls.Extensions{}.With(dtls.RenegotiationInfo, 0).With(dtls.ExtendedMasterSecret),
	}
	if _, err := io.ReadFull(cfg.Rand, c.hello.Random[:]); err != nil {
		return nil, fmt.Errorf("dtls: random: %w", err)
	}
	return c, nil
}

func (c *pskClient) Start(now time.Time) []Action {
	c.state = clientHello
	c.makeHello()
	c.timer.start(now)
	return c.sendHello()
}

func (c *pskClient) makeHello() {
	c.helloMsg = c.flight.messageOf(dtls.TypeClientHello, c.hello.AppendBody(nil))
}

func (c *pskClient) sendHello() []Action {
	return []Action{Send{Datagram: c.flight.handshake(c.helloMsg)}}
}

func (c *pskClient) Received(now time.Time, datagram []byte) ([]Action, error) {
	return eachRecord(datagram, func(r dtls.Record, raw []byte) ([]Action, error) { return c.record(now, r, raw) })
}

func (c *pskClient) record(now time.Time, r dtls.Record, raw []byte) ([]Action, error) {
	switch {
	case r.Epoch == 0 && r.Type == dtls.HandshakeRecord && c.state == clientHello:
		if err := c.in.add(r.Fragment); err != nil {
			return nil, err
		}
		return c.messages(now)
	case r.Epoch == dataEpoch && c.state == clientKeyed:
		return c.serverFinished(raw)
	case r.Epoch == 0 && r.Type == dtls.AlertRecord && (c.state == clientHello || c.state == clientKeyed):
		// An alert without protection may come from anybody; it is told, not obeyed.
		return nil, fmt.Errorf("dtls: the peer sends an alert (% x)", r.Fragment)
	}
	return nil, nil
}

// messages takes what is whole, until it leads to something.
func (c *pskClient) messages(now time.Time) ([]Action, error) {
	for {
		m, ok := c.in.take()
		if !ok {
			return nil, nil
		}
		actions, err := c.message(now, m)
		if actions != nil || err != nil {
			return actions, err
		}
	}
}

func (c *pskClient) message(now time.Time, m dtls.Handshake) ([]Action, error) {
	switch {
	case m.Type == dtls.TypeHelloVerifyRequest && len(c.hello.Cookie) == 0 && c.answer == nil:
		verify, err := dtls.ParseHelloVerifyRequest(m.Body)
		if err != nil {
			return nil, err
		}
		c.hello.Cookie = bytes.Clone(verify.Cookie)
		c.makeHello()
		c.timer.start(now)
		return c.sendHello(), nil
	case m.Type == dtls.TypeServerHello && c.answer == nil:
		return nil, c.serverHello(m)
	case m.Type == dtls.TypeServerKeyExchange && c.answer != nil: // holds a hint, which is of no use here
		c.transcript.add(m)
		_, err := dtls.ParseServerKeyExchange(m.Body)
		return nil, err
	case m.Type == dtls.TypeServerHelloDone && c.answer != nil && len(m.Body) == 0:
		c.transcript.add(m)
		return c.keyExchange(now)
	}
	return nil, fmt.Errorf("dtls: handshake message %d is out of place", m.Type)
}

func (c *pskClient) serverHello(m dtls.Handshake) error {
	hello, err := dtls.ParseServerHello(m.Body)
	if err != nil {
		return err
	}
	if err := hello.Extensions.Check(); err != nil {
		return err
	}
	if hello.Version != dtls.Version12 || hello.Compression != 0 || !slices.Contains(dtls.PSKSuites, hello.Suite) {
		return fmt.Errorf("dtls: the peer chooses DTLS %s with %s", hello.Version, hello.Suite)
	}
	c.answer, c.transcript.suite = &hello, hello.Suite
	c.transcript.add(c.helloMsg)
	c.transcript.add(m)
	return nil
}

// keyExchange makes the keys and sends our second flight.
func (c *pskClient) keyExchange(now time.Time) ([]Action, error) {
	c.exchange = c.flight.messageOf(dtls.TypeClientKeyExchange, dtls.ClientKeyExchange{Identity: []byte(pskIdentity)}.AppendBody(nil))
	c.transcript.add(c.exchange)
	_, extended := c.answer.Extensions.Get(dtls.ExtendedMasterSecret)
	c.master = pskMaster(&c.transcript, c.cfg.PSK, c.hello.Random[:], c.answer.Random[:], extended)
	var err error
	c.conn, err = newConn(dtls.Version12, c.transcript.suite,
		newKeyBlock(dtls.Version12, c.transcript.suite, c.master, c.answer.Random[:], c.hello.Random[:]), true, c.cfg.Rand)
	if err != nil {
		return c.fail(err), nil
	}
	c.finished = c.flight.messageOf(dtls.TypeFinished, c.transcript.finished(c.master, clientFinished))
	c.transcript.add(c.finished)
	c.state = clientKeyed
	c.timer.start(now)
	return c.sendKeys()
}

// sendKeys is our second flight, with fresh record numbers each time.
func (c *pskClient) sendKeys() ([]Action, error) {
	datagram := append(c.flight.handshake(c.exchange), c.flight.changeCipherSpec(c.finished.Number)...)
	finished, err := sealedFinished(c.conn, c.finished.Number, c.finished.Body)
	if err != nil {
		return nil, err
	}
	return []Action{Send{Datagram: append(datagram, finished...)}}, nil
}

func (c *pskClient) serverFinished(raw []byte) ([]Action, error) {
	verify, _, _, err := openFinished(c.conn, raw)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(verify, c.transcript.finished(c.master, serverFinished)) {
		return c.fail(ErrFinished), nil
	}
	c.state = clientDone
	c.timer.stop()
	return []Action{Established{Conn: c.conn, ClientRandom: c.hello.Random, MasterSecret: c.master}}, nil
}

// Resend returns nothing: the server has the last word.
func (c *pskClient) Resend() ([]Action, error) {
	if c.state != clientDone {
		return nil, errors.New("dtls: no last flight yet")
	}
	return nil, nil
}

func (c *pskClient) fail(err error) []Action {
	c.state = clientFailed
	c.timer.stop()
	return []Action{Failed{Err: err}}
}

func (c *pskClient) Advance(now time.Time) []Action {
	again, over := c.timer.advance(now)
	switch {
	case over:
		return c.fail(ErrSilent)
	case again && c.state == clientKeyed:
		actions, err := c.sendKeys()
		if err != nil {
			return c.fail(err)
		}
		return actions
	case again:
		return c.sendHello()
	}
	return nil
}

func (c *pskClient) Wake() time.Time { return c.timer.due }

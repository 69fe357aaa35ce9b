package dtls

import (
	"bytes"
	"crypto/hmac"
	"fmt"
	"io"
	"time"

	"github.com/longcord/longcord/wire/dtls"
)

// resumingClient resumes the session that was agreed.
//
//	new --Start--> hello --ServerHello--> resuming --Finished--> done
//	                |  ^                     |
//	                |  +--HelloVerifyRequest |
//	                +-------- time ----------+--> failed
type resumingClient struct {
	cfg   Config
	state clientState
	timer retransmission

	flight     flight
	transcript transcript
	hello      dtls.ClientHello
	helloMsg   dtls.Handshake
	conn       *Conn
	verify     []byte // what the server's Finished must hold
	finished   struct {
		ccs, number uint16
		verify      []byte
	}
}

type clientState int

const (
	clientNew clientState = iota
	clientHello
	clientResuming // the server has answered the hello
	clientKeyed    // likewise, and got our key exchange
	clientDone
	clientFailed
)

func newResumingClient(cfg Config) (*resumingClient, error) {
	c := &resumingClient{cfg: cfg, flight: flight{version: cfg.Version}, transcript: transcript{version: cfg.Version, suite: cfg.Suite}}
	c.hello = dtls.ClientHello{
		Version: cfg.Version, SessionID: cfg.SessionID, Suites: []dtls.Suite{cfg.Suite}, Compressions: []byte{0},
	}
	if _, err := io.ReadFull(cfg.Rand, c.hello.Random[:]); err != nil {
		return nil, fmt.Errorf("dtls: random: %w", err)
	}
	return c, nil
}

func (c *resumingClient) Start(now time.Time) []Action {
	c.state = clientHello
	c.helloMsg = c.flight.messageOf(dtls.TypeClientHello, c.hello.AppendBody(nil))
	c.timer.start(now)
	return c.sendHello()
}

func (c *resumingClient) sendHello() []Action {
	return []Action{Send{Datagram: c.flight.handshake(c.helloMsg)}}
}

func (c *resumingClient) Received(now time.Time, datagram []byte) ([]Action, error) {
	return eachRecord(datagram, func(r dtls.Record, raw []byte) ([]Action, error) { return c.record(now, r, raw) })
}

func (c *resumingClient) record(now time.Time, r dtls.Record, raw []byte) ([]Action, error) {
	switch {
	case r.Epoch == 0 && r.Type == dtls.HandshakeRecord && c.state == clientHello:
		return c.message(now, r.Fragment)
	case r.Epoch == dataEpoch && c.state == clientResuming:
		return c.serverFinished(raw)
	case r.Epoch == 0 && r.Type == dtls.AlertRecord && c.state == clientHello:
		// An alert without protection may come from anybody; it is told, not obeyed.
		return nil, fmt.Errorf("dtls: the peer sends an alert (% x)", r.Fragment)
	}
	return nil, nil
}

func (c *resumingClient) message(now time.Time, fragment []byte) ([]Action, error) {
	m, _, err := dtls.ParseHandshake(fragment)
	if err != nil {
		return nil, err
	}
	switch m.Type {
	case dtls.TypeHelloVerifyRequest:
		verify, err := dtls.ParseHelloVerifyRequest(m.Body)
		if err != nil {
			return nil, err
		}
		if len(c.hello.Cookie) > 0 {
			return nil, nil // a repetition of the one we answered
		}
		c.hello.Cookie = bytes.Clone(verify.Cookie)
		c.helloMsg = c.flight.messageOf(dtls.TypeClientHello, c.hello.AppendBody(nil))
		c.timer.start(now)
		return c.sendHello(), nil
	case dtls.TypeServerHello:
		return c.serverHello(m)
	}
	return nil, fmt.Errorf("dtls: handshake message %d where the ServerHello should be", m.Type)
}

func (c *resumingClient) serverHello(m dtls.Handshake) ([]Action, error) {
	hello, err := dtls.ParseServerHello(m.Body)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(hello.SessionID, c.cfg.SessionID) || hello.Suite != c.cfg.Suite || hello.Version != c.cfg.Version || hello.Compression != 0 {
		return c.fail(ErrNotResumed), nil
	}
	c.conn, err = newConn(c.cfg.Version, c.cfg.Suite, newKeyBlock(c.cfg.Version, c.cfg.Suite, c.cfg.MasterSecret, hello.Random[:], c.hello.Random[:]), true, c.cfg.Rand)
	if err != nil {
		return c.fail(err), nil
	}
	c.transcript.add(c.helloMsg)
	c.transcript.add(m)
	c.verify = c.transcript.finished(c.cfg.MasterSecret, serverFinished)
	c.state = clientResuming
	return nil, nil
}

func (c *resumingClient) serverFinished(raw []byte) ([]Action, error) {
	verify, m, _, err := openFinished(c.conn, raw)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(verify, c.verify) {
		return c.fail(ErrFinished), nil
	}
	c.transcript.add(m)
	c.finished.verify = c.transcript.finished(c.cfg.MasterSecret, clientFinished)
	c.finished.ccs, c.finished.number = finishedNumbers(c.cfg.Version, c.helloMsg.Number)
	c.state = clientDone
	c.timer.stop()
	last, err := c.Resend()
	if err != nil {
		return nil, err
	}
	return append(last, Established{Conn: c.conn, ClientRandom: c.hello.Random, MasterSecret: c.cfg.MasterSecret}), nil
}

// Resend returns ChangeCipherSpec and Finished. Some gateways lose their way when they come unasked.
func (c *resumingClient) Resend() ([]Action, error) {
	if c.state != clientDone {
		return nil, fmt.Errorf("dtls: no last flight yet")
	}
	datagram := c.flight.changeCipherSpec(c.finished.ccs)
	finished, err := sealedFinished(c.conn, c.finished.number, c.finished.verify)
	if err != nil {
		return nil, err
	}
	return []Action{Send{Datagram: append(datagram, finished...)}}, nil
}

func (c *resumingClient) fail(err error) []Action {
	c.state = clientFailed
	c.timer.stop()
	return []Action{Failed{Err: err}}
}

func (c *resumingClient) Advance(now time.Time) []Action {
	again, over := c.timer.advance(now)
	switch {
	case over:
		return c.fail(ErrSilent)
	case again:
		// Also when the ServerHello came and the Finished did not: the hello asks for the flight again,
		// and its answer has the same ServerHello, so what was derived from it stands.
		return c.sendHello()
	}
	return nil
}

func (c *resumingClient) Wake() time.Time { return c.timer.due }

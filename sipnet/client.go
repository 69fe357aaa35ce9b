package sipnet

import (
	"errors"
	"fmt"
	"strings"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/wire/sip"
)

// client is a transaction that we began.
type client struct {
	tx      *gosip.ClientTx
	key     string
	request *sip.Message // as the user knows it; nil: nobody waits for the answer
	sent    *sip.Message // with our Via
	link    link
	inbox   chan answer
	ack     *sip.Message // of our INVITE's 2xx
	fate    error        // why the transaction ends before its time
}

type answer struct {
	in *gosip.Response
	m  *sip.Message
}

// errAbandoned as a client's fate means that nobody wants to hear of it.
var errAbandoned = errors.New("sipnet: abandoned")

// Request sends a request to a peer. What becomes of it, the user hears from Answered and Failed, and
// only if Request returned no error. The message must not change afterwards: it names the transaction.
func (s *Stack) Request(flow sip.Flow, m *sip.Message) error {
	l, err := s.to(flow)
	if err != nil {
		return err
	}
	branch := newBranch()
	return s.start(m, withVia(l, m, branch), m.Method+" "+branch, l)
}

// withVia returns the message with our Via on top and a Max-Forwards.
func withVia(l link, m *sip.Message, branch string) *sip.Message {
	out := *m
	via := fmt.Sprintf("SIP/2.0/%s %s;rport;branch=%s", l.flow.Transport, l.local, branch)
	out.Fields = append(sip.Fields{{Name: "Via", Value: via}}, m.Fields...)
	if m.Fields.Get("Max-Forwards") == "" {
		out.Fields.Add("Max-Forwards", "70")
	}
	return &out
}

func (s *Stack) start(request, sent *sip.Message, key string, l link) error {
	out, err := encode(sent)
	if err != nil {
		return err
	}
	req := out.(*gosip.Request)
	req.SetTransport(string(l.flow.Transport))
	c := &client{
		tx: gosip.NewClientTx(key, req, l, s.silent), key: key, request: request, sent: sent, link: l,
		inbox: make(chan answer, inbox),
	}
	c.tx.OnTerminate(func(string, error) { s.forgetClient(c) })
	c.tx.OnRetransmission(func(*gosip.Response) { s.repeatAck(c) })
	s.mu.Lock()
	if !s.begin() {
		s.mu.Unlock()
		return ErrClosed
	}
	s.running.Add(1)
	s.outgoing[key] = c
	if request != nil {
		s.clients[request] = c
	}
	s.mu.Unlock()
	s.trace("sent", l.flow, sent)
	go s.pump(c)
	go s.follow(c)
	if err := c.tx.Init(); err != nil {
		s.end(c, fmt.Errorf("%w: %v", ErrNoFlow, err))
	}
	return nil
}

// end finishes a transaction before its time.
func (s *Stack) end(c *client, fate error) {
	s.mu.Lock()
	if c.fate == nil {
		c.fate = fate
	}
	s.mu.Unlock()
	c.tx.Terminate()
}

func (s *Stack) forgetClient(c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.outgoing, c.key)
	delete(s.clients, c.request)
}

// response takes an answer of a peer to its transaction.
func (s *Stack) response(in *gosip.Response, m *sip.Message) {
	via, err := sip.ParseVia(m.Fields.Get("Via"))
	if err != nil {
		return
	}
	s.mu.Lock()
	c := s.outgoing[m.Method+" "+via.Params.Get("branch")]
	s.mu.Unlock()
	if c == nil {
		return
	}
	select {
	case c.inbox <- answer{in, m}:
	default:
	}
}

// pump feeds answers to the transaction. It has a goroutine of its own because the transaction blocks
// until the user has the answer, and for seconds when an answer is repeated.
func (s *Stack) pump(c *client) {
	defer s.running.Done()
	for {
		select {
		case a := <-c.inbox:
			c.tx.Receive(a.in)
		case <-c.tx.Done():
			return
		}
	}
}

// follow hands the answers of a transaction to the user, up to the final one.
func (s *Stack) follow(c *client) {
	defer s.running.Done()
	for {
		select {
		case res := <-c.tx.Responses():
			m, err := sip.Convert(res)
			if err == nil && c.request != nil {
				s.user.Answered(c.request, m)
			}
			if !res.IsProvisional() {
				return
			}
		case <-c.tx.Done():
			if why := s.why(c); c.request != nil && why != nil {
				s.user.Failed(c.request, why)
			}
			return
		}
	}
}

// why returns what to tell of a transaction that ended without a final answer; nil is nothing.
func (s *Stack) why(c *client) error {
	err := c.tx.Err() // waits for the transaction, which may be waiting for the mutex in forgetClient
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed, errors.Is(c.fate, errAbandoned):
		return nil
	case c.fate != nil:
		return c.fate
	case errors.Is(err, gosip.ErrTransactionTimeout):
		return ErrTimeout
	}
	return fmt.Errorf("%w: %v", ErrNoFlow, err)
}

// Ack acknowledges the 2xx of an INVITE of ours, and does so again whenever the 2xx comes again.
func (s *Stack) Ack(invite, ack *sip.Message) {
	s.mu.Lock()
	c := s.clients[invite]
	if c != nil {
		c.ack = withVia(c.link, ack, newBranch())
	}
	s.mu.Unlock()
	if c != nil {
		s.repeatAck(c)
	}
}

func (s *Stack) repeatAck(c *client) {
	s.mu.Lock()
	ack := c.ack
	s.mu.Unlock()
	if ack == nil {
		return
	}
	out, err := encode(ack)
	if err == nil {
		s.trace("sent", c.link.flow, ack)
		err = c.link.WriteMsg(out)
	}
	if err != nil {
		s.log.Debug("ack not sent", logging.Peer, c.link.flow, logging.Err, err)
	}
}

// Cancel gives up an INVITE of ours that has been answered provisionally. The INVITE's own final answer
// still comes: 487, or 200 when the callee was quicker.
func (s *Stack) Cancel(invite *sip.Message) {
	s.mu.Lock()
	c := s.clients[invite]
	s.mu.Unlock()
	if c == nil {
		return
	}
	n, _, _ := invite.CSeq()
	cancel := &sip.Message{Method: sip.Cancel, URI: invite.URI}
	for _, name := range []string{"Via", "Max-Forwards", "From", "To", "Call-ID"} {
		cancel.Fields.Add(name, c.sent.Fields.Get(name))
	}
	cancel.Fields.Add("CSeq", fmt.Sprintf("%d %s", n, sip.Cancel))
	branch := strings.TrimPrefix(c.key, sip.Invite+" ")
	if err := s.start(nil, cancel, sip.Cancel+" "+branch, c.link); err != nil {
		s.log.Debug("cancel not sent", logging.Peer, c.link.flow, logging.Err, err)
	}
}

// Abandon forgets a request of ours; nothing more is reported about it.
func (s *Stack) Abandon(request *sip.Message) {
	s.mu.Lock()
	c := s.clients[request]
	s.mu.Unlock()
	if c != nil {
		s.end(c, errAbandoned)
	}
}

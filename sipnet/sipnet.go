// Package sipnet carries SIP messages: sockets, connections and transactions, for servers and phones
// alike. Retransmission, matching of answers to requests, and the acknowledgement of refused calls stay
// below it; its user sees whole requests and answers, and names a transaction by the request itself.
//
// A Stack is given sockets (ListenPacket, Listen, Connect), which it then owns; it never opens one itself.
// So what goes to a peer over TCP goes over the connection that exists, or fails. Parsing and transactions
// are sipgo's, which does not show in the interface.
//
// Not here: dialogs, login, name resolution, TLS.
package sipnet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/wire/sip"
)

// User is who a Stack works for. Its methods are called from several goroutines at once and in no
// promised order; they may block for a while but must not wait for the Stack.
type User interface {
	// Received: a peer sends a request, or the ACK of a call. All but ACK want one Respond with a
	// final status.
	Received(flow sip.Flow, request *sip.Message)
	// Cancelled: the caller gave up an INVITE. It has been answered with 487 already.
	Cancelled(invite *sip.Message)
	// Answered: a peer answers one of our requests, provisionally or finally.
	Answered(request, response *sip.Message)
	// Failed: a request of ours will not be answered. Nothing more follows about it.
	Failed(request *sip.Message, err error)
	// Lost: a TCP connection is gone.
	Lost(flow sip.Flow)
}

// Errors that a caller may decide by.
var (
	// ErrNoFlow: there is no connection to the peer. Wait until it connects again.
	ErrNoFlow = errors.New("sipnet: no connection to the peer")
	// ErrTimeout: the peer did not answer.
	ErrTimeout = errors.New("sipnet: no answer")
	// ErrClosed: the stack has been closed.
	ErrClosed = errors.New("sipnet: closed")
)

// Limits on what strangers can make us hold.
const (
	maxConnections        = 8192
	maxConnectionsPerPeer = 256
	maxWaiting            = 4096             // requests handed to the user at once
	firstMessage          = 30 * time.Second // how long a new connection may take to bring a message
	idle                  = 70 * time.Minute // a registration is refreshed at least every hour
	writeTimeout          = 10 * time.Second
	writeQueue            = 64 // messages waiting for a slow reader
)

func init() {
	// Both are sipgo's only switches, and global. Its own lines carry whole messages with their
	// credentials; and it refuses datagrams above an Ethernet frame, which phones' files let us send
	// (INVITE with SDP and Cisco fields comes close).
	gosip.SetDefaultLogger(slog.New(slog.DiscardHandler))
	gosip.UDPMTUSize = sip.MaxMessage + 200
}

// Stack is one end's SIP transport and transactions.
type Stack struct {
	user      User
	log       *slog.Logger
	transport *gosip.TransportLayer
	tx        *gosip.TransactionLayer
	limit     *limiter
	gate      *gate
	waiting   atomic.Int64
	running   sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	udp       net.PacketConn // set once
	listeners []net.Listener
	conns     map[sip.Flow]*conn
	perPeer   map[netip.Addr]int
	servers   map[*sip.Message]*server
	clients   map[*sip.Message]*client
	unacked   map[dialogStep]*server // answers of 2xx that wait for their ACK
}

// New makes a stack for user. A nil log discards.
func New(user User, log *slog.Logger) *Stack {
	s := &Stack{
		user: user, log: logging.Or(log), limit: newLimiter(), gate: newGate(),
		conns: map[sip.Flow]*conn{}, perPeer: map[netip.Addr]int{},
		servers: map[*sip.Message]*server{}, clients: map[*sip.Message]*client{},
		unacked: map[dialogStep]*server{},
	}
	refuse := func(net.Addr) net.Dialer {
		return net.Dialer{ControlContext: func(context.Context, string, string, rawConn) error { return ErrNoFlow }}
	}
	s.transport = gosip.NewTransportLayer(net.DefaultResolver, sip.Parser(), nil,
		gosip.WithTransportLayerTransports(gosip.TransportsConfig{TCP: &gosip.TransportTCP{DialerCreate: refuse}}))
	s.tx = gosip.NewTransactionLayer(s.transport, gosip.WithTransactionLayerTerminateOnConnClose())
	s.tx.OnRequest(s.received)
	s.running.Go(func() { _ = s.transport.ServeTCP(s.gate) })
	return s
}

// Close ends every transaction, connection and socket, and returns when nothing of the stack runs any
// more. The user may still be called while Close works, so it must not block then.
func (s *Stack) Close() {
	s.mu.Lock()
	s.closed = true
	conns := make([]*conn, 0, len(s.conns))
	for _, c := range s.conns {
		conns = append(conns, c)
	}
	for step, server := range s.unacked {
		server.resend.Stop()
		delete(s.unacked, step)
	}
	listeners, udp := s.listeners, s.udp
	s.mu.Unlock()
	for _, l := range listeners {
		l.Close()
	}
	if udp != nil {
		udp.Close()
	}
	for _, c := range conns {
		c.Close()
	}
	s.gate.Close()
	s.tx.Close()
	_ = s.transport.Close()
	s.running.Wait()
}

// Local returns our own address towards a peer: what Via and Contact name.
func (s *Stack) Local(flow sip.Flow) netip.AddrPort {
	s.mu.Lock()
	c, udp := s.conns[flow], s.udp
	s.mu.Unlock()
	switch {
	case flow.Transport == sip.TCP && c != nil:
		return addrPort(c.LocalAddr())
	case flow.Transport == sip.UDP && udp != nil:
		local := addrPort(udp.LocalAddr())
		if local.Addr().IsUnspecified() {
			local = netip.AddrPortFrom(sourceFor(flow.Peer), local.Port())
		}
		return local
	}
	return netip.AddrPort{}
}

// sourceFor asks the system which of its addresses it would send from.
func sourceFor(peer netip.AddrPort) netip.Addr {
	c, err := net.Dial("udp", peer.String()) // sends nothing
	if err != nil {
		return netip.IPv4Unspecified()
	}
	defer c.Close()
	return addrPort(c.LocalAddr()).Addr()
}

func addrPort(a net.Addr) netip.AddrPort {
	p, _ := netip.ParseAddrPort(a.String())
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

// dialogStep identifies the ACK that belongs to an answer.
type dialogStep struct {
	callID string
	cseq   uint32
	tag    string // our own
}

func stepOf(m *sip.Message) dialogStep {
	n, _, _ := m.CSeq()
	return dialogStep{m.CallID(), n, m.ToTag()}
}

// server is an open transaction that a peer began.
type server struct {
	tx     *gosip.ServerTx
	origin *gosip.Request
	flow   sip.Flow
	resend *time.Timer // of a 2xx, until its ACK
}

func (s *Stack) received(req *gosip.Request, tx *gosip.ServerTx) {
	flow := flowOf(req)
	m, err := sip.Convert(req)
	if err != nil {
		s.log.Debug("request refused", logging.Peer, flow, logging.Err, err)
		_ = tx.Respond(gosip.NewResponseFromRequest(req, 400, sip.Phrase(400), nil))
		return
	}
	s.log.Log(context.Background(), logging.LevelTrace, "received", logging.Peer, flow, "message", m)
	s.settle(flow)
	stampVia(m, flow.Peer)
	switch m.Method {
	case sip.Ack:
		tx.Terminate()
		s.acked(m)
	case sip.Cancel:
		_ = tx.Respond(gosip.NewResponseFromRequest(req, 481, sip.Phrase(481), nil))
		return
	default:
		if !s.open(m, &server{tx: tx, origin: req, flow: flow}) {
			return
		}
	}
	if s.waiting.Add(1) > maxWaiting {
		s.waiting.Add(-1)
		s.Respond(m, sip.NewResponse(m, 503, newTag()))
		return
	}
	defer s.waiting.Add(-1)
	s.user.Received(flow, m)
}

func (s *Stack) open(m *sip.Message, server *server) bool {
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.servers[m] = server
	}
	s.mu.Unlock()
	alive := !closed && server.tx.OnTerminate(func(string, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.servers, m)
	})
	if !alive {
		server.tx.Terminate()
		return false
	}
	if m.Method == sip.Invite {
		// The transaction calls with its lock held.
		server.tx.OnCancel(func(*gosip.Request) { go s.user.Cancelled(m) })
	}
	return true
}

func flowOf(req *gosip.Request) sip.Flow {
	peer, _ := netip.ParseAddrPort(req.Source())
	return sip.Flow{
		Transport: sip.Transport(strings.ToUpper(req.Transport())),
		Peer:      netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port()),
	}
}

// stampVia writes into the topmost Via where the request really came from (RFC 3581).
func stampVia(m *sip.Message, peer netip.AddrPort) {
	via := m.Fields.Get("Via")
	head, params, _ := strings.Cut(via, ";")
	var kept []string
	rport := false
	for _, p := range strings.Split(params, ";") {
		name, _, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch strings.ToLower(name) {
		case "rport":
			rport = true
		case "received", "":
		default:
			kept = append(kept, strings.TrimSpace(p))
		}
	}
	if rport {
		kept = append(kept, "rport="+strconv.Itoa(int(peer.Port())))
	}
	kept = append(kept, "received="+peer.Addr().String())
	m.Fields.Set("Via", head+";"+strings.Join(kept, ";"))
}

// Respond answers a request that the user has received. Answers to a request that is no longer open are
// dropped: its peer has gone or has given up.
func (s *Stack) Respond(request, response *sip.Message) {
	s.mu.Lock()
	server := s.servers[request]
	s.mu.Unlock()
	if server == nil {
		return
	}
	out, err := encode(response)
	if err != nil {
		s.log.Debug("response dropped", logging.Err, err)
		server.tx.Terminate()
		return
	}
	s.log.Log(context.Background(), logging.LevelTrace, "sent", logging.Peer, server.flow, "message", response)
	res := out.(*gosip.Response)
	res.SetTransport(string(server.flow.Transport))
	res.SetDestination(server.destination())
	if request.Method == sip.Invite && response.OK() && server.flow.Transport == sip.UDP {
		s.awaitAck(server, response, res)
	}
	if err := server.tx.Respond(res); err != nil {
		s.log.Debug("response not sent", logging.Peer, server.flow, logging.Err, err)
	}
}

// destination is where an answer goes: back along the connection, or over UDP to the port that Via
// names unless it asks for the one the request came from.
func (s *server) destination() string {
	via := s.origin.Via()
	if s.flow.Transport == sip.TCP || via.Params.Has("rport") {
		return s.flow.Peer.String()
	}
	port := via.Port
	if port <= 0 || port > 65535 {
		port = 5060
	}
	return netip.AddrPortFrom(s.flow.Peer.Addr(), uint16(port)).String()
}

// awaitAck repeats a 2xx until its ACK comes (RFC 3261 section 13.3.1.4), which over UDP is nobody
// else's work. It ends with the transaction.
func (s *Stack) awaitAck(server *server, response *sip.Message, res *gosip.Response) {
	step, wait := stepOf(response), gosip.T1
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.unacked[step] != nil {
		return
	}
	s.unacked[step] = server
	server.resend = time.AfterFunc(wait, func() {
		err := server.tx.Respond(res)
		s.mu.Lock()
		defer s.mu.Unlock()
		select {
		case <-server.tx.Done():
			err = ErrTimeout
		default:
		}
		if err != nil || s.unacked[step] != server {
			delete(s.unacked, step)
			return
		}
		wait = min(2*wait, gosip.T2)
		server.resend.Reset(wait)
	})
}

func (s *Stack) acked(ack *sip.Message) {
	step := stepOf(ack)
	s.mu.Lock()
	defer s.mu.Unlock()
	if server := s.unacked[step]; server != nil {
		server.resend.Stop()
		delete(s.unacked, step)
	}
}

// client is a transaction that we began.
type client struct {
	tx        *gosip.ClientTx
	flow      sip.Flow
	sent      *sip.Message // with our Via
	ack       *gosip.Request
	abandoned bool
}

// Request sends a request to a peer. What becomes of it, the user hears from Answered and Failed, and
// only if Request returned no error. The message must not change afterwards: it names the transaction.
func (s *Stack) Request(flow sip.Flow, m *sip.Message) error {
	sent := s.withVia(flow, m, newBranch())
	req, err := s.prepare(flow, sent)
	if err != nil {
		return err
	}
	s.log.Log(context.Background(), logging.LevelTrace, "sent", logging.Peer, flow, "message", m)
	tx, err := s.tx.NewClientTransaction(context.Background(), req)
	if err != nil {
		return s.reason(err)
	}
	c := &client{tx: tx, flow: flow, sent: sent}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		tx.Terminate()
		return ErrClosed
	}
	s.clients[m] = c
	s.running.Add(1)
	s.mu.Unlock()
	tx.OnTerminate(func(string, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.clients, m)
	})
	tx.OnRetransmission(func(*gosip.Response) { s.repeatAck(c) })
	go s.follow(m, c)
	if err := tx.Init(); err != nil {
		tx.Terminate() // follow reports it
	}
	return nil
}

// follow hands the answers of one transaction to the user.
func (s *Stack) follow(m *sip.Message, c *client) {
	defer s.running.Done()
	for {
		select {
		case res := <-c.tx.Responses():
			response, err := sip.Convert(res)
			if err != nil {
				s.log.Debug("response refused", logging.Peer, c.flow, logging.Err, err)
				continue
			}
			s.log.Log(context.Background(), logging.LevelTrace, "received", logging.Peer, c.flow, "message", response)
			s.settle(c.flow)
			s.user.Answered(m, response)
			if response.Final() {
				return
			}
		case <-c.tx.Done():
			s.mu.Lock()
			silent := c.abandoned || s.closed
			s.mu.Unlock()
			if !silent {
				s.user.Failed(m, s.reason(c.tx.Err()))
			}
			return
		}
	}
}

func (s *Stack) reason(err error) error {
	switch {
	case errors.Is(err, gosip.ErrTransactionTimeout):
		return ErrTimeout
	case errors.Is(err, ErrNoFlow), errors.Is(err, gosip.ErrTransactionTransport), errors.Is(err, gosip.ErrTransactionCanceled):
		return fmt.Errorf("%w: %v", ErrNoFlow, err)
	}
	return fmt.Errorf("sipnet: %v", err)
}

// Ack acknowledges the 2xx of an INVITE of ours, and does so again whenever the 2xx comes again.
func (s *Stack) Ack(invite, ack *sip.Message) {
	s.mu.Lock()
	c := s.clients[invite]
	s.mu.Unlock()
	if c == nil {
		return
	}
	req, err := s.prepare(c.flow, s.withVia(c.flow, ack, newBranch()))
	if err != nil {
		s.log.Debug("ack not sent", logging.Peer, c.flow, logging.Err, err)
		return
	}
	s.mu.Lock()
	c.ack = req
	s.mu.Unlock()
	s.repeatAck(c)
}

func (s *Stack) repeatAck(c *client) {
	s.mu.Lock()
	ack := c.ack
	s.mu.Unlock()
	if ack == nil {
		return
	}
	if err := s.transport.WriteMsg(ack); err != nil {
		s.log.Debug("ack not sent", logging.Peer, c.flow, logging.Err, err)
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
	for _, name := range []string{"Via", "Max-Forwards", "From", "To", "Call-ID", "Route"} {
		for _, value := range c.sent.Fields.All(name) {
			cancel.Fields.Add(name, value)
		}
	}
	cancel.Fields.Add("CSeq", fmt.Sprintf("%d %s", n, sip.Cancel))
	req, err := s.prepare(c.flow, cancel)
	if err == nil {
		err = s.discard(req)
	}
	if err != nil {
		s.log.Debug("cancel not sent", logging.Peer, c.flow, logging.Err, err)
	}
}

// discard sends a request whose answer nobody waits for.
func (s *Stack) discard(req *gosip.Request) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	s.running.Add(1)
	s.mu.Unlock()
	tx, err := s.tx.Request(context.Background(), req)
	if err != nil {
		s.running.Done()
		return err
	}
	go func() {
		defer s.running.Done()
		for {
			select {
			case <-tx.Done():
				return
			case res := <-tx.Responses():
				if !res.IsProvisional() {
					return
				}
			}
		}
	}()
	return nil
}

// Abandon forgets a request of ours; nothing more is reported about it.
func (s *Stack) Abandon(request *sip.Message) {
	s.mu.Lock()
	c := s.clients[request]
	if c != nil {
		c.abandoned = true
	}
	s.mu.Unlock()
	if c != nil {
		c.tx.Terminate()
	}
}

// withVia returns the message with our Via on top and a Max-Forwards.
func (s *Stack) withVia(flow sip.Flow, m *sip.Message, branch string) *sip.Message {
	out := *m
	via := fmt.Sprintf("SIP/2.0/%s %s;rport;branch=%s", flow.Transport, s.Local(flow), branch)
	out.Fields = append(sip.Fields{{Name: "Via", Value: via}}, m.Fields...)
	if m.Fields.Get("Max-Forwards") == "" {
		out.Fields.Add("Max-Forwards", "70")
	}
	return &out
}

// prepare turns a message into sipgo's, bound to its flow.
func (s *Stack) prepare(flow sip.Flow, m *sip.Message) (*gosip.Request, error) {
	local := s.Local(flow)
	if !local.IsValid() {
		return nil, ErrNoFlow
	}
	out, err := encode(m)
	if err != nil {
		return nil, err
	}
	req := out.(*gosip.Request)
	req.SetTransport(string(flow.Transport))
	req.SetDestination(flow.Peer.String())
	if flow.Transport == sip.UDP {
		bound := addrPort(s.udp.LocalAddr())
		req.Laddr = gosip.Addr{IP: net.IP(bound.Addr().AsSlice()), Port: int(bound.Port())}
	}
	return req, nil
}

var parser = sip.Parser()

func encode(m *sip.Message) (gosip.Message, error) {
	b, err := m.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	out, err := parser.ParseSIP(b)
	if err != nil {
		return nil, fmt.Errorf("sipnet: own message: %v", err)
	}
	return out, nil
}

func newBranch() string { return "z9hG4bK" + rand.Text() }

func newTag() string { return rand.Text() }

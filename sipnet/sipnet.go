// Package sipnet carries SIP messages: sockets, connections and transactions, for servers and phones
// alike. Retransmission, matching of answers to requests, and the acknowledgement of refused calls stay
// below it; its user sees whole requests and answers, and names a transaction by the request itself.
//
// A Stack is given sockets (ListenPacket, Listen, Connect), which it then owns; it never opens one itself.
// So what goes to a peer over TCP goes over the connection that exists, or fails. The parser and the state
// machines of transactions are sipgo's, which does not show in the interface; its transport is not used,
// because it opens sockets when it knows no way to a peer.
//
// Not here: dialogs, login, name resolution, whom to believe in TLS.
package sipnet

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/longcord/longcord/internal/limiter"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/wire/sip"
)

// User is who a Stack works for. Its methods are called from several goroutines at once; messages of one
// flow come in their order. They may block for a while, which makes that flow wait, but must not wait for
// the Stack.
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
	// Lost: a connection by TCP or TLS is gone.
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
	maxServers            = 50000            // open transactions that peers began
	firstMessage          = 30 * time.Second // how long a new connection may take to bring a message
	idle                  = 70 * time.Minute // a registration is refreshed at least every hour
	writeTimeout          = 10 * time.Second
	writeQueue            = 64 // messages waiting for a slow reader
	inbox                 = 16 // answers waiting for a slow user; more are repeated by the peer or not needed
)

// Stack is one end's SIP transport and transactions.
type Stack struct {
	user    User
	log     *slog.Logger
	silent  *slog.Logger // for sipgo, whose lines carry whole messages with their credentials
	limit   *limiter.Limiter
	running sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	udp       net.PacketConn // set once
	listeners []net.Listener
	conns     map[sip.Flow]*conn
	perPeer   map[netip.Addr]int
	incoming  map[string]*server // by key
	servers   map[*sip.Message]*server
	unacked   map[dialogStep]*server // their 2xx waits for its ACK
	outgoing  map[string]*client     // by key
	clients   map[*sip.Message]*client
}

// New makes a stack for user. A nil log discards.
func New(user User, log *slog.Logger) *Stack {
	return &Stack{
		user: user, log: logging.Or(log), silent: slog.New(slog.DiscardHandler), limit: limiter.New(),
		conns: map[sip.Flow]*conn{}, perPeer: map[netip.Addr]int{},
		incoming: map[string]*server{}, servers: map[*sip.Message]*server{}, unacked: map[dialogStep]*server{},
		outgoing: map[string]*client{}, clients: map[*sip.Message]*client{},
	}
}

// Close ends every transaction, connection and socket, and returns when nothing of the stack runs any
// more. The user may still be called while Close works, so it must not block then.
func (s *Stack) Close() {
	s.mu.Lock()
	s.closed = true
	for _, l := range s.listeners {
		l.Close()
	}
	if s.udp != nil {
		s.udp.Close()
	}
	var ends []func()
	for _, c := range s.conns {
		ends = append(ends, c.close)
	}
	for _, server := range s.incoming {
		ends = append(ends, server.tx.Terminate)
	}
	for _, client := range s.outgoing {
		ends = append(ends, client.tx.Terminate)
	}
	s.mu.Unlock()
	for _, end := range ends {
		end()
	}
	s.running.Wait()
}

// begin claims a place among what Close waits for; false means that the stack is closed. The caller holds
// the mutex and, when it got a place, calls s.running.Done at its end.
func (s *Stack) begin() bool {
	if !s.closed {
		s.running.Add(1)
	}
	return !s.closed
}

// handle takes one message that came over a link.
func (s *Stack) handle(l link, in gosip.Message) {
	m, err := sip.Convert(in)
	if err != nil {
		s.log.Debug("message refused", logging.Peer, l.flow, logging.Err, err)
		return
	}
	s.trace("received", l.flow, m)
	in.SetTransport(string(l.flow.Transport))
	in.SetSource(l.flow.Peer.String())
	switch in := in.(type) {
	case *gosip.Request:
		s.request(l, in, m)
	case *gosip.Response:
		s.response(in, m)
	}
}

func (s *Stack) trace(what string, flow sip.Flow, m *sip.Message) {
	s.log.Log(context.Background(), logging.LevelTrace, what, logging.Peer, flow, "message", m)
}

var parser = sip.Parser()

// encode makes of our message one of sipgo's, for its state machines.
func encode(m *sip.Message) (gosip.Message, error) {
	b, err := m.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	out, err := parser.ParseSIP(b)
	if err != nil {
		return nil, err
	}
	// sipgo reads these fields when it first needs them, and stores what it has read: a race between a
	// state machine's timer and whoever else looks at the message, unless it has been done before.
	out.Via()
	out.From()
	out.To()
	out.CallID()
	out.CSeq()
	out.ContentLength()
	return out, nil
}

func newBranch() string { return "z9hG4bK" + rand.Text() }

package sipnet

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/wire/sip"
)

// server is a transaction that a peer began.
type server struct {
	tx      *gosip.ServerTx
	key     string
	request *sip.Message
	link    link
	taken   bool        // an INVITE was answered with 2xx
	resend  *time.Timer // of that 2xx, until its ACK
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

// serverKey tells requests from repetitions (RFC 3261 section 17.2.3). ACK and CANCEL have the key of their
// INVITE.
func serverKey(m *sip.Message, via sip.Via) string {
	method := m.Method
	if method == sip.Ack || method == sip.Cancel {
		method = sip.Invite
	}
	sentBy := net.JoinHostPort(via.Host, strconv.Itoa(int(via.Port)))
	if branch := via.Params.Get("branch"); strings.HasPrefix(branch, "z9hG4bK") {
		return strings.Join([]string{method, sentBy, branch}, " ")
	}
	n, _, _ := m.CSeq() // a peer from before RFC 3261
	return fmt.Sprintf("%s %s %d %s %s %s", method, m.CallID(), n, m.FromTag(), sentBy, via.Params)
}

// request takes a request of a peer: a repetition, what belongs to an INVITE, or a new one.
func (s *Stack) request(l link, in *gosip.Request, m *sip.Message) {
	via, err := sip.ParseVia(m.Fields.Get("Via"))
	if err != nil {
		s.log.Debug("request refused", logging.Peer, l.flow, logging.Err, err)
		return
	}
	key, back := serverKey(m, via), s.back(l, via)
	via = via.Stamp(l.flow.Peer)
	m.Fields.Set("Via", via.String())
	s.mu.Lock()
	known := s.incoming[key]
	taken := known != nil && known.taken
	s.mu.Unlock()
	switch {
	case m.Method == sip.Ack:
		if known != nil && !taken {
			_ = known.tx.Receive(in)
			return
		}
		s.acked(m)
		s.user.Received(l.flow, m)
	case m.Method == sip.Cancel:
		status := 481
		if known != nil {
			status = 200
		}
		if out, err := encode(sip.NewResponse(m, status, m.FromTag()+"-cancel")); err == nil {
			_ = back.WriteMsg(out)
		}
		if known != nil {
			_ = known.tx.Receive(in)
		}
	case known != nil:
		_ = known.tx.Receive(in)
	default:
		s.open(l.flow, back, key, m)
	}
}

// open makes the transaction of a new request and hands it to the user.
func (s *Stack) open(flow sip.Flow, back link, key string, m *sip.Message) {
	origin, err := encode(m) // with the stamped Via, for answers that the transaction makes itself
	if err != nil {
		s.log.Debug("request refused", logging.Peer, flow, logging.Err, err)
		return
	}
	in := origin.(*gosip.Request)
	in.SetTransport(string(flow.Transport))
	in.SetSource(flow.Peer.String())
	server := &server{tx: gosip.NewServerTx(key, in, back, s.silent), key: key, request: m, link: back}
	server.tx.OnTerminate(func(string, error) { s.forgetServer(server) })
	if m.Method == sip.Invite {
		// The transaction calls with its lock held.
		server.tx.OnCancel(func(*gosip.Request) { s.cancelled(m) })
	}
	s.mu.Lock()
	if s.closed || len(s.incoming) >= maxServers {
		s.mu.Unlock()
		return
	}
	s.incoming[key], s.servers[m] = server, server
	s.mu.Unlock()
	_ = server.tx.Init() // only starts a timer
	s.user.Received(flow, m)
}

func (s *Stack) cancelled(invite *sip.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begin() {
		go func() {
			defer s.running.Done()
			s.user.Cancelled(invite)
		}()
	}
}

func (s *Stack) forgetServer(server *server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.incoming, server.key)
	delete(s.servers, server.request)
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
	s.trace("sent", server.link.flow, response)
	res := out.(*gosip.Response)
	if request.Method == sip.Invite && response.OK() {
		s.awaitAck(server, response, res)
	}
	if err := server.tx.Respond(res); err != nil {
		s.log.Debug("response not sent", logging.Peer, server.link.flow, logging.Err, err)
	}
}

// awaitAck repeats a 2xx until its ACK comes (RFC 3261 section 13.3.1.4), which over UDP is nobody
// else's work. It ends with the transaction.
func (s *Stack) awaitAck(server *server, response *sip.Message, res *gosip.Response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	server.taken = true
	step, wait := stepOf(response), gosip.T1
	if s.closed || server.link.flow.Transport != sip.UDP || s.unacked[step] != nil {
		return
	}
	s.unacked[step] = server
	server.resend = time.AfterFunc(wait, func() {
		err := server.tx.Respond(res)
		s.mu.Lock()
		defer s.mu.Unlock()
		if err != nil || s.incoming[server.key] != server {
			delete(s.unacked, step)
		}
		if s.unacked[step] == server {
			wait = min(2*wait, gosip.T2)
			server.resend.Reset(wait)
		}
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

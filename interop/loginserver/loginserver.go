// Package loginserver is a gateway that lets people in and then does nothing with them: a TLS listener
// around verify.Server, for tests of the login alone.
package loginserver

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/vpnauth"
)

// Config is how the gateway lets people in.
type Config struct {
	TLS         *tls.Config
	Verify      verify.Config      // Old is set by itself, from the connection's version, and Client from Authorities
	Authorities []verify.Authority // whose client certificates count, in every group
	Check       func(verify.Authenticate) verify.Result
}

// Server is a running gateway.
type Server struct {
	config   Config
	listener net.Listener
	wait     sync.WaitGroup

	mu      sync.Mutex
	open    map[net.Conn]bool
	actions []verify.Action
}

// Start listens on a free port of 127.0.0.1 until the test ends.
func Start(t testing.TB, config Config) *Server {
	t.Helper()
	listener, err := tls.Listen("tcp4", "127.0.0.1:0", config.TLS)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{config: config, listener: listener, open: map[net.Conn]bool{}}
	s.wait.Go(s.accept)
	t.Cleanup(s.stop)
	return s
}

// Addr returns host and port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Actions returns what the server's side of all logins has decided so far.
func (s *Server) Actions() []verify.Action {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.actions)
}

func (s *Server) stop() {
	s.listener.Close()
	s.mu.Lock()
	for conn := range s.open {
		conn.Close()
	}
	s.mu.Unlock()
	s.wait.Wait()
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.open[conn] = true
		s.mu.Unlock()
		s.wait.Go(func() {
			s.serve(conn.(*tls.Conn))
			conn.Close()
			s.mu.Lock()
			delete(s.open, conn)
			s.mu.Unlock()
		})
	}
}

func (s *Server) serve(conn *tls.Conn) {
	if conn.Handshake() != nil {
		return
	}
	config := s.config.Verify
	state := conn.ConnectionState()
	config.Old = state.Version < tls.VersionTLS12
	config.Client = func(string) (*verify.ClientCertificate, error) {
		if len(state.PeerCertificates) == 0 {
			return nil, nil
		}
		found, err := verify.CheckClient(time.Now(), state.PeerCertificates, s.config.Authorities)
		if err != nil {
			return nil, err
		}
		return &found, nil
	}
	login := verify.NewServer(time.Now(), config)
	for reader := bufio.NewReader(conn); ; {
		r, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, vpnauth.MaxBody+1))
		if err != nil {
			return
		}
		actions, err := login.Received(time.Now(), verify.NewRequest(r, body))
		if err != nil || !s.do(conn, login, actions) {
			return
		}
	}
}

// do reports whether the connection goes on.
func (s *Server) do(conn net.Conn, login *verify.Server, actions []verify.Action) bool {
	s.mu.Lock()
	s.actions = append(s.actions, actions...)
	s.mu.Unlock()
	for _, action := range actions {
		switch a := action.(type) {
		case verify.Send:
			if _, err := conn.Write(a.Reply.Append(nil)); err != nil {
				return false
			}
		case verify.Authenticate:
			next, err := login.Authenticated(time.Now(), s.config.Check(a))
			if err != nil || !s.do(conn, login, next) {
				return false
			}
		case verify.Close:
			return false
		}
	}
	return true
}

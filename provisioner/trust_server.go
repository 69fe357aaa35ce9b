package provisioner

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/tls10"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/stage/enrol"
	"github.com/longcord/longcord/stage/verify"
)

// Enrolments say which phones get certificates, and issue them; *lsc.Book is one.
type Enrolments interface {
	// Judge says what is to be done with a phone. From is the device that its address belongs to, or empty.
	Judge(ctx context.Context, c enrol.Claim, from string) (enrol.Task, error)
	// Sign issues a certificate for a device's key.
	Sign(ctx context.Context, device string, public crypto.PublicKey) ([]byte, error)
	// Ended takes note of how a conversation ended.
	Ended(ctx context.Context, o enrol.Outcome) error
	// Seen takes note of a certificate whose key a client has proved to have.
	Seen(ctx context.Context, leaf *x509.Certificate) error
}

// TrustConfig is what a TrustServer needs. Fields without a remark are required.
type TrustConfig struct {
	TVS        netip.AddrPort // IPv4; phones know only port 2445
	CAPF       netip.AddrPort // IPv4; phones know only port 3804
	TVSPair    func() (tls.Certificate, error)
	CAPFPair   func() (tls.Certificate, error)
	Known      func() []verify.TVSRecord
	Enrolments Enrolments
	DeviceAt   func(netip.Addr) (device string, ok bool) // whose tunnel has an address, if it is in one; with no device, nobody enrols there; nil: nobody knows
	Legacy     func() bool                               // some phone can do no better than TLS 1.0; nil: none
	KeyLog     io.Writer                                 // NSS key log lines; nil: none
	Log        *slog.Logger                              // nil discards
}

// TrustServer answers phones about certificates (TVS) and gives them their own (CAPF). New makes it, Open
// takes the ports, Serve answers until its context ends.
type TrustServer struct {
	config TrustConfig
	log    *slog.Logger
	places *places
	strange
	tvs, capf net.Listener // nil until Open
}

// How many conversations may be under way, in all and with one address, and how long one may take that has
// not come to anything. Behind one address may be a branch office with all its phones.
const (
	trustConversations = 512
	trustPerAddress    = 32
	trustHandshake     = 10 * time.Second
	tvsTime            = 10 * time.Second // from the handshake on, as the open service has it
	writeTime          = 10 * time.Second
)

// NewTrustServer returns a server that has opened nothing yet.
func NewTrustServer(c TrustConfig) (*TrustServer, error) {
	if !c.TVS.Addr().Is4() || !c.CAPF.Addr().Is4() || c.TVSPair == nil || c.CAPFPair == nil || c.Known == nil || c.Enrolments == nil {
		return nil, errors.New("provisioner: address, certificates or records of the trust server are missing")
	}
	if c.DeviceAt == nil {
		c.DeviceAt = func(netip.Addr) (string, bool) { return "", false }
	}
	if c.Legacy == nil {
		c.Legacy = func() bool { return false }
	}
	log := logging.Or(c.Log).With(logging.Actor, "provisioner", logging.Stage, stage.Verify)
	return &TrustServer{config: c, log: log, places: newPlaces(trustConversations, trustPerAddress)}, nil
}

// Open takes both ports. A port that is taken is a *net.OpError in the chain.
func (s *TrustServer) Open() (err error) {
	if s.tvs, err = net.Listen("tcp4", s.config.TVS.String()); err != nil {
		return fmt.Errorf("provisioner: TVS: %w", err)
	}
	if s.capf, err = net.Listen("tcp4", s.config.CAPF.String()); err != nil {
		return errors.Join(fmt.Errorf("provisioner: CAPF: %w", err), s.tvs.Close())
	}
	return nil
}

// Addresses returns where TVS and CAPF are served, after Open.
func (s *TrustServer) Addresses() (tvs, capf netip.AddrPort) {
	return s.tvs.Addr().(*net.TCPAddr).AddrPort(), s.capf.Addr().(*net.TCPAddr).AddrPort()
}

// Serve answers phones until ctx ends, and returns when everything it started has stopped. Open must have
// been called. The end of ctx is no error.
func (s *TrustServer) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		_ = s.tvs.Close() // only to end Accept
		_ = s.capf.Close()
	})
	defer stop()
	var running sync.WaitGroup
	ended := make(chan error, 2)
	for _, service := range []struct {
		listener net.Listener
		serve    func(context.Context, net.Conn) error
		name     string
	}{{s.tvs, s.serveTVS, "TVS"}, {s.capf, s.serveCAPF, "CAPF"}} {
		running.Go(func() {
			ended <- s.accept(ctx, &running, service.name, listenerWithPlaces{service.listener, s.places}, service.serve)
		})
	}
	err := <-ended
	cancel() // one of them cannot go on: neither does the other
	err = errors.Join(err, <-ended)
	running.Wait()
	return err
}

func (s *TrustServer) accept(ctx context.Context, running *sync.WaitGroup, name string, l net.Listener, serve func(context.Context, net.Conn) error) error {
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = conn.Close() // it has said nothing yet
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("provisioner: %s: %w", name, err)
		}
		running.Go(func() {
			log := s.log.With("service", name, logging.Peer, conn.RemoteAddr().String())
			defer func() {
				if p := recover(); p != nil {
					log.Error("conversation ended by a panic", "panic", p, "stack", string(debug.Stack()))
				}
				_ = conn.Close() // what was to be said has been
			}()
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			defer stop()
			if err := serve(ctx, conn); err != nil && ctx.Err() == nil {
				log.Debug("conversation broken off", logging.Err, err)
			}
		})
	}
}

// strange tells of what nobody has seen before, once each.
type strange struct{ told sync.Map }

func (s *strange) once(what string, tell func()) {
	if _, again := s.told.LoadOrStore(what, true); !again {
		tell()
	}
}

// handshake brings TLS up with one of our certificates. ask is whether the phone is to show its own.
func (s *TrustServer) handshake(ctx context.Context, raw net.Conn, pair func() (tls.Certificate, error), ask bool) (*tls10.Conn, error) {
	ours, err := pair()
	if err != nil {
		return nil, err
	}
	recorder := tls10.Record(raw, false)
	conn := tls.Server(recorder, &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		c := trustTLS(hello, ours, s.config.Legacy())
		if ask {
			c.ClientAuth = tls.RequestClientCert // which ones count is for others to judge
		}
		c.KeyLogWriter = recorder.KeyLog(s.config.KeyLog)
		return c, nil
	}})
	ctx, cancel := context.WithTimeout(ctx, trustHandshake)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return recorder.TakeOver(conn)
}

// peerOf is the address of the other end.
func peerOf(conn net.Conn) netip.Addr {
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// sendWhole sends one message in one record, which the socket sends in one piece.
func sendWhole(conn net.Conn, message interface {
	AppendBinary(b []byte) ([]byte, error)
}) error {
	b, err := message.AppendBinary(nil)
	if err != nil {
		return err
	}
	if err := conn.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	_, err = conn.Write(b)
	return err
}

package door

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/longcord/longcord/stage/provision"
)

// judge says what a request gets, and hears what arrived.
type judge interface {
	asked(now time.Time, from netip.AddrPort, by provision.Transport, name string) (provision.DoorAnswer, provision.File)
	arrived(now time.Time, from netip.AddrPort, by provision.Transport, file provision.File)
}

// server hands out files at one address, by TFTP from one port and by HTTP, and is silent to everybody whom
// its judge does not name.
type server struct {
	judge judge
	log   *slog.Logger
	udp   *net.UDPConn
	tcp   net.Listener

	running sync.WaitGroup
	end     context.CancelFunc
}

// listen takes both ports. A port that is taken is a *net.OpError in the chain. Nobody is heard before the
// first call of admit.
func listen(ctx context.Context, tftp, http netip.AddrPort, judge judge, log *slog.Logger) (*server, error) {
	s := &server{judge: judge, log: log}
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error { return admit(raw, nil) }}
	udp, err := config.ListenPacket(ctx, "udp4", tftp.String())
	if err != nil {
		return nil, fmt.Errorf("door: %w", err)
	}
	s.udp = udp.(*net.UDPConn)
	if s.tcp, err = config.Listen(ctx, "tcp4", http.String()); err != nil {
		return nil, errors.Join(fmt.Errorf("door: %w", err), s.udp.Close())
	}
	ctx, s.end = context.WithCancel(context.WithoutCancel(ctx))
	s.running.Go(func() { s.serveTFTP(ctx) })
	s.running.Go(func() { s.serveHTTP(ctx) })
	return s, nil
}

// admit lets packets of these addresses through to both ports, and no others: the kernel drops them before
// they could be answered.
func (s *server) admit(addresses []netip.Addr) error {
	return s.onSockets(func(raw syscall.RawConn) error { return admit(raw, addresses) })
}

// admitAll lets everybody's packets through.
func (s *server) admitAll() error { return s.onSockets(admitAll) }

func (s *server) onSockets(do func(syscall.RawConn) error) error {
	for _, socket := range []syscall.Conn{s.udp, s.tcp.(*net.TCPListener)} {
		raw, err := socket.SyscallConn()
		if err != nil {
			return fmt.Errorf("door: %w", err)
		}
		if err := do(raw); err != nil {
			return err
		}
	}
	return nil
}

// addresses returns where it listens.
func (s *server) addresses() (tftp, http netip.AddrPort) {
	return s.udp.LocalAddr().(*net.UDPAddr).AddrPort(), s.tcp.Addr().(*net.TCPAddr).AddrPort()
}

// close gives the ports back at once. What runs ends soon; wait waits for it.
func (s *server) close() error {
	s.end()
	return errors.Join(s.udp.Close(), s.tcp.Close())
}

func (s *server) wait() { s.running.Wait() }

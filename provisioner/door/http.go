package door

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/wire/vpnauth"
)

// Limits of HTTP here.
const (
	maxConns      = 32
	maxHead       = 8 << 10          // bytes of a request
	requestTime   = 10 * time.Second // for a request to come, and for an answer to be taken
	acceptPause   = 200 * time.Millisecond
	quietEndTime  = 2 * time.Second // for the phone to close after it has all
	noSuchFile    = "no such file\n"
	plainText     = "text/plain"
	configuration = "text/xml"
)

// serveHTTP answers one request on each connection. A server of the library would answer what it cannot
// read; here that gets nothing.
func (s *server) serveHTTP(ctx context.Context) {
	places := make(chan struct{}, maxConns)
	for ctx.Err() == nil {
		conn, err := s.tcp.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			s.log.Debug("accept", logging.Err, err)
			select {
			case <-ctx.Done():
			case <-time.After(acceptPause):
			}
			continue
		}
		select {
		case places <- struct{}{}:
			s.running.Go(func() {
				defer func() { <-places }()
				stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
				defer stop()
				defer conn.Close()
				s.answerHTTP(conn.(*net.TCPConn))
			})
		default:
			_ = conn.Close() // nothing was said
		}
	}
}

func (s *server) answerHTTP(conn *net.TCPConn) {
	peer := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	peer = netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port())
	if err := conn.SetDeadline(time.Now().Add(requestTime)); err != nil {
		return
	}
	request, err := http.ReadRequest(bufio.NewReader(io.LimitReader(conn, maxHead)))
	if err != nil || request.Method != http.MethodGet && request.Method != http.MethodHead {
		return
	}
	now := time.Now()
	answer, file := s.judge.asked(now, peer, provision.HTTP, request.URL.Path)
	switch answer {
	case provision.NoSuchFile:
		_ = s.reply(conn, request, http.StatusNotFound, plainText, []byte(noSuchFile)) // asked again, or by TFTP
	case provision.SendFile:
		if err := s.reply(conn, request, http.StatusOK, configuration, file.Content); err != nil {
			s.log.Info("file not delivered", logging.Peer, peer.String(), logging.Err, err)
		} else if request.Method == http.MethodGet {
			s.judge.arrived(time.Now(), peer, provision.HTTP, file)
		}
	}
}

// reply sends an answer and waits until the other end has taken it and closes, or for a while.
func (s *server) reply(conn *net.TCPConn, to *http.Request, status int, kind string, content []byte) error {
	head := vpnauth.Reply{Minor: to.ProtoMinor, Status: status, Header: vpnauth.Headers{
		{Name: "Content-Type", Value: kind}, vpnauth.Length(len(content)), {Name: "Connection", Value: "close"},
	}}
	if to.Method != http.MethodHead {
		head.Body = content
	}
	if strings.HasPrefix(to.Proto, "HTTP/0") {
		return errors.New("door: request is of no version that is spoken here")
	}
	if _, err := conn.Write(head.Append(nil)); err != nil {
		return err
	}
	if err := conn.CloseWrite(); err != nil {
		return err
	}
	if err := conn.SetReadDeadline(time.Now().Add(quietEndTime)); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, conn)
	if slow := (net.Error)(nil); errors.As(err, &slow) && slow.Timeout() {
		return acknowledged(conn)
	}
	return err
}

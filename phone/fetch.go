package phone

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/wire/tftp"
)

// How a file server answered when it gave no file.
var (
	// errNoFile: the server says that it has no such file. Ask for the next name.
	errNoFile = errors.New("phone: the file server has no such file")
	// errNoServer: nobody answers. Ask another way, or another server.
	errNoServer = errors.New("phone: no file server answers")
	// errRefused: the server does not give the file to this phone. Go on with the stored one.
	errRefused = errors.New("phone: the file server refuses the file")
)

// Limits of a fetch.
const (
	maxFile      = 8 << 20          // bytes
	dialTime     = 3 * time.Second  // to connect by TCP
	answerTime   = 5 * time.Second  // until the head of an HTTP answer
	httpFileTime = 60 * time.Second // for a whole file by HTTP
)

// fetcher gets files from file servers.
type fetcher struct {
	network            network
	httpPort, tftpPort uint16
	httpsPort          uint16

	limit    int           // bytes of a file; 0: maxFile
	patience time.Duration // for a whole file by HTTP; 0: httpFileTime
}

func (f fetcher) most() int { return cmp.Or(f.limit, maxFile) }

// newFetcher returns a fetcher that asks the ports phones know.
func newFetcher(n network) fetcher {
	return fetcher{network: n, httpPort: provision.HTTPPort, tftpPort: tftp.Port, httpsPort: provision.HTTPSPort}
}

// file gets one file from one server, by HTTP and, when nobody answers there, by TFTP. The error is
// errNoFile or errNoServer, with the cause.
func (f fetcher) file(ctx context.Context, server, name string) ([]byte, provision.Transport, error) {
	content, err := f.by(ctx, provision.Ask{Transport: provision.HTTP, Name: name}, server, nil)
	if !errors.Is(err, errNoServer) {
		return content, provision.HTTP, err
	}
	content, err = f.by(ctx, provision.Ask{Transport: provision.TFTP, Name: name}, server, nil)
	return content, provision.TFTP, err
}

// by gets one file in one way. By HTTPS only from whom the phone believes.
func (f fetcher) by(ctx context.Context, ask provision.Ask, server string, trust *belief) ([]byte, error) {
	switch ask.Transport {
	case provision.HTTP:
		return f.http(ctx, "http", server, f.httpPort, ask.Name, nil)
	case provision.HTTPS:
		return f.http(ctx, "https", server, f.httpsPort, ask.Name, trust.httpsConfig(ctx))
	}
	return f.tftp(ctx, server, ask.Name)
}

func (f fetcher) http(ctx context.Context, scheme, server string, port uint16, name string, secure *tls.Config) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(f.patience, httpFileTime))
	defer cancel()
	dialer := f.network.dialer(nil, dialTime)
	client := http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
				return dialer.DialContext(ctx, "tcp4", address)
			},
			ResponseHeaderTimeout: answerTime,
			TLSClientConfig:       secure,
			TLSHandshakeTimeout:   answerTime,
			DisableKeepAlives:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	target := url.URL{Scheme: scheme, Host: net.JoinHostPort(server, strconv.Itoa(int(port))), Path: "/" + name}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoServer, err)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoServer, err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		return readBounded(response.Body, f.most())
	case http.StatusNotFound:
		return nil, fmt.Errorf("%w: %s", errNoFile, target.String())
	case http.StatusForbidden:
		return nil, fmt.Errorf("%w: %s", errRefused, target.String())
	}
	return nil, fmt.Errorf("%w: %s answers %s", errNoServer, target.String(), response.Status)
}

func readBounded(r io.Reader, most int) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoServer, err)
	}
	if len(content) > most {
		return nil, fmt.Errorf("%w: file exceeds %d bytes", errNoServer, most)
	}
	return content, nil
}

func (f fetcher) tftp(ctx context.Context, server, name string) ([]byte, error) {
	address, err := f.network.resolve4(ctx, server)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoServer, err)
	}
	conn, err := f.network.listenPacket(ctx, netip.AddrPort{})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoServer, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	defer conn.Close()
	t := tftpTransfer{conn: conn, most: f.most(), server: address, peer: netip.AddrPortFrom(address, f.tftpPort)}
	content, err := t.run(name)
	var said *provision.PeerError
	switch {
	case errors.As(err, &said) && said.Code == tftp.AccessViolation:
		return nil, fmt.Errorf("%w: %w", errRefused, err)
	case errors.As(err, &said):
		return nil, fmt.Errorf("%w: %w", errNoFile, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errNoServer, err)
	}
	return content, nil
}

// tftpTransfer is one file on its way by TFTP.
type tftpTransfer struct {
	conn   net.PacketConn
	most   int // bytes
	server netip.Addr
	peer   netip.AddrPort // where packets go: the port of requests until the server's own port is known
	known  bool
}

func (t *tftpTransfer) run(name string) ([]byte, error) {
	receiver, actions := provision.NewReceiver(time.Now(), provision.ReceiverConfig{Name: name, MaxSize: int64(t.most)})
	buffer := make([]byte, tftp.MaxPacket)
	for {
		for _, action := range actions {
			switch action := action.(type) {
			case provision.Send:
				if err := t.send(action.Packet); err != nil {
					return nil, err
				}
			case provision.Finished:
				return receiver.Content(), nil
			case provision.Failed:
				return nil, action.Err
			}
		}
		var err error
		if actions, err = t.await(receiver, buffer); err != nil {
			return nil, err
		}
	}
}

func (t *tftpTransfer) send(packet tftp.Packet) error {
	b, err := packet.AppendBinary(nil)
	if err != nil {
		return err
	}
	_, err = t.conn.WriteTo(b, net.UDPAddrFromAddrPort(t.peer))
	return err
}

// await waits for the server's next packet, or until the receiver wants to be woken.
func (t *tftpTransfer) await(receiver *provision.Receiver, buffer []byte) ([]provision.Action, error) {
	if err := t.conn.SetReadDeadline(receiver.Wake()); err != nil {
		return nil, err
	}
	n, from, err := t.conn.ReadFrom(buffer)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return receiver.Advance(time.Now()), nil
	}
	if err != nil {
		return nil, err
	}
	packet, err := tftp.Parse(buffer[:n])
	if err != nil || !t.from(from) {
		return nil, nil // noise, or somebody else
	}
	return receiver.Received(time.Now(), packet), nil
}

// from reports whether a packet comes from the server. The port of the first one is the transfer's.
func (t *tftpTransfer) from(address net.Addr) bool {
	udp, ok := address.(*net.UDPAddr)
	if !ok || udp.AddrPort().Addr().Unmap() != t.server {
		return false
	}
	if !t.known {
		t.peer, t.known = netip.AddrPortFrom(t.server, udp.AddrPort().Port()), true
	}
	return udp.AddrPort().Port() == t.peer.Port()
}

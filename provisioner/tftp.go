package provisioner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/ipv4"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/wire/tftp"
)

// Limits of TFTP service.
const (
	tftpMaxTransfers = 256              // at a time
	tftpMaxPerPeer   = 4                // at a time, of one address
	tftpMaxTime      = 30 * time.Minute // of one transfer, however slowly it is acknowledged
	tftpMaxText      = 1 << 20          // bytes of a file in netascii, which is converted in memory
	tftpBuffer       = 1 << 20          // bytes of requests that wait while many come at once
)

// serveTFTP takes requests on port 69; each transfer then has a port of its own.
func (p *Provisioner) serveTFTP(ctx context.Context, conn *ipv4.PacketConn) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	var transfers sync.WaitGroup
	defer transfers.Wait()
	buffer := make([]byte, tftp.MaxRequest+1) // one more, so that what is too long is seen to be
	for {
		n, control, from, err := conn.ReadFrom(buffer)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("provisioner: %w", err)
		}
		peer := from.(*net.UDPAddr).AddrPort()
		packet, err := tftp.Parse(buffer[:n])
		if err != nil {
			p.log.Debug("packet dropped", logging.Peer, peer, logging.Err, err)
			continue
		}
		asked, ok := packet.(*tftp.Request)
		if !ok {
			p.log.Debug("packet dropped", logging.Peer, peer, "packet", packet.String())
			continue
		}
		door := door{conn: conn, peer: from, local: conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()}
		if control != nil && door.local.IsUnspecified() {
			door.local, _ = netip.AddrFromSlice(control.Dst.To4())
		}
		p.tftpRequest(ctx, &transfers, door, asked, peer)
	}
}

// door is where a request came in: refusals go out there, from the address that was asked.
type door struct {
	conn  *ipv4.PacketConn
	peer  net.Addr
	local netip.Addr
}

func (d door) refuse(code tftp.ErrorCode, message string) {
	b, err := (&tftp.Error{Code: code, Message: message}).AppendBinary(nil)
	if err == nil {
		// A refusal that is lost is asked for again.
		_, _ = d.conn.WriteTo(b, &ipv4.ControlMessage{Src: net.IP(d.local.AsSlice())}, d.peer)
	}
}

func (p *Provisioner) tftpRequest(ctx context.Context, transfers *sync.WaitGroup, d door, asked *tftp.Request, peer netip.AddrPort) {
	noted := request{name: asked.Name, peer: peer, transport: provision.TFTP}
	if why := unserved(asked); why != nil {
		p.ledger.turnedAway(noted, why.Message)
		d.refuse(why.Code, why.Message)
		return
	}
	switch p.places.take(peer) {
	case placeHeld:
		p.transfers.askedAgain(peer)
		return
	case placeNone:
		p.ledger.turnedAway(noted, "too many transfers")
		d.refuse(tftp.Undefined, "too many transfers, try again later")
		return
	}
	transfers.Go(func() {
		defer p.places.free(peer)
		defer func() {
			if r := recover(); r != nil {
				p.log.Error("transfer panicked", logging.Peer, peer, "panic", r, "stack", string(debug.Stack()))
			}
		}()
		p.tftpServe(ctx, d, asked, noted)
	})
}

// unserved returns the refusal of what we never do.
func unserved(asked *tftp.Request) *tftp.Error {
	switch {
	case asked.Write:
		return &tftp.Error{Code: tftp.AccessViolation, Message: "only reading is possible"}
	case !asked.Mode.Is(tftp.Octet) && !asked.Mode.Is(tftp.NetASCII):
		return &tftp.Error{Code: tftp.IllegalOperation, Message: "mode is neither octet nor netascii"}
	}
	return nil
}

func (p *Provisioner) tftpServe(ctx context.Context, d door, asked *tftp.Request, noted request) {
	f, err := p.find(noted)
	if err != nil {
		switch p.ledger.refused(noted, err) {
		case missing:
			d.refuse(tftp.NotFound, "no such file")
		case denied:
			d.refuse(tftp.AccessViolation, "not for you")
		case unfit:
			d.refuse(tftp.Undefined, "the file cannot be served")
		}
		return
	}
	defer f.Close()
	content, size, err := inMode(f, asked.Mode)
	if err != nil {
		p.ledger.failed(noted, err)
		d.refuse(tftp.Undefined, "the file cannot be served in this mode")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tftpMaxTime)
	defer cancel()
	sent, err := p.send(ctx, d.local, noted.peer, asked, content, size)
	if err != nil {
		p.ledger.failed(noted, err)
		return
	}
	p.ledger.delivered(noted, f, sent)
}

// inMode returns the file as this mode carries it.
func inMode(f *file, mode tftp.Mode) (io.ReaderAt, int64, error) {
	if !mode.Is(tftp.NetASCII) {
		return f, f.size, nil
	}
	if f.size > tftpMaxText {
		return nil, 0, fmt.Errorf("provisioner: file of %d bytes is too long for netascii", f.size)
	}
	text, err := io.ReadAll(io.LimitReader(f, tftpMaxText))
	if err != nil {
		return nil, 0, fmt.Errorf("provisioner: %w", err)
	}
	netascii := tftp.AppendNetASCII(nil, text)
	return bytes.NewReader(netascii), int64(len(netascii)), nil
}

// transfer is one file on its way.
type transfer struct {
	conn   *net.UDPConn
	sender *provision.Sender
	asked  atomic.Bool // once more, since the sender was told
}

// transfers are those under way, by peer, so that a request that comes again reaches its transfer.
type transfers struct {
	mu sync.Mutex
	of map[netip.AddrPort]*transfer
}

func (t *transfers) enter(peer netip.AddrPort, one *transfer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of[peer] = one
}

func (t *transfers) leave(peer netip.AddrPort) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.of, peer)
}

func (t *transfers) askedAgain(peer netip.AddrPort) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if one := t.of[peer]; one != nil {
		one.asked.Store(true)
		_ = one.conn.SetReadDeadline(time.Now()) // wakes it; a closed one needs no waking
	}
}

// send carries one transfer from a fresh port and returns how many bytes arrived. The socket is
// connected, so packets of others never reach it.
func (p *Provisioner) send(ctx context.Context, local netip.Addr, peer netip.AddrPort, asked *tftp.Request, content io.ReaderAt, size int64) (int64, error) {
	conn, err := net.DialUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, 0)), net.UDPAddrFromAddrPort(peer))
	if err != nil {
		return 0, fmt.Errorf("provisioner: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	defer conn.Close()
	sender, actions := provision.NewSender(time.Now(), asked, content, size)
	t := &transfer{conn: conn, sender: sender}
	p.transfers.enter(peer, t)
	defer p.transfers.leave(peer)
	buffer := make([]byte, tftp.MaxRequest)
	for {
		for _, action := range actions {
			switch action := action.(type) {
			case provision.Send:
				if err := write(conn, action.Packet); err != nil {
					return 0, err
				}
			case provision.Finished:
				return action.Bytes, nil
			case provision.Failed:
				return 0, action.Err
			}
		}
		if actions, err = t.await(buffer); err != nil {
			return 0, err
		}
	}
}

func write(conn *net.UDPConn, packet tftp.Packet) error {
	b, err := packet.AppendBinary(nil)
	if err != nil {
		return err
	}
	if _, err := conn.Write(b); err != nil {
		return fmt.Errorf("provisioner: %w", err)
	}
	return nil
}

// await waits for the peer's next packet, for its request once more, or until the sender wants to be woken.
func (t *transfer) await(buffer []byte) ([]provision.Action, error) {
	if err := t.conn.SetReadDeadline(t.sender.Wake()); err != nil {
		return nil, fmt.Errorf("provisioner: %w", err)
	}
	if t.asked.Swap(false) {
		return t.sender.AskedAgain(time.Now()), nil
	}
	n, err := t.conn.Read(buffer)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return t.sender.Advance(time.Now()), nil
	}
	if err != nil {
		return nil, fmt.Errorf("provisioner: %w", err)
	}
	packet, err := tftp.Parse(buffer[:n])
	if err != nil {
		return nil, nil // noise; the timer goes on
	}
	return t.sender.Received(time.Now(), packet), nil
}

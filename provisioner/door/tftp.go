package door

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"os"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/wire/tftp"
)

// Limits of TFTP here: a starter file is some kilobytes.
const (
	maxTransfers = 64
	transferTime = time.Minute // of one transfer, however slowly it is acknowledged
)

// transfer is one file on its way by TFTP.
type transfer struct {
	sender *provision.Sender
	name   string // as it was asked for
	file   provision.File
	until  time.Time
}

// tftpServer answers from the very port that was asked. RFC 1350 has a port for each transfer, which the
// NAT in a home router does not know: it lets in only what comes from where a packet went to. See
// docs/wire/phone-files.md#first-file-away-from-the-office.
type tftpServer struct {
	*server
	transfers map[netip.AddrPort]*transfer
}

func (s *server) serveTFTP(ctx context.Context) {
	t := &tftpServer{s, map[netip.AddrPort]*transfer{}}
	buffer := make([]byte, tftp.MaxRequest+1) // one more, so that what is too long is seen to be
	for ctx.Err() == nil {
		if err := s.udp.SetReadDeadline(t.wake()); err != nil {
			return
		}
		n, peer, err := s.udp.ReadFromUDPAddrPort(buffer)
		now := time.Now()
		switch {
		case err == nil:
			if packet, err := tftp.Parse(buffer[:n]); err == nil {
				t.received(now, netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port()), packet)
			}
		case errors.Is(err, os.ErrDeadlineExceeded):
			t.advance(now)
		default:
			if ctx.Err() == nil {
				s.log.Debug("packet not read", logging.Err, err) // an ICMP error of a peer that left, say
			}
		}
	}
}

// wake returns when the next transfer wants to be woken; the zero time when none does.
func (t *tftpServer) wake() (next time.Time) {
	for _, transfer := range t.transfers {
		if at := transfer.sender.Wake(); next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next
}

func (t *tftpServer) received(now time.Time, peer netip.AddrPort, packet tftp.Packet) {
	under := t.transfers[peer]
	request, ok := packet.(*tftp.Request)
	switch {
	case !ok && under != nil:
		t.do(now, peer, under.sender.Received(now, packet))
	case !ok || request.Write || !request.Mode.Is(tftp.Octet):
	case under != nil && under.name == request.Name: // the same request again: its answer is on the way
	default:
		delete(t.transfers, peer) // the phone has gone on
		t.requested(now, peer, request)
	}
}

func (t *tftpServer) requested(now time.Time, peer netip.AddrPort, request *tftp.Request) {
	answer, file := t.judge.asked(now, peer, provision.TFTP, request.Name)
	switch {
	case answer == provision.NoSuchFile:
		t.send(peer, &tftp.Error{Code: tftp.NotFound, Message: "no such file"})
	case answer == provision.SendFile && len(t.transfers) < maxTransfers:
		sender, actions := provision.NewSender(now, request, bytes.NewReader(file.Content), int64(len(file.Content)))
		t.transfers[peer] = &transfer{sender, request.Name, file, now.Add(transferTime)}
		t.do(now, peer, actions)
	}
}

func (t *tftpServer) advance(now time.Time) {
	for peer, transfer := range t.transfers {
		if now.After(transfer.until) {
			delete(t.transfers, peer)
			continue
		}
		t.do(now, peer, transfer.sender.Advance(now))
	}
}

func (t *tftpServer) do(now time.Time, peer netip.AddrPort, actions []provision.Action) {
	for _, action := range actions {
		switch action := action.(type) {
		case provision.Send:
			t.send(peer, action.Packet)
		case provision.Finished:
			t.judge.arrived(now, peer, provision.TFTP, t.transfers[peer].file)
			delete(t.transfers, peer)
		case provision.Failed:
			t.log.Info("file not delivered", logging.Peer, peer.String(), logging.Err, action.Err)
			delete(t.transfers, peer)
		}
	}
}

func (t *tftpServer) send(peer netip.AddrPort, packet tftp.Packet) {
	b, err := packet.AppendBinary(nil)
	if err == nil {
		_, err = t.udp.WriteToUDPAddrPort(b, peer)
	}
	if err != nil {
		t.log.Debug("packet not sent", logging.Peer, peer.String(), logging.Err, err) // it is sent again
	}
}

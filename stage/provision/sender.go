package provision

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/longcord/longcord/wire/tftp"
)

// maxSendBlksize is the largest block we agree to, in bytes: with IP, UDP and TFTP headers it fills an
// Ethernet frame. Fragments of larger ones would each be one more thing to lose.
const maxSendBlksize = 1468

// Sender is the serving end of a read request: it sends a file block by block.
//
//	options agreed: OACK ── ACK 0 ──┐
//	                                ├─ DATA n ── ACK n ── … ── short DATA ── ACK ── finished
//	no options: ────────────────────┘
//
// An ACK for a block before the last one sent is ignored and not answered with data: otherwise one
// delayed packet doubles every later one (RFC 1123, section 4.2.3.1).
type Sender struct {
	content io.ReaderAt
	size    int64
	blksize int
	at      int64  // offset of the block that waits for its ACK
	sent    int    // bytes in it
	block   uint16 // its number; 0 while an OACK waits
	ended   bool
	timer   retransmission
}

// NewSender answers a read request with size bytes of content. It returns the first packet to send.
func NewSender(now time.Time, request *tftp.Request, content io.ReaderAt, size int64) (*Sender, []Action) {
	s := &Sender{content: content, size: size, blksize: tftp.DefaultBlksize}
	s.timer.after = retransmitAfter
	if agreed := s.agree(request.Options); len(agreed) > 0 {
		return s, s.timer.send(now, &tftp.OptionAck{Options: agreed})
	}
	return s, s.sendBlock(now)
}

// agree takes what it knows of the options and returns the answer; unknown ones are left out, which
// refuses them.
func (s *Sender) agree(options tftp.Options) tftp.Options {
	var agreed tftp.Options
	if n, ok := options.Blksize(); ok {
		s.blksize = min(n, maxSendBlksize)
		agreed = append(agreed, tftp.Number(tftp.OptBlksize, int64(s.blksize)))
	}
	if _, ok := options.Tsize(); ok {
		agreed = append(agreed, tftp.Number(tftp.OptTsize, s.size))
	}
	if d, ok := options.Timeout(); ok {
		s.timer.after = d
		agreed = append(agreed, tftp.Number(tftp.OptTimeout, int64(d/time.Second)))
	}
	return agreed
}

// Received takes a packet from the peer.
func (s *Sender) Received(now time.Time, p tftp.Packet) []Action {
	if s.ended {
		return nil
	}
	switch p := p.(type) {
	case *tftp.Ack:
		if p.Block != s.block {
			return nil
		}
		return s.acknowledged(now)
	case *tftp.Error:
		return s.end(Failed{&PeerError{p.Code, p.Message}})
	default:
		refusal := &tftp.Error{Code: tftp.IllegalOperation, Message: "only ACK is expected here"}
		return s.end(Send{refusal}, Failed{fmt.Errorf("provision: tftp peer sent %s to a sender", p)})
	}
}

func (s *Sender) acknowledged(now time.Time) []Action {
	_, wasOptions := s.timer.packet.(*tftp.OptionAck)
	if !wasOptions {
		s.at += int64(s.sent)
		if s.sent < s.blksize {
			return s.end(Finished{Bytes: s.at})
		}
	}
	return s.sendBlock(now)
}

// sendBlock sends the block that begins at s.at.
func (s *Sender) sendBlock(now time.Time) []Action {
	payload := make([]byte, min(int64(s.blksize), s.size-s.at))
	if n, err := s.content.ReadAt(payload, s.at); n < len(payload) {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		gone := &tftp.Error{Code: tftp.Undefined, Message: "file cannot be read"}
		return s.end(Send{gone}, Failed{fmt.Errorf("provision: file at offset %d: %w", s.at, err)})
	}
	s.sent = len(payload)
	s.block++ // wraps after 65535 to 0
	return s.timer.send(now, &tftp.Data{Block: s.block, Payload: payload})
}

// Advance tells the sender that time has passed.
func (s *Sender) Advance(now time.Time) []Action {
	if s.ended {
		return nil
	}
	actions, ok := s.timer.advance(now)
	if !ok {
		return s.end(silence(s.timer.packet))
	}
	return actions
}

// Wake returns when Advance wants to be called; the zero time when it need not be.
func (s *Sender) Wake() time.Time { return s.timer.due }

func (s *Sender) end(actions ...Action) []Action {
	s.ended = true
	s.timer.stop()
	return actions
}

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

// maxSendWindow is the most blocks that go out before the first of them is acknowledged. It keeps a window
// below what a phone's socket may be taken to hold.
const maxSendWindow = 16

// Sender is the serving end of a read request: it sends a file block by block, or window by window where
// the peer asks for that (RFC 7440).
//
//	options agreed: OACK ── ACK 0 ──┐
//	                                ├─ DATA n … n+w-1 ── ACK ── … ── short DATA ── ACK ── finished
//	no options: ────────────────────┘
//
// Until the peer has acknowledged something, nobody knows whether it asked at all. So the first DATA goes
// out again only when it is asked for again, and an OACK, which is no longer than the request, by the clock;
// no peer gets more than three of either.
//
// Of blocks on their way, an ACK in the middle of a window says that the next one was lost. An ACK for the
// block before the first on its way says so once, where there is a window; where there is none, it is
// ignored: otherwise one delayed packet doubles every later one (RFC 1123, section 4.2.3.1). Without progress
// no block goes out more than three times.
type Sender struct {
	content io.ReaderAt
	size    int64
	blksize int
	window  int
	after   time.Duration // without an ACK for so long, blocks go out again

	oack   *tftp.OptionAck // waits for its ACK; nil: none does
	heard  bool            // the peer has acknowledged something
	acked  uint16          // number of the last acknowledged block
	at     int64           // offset of the block after it
	flying int             // blocks on their way, that one first
	sends  int             // how often they, or the OACK, went out without progress
	again  bool            // the last time because an ACK said so
	ended  bool
	due    time.Time
}

// NewSender answers a read request with size bytes of content. It returns the first packet to send.
func NewSender(now time.Time, request *tftp.Request, content io.ReaderAt, size int64) (*Sender, []Action) {
	s := &Sender{content: content, size: size, blksize: tftp.DefaultBlksize, window: 1, after: retransmitAfter}
	if agreed := s.agree(request.Options); len(agreed) > 0 {
		s.oack = &tftp.OptionAck{Options: agreed}
		return s, s.sendOACK(now)
	}
	return s, s.sendWindow(now)
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
		s.after = d
		agreed = append(agreed, tftp.Number(tftp.OptTimeout, int64(d/time.Second)))
	}
	if n, ok := options.Windowsize(); ok {
		s.window = min(n, maxSendWindow)
		agreed = append(agreed, tftp.Number(tftp.OptWindowsize, int64(s.window)))
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
		if s.oack != nil {
			return s.optionsTaken(now, p.Block)
		}
		return s.acknowledged(now, p.Block)
	case *tftp.Error:
		return s.end(Failed{&PeerError{p.Code, p.Message}})
	default:
		refusal := &tftp.Error{Code: tftp.IllegalOperation, Message: "only ACK is expected here"}
		return s.end(Send{refusal}, Failed{fmt.Errorf("provision: tftp peer sent %s to a sender", p)})
	}
}

func (s *Sender) optionsTaken(now time.Time, block uint16) []Action {
	if block != 0 {
		return nil
	}
	s.oack, s.heard, s.sends = nil, true, 0
	return s.sendWindow(now)
}

// acknowledged takes an ACK of data.
func (s *Sender) acknowledged(now time.Time, block uint16) []Action {
	count := int(block - s.acked) // in numbers that wrap
	if count == 0 && s.window > 1 && !s.again && s.sends < maxSends {
		s.again = true
		return s.sendWindow(now)
	}
	if count == 0 || count > s.flying {
		return nil
	}
	for range count {
		s.at += int64(s.lengthAt(s.at))
	}
	s.heard, s.again, s.acked, s.sends = true, false, block, 0
	if last := uint16(s.size/int64(s.blksize) + 1); s.at == s.size && block == last {
		return s.end(Finished{Bytes: s.at})
	}
	return s.sendWindow(now)
}

// lengthAt is how many bytes the block at an offset has.
func (s *Sender) lengthAt(at int64) int { return int(min(int64(s.blksize), s.size-at)) }

// sendWindow sends what may be on its way: blocks that were lost, and those that were not sent yet. Only a
// block shorter than the others, which may be empty, ends the file.
func (s *Sender) sendWindow(now time.Time) []Action {
	var actions []Action
	at := s.at
	for i := range s.window {
		length := s.lengthAt(at)
		packet, err := s.block(i, at, length)
		if err != nil {
			gone := &tftp.Error{Code: tftp.Undefined, Message: "file cannot be read"}
			return s.end(Send{gone}, Failed{err})
		}
		actions = append(actions, Send{packet})
		if at += int64(length); length < s.blksize {
			break
		}
	}
	s.flying = len(actions)
	s.sends++
	s.due = now.Add(s.after)
	return actions
}

// block reads a block; i counts from the first on its way.
func (s *Sender) block(i int, at int64, length int) (*tftp.Data, error) {
	payload := make([]byte, length)
	if n, err := s.content.ReadAt(payload, at); n < length {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("provision: file at offset %d: %w", at, err)
	}
	return &tftp.Data{Block: s.acked + uint16(i) + 1, Payload: payload}, nil // wraps after 65535 to 0
}

func (s *Sender) sendOACK(now time.Time) []Action {
	s.sends++
	// Who chose a long timeout and does not answer must not hold a place for that long.
	s.due = now.Add(min(s.after, firstAnswer))
	return []Action{Send{s.oack}}
}

// firstAnswer is how long a peer may take for its first ACK, at most, before it gets an OACK again.
const firstAnswer = 3 * time.Second

// AskedAgain takes the request once more, from the same port: our first packet was lost, or it crossed.
func (s *Sender) AskedAgain(now time.Time) []Action {
	switch {
	case s.ended || s.heard || s.sends == maxSends:
		return nil
	case s.oack != nil:
		return s.sendOACK(now)
	}
	return s.sendWindow(now)
}

// Advance tells the sender that time has passed.
func (s *Sender) Advance(now time.Time) []Action {
	switch {
	case s.ended || now.Before(s.due):
		return nil
	case s.sends == maxSends || s.oack == nil && !s.heard:
		return s.end(s.silence())
	case s.oack != nil:
		return s.sendOACK(now)
	}
	s.again = false
	return s.sendWindow(now)
}

// silence is the end of a transfer whose peer does not answer.
func (s *Sender) silence() Action {
	what := fmt.Sprintf("DATA %d", s.acked+1)
	if s.oack != nil {
		what = s.oack.String()
	}
	return Failed{fmt.Errorf("provision: tftp peer does not answer %s, sent %d times", what, s.sends)}
}

// Wake returns when Advance wants to be called; the zero time when it need not be.
func (s *Sender) Wake() time.Time { return s.due }

func (s *Sender) end(actions ...Action) []Action {
	s.ended, s.due = true, time.Time{}
	return actions
}

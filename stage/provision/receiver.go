package provision

import (
	"fmt"
	"time"

	"github.com/longcord/longcord/wire/tftp"
)

// ReceiverConfig says what a phone asks for.
type ReceiverConfig struct {
	Name    string
	Blksize int           // bytes of a block to ask for; 0 means 1258, which fits a tunnel of the usual MTU
	Timeout time.Duration // whole seconds to ask for; 0 leaves one second, and out of the request
	Window  int           // blocks to ask for before one is acknowledged; 0 asks for nothing, which means 1
	MaxSize int64         // most bytes to take, required
}

// receiveBlksize fits an inner packet of 1290 bytes, the usual MTU of a phone's tunnel, after 20 bytes
// of IP, 8 of UDP and 4 of TFTP.
const receiveBlksize = 1258

// Receiver is the asking end of a read request.
//
//	RRQ ──┬─ OACK ── ACK 0 ──┐
//	      └──────────────────┴─ DATA n ── ACK n ── … ── short DATA ── ACK, finished
//
// Data that comes a second time is acknowledged a second time: the first acknowledgement was lost.
// The owner sends the first packet to the server's port 69 and everything later to the port that
// answered, and drops what comes from another.
type Receiver struct {
	cfg     ReceiverConfig
	blksize int
	window  int
	waiting int    // blocks that came and are not acknowledged yet
	gap     bool   // a block is missing, and the server was told
	next    uint16 // number of the block that is waited for
	begun   bool   // the server has answered
	ended   bool
	content []byte
	timer   retransmission
}

// NewReceiver returns a receiver and its first packet.
func NewReceiver(now time.Time, cfg ReceiverConfig) (*Receiver, []Action) {
	if cfg.Blksize == 0 {
		cfg.Blksize = receiveBlksize
	}
	r := &Receiver{cfg: cfg, blksize: tftp.DefaultBlksize, window: 1, next: 1}
	r.timer.after = retransmitAfter
	options := tftp.Options{tftp.Number(tftp.OptBlksize, int64(cfg.Blksize)), tftp.Number(tftp.OptTsize, 0)}
	if cfg.Timeout > 0 {
		options = append(options, tftp.Number(tftp.OptTimeout, int64(cfg.Timeout/time.Second)))
	}
	if cfg.Window > 0 {
		options = append(options, tftp.Number(tftp.OptWindowsize, int64(cfg.Window)))
	}
	return r, r.timer.send(now, &tftp.Request{Name: cfg.Name, Mode: tftp.Octet, Options: options})
}

// Content returns what has arrived; all of the file after Finished.
func (r *Receiver) Content() []byte { return r.content }

// Received takes a packet from the server.
func (r *Receiver) Received(now time.Time, p tftp.Packet) []Action {
	if r.ended {
		return nil
	}
	switch p := p.(type) {
	case *tftp.OptionAck:
		return r.options(now, p)
	case *tftp.Data:
		return r.data(now, p)
	case *tftp.Error:
		return r.end(Failed{&PeerError{p.Code, p.Message}})
	default:
		return r.refuse(tftp.IllegalOperation, "only DATA is expected here", fmt.Sprintf("sent %s to a receiver", p))
	}
}

func (r *Receiver) options(now time.Time, p *tftp.OptionAck) []Action {
	if r.begun {
		if r.next == 1 && len(r.content) == 0 {
			return []Action{Send{&tftp.Ack{Block: 0}}} // ours was lost
		}
		return nil
	}
	for _, option := range p.Options {
		if problem := r.take(option); problem != "" {
			return r.refuse(tftp.OptionsNotAllowed, problem, "answers the options with "+problem)
		}
	}
	r.begun = true
	return r.timer.send(now, &tftp.Ack{Block: 0})
}

// take checks one option of the answer against the request and keeps it.
func (r *Receiver) take(option tftp.Option) (problem string) {
	asked, ok := r.timer.packet.(*tftp.Request).Options.Get(option.Name)
	if !ok {
		return fmt.Sprintf("option %q that was not asked for", option.Name)
	}
	one := tftp.Options{option}
	if n, ok := one.Blksize(); ok && n <= r.cfg.Blksize {
		r.blksize = n
		return ""
	}
	if n, ok := one.Windowsize(); ok && n <= r.cfg.Window {
		r.window = n
		return ""
	}
	if n, ok := one.Tsize(); ok {
		if n > r.cfg.MaxSize {
			return fmt.Sprintf("a file of %d bytes, more than %d", n, r.cfg.MaxSize)
		}
		return ""
	}
	if d, ok := one.Timeout(); ok && option.Value == asked {
		r.timer.after = d
		return ""
	}
	return fmt.Sprintf("%s=%s", option.Name, option.Value)
}

func (r *Receiver) data(now time.Time, p *tftp.Data) []Action {
	if p.Block != r.next {
		return r.outOfOrder(now, p.Block)
	}
	if len(p.Payload) > r.blksize {
		return r.refuse(tftp.IllegalOperation, "block too long",
			fmt.Sprintf("sent a block of %d bytes where %d were agreed", len(p.Payload), r.blksize))
	}
	if int64(len(r.content)+len(p.Payload)) > r.cfg.MaxSize {
		return r.refuse(tftp.DiskFull, "file too long", fmt.Sprintf("sends more than %d bytes", r.cfg.MaxSize))
	}
	r.begun = true
	r.content = append(r.content, p.Payload...)
	r.next++ // wraps after 65535 to 0
	r.waiting++
	r.gap = false
	last := len(p.Payload) < r.blksize
	if r.waiting < r.window && !last {
		r.timer.await(now, &tftp.Ack{Block: p.Block})
		return nil
	}
	r.waiting = 0
	ack := r.timer.send(now, &tftp.Ack{Block: p.Block})
	if last {
		return r.end(append(ack, Finished{Bytes: int64(len(r.content))})...)
	}
	return ack
}

// outOfOrder takes a block that is not the next. One that came before is acknowledged again: the first time
// it was lost. In a window, a later one means that the next was lost; the server hears it once.
func (r *Receiver) outOfOrder(now time.Time, block uint16) []Action {
	before := r.begun && (r.next != 1 || len(r.content) > 0)
	switch {
	case r.window == 1 && block == r.next-1 && before:
		return []Action{Send{&tftp.Ack{Block: block}}}
	case r.window == 1 || r.gap || !r.begun:
		return nil
	}
	r.gap, r.waiting = true, 0
	return r.timer.send(now, &tftp.Ack{Block: r.next - 1})
}

// Advance tells the receiver that time has passed.
func (r *Receiver) Advance(now time.Time) []Action {
	if r.ended {
		return nil
	}
	actions, ok := r.timer.advance(now)
	if !ok {
		return r.end(silence(r.timer.packet))
	}
	return actions
}

// Wake returns when Advance wants to be called; the zero time when it need not be.
func (r *Receiver) Wake() time.Time { return r.timer.due }

func (r *Receiver) refuse(code tftp.ErrorCode, says, did string) []Action {
	return r.end(Send{&tftp.Error{Code: code, Message: says}}, Failed{fmt.Errorf("provision: tftp server %s", did)})
}

func (r *Receiver) end(actions ...Action) []Action {
	r.ended = true
	r.timer.stop()
	return actions
}

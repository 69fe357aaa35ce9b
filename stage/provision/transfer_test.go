package provision

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/wire/tftp"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// end is what both halves of a transfer have in common.
type end interface {
	Received(time.Time, tftp.Packet) []Action
	Advance(time.Time) []Action
	Wake() time.Time
}

// conversation carries packets between a receiver and a sender, over the wire format, with time of its
// own. lose says which packets never arrive.
type conversation struct {
	t        *testing.T
	content  []byte
	lose     func(n int, p tftp.Packet) bool
	now      time.Time
	packets  int
	sent     []string
	sender   *Sender
	receiver *Receiver
	outcome  map[string]Action
}

func converse(t *testing.T, content []byte, cfg ReceiverConfig, lose func(int, tftp.Packet) bool) *conversation {
	t.Helper()
	c := &conversation{t: t, content: content, lose: lose, now: noon, outcome: map[string]Action{}}
	if cfg.MaxSize == 0 {
		cfg.MaxSize = 1 << 30
	}
	receiver, actions := NewReceiver(c.now, cfg)
	c.receiver = receiver
	c.run("receiver", actions)
	for c.pending() {
		c.now = c.wake()
		c.run("receiver", c.receiver.Advance(c.now))
		if c.sender != nil {
			c.run("sender", c.sender.Advance(c.now))
		}
	}
	return c
}

func (c *conversation) ends() []end {
	if c.sender == nil {
		return []end{c.receiver}
	}
	return []end{c.receiver, c.sender}
}

func (c *conversation) wake() time.Time {
	var first time.Time
	for _, e := range c.ends() {
		if w := e.Wake(); !w.IsZero() && (first.IsZero() || w.Before(first)) {
			first = w
		}
	}
	return first
}

func (c *conversation) pending() bool { return !c.wake().IsZero() }

func (c *conversation) run(from string, actions []Action) {
	for queue := []struct {
		from    string
		actions []Action
	}{{from, actions}}; len(queue) > 0; queue = queue[1:] {
		for _, action := range queue[0].actions {
			send, ok := action.(Send)
			if !ok {
				c.outcome[queue[0].from] = action
				continue
			}
			to, answer := c.deliver(queue[0].from, send.Packet)
			queue = append(queue, struct {
				from    string
				actions []Action
			}{to, answer})
		}
	}
}

func (c *conversation) deliver(from string, p tftp.Packet) (string, []Action) {
	wire, err := p.AppendBinary(nil)
	if err != nil {
		c.t.Fatalf("%s sends what has no bytes: %v", from, err)
	}
	arrived, err := tftp.Parse(wire)
	if err != nil {
		c.t.Fatalf("%s sends what nobody can read: %v", from, err)
	}
	c.packets++
	c.sent = append(c.sent, fmt.Sprintf("%s %s", from, p))
	if c.lose != nil && c.lose(c.packets, p) {
		return "", nil
	}
	if from == "sender" {
		return "receiver", c.receiver.Received(c.now, arrived)
	}
	if request, ok := arrived.(*tftp.Request); ok {
		if c.sender != nil {
			return "sender", c.sender.AskedAgain(c.now)
		}
		sender, actions := NewSender(c.now, request, bytes.NewReader(c.content), int64(len(c.content)))
		c.sender = sender
		return "sender", actions
	}
	return "sender", c.sender.Received(c.now, arrived)
}

func (c *conversation) wantContent() {
	c.t.Helper()
	if _, ok := c.outcome["receiver"].(Finished); !ok {
		c.t.Fatalf("receiver ended with %v, want it finished", c.outcome["receiver"])
	}
	if !bytes.Equal(c.receiver.Content(), c.content) {
		c.t.Fatalf("received %d bytes that differ from the %d sent", len(c.receiver.Content()), len(c.content))
	}
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	source := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range b {
		b[i] = byte(source.Uint32())
	}
	return b
}

func TestTransfer(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 511, 512, 513, 1257, 1258, 1259, 100_000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			c := converse(t, randomBytes(size), ReceiverConfig{Name: "f"}, nil)
			c.wantContent()
			if got := c.outcome["sender"]; got != (Finished{Bytes: int64(size)}) {
				t.Errorf("sender ended with %v, want %d bytes", got, size)
			}
			if c.now != noon {
				t.Errorf("a line without loss took %s", c.now.Sub(noon))
			}
		})
	}
}

func TestTransferWords(t *testing.T) {
	t.Parallel()
	c := converse(t, make([]byte, 20), ReceiverConfig{Name: "f", Blksize: 16, Timeout: 2 * time.Second}, nil)
	want := []string{
		`receiver RRQ "f" octet blksize=16 tsize=0 timeout=2`,
		"sender OACK blksize=16 tsize=20 timeout=2",
		"receiver ACK 0",
		"sender DATA 1 16 bytes",
		"receiver ACK 1",
		"sender DATA 2 4 bytes",
		"receiver ACK 2",
	}
	if !slices.Equal(c.sent, want) {
		t.Errorf("packets were\n%s\nwant\n%s", strings.Join(c.sent, "\n"), strings.Join(want, "\n"))
	}
}

// Every single packet may be lost, and the file still arrives.
func TestTransferLosesOnePacket(t *testing.T) {
	t.Parallel()
	for lost := 1; lost <= 12; lost++ {
		c := converse(t, randomBytes(3000), ReceiverConfig{Name: "f"}, func(n int, _ tftp.Packet) bool { return n == lost })
		c.wantContent()
	}
}

func TestTransferWithLoss(t *testing.T) {
	t.Parallel()
	source := rand.New(rand.NewPCG(3, 4))
	c := converse(t, randomBytes(200_000), ReceiverConfig{Name: "f"}, func(int, tftp.Packet) bool {
		return source.IntN(100) < 5
	})
	c.wantContent()
}

// More than 65535 blocks: the number wraps to 0.
func TestTransferWraps(t *testing.T) {
	t.Parallel()
	content := randomBytes(70_000 * 8)
	wrapped := false
	c := converse(t, content, ReceiverConfig{Name: "f", Blksize: 8}, func(_ int, p tftp.Packet) bool {
		data, ok := p.(*tftp.Data)
		if lost := ok && data.Block == 0 && !wrapped; lost {
			wrapped = true // the block after 65535 is lost once
			return true
		}
		return false
	})
	c.sent = nil
	c.wantContent()
	if !wrapped {
		t.Error("no block had the number 0")
	}
}

func TestSenderGivesUp(t *testing.T) {
	t.Parallel()
	s, _ := NewSender(noon, request(), bytes.NewReader(make([]byte, 1200)), 1200)
	s.Received(noon, &tftp.Ack{Block: 1})
	var sends []time.Duration
	var last Action
	for !s.Wake().IsZero() {
		now := s.Wake()
		for _, last = range s.Advance(now) {
			if _, ok := last.(Send); ok {
				sends = append(sends, now.Sub(noon))
			}
		}
	}
	if want := []time.Duration{time.Second, 2 * time.Second}; !slices.Equal(sends, want) {
		t.Errorf("sent again after %v, want %v", sends, want)
	}
	failed, ok := last.(Failed)
	if !ok || !strings.Contains(failed.Err.Error(), "does not answer DATA 2, sent 3 times") {
		t.Errorf("ended with %v, want the silence said", last)
	}
}

func request(options ...tftp.Option) *tftp.Request {
	return &tftp.Request{Name: "f", Mode: tftp.Octet, Options: options}
}

// A delayed ACK must not make the sender send a block twice: each would be acknowledged twice, for ever.
func TestDuplicateAckSendsNothing(t *testing.T) {
	t.Parallel()
	s, _ := NewSender(noon, request(), bytes.NewReader(make([]byte, 2000)), 2000)
	if got := s.Received(noon, &tftp.Ack{Block: 1}); len(got) != 1 {
		t.Fatalf("ACK 1 gives %v, want DATA 2", got)
	}
	if got := s.Received(noon, &tftp.Ack{Block: 1}); len(got) != 0 {
		t.Errorf("second ACK 1 gives %v, want nothing", got)
	}
	if got := s.Received(noon, &tftp.Ack{Block: 7}); len(got) != 0 {
		t.Errorf("ACK of a block never sent gives %v, want nothing", got)
	}
}

func TestDuplicateDataIsAcknowledgedAgain(t *testing.T) {
	t.Parallel()
	r, _ := NewReceiver(noon, ReceiverConfig{Name: "f", MaxSize: 5000})
	block := &tftp.Data{Block: 1, Payload: make([]byte, 512)}
	r.Received(noon, block)
	got := r.Received(noon, block)
	if len(got) != 1 || got[0].(Send).Packet.String() != "ACK 1" || len(r.Content()) != 512 {
		t.Errorf("second DATA 1 gives %v and %d bytes, want ACK 1 and 512", got, len(r.Content()))
	}
	if got := r.Received(noon, &tftp.Data{Block: 3}); got != nil {
		t.Errorf("DATA 3 before 2 gives %v, want nothing", got)
	}
}

func TestSenderAgreesOptions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		asked tftp.Options
		want  string
	}{
		{nil, "DATA 1 9 bytes"},
		{tftp.Options{{Name: "windowsize", Value: "8"}}, "OACK windowsize=8"},
		{tftp.Options{{Name: "windowsize", Value: "65535"}}, "OACK windowsize=16"},
		{tftp.Options{{Name: "windowsize", Value: "0"}}, "DATA 1 9 bytes"},
		{tftp.Options{{Name: "BlkSize", Value: "65464"}}, "OACK blksize=1468"},
		{tftp.Options{{Name: "blksize", Value: "7"}, {Name: "tsize", Value: "0"}}, "OACK tsize=9"},
		{tftp.Options{{Name: "timeout", Value: "3"}, {Name: "multicast", Value: ""}}, "OACK timeout=3"},
	} {
		_, actions := NewSender(noon, request(c.asked...), strings.NewReader("nine byte"), 9)
		if got := actions[0].(Send).Packet.String(); got != c.want {
			t.Errorf("options%s are answered %s, want %s", c.asked, got, c.want)
		}
	}
}

func TestNegotiatedTimeout(t *testing.T) {
	t.Parallel()
	s, _ := NewSender(noon, request(tftp.Number("timeout", 5)), strings.NewReader("x"), 1)
	if got := s.Wake().Sub(noon); got != firstAnswer {
		t.Errorf("before the first answer the sender wakes after %s, want %s", got, firstAnswer)
	}
	s.Received(noon, &tftp.Ack{})
	if got := s.Wake().Sub(noon); got != 5*time.Second {
		t.Errorf("sender wakes after %s, want 5s", got)
	}
	r, _ := NewReceiver(noon, ReceiverConfig{Name: "f", Timeout: 4 * time.Second, MaxSize: 10})
	r.Received(noon, &tftp.OptionAck{Options: tftp.Options{{Name: "timeout", Value: "4"}}})
	if got := r.Wake().Sub(noon); got != 4*time.Second {
		t.Errorf("receiver wakes after %s, want 4s", got)
	}
}

func TestReceiverRefuses(t *testing.T) {
	t.Parallel()
	for name, packet := range map[string]tftp.Packet{
		"an option it did not ask for": &tftp.OptionAck{Options: tftp.Options{{Name: "windowsize", Value: "4"}}},
		"a larger block size":          &tftp.OptionAck{Options: tftp.Options{{Name: "blksize", Value: "9000"}}},
		"a file that is too long":      &tftp.OptionAck{Options: tftp.Options{{Name: "tsize", Value: "1001"}}},
		"a block that is too long":     &tftp.Data{Block: 1, Payload: make([]byte, 513)},
		"an acknowledgement":           &tftp.Ack{},
	} {
		r, _ := NewReceiver(noon, ReceiverConfig{Name: "f", MaxSize: 1000})
		got := r.Received(noon, packet)
		if len(got) != 2 {
			t.Errorf("%s gives %v, want an ERROR and the end", name, got)
			continue
		}
		_, isError := got[0].(Send).Packet.(*tftp.Error)
		if _, failed := got[1].(Failed); !isError || !failed || !r.Wake().IsZero() {
			t.Errorf("%s gives %v, want an ERROR and the end", name, got)
		}
	}
	r, _ := NewReceiver(noon, ReceiverConfig{Name: "f", MaxSize: 1000})
	r.Received(noon, &tftp.Data{Block: 1, Payload: make([]byte, 512)})
	if got := r.Received(noon, &tftp.Data{Block: 2, Payload: make([]byte, 512)}); len(got) != 2 {
		t.Errorf("more than MaxSize gives %v, want an ERROR and the end", got)
	}
}

func TestPeerErrorEndsTransfer(t *testing.T) {
	t.Parallel()
	r, _ := NewReceiver(noon, ReceiverConfig{Name: "f", MaxSize: 10})
	var peer *PeerError
	got := r.Received(noon, &tftp.Error{Code: tftp.NotFound, Message: "gone"})
	if len(got) != 1 || !errors.As(got[0].(Failed).Err, &peer) || peer.Code != tftp.NotFound {
		t.Errorf("receiver: ERROR 1 gives %v, want a PeerError", got)
	}
	s, _ := NewSender(noon, request(), strings.NewReader("x"), 1)
	got = s.Received(noon, &tftp.Error{Code: tftp.DiskFull})
	if len(got) != 1 || !errors.As(got[0].(Failed).Err, &peer) {
		t.Errorf("sender: ERROR gives %v, want a PeerError", got)
	}
	if s.Received(noon, &tftp.Ack{Block: 1}) != nil || s.Advance(noon.Add(time.Hour)) != nil || !s.Wake().IsZero() {
		t.Error("the sender goes on after its end")
	}
}

func TestSenderFileShrinks(t *testing.T) {
	t.Parallel()
	_, actions := NewSender(noon, request(), strings.NewReader("short"), 100)
	if len(actions) != 2 {
		t.Fatalf("a file shorter than said gives %v, want an ERROR and the end", actions)
	}
	if _, ok := actions[1].(Failed); !ok {
		t.Errorf("ended with %v, want Failed", actions[1])
	}
}

// TestWindows: files of every length arrive, with fewer acknowledgements, and also when packets are lost.
func TestWindows(t *testing.T) {
	t.Parallel()
	for _, window := range []int{2, 3, 16, 64} {
		for size := range 200 {
			c := converse(t, randomBytes(size), ReceiverConfig{Name: "f", Blksize: 8, Window: window}, nil)
			c.wantContent()
			blocks := size/8 + 1
			acks := 0
			for _, sent := range c.sent {
				if strings.HasPrefix(sent, "receiver ACK") {
					acks++
				}
			}
			agreed := min(window, maxSendWindow)
			if want := 1 + (blocks+agreed-1)/agreed; acks != want || c.packets != 2+blocks+acks {
				t.Errorf("%d bytes in windows of %d took %d acknowledgements and %d packets, want %d and %d", size, window, acks, c.packets, want, 2+blocks+want)
			}
		}
		for lost := 1; lost <= 40; lost++ {
			c := converse(t, randomBytes(300), ReceiverConfig{Name: "f", Blksize: 8, Window: window}, func(n int, _ tftp.Packet) bool { return n == lost })
			c.wantContent()
		}
		source := rand.New(rand.NewPCG(3, uint64(window)))
		c := converse(t, randomBytes(1_000_000), ReceiverConfig{Name: "f", Blksize: 500, Window: window}, func(int, tftp.Packet) bool { return source.IntN(100) < 3 })
		c.wantContent()
	}
}

// TestWindowGoesBack: a block in the middle that is lost costs no waiting, and brings back only what comes
// after it.
func TestWindowGoesBack(t *testing.T) {
	t.Parallel()
	for _, lost := range []string{"DATA 1", "DATA 3"} {
		dropped := false
		c := converse(t, randomBytes(60), ReceiverConfig{Name: "f", Blksize: 8, Window: 4}, func(_ int, p tftp.Packet) bool {
			drop := !dropped && strings.HasPrefix(p.String(), lost+" ")
			dropped = dropped || drop
			return drop
		})
		c.wantContent()
		if c.now != noon {
			t.Errorf("%s was lost and the transfer waited for %s:\n%s", lost, c.now.Sub(noon), strings.Join(c.sent, "\n"))
		}
	}
}

// sentBy counts packets among actions.
func sentBy(actions []Action) (count int) {
	for _, a := range actions {
		if _, ok := a.(Send); ok {
			count++
		}
	}
	return count
}

// TestNoAmplifier: whoever does not answer gets no more than was asked for. A request may have come from
// anybody.
func TestNoAmplifier(t *testing.T) {
	t.Parallel()
	t.Run("without options", func(t *testing.T) {
		t.Parallel()
		s, first := NewSender(noon, request(), bytes.NewReader(make([]byte, 6000)), 6000)
		sent, now := sentBy(first), noon
		for !s.Wake().IsZero() {
			now = s.Wake()
			sent += sentBy(s.Advance(now))
		}
		if sent != 1 || now.Sub(noon) > 10*time.Second {
			t.Errorf("a request without an answer is sent %d packets for %s, want one", sent, now.Sub(noon))
		}
	})
	t.Run("asked again and again", func(t *testing.T) {
		t.Parallel()
		s, first := NewSender(noon, request(), bytes.NewReader(make([]byte, 6000)), 6000)
		sent := sentBy(first)
		for range 100 {
			sent += sentBy(s.AskedAgain(noon))
		}
		if sent != maxSends {
			t.Errorf("a request that comes a hundred times is sent %d packets, want %d", sent, maxSends)
		}
	})
	t.Run("with options", func(t *testing.T) {
		t.Parallel()
		asked := request(tftp.Number("blksize", 1400), tftp.Number("windowsize", 16), tftp.Number("timeout", 255))
		question, err := asked.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		s, actions := NewSender(noon, asked, bytes.NewReader(make([]byte, 1<<20)), 1<<20)
		sent, now := 0, noon
		for {
			for _, a := range actions {
				if send, ok := a.(Send); ok {
					answer, err := send.Packet.AppendBinary(nil)
					if err != nil || len(answer) > len(question) {
						t.Errorf("a request of %d bytes is answered with %d, %v", len(question), len(answer), err)
					}
					sent++
				}
			}
			if s.Wake().IsZero() {
				break
			}
			now = s.Wake()
			actions = s.Advance(now)
		}
		if sent != maxSends || now.Sub(noon) > 10*time.Second {
			t.Errorf("sent %d packets for %s, want %d and a place that is free soon", sent, now.Sub(noon), maxSends)
		}
	})
	t.Run("a peer that repeats its ACK", func(t *testing.T) {
		t.Parallel()
		s, _ := NewSender(noon, request(tftp.Number("windowsize", 4)), bytes.NewReader(make([]byte, 6000)), 6000)
		s.Received(noon, &tftp.Ack{})
		sent := 4
		for range 100 {
			sent += sentBy(s.Received(noon, &tftp.Ack{}))
		}
		if sent != 8 {
			t.Errorf("a hundred ACKs for nothing new bring %d packets, want the window twice", sent)
		}
	})
}

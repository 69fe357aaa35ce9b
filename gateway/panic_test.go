package gateway

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/tun"
	"github.com/longcord/longcord/wire/cstp"
)

// explosive is a device that panics at one kind of packet.
type explosive struct{ tun.Device }

var spark = []byte("boom")

func (e explosive) Write(packet []byte) (int, error) {
	if bytes.Contains(packet, spark) {
		panic("boom")
	}
	return e.Device.Write(packet)
}

func explosively(_ *world, c *Config) {
	open := c.OpenTUN
	c.OpenTUN = func(s tun.Settings) (tun.Device, error) {
		d, err := open(s)
		return explosive{d}, err
	}
}

// noRandom panics when a handshake wants a random.
type noRandom struct{}

func (noRandom) Read([]byte) (int, error) { panic("no random") }

// TestPanicEndsOneSession: wherever in the work for a session a panic comes, the others go on.
func TestPanicEndsOneSession(t *testing.T) {
	t.Parallel()
	boom := func(c *client) []byte { return append(toFiles(c.answer.Address.String())[:100:100], spark...) }
	for name, blow := range map[string]func(*world, *client){
		"packet over CSTP": func(_ *world, c *client) { c.sendFrame(cstp.Data, whole(boom(c))) },
		"packet over DTLS": func(w *world, c *client) { c.dtls(w.socket()).send(cstp.Data, whole(boom(c))) },
		"packet to it": func(w *world, c *client) {
			c.dtls(w.socket())
			s := c.session()
			s.mu.Lock()
			s.dtls.Store(newDTLSChannel(s, nil, s.dtls.Load().peer.Load(), [32]byte{}))
			s.mu.Unlock()
			w.fromHost(packet(files, c.answer.Address.String(), protoUDP, 1, 8))
		},
		"handshake": func(w *world, c *client) {
			w.g.handshakes.mu.Lock()
			w.g.handshakes.bySess[c.session()].config.Rand = noRandom{}
			w.g.handshakes.mu.Unlock()
			c.hello(w.socket())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, withUsers("anna", "boris"), explosively)
			boris := w.tunnel(phoneURL, "boris")
			d := boris.dtls(w.socket())
			anna := w.tunnel(phoneURL, "anna")
			blow(w, anna)
			anna.closed()
			w.until("her session is gone", func() bool { return len(w.records()) == 1 && w.router.holds() == 1 })
			again := w.dial(modern())
			refused(t, again.connect(again.offer(anna.request.Cookie)), 401)
			d.send(cstp.Data, toFiles(boris.answer.Address.String()))
			w.toHost()
			down := packet(files, boris.answer.Address.String(), protoUDP, 1, 8)
			w.fromHost(down)
			d.message(cstp.Data)
			w.works("anna")
			if !w.log.Has("session ended by a panic") || !w.log.Has("goroutine") {
				t.Error("the log has no stack")
			}
		})
	}
}

// whole makes a packet's length right.
func whole(b []byte) []byte {
	b[2], b[3] = byte(len(b)>>8), byte(len(b))
	return b
}

func TestPanicBeforeASession(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	c := w.dial(modern())
	c.send([]byte("POST /phone HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 23\r\n\r\nusername=panic&password"))
	c.send([]byte("=")) // more than was announced; the field is there without
	c.closed()
	w.works("anna")
}

func TestPanicInATimer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := openBooks(t)
		defer b.live()()
		broken := b.login("1", "anna", "", "phone")
		b.login("2", "boris", "", "phone")
		broken.mu.Lock()
		broken.machine = nil
		broken.mu.Unlock()
		b.wheel.arm(broken, time.Now())
		time.Sleep(2 * time.Second)
		synctest.Wait()
		b.want("good cookies", b.cookies("1", "2"), "2")
		b.want("records", b.stored("1", "2"), "2")
		if b.find(secret.New("1")) != nil {
			t.Error("the broken session is still there")
		}
	})
}

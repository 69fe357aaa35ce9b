package gateway

import (
	"crypto/rand"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/stage/tunnel/dtls"
	"github.com/longcord/longcord/wire/cstp"
	dtlswire "github.com/longcord/longcord/wire/dtls"
)

// counts returns how many handshakes are under way, for all sessions and at all addresses.
func (hs *handshakes) counts() (running, addresses int) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	for _, of := range hs.expected {
		running += len(of.running)
	}
	return running, len(hs.byAddr)
}

// TestHandshakeAgain: a client that begins anew at the same address gets a new channel, and the old one
// carries packets until then.
func TestHandshakeAgain(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	c := w.tunnel(phoneURL, "anna")
	sock := w.socket()
	first := c.dtls(sock)
	c.hello(sock)
	if _, err := sock.Read(make([]byte, 2000)); err != nil { // answered, so it runs
		t.Fatal(err)
	}
	first.send(cstp.Data, toFiles("10.99.0.2"))
	w.toHost()
	second := c.dtls(sock)
	second.send(cstp.Data, toFiles("10.99.0.2"))
	w.toHost()
	if n, addresses := w.g.handshakes.counts(); n != 0 || addresses != 0 {
		t.Errorf("%d handshakes still run at %d addresses", n, addresses)
	}
}

// TestLateHello: copies of a hello that has led to a channel change nothing.
func TestLateHello(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna", "probe"))
	c := w.tunnel(phoneURL, "anna")
	sock := w.socket()
	conn, hello := c.handshake(sock)
	d := &channel{t, sock, conn}
	w.until("the channel is up", func() bool { return c.session().dtls.Load() != nil })
	if _, err := sock.Write(hello); err != nil {
		t.Fatal(err)
	}
	d.send(cstp.DPDRequest, nil) // the gateway takes one datagram after another
	d.message(cstp.DPDResponse)
	if n, _ := w.g.handshakes.counts(); n != 0 {
		t.Error("a handshake begins")
	}
}

// TestUselessHellos: what cannot lead to a channel gets no answer and keeps no room.
func TestUselessHellos(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna", "probe"))
	c := w.tunnel(phoneURL, "anna")
	good := c.config()
	for name, spoil := range map[string]func(*dtls.Config){
		"unknown id":    func(c *dtls.Config) { c.SessionID = make([]byte, 32) },
		"other suite":   func(c *dtls.Config) { c.Suite = dtlswire.AES256GCM },
		"other version": func(c *dtls.Config) { c.Version, c.Suite = dtlswire.Version09, dtlswire.AES128SHA },
	} {
		bad := good
		spoil(&bad)
		half, err := dtls.NewClient(bad)
		if err != nil {
			t.Fatal(err)
		}
		hello := half.Start(time.Now())[0].(dtls.Send).Datagram
		sock := w.socket()
		for range handshakesPerSession + 1 {
			if _, err := sock.Write(hello); err != nil {
				t.Fatal(err)
			}
		}
		silent(t, w, sock)
		if n, addresses := w.g.handshakes.counts(); n != 0 || addresses != 0 {
			t.Errorf("%s: %d handshakes run at %d addresses", name, n, addresses)
		}
	}
	c.dtls(w.socket())
}

// TestOverheardId: whoever has overheard a session id can begin handshakes and finish none, and cannot keep
// the client from its own.
func TestOverheardId(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	c := w.tunnel(phoneURL, "anna")
	stranger := c.config()
	stranger.MasterSecret = make([]byte, len(stranger.MasterSecret))
	for range 3 * handshakesPerSession {
		half, err := dtls.NewClient(stranger)
		if err != nil {
			t.Fatal(err)
		}
		sock := w.socket()
		if _, err := sock.Write(half.Start(time.Now())[0].(dtls.Send).Datagram); err != nil {
			t.Fatal(err)
		}
		if _, err := sock.Read(make([]byte, 2000)); err != nil {
			t.Fatal(err)
		}
	}
	if n, addresses := w.g.handshakes.counts(); n != handshakesPerSession || addresses != n {
		t.Errorf("%d handshakes run at %d addresses want %d", n, addresses, handshakesPerSession)
	}
	d := c.dtls(w.socket())
	d.send(cstp.Data, toFiles("10.99.0.2"))
	w.toHost()
	c.sendFrame(cstp.Disconnect, []byte{byte(cstp.UserDisconnect)})
	w.until("the session is gone", func() bool { return len(w.records()) == 0 })
	if n, addresses := w.g.handshakes.counts(); n != 0 || addresses != 0 {
		t.Errorf("without the session %d handshakes still run at %d addresses", n, addresses)
	}
}

// keyed is a client whose DTLS channel comes up with a pre-shared key.
func (w *world) keyed(config *tls.Config, user string) *client {
	w.t.Helper()
	c := w.dial(config)
	request := c.offer(c.cookie(phoneURL, user))
	request.CipherSuites, request.MasterSecret = []string{dtlswire.PSKNegotiate}, secret.String{}
	if err := c.connect(request); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// TestPreSharedKey brings channels up with a key, at both versions of TLS that export one, twice each with
// the same key, and once although the gateway's last word is lost.
func TestPreSharedKey(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna", "boris"))
	old := modern()
	old.MaxVersion = tls.VersionTLS12
	for user, config := range map[string]*tls.Config{"anna": modern(), "boris": old} {
		c := w.keyed(config, user)
		up := toFiles(c.answer.Address.String())
		for range 2 {
			d := c.dtls(w.socket())
			d.send(cstp.Data, up)
			w.toHost()
		}
		half, err := dtls.NewClient(c.config())
		if err != nil {
			t.Fatal(err)
		}
		conn, lost := finish(t, w.socket(), half)
		if conn == nil || !lost {
			t.Errorf("%s: no channel, or the gateway's last word was not lost: %t", user, lost)
		}
	}
	if n, _ := w.g.handshakes.counts(); n == 0 {
		t.Error("no handshake is kept for a client that missed the last of it")
	}
}

// finish carries a handshake to its end but loses the first ChangeCipherSpec, which begins the last flight.
func finish(t *testing.T, sock *net.UDPConn, half dtls.Client) (conn *dtls.Conn, lost bool) {
	t.Helper()
	actions := half.Start(time.Now())
	buf := make([]byte, 2000)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		for _, a := range actions {
			switch a := a.(type) {
			case dtls.Send:
				if _, err := sock.Write(a.Datagram); err != nil {
					t.Fatal(err)
				}
			case dtls.Established:
				return a.Conn, lost
			case dtls.Failed:
				t.Fatal(a.Err)
			}
		}
		if err := sock.SetReadDeadline(half.Wake()); err != nil {
			t.Fatal(err)
		}
		n, err := sock.Read(buf)
		switch {
		case err != nil:
			actions = half.Advance(time.Now())
		case !lost && dtlswire.ContentType(buf[0]) == dtlswire.ChangeCipherSpec:
			lost, actions = true, nil
		default:
			if actions, err = half.Received(time.Now(), buf[:n]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return nil, lost
}

// TestManyHandshakes has clients show where they are when many handshakes are under way.
func TestManyHandshakes(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	w.g.handshakes.mu.Lock()
	w.g.handshakes.askFrom = 1
	w.g.handshakes.mu.Unlock()
	for _, c := range []*client{w.tunnel(phoneURL, "anna"), w.keyed(modern(), "anna")} {
		first := func() dtlswire.HandshakeType {
			sock := w.socket()
			c.hello(sock)
			buf := make([]byte, 2000)
			n, err := sock.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			record, _, err := dtlswire.ParseRecord(buf[:n])
			if err != nil {
				t.Fatal(err)
			}
			message, _, err := dtlswire.ParseHandshake(record.Fragment)
			if err != nil {
				t.Fatal(err)
			}
			return message.Type
		}
		if got := first(); got != dtlswire.TypeServerHello {
			t.Errorf("with no other under way the first answer is message %d, want a ServerHello", got)
		}
		for range 3 {
			if got := first(); got != dtlswire.TypeHelloVerifyRequest {
				t.Errorf("with another under way the first answer is message %d, want a HelloVerifyRequest", got)
			}
		}
		if n, addresses := w.g.handshakes.counts(); n != 1 || addresses != 1 {
			t.Errorf("%d handshakes are kept for %d addresses, want 1", n, addresses)
		}
		d := c.dtls(w.socket())
		d.send(cstp.Data, toFiles(c.answer.Address.String()))
		w.toHost()
		w.g.handshakes.forget(c.session()) // and with it the one that is under way
	}
}

// TestAddressOfAnother: a client may appear where another was, as behind one router.
func TestAddressOfAnother(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna", "boris"))
	anna, boris := w.tunnel(phoneURL, "anna"), w.tunnel(phoneURL, "boris")
	sock := w.socket()
	anna.dtls(sock)
	d := boris.dtls(sock)
	w.until("the first has no DTLS channel any more", func() bool { return anna.session().dtls.Load() == nil })
	d.send(cstp.Data, toFiles("10.99.0.3"))
	if got := w.toHost(); got != string(toFiles("10.99.0.3")) {
		t.Errorf("the host gets % x", got)
	}
	down := packet(files, "10.99.0.2", protoUDP, 4000, 172)
	w.fromHost(down)
	if got := anna.frame(cstp.Data); got != string(down) {
		t.Errorf("the first gets % x", got)
	}
}

// TestReplacedHandshake: a handshake that began before a CONNECT cannot end after it.
func TestReplacedHandshake(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	first := w.tunnel(phoneURL, "anna")
	half, err := dtls.NewClient(first.config())
	if err != nil {
		t.Fatal(err)
	}
	sock := w.socket()
	if _, err := sock.Write(half.Start(time.Now())[0].(dtls.Send).Datagram); err != nil {
		t.Fatal(err)
	}
	flight := make([]byte, 2000)
	n, err := sock.Read(flight)
	if err != nil {
		t.Fatal(err)
	}
	s := first.session()
	w.g.handshakes.mu.Lock()
	former := w.g.handshakes.bySess[s]
	w.g.handshakes.mu.Unlock()
	second := w.dial(modern())
	if err := second.connect(second.offer(first.request.Cookie)); err != nil {
		t.Fatal(err)
	}
	s.dtlsUp(former, &dtlsChannel{session: s}) // as if it had ended just before
	if s.dtls.Load() != nil {
		t.Error("it brings a channel up")
	}
	actions, err := half.Received(time.Now(), flight[:n])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sock.Write(actions[0].(dtls.Send).Datagram); err != nil {
		t.Fatal(err)
	}
	d := second.dtls(w.socket()) // behind it in the gateway's queue
	if got := second.session().dtls.Load().peer.Load().Port(); int(got) != d.sock.LocalAddr().(*net.UDPAddr).Port {
		t.Errorf("the channel is at port %d, the old handshake's", got)
	}
	if n, addresses := w.g.handshakes.counts(); n != 0 || addresses != 0 {
		t.Errorf("%d handshakes still run at %d addresses", n, addresses)
	}
}

// TestAlerts: a warning is not the end, a close_notify is.
func TestAlerts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		alert []byte
		ends  bool
	}{{[]byte{1, 0}, true}, {[]byte{2, 20}, true}, {[]byte{2, 0}, true}, {[]byte{1, 100}, false}, {[]byte{1}, false}, {nil, false}, {[]byte{2, 0, 0}, false}} {
		if got := endsChannel(c.alert); got != c.ends {
			t.Errorf("alert % x ends the channel: %v want %v", c.alert, got, c.ends)
		}
	}
	w := open(t, withUsers("anna"))
	c := w.tunnel(phoneURL, "anna")
	d := c.dtls(w.socket())
	bye, err := d.conn.CloseNotify()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.sock.Write(bye); err != nil {
		t.Fatal(err)
	}
	down := packet(files, "10.99.0.2", protoUDP, 4000, 172)
	w.until("the channel is down", func() bool { return c.session().dtls.Load() == nil })
	w.fromHost(down)
	if got := c.frame(cstp.Data); got != string(down) {
		t.Errorf("the client gets % x", got)
	}
}

// TestUDPGarbage: whatever comes in datagrams, nothing goes out, and the gateway goes on.
func TestUDPGarbage(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna", "probe"))
	c := w.tunnel(phoneURL, "anna")
	sock := w.socket()
	d := c.dtls(sock)
	hello := func() []byte {
		half, err := dtls.NewClient(c.config())
		if err != nil {
			t.Fatal(err)
		}
		return half.Start(time.Now())[0].(dtls.Send).Datagram
	}()
	stranger := w.socket()
	write := func(b []byte) { // from where nothing is, and from where a channel is
		_, _ = stranger.Write(b)
		_, _ = sock.Write(b)
	}
	noise := make([]byte, 1400)
	for n := range 300 {
		_, _ = rand.Read(noise)
		noise[0] = byte(20 + n%4) // the four kinds of records
		write(noise[:n])
		write(append([]byte{noise[0], 0xfe, 0xfd, 0, byte(n % 2)}, noise[:n]...))
	}
	sealed := d.sealed(cstp.Data, toFiles("10.99.0.2"))
	for n := range sealed {
		write(sealed[:n])
	}
	for n := range len(hello) {
		write(hello[:n])
	}
	write(make([]byte, 60000))
	silent(t, w, stranger)
	d.send(cstp.Data, toFiles("10.99.0.2"))
	if got := w.toHost(); got != string(toFiles("10.99.0.2")) {
		t.Errorf("the host gets % x", got)
	}
	d.send(cstp.Data, toFiles("10.99.0.2"))
	w.toHost()
}

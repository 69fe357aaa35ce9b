package gateway

import (
	"bytes"
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/cstp"
	dtlswire "github.com/longcord/longcord/wire/dtls"
)

// withUsers lets these users in; each has the password "secret of" and its name.
func withUsers(names ...string) func(*world, *Config) {
	return func(w *world, _ *Config) {
		for _, name := range names {
			w.users[name] = struct{ password, device string }{"secret of " + name, ""}
		}
	}
}

func toFiles(src string) []byte { return packet(src, files, protoUDP, 5060, 172) }

func TestPacketsOverCSTP(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	c := w.tunnel(phoneURL, "anna")
	if got := c.answer.Prefix().String(); got != "10.99.0.2/29" {
		t.Errorf("inner address %s want 10.99.0.2/29", got)
	}
	up, down := toFiles("10.99.0.2"), packet(files, "10.99.0.2", protoUDP, 4000, 172)
	c.sendFrame(cstp.Data, up)
	if got := w.toHost(); got != string(up) {
		t.Errorf("the host gets % x", got)
	}
	w.fromHost(down)
	if got := c.frame(cstp.Data); got != string(down) {
		t.Errorf("the client gets % x", got)
	}
	info := w.g.Sessions()
	if len(info) != 1 || info[0].FromBytes != uint64(len(up)) || info[0].ToBytes != uint64(len(down)) || info[0].Transport != "tls" || info[0].State != "connected" {
		t.Errorf("got %+v", info)
	}
}

func TestPacketsOverDTLS(t *testing.T) {
	t.Parallel()
	for name, listen := range map[string]string{"IPv4": "127.0.0.1:0", "IPv4 on a socket for both": "[::]:0"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, withUsers("anna"), func(_ *world, c *Config) {
				c.Listen, c.DTLS = netip.MustParseAddrPort(listen), netip.MustParseAddrPort(listen)
			})
			c := w.tunnel(phoneURL, "anna")
			d := c.dtls(w.socket())
			up, down := toFiles("10.99.0.2"), packet(files, "10.99.0.2", protoUDP, 4000, 172)
			d.send(cstp.Data, up)
			if got := w.toHost(); got != string(up) {
				t.Errorf("the host gets % x", got)
			}
			w.fromHost(down)
			if got := d.message(cstp.Data); got != string(down) {
				t.Errorf("the client gets % x", got)
			}
			c.sendFrame(cstp.Data, up) // a client that hears nothing on DTLS goes back to CSTP, and the gateway with it
			w.toHost()
			w.fromHost(down)
			if got := c.frame(cstp.Data); got != string(down) {
				t.Errorf("the client gets % x", got)
			}
			if info := w.g.Sessions(); len(info) != 1 || info[0].CSTP.Peer.Addr().String() != "127.0.0.1" || !info[0].DTLS.Up || info[0].Transport != "tls" {
				t.Errorf("got %+v", info)
			}
		})
	}
}

func TestDTLS09(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	c := w.dial(old())
	request := c.offer(c.cookie(phoneURL, "anna"))
	request.CipherSuites, request.CipherSuites12 = []string{"AES128-SHA"}, nil
	if err := c.connect(request); err != nil {
		t.Fatal(err)
	}
	d := c.dtls(w.socket())
	if d.conn.Version() != dtlswire.Version09 {
		t.Errorf("DTLS %s want %s", d.conn.Version(), dtlswire.Version09)
	}
	up := toFiles("10.99.0.2")
	d.send(cstp.Data, up)
	if got := w.toHost(); got != string(up) {
		t.Errorf("the host gets % x", got)
	}
}

// TestProbesAreAnsweredInKind: on DTLS clients find out by the answer's length how large a packet may be.
func TestProbesAreAnsweredInKind(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	c := w.tunnel(phoneURL, "anna")
	d := c.dtls(w.socket())
	for _, n := range []int{0, 1, 1000, 1300} {
		probe := bytes.Repeat([]byte{0xa5}, n)
		d.send(cstp.DPDRequest, probe)
		if got := d.message(cstp.DPDResponse); got != string(probe) {
			t.Errorf("a probe of %d bytes is answered with %d", n, len(got))
		}
		c.sendFrame(cstp.DPDRequest, probe)
		if got := c.frame(cstp.DPDResponse); got != string(probe) {
			t.Errorf("a probe of %d bytes on CSTP is answered with %d", n, len(got))
		}
	}
}

func TestForgedAndFiltered(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	c := w.tunnel(phoneURL, "anna")
	d := c.dtls(w.socket())
	for _, p := range [][]byte{
		toFiles("10.99.0.3"), // forged
		toFiles("10.20.0.5"),
		packet("10.99.0.2", files, protoUDP, 53, 8), // filtered
		packet("10.99.0.2", "10.20.0.6", protoUDP, 5060, 8),
		packet("10.99.0.2", files, protoTCP, 5060, 20),
		append([]byte{0x60}, make([]byte, 60)...), // IPv6
		{0x45}, {},
	} {
		c.sendFrame(cstp.Data, p)
		d.send(cstp.Data, p)
	}
	good := toFiles("10.99.0.2")
	c.sendFrame(cstp.Data, good)
	if got := w.toHost(); got != string(good) {
		t.Errorf("the host gets % x", got)
	}
	d.send(cstp.Data, good)
	if got := w.toHost(); got != string(good) {
		t.Errorf("the host gets % x", got)
	}
	if info := w.g.Sessions(); info[0].Refused != 16 || info[0].FromPackets != 2 {
		t.Errorf("refused %d want 16, let through %d want 2", info[0].Refused, info[0].FromPackets)
	}
}

// TestUnfiltered: a group without a filter reaches everything, from its own address.
func TestUnfiltered(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	c := w.tunnel(staffURL, "anna")
	p := packet("10.99.0.2", "192.0.2.7", protoTCP, 80, 20)
	c.sendFrame(cstp.Data, toFiles("10.99.0.4"))
	c.sendFrame(cstp.Data, p)
	if got := w.toHost(); got != string(p) {
		t.Errorf("the host gets % x", got)
	}
}

func TestSecondConnectTakesOver(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna", "probe"))
	first := w.tunnel(phoneURL, "anna")
	d := first.dtls(w.socket())
	second := w.dial(modern())
	request := second.offer(first.request.Cookie)
	if err := second.connect(request); err != nil {
		t.Fatal(err)
	}
	if got := second.answer.Address; got != first.answer.Address {
		t.Errorf("came back as %s, was %s", got, first.answer.Address)
	}
	if o := d.receive(); o.Type != dtlswire.AlertRecord {
		t.Errorf("the old DTLS channel gets %v want an alert", o.Type)
	}
	d.send(cstp.Data, packet("10.99.0.2", files, protoUDP, 5001, 8)) // of a channel that is no more
	first.closed()
	second.sendFrame(cstp.Data, toFiles("10.99.0.2"))
	if got := w.toHost(); got != string(toFiles("10.99.0.2")) {
		t.Errorf("the host gets % x", got)
	}
	if again := second.dtls(w.socket()); again.conn == nil {
		t.Error("no DTLS after taking over")
	}
	w.only()
	half := w.socket() // the first id is void
	first.hello(half)
	silent(t, w, half)
}

func TestGoodbyeKillsTheCookie(t *testing.T) {
	t.Parallel()
	goodbye := []byte{byte(cstp.UserDisconnect), 'b', 'y', 'e'}
	for name, say := range map[string]func(*world, *client){
		"on CSTP": func(_ *world, c *client) { c.sendFrame(cstp.Disconnect, goodbye) },
		"on DTLS": func(w *world, c *client) { c.dtls(w.socket()).send(cstp.Disconnect, goodbye) },
		"by logout": func(w *world, c *client) {
			other := w.dial(modern())
			other.send([]byte("GET /logout HTTP/1.1\r\nHost: " + host + "\r\nCookie: webvpn=" + c.request.Cookie.Reveal() + "\r\n\r\n"))
			if r := other.reply(); r.Status != 200 {
				t.Errorf("logout is answered with %d", r.Status)
			}
		},
		"by the operator": func(w *world, c *client) {
			if n := w.g.Logoff(t.Context(), MustLogIn, func(s SessionInfo) bool { return s.User == "anna" }); n != 1 {
				t.Errorf("%d sessions logged off want 1", n)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, withUsers("anna"))
			c := w.tunnel(phoneURL, "anna")
			say(w, c)
			c.closed()
			w.until("the session is gone from the store", func() bool { return len(w.records()) == 0 })
			w.until("its address is given back", func() bool { return w.router.holds() == 0 })
			again := w.dial(modern())
			refused(t, again.connect(again.offer(c.request.Cookie)), 401)
			if n := len(w.g.sessions.all()); n != 0 {
				t.Errorf("%d sessions are left", n)
			}
			if err := w.stop(); err != nil {
				t.Error(err)
			}
			if w.g.sessions.inner.get(c.answer.Address) != nil || len(w.g.handshakes.bySess) != 0 || w.g.sessions.pools.held() != 0 {
				t.Error("something of the session is left")
			}
		})
	}
}

// TestPeopleAreTold: clients that are no phones hear that they are logged off; phones would show a fault.
func TestPeopleAreTold(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna", "boris"))
	phone, person := w.tunnel(phoneURL, "anna"), w.tunnel(staffURL, "boris")
	w.g.Logoff(t.Context(), MustLogIn, func(SessionInfo) bool { return true })
	person.frame(cstp.Terminate)
	person.closed()
	phone.closed()
}

// TestComingBack: whoever leaves for a while, or is cut off, finds session and address again.
func TestComingBack(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	c := w.tunnel(phoneURL, "anna")
	for _, leave := range []func(){
		func() { c.sendFrame(cstp.Disconnect, []byte{byte(cstp.WillReconnect)}) },
		func() { c.conn.Close() },
		func() { c.conn.NetConn().Close() },
	} {
		leave()
		w.until("the session has no channel", w.only().dead)
		if info := w.g.Sessions(); info[0].State != "disconnected" || info[0].Transport != "" {
			t.Errorf("got %+v", info)
		}
		again := w.dial(modern())
		if err := again.connect(again.offer(c.request.Cookie)); err != nil || again.answer.Address != c.answer.Address {
			t.Errorf("came back as %s, %v; was %s", again.answer.Address, err, c.answer.Address)
		}
		c = again
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna", "boris"))
	c := w.tunnel(phoneURL, "anna")
	c.dtls(w.socket())
	w.dial(modern()).cookie(staffURL, "boris") // logged in, not connected yet
	if err := w.stop(); err != nil {
		t.Error(err)
	}
	c.closed()
	w.start()
	t.Cleanup(func() { w.stop() })
	if w.router.holds() != 1 {
		t.Errorf("after the restart the host answers for %d addresses want 1", w.router.holds())
	}
	for _, i := range w.g.Sessions() { // also of the one that never connected
		if i.CSTP.Peer.Addr().String() != "127.0.0.1" {
			t.Errorf("after the restart session %d came from %s", i.ID, i.CSTP.Peer)
		}
	}
	again := w.dial(modern())
	if err := again.connect(again.offer(c.request.Cookie)); err != nil || again.answer.Address != c.answer.Address {
		t.Errorf("came back as %s, %v; was %s", again.answer.Address, err, c.answer.Address)
	}
	other := w.tunnel(staffURL, "boris")
	if other.answer.Address == c.answer.Address || other.session().record.ID != 3 {
		t.Errorf("a new session got %s and number %d", other.answer.Address, other.session().record.ID)
	}
}

// TestCookieIsNotStored scans all that is stored and logged for the cookie.
func TestCookieIsNotStored(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	c := w.tunnel(phoneURL, "anna")
	c.dtls(w.socket())
	records, _, err := w.store.List(context.Background(), "")
	if err != nil || len(records) < 2 {
		t.Fatalf("got %d records, %v", len(records), err)
	}
	master := c.request.MasterSecret.Reveal()
	for _, r := range records {
		for _, s := range []string{c.request.Cookie.Reveal(), "secret of anna", master} {
			if strings.Contains(r.Key+string(r.Value), s) {
				t.Errorf("%s holds a secret: %s", r.Key, r.Value)
			}
		}
	}
	for _, s := range []string{c.request.Cookie.Reveal(), "secret of anna", master} {
		if w.log.Has(s) {
			t.Errorf("the log tells %q", s)
		}
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	for name, c := range map[string]struct {
		url, user, password string
		want                verify.Refusal
	}{
		"wrong password": {phoneURL, "anna", "wrong", verify.WrongLogin},
		"wrong user":     {phoneURL, "nobody", "x", verify.WrongLogin},
		"busy":           {phoneURL, "busy", "x", verify.GatewayError},
		"wrong URL":      {phoneURL + "s", "anna", "secret of anna", verify.WrongURL},
		"not for phones": {staffURL + "/", "anna", "secret of anna", verify.WrongURL},
	} {
		got, ok := w.dial(modern()).logIn(c.url, c.user, c.password).(verify.Refused)
		if !ok || got.Reason != c.want {
			t.Errorf("%s: got %+v want %v", name, got, c.want)
		}
	}
	if !w.log.Has("login-refused") || !w.log.Has("group-url-mismatch") {
		t.Error("the log has not the findings")
	}
	if len(w.records()) != 0 {
		t.Error("a session was made")
	}
}

// TestOldConnectionFence: a connection with old cryptography reaches only what is made for old phones,
// whatever its cookie.
func TestOldConnectionFence(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna", "boris"))
	staff := w.dial(modern())
	cookie := staff.cookie(staffURL, "boris")
	c := w.dial(old())
	refused(t, c.connect(c.offer(cookie)), 401)
	if got, ok := w.dial(old()).logIn(staffURL, "boris", "secret of boris").(verify.Refused); !ok || got.Reason != verify.WrongURL {
		t.Errorf("a login at a group without old phones: %+v", got)
	}
	if err := staff.connect(staff.offer(cookie)); err != nil {
		t.Errorf("the cookie is spoilt: %v", err)
	}
	phone := w.tunnelWith(old(), phoneURL, "anna")
	if phone.session().filter.Load() == nil {
		t.Error("an old phone has no filter")
	}
	set := declared()
	set.TunnelGroups["phones"].LegacyPhones = false
	set.TunnelGroups["staff"].LegacyPhones = true
	w.inventory.Store(set)
	late := w.dial(old())
	refused(t, late.connect(late.offer(phone.request.Cookie)), 401)
}

// TestLegacyOff: without a group for old phones their handshake is refused.
func TestLegacyOff(t *testing.T) {
	t.Parallel()
	w := open(t)
	set := declared()
	set.TunnelGroups["phones"].LegacyPhones = false
	w.inventory.Store(set)
	if _, err := w.dialTLS(old()); err == nil {
		t.Error("TLS 1.0 is spoken")
	}
	if _, err := w.dialTLS(modern()); err != nil {
		t.Error(err)
	}
}

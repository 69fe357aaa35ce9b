package tunnel

import (
	"testing"
	"time"

	"github.com/longcord/longcord/wire/cstp"
)

// usual are the timers that phones get.
var usual = Timers{DPD: 30 * time.Second, DPDClient: 30 * time.Second, Keepalive: 20 * time.Second, DisconnectedTimeout: 30 * time.Minute}

func TestQuietPhone(t *testing.T) {
	t.Parallel()
	p := newPair(t, usual)
	p.data(DTLS, DTLS)
	p.pass(time.Minute)
	p.did(`
		0s phone: start dtls 0.9 AES256-SHA
		12.5s phone: send dpd request on dtls
		12.5s gateway: send dpd response on dtls
		20s phone: send keepalive on cstp
		25s phone: send dpd request on dtls
		25s gateway: send dpd response on dtls
		30s phone: send dpd request on cstp
		30s gateway: send dpd response on cstp
		37.5s phone: send dpd request on dtls
		37.5s gateway: send dpd response on dtls
		50s phone: send keepalive on cstp
		50s phone: send dpd request on dtls
		50s gateway: send dpd response on dtls
		1m0s phone: send dpd request on cstp
		1m0s gateway: send dpd response on cstp
	`)
	p.data(DTLS, DTLS)
}

func TestBlockedUDP(t *testing.T) {
	t.Parallel()
	p := newPair(t, Timers{DPDClient: 30 * time.Second, DPD: 30 * time.Second})
	p.forget()
	p.udp = false
	p.byPhone(p.phone.reconnect(p.now))
	p.data(CSTP, CSTP)
	p.pass(80 * time.Second)
	p.udp = true
	p.pass(65 * time.Second)
	p.data(DTLS, DTLS)
	p.did(`
		0s phone: close dtls
		0s phone: close cstp
		0s phone: reconnect
		0s gateway: close dtls
		0s phone: start dtls 0.9 AES256-SHA
		12s phone: dtls handshake gives up
		27s phone: start dtls 0.9 AES256-SHA
		30s phone: send dpd request on cstp
		30s gateway: send dpd response on cstp
		39s phone: dtls handshake gives up
		1m0s phone: send dpd request on cstp
		1m0s gateway: send dpd response on cstp
		1m9s phone: start dtls 0.9 AES256-SHA
		1m21s phone: dtls handshake gives up
		1m30s phone: send dpd request on cstp
		1m30s gateway: send dpd response on cstp
		2m0s phone: send dpd request on cstp
		2m0s gateway: send dpd response on cstp
		2m6s phone: start dtls 0.9 AES256-SHA
		2m18.5s phone: send dpd request on dtls
		2m18.5s gateway: send dpd response on dtls
	`)
}

// UDP dies in a call: both move to TLS after 25 s.
func TestUDPDiesInCall(t *testing.T) {
	t.Parallel()
	p := newPair(t, usual)
	p.speak(10 * time.Second)
	p.forget()
	p.udp = false
	p.speak(25*time.Second + 20*time.Millisecond)
	p.data(CSTP, CSTP)
	// Now the call goes on over TLS, both ways and without loss.
	if up, down := p.speak(10 * time.Second); up != 500 || down != 500 {
		t.Errorf("of 500 packets each way %d and %d arrive over TLS", up, down)
	}
	p.udp = true
	p.speak(70 * time.Second)
	p.data(DTLS, DTLS)
}

// One packet on TLS is enough for the gateway to follow.
func TestGatewayFollowsPhone(t *testing.T) {
	t.Parallel()
	p := newPair(t, usual)
	p.server.Heard(CSTP, p.now)
	p.data(DTLS, CSTP)
	p.server.Heard(DTLS, p.now)
	p.data(DTLS, DTLS)
}

func TestLostLink(t *testing.T) {
	t.Parallel()
	p := newPair(t, usual)
	p.forget()
	p.tcp, p.udp = false, false
	p.pass(2*time.Minute + 20*time.Second)
	if p.phone.State() != Waiting || p.server.State() != Disconnected {
		t.Errorf("phone %v, gateway %v, want waiting and disconnected", p.phone.State(), p.server.State())
	}
	p.tcp, p.udp = true, true
	p.pass(40 * time.Second)
	p.did(`
		12.5s phone: send dpd request on dtls
		15s phone: send dpd request on dtls
		17.5s phone: send dpd request on dtls
		20s phone: send keepalive on cstp
		20s phone: send dpd request on dtls
		22.5s phone: send dpd request on dtls
		25s phone: close dtls
		25s phone: start dtls 0.9 AES256-SHA
		30s phone: send dpd request on cstp
		30s gateway: send dpd request on cstp
		30s gateway: send dpd request on dtls
		37s phone: dtls handshake gives up
		45s phone: send dpd request on cstp
		45s gateway: send dpd request on cstp
		45s gateway: send dpd request on dtls
		52s phone: start dtls 0.9 AES256-SHA
		1m0s phone: close dtls
		1m0s phone: close cstp
		1m0s phone: reconnect
		1m0s gateway: send dpd request on cstp
		1m0s gateway: send dpd request on dtls
		1m5s phone: reconnect
		1m15s phone: reconnect
		1m15s gateway: send dpd request on cstp
		1m15s gateway: send dpd request on dtls
		1m30s gateway: close cstp
		1m30s gateway: close dtls
		1m35s phone: reconnect
		2m15s phone: reconnect
	`)
	p.pass(16 * time.Second)
	p.data(DTLS, DTLS)
	if p.phone.State() != Online || p.server.State() != Connected {
		t.Errorf("phone %v, gateway %v, want online and connected", p.phone.State(), p.server.State())
	}
}

func TestLostForGood(t *testing.T) {
	t.Parallel()
	p := newPair(t, usual)
	p.tcp, p.udp = false, false
	p.pass(40 * time.Minute)
	if last := p.log[len(p.log)-1]; last != "31m30s gateway: end, disconnected timeout" {
		t.Errorf("the gateway's last: %s", last)
	}
	if p.phone.State() != Offline || p.server.State() != Ended {
		t.Errorf("phone %v, gateway %v, want offline and ended", p.phone.State(), p.server.State())
	}
	if !p.phone.Wake().IsZero() || !p.server.Wake().IsZero() {
		t.Error("an ended half wants to be woken")
	}
	if _, err := p.server.ChannelUp(p.now, CSTP); err != ErrEnded {
		t.Errorf("a channel for an ended session: %v, want %v", err, ErrEnded)
	}
}

func TestLogout(t *testing.T) {
	t.Parallel()
	p := newPair(t, usual)
	p.forget()
	p.byPhone(p.phone.Logout(p.now, "vpn switched off"))
	p.did(`
		0s phone: send disconnect user disconnect (16/NOTICE): "vpn switched off" on cstp
		0s gateway: close dtls
		0s gateway: close cstp
		0s gateway: end, user logout: vpn switched off
		0s phone: close dtls
		0s phone: close cstp
		0s phone: end, user logout
	`)
}

// Only one reason gives the session up.
func TestFarewells(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{"", "\x91", "\xd1suspend", "\x70", "\xb1", "\xb0"} {
		p := newPair(t, usual)
		actions, err := p.server.Received(p.now, CSTP, cstp.Disconnect, []byte(payload))
		if err != nil || len(actions) < 2 {
			t.Fatalf("%q: %v, %v", payload, actions, err)
		}
		want := Disconnected
		if payload == "\xb0" {
			want = Ended
		}
		if p.server.State() != want {
			t.Errorf("%q: session is %v, want %v", payload, p.server.State(), want)
		}
	}
}

func TestGatewayEnds(t *testing.T) {
	t.Parallel()
	for _, tell := range []bool{false, true} {
		p := newPair(t, usual)
		p.forget()
		p.refuse = &cstp.CookieRefused
		p.byServer(p.server.End(p.now, Administrator, tell))
		if tell {
			p.did(`
				0s gateway: send terminate on cstp
				0s phone: close dtls
				0s phone: close cstp
				0s phone: end, ended by gateway
				0s gateway: close dtls
				0s gateway: close cstp
				0s gateway: end, ended by administrator
			`)
			continue
		}
		p.did(`
			0s gateway: close dtls
			0s gateway: close cstp
			0s phone: close dtls
			0s phone: reconnect
			0s phone: end, cookie refused: cstp: gateway answers 401 Cookie is not acceptable
			0s gateway: end, ended by administrator
		`)
	}
}

func TestIdleAndSessionTimeout(t *testing.T) {
	t.Parallel()
	p := newPair(t, Timers{DPD: 30 * time.Second, DPDClient: 30 * time.Second, Keepalive: 20 * time.Second, IdleTimeout: 10 * time.Minute})
	p.refuse = &cstp.CookieRefused
	p.speak(time.Minute)
	p.pass(10*time.Minute - time.Second)
	if p.server.State() != Connected {
		t.Error("session ended before its idle timeout")
	}
	p.pass(time.Second)
	if last := p.log[len(p.log)-1]; last != "11m0s gateway: end, idle timeout" {
		t.Errorf("last: %s", last)
	}

	p = newPair(t, Timers{SessionTimeout: 2 * time.Minute})
	p.refuse = &cstp.CookieRefused
	p.speak(2 * time.Minute)
	if last := p.log[len(p.log)-1]; last != "2m0s gateway: end, session timeout" {
		t.Errorf("last: %s", last)
	}
}

// A phone that comes back while the gateway still holds its old channels replaces them.
func TestReplacedChannels(t *testing.T) {
	t.Parallel()
	p := newPair(t, usual)
	p.forget()
	p.tcp = false // the phone's close does not arrive
	actions := p.phone.ChannelDown(p.now, CSTP)
	p.tcp = true
	p.byPhone(actions)
	p.did(`
		0s phone: close dtls
		0s phone: reconnect
		0s gateway: close cstp
		0s gateway: close dtls
		0s phone: start dtls 0.9 AES256-SHA
	`)
	p.data(DTLS, DTLS)
}

func TestOtherAddressEndsClient(t *testing.T) {
	t.Parallel()
	p := newPair(t, usual)
	p.forget()
	p.answer.Address = p.answer.Address.Next()
	p.byPhone(p.phone.ChannelDown(p.now, CSTP))
	if p.phone.State() != Offline {
		t.Errorf("phone is %v, want offline", p.phone.State())
	}
}

func TestRekey(t *testing.T) {
	t.Parallel()
	p := newPair(t, Timers{})
	p.answer.RekeyTime, p.answer.RekeyMethod = 16*time.Second, cstp.RekeyNewTunnel
	p.byPhone(p.phone.ChannelDown(p.now, CSTP))
	p.forget()
	p.pass(20 * time.Second)
	p.did(`
		16s phone: close dtls
		16s phone: close cstp
		16s phone: reconnect
		16s gateway: close dtls
		16s phone: start dtls 0.9 AES256-SHA
	`)
}

func TestRefusedAtFirst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		refusal cstp.Refusal
		cause   Cause
	}{{cstp.CookieRefused, CookieRefused}, {cstp.NoAddress, ConnectRefused}} {
		phone := NewClient(ClientConfig{}, time.Now())
		actions := phone.ConnectFailed(time.Now(), &c.refusal)
		if end, ok := actions[len(actions)-1].(End); !ok || end.Cause != c.cause {
			t.Errorf("%d: %v, want %v", c.refusal.Status, actions, c.cause)
		}
	}
}

func TestDTLSGivenUp(t *testing.T) {
	t.Parallel()
	p := newPair(t, usual)
	p.phone.GiveUpDTLS()
	p.forget()
	p.pass(3 * time.Minute)
	for _, line := range p.log {
		if line[len(line)-len("AES256-SHA"):] == "AES256-SHA" {
			t.Errorf("DTLS is tried again: %s", line)
		}
	}
}

// Probes of the path are answered with the same length on either channel.
func TestProbes(t *testing.T) {
	t.Parallel()
	p := newPair(t, usual)
	for _, c := range []Channel{CSTP, DTLS} {
		probe := make([]byte, 1406)
		fromGateway, err := p.server.Received(p.now, c, cstp.DPDRequest, probe)
		if err != nil || len(fromGateway) != 1 || len(fromGateway[0].(Send).Payload) != len(probe) {
			t.Errorf("gateway on %v: %v, %v", c, fromGateway, err)
		}
		fromPhone, err := p.phone.Received(p.now, c, cstp.DPDRequest, probe)
		if err != nil || len(fromPhone) != 1 || len(fromPhone[0].(Send).Payload) != len(probe) {
			t.Errorf("phone on %v: %v, %v", c, fromPhone, err)
		}
	}
}

func TestFramesWithoutPlace(t *testing.T) {
	t.Parallel()
	p := newPair(t, usual)
	for _, kind := range []cstp.Type{cstp.Data, cstp.Compressed, cstp.Terminate, 42} {
		if _, err := p.server.Received(p.now, CSTP, kind, nil); err == nil {
			t.Errorf("gateway takes %v", kind)
		}
	}
	for _, kind := range []cstp.Type{cstp.Data, cstp.Compressed, 42} {
		if _, err := p.phone.Received(p.now, CSTP, kind, nil); err == nil {
			t.Errorf("phone takes %v", kind)
		}
	}
	if p.server.State() != Connected || p.phone.State() != Online {
		t.Error("a frame without a place moved a session")
	}
}

func TestPacketPathDoesNotAllocate(t *testing.T) {
	p := newPair(t, usual)
	allocs := testing.AllocsPerRun(1000, func() {
		p.server.Heard(DTLS, p.now)
		p.server.Spoke(DTLS, p.now)
		p.server.DataChannel()
	})
	if allocs != 0 {
		t.Errorf("%v allocations a packet, want none", allocs)
	}
}

// TestRetime: a policy that changed reaches a session that lives already.
func TestRetime(t *testing.T) {
	t.Parallel()
	login := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := NewSession(SessionConfig{Timers: Timers{SessionTimeout: time.Hour}}, login)
	s.Retime(Timers{SessionTimeout: 10 * time.Minute, IdleTimeout: time.Minute, DisconnectedTimeout: 5 * time.Minute})
	if wake := s.Wake(); !wake.Equal(login.Add(5 * time.Minute)) {
		t.Errorf("without a channel it wakes at %v want after 5 minutes", wake)
	}
	if _, err := s.ChannelUp(login, CSTP); err != nil {
		t.Fatal(err)
	}
	if wake := s.Wake(); !wake.Equal(login.Add(time.Minute)) {
		t.Errorf("with a channel it wakes at %v want after a minute", wake)
	}
	s.Heard(CSTP, login.Add(9*time.Minute+30*time.Second))
	if actions := s.Advance(login.Add(10 * time.Minute)); len(actions) == 0 || actions[len(actions)-1] != (End{Cause: SessionTimeout}) {
		t.Errorf("at the end of its time: %v", actions)
	}
}

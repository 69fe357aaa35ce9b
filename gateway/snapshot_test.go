package gateway

import (
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/wire/cstp"
)

func TestSessionInFull(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	begun := time.Now()
	c := w.dial(modern())
	request := c.offer(c.cookie(phoneURL, "anna"))
	if i := w.only().info(); i.State != "disconnected" || i.Gone.Before(begun) || i.Transport != "" || i.CSTP.Up || i.GroupPolicy != "phones" || i.Login != "aaa" || i.Filter != "fence" {
		t.Errorf("after the login: %+v", i)
	}
	if err := c.connect(request); err != nil {
		t.Fatal(err)
	}
	i := w.only().info()
	if i.Transport != "tls" || !i.CSTP.Up || i.CSTP.Version != "TLS 1.3" || i.CSTP.Cipher == "" || i.CSTP.Peer.String() != c.conn.LocalAddr().String() || i.CSTP.Heard.Before(begun) {
		t.Errorf("after CONNECT: %+v", i)
	}
	if i.MTU != c.answer.MTU || i.Since.Before(begun) || !i.Gone.IsZero() || i.WhyNoDTLS != "nothing has come by UDP from the client since it connected" {
		t.Errorf("after CONNECT: %+v", i)
	}
	sock := w.socket()
	d := c.dtls(sock)
	i = w.only().info()
	if i.Transport != "dtls" || !i.DTLS.Up || i.DTLS.Version != "1.2" || i.DTLS.Cipher == "" || i.DTLS.Peer.String() != sock.LocalAddr().String() || i.WhyNoDTLS != "" || i.Old {
		t.Errorf("with DTLS: %+v", i)
	}
	d.send(cstp.Data, toFiles("10.99.0.2"))
	w.toHost()
	if again := w.only().info(); again.Since != i.Since || again.FromPackets != 1 || !again.Idle.After(i.Idle) {
		t.Errorf("after a packet: %+v before: %+v", again, i)
	}
	c.sendFrame(cstp.Data, toFiles("10.99.0.2"))
	w.toHost()
	if i := w.only().info(); i.Transport != "tls" || !i.DTLS.Up || !strings.HasPrefix(i.WhyNoDTLS, "nothing has come by it since ") {
		t.Errorf("after the client went back to TLS: %+v", i)
	}
	if got := w.g.Totals(); got.Sessions != (Tally{1, 1, 1}) || got.TLS != (Tally{1, 1, 1}) || got.DTLS != (Tally{1, 1, 1}) || got.Disconnected != 0 || got.Capacity != 5 {
		t.Errorf("in all: %+v", got)
	}
}

func TestWhyNoDTLS(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*world, *Config)
		offer  func(*cstp.Request)
		want   string
	}{
		"not asked":    {nil, func(r *cstp.Request) { r.CipherSuites, r.CipherSuites12 = nil, nil }, "the client does not ask for it"},
		"no cipher":    {nil, func(r *cstp.Request) { r.CipherSuites, r.CipherSuites12 = []string{"RC4-MD5"}, nil }, "the client offers no cipher that it may use here: RC4-MD5"},
		"switched off": {withoutDTLS, nil, "the group policy has switched it off"},
	} {
		changes := []func(*world, *Config){withUsers("anna")}
		if c.change != nil {
			changes = append(changes, c.change)
		}
		w := open(t, changes...)
		client := w.dial(modern())
		request := client.offer(client.cookie(staffURL, "anna"))
		if c.offer != nil {
			c.offer(&request)
		}
		if err := client.connect(request); err != nil {
			t.Fatal(err)
		}
		if got := w.only().info().WhyNoDTLS; got != c.want {
			t.Errorf("%s: %q want %q", name, got, c.want)
		}
	}
}

func withoutDTLS(w *world, _ *Config) {
	set := declared()
	off := false
	set.GroupPolicies["staff"].DTLS = &off
	w.inventory.Store(set)
}

// TestBlockedDTLS: somebody should know of a client that may use DTLS and does not.
func TestBlockedDTLS(t *testing.T) {
	t.Parallel()
	board, with := withBoard()
	w := open(t, withUsers("anna"), with)
	c := w.tunnel(phoneURL, "anna")
	s := w.only()
	s.lookForDTLS() // as after a minute
	s.lookForDTLS()
	f := standing(board, finding.DTLSBlocked)
	if f == nil || f.Count != 2 || f.Subject != "anna (session 1)" || !strings.Contains(f.Evidence[0].Text, "127.0.0.1: nothing has come by UDP") || !w.log.Has("packets take tls") {
		t.Errorf("without DTLS: %+v", f)
	}
	d := c.dtls(w.socket())
	if f := standing(board, finding.DTLSBlocked); f != nil || !w.log.Has("packets take dtls again") {
		t.Errorf("with DTLS: %+v", f)
	}
	c.sendFrame(cstp.Data, toFiles("10.99.0.2"))
	w.toHost()
	s.mu.Lock()
	s.watchDTLS() // as when nothing came by DTLS for too long
	s.mu.Unlock()
	s.lookForDTLS()
	if f := standing(board, finding.DTLSBlocked); f == nil || !strings.Contains(f.Evidence[0].Text, "nothing has come by it since") {
		t.Errorf("after it fell silent: %+v", f)
	}
	d.send(cstp.Data, toFiles("10.99.0.2"))
	w.toHost()
	s.lookForDTLS()
	if f := standing(board, finding.DTLSBlocked); f != nil {
		t.Errorf("after it was heard again: %+v", f)
	}
}

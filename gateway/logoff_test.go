package gateway

import (
	"testing"

	"github.com/longcord/longcord/wire/cstp"
)

func everyone(SessionInfo) bool { return true }

// TestLogoffThatLetsReturn: cookie and address stay, and nobody is told, so that openconnect comes back too.
func TestLogoffThatLetsReturn(t *testing.T) {
	t.Parallel()
	for _, url := range []string{phoneURL, staffURL} {
		w := open(t, withUsers("anna", "probe"))
		c := w.tunnel(url, "anna")
		c.dtls(w.socket())
		if n := w.g.Logoff(t.Context(), MayReturn, everyone); n != 1 {
			t.Errorf("%d sessions logged off want 1", n)
		}
		c.closed() // which fails on a frame before the end
		if info := w.g.Sessions(); len(info) != 1 || info[0].State != "disconnected" {
			t.Errorf("got %+v", info)
		}
		sock := w.socket() // the DTLS session id is over too
		c.hello(sock)
		silent(t, w, sock)
		again := w.dial(modern())
		if err := again.connect(again.offer(c.request.Cookie)); err != nil || again.answer.Address != c.answer.Address {
			t.Errorf("came back as %s, %v; was %s", again.answer.Address, err, c.answer.Address)
		}
	}
}

func TestLogoffThatAsksForALogin(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	c := w.tunnel(phoneURL, "anna")
	w.g.Logoff(t.Context(), MustLogIn, everyone)
	c.closed()
	again := w.dial(modern())
	refused(t, again.connect(again.offer(c.request.Cookie)), 401)
	if back := w.tunnel(phoneURL, "anna"); back.answer.Address != c.answer.Address {
		t.Errorf("logged in anew as %s, was %s", back.answer.Address, c.answer.Address)
	}
}

// TestLogoffForGood: who is to stay away hears it, on a phone too.
func TestLogoffForGood(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"))
	c := w.tunnel(phoneURL, "anna")
	w.g.Logoff(t.Context(), StayAway, everyone)
	c.frame(cstp.Terminate)
	c.closed()
	again := w.dial(modern())
	refused(t, again.connect(again.offer(c.request.Cookie)), 401)
}

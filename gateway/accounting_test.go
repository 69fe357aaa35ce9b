package gateway

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/longcord/longcord/login"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/wire/cstp"
)

// accountant notes what it is told.
type accountant struct {
	mu    sync.Mutex
	lines []string
}

func (a *accountant) Began(s login.Session) {
	a.note("began %s %s %s %s", s.User, s.Address, s.Peer, s.Class)
}

func (a *accountant) Ended(s login.Session, cause login.Cause) {
	a.note("ended %s %s %d, %d packets from, %d to", s.User, s.Address, cause, s.FromPackets, s.ToPackets)
}

func (a *accountant) note(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lines = append(a.lines, fmt.Sprintf(format, args...))
}

func (a *accountant) has(line string) func() bool {
	return func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return slices.Contains(a.lines, line)
	}
}

func accounted(a *accountant) func(*world, *Config) {
	return func(_ *world, c *Config) { c.Accounting = a }
}

func TestSessionsAreAccountedFor(t *testing.T) {
	t.Parallel()
	a := &accountant{}
	w := open(t, withUsers("anna", "bert"), accounted(a))
	anna := w.tunnel(staffURL, "anna")
	address := anna.answer.Address
	w.until("the beginning is told", a.has(fmt.Sprintf("began anna %s 127.0.0.1 []", address)))
	again := w.dial(modern())
	if err := again.connect(again.offer(anna.request.Cookie)); err != nil {
		t.Fatal(err)
	}
	if living := w.g.Accounts(); len(living) != 1 || living[0].User != "anna" || living[0].TunnelGroup != "staff" || len(living[0].ID) != accountID {
		t.Errorf("living: %+v", living)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.start(accounted(a))
	t.Cleanup(func() { w.stop() })
	back := w.dial(modern())
	if err := back.connect(back.offer(anna.request.Cookie)); err != nil {
		t.Fatal(err)
	}
	back.sendFrame(cstp.Disconnect, []byte("\xb0bye"))
	w.until("the end is told", a.has(fmt.Sprintf("ended anna %s %d, 0 packets from, 0 to", address, login.UserRequest)))
	w.cookieOnly("bert")
	w.g.Logoff(t.Context(), MustLogIn, everyone)
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.lines) != 2 {
		t.Errorf("told:\n%s\nwant one beginning and one end, over a second CONNECT and a restart, and nothing of a login without a tunnel",
			strings.Join(a.lines, "\n"))
	}
}

// cookieOnly logs in and goes no further.
func (w *world) cookieOnly(user string) { w.dial(modern()).cookie(staffURL, user) }

func TestAccountCauses(t *testing.T) {
	t.Parallel()
	for cause, want := range map[tunnel.Cause]login.Cause{
		tunnel.UserLogout: 1, tunnel.DisconnectedTimeout: 3, tunnel.IdleTimeout: 4, tunnel.SessionTimeout: 5, tunnel.Administrator: 6, 0: 9,
	} {
		if got := accountCause(cause); got != want {
			t.Errorf("%s: got %d, want %d", cause, got, want)
		}
	}
}

func TestClasses(t *testing.T) {
	t.Parallel()
	for _, classes := range [][][]byte{nil, {[]byte("OU=Staff;")}, {{0, 1, 255}, []byte("a,b")}} {
		if got := classesOf(classesIn(classes)); fmt.Sprint(got) != fmt.Sprint(classes) {
			t.Errorf("got %q, want %q", got, classes)
		}
	}
	if got := classesOf("?,,!"); got != nil {
		t.Errorf("damaged: got %q", got)
	}
}

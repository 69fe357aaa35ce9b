package provisioner

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/logging"
)

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	p := &Provisioner{log: logging.Or(nil)}
	ask := func(device, user, password string) string {
		w := httptest.NewRecorder()
		query := url.Values{"UserID": {user}, "Password": {password}, "devicename": {device}}
		p.handle(w, httptest.NewRequest("GET", AuthenticatePath+"?"+query.Encode(), nil))
		return w.Body.String()
	}
	const yes, no = "AUTHORIZED", "UN-AUTHORIZED"
	if got := ask("SEP001122334455", orderUser, ""); got != no {
		t.Errorf("without a permit it is %s", got)
	}
	_, old := p.Permit("SEP001122334455")
	user, password := p.Permit("SEP001122334455")
	for name, c := range map[string]struct{ device, user, password, want string }{
		"its own":         {"SEP001122334455", user, password.Reveal(), yes},
		"once more":       {"SEP001122334455", user, password.Reveal(), yes},
		"another phone":   {"SEP00AABBCCDDEE", user, password.Reveal(), no},
		"another user":    {"SEP001122334455", "admin", password.Reveal(), no},
		"an older permit": {"SEP001122334455", user, old.Reveal(), no},
		"no password":     {"SEP001122334455", user, "", no},
	} {
		if got := ask(c.device, c.user, c.password); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if p.permits.allows("SEP001122334455", user, password.Reveal(), time.Now().Add(permitTime)) {
		t.Error("a permit holds longer than its time")
	}
	if len(p.permits.all) != 0 {
		t.Errorf("old permits are kept: %d", len(p.permits.all))
	}
}

// Strangers who ask do not fill the log: one line a minute each, and no name of their making.
func TestAuthenticateIsBounded(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	p := &Provisioner{log: slog.New(slog.NewTextHandler(&log, nil))}
	for range 100 {
		query := url.Values{"devicename": {strings.Repeat("A", 7000)}}
		p.handle(httptest.NewRecorder(), httptest.NewRequest("GET", AuthenticatePath+"?"+query.Encode(), nil))
	}
	if lines := strings.Count(log.String(), "\n"); lines != 1 || log.Len() > 500 {
		t.Errorf("a hundred questions are %d lines, %d bytes", lines, log.Len())
	}
}

package gateway

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/wire/cstp"
)

// withBoard has a gateway keep its findings.
func withBoard() (board *finding.Board, with func(*world, *Config)) {
	board = finding.NewBoard()
	return board, func(_ *world, c *Config) { c.Findings = board }
}

// standing returns the finding of a code, nil if none or several stand.
func standing(b *finding.Board, d finding.Declaration) *finding.Standing {
	var found *finding.Standing
	for _, f := range b.Findings() {
		if f.Code == d.Code {
			if found != nil {
				return nil
			}
			found = &f
		}
	}
	return found
}

func TestLoginFindings(t *testing.T) {
	t.Parallel()
	board, with := withBoard()
	w := open(t, withUsers("anna"), with)
	for range 2 {
		w.dial(modern()).logIn(phoneURL, "anna", "wrong")
	}
	w.dial(modern()).logIn(phoneURL+"s", "anna", "secret of anna")
	if f := standing(board, finding.LoginRefused); f == nil || f.Count != 2 || f.Subject != "anna" || !strings.Contains(f.Evidence[0].Text, "127.0.0.1") {
		t.Errorf("after two wrong passwords: %+v", f)
	}
	if f := standing(board, finding.GroupURLMismatch); f == nil || f.Subject != phoneURL+"s" {
		t.Errorf("after a wrong URL: %+v", f)
	}
	w.dial(modern()).logIn(phoneURL, "anna", "secret of anna")
	if f := standing(board, finding.LoginRefused); f != nil {
		t.Errorf("after the right password: %+v", f)
	}
}

// TestFullPool has a pool of five addresses for clients.
func TestFullPool(t *testing.T) {
	t.Parallel()
	board, with := withBoard()
	names := []string{"a", "b", "c", "d", "e", "f"}
	w := open(t, withUsers(names...), with)
	for _, name := range names[:5] {
		w.tunnel(phoneURL, name)
	}
	late := w.dial(modern())
	cookie := late.cookie(phoneURL, "f")
	err := late.connect(late.offer(cookie))
	var refusal *cstp.Refusal
	if !errors.As(err, &refusal) || refusal.Status != http.StatusServiceUnavailable || refusal.Reason != "No address available" {
		t.Errorf("without an address a CONNECT is answered %+v", err)
	}
	if f := standing(board, finding.AddressPoolExhausted); f == nil || f.Subject != "10.99.0.0/29" || !strings.Contains(f.Evidence[0].Text, "f") {
		t.Errorf("with no address left: %+v", f)
	}
	for _, s := range w.g.sessions.all() {
		if s.record.User == "a" {
			s.end(tunnel.Administrator)
		}
	}
	if f := standing(board, finding.AddressPoolExhausted); f != nil {
		t.Errorf("with an address free again: %+v", f)
	}
	again := w.dial(modern())
	if err := again.connect(again.offer(cookie)); err != nil {
		t.Errorf("the cookie of before: %v", err)
	}
}

package gateway

import (
	"net/http"
	"strings"
	"testing"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/wire/vpnauth"
)

// TestDialect: a client that cannot be followed is spoken of with its words, but for its secrets, until one of its name
// comes to a tunnel.
func TestDialect(t *testing.T) {
	t.Parallel()
	board, with := withBoard()
	w := open(t, withPhone, with)
	const agent = vpnauth.PhoneUserAgent
	post := func(agent, body string) {
		reply := w.dial(modern()).ask(vpnauth.Request{Method: http.MethodPost, Target: "/phone", Header: vpnauth.Headers{
			{Name: "Host", Value: host}, {Name: "User-Agent", Value: agent}, {Name: "Cookie", Value: "webvpn=token of anna"}, {Name: "X-Odd", Value: "kept"}, vpnauth.Length(len(body)),
		}, Body: []byte(body)})
		if reply.Status != http.StatusBadRequest {
			t.Errorf("answered %d", reply.Status)
		}
	}
	for range 2 {
		post(agent, "<login><password>secret of anna</password>")
	}
	f := standing(board, finding.ClientDialect)
	if f == nil || f.Count != 2 || f.Subject != `"`+agent+`"` || !strings.Contains(f.Says, "document that cannot be read") || !strings.Contains(f.Evidence[0].Text, "POST /phone") {
		t.Fatalf("after what nobody can read: %+v", f)
	}
	if log := w.log.String(); strings.Count(log, "level=WARN msg=\"client is not understood\"") != 1 || !strings.Contains(log, "{X-Odd kept}") ||
		strings.Contains(log, "secret of anna") || strings.Contains(log, "token of anna") {
		t.Errorf("the log has it not once, not in full, or with secrets:\n%s", log)
	}
	w.tunnel(staffURL, "bert") // another client
	if standing(board, finding.ClientDialect) == nil {
		t.Error("gone, though its client has not come in")
	}
	w.tunnel(phoneURL, "anna")
	w.until("followed", func() bool { return standing(board, finding.ClientDialect) == nil })
}

// TestDialectOfConnect: a CONNECT that cannot be read is one, too.
func TestDialectOfConnect(t *testing.T) {
	t.Parallel()
	board, with := withBoard()
	w := open(t, withPhone, with)
	c := w.dial(modern())
	c.send([]byte("CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: Odd \"one\"\r\nCookie: webvpn=token of anna\r\nX-CSTP-MTU: many\r\n\r\n"))
	w.until("refused", func() bool { return w.log.Has("client is not understood") })
	f := standing(board, finding.ClientDialect)
	if f == nil || f.Subject != `"Odd \"one\""` || !strings.Contains(f.Says, `X-CSTP-MTU: "many" is not a number`) || w.log.Has("token of anna") {
		t.Errorf("%+v in\n%s", f, w.log)
	}
}

package verify_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/vpnauth"
)

func newDocumentClient(t *testing.T, url string) *verify.DocumentClient {
	t.Helper()
	c, err := verify.NewDocumentClient(verify.ClientConfig{URL: url, User: "alice", Password: secret.New("p w&")})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDocumentClientAgainstServer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url    string
		result verify.Result
		want   verify.ClientAction
	}{
		{"https://h/staff", accepted, verify.LoggedIn{Cookie: secret.New(token)}},
		{"https://h/PhoneVPN", accepted, verify.LoggedIn{Cookie: secret.New(token)}},
		{"https://h/staff", denied, verify.Refused{Reason: verify.WrongLogin, Text: "Login failed."}},
		{"https://h/staff", busy, verify.Refused{Reason: verify.GatewayError, Text: "HTTP/1.1 503 Service Unavailable (busy)"}},
		{"https://h/nowhere", accepted, verify.Refused{Reason: verify.WrongURL, Text: "HTTP/1.1 404 Not Found"}},
	} {
		end, _ := converse(t, newDocumentClient(t, c.url), newServer(t, false), c.result)
		if end != c.want {
			t.Errorf("%s: login ends with %v, want %v", c.url, end, c.want)
		}
	}
}

// reply is what a gateway says, with a document out of the recordings of wire/vpnauth.
func reply(t *testing.T, document string, cookies ...string) vpnauth.Reply {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "..", "wire", "vpnauth", "testdata", document))
	if err != nil {
		t.Fatal(err)
	}
	r := vpnauth.Reply{Status: 200, Body: body}
	for _, c := range cookies {
		r.Header = append(r.Header, vpnauth.Field{Name: "Set-Cookie", Value: c})
	}
	return r
}

// TestDocumentClientAgainstOcserv is the recorded conversation with ocserv: a form for each field, and a
// cookie that ties them together.
func TestDocumentClientAgainstOcserv(t *testing.T) {
	t.Parallel()
	c := newDocumentClient(t, "https://10.99.0.1/")
	actions, err := c.Start()
	for _, step := range []struct {
		want  []string // in the request
		reply vpnauth.Reply
	}{
		{[]string{"POST / HTTP/1.1\r\n", "X-Aggregate-Auth: 1\r\n", `type="init"`, "<group-access>https://10.99.0.1/</group-access>"},
			reply(t, "ocserv-username.xml", "webvpncontext=first; Max-Age=300; Secure")},
		{[]string{"POST /auth HTTP/1.1\r\n", "Cookie: webvpncontext=first\r\n", "<auth><username>alice</username></auth>"},
			reply(t, "ocserv-password.xml", "webvpncontext=second; Max-Age=300; Secure")},
		{[]string{"POST /auth HTTP/1.1\r\n", "Cookie: webvpncontext=second\r\n", "<auth><password>p w&amp;</password></auth>"},
			reply(t, "ocserv-complete.xml", "webvpncontext=second; Secure", "webvpn=<none>; Secure", "webvpn=c2Vzc2lvbg==; Secure")},
	} {
		if err != nil || len(actions) != 1 {
			t.Fatalf("client does %v, %v", actions, err)
		}
		ask, ok := actions[0].(verify.Ask)
		if !ok {
			t.Fatalf("login ends with %v", actions[0])
		}
		said := string(ask.Request.Append(nil))
		for _, want := range step.want {
			if !strings.Contains(said, want) {
				t.Errorf("client says %q, without %q", said, want)
			}
		}
		actions, err = c.Replied(step.reply)
	}
	if err != nil || !slices.Equal(actions, []verify.ClientAction{verify.LoggedIn{Cookie: secret.New("c2Vzc2lvbg==")}}) {
		t.Errorf("login ends with %v, %v", actions, err)
	}
	if _, err := c.Replied(vpnauth.Reply{Status: 200}); err == nil {
		t.Error("a reply after the end is taken")
	}
}

func TestDocumentClientMistrusts(t *testing.T) {
	t.Parallel()
	form := func(body string) vpnauth.Reply {
		return vpnauth.Reply{Status: 200, Body: []byte(`<config-auth client="vpn" type="auth-request">` + body + `</config-auth>`)}
	}
	endless := form(`<auth id="main"><form><input type="text" name="answer"/></form></auth>`)
	for what, replies := range map[string][]vpnauth.Reply{
		"a page":               {{Status: 200, Body: []byte("<html></html>")}},
		"no form":              {form("")},
		"a form without end":   slices.Repeat([]vpnauth.Reply{endless}, 7),
		"an action elsewhere":  {form(`<auth id="main"><form action=":"><input type="text" name="username"/></form></auth>`)},
		"success without more": {{Status: 200, Body: []byte(`<config-auth client="vpn" type="complete"></config-auth>`)}},
	} {
		c := newDocumentClient(t, "https://h/staff")
		actions, err := c.Start()
		for _, r := range replies {
			if err == nil {
				actions, err = c.Replied(r)
			}
		}
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if _, refused := actions[0].(verify.Refused); !refused {
			t.Errorf("%s: client does %v", what, actions)
		}
	}
}

package verify_test

import (
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/vpnauth"
)

func newClient(t *testing.T, url string) *verify.Client {
	t.Helper()
	c, err := verify.NewClient(verify.ClientConfig{URL: url, User: "alice", Password: secret.New("p w&")})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// conversation is either client's half.
type conversation interface {
	Start() ([]verify.ClientAction, error)
	Replied(vpnauth.Reply) ([]verify.ClientAction, error)
}

// converse lets a client talk to a server until the login ends. Passwords get result.
func converse(t *testing.T, c conversation, s *verify.Server, result verify.Result) (end verify.ClientAction, said []string) {
	t.Helper()
	actions, err := c.Start()
	for {
		if err != nil || len(actions) != 1 {
			t.Fatalf("client does %v, %v", actions, err)
		}
		ask, ok := actions[0].(verify.Ask)
		if !ok {
			return actions[0], said
		}
		said = append(said, string(ask.Request.Append(nil)))
		actions, err = c.Replied(answer(t, s, ask.Request, result))
	}
}

func answer(t *testing.T, s *verify.Server, r vpnauth.Request, result verify.Result) vpnauth.Reply {
	t.Helper()
	actions, err := s.Received(noon, read(t, r.Append(nil)))
	for {
		if err != nil {
			t.Fatal(err)
		}
		for _, action := range actions {
			if send, ok := action.(verify.Send); ok {
				return send.Reply
			}
		}
		actions, err = s.Authenticated(noon, result)
	}
}

func TestClientAgainstServer(t *testing.T) {
	t.Parallel()
	end, said := converse(t, newClient(t, "https://vpn.example.net:8443/PhoneVPN"), newServer(t, false), accepted)
	if in, ok := end.(verify.LoggedIn); !ok || in.Cookie.Reveal() != token {
		t.Errorf("login ends with %v", end)
	}
	want := []string{
		"GET /PhoneVPN HTTP/1.1\r\nHost: vpn.example.net:8443\r\nUser-Agent: Cisco SVC IPPhone Client v1.0 (1.0)\r\n\r\n",
		"POST /PhoneVPN HTTP/1.1\r\nHost: vpn.example.net:8443\r\nUser-Agent: Cisco SVC IPPhone Client v1.0 (1.0)\r\n" +
			"Cookie: webvpnlogin=1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 32\r\n\r\n" +
			"username=alice&password=p%20w%26",
	}
	if len(said) != 2 || said[0] != want[0] || said[1] != want[1] {
		t.Errorf("client says %q, want %q", said, want)
	}
}

func TestClientRefusedByServer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url    string
		result verify.Result
		want   verify.Refused
	}{
		{"https://h/PhoneVPN", denied, verify.Refused{Reason: verify.WrongLogin, Text: "HTTP/1.1 401 Authentication failed"}},
		{"https://h/PhoneVPN", busy, verify.Refused{Reason: verify.GatewayError, Text: "HTTP/1.1 503 Service Unavailable (busy)"}},
		{"https://h/phonevpn", accepted, verify.Refused{Reason: verify.WrongURL, Text: "HTTP/1.1 404 Not Found"}},
		{"https://h", accepted, verify.Refused{Reason: verify.WrongURL, Text: "HTTP/1.1 404 Not Found"}},
	} {
		if end, _ := converse(t, newClient(t, c.url), newServer(t, false), c.result); end != c.want {
			t.Errorf("%s, verdict %d: login ends with %v, want %v", c.url, c.result.Verdict, end, c.want)
		}
	}
}

// TestClientCookieRule goes through the replies of gateways that are not set up for phones.
func TestClientCookieRule(t *testing.T) {
	t.Parallel()
	const expired, login = "webvpn=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/; secure", "webvpnlogin=1; secure"
	reply := func(status int, cookies ...string) vpnauth.Reply {
		r := vpnauth.Reply{Minor: 1, Status: status}
		for _, line := range cookies {
			r.Header = append(r.Header, vpnauth.Field{Name: "set-cookie", Value: line})
		}
		return r
	}
	redirect := reply(302)
	redirect.Header = vpnauth.Headers{{Name: "Location", Value: "/+webvpn+/index.html"}}
	for what, c := range map[string]struct {
		replies []vpnauth.Reply
		reason  verify.Refusal
		text    string
	}{
		"a page":               {[]vpnauth.Reply{reply(200)}, verify.WrongURL, "'webvpn=' not found in cookie"},
		"other cookies":        {[]vpnauth.Reply{reply(200, "webvpncontext=a", login)}, verify.WrongURL, "'webvpn=' not found in cookie"},
		"no expiry":            {[]vpnauth.Reply{reply(200, "webvpn=; secure", login)}, verify.WrongURL, "not an empty one"},
		"no webvpnlogin":       {[]vpnauth.Reply{reply(200, expired)}, verify.WrongURL, "webvpnlogin"},
		"empty webvpnlogin":    {[]vpnauth.Reply{reply(200, expired, "webvpnlogin=")}, verify.WrongURL, "webvpnlogin"},
		"redirect":             {[]vpnauth.Reply{redirect}, verify.WrongURL, "302 Found, Location: /+webvpn+/index.html"},
		"asked again":          {[]vpnauth.Reply{reply(200, expired, login), reply(200, expired, login)}, verify.Incomplete, "again"},
		"no session":           {[]vpnauth.Reply{reply(200, expired, login), reply(200)}, verify.WrongURL, "'webvpn=' not found"},
		"forbidden":            {[]vpnauth.Reply{reply(200, expired, login), reply(403)}, verify.WrongLogin, "403"},
		"gateway out of order": {[]vpnauth.Reply{reply(500)}, verify.GatewayError, "500"},
	} {
		client := newClient(t, "https://h/PhoneVPN")
		actions, err := client.Start()
		for _, r := range c.replies {
			if err == nil {
				actions, err = client.Replied(r)
			}
		}
		if err != nil || len(actions) != 1 {
			t.Errorf("%s: %v, %v", what, actions, err)
			continue
		}
		refused, ok := actions[0].(verify.Refused)
		if !ok || refused.Reason != c.reason || !strings.Contains(refused.Text, c.text) {
			t.Errorf("%s: %v, want %s with %q", what, actions[0], c.reason, c.text)
		}
		if _, err := client.Replied(reply(200)); err == nil {
			t.Errorf("%s: a reply after the end is taken", what)
		}
	}
}

func TestClientURL(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "http://h/x", "https:///x", "https://user@h/", "https://h/\n", "vpn.example.net"} {
		if _, err := verify.NewClient(verify.ClientConfig{URL: url}); err == nil {
			t.Errorf("%q is taken", url)
		}
	}
	c := newClient(t, "https://h/a?b=c")
	actions, err := c.Start()
	if err != nil || actions[0].(verify.Ask).Request.Target != "/a?b=c" {
		t.Errorf("client asks %v, %v", actions, err)
	}
	if _, err := c.Start(); err == nil {
		t.Error("starts twice")
	}
}

// TestClientByCertificate: a phone that logs in by certificate posts nothing, and one that asks for a
// password only posts no user name.
func TestClientByCertificate(t *testing.T) {
	t.Parallel()
	for path, c := range map[string]struct {
		config verify.ClientConfig
		post   string // what the POST ends with
	}{
		"/cert":     {verify.ClientConfig{ByCertificate: true}, "Cookie: webvpnlogin=1\r\nContent-Length: 0\r\n\r\n"},
		"/both":     {verify.ClientConfig{Password: secret.New("pw")}, "\r\nContent-Length: 11\r\n\r\npassword=pw"},
		"/password": {verify.ClientConfig{Password: secret.New("pw")}, "\r\nContent-Length: 11\r\n\r\npassword=pw"},
	} {
		c.config.URL = "https://h" + path
		client, err := verify.NewClient(c.config)
		if err != nil {
			t.Fatal(err)
		}
		end, said := converse(t, client, withClient(mic), accepted)
		if _, in := end.(verify.LoggedIn); !in || len(said) != 2 || !strings.HasSuffix(said[1], c.post) {
			t.Errorf("%s: ends with %v after %q", path, end, said)
		}
	}
}

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

// asking is a reply that asks, with this in its document.
func asking(body string) vpnauth.Reply {
	return vpnauth.Reply{Status: 200, Body: []byte(`<config-auth client="vpn" type="auth-request">` + body + `</config-auth>`)}
}

const passwordForm = `<auth id="main"><message>Please enter your password.</message><form><input type="password" name="password"/></form></auth>`

// TestDocumentClientIsAsked has a gateway ask for what a computer may be asked for. Each want is of a request, in turn; the
// last is how it ends.
func TestDocumentClientIsAsked(t *testing.T) {
	t.Parallel()
	groups := func(second string) vpnauth.Reply {
		return asking(`<auth id="main"><form><select name="group_list"><option>Guests</option><option value="7" selected="true"` + second + `>Staff</option></select>` +
			`<input type="text" name="username"/><input type="password" name="password"/>` +
			`<input type="password" name="secondary_password" label="Code:" second-auth="1"/></form></auth>`)
	}
	certificate := asking(`<client-cert-request/>`)
	refused := asking(`<auth id="main"><error id="93">Your certificate is missing or not accepted here.</error></auth>`)
	for name, c := range map[string]struct {
		config  verify.ClientConfig
		replies []vpnauth.Reply
		want    []string // one more than replies: the last is how it ends
		groups  string
	}{
		"a group": {replies: []vpnauth.Reply{groups("")}, groups: "Guests Staff: Staff",
			want: []string{`type="init"`, `<auth><username>alice</username><password>p w&amp;</password></auth><group-select>7</group-select>`}},
		"a group with a code": {replies: []vpnauth.Reply{groups(` second-auth="1"`)}, want: []string{`type="init"`, "second factor: Code:"}},
		"a code in the same form": {replies: []vpnauth.Reply{asking(`<auth id="main"><form><input type="password" name="password"/><input type="password" name="c" label="Code:" second-auth="1"/></form></auth>`)},
			want: []string{`type="init"`, "second factor: Code:"}},
		"a challenge": {replies: []vpnauth.Reply{asking(passwordForm), asking(`<auth id="challenge"><message>Type what the token shows.</message><form><input type="password" name="secondary_password" label="Answer:"/></form></auth>`)},
			want: []string{`type="init"`, `<password>`, "second factor: Type what the token shows."}},
		"a code in the password's field": {replies: []vpnauth.Reply{asking(passwordForm), asking(strings.Replace(passwordForm, "your password", "your OTP password", 1))},
			want: []string{`type="init"`, `<password>`, "second factor: Please enter your OTP password."}},
		"the password again": {replies: []vpnauth.Reply{asking(passwordForm), asking(passwordForm)}, want: []string{`type="init"`, `<password>`, "wrong login: Please enter your password."}},
		"a failure in words": {replies: []vpnauth.Reply{asking(passwordForm), asking(strings.Replace(passwordForm, "Please", "Login failed. Please", 1))},
			want: []string{`type="init"`, `<password>`, "wrong login: Login failed. Please enter your password."}},
		"a password that nobody gave": {config: verify.ClientConfig{Certificate: true}, replies: []vpnauth.Reply{asking(passwordForm)},
			want: []string{`type="init"`, "incomplete: it asks for a password, and none is given"}},
		"a certificate": {config: verify.ClientConfig{Certificate: true}, replies: []vpnauth.Reply{certificate, certificate, refused},
			want: []string{`type="init"`, `anew type="init"`, `<client-cert-fail`, "certificate wanted: Your certificate is missing or not accepted here."}},
		"a certificate that is not taken": {config: verify.ClientConfig{Certificate: true}, replies: []vpnauth.Reply{refused},
			want: []string{`type="init"`, "certificate wanted: Your certificate is missing or not accepted here."}},
		"a password too often":            {replies: []vpnauth.Reply{asking(passwordForm), refused}, want: []string{`type="init"`, `<password>`, "wrong login: Your certificate"}},
		"a certificate that is not there": {replies: []vpnauth.Reply{certificate, certificate}, want: []string{`type="init"`, `<client-cert-fail`, "certificate wanted: the gateway asks for a certificate again"}},
		"a certificate, or a password":    {replies: []vpnauth.Reply{certificate, asking(passwordForm)}, want: []string{`type="init"`, `<client-cert-fail`, `<password>`}},
	} {
		if !c.config.Certificate {
			c.config.User, c.config.Password = "alice", secret.New("p w&")
		}
		c.config.URL = "https://h/staff"
		client, err := verify.NewDocumentClient(c.config)
		if err != nil {
			t.Fatal(err)
		}
		actions, err := client.Start()
		for i, want := range c.want {
			if err != nil || len(actions) != 1 {
				t.Fatalf("%s: client does %v, %v", name, actions, err)
			}
			if got := told(actions[0]); !strings.Contains(got, want) {
				t.Errorf("%s: client says %q, without %q", name, got, want)
			}
			if i < len(c.replies) {
				actions, err = client.Replied(c.replies[i])
			}
		}
		offered, chosen := client.Groups()
		if got := strings.Join(offered, " ") + ": " + chosen; c.groups != "" && got != c.groups {
			t.Errorf("%s: groups are %q, want %q", name, got, c.groups)
		}
	}
}

// told is an action in words.
func told(a verify.ClientAction) string {
	switch a := a.(type) {
	case verify.Ask:
		if a.Anew {
			return "anew " + string(a.Request.Body)[strings.Index(string(a.Request.Body), "type="):]
		}
		return string(a.Request.Body)
	case verify.Refused:
		return a.Error()
	}
	return ""
}

func TestDocumentClientMistrusts(t *testing.T) {
	t.Parallel()
	endless := asking(`<auth id="main"><form><input type="text" name="answer"/></form></auth>`)
	for what, replies := range map[string][]vpnauth.Reply{
		"a page":               {{Status: 200, Body: []byte("<html></html>")}},
		"no form":              {asking("")},
		"a form without end":   slices.Repeat([]vpnauth.Reply{endless}, 7),
		"an action elsewhere":  {asking(`<auth id="main"><form action=":"><input type="text" name="username"/></form></auth>`)},
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

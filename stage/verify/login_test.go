package verify_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/vpnauth"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

const token = "dG9rZW4gdG9rZW4gdG9rZW4gdG9rZW4gdG9rZW4gdG8="

// groups are the group URLs of these tests, on any host.
func groups(_, path string) (verify.Group, bool) {
	g, ok := map[string]verify.Group{
		"/PhoneVPN":  {Name: "Phones", Phones: true, Banner: "not for phones to read"},
		"/OldPhones": {Name: "OldPhones", Phones: true, LegacyPhones: true},
		"/staff":     {Name: "Staff", Aliases: []string{"staff"}, Banner: "Welcome."},
	}[path]
	return g, ok
}

var menu = []verify.Group{
	{Name: "Staff", Aliases: []string{"staff", "people"}},
	{Name: "Hidden"},
	{Name: "Guests", Aliases: []string{"guests"}},
}

func newServer(t *testing.T, old bool) *verify.Server {
	t.Helper()
	return verify.NewServer(noon, verify.Config{Group: groups, Listed: menu, Certificate: verify.HashOf([]byte("leaf")), Old: old})
}

// request reads a request as the gateway does. The text has bare line feeds; agent is added if not empty.
func request(t *testing.T, agent, text string) verify.Request {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	head += fmt.Sprintf("\nContent-Length: %d", len(body))
	if agent != "" {
		head += "\nUser-Agent: " + agent
	}
	return read(t, []byte(strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n"+body))
}

func read(t *testing.T, wire []byte) verify.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(wire)))
	if err != nil {
		t.Fatalf("%q: %v", wire, err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return verify.NewRequest(r, body)
}

func recorded(t *testing.T, name string) verify.Request {
	t.Helper()
	wire, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return read(t, wire)
}

// received passes r in and returns the actions one line each, replies in full with bare line feeds.
func received(t *testing.T, s *verify.Server, r verify.Request) string {
	t.Helper()
	actions, err := s.Received(noon, r)
	if err != nil {
		t.Fatal(err)
	}
	return lines(actions)
}

func authenticated(t *testing.T, s *verify.Server, result verify.Result) string {
	t.Helper()
	actions, err := s.Authenticated(noon, result)
	if err != nil {
		t.Fatal(err)
	}
	return lines(actions)
}

func lines(actions []verify.Action) string {
	var b strings.Builder
	for _, action := range actions {
		switch a := action.(type) {
		case verify.Send:
			fmt.Fprintf(&b, "send %s\n", strings.ReplaceAll(string(a.Reply.Append(nil)), "\r\n", "\n"))
		case verify.Authenticate:
			fmt.Fprintf(&b, "authenticate %s %q %q", a.Group, a.User, a.Password.Reveal())
			if a.Certificate != nil {
				fmt.Fprintf(&b, " with certificate of %s", a.Certificate.Name)
			}
			if a.State != "" || !a.SecondFactor.IsZero() {
				fmt.Fprintf(&b, " then %q to %q", a.SecondFactor.Reveal(), a.State)
			}
			b.WriteString("\n")
		case verify.Forget:
			fmt.Fprintf(&b, "forget %s\n", a.Token.Reveal())
		case verify.Report:
			fmt.Fprintf(&b, "report %s: %s%s by %s\n", a.Reason, a.Host, a.Path, a.Agent)
		case verify.FirstContact: // has a test of its own
		case verify.Unfollowed:
			fmt.Fprintf(&b, "unfollowed %s: %s\n", a.Contact.Line, a.What)
		case verify.Close:
			b.WriteString("close\n")
		}
	}
	return b.String()
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}

var (
	accepted = verify.Result{Verdict: verify.Accepted, Token: secret.New(token)}
	denied   = verify.Result{}
	busy     = verify.Result{Verdict: verify.Busy}
)

// The replies that phones are known to accept, byte for byte.
const (
	replyA = "send HTTP/1.1 200 OK\nContent-Length: 0\n" +
		"Set-Cookie: webvpn=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/; secure\n" +
		"Set-Cookie: webvpnlogin=1; secure\nX-Transcend-Version: 1\n\n\n"
	replyB = "send HTTP/1.1 200 OK\nConnection: Keep-Alive\nContent-Length: 0\n" +
		"Set-Cookie: webvpn=" + token + "; secure\nX-Transcend-Version: 1\n\n\n"
	reply401 = "send HTTP/1.1 401 Authentication failed\nContent-Length: 0\n" +
		"Set-Cookie: webvpn=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/; secure\n\n\nclose\n"
	reply401Person = "send HTTP/1.1 401 Authentication failed\nContent-Length: 0\n\n\nclose\n"
	reply404       = "send HTTP/1.1 404 Not Found\nContent-Length: 0\n\n\n"
	reply503       = "send HTTP/1.1 503 Service Unavailable\nContent-Length: 0\n" +
		"Set-Cookie: webvpn=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/; secure\nX-Reason: busy\n\n\nclose\n"
)

const phone = vpnauth.PhoneUserAgent

func TestPhone(t *testing.T) {
	t.Parallel()
	s := newServer(t, false)
	expect(t, "GET", received(t, s, request(t, phone, "GET /PhoneVPN HTTP/1.1\nHost: vpn.example.net")), replyA)
	expect(t, "state", s.State().String(), "wait-post")
	post := "POST /PhoneVPN HTTP/1.1\nHost: vpn.example.net\n\n"
	expect(t, "no password", received(t, s, request(t, phone, post+"username=alice")), replyA)
	expect(t, "no body", received(t, s, request(t, phone, post)), replyA)
	expect(t, "POST", received(t, s, request(t, phone, post+"username=alice&password=s%2Dcret&Login=Login")),
		"authenticate Phones \"alice\" \"s-cret\"\n")
	expect(t, "state", s.State().String(), "checking")
	if _, err := s.Received(noon, request(t, phone, post)); err == nil {
		t.Error("a request is taken while a password is being checked")
	}
	expect(t, "accepted", authenticated(t, s, accepted), replyB)
	expect(t, "state", s.State().String(), "authed")
	if _, err := s.Authenticated(noon, accepted); err == nil {
		t.Error("a second result is taken")
	}
	expect(t, "again", received(t, s, request(t, phone, "GET /PhoneVPN HTTP/1.1\nHost: h")), replyA)
}

func TestPhoneRefused(t *testing.T) {
	t.Parallel()
	post := "POST /PhoneVPN HTTP/1.1\nHost: h\n\nusername=a&password="
	for what, c := range map[string]struct {
		result verify.Result
		reply  string
	}{
		"wrong": {denied, reply401},
		"busy":  {busy, reply503},
	} {
		s := newServer(t, false)
		expect(t, "straight POST, empty password", received(t, s, request(t, phone, post)), "authenticate Phones \"a\" \"\"\n")
		expect(t, what, authenticated(t, s, c.result), c.reply)
		if _, err := s.Received(noon, request(t, phone, post)); err == nil || !s.Wake().IsZero() {
			t.Errorf("%s: the connection lives on, waking at %v", what, s.Wake())
		}
	}
}

func TestPhoneOnWrongURL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path   string
		old    bool
		report string
	}{
		{"/phonevpn", false, "no group has this URL"},
		{"/", false, "no group has this URL"},
		{"/staff", false, "the group is not for phones"},
		{"/PhoneVPN", true, "the group does not allow old TLS"},
	} {
		for _, method := range []string{"GET", "POST"} {
			s := newServer(t, c.old)
			got := received(t, s, request(t, phone, method+" "+c.path+" HTTP/1.1\nHost: h:8443\n\nusername=a&password=b"))
			expect(t, method+" "+c.path, got, "report "+c.report+": h:8443"+c.path+" by phone\n"+reply404)
		}
	}
	s := newServer(t, true)
	expect(t, "old TLS in its group", received(t, s, request(t, phone, "GET /OldPhones HTTP/1.1\nHost: h")), replyA)
}

func TestPhoneByAnotherName(t *testing.T) {
	t.Parallel()
	s := newServer(t, false)
	expect(t, "unknown program, phones' URL", received(t, s, request(t, "SPA525G", "GET /PhoneVPN HTTP/1.1\nHost: h")), replyA)
	expect(t, "unknown program, no URL", received(t, s, request(t, "curl/7", "GET /x HTTP/1.1\nHost: h")), reply404)
}

func TestHTTP10(t *testing.T) {
	t.Parallel()
	s := newServer(t, false)
	reply := strings.Replace(replyA, "1.1", "1.0", 1)
	expect(t, "kept", received(t, s, request(t, phone, "GET /PhoneVPN HTTP/1.0\nHost: h\nConnection: Keep-Alive")), reply)
	expect(t, "ended", received(t, s, request(t, phone, "GET /PhoneVPN HTTP/1.0\nHost: h")), reply+"close\n")
	s = newServer(t, false)
	expect(t, "1.1 ended", received(t, s, request(t, phone, "GET /PhoneVPN HTTP/1.1\nHost: h\nConnection: te, Close")), replyA+"close\n")
}

func TestFirstContactIsMasked(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"username=alice&password=pw&Login=": "username=[secret]&password=[secret]&Login=",
		"hunter2":                           "[secret]",
		"<password x=1>hunter2</password>":  "[secret]",
	} {
		s := newServer(t, false)
		actions, err := s.Received(noon, request(t, phone,
			"POST /PhoneVPN HTTP/1.1\nHost: h\nCookie: webvpnlogin=1; webvpn=tok\nX-Odd: kept\n\n"+body))
		if err != nil {
			t.Fatal(err)
		}
		contact, ok := actions[0].(verify.FirstContact)
		if !ok {
			t.Fatalf("first action is %T", actions[0])
		}
		expect(t, "body", contact.Body, want)
		expect(t, "line", contact.Line, "POST /PhoneVPN HTTP/1.1")
		expect(t, "headers", fmt.Sprint(contact.Header), fmt.Sprintf(
			"[{Host h} {Content-Length %d} {Cookie webvpnlogin=[secret]; webvpn=[secret]} {User-Agent %s} {X-Odd kept}]", len(body), phone))
	}
}

// form is the question in the bytes that openconnect is known to read.
func form(group, action, errorText, menu string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<config-auth client="vpn" type="auth-request" aggregate-auth-version="2"><version who="sg">1</version>` +
		string(vpnauth.Opaque(group, aliases[group])) + `<auth id="main"><title>Login</title><message>Please enter your username and password.</message>` + errorText +
		`<form method="post" action="` + action + `"><input type="text" name="username" label="Username:"></input>` +
		`<input type="password" name="password" label="Password:"></input>` + menu + `</form></auth></config-auth>`
}

// aliases are the first ones of the groups above.
var aliases = map[string]string{"Staff": "staff", "Guests": "guests"}

func document(body, cookies string) string {
	return fmt.Sprintf("send HTTP/1.1 200 OK\nConnection: Keep-Alive\nContent-Type: text/xml\nContent-Length: %d\n"+
		"X-Transcend-Version: 1\n%s\n%s\n", len(body), cookies, body)
}

const loginFailed = `<error id="13" param1="" param2="">Login failed.</error>`

// filler is in what openconnect gets: so that the reply is longer than any packet on the way.
var filler = "X-Pad: " + strings.Repeat("0", 1500) + "\n"

func success(banner string, more ...string) string {
	hash := verify.HashOf([]byte("leaf")).Hex()
	body := `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<config-auth client="vpn" type="complete" aggregate-auth-version="2"><version who="sg">1</version>` +
		`<session-token>` + token + `</session-token><auth id="success"><title>SSL VPN</title>` + banner + `</auth>` +
		`<config client="vpn" type="private"><vpn-base-config><server-cert-hash>` + hash +
		`</server-cert-hash></vpn-base-config></config></config-auth>`
	return document(body, "Set-Cookie: webvpn="+token+"; Secure; HttpOnly\n"+
		"Set-Cookie: webvpnc=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/; Secure; HttpOnly\n"+
		"Set-Cookie: webvpnc=bu:/&p:t&iu:1/&sh:"+hash+"; path=/; Secure; HttpOnly\n"+strings.Join(more, ""))
}

const groupMenu = `<select name="group_list" label="GROUP:"><option value="staff" selected="true">staff</option>` +
	`<option value="people">people</option><option value="guests">guests</option></select>`

// TestOpenconnectRecorded lets a recorded client talk to our server. It answers one field at a time, as
// the gateway in the recording asked, so ours asks again until both come together.
func TestOpenconnectRecorded(t *testing.T) {
	t.Parallel()
	s := newServer(t, false)
	question := document(form("Staff", "/", "", groupMenu), "")
	expect(t, "init", received(t, s, recorded(t, "openconnect-init.http")), question)
	r := recorded(t, "openconnect-username.http")
	expect(t, "posted where the other gateway's form was", received(t, s, r), document(form("Staff", "/auth", "", groupMenu), ""))
	r.Path = "/"
	expect(t, "user name alone", received(t, s, r), question)
	r = recorded(t, "openconnect-password.http")
	r.Path, r.Body = "/", bytes.Replace(r.Body, []byte("<password>"), []byte("<username>test</username><password>"), 1)
	expect(t, "both", received(t, s, r), "authenticate Staff \"test\" \"benchpass\"\n")
	expect(t, "accepted", authenticated(t, s, accepted), success("", filler))
}

func TestOpenconnectFormRecorded(t *testing.T) {
	t.Parallel()
	s := newServer(t, false)
	question := document(form("Staff", "/staff", "", ""), "")
	r := recorded(t, "openconnect-form-get.http")
	r.Path = "/staff"
	expect(t, "GET", received(t, s, r), question)
	r = recorded(t, "openconnect-form-post-username.http")
	r.Path = "/staff"
	expect(t, "user name alone", received(t, s, r), question)
	r = recorded(t, "openconnect-form-post-password.http")
	r.Path, r.Body = "/staff", append([]byte("username=test&"), r.Body...)
	expect(t, "both", received(t, s, r), "authenticate Staff \"test\" \"benchpass\"\n")
	expect(t, "accepted", authenticated(t, s, accepted), success("<banner>Welcome.</banner>", filler))
}

const anyconnect = "AnyConnect Linux_64 4.10"

func xmlPost(path, body string) string {
	return "POST " + path + " HTTP/1.1\nHost: h\nX-Aggregate-Auth: 1\nContent-Type: application/x-www-form-urlencoded\n\n" + body
}

func TestWrongPasswordIsToldInWords(t *testing.T) {
	t.Parallel()
	s := newServer(t, false)
	answer := request(t, anyconnect, xmlPost("/staff",
		`<config-auth client="vpn" type="auth-reply"><auth><username>a</username><password>b</password></auth></config-auth>`))
	for range verify.MaxTries - 1 {
		received(t, s, answer)
		expect(t, "denied", authenticated(t, s, denied), document(form("Staff", "/staff", loginFailed, ""), ""))
	}
	received(t, s, answer)
	expect(t, "denied too often", authenticated(t, s, denied), reply401Person)
}

func TestGroupAccess(t *testing.T) {
	t.Parallel()
	init := func(access, selected string) string {
		return xmlPost("/", `<config-auth client="vpn" type="init"><group-access>`+access+`</group-access>`+selected+`</config-auth>`)
	}
	s := newServer(t, false)
	expect(t, "its path wins", received(t, s, request(t, anyconnect, init("https://h/staff", ""))), document(form("Staff", "/staff", "", ""), ""))
	expect(t, "unknown path", received(t, s, request(t, anyconnect, init("https://h/typo", ""))), document(form("Staff", "/", "", groupMenu), ""))
	guests := strings.Replace(strings.Replace(groupMenu, ` selected="true"`, "", 1), `"guests"`, `"guests" selected="true"`, 1)
	for _, selected := range []string{"guests", "Guests"} {
		expect(t, selected, received(t, s, request(t, anyconnect, init("https://h", "<group-select>"+selected+"</group-select>"))),
			document(form("Guests", "/", "", guests), ""))
	}
	expect(t, "unknown group", received(t, s, request(t, anyconnect, init("https://h", "<group-select>Hidden</group-select>"))), reply404)
	expect(t, "a person on a phones' URL", received(t, s, request(t, anyconnect, init("https://h/PhoneVPN", ""))),
		document(form("Phones", "/PhoneVPN", "", ""), ""))
	old := newServer(t, true)
	expect(t, "nothing to choose with old TLS", received(t, old, request(t, anyconnect, init("https://h", ""))), reply404)
}

func TestGroupOfForm(t *testing.T) {
	t.Parallel()
	s := newServer(t, false)
	got := received(t, s, request(t, anyconnect, "POST / HTTP/1.1\nHost: h\n\nusername=a&password=b+c&group_list=guests"))
	expect(t, "chosen", got, "authenticate Guests \"a\" \"b c\"\n")
}

func TestLogout(t *testing.T) {
	t.Parallel()
	const ok = "send HTTP/1.1 200 OK\nContent-Length: 0\n" +
		"Set-Cookie: webvpn=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/; Secure; HttpOnly\nX-Transcend-Version: 1\n\n\n"
	s := newServer(t, false)
	expect(t, "document", received(t, s, request(t, anyconnect,
		xmlPost("/", `<config-auth client="vpn" type="logout"><session-token>t</session-token></config-auth>`))), "forget t\n"+ok)
	expect(t, "URL", received(t, s, request(t, anyconnect, "GET /logout HTTP/1.1\nHost: h\nCookie: a=b; webvpn=t")), "forget t\n"+ok)
	expect(t, "nobody", received(t, s, request(t, anyconnect, "GET /logout HTTP/1.1\nHost: h")), ok)
}

// TestRefusedRequests: what nobody knows how to answer is refused, and told of when it comes from a VPN client or from
// where phones log in.
func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ status, what string }{
		xmlPost("/staff", "<config-auth"):                                               {"400 Bad Request", "posts a document that cannot be read"},
		"DELETE /staff HTTP/1.1\nHost: h":                                               {"405 Method Not Allowed", `sends the method "DELETE" in its login`},
		"DELETE /PhoneVPN HTTP/1.1\nHost: h":                                            {"405 Method Not Allowed", `sends the method "DELETE" in its login`},
		"POST /PhoneVPN HTTP/1.1\nHost: h\n\n" + strings.Repeat("x", vpnauth.MaxBody+1): {"413 Request Entity Too Large", "sends more than 262144 bytes in a request"},
		"POST /PhoneVPN HTTP/1.1\nHost: h\n\n" + strings.Repeat("a=1&", 10000):          {"400 Bad Request", "posts a form that cannot be read"},
		xmlPost("/staff", `<config-auth type="complete"/>`):                             {"400 Bad Request", `posts a document of type "complete"`},
		xmlPost("/staff", `<config-auth type="auth-reply"/>`):                           {"400 Bad Request", `posts a document of type "auth-reply"`},
	} {
		line, _, _ := strings.Cut(text, "\n")
		refusal := "send HTTP/1.1 " + want.status + "\nContent-Length: 0\n\n\nclose\n"
		told := "unfollowed " + line + ": " + want.what + "\n" + refusal
		expect(t, "AnyConnect: "+line, received(t, newServer(t, false), request(t, anyconnect, text)), told)
		if !strings.Contains(line, "PhoneVPN") {
			told = refusal
		}
		expect(t, "curl: "+line, received(t, newServer(t, false), request(t, "curl/7.88", text)), told)
	}
}

// TestFormWithoutPassword: a phone that fills in something else than anybody knows of is asked again, and told of.
func TestFormWithoutPassword(t *testing.T) {
	t.Parallel()
	s := newServer(t, false)
	expect(t, "other fields", received(t, s, request(t, phone, "POST /PhoneVPN HTTP/1.1\nHost: h\n\nuser=alice&pass=pw")),
		"unfollowed POST /PhoneVPN HTTP/1.1: posts a form with neither user name nor password\n"+replyA)
	expect(t, "no field", received(t, s, request(t, phone, "POST /PhoneVPN HTTP/1.1\nHost: h")), replyA)
}

func TestLimits(t *testing.T) {
	t.Parallel()
	s := newServer(t, false)
	for range verify.MaxRequests {
		expect(t, "GET", received(t, s, request(t, phone, "GET /PhoneVPN HTTP/1.1\nHost: h")), replyA)
	}
	expect(t, "one too many", received(t, s, request(t, phone, "GET /PhoneVPN HTTP/1.1\nHost: h")),
		"unfollowed GET /PhoneVPN HTTP/1.1: has asked 16 times and come to no tunnel\nclose\n")

	s = newServer(t, false)
	if got := s.Advance(noon.Add(verify.LoginTime - 1)); got != nil || s.Wake() != noon.Add(verify.LoginTime) {
		t.Errorf("before the time is up: %v, waking at %v", got, s.Wake())
	}
	expect(t, "time up", lines(s.Advance(s.Wake())), "close\n")
	expect(t, "state", s.State().String(), "closed")
	if got := s.Advance(noon.Add(time.Hour)); got != nil {
		t.Errorf("closes twice: %v", got)
	}

	s = newServer(t, false)
	actions, err := s.Received(noon.Add(verify.LoginTime), request(t, phone, "GET /PhoneVPN HTTP/1.1\nHost: h"))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "request after the time", lines(actions), "close\n")
}

// FuzzServer: whatever comes, nobody is asked for but users of known groups, and nothing is let in by a
// certificate that was not shown.
func FuzzServer(f *testing.F) {
	for _, seed := range []struct{ method, path, agent, body string }{
		{"GET", "/PhoneVPN", phone, ""},
		{"POST", "/PhoneVPN", phone, "username=a&password=b"},
		{"POST", "/cert", phone, ""},
		{"POST", "/", anyconnect, `<config-auth type="init"><group-select>guests</group-select></config-auth>`},
		{"POST", "/people", anyconnect, `<config-auth type="auth-reply"><opaque><tunnel-group>x</tunnel-group></opaque><auth><username>a</username></auth></config-auth>`},
		{"POST", "/", "x", "username=a&auth_handle=7&secondary_password=1&group_list=staff"},
		{"GET", "/logout", "x", ""},
	} {
		f.Add(seed.method, seed.path, seed.agent, seed.body)
	}
	f.Fuzz(func(t *testing.T, method, path, agent, body string) {
		s := verify.NewServer(noon, verify.Config{
			Group: func(host, path string) (verify.Group, bool) {
				if g, ok := certified[path]; ok {
					return g, true
				}
				return groups(host, path)
			},
			Listed: menu, Client: func(string) (*verify.ClientCertificate, error) { return nil, nil },
		})
		r := verify.Request{Method: method, Path: path, Host: "h", Minor: 1, Header: http.Header{"User-Agent": {agent}}, Body: []byte(body)}
		for range 2 { // the second as whoever was refused, or logged in
			actions, err := s.Received(noon, r)
			if err != nil {
				return
			}
			for _, action := range actions {
				a, asks := action.(verify.Authenticate)
				if !asks {
					continue
				}
				if certified[path].Certificate || a.Certificate != nil || a.Group == "" {
					t.Fatalf("%s is checked in group %q without the certificate it needs", a.User, a.Group)
				}
				if _, err := s.Authenticated(noon, verify.Result{Verdict: verify.Challenged, Prompt: body, State: body}); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

package verify_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/vpnauth"
)

// certified are groups by path that want certificates.
var certified = map[string]verify.Group{
	"/cert":     {Name: "Cert", Phones: true, Certificate: true, NoPassword: true},
	"/both":     {Name: "Both", Phones: true, Certificate: true},
	"/password": {Name: "Password", Phones: true},
	"/people":   {Name: "People", Aliases: []string{"people"}, Certificate: true, NoPassword: true},
	"/code":     {Name: "Code", SecondFactor: "Code:"},
}

// withClient is a connection whose client has shown a certificate: name empty for none, "!" for one that
// does not count.
func withClient(name string) *verify.Server {
	return verify.NewServer(noon, verify.Config{
		Group:  func(_, path string) (verify.Group, bool) { g, ok := certified[path]; return g, ok },
		Listed: []verify.Group{{Name: "Guests", Aliases: []string{"guests"}}, certified["/people"]},
		Client: func(string) (*verify.ClientCertificate, error) {
			switch name {
			case "":
				return nil, nil
			case "!":
				return nil, &verify.CertificateError{Name: "x", Says: "nobody has issued it"}
			}
			return &verify.ClientCertificate{Name: name}, nil
		},
		OnlyUser: func(group string) string {
			return map[string]string{"Password": "SEP000000000001"}[group]
		},
		Certificate: verify.HashOf([]byte("leaf")),
	})
}

// TestPhoneCertificates is the matrix of what a phone may send to each kind of group.
func TestPhoneCertificates(t *testing.T) {
	t.Parallel()
	none := "report the client has shown no certificate: h%s by phone\n" + reply401
	bad := "report the client's certificate does not count: h%s by phone\n" + reply401
	for _, c := range []struct{ client, path, body, want string }{
		{mic, "/cert", "", fmt.Sprintf("authenticate Cert %q \"\" with certificate of %[1]s\n", mic)},
		{mic, "/cert", "username=root&password=x", fmt.Sprintf("authenticate Cert %q \"\" with certificate of %[1]s\n", mic)},
		{"", "/cert", "", none},
		{"!", "/cert", "", bad},
		{mic, "/both", "username=" + mic + "&password=pw", fmt.Sprintf("authenticate Both %q \"pw\" with certificate of %[1]s\n", mic)},
		{mic, "/both", "password=pw", fmt.Sprintf("authenticate Both %q \"pw\" with certificate of %[1]s\n", mic)},
		{mic, "/both", "username=&password=pw", fmt.Sprintf("authenticate Both %q \"pw\" with certificate of %[1]s\n", mic)},
		{mic, "/both", "username=" + strings.ToLower(mic) + "&password=pw", "report the user name is not the certificate's: h/both by phone\n" + reply401},
		{mic, "/both", "", replyA},
		{"", "/both", "username=" + mic + "&password=pw", none},
		{"!", "/both", "username=" + mic + "&password=pw", bad},
		{"", "/password", "username=anna&password=pw", "authenticate Password \"anna\" \"pw\"\n"},
		{"", "/password", "username=&password=pw", "authenticate Password \"SEP000000000001\" \"pw\"\n"},
		{"", "/password", "password=pw", "authenticate Password \"SEP000000000001\" \"pw\"\n"},
		{"!", "/password", "password=pw", "authenticate Password \"SEP000000000001\" \"pw\"\n"},
		{mic, "/password", "password=pw", fmt.Sprintf("authenticate Password %q \"pw\" with certificate of %[1]s\n", mic)},
		{"", "/password", "username=anna", replyA},
	} {
		s := withClient(c.client)
		expect(t, c.path+" GET", received(t, s, request(t, phone, "GET "+c.path+" HTTP/1.1\nHost: h")), replyA)
		if strings.Contains(c.want, "%s") {
			c.want = fmt.Sprintf(c.want, c.path)
		}
		got := received(t, s, request(t, phone, "POST "+c.path+" HTTP/1.1\nHost: h\n\n"+c.body))
		expect(t, fmt.Sprintf("%q on %s sends %q", c.client, c.path, c.body), got, c.want)
	}
}

const mic = "CP-7962G-SEP001122334455"

func TestPhoneCannotAnswer(t *testing.T) {
	t.Parallel()
	s := withClient("")
	received(t, s, request(t, phone, "POST /password HTTP/1.1\nHost: h\n\npassword=pw"))
	expect(t, "challenged", authenticated(t, s, verify.Result{Verdict: verify.Challenged, Prompt: "Code?", State: "7"}),
		"report the login asks a further question, and phones cannot answer: h/password by phone\n"+reply401)
}

func initialize(more string) string {
	return `<config-auth client="vpn" type="init">` + more + `</config-auth>`
}

// asks is an auth-request with only these elements.
func asks(group, alias, rest string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<config-auth client="vpn" type="auth-request" aggregate-auth-version="2"><version who="sg">1</version>` +
		string(vpnauth.Opaque(group, alias)) + rest + `</config-auth>`
}

func rejection(group, alias, words string) string {
	body := asks(group, alias, `<auth id="main"><title>Login</title><error id="93" param1="" param2="">`+words+`</error></auth>`)
	return strings.Replace(document(body, ""), "Keep-Alive", "close", 1) + "close\n"
}

const notAccepted = "Your certificate is missing or not accepted here."

func TestCertificateByDocuments(t *testing.T) {
	t.Parallel()
	wanted := document(asks("People", "people", `<client-cert-request></client-cert-request>`), "")
	in := "authenticate People \"anna\" \"\" with certificate of anna\n"
	for what, c := range map[string]struct{ client, post, want string }{
		"none shown":                {"", initialize(""), wanted},
		"client has none":           {"", initialize("<client-cert-fail/>"), "report the client has shown no certificate: h/people by anyconnect\n" + rejection("People", "people", notAccepted)},
		"one that does not count":   {"!", initialize(""), "report the client's certificate does not count: h/people by anyconnect\n" + rejection("People", "people", notAccepted)},
		"good":                      {"anna", initialize(""), in},
		"good, and yet fail":        {"anna", initialize("<client-cert-fail/>"), in},
		"answer without a question": {"anna", `<config-auth client="vpn" type="auth-reply"><auth><username>root</username></auth></config-auth>`, in},
		"answer, none shown": {"", `<config-auth client="vpn" type="auth-reply"><auth><username>root</username></auth></config-auth>`,
			"report the client has shown no certificate: h/people by anyconnect\n" + rejection("People", "people", notAccepted)},
	} {
		expect(t, what, received(t, withClient(c.client), request(t, anyconnect, xmlPost("/people", c.post))), c.want)
	}
	s := withClient("anna")
	received(t, s, request(t, anyconnect, xmlPost("/people", initialize(""))))
	got := authenticated(t, s, accepted)
	if !strings.Contains(got, `<auth id="success">`) || !strings.Contains(got, "<cert-authenticated></cert-authenticated>") {
		t.Errorf("a certificate that counts is not said to:\n%s", got)
	}
	s = withClient("anna")
	received(t, s, request(t, anyconnect, xmlPost("/people", initialize(""))))
	expect(t, "refused all the same", authenticated(t, s, denied), rejection("People", "people", "Login failed."))
}

// TestCertificateByForm: who speaks no XML cannot be asked to come back.
func TestCertificateByForm(t *testing.T) {
	t.Parallel()
	expect(t, "good", received(t, withClient("anna"), request(t, anyconnect, "GET /people HTTP/1.1\nHost: h")),
		"authenticate People \"anna\" \"\" with certificate of anna\n")
	expect(t, "none", received(t, withClient(""), request(t, anyconnect, "GET /people HTTP/1.1\nHost: h")),
		"report the client has shown no certificate: h/people by anyconnect\n"+rejection("People", "people", notAccepted))
}

func TestCertificateAndPassword(t *testing.T) {
	t.Parallel()
	s := withClient("anna")
	got := received(t, s, request(t, anyconnect, xmlPost("/both", initialize(""))))
	for _, want := range []string{`<input type="password" name="password"`, "<cert-authenticated>"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if strings.Contains(got, `name="username"`) {
		t.Errorf("asks for a user name that the certificate settles:\n%s", got)
	}
	reply := func(fields string) string {
		return xmlPost("/both", `<config-auth client="vpn" type="auth-reply"><auth>`+fields+`</auth></config-auth>`)
	}
	expect(t, "answered", received(t, s, request(t, anyconnect, reply("<password>pw</password>"))),
		"authenticate Both \"anna\" \"pw\" with certificate of anna\n")
	got = received(t, withClient("anna"), request(t, anyconnect, reply("<username>berta</username><password>pw</password>")))
	if !strings.HasPrefix(got, "report the user name is not the certificate's") || !strings.Contains(got, loginFailed) {
		t.Errorf("another's name beside a certificate:\n%s", got)
	}
}

func TestCodeInTheForm(t *testing.T) {
	t.Parallel()
	s := withClient("")
	got := received(t, s, request(t, anyconnect, xmlPost("/code", initialize(""))))
	if want := `<input type="password" name="secondary_password" second-auth="1" label="Code:">`; !strings.Contains(got, want) {
		t.Errorf("no %s in\n%s", want, got)
	}
	expect(t, "filled in", received(t, s, request(t, anyconnect, "POST /code HTTP/1.1\nHost: h\n\nusername=a&password=b&secondary_password=123456")),
		"authenticate Code \"a\" \"b\" then \"123456\" to \"\"\n")
}

// TestChallenge: the answer carries all that is needed, so it may come by another connection, and in
// either dialogue.
func TestChallenge(t *testing.T) {
	t.Parallel()
	s := withClient("")
	login := `<config-auth client="vpn" type="auth-reply"><auth><username>anna</username><password>pw</password></auth>` +
		`<group-select>guests</group-select></config-auth>`
	expect(t, "login", received(t, s, request(t, anyconnect, xmlPost("/", login))), "authenticate Guests \"anna\" \"pw\"\n")
	got := authenticated(t, s, verify.Result{Verdict: verify.Challenged, Prompt: "Code <now>?", State: "s&7"})
	expect(t, "question", got, document(asks("Guests", "guests", `<auth id="challenge"><title>Login</title><message>Code &lt;now&gt;?</message>`+
		`<form method="post" action="/"><input type="hidden" name="username" value="anna"></input><input type="hidden" name="auth_handle" value="s&amp;7"></input>`+
		`<input type="password" name="secondary_password" label="Answer:"></input><input type="hidden" name="group_list" value="guests"></input></form></auth>`), ""))
	const want = "authenticate Guests \"anna\" \"\" then \"123\" to \"s&7\"\n"
	for what, text := range map[string]string{
		"form": "POST / HTTP/1.1\nHost: h\n\nusername=anna&auth_handle=s%267&secondary_password=123&group_list=guests",
		"document": xmlPost("/", `<config-auth client="vpn" type="auth-reply"><auth><username>anna</username><auth_handle>s&amp;7</auth_handle>`+
			`<secondary_password>123</secondary_password></auth><group-select>guests</group-select></config-auth>`),
		"document, answer by its other name": xmlPost("/", `<config-auth client="vpn" type="auth-reply"><auth><username>anna</username>`+
			`<auth_handle>s&amp;7</auth_handle><password>123</password></auth><group-select>guests</group-select></config-auth>`),
	} {
		other := withClient("")
		expect(t, what, received(t, other, request(t, anyconnect, text)), want)
		if got := authenticated(t, other, denied); !strings.Contains(got, loginFailed) || !strings.Contains(got, `name="username"`) {
			t.Errorf("%s: a wrong answer does not lead back to the form:\n%s", what, got)
		}
	}
	got = received(t, withClient(""), request(t, anyconnect, "POST /code HTTP/1.1\nHost: h\n\nusername=anna&auth_handle=7&secondary_password="))
	if !strings.HasPrefix(got, "send HTTP/1.1 200 OK") {
		t.Errorf("an empty answer: %s", got)
	}
}

// TestOpaqueComesBack: what a gateway sent as opaque chooses the group where nothing else does; what is
// not ours changes nothing.
func TestOpaqueComesBack(t *testing.T) {
	t.Parallel()
	for opaque, want := range map[string]string{
		string(vpnauth.Opaque("Guests", "guests")):                                     "authenticate Guests \"a\" \"b\"\n",
		`<opaque is-for="sg"><tunnel-group>Guests</tunnel-group><x/></opaque>`:         "authenticate Guests \"a\" \"b\"\n",
		`<opaque is-for="sg"><tunnel-group>DefaultWEBVPNGroup</tunnel-group></opaque>`: "authenticate Guests \"a\" \"b\"\n",
		`<opaque>rubbish &amp; more</opaque>`:                                          "authenticate Guests \"a\" \"b\"\n",
		string(vpnauth.Opaque("People", "")):                                           "authenticate People \"anna\" \"\" with certificate of anna\n",
		string(vpnauth.Opaque("Cert", "")):                                             "authenticate Guests \"a\" \"b\"\n", // not listed: opens nothing
	} {
		s := withClient("anna")
		got := received(t, s, request(t, anyconnect, xmlPost("/",
			`<config-auth client="vpn" type="auth-reply">`+opaque+`<auth><username>a</username><password>b</password></auth></config-auth>`)))
		got = strings.ReplaceAll(got, "\"b\" with certificate of anna", "\"b\"")
		expect(t, opaque, got, want)
	}
}

func TestBesideTheLogin(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/1/binaries/update.txt":                 "200 OK text/plain 0,0,0000\n",
		"/1/VPNManifest.xml":                     "200 OK text/xml <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<vpn rev=\"1.0\">\n</vpn>\n",
		"/1/index.html":                          "200 OK text/html ",
		"/1/Linux_64":                            "200 OK text/html ",
		"/+CSCOT+/translation-table?type=m&l=en": "200 OK text/html ",
		"/profiles/office.xml":                   "404 Not Found  ",
	} {
		actions, err := withClient("").Received(noon, request(t, anyconnect, "GET "+path+" HTTP/1.1\nHost: h"))
		if err != nil || len(actions) != 1 {
			t.Fatalf("%s: %v, %v", path, actions, err)
		}
		r := actions[0].(verify.Send).Reply
		got := fmt.Sprintf("%s %s %s", strings.TrimPrefix(r.String(), "HTTP/1.1 "), r.Header.Get("Content-Type"), r.Body)
		expect(t, path, got, want)
	}
}

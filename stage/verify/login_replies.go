package verify

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/wire/vpnauth"
)

// The server's replies, all in one place: phones and openconnect depend on their exact form
// (docs/wire/vpn-login.md#replies-to-a-phone, #documents).

var transcend = vpnauth.Field{Name: "X-Transcend-Version", Value: "1"}

// ask sends the question for user name and password, with why it is asked again if it is.
func (s *Server) ask(l login, why *vpnauth.Error) []Action {
	if l.talk == phoneTalk {
		s.state = WaitPost
		return s.send(http.StatusOK, "", nil, vpnauth.Length(0), noSession,
			setCookie(vpnauth.Cookie{Name: vpnauth.LoginCookie, Value: secret.New("1"), Attributes: []string{vpnauth.PhoneSecure}}),
			transcend)
	}
	form := &vpnauth.Form{Method: "post", Action: l.path, Inputs: s.inputs(l)}
	doc := question(l, &vpnauth.Auth{ID: "main", Title: "Login", Message: "Please enter your username and password.", Error: why, Form: form})
	doc.CertAccepted = l.client != nil
	s.state = Start
	return s.sendDocument(doc)
}

// noSession is the cookie line that a phone looks for in every reply of a login: without one it says that
// its URL is wrong.
var noSession = setCookie(vpnauth.Cookie{Name: vpnauth.SessionCookie, Attributes: []string{vpnauth.Expired, vpnauth.RootPath, vpnauth.PhoneSecure}})

// forPhone is what a refusal must have besides when it is for a phone.
func (s *Server) forPhone() []vpnauth.Field {
	if s.pending.talk == phoneTalk {
		return []vpnauth.Field{noSession}
	}
	return nil
}

// question is a document that asks something in the course of a login.
func question(l login, auth *vpnauth.Auth) vpnauth.Document {
	alias := ""
	if len(l.group.Aliases) > 0 {
		alias = l.group.Aliases[0]
	}
	return vpnauth.Document{
		Type: vpnauth.AuthRequest, AggregateAuth: "2", From: "sg", Version: "1",
		Opaque: vpnauth.Opaque(l.group.Name, alias), Auth: auth,
	}
}

// inputs are the fields of a group's form. A user name that the certificate settles is not asked for.
func (s *Server) inputs(l login) []vpnauth.Input {
	var inputs []vpnauth.Input
	if !l.group.Certificate {
		user := vpnauth.Input{Type: "text", Name: "username", Label: "Username:"}
		if l.client != nil {
			user.Value = l.client.Name
		}
		inputs = append(inputs, user)
	}
	inputs = append(inputs, vpnauth.Input{Type: "password", Name: "password", Label: "Password:"})
	if l.group.SecondFactor != "" {
		inputs = append(inputs, vpnauth.Input{Type: "password", Name: secondField, Label: l.group.SecondFactor, Second: true})
	}
	if l.listed {
		inputs = append(inputs, s.menu(l.group)...)
	}
	return inputs
}

// challenge asks a further question. All that its answer needs is in the form, so it may come by another
// connection.
func (s *Server) challenge(result Result) []Action {
	l := s.pending
	if l.talk == phoneTalk {
		return append([]Action{s.report(l, QuestionForPhone)}, s.denied()...)
	}
	inputs := []vpnauth.Input{
		{Type: "hidden", Name: "username", Value: s.user},
		{Type: "hidden", Name: handleField, Value: result.State},
		{Type: "password", Name: secondField, Label: "Answer:"},
	}
	if l.listed {
		inputs = append(inputs, vpnauth.Input{Type: "hidden", Name: "group_list", Value: l.group.Aliases[0]})
	}
	form := &vpnauth.Form{Method: "post", Action: l.path, Inputs: inputs}
	s.state = Start
	return s.sendDocument(question(l, &vpnauth.Auth{ID: "challenge", Title: "Login", Message: result.Prompt, Form: form}))
}

// wantCertificate asks a client to come back and show its certificate.
func (s *Server) wantCertificate(l login) []Action {
	doc := question(l, nil)
	doc.CertRequest = true
	s.state = Start
	return s.sendDocument(doc)
}

// turnAway refuses a client for good, in words if it can read them.
func (s *Server) turnAway(words string) []Action {
	if s.pending.talk == phoneTalk {
		return s.refuse(http.StatusUnauthorized, "Authentication failed", noSession)
	}
	s.lasting = false
	return s.sendDocument(question(s.pending, &vpnauth.Auth{ID: "main", Title: "Login", Error: &vpnauth.Error{ID: "93", Text: words}}))
}

// menu is the choice among the listed groups, if there is one to make.
func (s *Server) menu(current Group) []vpnauth.Input {
	menu := vpnauth.Input{Type: vpnauth.Select, Name: "group_list", Label: "GROUP:"}
	for _, g := range s.listed() {
		for i, alias := range g.Aliases {
			menu.Options = append(menu.Options, vpnauth.Option{Value: alias, Text: alias, Selected: g.Name == current.Name && i == 0,
				Second: g.SecondFactor != "", NoAAA: g.NoPassword})
		}
	}
	if len(menu.Options) < 2 {
		return nil
	}
	return []vpnauth.Input{menu}
}

// accept sends the session's cookie.
func (s *Server) accept(token secret.String) []Action {
	if s.pending.talk == phoneTalk {
		return s.send(http.StatusOK, "", nil, vpnauth.Field{Name: "Connection", Value: "Keep-Alive"}, vpnauth.Length(0),
			setCookie(vpnauth.Cookie{Name: vpnauth.SessionCookie, Value: token, Attributes: []string{vpnauth.PhoneSecure}}),
			transcend)
	}
	private := []string{vpnauth.Secure, vpnauth.HTTPOnly}
	rooted := append([]string{vpnauth.RootPath}, private...)
	hints := secret.New("bu:/&p:t&iu:1/&sh:" + s.config.Certificate.Hex())
	more := []vpnauth.Field{
		setCookie(vpnauth.Cookie{Name: vpnauth.SessionCookie, Value: token, Attributes: private}),
		setCookie(vpnauth.Cookie{Name: vpnauth.HintsCookie, Attributes: append([]string{vpnauth.Expired}, rooted...)}),
		setCookie(vpnauth.Cookie{Name: vpnauth.HintsCookie, Value: hints, Attributes: rooted}),
	}
	if s.pending.from.Agent == vpnauth.OpenConnect {
		more = append(more, lineFilling)
	}
	return s.sendDocument(vpnauth.Document{
		Type: vpnauth.Complete, AggregateAuth: "2", From: "sg", Version: "1", SessionToken: token,
		Auth:     &vpnauth.Auth{ID: "success", Title: "SSL VPN", Banner: s.pending.group.Banner},
		CertHash: s.config.Certificate.Hex(), CertAccepted: s.pending.client != nil,
	}, more...)
}

// lineFilling makes a reply longer than any packet on the way, so that TCP meets the narrowest line before
// the tunnel's MTU is chosen: openconnect 9.01 gives its own search up when a router tells it of one
// (docs/wire/cstp.md#mtu). Openconnect fills its requests by a header of the same name.
var lineFilling = vpnauth.Field{Name: "X-Pad", Value: strings.Repeat("0", 1500)}

// loggedOut confirms the end of a session and clears its cookie.
func (s *Server) loggedOut(token secret.String) []Action {
	cleared := setCookie(vpnauth.Cookie{Name: vpnauth.SessionCookie,
		Attributes: []string{vpnauth.Expired, vpnauth.RootPath, vpnauth.Secure, vpnauth.HTTPOnly}})
	actions := s.send(http.StatusOK, "", nil, vpnauth.Length(0), cleared, transcend)
	if token.IsZero() {
		return actions
	}
	return append([]Action{Forget{Token: token}}, actions...)
}

// unknown tells a client that its URL leads nowhere, and the operator when it was a phone: its file and
// the gateway disagree. There is no webvpn cookie in it, so that the phone says what it says of every wrong
// URL: 'webvpn=' not found in cookie.
func (s *Server) unknown(r Request, reason Reason) []Action {
	actions := s.send(http.StatusNotFound, "", nil, vpnauth.Length(0))
	if r.Agent() != vpnauth.PhoneAgent {
		return actions
	}
	return append([]Action{Report{Reason: reason, Host: r.Host, Path: r.Path, Agent: r.Agent()}}, actions...)
}

// refuse sends a final reply without a body.
func (s *Server) refuse(status int, reason string, more ...vpnauth.Field) []Action {
	s.lasting = false
	return s.send(status, reason, nil, append([]vpnauth.Field{vpnauth.Length(0)}, more...)...)
}

func (s *Server) sendDocument(doc vpnauth.Document, more ...vpnauth.Field) []Action {
	connection := "Keep-Alive"
	if !s.lasting {
		connection = "close"
	}
	body := doc.Append(nil)
	header := []vpnauth.Field{{Name: "Connection", Value: connection}, {Name: "Content-Type", Value: "text/xml"}, vpnauth.Length(len(body)), transcend}
	return s.send(http.StatusOK, "", body, append(header, more...)...)
}

func (s *Server) send(status int, reason string, body []byte, header ...vpnauth.Field) []Action {
	reply := vpnauth.Reply{Minor: s.minor, Status: status, Reason: reason, Header: header, Body: body}
	if s.lasting {
		return []Action{Send{Reply: reply}}
	}
	s.state = Closed
	return []Action{Send{Reply: reply}, Close{}}
}

func setCookie(c vpnauth.Cookie) vpnauth.Field {
	return vpnauth.Field{Name: "Set-Cookie", Value: c.Line()}
}

// Masked is a request as the log may have it: cookies, credentials and form fields by name, without
// their values. Header order is lost before it comes here; names are sorted.
func Masked(r Request) FirstContact {
	contact := FirstContact{Line: fmt.Sprintf("%s %s HTTP/1.%d", r.Method, r.Path, r.Minor)}
	contact.Header = vpnauth.Headers{{Name: "Host", Value: r.Host}}
	for name, values := range r.Header {
		for _, value := range values {
			contact.Header = append(contact.Header, vpnauth.Field{Name: name, Value: mask(name, value)})
		}
	}
	slices.SortStableFunc(contact.Header[1:], func(a, b vpnauth.Field) int { return strings.Compare(a.Name, b.Name) })
	contact.Body = maskForm(string(r.Body))
	return contact
}

// maskForm keeps field names and shows which values are empty. What does not look like a field is
// masked altogether: it may be a password in a place nobody expected.
func maskForm(body string) string {
	if body == "" {
		return ""
	}
	var fields []string
	for part := range strings.SplitSeq(body, "&") {
		name, value, ok := strings.Cut(part, "=")
		if !ok || !plainName.MatchString(name) {
			fields = append(fields, secret.Redacted)
			continue
		}
		fields = append(fields, name+"="+secret.New(value).String())
	}
	return strings.Join(fields, "&")
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,31}$`)

func mask(name, value string) string {
	switch strings.ToLower(name) {
	case "cookie":
		var names []string
		for _, c := range vpnauth.ParseCookies(value) {
			names = append(names, c.Name+"="+c.Text.String())
		}
		return strings.Join(names, "; ")
	case "authorization", "proxy-authorization", "x-dtls-master-secret":
		return secret.Redacted
	}
	return value
}

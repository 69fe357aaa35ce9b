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
		return s.send(http.StatusOK, "", nil, vpnauth.Length(0),
			setCookie(vpnauth.Cookie{Name: vpnauth.SessionCookie, Attributes: []string{vpnauth.Expired, vpnauth.RootPath, vpnauth.PhoneSecure}}),
			setCookie(vpnauth.Cookie{Name: vpnauth.LoginCookie, Value: secret.New("1"), Attributes: []string{vpnauth.PhoneSecure}}),
			transcend)
	}
	s.state = Start
	form := &vpnauth.Form{Method: "post", Action: l.path, Inputs: []vpnauth.Input{
		{Type: "text", Name: "username", Label: "Username:"},
		{Type: "password", Name: "password", Label: "Password:"},
	}}
	if l.listed {
		form.Inputs = append(form.Inputs, s.menu(l.group)...)
	}
	return s.sendDocument(vpnauth.Document{
		Type: vpnauth.AuthRequest, AggregateAuth: "2", From: "sg", Version: "1",
		Auth: &vpnauth.Auth{ID: "main", Title: "Login", Message: "Please enter your username and password.", Error: why, Form: form},
	})
}

// menu is the choice among the listed groups, if there is one to make.
func (s *Server) menu(current Group) []vpnauth.Input {
	menu := vpnauth.Input{Type: vpnauth.Select, Name: "group_list", Label: "GROUP:"}
	for _, g := range s.listed() {
		for i, alias := range g.Aliases {
			menu.Options = append(menu.Options, vpnauth.Option{Value: alias, Text: alias, Selected: g.Name == current.Name && i == 0})
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
	return s.sendDocument(vpnauth.Document{
		Type: vpnauth.Complete, AggregateAuth: "2", From: "sg", Version: "1", SessionToken: token,
		Auth: &vpnauth.Auth{ID: "success", Title: "SSL VPN", Banner: s.pending.group.Banner}, CertHash: s.config.Certificate.Hex(),
	},
		setCookie(vpnauth.Cookie{Name: vpnauth.SessionCookie, Value: token, Attributes: private}),
		setCookie(vpnauth.Cookie{Name: vpnauth.HintsCookie, Attributes: append([]string{vpnauth.Expired}, rooted...)}),
		setCookie(vpnauth.Cookie{Name: vpnauth.HintsCookie, Value: hints, Attributes: rooted}))
}

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
// the gateway disagree.
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

package verify

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/wire/vpnauth"
)

// DocumentAgent is the name that a DocumentClient gives itself, fit for the CONNECT that follows. Some
// gateways serve nobody whose name holds none that they know.
const DocumentAgent = "AnyConnect-compatible Longcord"

// maxForms bounds the questions that a gateway may ask: ocserv takes two, one for each field.
const maxForms = 6

// DocumentClient is a client's end of the XML dialogue, which people's programs speak and gateways
// without the phones' login understand. It fills in user name and password wherever a form asks for
// them, and makes no choices: the URL says which group is meant. Like Client it has no timer.
type DocumentClient struct {
	config  ClientConfig
	url     *url.URL
	state   ClientState
	target  string            // where the next document is posted
	cookies []*vpnauth.Cookie // to be sent back, the newest of each name
	forms   int
	asked   bool // for the password: a form that asks again means that it was wrong
}

// NewDocumentClient checks the URL.
func NewDocumentClient(config ClientConfig) (*DocumentClient, error) {
	c, err := NewClient(config)
	if err != nil {
		return nil, err
	}
	return &DocumentClient{config: config, url: c.url, target: pathOf(c.url)}, nil
}

// Start begins the conversation.
func (c *DocumentClient) Start() ([]ClientAction, error) {
	if c.state != Begun {
		return nil, fmt.Errorf("verify: login started in state %s", c.state)
	}
	c.state = Opened
	return c.send(vpnauth.Document{Type: vpnauth.Init, GroupAccess: c.config.URL}), nil
}

// Replied tells the client of the reply to its last request.
func (c *DocumentClient) Replied(r vpnauth.Reply) ([]ClientAction, error) {
	if c.state != Opened {
		return nil, fmt.Errorf("verify: reply %q in state %s", r, c.state)
	}
	if last, ok := refusalOf(r); ok {
		return c.end(last), nil
	}
	for _, line := range r.Header.Values("Set-Cookie") {
		c.keep(line)
	}
	doc, err := vpnauth.ParseDocument(r.Body)
	switch {
	case err != nil:
		return c.end(Refused{WrongURL, err.Error()}), nil
	case doc.Type == vpnauth.Complete:
		return c.complete(doc), nil
	case doc.Type == vpnauth.AuthRequest && doc.Auth != nil && doc.Auth.Form != nil:
		return c.fill(doc), nil
	}
	return c.end(Refused{Incomplete, fmt.Sprintf("the gateway sends %s without a form", doc)}), nil
}

// fill answers a form.
func (c *DocumentClient) fill(doc vpnauth.Document) []ClientAction {
	if c.forms++; c.forms > maxForms {
		return c.end(Refused{Incomplete, "the gateway asks without end"})
	}
	var values vpnauth.Values
	for _, in := range doc.Auth.Form.Inputs {
		switch {
		case in.Type == "password" && c.asked:
			return c.end(Refused{WrongLogin, said(doc.Auth)})
		case in.Type == "password":
			c.asked = true
			values = append(values, vpnauth.Value{Name: in.Name, Text: c.config.Password})
		case in.Type == "text":
			values = append(values, vpnauth.Value{Name: in.Name, Text: secret.New(c.config.User)})
		case in.Type == "hidden":
			values = append(values, vpnauth.Value{Name: in.Name, Text: secret.New(in.Value)})
		}
	}
	if action := doc.Auth.Form.Action; action != "" {
		at, err := c.url.Parse(action)
		if err != nil {
			return c.end(Refused{Incomplete, err.Error()})
		}
		c.target = at.RequestURI()
	}
	return c.send(vpnauth.Document{Type: vpnauth.AuthReply, Opaque: doc.Opaque, Auth: &vpnauth.Auth{Values: values}})
}

// said is why a gateway asks again.
func said(a *vpnauth.Auth) string {
	if a.Error != nil {
		return a.Error.Text
	}
	return a.Message
}

// complete takes the session's cookie, which may stand in the document or beside it.
func (c *DocumentClient) complete(doc vpnauth.Document) []ClientAction {
	if !doc.SessionToken.IsZero() {
		return c.end(LoggedIn{Cookie: doc.SessionToken})
	}
	for _, kept := range c.cookies {
		if kept.Name == vpnauth.SessionCookie && !kept.Value.IsZero() {
			return c.end(LoggedIn{Cookie: kept.Value})
		}
	}
	return c.end(Refused{Incomplete, "the login is complete, and there is no webvpn cookie"})
}

func (c *DocumentClient) keep(line string) {
	fresh, err := vpnauth.ParseCookie(line)
	if err != nil {
		return
	}
	for _, old := range c.cookies {
		if old.Name == fresh.Name {
			*old = fresh
			return
		}
	}
	c.cookies = append(c.cookies, &fresh)
}

func (c *DocumentClient) end(last ClientAction) []ClientAction {
	c.state = Ended
	return []ClientAction{last}
}

func (c *DocumentClient) send(doc vpnauth.Document) []ClientAction {
	doc.AggregateAuth, doc.From, doc.Version = "2", "vpn", "v1"
	doc.Device.ID = "linux-64"
	body := doc.Append(nil)
	header := vpnauth.Headers{{Name: "Host", Value: c.url.Host}, {Name: "User-Agent", Value: DocumentAgent}}
	cookies := ""
	for _, kept := range c.cookies {
		if kept.Value.IsZero() {
			continue
		}
		if cookies != "" {
			cookies += "; "
		}
		cookies += kept.Name + "=" + kept.Value.Reveal()
	}
	if cookies != "" {
		header = append(header, vpnauth.Field{Name: "Cookie", Value: cookies})
	}
	header = append(header,
		vpnauth.Field{Name: "X-Transcend-Version", Value: "1"},
		vpnauth.Field{Name: "X-Aggregate-Auth", Value: "1"},
		vpnauth.Field{Name: "Content-Type", Value: "application/xml; charset=utf-8"},
		vpnauth.Length(len(body)))
	return []ClientAction{Ask{Request: vpnauth.Request{Method: http.MethodPost, Target: c.target, Header: header, Body: body}}}
}

package verify

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/wire/vpnauth"
)

// ClientConfig is what a phone logs in with.
type ClientConfig struct {
	URL      string // as in the phone's file, byte for byte
	User     string // empty: the gateway knows it from the certificate or by itself
	Password secret.String
	// ByCertificate leaves both out: the certificate that TLS has shown is the whole login.
	ByCertificate bool
	// Certificate: TLS has one to show to who asks. Only computers are asked in words.
	Certificate bool
}

// ClientAction is what the phone does next.
type ClientAction interface{ clientAction() }

type (
	// Ask sends a request to the gateway; its reply goes to Replied.
	Ask struct {
		Request vpnauth.Request
		Anew    bool // on a connection of its own, for which TLS starts anew
	}
	// LoggedIn ends the login: the cookie is the session.
	LoggedIn struct{ Cookie secret.String }
	// Refused ends the login without a session.
	Refused struct {
		Reason Refusal
		Text   string // what the gateway said, or what was missing
	}
)

func (Ask) clientAction()      {}
func (LoggedIn) clientAction() {}
func (Refused) clientAction()  {}

func (r Refused) Error() string { return r.Reason.String() + ": " + r.Text }

// Refusal is why a login failed, as far as a phone can tell.
type Refusal int

// The refusals.
const (
	WrongURL          Refusal = iota + 1 // the reply is not a group URL's: no webvpn cookie, a redirect, 404
	WrongLogin                           // user name or password refused
	Incomplete                           // the gateway asks again: it missed a field
	GatewayError                         // the gateway cannot take logins now
	CertificateWanted                    // it wants a certificate, and none that it takes was shown
	SecondFactor                         // it asks for more than a password
)

func (r Refusal) String() string {
	switch r {
	case WrongURL:
		return "wrong URL"
	case WrongLogin:
		return "wrong login"
	case Incomplete:
		return "incomplete"
	case GatewayError:
		return "gateway error"
	case CertificateWanted:
		return "certificate wanted"
	case SecondFactor:
		return "second factor"
	}
	return fmt.Sprintf("refusal %d", int(r))
}

// ClientState is where the phone's login stands.
//
//	Begun ──GET──▶ Opened ──both cookies: POST──▶ Posted ──webvpn cookie──▶ Ended
//	                  └───────────── anything else ──┴─────────────────────▶ Ended
type ClientState int

// The states.
const (
	Begun ClientState = iota
	Opened
	Posted
	Ended
)

func (s ClientState) String() string {
	return [...]string{"begun", "opened", "posted", "ended"}[s]
}

// Client is the phone's end of the login conversation. It has no timer: the time for a whole attempt is
// stage/connect's, and whoever drives the connection keeps it.
type Client struct {
	config ClientConfig
	url    *url.URL
	state  ClientState
}

// NewClient checks the URL.
func NewClient(config ClientConfig) (*Client, error) {
	u, err := url.Parse(config.URL)
	if err != nil {
		return nil, fmt.Errorf("verify: gateway URL: %w", err)
	}
	if u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return nil, fmt.Errorf("verify: gateway URL %q is not of the form https://host/path", config.URL)
	}
	return &Client{config: config, url: u}, nil
}

// Start begins the conversation.
func (c *Client) Start() ([]ClientAction, error) {
	if c.state != Begun {
		return nil, fmt.Errorf("verify: login started in state %s", c.state)
	}
	c.state = Opened
	return []ClientAction{Ask{Request: c.get()}}, nil
}

// Replied tells the client of the reply to its last request.
func (c *Client) Replied(r vpnauth.Reply) ([]ClientAction, error) {
	switch c.state {
	case Opened:
		return c.opened(r), nil
	case Posted:
		return c.posted(r), nil
	}
	return nil, fmt.Errorf("verify: reply %q in state %s", r, c.state)
}

// opened judges the reply to the GET: a phone posts only when webvpn is there, empty and expired, and
// webvpnlogin says something.
func (c *Client) opened(r vpnauth.Reply) []ClientAction {
	if refused, ok := refusalOf(r); ok {
		return c.end(refused)
	}
	session, found := cookie(r, vpnauth.SessionCookie)
	prompt, _ := cookie(r, vpnauth.LoginCookie)
	switch {
	case !found:
		return c.end(Refused{WrongURL, "'webvpn=' not found in cookie"})
	case !session.Value.IsZero() || !session.Has("expires"):
		return c.end(Refused{WrongURL, "the webvpn cookie is not an empty one that has expired"})
	case prompt.Value.IsZero():
		return c.end(Refused{WrongURL, "no webvpnlogin cookie that asks for a login"})
	}
	c.state = Posted
	return []ClientAction{Ask{Request: c.post(prompt)}}
}

func (c *Client) posted(r vpnauth.Reply) []ClientAction {
	if refused, ok := refusalOf(r); ok {
		return c.end(refused)
	}
	session, found := cookie(r, vpnauth.SessionCookie)
	prompt, _ := cookie(r, vpnauth.LoginCookie)
	switch {
	case found && !session.Value.IsZero():
		return c.end(LoggedIn{Cookie: session.Value})
	case found && !prompt.Value.IsZero():
		return c.end(Refused{Incomplete, "the gateway asks for the login again"})
	}
	return c.end(Refused{WrongURL, "'webvpn=' not found in cookie"})
}

// refusalOf judges the status line.
func refusalOf(r vpnauth.Reply) (Refused, bool) {
	text := r.String()
	switch {
	case r.Status == http.StatusOK:
		return Refused{}, false
	case r.Status == http.StatusUnauthorized || r.Status == http.StatusForbidden:
		return Refused{WrongLogin, text}, true
	case r.Status >= 500:
		if why := r.Header.Get("X-Reason"); why != "" {
			text += " (" + why + ")"
		}
		return Refused{GatewayError, text}, true
	case r.Status >= 300 && r.Status < 400:
		text += ", Location: " + r.Header.Get("Location")
	}
	return Refused{WrongURL, text}, true
}

func (c *Client) end(last ClientAction) []ClientAction {
	c.state = Ended
	return []ClientAction{last}
}

func cookie(r vpnauth.Reply, name string) (vpnauth.Cookie, bool) {
	for _, line := range r.Header.Values("Set-Cookie") {
		if c, err := vpnauth.ParseCookie(line); err == nil && c.Name == name {
			return c, true
		}
	}
	return vpnauth.Cookie{}, false
}

// The requests of a phone. No capture of a real one is published: the target, the user agent and the
// two form fields are documented, the other headers are inferred, so all of it stays here
// (docs/wire/vpn-login.md#requests-of-a-phone).

func (c *Client) get() vpnauth.Request {
	return vpnauth.Request{Method: http.MethodGet, Target: c.url.RequestURI(), Header: c.headers()}
}

func (c *Client) post(prompt vpnauth.Cookie) vpnauth.Request {
	header := append(c.headers(), vpnauth.Field{Name: "Cookie", Value: prompt.Name + "=" + prompt.Value.Reveal()})
	if c.config.ByCertificate {
		return vpnauth.Request{Method: http.MethodPost, Target: c.url.RequestURI(), Header: append(header, vpnauth.Length(0))}
	}
	var form vpnauth.Values
	if c.config.User != "" {
		form = append(form, vpnauth.Value{Name: "username", Text: secret.New(c.config.User)})
	}
	form = append(form, vpnauth.Value{Name: "password", Text: c.config.Password})
	body := form.AppendForm(nil)
	header = append(header,
		vpnauth.Field{Name: "Content-Type", Value: "application/x-www-form-urlencoded"},
		vpnauth.Length(len(body)))
	return vpnauth.Request{Method: http.MethodPost, Target: c.url.RequestURI(), Header: header, Body: body}
}

func (c *Client) headers() vpnauth.Headers {
	return vpnauth.Headers{{Name: "Host", Value: c.url.Host}, {Name: "User-Agent", Value: vpnauth.PhoneUserAgent}}
}

package verify

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

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
// them, and leaves choices as the gateway offers them: the URL says which group is meant. A password is said once, and
// not where more is asked than a password. Like Client it has no timer.
type DocumentClient struct {
	config    ClientConfig
	url       *url.URL
	state     ClientState
	target    string            // where the next document is posted
	cookies   []*vpnauth.Cookie // to be sent back, the newest of each name
	forms     int
	certified certified
	asked     *vpnauth.Auth // the question that got the password; nil: none has
	password  string        // the name of the field for it
	groups    []string
	group     string
}

// certified is how often a gateway has asked for a certificate in words.
type certified int

const (
	unasked certified = iota
	shown             // TLS has started anew, to show it
	lacking           // the gateway was told that there is none, or no other
)

// Groups are the groups that the gateway offers, as people read them, and the one that was left chosen; none where it
// offers no choice.
func (c *DocumentClient) Groups() (offered []string, chosen string) { return c.groups, c.group }

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
	return c.begin(false), nil
}

func (c *DocumentClient) begin(certFail bool) []ClientAction {
	return c.send(vpnauth.Document{Type: vpnauth.Init, GroupAccess: c.config.URL, CertFail: certFail})
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
	case doc.Type == vpnauth.AuthRequest && doc.CertRequest:
		return c.certify(), nil
	case doc.Type == vpnauth.AuthRequest && doc.Auth != nil && doc.Auth.Form != nil:
		return c.fill(doc), nil
	case doc.Auth != nil && doc.Auth.Error != nil && c.asked != nil:
		return c.end(Refused{WrongLogin, said(doc.Auth)}), nil
	case doc.Auth != nil && (c.certified != unasked || doc.Auth.Error != nil && c.config.Certificate):
		return c.end(Refused{CertificateWanted, said(doc.Auth)}), nil
	}
	return c.end(Refused{Incomplete, fmt.Sprintf("the gateway sends %s without a form", doc)}), nil
}

// certify answers a gateway that asks for a certificate: once by TLS, if there is one, and once in words.
func (c *DocumentClient) certify() []ClientAction {
	switch {
	case c.certified == unasked && c.config.Certificate:
		c.certified = shown
		again := c.begin(false)[0].(Ask)
		again.Anew = true
		return []ClientAction{again}
	case c.certified != lacking:
		c.certified = lacking
		return c.begin(true)
	}
	return c.end(Refused{CertificateWanted, "the gateway asks for a certificate again"})
}

// fill answers a form.
func (c *DocumentClient) fill(doc vpnauth.Document) []ClientAction {
	if c.forms++; c.forms > maxForms {
		return c.end(Refused{Incomplete, "the gateway asks without end"})
	}
	if refused := c.judge(doc.Auth); refused != nil {
		return c.end(*refused)
	}
	answer := vpnauth.Document{Type: vpnauth.AuthReply, Opaque: doc.Opaque, Auth: &vpnauth.Auth{}}
	for _, in := range doc.Auth.Form.Inputs {
		text := secret.New(in.Value)
		switch in.Type {
		case "password":
			if in.Second {
				continue // it is for a group that is not chosen
			}
			c.asked, c.password, text = doc.Auth, in.Name, c.config.Password
		case "text":
			text = secret.New(c.config.User)
		case vpnauth.Select:
			option, _ := chosen(in)
			if in.Name == groupList {
				answer.GroupSelect = option.Value
				c.choose(in)
				continue
			}
			text = secret.New(option.Value)
		case "hidden":
		default:
			continue
		}
		answer.Auth.Values = append(answer.Auth.Values, vpnauth.Value{Name: in.Name, Text: text})
	}
	if action := doc.Auth.Form.Action; action != "" {
		at, err := c.url.Parse(action)
		if err != nil {
			return c.end(Refused{Incomplete, err.Error()})
		}
		c.target = at.RequestURI()
	}
	return c.send(answer)
}

// groupList is the field for the choice among groups; its answer has an element of its own.
const groupList = "group_list"

// chosen returns the option that a gateway has left chosen, or else the first.
func chosen(in vpnauth.Input) (vpnauth.Option, bool) {
	for _, o := range in.Options {
		if o.Selected {
			return o, true
		}
	}
	if len(in.Options) == 0 {
		return vpnauth.Option{}, false
	}
	return in.Options[0], true
}

func (c *DocumentClient) choose(in vpnauth.Input) {
	c.groups = nil
	for _, o := range in.Options {
		c.groups = append(c.groups, o.Text)
	}
	option, _ := chosen(in)
	c.group = option.Text
}

// judge says why a form is not to be filled in, if it is not.
func (c *DocumentClient) judge(a *vpnauth.Auth) *Refused {
	second := true // what is marked so counts, unless a choice says otherwise
	for _, in := range a.Form.Inputs {
		if option, ok := chosen(in); ok && in.Name == groupList {
			second = option.Second
		}
	}
	for _, in := range a.Form.Inputs {
		switch {
		case in.Type != "password":
		case in.Second && second:
			return &Refused{SecondFactor, asksFor(in.Label, a.Message)}
		case in.Second:
		case c.asked != nil && c.asksMore(in, a):
			return &Refused{SecondFactor, asksFor(a.Message, in.Label)}
		case c.asked != nil:
			return &Refused{WrongLogin, said(a)}
		case c.config.Password.IsZero():
			return &Refused{Incomplete, "it asks for a password, and none is given"}
		}
	}
	return nil
}

// asksMore tells a further question from the same once more. ocserv asks for a one-time code in the password's own field,
// and in other words; so it says, too, that a login failed (docs/wire/vpn-login.md#second-factor).
func (c *DocumentClient) asksMore(in vpnauth.Input, a *vpnauth.Auth) bool {
	if a.Error != nil || failed.MatchString(a.Message) {
		return false
	}
	return in.Name != c.password || a.ID != c.asked.ID || a.Message != c.asked.Message
}

// failed is how gateways say it in the place of a question.
var failed = regexp.MustCompile(`(?i)fail|invalid|incorrect|wrong|denied|try again`)

func asksFor(texts ...string) string {
	for _, w := range texts {
		if w = strings.TrimSpace(w); w != "" {
			return w
		}
	}
	return "it does not say for what"
}

// said is why a gateway asks again, or asks no more.
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

package vpnauth

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/longcord/longcord/internal/secret"
)

// Type is what a config-auth document is for.
type Type string

// The documents of a login, in their order.
const (
	Init        Type = "init"         // client: I would like to log in
	AuthRequest Type = "auth-request" // gateway: fill in this form
	AuthReply   Type = "auth-reply"   // client: filled in
	Complete    Type = "complete"     // gateway: you are in
	Logout      Type = "logout"       // client: forget my session
)

// Document is one config-auth document. Only what belongs to its type is set.
type Document struct {
	Type          Type
	AggregateAuth string // aggregate-auth-version, "2" from those who say it
	From          string // who of <version>: vpn is a client, sg a gateway
	Version       string
	Device        Device
	Capabilities  []string // auth-method elements of a client
	Opaque        []byte   // the whole <opaque> element; a client sends it back byte for byte
	SessionID     string
	SessionToken  secret.String
	Auth          *Auth
	GroupAccess   string // URL that the client was given
	GroupSelect   string // value of the chosen group, or its name
	CertFail      bool   // client-cert-fail: asked for a certificate, the client has none
	CertRequest   bool   // client-cert-request: come back on a new connection and show a certificate
	CertAccepted  bool   // cert-authenticated: the certificate that the client showed counts
	CertHash      string // server-cert-hash: SHA-1 of the gateway's certificate, upper-case hex
	Extra         [][]byte
}

// Device is what a client tells about its machine. Nothing in it is proved.
type Device struct {
	ID       string // such as linux-64
	Kind     string // device-type
	Platform string // platform-version
	Unique   string // unique-id
}

// Auth is the question to the user or the answer.
type Auth struct {
	ID      string // main, challenge or success
	Title   string
	Message string
	Banner  string
	Error   *Error
	Form    *Form
	Values  Values // auth-reply only: what the user filled in
}

// Error is why a form comes back. Text may hold %s, filled from the two parameters.
type Error struct {
	ID, Param1, Param2, Text string
}

// Form is what a gateway wants filled in.
type Form struct {
	Method string // post
	Action string // path to post to; empty: where this form came from
	Inputs []Input
}

// Input is one field of a form.
type Input struct {
	Type    string // text, password, hidden, …; select when the user chooses among Options
	Name    string
	Label   string
	Value   string
	Second  bool // second-auth: asked for besides the password
	Options []Option
}

// Select is the Type of an Input that offers Options; the wire spells it as an element of its own.
const Select = "select"

// Option is one choice of a select.
type Option struct {
	Value    string
	Text     string
	Selected bool
	Second   bool // second-auth: fields with that mark are for this choice, too
	NoAAA    bool // noaaa: this choice takes neither user name nor password
}

// ParseDocument reads a config-auth document. Elements it does not know are kept in Extra when they
// stand at the top, and passed over elsewhere.
func ParseDocument(body []byte) (Document, error) {
	root, err := parseTree(body)
	if err != nil {
		return Document{}, err
	}
	if root.name != "config-auth" {
		return Document{}, fmt.Errorf("vpnauth: root element is %q, not config-auth", root.name)
	}
	d := Document{Type: Type(root.attr("type")), AggregateAuth: root.attr("aggregate-auth-version")}
	if d.Type == "" {
		return Document{}, fmt.Errorf("vpnauth: config-auth has no type")
	}
	for _, e := range root.children {
		d.take(e)
	}
	return d, nil
}

func (d *Document) take(e *element) {
	switch e.name {
	case "version":
		d.From, d.Version = e.attr("who"), e.trimmed()
	case "device-id":
		d.Device = Device{ID: e.trimmed(), Kind: e.attr("device-type"), Platform: e.attr("platform-version"), Unique: e.attr("unique-id")}
	case "capabilities":
		for _, c := range e.all("auth-method") {
			d.Capabilities = append(d.Capabilities, c.trimmed())
		}
	case "opaque":
		d.Opaque = bytes.Clone(e.raw)
	case "session-id":
		d.SessionID = e.trimmed()
	case "session-token":
		d.SessionToken = secret.New(e.trimmed())
	case "auth":
		d.Auth = parseAuth(e, d.Type)
	case "group-access":
		d.GroupAccess = e.trimmed()
	case "group-select":
		d.GroupSelect = e.trimmed()
	case "client-cert-fail":
		d.CertFail = true
	case "client-cert-request":
		d.CertRequest = true
	case "cert-authenticated":
		d.CertAccepted = true
	case "config":
		if base := e.first("vpn-base-config"); base != nil {
			if hash := base.first("server-cert-hash"); hash != nil {
				d.CertHash = hash.trimmed()
			}
		}
	default:
		d.Extra = append(d.Extra, bytes.Clone(e.raw))
	}
}

func parseAuth(e *element, of Type) *Auth {
	auth := &Auth{ID: e.attr("id")}
	if of == AuthReply {
		for _, c := range e.children {
			if fieldName.MatchString(c.name) {
				auth.Values = append(auth.Values, Value{Name: c.name, Text: secret.New(c.text)})
			}
		}
		return auth
	}
	for _, c := range e.children {
		switch c.name {
		case "title":
			auth.Title = c.trimmed()
		case "message":
			auth.Message = c.trimmed()
		case "banner":
			auth.Banner = c.trimmed()
		case "error":
			auth.Error = &Error{ID: c.attr("id"), Param1: c.attr("param1"), Param2: c.attr("param2"), Text: c.trimmed()}
		case "form":
			auth.Form = parseFormElement(c)
		}
	}
	return auth
}

func parseFormElement(e *element) *Form {
	form := &Form{Method: e.attr("method"), Action: e.attr("action")}
	for _, c := range e.children {
		switch c.name {
		case "input":
			if c.attr("type") == Select {
				continue // a choice without options; the wire spells choices as <select>
			}
			form.Inputs = append(form.Inputs, Input{Type: c.attr("type"), Name: c.attr("name"), Label: c.attr("label"), Value: c.attr("value"), Second: c.attr("second-auth") == "1"})
		case "select":
			choice := Input{Type: Select, Name: c.attr("name"), Label: c.attr("label")}
			for _, o := range c.all("option") {
				option := Option{Value: o.attr("value"), Text: o.trimmed(), Selected: strings.EqualFold(o.attr("selected"), "true"),
					Second: o.attr("second-auth") == "1", NoAAA: o.attr("noaaa") == "1"}
				if option.Value == "" {
					option.Value = option.Text
				}
				choice.Options = append(choice.Options, option)
			}
			form.Inputs = append(form.Inputs, choice)
		}
	}
	return form
}

// fieldName is what a form field's name may be, so that it can stand as an element in an auth-reply.
var fieldName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// String prints the document's type; its contents may be secret.
func (d Document) String() string { return "config-auth " + string(d.Type) }

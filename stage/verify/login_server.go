package verify

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/wire/vpnauth"
)

// Limits of a connection that has not sent its CONNECT yet. They are ocserv's, which every known client
// lives with; MaxTries is ours.
const (
	MaxRequests = 16
	MaxTries    = 3 // wrong passwords on one connection; phones get one
	LoginTime   = 240 * time.Second
)

// Group is a tunnel group as a login sees it.
type Group struct {
	Name         string
	Aliases      []string // what people may choose it by
	Banner       string   // shown after the login; empty for none
	Phones       bool     // phones log in here
	LegacyPhones bool     // connections with old TLS may log in here

	Certificate  bool   // a login needs a client certificate
	NoPassword   bool   // and nothing else
	SecondFactor string // what the form calls the field for a second factor; empty: it has none
}

// Config is what a Server must know. Group is required.
type Config struct {
	// Group finds the group of a group URL: the host as the client wrote it, with its port if it wrote
	// one, and the path, byte for byte. It never returns a default group: a phone on an unknown URL must
	// be told so.
	Group func(host, path string) (Group, bool)
	// Listed are the groups that people may choose by alias on a URL that belongs to no group; nil means
	// none. Groups without an alias cannot be chosen.
	Listed []Group
	// Certificate is the hash of the certificate that this connection presents, told to AnyConnect.
	Certificate Hash
	// Client judges the client's certificate by the authorities of a group: nil without an error when the
	// client has shown none. nil stands for clients that are asked for none.
	Client func(group string) (*ClientCertificate, error)
	// OnlyUser is who logs in to a group from a phone that sends no user name; empty, or nil: nobody.
	OnlyUser func(group string) string
	// Old marks a connection with TLS below 1.2 or without ECDHE: it reaches only groups with
	// LegacyPhones.
	Old bool
}

// Request is one HTTP request before the tunnel, body included.
type Request struct {
	Method string
	Path   string // as sent, without the query
	Host   string
	Minor  int // of HTTP/1.Minor
	Header http.Header
	Body   []byte // at most vpnauth.MaxBody; the reader stops there
}

// NewRequest takes over what net/http read.
func NewRequest(r *http.Request, body []byte) Request {
	return Request{Method: r.Method, Path: pathOf(r.URL), Host: r.Host, Minor: r.ProtoMinor, Header: r.Header, Body: body}
}

// pathOf returns the path as it was written, "/" when there is none.
func pathOf(u *url.URL) string {
	if path := u.EscapedPath(); path != "" {
		return path
	}
	return "/"
}

// Agent returns the class of program that the request claims to come from.
func (r Request) Agent() vpnauth.Agent { return vpnauth.AgentOf(r.Header.Get("User-Agent")) }

func (r Request) lasting() bool {
	connection := r.Header.Get("Connection")
	if r.Minor == 0 {
		return hasToken(connection, "keep-alive")
	}
	return !hasToken(connection, "close")
}

// Action is what the gateway does next. The actions of one call are done in their order.
type Action interface{ action() }

type (
	// Send writes the reply to the connection.
	Send struct{ Reply vpnauth.Reply }
	// Authenticate asks for the password to be checked. The answer goes to Authenticated; until then the
	// gateway reads no further request from this connection.
	Authenticate struct {
		Group        string
		User         string
		Password     secret.String      // missing where the group takes none, and with a State
		SecondFactor secret.String      // from a second field or, with a State, the answer to that challenge
		State        string             // of the Challenged that this answers
		Certificate  *ClientCertificate // the client's; nil when it has shown none that the group takes
		Device       vpnauth.Device     // what an XML client tells of itself; unproved
		Agent        vpnauth.Agent
	}
	// Forget ends the session of this cookie: its user logged out.
	Forget struct{ Token secret.String }
	// Report says that a login cannot go on for a reason that an operator can mend.
	Report struct {
		Reason Reason
		Host   string
		Path   string
		Agent  vpnauth.Agent
		Group  string // empty when it went no further than the URL
		User   string // that the client names or its certificate, as far as it got
		Err    error  // why a certificate does not count
	}
	// FirstContact holds a phone's request for the log, secrets masked: no real phone's requests are
	// published, so each is worth keeping.
	FirstContact struct {
		Line   string // request line
		Header vpnauth.Headers
		Body   string // of a form
	}
	// Unfollowed says that a client which is no passer-by asks for what nobody knows how to answer. It comes beside the
	// refusal.
	Unfollowed struct {
		What    string // the client does, as a verb and what follows it
		Contact FirstContact
	}
	// Close ends the connection after what was sent before.
	Close struct{}
)

func (Send) action()         {}
func (Authenticate) action() {}
func (Forget) action()       {}
func (Report) action()       {}
func (FirstContact) action() {}
func (Unfollowed) action()   {}
func (Close) action()        {}

// Reason is why a login got no further before anything was checked.
type Reason int

// The reasons. The first three are group-url-mismatch to a phone.
const (
	UnknownGroupURL  Reason = iota + 1 // no group has this URL
	GroupNotForPhone                   // the group has it, and is not for phones
	OldTLS                             // the group does not let old TLS in
	NoCertificate                      // the group needs a certificate, and the client has shown none
	BadCertificate                     // the group needs a certificate, and the client's does not count
	OtherUser                          // the user name is not the certificate's
	QuestionForPhone                   // the login goes on with a question, and phones cannot answer
)

func (r Reason) String() string {
	switch r {
	case UnknownGroupURL:
		return "no group has this URL"
	case GroupNotForPhone:
		return "the group is not for phones"
	case OldTLS:
		return "the group does not allow old TLS"
	case NoCertificate:
		return "the client has shown no certificate"
	case BadCertificate:
		return "the client's certificate does not count"
	case OtherUser:
		return "the user name is not the certificate's"
	case QuestionForPhone:
		return "the login asks a further question, and phones cannot answer"
	}
	return fmt.Sprintf("reason %d", int(r))
}

// Result is the outcome of an Authenticate.
type Result struct {
	Verdict Verdict
	Token   secret.String // value of the session's webvpn cookie; only with Accepted
	Prompt  string        // the question; only with Challenged
	State   string        // names the challenge; its answer comes with it
}

// Verdict is what became of a login.
type Verdict int

// The verdicts. The zero value refuses.
const (
	Denied     Verdict = iota // wrong user, password or group lock; clients are not told which
	Accepted                  // Result.Token is the session
	Busy                      // not checked: too much to do; come back later
	Challenged                // right so far: Result.Prompt is a further question
)

// State is where a connection's login stands.
//
//	             GET by a phone               all that the group wants has come
//	Start ─────────────────────▶ WaitPost ──────────────────▶ Checking
//	  │                             ▲                            │
//	  │  form, or a certificate is  │    denied or challenged,   │
//	  │  asked for                  │    who can read            │
//	  └─────────────────────────────┴────────────────────────────┤
//	                                                    accepted │ denied phone, too many tries, busy,
//	                                                             │ no certificate that counts
//	             any request starts again from Authed ◀──────────┴──────────▶ Closed
type State int

// The states.
const (
	Start State = iota
	WaitPost
	Checking
	Authed
	Closed
)

func (s State) String() string {
	return [...]string{"start", "wait-post", "checking", "authed", "closed"}[s]
}

// Server is the gateway's end of the login conversations on one TLS connection.
type Server struct {
	config   Config
	state    State
	deadline time.Time
	requests int
	tries    int
	minor    int    // of the request being answered
	lasting  bool   // the client keeps the connection after this reply
	pending  login  // what is being checked
	user     string // who is being checked
}

// login is one attempt: where the form stood and in which dialogue.
type login struct {
	talk   dialogue
	group  Group
	listed bool   // chosen from those listed, not by URL
	path   string // where the form posts to
	from   Report // where it came from
	xml    bool   // the client sends documents, so it knows what one without a form means

	client *ClientCertificate // shown by the client and taken by the group
	unfit  error              // why what it has shown is not taken
}

// dialogue is the way in which a client wants to log in.
type dialogue int

const (
	phoneTalk    dialogue = iota // cookies say what to do, bodies are empty
	documentTalk                 // XML documents, or an XML form answered by a form post
)

// NewServer begins a connection at now.
func NewServer(now time.Time, config Config) *Server {
	return &Server{config: config, deadline: now.Add(LoginTime)}
}

// State returns where the login stands.
func (s *Server) State() State { return s.state }

// Wake returns when Advance wants to be called; zero when never.
func (s *Server) Wake() time.Time {
	if s.state == Closed {
		return time.Time{}
	}
	return s.deadline
}

// Advance tells the server the time. A connection that has not come to its CONNECT within LoginTime is
// closed; the gateway drops the Server at CONNECT.
func (s *Server) Advance(now time.Time) []Action {
	if s.state == Closed || now.Before(s.deadline) {
		return nil
	}
	s.state = Closed
	return []Action{Close{}}
}

// Received tells the server of the connection's next request. It is an error of the caller while a
// password is being checked and after Close.
func (s *Server) Received(now time.Time, r Request) ([]Action, error) {
	if s.state == Checking || s.state == Closed {
		return nil, fmt.Errorf("verify: %s %s in state %s", r.Method, r.Path, s.state)
	}
	if late := s.Advance(now); late != nil {
		return late, nil
	}
	if s.requests++; s.requests > MaxRequests {
		s.state = Closed
		return append(s.unfollowed(r, fmt.Sprintf("has asked %d times and come to no tunnel", MaxRequests)), Close{}), nil
	}
	s.minor, s.lasting = r.Minor, r.lasting()
	var actions []Action
	if r.Agent() == vpnauth.PhoneAgent {
		actions = append(actions, Masked(r))
	}
	return append(actions, s.answer(r)...), nil
}

func (s *Server) answer(r Request) []Action {
	switch {
	case len(r.Body) > vpnauth.MaxBody:
		return s.strange(r, http.StatusRequestEntityTooLarge, fmt.Sprintf("sends more than %d bytes in a request", vpnauth.MaxBody))
	case r.Path == "/logout":
		token, _ := vpnauth.ParseCookies(r.Header.Values("Cookie")...).Get(vpnauth.SessionCookie)
		return s.loggedOut(token)
	case r.Method == http.MethodGet:
		return s.opened(r)
	case r.Method != http.MethodPost:
		return s.strange(r, http.StatusMethodNotAllowed, fmt.Sprintf("sends the method %q in its login", r.Method))
	case bytes.HasPrefix(bytes.TrimLeft(r.Body, "\ufeff \t\r\n"), []byte("<")):
		return s.posted(r)
	}
	return s.filled(r)
}

// opened answers a GET: the form, or for a phone the two cookies that make it send its password.
func (s *Server) opened(r Request) []Action {
	if known, ok := s.sideways(r); ok {
		return known
	}
	l, reason := s.find(r, "")
	if reason != 0 {
		return s.unknown(r, reason)
	}
	return s.begin(l, Authenticate{Agent: r.Agent()}, true)
}

// filled answers a form post.
func (s *Server) filled(r Request) []Action {
	values, err := vpnauth.ParseForm(r.Body)
	if err != nil {
		return s.strange(r, http.StatusBadRequest, "posts a form that cannot be read")
	}
	selected, _ := values.Get("group_list")
	l, reason := s.find(r, selected.Reveal())
	if reason != 0 {
		return s.unknown(r, reason)
	}
	actions := s.check(l, values, Authenticate{Agent: r.Agent()})
	_, named := values.Get("username")
	_, proved := values.Get("password")
	if l.talk == phoneTalk && len(values) > 0 && !named && !proved && !l.group.NoPassword {
		return append(s.unfollowed(r, "posts a form with neither user name nor password"), actions...)
	}
	return actions
}

// posted answers an XML document.
func (s *Server) posted(r Request) []Action {
	doc, err := vpnauth.ParseDocument(r.Body)
	if err != nil {
		return s.strange(r, http.StatusBadRequest, "posts a document that cannot be read")
	}
	if doc.Type == vpnauth.Logout {
		return s.loggedOut(doc.SessionToken)
	}
	if at, err := url.Parse(doc.GroupAccess); err == nil && at.Host != "" {
		if _, known := s.config.Group(at.Host, pathOf(at)); known {
			r.Host, r.Path = at.Host, pathOf(at)
		}
	}
	l, reason := s.find(r, s.selected(doc))
	if reason != 0 {
		return s.unknown(r, reason)
	}
	l.talk, l.xml = documentTalk, true
	a := Authenticate{Agent: r.Agent(), Device: doc.Device}
	switch {
	case doc.Type == vpnauth.Init:
		return s.begin(l, a, doc.CertFail)
	case doc.Type == vpnauth.AuthReply && doc.Auth != nil:
		return s.check(l, doc.Auth.Values, a)
	}
	return s.strange(r, http.StatusBadRequest, fmt.Sprintf("posts a document of type %q", doc.Type))
}

// strange refuses what nobody knows how to answer.
func (s *Server) strange(r Request, status int, what string) []Action {
	return append(s.unfollowed(r, what), s.refuse(status, "")...)
}

// unfollowed tells of a request, unless it is a passer-by's: who neither calls itself a VPN client nor knows where phones
// log in may be anybody who tries doors.
func (s *Server) unfollowed(r Request, what string) []Action {
	group, known := s.config.Group(r.Host, r.Path)
	if r.Agent() == vpnauth.OtherAgent && (!known || !group.Phones || r.Path == "/") {
		return nil
	}
	return []Action{Unfollowed{what, Masked(r)}}
}

// selected is the choice among the listed groups: what the user chose or else, because a form with one
// group offers none, the group that the form was for. An opaque element of another gateway says nothing.
func (s *Server) selected(doc vpnauth.Document) string {
	if doc.GroupSelect != "" {
		return doc.GroupSelect
	}
	if group, ok := choose(s.listed(), vpnauth.OpaqueGroup(doc.Opaque)); ok {
		return group.Name
	}
	return ""
}

// begin answers a client that has filled in nothing yet. A phone is asked in any case: it sends what it
// has, if only an empty form.
func (s *Server) begin(l login, a Authenticate, certFail bool) []Action {
	if l.talk == phoneTalk {
		return s.ask(l, nil)
	}
	if refused := s.uncertified(l, certFail); refused != nil {
		return refused
	}
	if l.group.NoPassword {
		return s.verify(l, a)
	}
	return s.ask(l, nil)
}

// uncertified answers a client that needs a certificate and has shown none that counts. Who speaks XML is
// asked for it once, since its certificate may be one that it shows only then; asked is that it was.
func (s *Server) uncertified(l login, asked bool) []Action {
	if !l.group.Certificate || l.client != nil {
		return nil
	}
	if l.xml && l.unfit == nil && !asked {
		return s.wantCertificate(l)
	}
	s.pending = l
	reason := NoCertificate
	if l.unfit != nil {
		reason = BadCertificate
	}
	return append([]Action{s.report(l, reason)}, s.turnAway("Your certificate is missing or not accepted here.")...)
}

// check passes on what was filled in, or asks again when a field is missing. An empty password counts as
// filled in.
func (s *Server) check(l login, values vpnauth.Values, a Authenticate) []Action {
	if refused := s.uncertified(l, true); refused != nil {
		return refused
	}
	if l.group.NoPassword {
		return s.verify(l, a)
	}
	user, named := s.userOf(l, values)
	handle, _ := values.Get(handleField)
	answer := answerOf(values)
	password, proved := values.Get("password")
	if !named || !proved && (handle.IsZero() || answer.IsZero()) {
		return s.ask(l, nil)
	}
	a.User, a.State, a.SecondFactor = user, handle.Reveal(), answer
	if a.State == "" {
		a.Password = password
		a.SecondFactor, _ = values.Get(secondField)
	}
	if l.group.Certificate && user != l.client.Name {
		s.pending = l
		return append([]Action{s.report(l, OtherUser)}, s.denied()...)
	}
	return s.verify(l, a)
}

// verify has a login checked.
func (s *Server) verify(l login, a Authenticate) []Action {
	a.Group, a.Certificate = l.group.Name, l.client
	if l.group.NoPassword {
		a.User = l.client.Name
	}
	s.pending, s.user, s.state = l, a.User, Checking
	return []Action{a}
}

// userOf decides under which name somebody logs in, and reports false when there is none: the one that was
// typed, else the certificate's, else on a phone the group's only user. Nobody has published what a phone
// with authMethod 1 (password only) sends as user name (docs/wire/vpn-login.md#requests-of-a-phone).
func (s *Server) userOf(l login, values vpnauth.Values) (string, bool) {
	typed, there := values.Get("username")
	switch {
	case !typed.IsZero():
		return typed.Reveal(), true
	case l.client != nil:
		return l.client.Name, true
	case l.talk == phoneTalk && s.config.OnlyUser != nil:
		only := s.config.OnlyUser(l.group.Name)
		return only, there || only != ""
	}
	return "", there
}

// Fields of our forms. OpenConnect fills in one-time codes where a field is called secondary_password, and
// sends the fields answer and password both as password.
const (
	secondField = "secondary_password"
	handleField = "auth_handle" // names the challenge, hidden
)

func answerOf(values vpnauth.Values) secret.String {
	for _, name := range []string{secondField, "answer", "password"} {
		if answer, _ := values.Get(name); !answer.IsZero() {
			return answer
		}
	}
	return secret.String{}
}

// Authenticated tells the server the outcome of its Authenticate.
func (s *Server) Authenticated(now time.Time, result Result) ([]Action, error) {
	if s.state != Checking {
		return nil, fmt.Errorf("verify: a login result in state %s", s.state)
	}
	if late := s.Advance(now); late != nil {
		return late, nil
	}
	switch result.Verdict {
	case Accepted:
		s.state = Authed
		return s.accept(result.Token), nil
	case Busy:
		return s.refuse(http.StatusServiceUnavailable, "", append(s.forPhone(), vpnauth.Field{Name: "X-Reason", Value: "busy"})...), nil
	case Challenged:
		return s.challenge(result), nil
	}
	return s.denied(), nil
}

// denied answers a login that is wrong: the form again, but for phones and at the last try.
func (s *Server) denied() []Action {
	s.tries++
	switch {
	case s.pending.talk == phoneTalk || s.tries == MaxTries:
		return s.refuse(http.StatusUnauthorized, "Authentication failed", s.forPhone()...)
	case s.pending.group.NoPassword:
		return s.turnAway("Login failed.")
	}
	return s.ask(s.pending, &vpnauth.Error{ID: "13", Text: "Login failed."})
}

func (s *Server) report(l login, reason Reason) Report {
	r := l.from
	r.Reason, r.Group, r.Err = reason, l.group.Name, l.unfit
	if l.client != nil {
		r.User = l.client.Name
	}
	return r
}

// find decides which group a request is for: its URL's, or at the root the one selected among those
// listed, first if none is.
func (s *Server) find(r Request, selected string) (login, Reason) {
	group, ok := s.config.Group(r.Host, r.Path)
	l := login{talk: documentTalk, group: group, path: r.Path, from: Report{Host: r.Host, Path: r.Path, Agent: r.Agent()}}
	if !ok && slices.Contains(roots, r.Path) && r.Agent() != vpnauth.PhoneAgent {
		l.group, ok = choose(s.listed(), selected)
		l.listed = true
	}
	if r.Agent() == vpnauth.PhoneAgent || r.Agent() == vpnauth.OtherAgent && group.Phones {
		l.talk = phoneTalk
	}
	switch {
	case !ok:
		return l, UnknownGroupURL
	case r.Agent() == vpnauth.PhoneAgent && !group.Phones:
		return l, GroupNotForPhone
	case s.config.Old && !l.group.LegacyPhones:
		return l, OldTLS
	}
	if s.config.Client != nil {
		l.client, l.unfit = s.config.Client(l.group.Name)
	}
	return l, 0
}

// roots are the paths that stand for the gateway as a whole; the others are where clients of other
// gateways begin.
var roots = []string{"/", "/auth", "/VPN"}

// listed returns the groups that may be chosen on this connection.
func (s *Server) listed() []Group {
	var groups []Group
	for _, g := range s.config.Listed {
		if len(g.Aliases) > 0 && (g.LegacyPhones || !s.config.Old) {
			groups = append(groups, g)
		}
	}
	return groups
}

// choose takes an alias or, because some clients send it back, the name.
func choose(groups []Group, selected string) (Group, bool) {
	for _, g := range groups {
		if selected == "" || selected == g.Name || slices.Contains(g.Aliases, selected) {
			return g, true
		}
	}
	return Group{}, false
}

func hasToken(header, token string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if strings.EqualFold(strings.TrimSpace(part), token) {
			return true
		}
	}
	return false
}

package register

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/wire/sip"
)

// How a phone behaves.
const (
	asked = 3600 * time.Second // what it asks for; an enterprise server gives less
	early = 5 * time.Second    // how much before the end it refreshes
	// firstRetry doubles with each failure up to lastRetry.
	firstRetry = 2 * time.Second
	lastRetry  = 2 * time.Minute
	// farewell is how long it waits for the answer when it takes its registration back.
	farewell = 4 * time.Second
	// maxChallenges is how often in a row it answers a challenge: the first, and nonces gone stale.
	maxChallenges = 3
)

// deviceSupported is what an enterprise phone says it can do, as far as we can.
const deviceSupported = "X-cisco-sis-7.0.0"

// RegistrationConfig is what a Registration needs. Device may be the zero value: then the phone
// registers like any standard phone.
type RegistrationConfig struct {
	Server      string // host of the call manager, as it stands in the phone's file
	Port        uint16 // of the call manager; 0 means 5060
	Transport   sip.Transport
	Line        string
	AuthName    string // user name of digest login; empty: the line
	Secret      secret.String
	DisplayName string
	Device      sip.Device
	User        string // user part of the Contact; empty: the line
	Load        string // firmware, for the restart alarm
	// Look has it ask first where the line is registered, and leave it to who is there.
	Look      bool
	UserAgent string
	Rand      io.Reader
}

// state is where a Registration stands.
//
//	resting --Start, time--> connecting --Connected--> asking --200--> registered --time--> asking
//	connecting --Connected--> looking --nobody, no word--> asking      looking --somebody--> ended
//	looking, asking --401--> the same (once per nonce), or resting     looking, asking --silence--> resting
//	asking --refusal--> resting
//	any --Stop--> leaving --answer, time--> ended
type state int

const (
	resting state = iota
	connecting
	looking
	asking
	registered
	leaving
	ended
)

// Registration is the phone's half: it keeps one line registered.
type Registration struct {
	config     RegistrationConfig
	state      state
	local      netip.AddrPort
	callID     string
	tag        string
	cseq       uint32
	request    *sip.Message // the one whose answer we wait for
	login      *login       // the challenge we know, for the next request
	challenges int          // answered in a row without success
	told       bool         // the restart alarm has been accepted
	looked     bool         // nobody is registered, or the call manager does not say
	wake       time.Time
	retry      time.Duration
}

type login struct {
	challenge sip.Challenge
	proxy     bool
	count     uint32
}

// NewRegistration makes a registration that rests until Start. It returns an error when Rand gives nothing.
func NewRegistration(config RegistrationConfig) (*Registration, error) {
	r := &Registration{config: config, retry: firstRetry}
	var random [24]byte
	if _, err := io.ReadFull(config.Rand, random[:]); err != nil {
		return nil, fmt.Errorf("register: call id: %w", err)
	}
	r.callID, r.tag = hex.EncodeToString(random[:16]), hex.EncodeToString(random[16:])
	return r, nil
}

// Start begins to register.
func (r *Registration) Start() []Action {
	if r.state != resting {
		return nil
	}
	r.state, r.wake = connecting, time.Time{}
	return []Action{Connect{}}
}

// Connected tells that the call manager can be spoken to from this own address.
func (r *Registration) Connected(local netip.AddrPort) []Action {
	if r.state != connecting {
		return nil
	}
	r.local, r.state = local, asking
	if r.config.Look && !r.looked {
		r.state = looking
	}
	return r.send(asked)
}

// Unreachable tells that no connection could be made.
func (r *Registration) Unreachable(now time.Time, why string) []Action {
	if r.state == leaving {
		return r.end()
	}
	return r.rest(now, Unreachable{why})
}

// Lost tells that the connection is gone. The phone comes back at once, and slower if that fails too.
func (r *Registration) Lost(now time.Time) []Action {
	switch r.state {
	case leaving:
		return r.end()
	case registered:
		r.state = resting
		return r.Start()
	case looking, asking:
		return r.rest(now, Unreachable{"the connection was closed"})
	}
	return nil
}

// Failed tells that a request was not answered.
func (r *Registration) Failed(now time.Time, request *sip.Message, why string) []Action {
	if request != r.request {
		return nil
	}
	return r.Unreachable(now, why)
}

// rest waits before the next attempt, longer each time.
func (r *Registration) rest(now time.Time, report Action) []Action {
	if r.state == ended {
		return nil
	}
	r.state, r.request, r.challenges, r.wake = resting, nil, 0, now.Add(r.retry)
	r.retry = min(2*r.retry, lastRetry)
	return []Action{report}
}

// Answered decides on the call manager's answer.
func (r *Registration) Answered(now time.Time, request, response *sip.Message) []Action {
	if request != r.request || !response.Final() {
		return nil
	}
	r.request = nil
	switch {
	case response.Status == 401 || response.Status == 407:
		return r.challenged(now, response)
	case r.state == leaving:
		return r.end()
	case r.state == looking:
		return r.found(response)
	case response.OK():
		return r.accepted(now, response)
	}
	return r.rest(now, Refused{response.Status, reason(response)})
}

// found decides on the answer to who is registered (RFC 3261 10.2.3). Another phone on the same line, by its instance, is
// not in the way; neither is a call manager that does not say.
func (r *Registration) found(response *sip.Message) []Action {
	var others []sip.Address
	if response.OK() {
		contacts, _ := response.Contacts() // what cannot be read is no word
		for _, c := range contacts {
			if !r.another(c) {
				others = append(others, c)
			}
		}
	}
	if len(others) > 0 {
		return append([]Action{Occupied{others}}, r.end()...)
	}
	r.state, r.looked, r.challenges = asking, true, 0
	return r.send(asked)
}

// another reports whether a contact is known to be another phone's than this one's own.
func (r *Registration) another(c sip.Address) bool {
	device, named := sip.DeviceOf(c)
	own := r.config.Device
	if named && own.Name != "" {
		return device.Name != own.Name
	}
	return device.Instance != "" && own.Instance != "" && device.Instance != own.Instance
}

// reason adds the server's own words to the phrase of the status.
func reason(response *sip.Message) string {
	if w := response.Fields.Get("Warning"); w != "" {
		return fmt.Sprintf("%d %s (%s)", response.Status, response.Reason, w)
	}
	return fmt.Sprintf("%d %s", response.Status, response.Reason)
}

func (r *Registration) challenged(now time.Time, response *sip.Message) []Action {
	next, err := readChallenge(response)
	answered := r.challenges > 0 && !(err == nil && next.challenge.Stale)
	r.login = nil
	r.challenges++
	switch hopeless := err != nil || answered || r.challenges > maxChallenges; {
	case hopeless && r.state == leaving:
		return r.end()
	case err != nil:
		return r.rest(now, Refused{0, err.Error()})
	case hopeless:
		return r.rest(now, Refused{response.Status, "the secret is not accepted"})
	}
	r.login = next
	if r.state == leaving {
		return r.send(0)
	}
	return r.send(asked) // or asks who is registered, again
}

// readChallenge returns the first challenge of a 401 or 407 that we can answer.
func readChallenge(response *sip.Message) (*login, error) {
	l, field := &login{proxy: response.Status == 407}, "WWW-Authenticate"
	if l.proxy {
		field = "Proxy-Authenticate"
	}
	err := fmt.Errorf("register: %d without a challenge", response.Status)
	for _, text := range response.Fields.All(field) {
		if l.challenge, err = sip.ParseChallenge(text); err == nil {
			break
		}
	}
	return l, err
}

func (r *Registration) accepted(now time.Time, response *sip.Message) []Action {
	granted := r.granted(response)
	if granted <= early {
		return r.rest(now, Refused{0, fmt.Sprintf("the answer grants %v, too short to refresh", granted)})
	}
	r.state, r.challenges, r.told, r.retry = registered, 0, true, firstRetry
	until := now.Add(granted)
	r.wake = until.Add(-early)
	return []Action{Accepted{until}}
}

// granted reads how long the registration lasts: from our Contact in the answer, else from Expires.
func (r *Registration) granted(response *sip.Message) time.Duration {
	contacts, _ := response.Contacts()
	ours := r.Contact()
	for _, c := range contacts {
		n, err := strconv.ParseUint(c.Params.Get("expires"), 10, 31)
		if err == nil && c.URI.User == ours.User && c.URI.Port == ours.Port {
			return time.Duration(n) * time.Second
		}
	}
	n, _ := response.Expires()
	return time.Duration(n) * time.Second
}

// Stop takes the registration back; Finished follows.
func (r *Registration) Stop(now time.Time) []Action {
	switch r.state {
	case leaving, ended:
		return nil
	case looking:
		return r.end() // nothing was registered
	case registered, asking:
		r.state, r.challenges, r.wake = leaving, 0, now.Add(farewell)
		return r.send(0)
	}
	return r.end()
}

func (r *Registration) end() []Action {
	r.state, r.request, r.wake = ended, nil, time.Time{}
	return []Action{Finished{}}
}

// Advance refreshes, or tries again.
func (r *Registration) Advance(now time.Time) []Action {
	if r.wake.IsZero() || now.Before(r.wake) {
		return nil
	}
	r.wake = time.Time{}
	switch r.state {
	case registered:
		r.state = asking
		return r.send(asked)
	case resting:
		return r.Start()
	case leaving:
		return r.end()
	}
	return nil
}

// Wake returns when Advance wants to be called next; zero when nothing waits.
func (r *Registration) Wake() time.Time { return r.wake }

// CallID returns the Call-ID of the phone's REGISTER, which an order of its call manager must name.
func (r *Registration) CallID() string { return r.callID }

// Contact returns the address that the phone gives for itself.
func (r *Registration) Contact() sip.URI {
	uri := sip.URI{Scheme: "sip", User: r.config.User, Host: r.local.Addr().String(), Port: r.local.Port()}
	if uri.User == "" {
		uri.User = r.config.Line
	}
	if r.config.Transport != sip.UDP {
		uri.Params = sip.Params{{Name: "transport", Value: strings.ToLower(string(r.config.Transport))}}
	}
	return uri
}

func (r *Registration) send(expires time.Duration) []Action {
	r.cseq++
	server := sip.URI{Scheme: "sip", Host: r.config.Server}
	if r.config.Port != 5060 {
		server.Port = r.config.Port
	}
	line := sip.URI{Scheme: "sip", User: r.config.Line, Host: r.config.Server}
	from := sip.Address{Name: r.config.DisplayName, URI: line, Params: sip.Params{{Name: "tag", Value: r.tag}}}
	contact := sip.Address{URI: r.Contact()}
	m := &sip.Message{Method: sip.Register, URI: server}
	m.Fields.Add("From", from.String())
	m.Fields.Add("To", sip.Address{URI: line}.String())
	m.Fields.Add("Call-ID", r.callID)
	m.Fields.Add("CSeq", fmt.Sprintf("%d %s", r.cseq, sip.Register))
	m.Fields.Add("User-Agent", r.config.UserAgent)
	if r.state == looking { // without a Contact it only asks
		r.authorize(m, server)
		r.request = m
		return []Action{Send{m}}
	}
	if device := r.config.Device; device.Name != "" {
		contact.Params = device.Params()
		m.Fields.Add("Supported", deviceSupported)
		if !r.told {
			m.Fields.Add("Reason", sip.Alarm{Number: 25, Name: device.Name, Load: r.config.Load, Last: "initialized"}.String())
		}
	}
	m.Fields.Add("Contact", contact.String())
	m.Fields.Add("Expires", seconds(expires))
	r.authorize(m, server)
	r.request = m
	return []Action{Send{m}}
}

// authorize answers the challenge we know; the same nonce serves until the server calls it stale.
func (r *Registration) authorize(m *sip.Message, uri sip.URI) {
	var random [8]byte
	if r.login == nil {
		return
	}
	if _, err := io.ReadFull(r.config.Rand, random[:]); err != nil {
		return // the server asks again, and the attempt is given up
	}
	r.login.count++
	name, field := r.config.AuthName, "Authorization"
	if name == "" {
		name = r.config.Line
	}
	if r.login.proxy {
		field = "Proxy-Authorization"
	}
	m.Fields.Add(field, r.login.challenge.Answer(name, r.config.Secret, sip.Register, uri.String(),
		hex.EncodeToString(random[:]), r.login.count).String())
}

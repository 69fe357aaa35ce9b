package radius

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	wire "layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"github.com/longcord/longcord/internal/secret"
)

// MaxPassword is the longest password that RADIUS carries, in bytes.
const MaxPassword = 128

// maxText is the longest text of one attribute, in bytes.
const maxText = 253

// ErrTooLong: the name or password does not fit in RADIUS, so no server knows it.
var ErrTooLong = errors.New("radius: name or password is too long")

// Question is one login, or the answer to a challenge.
type Question struct {
	User     string
	Password secret.String // or the answer
	State    []byte        // of the challenge that is answered
	Peer     netip.Addr    // where the login comes from
	Called   string        // tunnel group
}

// Answer is what a server says to a Question.
type Answer struct {
	Verdict Verdict
	Message string // for people: the challenge's prompt, or why the login is refused
	State   []byte // of a challenge, to be sent back with the answer to it

	GroupLock      string     // the one tunnel group that the user may use; empty: any
	Class          [][]byte   // to be sent back with accounts of the session
	Address        netip.Addr // inner address of the user's; not valid: the gateway chooses
	SessionTimeout time.Duration
	IdleTimeout    time.Duration
}

// Verdict is the kind of an Answer.
type Verdict int

// The verdicts. The zero value refuses.
const (
	Rejected Verdict = iota
	Accepted
	Challenged
)

// Authenticate asks the server. The error is a *NoAnswerError, ErrTooLong, or says that the request cannot
// be made.
func (s *Server) Authenticate(ctx context.Context, q Question) (Answer, error) {
	if len(q.User) > maxText || len(q.Password.Reveal()) > MaxPassword {
		return Answer{}, ErrTooLong
	}
	p := wire.New(wire.CodeAccessRequest, []byte(s.Key.Reveal()))
	prove, err := s.addCredentials(p, q)
	if err != nil {
		return Answer{}, err
	}
	s.addCaller(p, q.Peer, q.Called)
	question, err := sign(p)
	if err != nil {
		return Answer{}, fmt.Errorf("radius: %s: %w", s.Authentication, err)
	}
	reply, err := s.exchange(ctx, s.Authentication, question, func(reply []byte) error {
		return s.acceptable(reply, question, prove)
	})
	if err != nil {
		return Answer{}, err
	}
	return answerOf(reply)
}

// acceptable returns why a reply is not taken.
func (s *Server) acceptable(reply, question []byte, prove func(*wire.Packet) error) error {
	if err := genuine(reply, question, []byte(s.Key.Reveal()), s.Unsigned); err != nil {
		return err
	}
	p, err := wire.Parse(reply, []byte(s.Key.Reveal()))
	if err != nil {
		return err
	}
	if _, err := answerOf(p); err != nil {
		return err
	}
	if p.Code == wire.CodeAccessAccept {
		return prove(p)
	}
	return nil
}

// addCredentials says who logs in. The answer to a challenge is always sent as it is. What is returned
// checks the server's own proof, where there is one.
func (s *Server) addCredentials(p *wire.Packet, q Question) (prove func(*wire.Packet) error, err error) {
	prove = func(*wire.Packet) error { return nil }
	if err := rfc2865.UserName_AddString(p, q.User); err != nil {
		return nil, fmt.Errorf("radius: user name: %w", err)
	}
	if s.MSCHAPv2 && q.State == nil {
		return addMSCHAPv2(p, q)
	}
	if err := rfc2865.UserPassword_Add(p, []byte(q.Password.Reveal())); err != nil {
		return nil, fmt.Errorf("radius: password: %w", err)
	}
	if q.State != nil {
		err = rfc2865.State_Add(p, q.State)
	}
	return prove, err
}

// addCaller says where the login comes from and what it asks for. The texts are short.
func (s *Server) addCaller(p *wire.Packet, peer netip.Addr, called string) {
	add := func(t wire.Type, text string) {
		if text != "" {
			p.Add(t, wire.Attribute(text[:min(len(text), maxText)]))
		}
	}
	add(rfc2865.NASIdentifier_Type, s.NAS)
	add(rfc2865.CalledStationID_Type, called)
	if peer.IsValid() {
		add(rfc2865.CallingStationID_Type, peer.String())
	}
	p.Add(rfc2865.NASPortType_Type, wire.NewInteger(uint32(rfc2865.NASPortType_Value_Virtual)))
}

// answerOf reads a reply.
func answerOf(p *wire.Packet) (Answer, error) {
	a := Answer{Message: messageOf(p)}
	switch p.Code {
	case wire.CodeAccessReject:
		return a, nil
	case wire.CodeAccessChallenge:
		a.Verdict = Challenged
		a.State = p.Get(rfc2865.State_Type)
		return a, nil
	case wire.CodeAccessAccept:
		a.Verdict = Accepted
	default:
		return Answer{}, fmt.Errorf("its reply is a %s", p.Code)
	}
	for _, attribute := range p.Attributes {
		a.take(attribute)
	}
	return a, nil
}

// take reads one attribute of a welcome. What is broken or not known is passed over.
func (a *Answer) take(attribute *wire.AVP) {
	if attribute.Type == rfc2865.VendorSpecific_Type {
		a.takeVendor(attribute.Attribute)
		return
	}
	number, err := wire.Integer(attribute.Attribute)
	seconds := time.Duration(number) * time.Second
	switch {
	case attribute.Type == rfc2865.Class_Type && len(attribute.Attribute) > 0:
		a.Class = append(a.Class, attribute.Attribute)
	case err != nil:
	case attribute.Type == rfc2865.SessionTimeout_Type:
		a.SessionTimeout = seconds
	case attribute.Type == rfc2865.IdleTimeout_Type:
		a.IdleTimeout = seconds
	case attribute.Type == rfc2865.FramedIPAddress_Type:
		a.Address = framedAddress(attribute.Attribute)
	}
}

// The ASA's own attributes are VPN 3000's, RFC 2865 section 5.26 in form.
const (
	vpn3000         = 3076
	tunnelGroupLock = 85
)

// takeVendor reads the attributes of one vendor. Of all there are one counts: Tunnel-Group-Lock, in which
// none means none.
func (a *Answer) takeVendor(attribute wire.Attribute) {
	vendor, rest, err := wire.VendorSpecific(attribute)
	if err != nil || vendor != vpn3000 {
		return
	}
	for len(rest) >= 2 && rest[1] >= 2 && int(rest[1]) <= len(rest) {
		if lock := string(rest[2:rest[1]]); rest[0] == tunnelGroupLock && !strings.EqualFold(lock, "none") {
			a.GroupLock = lock
		}
		rest = rest[rest[1]:]
	}
}

// framedAddress returns the user's address; 255.255.255.255 lets the user choose one and 255.255.255.254
// the gateway (RFC 2865 section 5.8).
func framedAddress(a wire.Attribute) netip.Addr {
	addr := netip.AddrFrom4([4]byte(a))
	if addr.IsUnspecified() || addr.IsMulticast() || addr.IsLoopback() || addr.As4()[0] >= 240 {
		return netip.Addr{}
	}
	return addr
}

// messageOf joins the texts that a server has for people, without what a terminal or a phone would trip
// over.
func messageOf(p *wire.Packet) string {
	var text strings.Builder
	for _, attribute := range p.Attributes {
		if attribute.Type == rfc2865.ReplyMessage_Type {
			text.Write(attribute.Attribute)
		}
	}
	printable := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text.String())
	return strings.TrimSpace(printable)
}

// GroupPolicy returns the group policy that a class names, as the ASA reads it: OU=NAME; or the bare name.
// named tells the two apart: servers also use a class for purposes of their own, so a bare text that is
// no policy means nothing. It returns nothing for what is no text.
func GroupPolicy(class []byte) (policy string, named bool) {
	text := string(class)
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", false
	}
	for part := range strings.SplitSeq(text, ";") {
		part = strings.TrimSpace(part)
		if len(part) >= 3 && strings.EqualFold(part[:3], "OU=") {
			return strings.TrimSpace(part[3:]), true
		}
	}
	return strings.TrimSpace(text), false
}

// Address returns host and port as they are dialled; port 0 stands for otherwise.
func Address(host string, port, otherwise int) string {
	return net.JoinHostPort(host, fmt.Sprint(cmp.Or(port, otherwise)))
}

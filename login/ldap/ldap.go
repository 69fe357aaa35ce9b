// Package ldap asks a directory whether a name and a password belong together, and what it says of the
// user (RFC 4511).
//
// Server.Authenticate finds the user's entry by a search and then binds as that entry with the password.
// It follows no referrals, and sends no password over a connection whose other end it has not verified,
// unless it is told to. Which directory is asked when is package login's.
package ldap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
	"unicode/utf8"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/longcord/longcord/internal/secret"
)

const (
	maxName    = 256     // bytes of a user's name
	maxMessage = 1 << 20 // bytes of what a directory says at once; entries of users are far smaller
)

func init() { ber.MaxPacketLengthBytes = maxMessage }

// Server is a directory and how it is asked. Its methods may be called by several goroutines.
type Server struct {
	Host    string // as its certificate names it
	Port    string
	TLS     TLS
	Roots   *x509.CertPool // that its certificate leads to; nil: the system's
	Timeout time.Duration  // for one login

	BaseDN          string
	OneLevel        bool   // entries directly below BaseDN only
	NamingAttribute string // that holds the user's name
	Filter          string // that a user must fit besides; may be empty
	LoginDN         string // who searches; empty: nobody in particular
	LoginPassword   secret.String
	Attributes      []string // of the user's entry that are worth knowing
}

// TLS is how a connection is protected.
type TLS int

// The ways. The zero value is the one to use where both exist.
const (
	StartTLS TLS = iota // on the plain port, before anything else is said
	Over                // from the first byte
	Plain               // not at all
)

// Answer is what a directory says of a user.
type Answer struct {
	Refused    string // why, for the log; empty: name and password belong together
	User       string // as the directory writes it
	Attributes map[string][]string
}

// Authenticate asks about a user. The error means that nothing is known.
func (s *Server) Authenticate(ctx context.Context, user string, password secret.String) (Answer, error) {
	switch {
	case password.IsZero(): // a directory takes that for a visitor who does not say who he is, and lets him in
		return Answer{Refused: "empty password"}, nil
	case user == "" || len(user) > maxName || !utf8.ValidString(user) || strings.ContainsRune(user, 0):
		return Answer{Refused: "not a name that a directory can have"}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	answer, err := s.ask(ctx, user, password)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // the connection was closed for that
	}
	if err != nil {
		return Answer{}, fmt.Errorf("ldap: %s: %w", net.JoinHostPort(s.Host, s.Port), err)
	}
	return answer, nil
}

func (s *Server) ask(ctx context.Context, user string, password secret.String) (Answer, error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = conn.Close() }() // what it has to tell, the question has heard
	entry, refused, err := s.find(conn, user)
	if err != nil || refused != "" {
		return Answer{Refused: refused}, err
	}
	if err := conn.Bind(entry.DN, password.Reveal()); err != nil {
		return judge(err)
	}
	answer := Answer{User: nameIn(entry.GetEqualFoldAttributeValues(s.NamingAttribute), user), Attributes: map[string][]string{}}
	for _, name := range s.Attributes {
		answer.Attributes[name] = entry.GetEqualFoldAttributeValues(name)
	}
	return answer, nil
}

// connect returns a connection that is protected as it should be. It is closed when ctx ends.
func (s *Server) connect(ctx context.Context) (*ldap.Conn, error) {
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(s.Host, s.Port))
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = raw.Close() })
	settings := &tls.Config{ServerName: s.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
	wire := raw
	if s.TLS == Over {
		secured := tls.Client(raw, settings)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, raw.Close())
		}
		wire = secured
	}
	conn := ldap.NewConn(wire, s.TLS == Over)
	conn.SetTimeout(2 * s.Timeout) // ctx ends before that
	conn.Start()
	if s.TLS == StartTLS {
		if err := conn.StartTLS(settings); err != nil {
			return nil, errors.Join(fmt.Errorf("StartTLS: %w", err), conn.Close())
		}
	}
	return conn, nil
}

// find returns the one entry of a user, or why there is none.
func (s *Server) find(conn *ldap.Conn, user string) (entry *ldap.Entry, refused string, err error) {
	if s.LoginDN != "" {
		if s.LoginPassword.IsZero() {
			return nil, "", errors.New("no ldapLoginPassword is declared for it")
		}
		if err := conn.Bind(s.LoginDN, s.LoginPassword.Reveal()); err != nil {
			return nil, "", fmt.Errorf("log in as %s: %w", s.LoginDN, err)
		}
	}
	scope := ldap.ScopeWholeSubtree
	if s.OneLevel {
		scope = ldap.ScopeSingleLevel
	}
	result, err := conn.Search(ldap.NewSearchRequest(
		s.BaseDN, scope, ldap.NeverDerefAliases, 2, int(s.Timeout/time.Second)+1, false, s.filterFor(user),
		append([]string{s.NamingAttribute}, s.Attributes...), nil,
	))
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded), err == nil && len(result.Entries) > 1:
		return nil, "more than one entry has that name", nil
	case err != nil:
		return nil, "", fmt.Errorf("search %s: %w", s.BaseDN, err)
	case len(result.Entries) == 0:
		return nil, "unknown user", nil
	case result.Entries[0].DN == "": // binding as nobody succeeds
		return nil, "entry without a name", nil
	}
	return result.Entries[0], "", nil
}

func (s *Server) filterFor(user string) string {
	return fmt.Sprintf("(&(%s=%s)%s)", s.NamingAttribute, ldap.EscapeFilter(user), s.Filter)
}

// judge tells apart a user who is refused and a directory that cannot say. What is neither counts as the
// user's: one strange entry must not make a directory look dead.
func judge(err error) (Answer, error) {
	var said *ldap.Error
	if !errors.As(err, &said) || said.ResultCode >= ldap.ErrorNetwork || ldap.IsErrorAnyOf(err,
		ldap.LDAPResultBusy, ldap.LDAPResultUnavailable, ldap.LDAPResultServerDown, ldap.LDAPResultTimeout, ldap.LDAPResultConnectError) {
		return Answer{}, fmt.Errorf("log in as the user: %w", err)
	}
	return Answer{Refused: said.Error()}, nil
}

// nameIn returns the user's name as the entry writes it, for a directory does not tell letter case apart.
func nameIn(values []string, user string) string {
	for _, value := range values {
		if strings.EqualFold(value, user) {
			return value
		}
	}
	return user
}

// Matches reports whether a value of an attribute is the one meant. Names of entries are compared as
// such: spaces around commas and letter case do not count.
func Matches(value, meant string) bool {
	if strings.EqualFold(value, meant) {
		return true
	}
	one, err1 := ldap.ParseDN(value)
	other, err2 := ldap.ParseDN(meant)
	return err1 == nil && err2 == nil && len(other.RDNs) > 0 && one.EqualFold(other)
}

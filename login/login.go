package login

import (
	"errors"
	"net/netip"
	"time"

	"github.com/longcord/longcord/internal/secret"
)

// Request is one attempt to log in, or the answer to a Challenge.
type Request struct {
	User        string
	Password    secret.String
	Source      netip.Addr // of the peer; attempts are served fairly by source
	TunnelGroup string     // name of the one the peer asked for
	// SecondFactor is what stood in a second field of the form or, with a State, the answer to that
	// challenge.
	SecondFactor secret.String
	State        string       // of the Challenge that this answers; empty for a first request
	Certificate  *Certificate // the peer's, verified; nil when it showed none
}

// Certificate is what a client certificate says whose chain has been verified.
type Certificate struct {
	Subject string // common name
	Device  string // SEP and the MAC, of a common name CP-<model>-SEP<MAC>; else empty
	Issuer  string // name of the CertificateAuthority that it leads to
	// Manufacturer: it proves only model and MAC, not that anybody let the phone in.
	Manufacturer bool
}

// Result is a login that succeeded.
type Result struct {
	User    string
	Server  string   // host of the one that knows the user; empty: the inventory
	Devices []string // that the user record names
	// Device is the device a session belongs to when no certificate says otherwise: the one the user
	// name is, else the user's only one, else empty.
	Device string
	// GroupPolicy is the policy that the user's server named; empty: the tunnel group's default.
	GroupPolicy string
	// Address is the inner address that the user's server gives this user; not valid: any of the pool.
	Address netip.Addr
	// SessionTimeout and IdleTimeout are what the server says in place of the group policy's; zero: nothing.
	SessionTimeout, IdleTimeout time.Duration
	Class                       [][]byte // what a RADIUS server wants back with the accounts of the session
}

// Challenge is the error of a login that goes on with a further question. The peer is shown Prompt; what
// it answers comes back as SecondFactor of a Request with this State, the same user, source and tunnel
// group.
type Challenge struct {
	Prompt string
	State  string // means nothing to anybody else; good for a few minutes and one answer
}

// Error says that an answer is missing; the prompt is for the peer.
func (*Challenge) Error() string { return "login: a further answer is needed" }

var (
	// ErrRefused: the login is refused. Tell the peer no more than that; Reason is for the log.
	ErrRefused = errors.New("login: refused")
	// ErrBusy: too many logins wait. Nothing was hashed; the peer should come back (HTTP 503).
	ErrBusy = errors.New("login: too many logins at once")
	// ErrUnavailable: no server that could know the user answers. Nothing was checked; as with ErrBusy.
	ErrUnavailable = errors.New("login: nobody who knows the user can be asked")
)

// refusal is ErrRefused with the reason, which Error does not tell.
type refusal struct{ reason, server string }

func refused(reason string) error { return &refusal{reason: reason} }

func (r *refusal) Error() string        { return ErrRefused.Error() }
func (r *refusal) Is(target error) bool { return target == ErrRefused }

// Reason returns why a login was refused, for the log of those who run the system: "unknown user",
// "wrong password", a tunnel group's rule. It is never for the peer.
func Reason(err error) string {
	var r *refusal
	if errors.As(err, &r) {
		return r.reason
	}
	return ""
}

// RefusedBy returns the host of the server that refused a login; empty: it was refused here.
func RefusedBy(err error) string {
	var r *refusal
	if errors.As(err, &r) {
		return r.server
	}
	return ""
}

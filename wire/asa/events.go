package asa

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Client is who most messages about sessions begin with.
type Client struct {
	Group  string // group policy
	User   string
	Public netip.Addr // outside address
}

func (c Client) String() string {
	return fmt.Sprintf("Group <%s> User <%s> IP <%s>", name(c.Group), name(c.User), address(c.Public))
}

// name is what a stranger may have typed, without the marks that end a field.
func name(s string) string {
	const longest = 64
	s = strings.ToValidUTF8(s, "?")
	for i := range s {
		if i > longest {
			s = s[:i]
			break
		}
	}
	return strings.NewReplacer("<", "?", ">", "?", ",", "?", " : ", " ? ").Replace(s)
}

// address is unspecified where none is known, as the ASA has it.
func address(a netip.Addr) string {
	if !a.IsValid() {
		return "0.0.0.0"
	}
	return a.String()
}

func (c Client) says(severity Severity, id int, format string, args ...any) Message {
	return Message{severity, id, c.String() + " " + fmt.Sprintf(format, args...)}
}

// Transport is what a channel runs over.
type Transport string

// The transports: CSTP's and DTLS's.
const (
	TCP Transport = "TCP"
	UDP Transport = "UDP"
)

// The messages of a TLS or DTLS handshake. protocol is TLS or DTLS; the ASA's interface name is always
// outside here.

// HandshakeStarts is 725001.
func HandshakeStarts(client netip.AddrPort, protocol string) Message {
	return Message{Informational, 725001, fmt.Sprintf("Starting SSL handshake with client outside:%s for %s session.", endpoint(client), protocol)}
}

// HandshakeDone is 725002.
func HandshakeDone(client netip.AddrPort) Message {
	return Message{Informational, 725002, "Device completed SSL handshake with client outside:" + endpoint(client)}
}

// HandshakeFailed is 725006.
func HandshakeFailed(client netip.AddrPort) Message {
	return Message{Informational, 725006, "Device failed SSL handshake with client outside:" + endpoint(client)}
}

// ConnectionEnded is 725007.
func ConnectionEnded(client netip.AddrPort) Message {
	return Message{Informational, 725007, fmt.Sprintf("SSL session with client outside:%s terminated.", endpoint(client))}
}

func endpoint(a netip.AddrPort) string { return fmt.Sprintf("%s/%d", a.Addr(), a.Port()) }

// The messages of a login. An empty server is the local database.

// LoginAccepted is 113012 of the local database, 113004 of a server.
func LoginAccepted(user, server string) Message {
	if server == "" {
		return Message{Informational, 113012, "AAA user authentication Successful : local database : user = " + name(user)}
	}
	return Message{Informational, 113004, fmt.Sprintf("AAA user authentication Successful : server = %s : user = %s", server, name(user))}
}

// LoginRejected is 113015 of the local database, 113005 of a server. The reason is in the ASA's words,
// such as Invalid password.
func LoginRejected(user, server, reason string, client netip.Addr) Message {
	if server == "" {
		return Message{Informational, 113015, fmt.Sprintf("AAA user authentication Rejected : reason = %s : local database : user = %s : user IP = %s", reason, name(user), address(client))}
	}
	return Message{Informational, 113005, fmt.Sprintf("AAA user authentication Rejected : reason = %s : server = %s : user = %s : user IP = %s", reason, server, name(user), address(client))}
}

// PolicyFound is 113009: which group policy a login gets when nothing names another.
func PolicyFound(policy, user string) Message {
	return Message{Informational, 113009, fmt.Sprintf("AAA retrieved default group policy (%s) for user = %s", policy, name(user))}
}

// PolicyOfUser is 113003: a login gets a policy that its user or its server names.
func PolicyOfUser(policy, user string) Message {
	return Message{Informational, 113003, fmt.Sprintf("AAA group policy for user %s is being set to %s", name(user), policy)}
}

// TransactionAccepted is 113008.
func TransactionAccepted(user string) Message {
	return Message{Informational, 113008, "AAA transaction status ACCEPT : user = " + name(user)}
}

// LoginRefused is 716039, beside what the database or server said.
func LoginRefused(c Client) Message {
	return c.says(Informational, 716039, "Authentication: rejected, Session Type: WebVPN.")
}

// SessionLimit is 113029.
func SessionLimit(c Client, limit int) Message {
	return c.says(Warnings, 113029, "Session could not be established: session limit of %d reached.", limit)
}

// The messages of a client certificate.

// CertificateValid is 717022. The serial number is in hexadecimal digits.
func CertificateValid(serial, subject string) Message {
	return Message{Informational, 717022, fmt.Sprintf("Certificate was successfully validated. serial number: %s, subject name: %s.", serial, name(subject))}
}

// CertificateInvalid is 717027.
func CertificateInvalid(reason string) Message {
	return Message{Errors, 717027, fmt.Sprintf("Certificate chain failed validation. %s.", reason)}
}

// The messages of a session's life.

// SessionStarted is 113039.
func SessionStarted(c Client) Message {
	return c.says(Informational, 113039, "AnyConnect parent session started.")
}

// ClientType is 722055.
func ClientType(c Client, agent string) Message {
	return c.says(Informational, 722055, "Client Type: %s", name(cmp.Or(agent, "Unknown")))
}

// AddressAssigned is 722051. An address that is not valid is written as ::, as the ASA has it.
func AddressAssigned(c Client, v4, v6 netip.Addr) Message {
	inner6 := "::"
	if v6.IsValid() {
		inner6 = v6.String()
	}
	return c.says(Warnings, 722051, "IPv4 Address <%s> IPv6 address <%s> assigned to session", address(v4), inner6)
}

// NoAddress is 722020.
func NoAddress(tunnelGroup string, c Client) Message {
	return Message{Errors, 722020, fmt.Sprintf("TunnelGroup <%s> GroupPolicy <%s> User <%s> IP <%s> No address available for SVC connection", tunnelGroup, name(c.Group), name(c.User), address(c.Public))}
}

// ConnectRefused is 722003: a CONNECT with a cookie that is no good.
func ConnectRefused(client netip.Addr) Message {
	return Message{Warnings, 722003, fmt.Sprintf("IP <%s> Error authenticating SVC connect request.", address(client))}
}

// ConnectUnreadable is 722001.
func ConnectUnreadable(client netip.Addr) Message {
	return Message{Warnings, 722001, fmt.Sprintf("IP <%s> Error parsing SVC connect request.", address(client))}
}

// ChannelFirst is 722033: the first of its transport in the session.
func ChannelFirst(c Client, over Transport) Message {
	return c.says(Notifications, 722033, "First %s SVC connection established for SVC session.", over)
}

// ChannelAgain is 722034: there had been one before, and none is left.
func ChannelAgain(c Client, over Transport) Message {
	return c.says(Notifications, 722034, "New %s SVC connection, no existing connection.", over)
}

// ChannelReplaces is 722032.
func ChannelReplaces(c Client, over Transport) Message {
	return c.says(Notifications, 722032, "New %s SVC connection replacing old connection.", over)
}

// ChannelUp is 722022.
func ChannelUp(c Client, over Transport) Message {
	return c.says(Informational, 722022, "%s SVC connection established without compression", over)
}

// ChannelDown is 722023.
func ChannelDown(c Client, over Transport) Message {
	return c.says(Informational, 722023, "%s SVC connection terminated without compression", over)
}

// ChannelCloses is 722037. The reason is in the ASA's words, such as Transport closing.
func ChannelCloses(c Client, reason string) Message {
	return c.says(Warnings, 722037, "SVC closing connection: %s.", reason)
}

// NoDTLS is 722043: client and gateway have no cipher in common for it.
func NoDTLS(c Client) Message {
	return c.says(Notifications, 722043, "DTLS disabled: unable to negotiate cipher.")
}

// Farewell is 722010 to 722013: what a client said when it went, its reason's severity choosing the
// number.
func Farewell(c Client, severity Severity, code int, text string) Message {
	id, word := 722013, "INFO"
	switch severity {
	case Errors:
		id, word = 722010, "ERROR"
	case Warnings:
		id, word = 722011, "WARNING"
	case Notifications:
		id, word = 722012, "NOTICE"
	}
	return c.says(Notifications, id, "SVC Message: %d/%s: %s.", code, word, text)
}

// ConnectionLost is 716058: no channel is left, and the session waits.
func ConnectionLost(c Client) Message {
	return c.says(Informational, 716058, "AnyConnect session lost connection. Waiting to resume.")
}

// ConnectionResumed is 716059.
func ConnectionResumed(c Client, from netip.Addr) Message {
	return c.says(Informational, 716059, "AnyConnect session resumed connection from IP <%s>.", address(from))
}

// WebVPNEnded is 716002.
func WebVPNEnded(c Client, reason string) Message {
	return c.says(Informational, 716002, "WebVPN session terminated: %s.", reason)
}

// SessionEnded is 113019, the line with the sums. In it Group is the tunnel group.
func SessionEnded(tunnelGroup, user string, client netip.Addr, lasted time.Duration, sent, received uint64, reason string) Message {
	return Message{Warnings, 113019, fmt.Sprintf("Group = %s, Username = %s, IP = %s, Session disconnected. Session Type: SSL, Duration: %s, Bytes xmt: %d, Bytes rcv: %d, Reason: %s",
		tunnelGroup, name(user), address(client), Duration(lasted), sent, received, reason)}
}

// Duration is a span as the ASA writes it: 0h:05m:07s, and 1d 19h:41m:14s from a day on.
func Duration(d time.Duration) string {
	s := int64(max(d, 0) / time.Second)
	days := ""
	if s >= 86400 {
		days = fmt.Sprintf("%dd ", s/86400)
	}
	return fmt.Sprintf("%s%dh:%02dm:%02ds", days, s/3600%24, s/60%60, s%60)
}

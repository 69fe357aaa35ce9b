package tunnel

import (
	"fmt"

	"github.com/longcord/longcord/wire/cstp"
	"github.com/longcord/longcord/wire/dtls"
)

// Action is something the owner of a Session or Client has to do, in the order given.
type Action interface{ action() }

// Send puts a control frame on a channel: a CSTP frame, or a DTLS message.
type Send struct {
	Channel Channel
	Type    cstp.Type
	Payload []byte
}

// CloseChannel closes the channel that was up, or on its way up, before the call that returned it. What
// is queued on it may still go out.
type CloseChannel struct {
	Channel Channel
	Dead    bool // because nothing was heard for too long
}

// End is the last action: the session is over and its cookie, on either side, is of no more use.
type End struct {
	Cause Cause
	Text  string // what the peer said about it, if anything
}

// StartDTLS has the client begin a DTLS handshake. The owner reports ChannelUp or ChannelDown.
type StartDTLS struct {
	Port      int // UDP port of the gateway
	Version   dtls.Version
	Suite     dtls.Suite
	SessionID []byte
	PSK       bool // a handshake with the key that the TLS connection exports, instead of Version and Suite
}

// Reconnect has the client dial the gateway and CONNECT with the cookie of the session. The owner
// reports Connected or ConnectFailed.
type Reconnect struct{}

func (Send) action()         {}
func (CloseChannel) action() {}
func (End) action()          {}
func (StartDTLS) action()    {}
func (Reconnect) action()    {}

// Cause says why a session ended.
type Cause int

// The causes. The first group is the gateway's, the second the client's, UserLogout both's.
const (
	UserLogout          Cause = iota + 1 // the client said goodbye for good
	IdleTimeout                          // no packets for too long
	SessionTimeout                       // the session's time is up
	DisconnectedTimeout                  // without a channel for too long
	Administrator                        // ended by an operator, or its user was blocked

	GatewayEnded   // the gateway ended the session
	ConnectRefused // the first CONNECT failed
	CookieRefused  // the gateway knows the session no more
	AddressChanged // the gateway gave another inner address on reconnecting
	GatewayLost    // reconnecting failed for too long
)

// String returns the cause in a few words.
func (c Cause) String() string {
	words := [...]string{
		UserLogout: "user logout", IdleTimeout: "idle timeout", SessionTimeout: "session timeout",
		DisconnectedTimeout: "disconnected timeout", Administrator: "ended by administrator", GatewayEnded: "ended by gateway",
		ConnectRefused: "connect refused", CookieRefused: "cookie refused", AddressChanged: "inner address changed",
		GatewayLost: "gateway lost",
	}
	if c < UserLogout || int(c) >= len(words) {
		return fmt.Sprintf("cause %d", int(c))
	}
	return words[c]
}

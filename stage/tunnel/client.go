package tunnel

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/longcord/longcord/wire/cstp"
)

// ClientState says where a phone's session stands.
//
//	            Connected              CSTP lost or dead, rekey
//	Connecting ───────────▶ Online ─────────────────────────────▶ Waiting
//	    │                    │  ▲                                 │  ▲
//	    │ refused            │  │ Connected          time to try  │  │ failed
//	    ▼                    │  │                                 ▼  │
//	  Offline ◀──────────────┘  └──────────────────────────── Reconnecting
//	    ▲   Terminate, Logout                                  │
//	    └──────────────────────────────────────────────────────┘
//	        cookie refused, other address, 300 s without success
//
// While Online the DTLS channel is off, being tried, up, or resting after it failed.
type ClientState int

// The states.
const (
	Connecting   ClientState = iota // the first CONNECT is on its way
	Online                          // the CSTP channel is up
	Waiting                         // lost, until the next try
	Reconnecting                    // a CONNECT with the old cookie is on its way
	Offline                         // for good
)

// String returns the state's word.
func (s ClientState) String() string {
	words := [...]string{"connecting", "online", "waiting", "reconnecting", "offline"}
	if s < 0 || int(s) >= len(words) {
		return fmt.Sprintf("state %d", int(s))
	}
	return words[s]
}

// ClientConfig is what a phone's session is made with.
type ClientConfig struct {
	DTLS      bool          // try the DTLS channel when the gateway offers it
	Keepalive time.Duration // the phone's own setting; the gateway's wins when it is smaller and not zero
}

// Client is the phone's half of a session, from the first CONNECT to the end.
type Client struct {
	path
	config    ClientConfig
	state     ClientState
	address   netip.Addr // inner address, the same for the whole session
	offer     cstp.DTLSAnswer
	dpd       [channels]dpd
	keepalive [channels]keepalive
	attempt   attempt
	backoff   backoff
	rekey     rekey
}

// NewClient returns the client's half of a session whose first CONNECT is about to be sent.
func NewClient(config ClientConfig, now time.Time) *Client {
	c := &Client{config: config}
	c.path.origin = now
	return c
}

// State returns where the session stands.
func (c *Client) State() ClientState { return c.state }

// Address returns the session's inner address, not valid before the first Connected.
func (c *Client) Address() netip.Addr { return c.address }

// Heard notes that a packet came on a channel. Any goroutine may call it.
func (c *Client) Heard(ch Channel, now time.Time) {
	c.noteHeard(ch, now)
	c.packet.Store(c.since(now))
}

// Connected says that the gateway answered a CONNECT: the CSTP channel is up.
func (c *Client) Connected(now time.Time, answer cstp.Answer) ([]Action, error) {
	if c.state != Connecting && c.state != Reconnecting {
		return nil, fmt.Errorf("tunnel: connected while %v", c.state)
	}
	if !answer.Address.IsValid() {
		return c.end(End{Cause: ConnectRefused, Text: "no inner address"}), nil
	}
	if c.address.IsValid() && c.address != answer.Address {
		return c.end(End{Cause: AddressChanged, Text: answer.Address.String()}), nil
	}
	c.state, c.address, c.offer = Online, answer.Address, answer.DTLS
	c.open(CSTP, now)
	c.backoff = backoff{}
	c.rekey = newRekey(now, answer)
	c.dpd = [channels]dpd{
		CSTP: {interval: answer.DPD, patience: clientPatience},
		DTLS: dtlsDPD(answer.DTLS.DPD),
	}
	c.keepalive = [channels]keepalive{
		CSTP: {c.keepaliveOf(answer.Keepalive)},
		DTLS: {c.keepaliveOf(answer.DTLS.Keepalive)},
	}
	return c.tryDTLS(), nil
}

// keepaliveOf returns the shorter of the gateway's interval and the phone's own; zero is none.
func (c *Client) keepaliveOf(gateway time.Duration) time.Duration {
	if gateway != 0 && (c.config.Keepalive == 0 || gateway < c.config.Keepalive) {
		return gateway
	}
	return c.config.Keepalive
}

// tryDTLS begins a DTLS attempt if there is something to attempt.
func (c *Client) tryDTLS() []Action {
	version, suite, known := c.offer.Suite()
	psk := c.offer.PSK()
	if !known && !psk || !c.config.DTLS {
		c.attempt = attempt{}
		return nil
	}
	c.attempt.start()
	if psk {
		return []Action{StartDTLS{Port: c.offer.Port, SessionID: c.offer.AppID, PSK: true}}
	}
	return []Action{StartDTLS{Port: c.offer.Port, Version: version, Suite: suite, SessionID: c.offer.SessionID}}
}

// ConnectFailed says that a CONNECT did not succeed: err is a *cstp.Refusal, or says why the gateway was
// not reached.
func (c *Client) ConnectFailed(now time.Time, err error) []Action {
	var refusal *cstp.Refusal
	refused := errors.As(err, &refusal) && refusal.Status == 401
	switch {
	case c.state != Connecting && c.state != Reconnecting:
		return nil
	case refused:
		return c.end(End{CookieRefused, err.Error()})
	case c.state == Connecting:
		return c.end(End{ConnectRefused, err.Error()})
	case !c.backoff.plan(now):
		return c.end(End{GatewayLost, err.Error()})
	}
	c.state = Waiting
	return nil
}

// ChannelUp says that the DTLS handshake is complete; data takes DTLS from now on. CSTP comes up by
// Connected.
func (c *Client) ChannelUp(now time.Time, ch Channel) error {
	if ch != DTLS || c.state != Online || !c.attempt.running {
		return fmt.Errorf("tunnel: %v up while %v", ch, c.state)
	}
	c.attempt = attempt{}
	c.open(DTLS, now)
	return nil
}

// ChannelDown says that a channel is gone, or that a DTLS attempt failed.
func (c *Client) ChannelDown(now time.Time, ch Channel) []Action {
	switch {
	case c.state != Online:
		return nil
	case ch == CSTP:
		c.close(CSTP)
		return c.reconnect(now)
	case c.attempt.running || c.up[DTLS].Load():
		c.close(DTLS)
		c.attempt.fail(now)
	}
	return nil
}

// GiveUpDTLS says that the gateway does not resume the session that was agreed, so that somebody may
// stand in between. DTLS is not tried again before the next CONNECT.
func (c *Client) GiveUpDTLS() {
	c.close(DTLS)
	c.attempt = attempt{}
}

// reconnect closes what is left and plans the way back, whose first step is due at once.
func (c *Client) reconnect(now time.Time) []Action {
	actions := c.closeAll()
	c.state = Waiting
	c.backoff.start(now)
	return append(actions, c.Advance(now)...)
}

// closeAll closes both channels and gives up an attempt for DTLS.
func (c *Client) closeAll() []Action {
	actions := c.close(DTLS)
	if c.attempt.running {
		actions = append(actions, CloseChannel{Channel: DTLS})
	}
	c.attempt = attempt{}
	c.rekey = rekey{}
	return append(actions, c.close(CSTP)...)
}

// Received says that a control frame came. Frames that have no place here are an error, which concerns
// the frame only.
func (c *Client) Received(now time.Time, ch Channel, t cstp.Type, payload []byte) ([]Action, error) {
	if c.state == Offline {
		return nil, ErrEnded
	}
	c.noteHeard(ch, now)
	switch t {
	case cstp.DPDRequest:
		return []Action{c.send(now, Send{ch, cstp.DPDResponse, slices.Clone(payload)})}, nil
	case cstp.DPDResponse, cstp.Keepalive:
		return nil, nil
	case cstp.Terminate:
		return c.end(End{GatewayEnded, string(payload)}), nil
	case cstp.Disconnect:
		return c.end(End{GatewayEnded, cstp.ParseFarewell(payload).Text}), nil
	}
	return nil, fmt.Errorf("tunnel: %v from a gateway on %v", t, ch)
}

// Logout ends the session from this side; the gateway forgets the cookie.
func (c *Client) Logout(now time.Time, text string) []Action {
	if c.state == Offline {
		return nil
	}
	var actions []Action
	if c.up[CSTP].Load() {
		payload, _ := cstp.Farewell{Reason: cstp.UserDisconnect, Text: text}.AppendBinary(nil)
		actions = append(actions, c.send(now, Send{CSTP, cstp.Disconnect, payload}))
	}
	return append(actions, c.end(End{Cause: UserLogout})...)
}

func (c *Client) end(last End) []Action {
	c.state = Offline
	return append(c.closeAll(), last)
}

// Advance says that time has passed.
func (c *Client) Advance(now time.Time) []Action {
	switch {
	case c.state == Waiting && reached(c.backoff.due(), now):
		c.state = Reconnecting
		c.backoff.begun()
		return []Action{Reconnect{}}
	case c.state != Online:
		return nil
	case reached(c.rekey.due(), now):
		return c.reconnect(now)
	}
	actions, dead := c.watch(now, CSTP)
	if dead {
		return append(actions, c.reconnect(now)...)
	}
	more, dead := c.watch(now, DTLS)
	actions = append(actions, more...)
	if dead { // perhaps only for this address and port: tried anew at once
		actions = append(actions, c.close(DTLS)...)
		actions = append(actions, c.tryDTLS()...)
	}
	if reached(c.attempt.due(), now) {
		actions = append(actions, c.tryDTLS()...)
	}
	return actions
}

// watch runs dead-peer detection and keepalive on one channel.
func (c *Client) watch(now time.Time, ch Channel) (actions []Action, dead bool) {
	if !c.up[ch].Load() {
		return nil, false
	}
	request, dead := c.dpd[ch].advance(now, c.lastHeard(ch))
	if request {
		actions = append(actions, c.send(now, Send{ch, cstp.DPDRequest, nil}))
	}
	if !dead && reached(c.keepalive[ch].due(c.lastSpoke(ch)), now) {
		actions = append(actions, c.send(now, Send{ch, cstp.Keepalive, nil}))
	}
	return actions, dead
}

// Wake returns when Advance wants to be called next, or zero for never. Packets may move it later, not
// earlier.
func (c *Client) Wake() time.Time {
	if c.state == Waiting {
		return c.backoff.due()
	}
	if c.state != Online {
		return time.Time{}
	}
	wake := earliest(c.rekey.due(), c.attempt.due())
	for ch := CSTP; ch < channels; ch++ {
		if c.up[ch].Load() {
			wake = earliest(wake, c.dpd[ch].due(c.lastHeard(ch)), c.keepalive[ch].due(c.lastSpoke(ch)))
		}
	}
	return wake
}

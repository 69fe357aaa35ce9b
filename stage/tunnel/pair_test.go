package tunnel

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/wire/cstp"
)

// dtlsPatience is how long the pair's handshake lasts when UDP is blocked.
const dtlsPatience = 12 * time.Second

// pair is a phone and its gateway, with the time and the ways between them in the test's hand.
type pair struct {
	t      *testing.T
	begin  time.Time
	now    time.Time
	phone  *Client
	server *Session
	answer cstp.Answer

	tcp, udp  bool      // whether anything gets through
	refuse    error     // how the gateway answers a CONNECT; nil: with answer
	handshake time.Time // when the running handshake fails; zero: none
	log       []string
}

func newPair(t *testing.T, timers Timers) *pair {
	t.Helper()
	var id [cstp.SessionIDLen]byte
	policy := Policy{Timers: timers, Address: netip.MustParsePrefix("10.99.0.12/24"), DTLS: true, Legacy: true, Phones: true}
	begin := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	p := &pair{t: t, begin: begin, now: begin, tcp: true, udp: true}
	p.answer = Negotiate(phoneRequest(), policy, Link{TLSSuite: 0x0035}, id)
	p.server = NewSession(SessionConfig{Timers: timers}, begin)
	p.phone = NewClient(ClientConfig{DTLS: true}, begin)
	p.connect()
	return p
}

func (p *pair) note(who, format string, args ...any) {
	p.log = append(p.log, fmt.Sprintf("%v %s: %s", p.now.Sub(p.begin), who, fmt.Sprintf(format, args...)))
}

// connect is a CONNECT and its answer.
func (p *pair) connect() {
	p.t.Helper()
	switch {
	case !p.tcp:
		p.byPhone(p.phone.ConnectFailed(p.now, errors.New("timeout")))
		return
	case p.refuse != nil:
		p.byPhone(p.phone.ConnectFailed(p.now, p.refuse))
		return
	}
	actions, err := p.server.ChannelUp(p.now, CSTP)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, a := range actions { // the old channels; nobody is at their other end
		p.note("gateway", "%s", actionText(a))
	}
	actions, err = p.phone.Connected(p.now, p.answer)
	if err != nil {
		p.t.Fatal(err)
	}
	p.byPhone(actions)
}

func (p *pair) byPhone(actions []Action) {
	p.t.Helper()
	for _, a := range actions {
		p.note("phone", "%s", actionText(a))
		switch a := a.(type) {
		case Send:
			if p.passes(a.Channel) && p.server.up[a.Channel].Load() {
				replies, err := p.server.Received(p.now, a.Channel, a.Type, a.Payload)
				if err != nil {
					p.t.Fatal(err)
				}
				p.byServer(replies)
			}
		case CloseChannel:
			if a.Channel == DTLS {
				p.handshake = time.Time{}
			} else if p.tcp {
				p.server.ChannelDown(p.now, CSTP)
			}
		case StartDTLS:
			p.startDTLS()
		case Reconnect:
			p.connect()
		}
	}
}

func (p *pair) startDTLS() {
	p.t.Helper()
	if !p.udp {
		p.handshake = p.now.Add(dtlsPatience)
		return
	}
	if _, err := p.server.ChannelUp(p.now, DTLS); err != nil {
		p.t.Fatal(err)
	}
	if err := p.phone.ChannelUp(p.now, DTLS); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pair) byServer(actions []Action) {
	p.t.Helper()
	for _, a := range actions {
		p.note("gateway", "%s", actionText(a))
		switch a := a.(type) {
		case Send:
			if p.passes(a.Channel) && p.phone.up[a.Channel].Load() {
				replies, err := p.phone.Received(p.now, a.Channel, a.Type, a.Payload)
				if err != nil {
					p.t.Fatal(err)
				}
				p.byPhone(replies)
			}
		case CloseChannel:
			if a.Channel == CSTP && p.tcp {
				p.byPhone(p.phone.ChannelDown(p.now, CSTP))
			}
		}
	}
}

func (p *pair) passes(c Channel) bool { return c == CSTP && p.tcp || c == DTLS && p.udp }

// pass lets time go by, with both ends woken when they want to be.
func (p *pair) pass(d time.Duration) {
	p.t.Helper()
	end := p.now.Add(d)
	for range 10000 {
		next := earliest(p.phone.Wake(), p.server.Wake(), p.handshake)
		if next.IsZero() || next.After(end) {
			p.now = end
			return
		}
		if next.After(p.now) {
			p.now = next
		}
		if reached(p.handshake, p.now) {
			p.handshake = time.Time{}
			p.note("phone", "dtls handshake gives up")
			p.byPhone(p.phone.ChannelDown(p.now, DTLS))
		}
		p.byPhone(p.phone.Advance(p.now))
		p.byServer(p.server.Advance(p.now))
	}
	p.t.Fatalf("time stands still at %v, phone wakes %v, gateway %v", p.now.Sub(p.begin), p.phone.Wake(), p.server.Wake())
}

// speak sends a packet each way, each on the channel its sender chooses, each 20 ms for d.
func (p *pair) speak(d time.Duration) (fromPhone, fromGateway int) {
	p.t.Helper()
	for end := p.now.Add(d); p.now.Before(end); {
		p.pass(20 * time.Millisecond)
		if c, ok := p.phone.DataChannel(); ok {
			p.phone.Spoke(c, p.now)
			if p.passes(c) && p.server.up[c].Load() {
				p.server.Heard(c, p.now)
				fromPhone++
			}
		}
		if c, ok := p.server.DataChannel(); ok {
			p.server.Spoke(c, p.now)
			if p.passes(c) && p.phone.up[c].Load() {
				p.phone.Heard(c, p.now)
				fromGateway++
			}
		}
	}
	return fromPhone, fromGateway
}

// forget empties the log.
func (p *pair) forget() { p.log = nil }

// did compares the log with what should have happened, one line each.
func (p *pair) did(want string) {
	p.t.Helper()
	var lines []string
	for line := range strings.Lines(want) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if !slices.Equal(p.log, lines) {
		p.t.Errorf("got\n%s\nwant\n%s", strings.Join(p.log, "\n"), strings.Join(lines, "\n"))
	}
}

// data checks which channels both ends choose.
func (p *pair) data(phone, gateway Channel) {
	p.t.Helper()
	if c, ok := p.phone.DataChannel(); !ok || c != phone {
		p.t.Errorf("phone sends data on %v (%v), want %v", c, ok, phone)
	}
	if c, ok := p.server.DataChannel(); !ok || c != gateway {
		p.t.Errorf("gateway sends data on %v (%v), want %v", c, ok, gateway)
	}
}

func actionText(a Action) string {
	switch a := a.(type) {
	case Send:
		if a.Type == cstp.Disconnect {
			return fmt.Sprintf("send disconnect %v on %v", cstp.ParseFarewell(a.Payload), a.Channel)
		}
		return fmt.Sprintf("send %v on %v", a.Type, a.Channel)
	case CloseChannel:
		return fmt.Sprintf("close %v", a.Channel)
	case StartDTLS:
		return fmt.Sprintf("start dtls %v %v", a.Version, a.Suite)
	case Reconnect:
		return "reconnect"
	case End:
		if a.Text != "" {
			return fmt.Sprintf("end, %v: %s", a.Cause, a.Text)
		}
		return fmt.Sprintf("end, %v", a.Cause)
	}
	return fmt.Sprintf("%#v", a)
}

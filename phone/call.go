package phone

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/stage/call"
	"github.com/longcord/longcord/wire/sdp"
	"github.com/longcord/longcord/wire/sip"
)

// mediaStream is the sound of one call. It is made before the far end is known, because an offer names
// the port that it listens on.
type mediaStream interface {
	// LocalPort is the even UDP port, 16384 to 32766, that the stream receives on.
	LocalPort() int
	// Start begins to send to remote with an RTP payload type of G.711 (0 or 8), and to count what
	// comes back. A second Start moves a running stream to another remote; the zero remote is nowhere.
	Start(remote netip.AddrPort, payloadType uint8)
	// Heard returns when something came from the other side last; zero: never.
	Heard() time.Time
	// Stop ends the stream, frees its port and returns what was measured. It may be called without Start.
	Stop() Media
}

// openMedia makes the stream of one call on the given own address.
type openMedia func(local netip.Addr) (mediaStream, error)

// deafLimit is how long a call goes on in which the other side is not heard at all, neither voice nor
// report. It ends calls whose end nobody could tell: a call manager that was restarted knows them no
// more. Our choice; what desk phones do is not known.
const deafLimit = 30 * time.Second

const noSound = "no sound from the other side"

// errBusy: the phone has a call already.
var errBusy = errors.New("phone: a call is up")

// callRefused is why a call did not come about.
type callRefused struct {
	Number string
	Status int // of the call manager's answer
	Why    string
}

func (e *callRefused) Error() string {
	return fmt.Sprintf("phone: call to %s: %d %s", e.Number, e.Status, e.Why)
}

// phoneCall is one call of the phone. Its fields are guarded by the phone's mutex, but for the channels.
type phoneCall struct {
	phone    *sipPhone
	number   string // the other side's
	leg      *call.Leg
	invite   *sip.Message // the caller's, of an incoming call
	offer    []byte       // in that INVITE
	media    mediaStream
	session  uint64 // of our descriptions
	version  uint64
	started  time.Time     // when media began
	listens  time.Time     // since when the other side ought to be heard; zero: it need not be
	duration time.Duration // of the media, when it is over
	answered chan struct{}
	over     chan struct{}
	isUp     bool
	isOver   bool
	failure  *callRefused
	cause    string // why the phone hung up by itself; empty: its user did
	measured Media
}

// Up is closed when the call is answered.
func (c *phoneCall) Up() <-chan struct{} { return c.answered }

// Done is closed when the call is over, whoever ended it.
func (c *phoneCall) Done() <-chan struct{} { return c.over }

// Measured returns what the phone measured of the call; it is complete after Done.
func (c *phoneCall) Measured() Media {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	return c.measured
}

// Call rings a number and returns when it has been answered. When ctx ends before, the call is given up.
func (p *sipPhone) Call(ctx context.Context, number string) (*phoneCall, error) {
	var c *phoneCall
	var err error
	p.event(func(now time.Time) { c, err = p.dial(now, number) })
	if err != nil {
		return nil, err
	}
	select {
	case <-c.answered:
		return c, nil
	case <-c.over:
	case <-ctx.Done():
		p.event(c.hangUp)
		<-c.over
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.failure != nil {
		return nil, c.failure
	}
	return nil, fmt.Errorf("phone: call to %s given up: %w", number, ctx.Err())
}

// HangUp ends the call, or refuses one that rings, and waits until it is over.
func (c *phoneCall) HangUp() Media {
	c.phone.event(c.hangUp)
	<-c.over
	return c.Measured()
}

// Refuse turns an incoming call down, for example with 486.
func (c *phoneCall) Refuse(status int) {
	c.phone.event(func(now time.Time) { c.do(now, c.leg.Refuse(status)) })
}

// Answer takes an incoming call.
func (c *phoneCall) Answer() {
	c.phone.event(func(now time.Time) {
		if !c.leg.Ringing() {
			return
		}
		body, status := c.respond(c.offer)
		if status != 0 {
			c.do(now, c.leg.Refuse(status))
			return
		}
		c.do(now, c.leg.Accept(now, body, nil))
		c.up()
	})
}

func (p *sipPhone) dial(now time.Time, number string) (*phoneCall, error) {
	if p.active != nil {
		return nil, errBusy
	}
	host := p.config.server
	from := sip.Address{Name: p.config.displayName, URI: sip.URI{Scheme: "sip", User: p.config.line, Host: host}}
	to := sip.Address{URI: sip.URI{Scheme: "sip", User: number, Host: host}}
	leg, err := call.NewCaller(p.leg(), p.flow, from, to, p.target(number))
	if err != nil {
		return nil, fmt.Errorf("phone: %w", err)
	}
	c, err := p.newCall(number, leg)
	if err != nil {
		return nil, err
	}
	body, err := sdp.Offer(c.session, c.localMedia()).AppendBinary(nil)
	if err != nil {
		c.media.Stop()
		return nil, fmt.Errorf("phone: %w", err)
	}
	c.version = 1
	p.active = c
	c.tell("dialling", "")
	party := sip.RemoteParty{Name: p.config.displayName, URI: from.URI, Role: "calling"}
	c.do(now, leg.Invite(body, sip.Fields{
		{Name: "Remote-Party-ID", Value: party.String()}, {Name: "Expires", Value: "180"},
	}))
	return c, nil
}

// target is where an INVITE for a number goes.
func (p *sipPhone) target(number string) sip.URI {
	return sip.URI{Scheme: "sip", User: number, Host: p.config.server, Params: sip.Params{{Name: "user", Value: "phone"}}}
}

func (p *sipPhone) leg() call.LegConfig {
	return call.LegConfig{Contact: p.registration.Contact(), UserAgent: p.config.userAgent, Rand: rand.Reader}
}

func (p *sipPhone) newCall(number string, leg *call.Leg) (*phoneCall, error) {
	media, err := p.config.openMedia(p.config.local)
	if err != nil {
		return nil, fmt.Errorf("phone: media: %w", err)
	}
	var id [8]byte
	if _, err := rand.Read(id[:]); err != nil {
		media.Stop()
		return nil, fmt.Errorf("phone: session id: %w", err)
	}
	return &phoneCall{
		phone: p, number: number, leg: leg, media: media,
		session:  binary.BigEndian.Uint64(id[:]) >> 1, // some peers read it as signed
		answered: make(chan struct{}), over: make(chan struct{}),
	}, nil
}

func (c *phoneCall) localMedia() netip.AddrPort {
	return netip.AddrPortFrom(c.phone.config.local, uint16(c.media.LocalPort()))
}

// rung takes an INVITE for this phone.
func (p *sipPhone) rung(now time.Time, flow sip.Flow, invite *sip.Message) {
	if p.active != nil || p.config.incoming == nil {
		p.refuse(invite, 486)
		return
	}
	leg, err := call.NewCallee(p.leg(), flow, invite)
	if err != nil {
		p.refuse(invite, 400)
		return
	}
	from, _ := invite.From()
	c, err := p.newCall(from.URI.User, leg)
	if err != nil {
		p.log.Error("call refused", logging.Err, err)
		p.refuse(invite, 500)
		return
	}
	c.invite, c.offer, p.active = invite, invite.Body, c
	if !c.acceptable() {
		c.do(now, leg.Refuse(488))
		return
	}
	c.do(now, leg.Ring(180, nil, nil))
	c.tell("ringing", "")
	p.tasks.Go(func() { p.config.incoming(c) })
}

// acceptable reports whether the caller's offer, if there is one, has a codec for us.
func (c *phoneCall) acceptable() bool {
	if len(c.offer) == 0 {
		return true
	}
	offer, err := sdp.Parse(c.offer)
	if err != nil {
		return false
	}
	_, err = offer.Codec()
	return err == nil
}

// within takes a request that belongs to a call.
func (p *sipPhone) within(now time.Time, request *sip.Message) {
	id := call.ID{CallID: request.CallID(), LocalTag: request.ToTag()}
	if p.active == nil || p.active.leg.ID() != id {
		p.refuse(request, 481)
		return
	}
	p.active.do(now, p.active.leg.Received(now, request))
}

// do carries out what the leg wants and hears what it reports.
func (c *phoneCall) do(now time.Time, actions []call.Action) {
	p := c.phone
	for _, action := range actions {
		switch a := action.(type) {
		case call.Send:
			if err := p.stack.Request(a.Flow, a.Request); err != nil {
				c.do(now, c.leg.Failed(now, a.Request, 480, err.Error()))
			}
		case call.Acknowledge:
			p.stack.Ack(a.Invite, a.Ack)
		case call.Withdraw:
			p.stack.Cancel(a.Invite)
		case call.Abandon:
			p.stack.Abandon(a.Request)
		case call.Respond:
			p.stack.Respond(a.Request, a.Response)
		case call.Alerting:
			c.tell("ringing", "")
		case call.Answered:
			c.taken(now, a.Body)
		case call.Confirmed:
			c.confirmed(now, a.Body)
		case call.Offered:
			c.changed(now, a.Body)
		case call.HungUp:
			c.stopMedia(now)
			c.end(nil, "the other side hung up")
			c.do(now, c.leg.Goodbye(c.statistics().Fields()))
		case call.Ended:
			c.stopMedia(now)
			c.end(&callRefused{c.number, a.Status, a.Why}, a.Why)
		case call.Gone:
			c.stopMedia(now)
			c.end(nil, cmp.Or(c.cause, "hung up"))
			p.active = nil
			p.release()
		}
	}
}

// taken takes the callee's answer to our offer.
func (c *phoneCall) taken(now time.Time, body []byte) {
	c.do(now, c.leg.Confirm(nil))
	answer, err := sdp.Parse(body)
	var codec sdp.Codec
	if err == nil {
		codec, err = answer.Codec()
	}
	if err != nil {
		c.failure = &callRefused{c.number, 488, err.Error()}
		c.hangUp(now)
		return
	}
	c.start(now, answer, codec)
	c.up()
}

// confirmed takes an ACK. It holds the answer when the caller left the offer to us.
func (c *phoneCall) confirmed(now time.Time, body []byte) {
	if len(body) == 0 {
		return
	}
	answer, err := sdp.Parse(body)
	if err != nil {
		c.phone.log.Debug("answer refused", logging.Err, err)
		return
	}
	if codec, err := answer.Codec(); err == nil {
		c.start(now, answer, codec)
	}
}

// changed takes the other side's wish to change the media: hold, resume, another address.
func (c *phoneCall) changed(now time.Time, offer []byte) {
	body, status := c.respond(offer)
	if status != 0 {
		c.do(now, c.leg.RefuseOffer(status))
		return
	}
	c.do(now, c.leg.AcceptOffer(now, body))
}

// respond describes our side of an offer and starts to send as it wants; without an offer it makes one.
// A status says why it cannot.
func (c *phoneCall) respond(offer []byte) (body []byte, status int) {
	c.version++
	if len(offer) == 0 {
		ours := sdp.Offer(c.session, c.localMedia())
		ours.Version = c.version
		body, err := ours.AppendBinary(nil)
		return body, statusOf(err)
	}
	theirs, err := sdp.Parse(offer)
	if err != nil {
		return nil, statusOf(err)
	}
	ours, err := theirs.Answer(c.session, c.localMedia())
	if err != nil {
		return nil, statusOf(err)
	}
	ours.Version = c.version
	if body, err = ours.AppendBinary(nil); err == nil {
		c.start(time.Now(), theirs, ours.Codecs[0])
	}
	return body, statusOf(err)
}

func statusOf(err error) int {
	if err != nil {
		return 488
	}
	return 0
}

// start sends to where the other side's description says, or nowhere while it is on hold.
func (c *phoneCall) start(now time.Time, theirs sdp.Description, codec sdp.Codec) {
	if c.started.IsZero() {
		c.started = now
	}
	if theirs.Direction == sdp.SendRecv && theirs.Media.Port() != 0 {
		c.listens = now
	} else {
		c.listens = time.Time{}
	}
	to := theirs.Media
	if theirs.Direction == sdp.SendOnly || theirs.Direction == sdp.Inactive || to.Port() == 0 {
		to = netip.AddrPort{}
	}
	c.media.Start(to, codec.PayloadType)
}

func (c *phoneCall) up() {
	if !c.isUp {
		c.isUp = true
		close(c.answered)
		c.tell("answered", "")
	}
}

// advance lets time pass: for the leg, and for a call in which nothing is heard.
func (c *phoneCall) advance(now time.Time) {
	c.do(now, c.leg.Advance(now))
	if at := c.deaf(); at.IsZero() || now.Before(at) {
		return
	}
	c.phone.log.Warn("call without sound", "number", c.number, "heard", c.media.Heard())
	c.cause = noSound
	c.hangUp(now)
}

// deaf returns when the call ends if nothing is heard until then; zero: never.
func (c *phoneCall) deaf() time.Time {
	if c.listens.IsZero() || !c.leg.Up() {
		return time.Time{}
	}
	since := c.listens
	if heard := c.media.Heard(); heard.After(since) {
		since = heard
	}
	return since.Add(c.phone.config.deafLimit)
}

// wake returns when advance wants to be called next; zero when nothing waits.
func (c *phoneCall) wake() time.Time { return earlier(c.leg.Wake(), c.deaf()) }

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (c *phoneCall) hangUp(now time.Time) {
	c.stopMedia(now)
	c.do(now, c.leg.HangUp(now, c.statistics().Fields()))
}

// stopMedia completes the measurements. It is harmless to repeat.
func (c *phoneCall) stopMedia(now time.Time) {
	c.measured = c.media.Stop()
	if !c.started.IsZero() && c.duration == 0 {
		c.duration = now.Sub(c.started)
	}
}

// statistics are what phones tell the call manager when a call ends.
func (c *phoneCall) statistics() call.Measured {
	if c.started.IsZero() {
		return call.Measured{}
	}
	const octets = 160 // of G.711 in a packet of 20 ms
	m := c.measured
	received := sip.RTPStat{
		Duration: c.duration, Packets: m.Received, Octets: m.Received * octets, Lost: m.Lost, AvgJitter: m.JitterMS,
		Metrics: sip.Params{{Name: "MLQK", Value: fmt.Sprintf("%.4f", m.MOS)}},
	}
	sent := sip.RTPStat{Duration: c.duration, Packets: m.Sent, Octets: m.Sent * octets}
	return call.Measured{Received: &received, Sent: &sent}
}

// end tells everybody that the call is over, once.
func (c *phoneCall) end(failure *callRefused, cause string) {
	if c.isOver {
		return
	}
	c.isOver = true
	if c.failure == nil && !c.isUp {
		c.failure = failure
	}
	state := "ended"
	if c.failure != nil {
		state, cause = "refused", c.failure.Why
	}
	c.tell(state, cause)
	if !c.started.IsZero() {
		measured := c.measured
		c.phone.emit(Event{Event: "media", Step: stage.Call, Media: &measured})
	}
	close(c.over)
}

func (c *phoneCall) tell(state, cause string) {
	c.phone.log.Info("call", "state", state, "number", c.number, "cause", cause)
	c.phone.emit(Event{Event: "call", Step: stage.Call, Call: &Call{State: state, Peer: c.number, Cause: cause}})
}

package register

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/wire/sccp"
	"github.com/longcord/longcord/wire/sip"
)

// Gap is the time between two phones that are told. Each will fetch its file and register again: a fleet
// that does so at once would starve itself on a thin line.
const Gap = 100 * time.Millisecond

// noStamp says that whatever the phone has is stale.
const noStamp = "0000000000000000"

// serverUser is the user part of From for phones that want one.
const serverUser = "longcord"

// Order is what a phone is to be told.
type Order struct {
	Action sip.ServiceAction
	Stamp  string // version stamp of the file that the phone should run; empty: any that it has is stale
}

// weight orders actions: a phone that is told to boot need not be told to read its file.
func (o Order) weight() int {
	switch o.Action {
	case sip.Reset:
		return 3
	case sip.Restart:
		return 2
	case sip.ApplyConfig:
		return 1
	}
	return 0
}

// TellingState is where the telling of a phone stands.
type TellingState string

// The states.
const (
	Queued     TellingState = "queued"      // its turn has not come
	InCall     TellingState = "in-call"     // it is told when its call is over
	Asked      TellingState = "asked"       // the answer is awaited
	Taken      TellingState = "taken"       // it answered that it will do so
	Declined   TellingState = "declined"    // it answered that it will not
	Silent     TellingState = "silent"      // it did not answer
	NotReached TellingState = "not-reached" // it is not registered
)

// Settled reports whether nothing more is going to happen about it.
func (s TellingState) Settled() bool {
	return s == Taken || s == Declined || s == Silent || s == NotReached
}

// Telling is one order to one phone, and what became of it.
type Telling struct {
	Device string
	Order  Order
	State  TellingState
	Since  time.Time // of the state
	Why    string    // the phone's words, or why there are none
}

// Notify sends a request to a phone.
type Notify struct {
	Flow    sip.Flow
	Request *sip.Message
}

// Told reports that the telling of a phone has come to another state.
type Told struct{ Telling Telling }

// Learned reports that a load takes another manner than it was thought to: the first contact with it.
type Learned struct {
	UserAgent string
	Refused   []Manner // with 400
	Manner    Manner
}

func (Notify) action()  {}
func (Told) action()    {}
func (Learned) action() {}

// TellerConfig is what a Teller needs.
type TellerConfig struct {
	// At returns where a device is registered, its first line if that is.
	At func(now time.Time, device string) (Binding, bool)
	// Busy tells whether a device is in a call.
	Busy func(device string) bool
	// Contact returns our own address towards a peer.
	Contact func(flow sip.Flow) sip.URI
	Rand    io.Reader
}

// Teller tells phones to read their files again, by NOTIFY, or by Reset of SCCP: one after another, and none during
// a call.
//
//	queued --its turn--> asked --200--> taken         asked --400--> asked (in another manner)
//	queued --in a call--> in-call --over--> queued    asked --other--> declined, silent
//	                     asked --leaves (SCCP)--> taken, because a Reset has no answer
//	any --not registered--> not-reached
type Teller struct {
	config  TellerConfig
	last    map[string]*telling // by device
	queue   []*telling
	asked   map[*sip.Message]*telling
	learned map[string]Manner   // by User-Agent
	resets  map[string]*telling // by device: told by SCCP, and still there
	next    time.Time           // not before this is another phone told
	wake    time.Time
}

type telling struct {
	Telling
	agent   string
	refused []Manner
	left    []Manner  // not tried yet
	manner  Manner    // being tried
	until   time.Time // by SCCP: the end of our patience
}

// NewTeller makes a teller that has told nobody.
func NewTeller(config TellerConfig) *Teller {
	return &Teller{config: config, last: map[string]*telling{}, asked: map[*sip.Message]*telling{}, learned: map[string]Manner{}, resets: map[string]*telling{}}
}

// Tell has a phone told. An order that still waits is replaced, unless it says more.
func (t *Teller) Tell(now time.Time, device string, order Order) []Action {
	if _, ok := t.config.At(now, device); !ok {
		t.drop(device)
		return t.note(now, &telling{Telling: Telling{Device: device, Order: order}}, NotReached, "it is not registered")
	}
	if last := t.last[device]; last != nil && t.waits(last) {
		if last.Order.weight() > order.weight() {
			order.Action = last.Order.Action
		}
		last.Order = order
		return t.Advance(now)
	}
	one := &telling{Telling: Telling{Device: device, Order: order}}
	t.queue = append(t.queue, one)
	state := Queued
	if t.config.Busy(device) {
		state = InCall
	}
	return append(t.note(now, one, state, ""), t.Advance(now)...)
}

func (t *Teller) waits(one *telling) bool { return one.State == Queued || one.State == InCall }

// drop takes a device out of the queue.
func (t *Teller) drop(device string) {
	t.queue = slices.DeleteFunc(t.queue, func(one *telling) bool { return one.Device == device })
}

func (t *Teller) note(now time.Time, one *telling, state TellingState, why string) []Action {
	if t.last[one.Device] == one && one.State == state && one.Why == why {
		return nil
	}
	one.State, one.Since, one.Why = state, now, why
	t.last[one.Device] = one
	return []Action{Told{one.Telling}}
}

// Advance tells the next phone whose turn has come. It is also to be called when a call is over.
func (t *Teller) Advance(now time.Time) []Action {
	var actions []Action
	var waiting []*telling
	t.wake = time.Time{}
	for _, one := range t.queue {
		b, registered := t.config.At(now, one.Device)
		switch {
		case !registered:
			actions = append(actions, t.note(now, one, NotReached, "it is no longer registered")...)
		case now.Before(t.next):
			waiting = append(waiting, one)
			t.wake = t.next
		case t.config.Busy(one.Device):
			actions = append(actions, t.note(now, one, InCall, "")...)
			waiting = append(waiting, one)
		default:
			t.next = now.Add(Gap)
			actions = append(actions, t.ask(now, one, b)...)
		}
	}
	t.queue = waiting
	return append(actions, t.impatient(now)...)
}

// leaveTime is how long a phone may take to obey a Reset: its registration ends then.
const leaveTime = 30 * time.Second

// reset tells a phone by SCCP. Whether it does so is seen when it leaves; of an order to apply its file, which may
// have nothing new, nothing is seen here.
func (t *Teller) reset(now time.Time, one *telling, b Binding) []Action {
	kind, ok := resets[one.Order.Action]
	if !ok {
		return t.note(now, one, Declined, fmt.Sprintf("SCCP has no %s", one.Order.Action))
	}
	say := Say{b.Flow, &sccp.Reset{Type: kind}}
	if kind == sccp.ApplyConfig {
		return append([]Action{say}, t.note(now, one, Taken, "sent; by SCCP it is not answered")...)
	}
	one.until = now.Add(leaveTime)
	t.resets[one.Device] = one
	return append([]Action{say}, t.note(now, one, Asked, "")...)
}

// impatient gives up those that have stayed, and sets when to look again.
func (t *Teller) impatient(now time.Time) []Action {
	var actions []Action
	for _, device := range slices.Sorted(maps.Keys(t.resets)) {
		one := t.resets[device]
		if !now.Before(one.until) {
			delete(t.resets, device)
			actions = append(actions, t.note(now, one, Silent, "it is still registered")...)
		} else if t.wake.IsZero() || one.until.Before(t.wake) {
			t.wake = one.until
		}
	}
	return actions
}

// Left takes the news that the registration of a device has ended, or begun anew.
func (t *Teller) Left(now time.Time, device string) []Action {
	one := t.resets[device]
	if one == nil {
		return nil
	}
	delete(t.resets, device)
	return t.note(now, one, Taken, "it has unregistered")
}

// Unsent takes the news that a device cannot be told by SCCP.
func (t *Teller) Unsent(now time.Time, device, why string) []Action {
	delete(t.resets, device)
	one := t.last[device]
	if one == nil {
		return nil
	}
	return t.note(now, one, Silent, why)
}

// Wake returns when Advance wants to be called next; zero when nothing waits for time to pass.
func (t *Teller) Wake() time.Time { return t.wake }

// ask begins to tell a phone, in the manner that its load took last.
func (t *Teller) ask(now time.Time, one *telling, b Binding) []Action {
	if b.Flow.Transport == SCCP {
		return t.reset(now, one, b)
	}
	one.agent, one.left = b.UserAgent, mannersOf(b)
	if known, ok := t.learned[b.UserAgent]; ok {
		one.left = []Manner{known}
	}
	return t.try(now, one, b)
}

func (t *Teller) try(now time.Time, one *telling, b Binding) []Action {
	one.manner, one.left = one.left[0], one.left[1:]
	request, err := t.request(b, one.Order, one.manner)
	if err != nil {
		return t.note(now, one, Declined, err.Error())
	}
	t.asked[request] = one
	return append(t.note(now, one, Asked, ""), Notify{b.Flow, request})
}

// Owns reports whether a request is one of the teller's.
func (t *Teller) Owns(request *sip.Message) bool { return t.asked[request] != nil }

// Answered takes a phone's answer.
func (t *Teller) Answered(now time.Time, request, response *sip.Message) []Action {
	one := t.asked[request]
	if one == nil || !response.Final() {
		return nil
	}
	delete(t.asked, request)
	words := fmt.Sprintf("%d %s", response.Status, response.Reason)
	switch {
	case response.OK():
		return append(t.learn(one), t.note(now, one, Taken, words)...)
	case response.Status == 400 && len(one.left) > 0:
		b, ok := t.config.At(now, one.Device)
		if !ok {
			return t.note(now, one, NotReached, "it is no longer registered")
		}
		one.refused = append(one.refused, one.manner)
		return t.try(now, one, b)
	case response.Status == 400: // perhaps another load under the same name
		delete(t.learned, one.agent)
	}
	return t.note(now, one, Declined, words)
}

// learn remembers what a load took after it had refused something else.
func (t *Teller) learn(one *telling) []Action {
	if len(one.refused) == 0 || one.agent == "" {
		return nil
	}
	t.learned[one.agent] = one.manner
	return []Action{Learned{one.agent, one.refused, one.manner}}
}

// Failed takes the news that a phone does not answer.
func (t *Teller) Failed(now time.Time, request *sip.Message, why string) []Action {
	one := t.asked[request]
	if one == nil {
		return nil
	}
	delete(t.asked, request)
	return t.note(now, one, Silent, why)
}

// Last returns the last telling of each device, by name.
func (t *Teller) Last() []Telling {
	var all []Telling
	for _, device := range slices.Sorted(maps.Keys(t.last)) {
		all = append(all, t.last[device].Telling)
	}
	return all
}

// request makes the NOTIFY. Its URI and To name the host that the phone itself wrote in its Contact; a phone
// answers 400 to any other.
func (t *Teller) request(b Binding, order Order, manner Manner) (*sip.Message, error) {
	var random [24]byte
	if _, err := io.ReadFull(t.config.Rand, random[:]); err != nil {
		return nil, fmt.Errorf("register: call id: %w", err)
	}
	own, target := t.config.Contact(b.Flow), b.URI()
	from, to := sip.URI{Scheme: "sip", Host: own.Host}, target
	if manner.FromUser {
		from.User = serverUser
	}
	to.Params = nil
	tag := sip.Params{{Name: "tag", Value: hex.EncodeToString(random[16:])}}
	m := &sip.Message{Method: sip.Notify, URI: target}
	m.Fields.Add("From", sip.Address{URI: from, Params: tag}.String())
	m.Fields.Add("To", sip.Address{URI: to}.String())
	m.Fields.Add("Call-ID", hex.EncodeToString(random[:16])+"@"+own.Host)
	m.Fields.Add("CSeq", "101 "+sip.Notify)
	m.Fields.Add("Contact", sip.Address{URI: own}.String())
	if manner.CheckSync != "" {
		return m, checkSync(m, manner, order, b)
	}
	m.Fields.Add("Event", sip.EventServiceControl)
	m.Fields.Add("Subscription-State", "active")
	m.Fields.Add("Content-Type", "text/plain")
	var err error
	m.Body, err = serviceBody(b.CallID, order, manner).AppendBinary(nil)
	return m, err
}

// serviceBody names the stamp of the phone's file where there is one. Of the other files nothing is known
// here: a phone that compares is told of none, any other that they are stale.
func serviceBody(callID string, order Order, manner Manner) sip.ServiceControl {
	body := sip.ServiceControl{Action: order.Action, CallID: callID}
	if order.Action == sip.ReportProblem {
		return body
	}
	for _, kind := range manner.Stamps {
		switch {
		case kind == sip.ConfigStamp:
			body.AddStamp(kind, cmp.Or(order.Stamp, noStamp))
		case order.Action == sip.CheckVersion:
			body.AddStamp(kind, "")
		case kind == sip.HeadsetStamp:
			body.AddStamp(kind, "0-0000000000")
		default:
			body.AddStamp(kind, noStamp)
		}
	}
	return body
}

func checkSync(m *sip.Message, manner Manner, order Order, b Binding) error {
	event := manner.CheckSync
	switch {
	case order.Action == sip.ReportProblem:
		return fmt.Errorf("register: this phone knows no %s", order.Action)
	case strings.HasPrefix(b.UserAgent, "Cisco-CP79"):
		// The old SIP loads know no parameter.
	case order.Action == sip.Reset || order.Action == sip.Restart:
		event += ";reboot=true"
	default:
		event += ";reboot=false"
	}
	m.Fields.Add("Event", event)
	m.Fields.Add("Subscription-State", "terminated")
	return nil
}

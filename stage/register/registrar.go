package register

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/wire/sip"
)

// Times that the registrar gives.
const (
	// CiscoExpires is what an enterprise phone gets, whatever it asks for: it refreshes 5 s earlier, and
	// takes anything that makes it refresh within a minute as an error.
	CiscoExpires = 120 * time.Second
	// MinExpires and MaxExpires bound what any other phone gets.
	MinExpires = 60 * time.Second
	MaxExpires = time.Hour
	// written is how far ahead the store's record of a binding holds, so that refreshes write nothing.
	written = 2 * MaxExpires
	// grace keeps a binding past its time, because refreshes come late now and then.
	grace = 10 * time.Second
)

// maxBindings is how many places one line may be registered at.
const maxBindings = 8

// supported is the protocol level that phones read from our answers (docs/wire/sip.md#register).
const supported = "X-cisco-srtp-fallback,X-cisco-sis-8.0.0"

// Line is what the inventory knows of a line.
type Line struct {
	Number  string
	Secret  secret.String // a line without one cannot register
	Devices []string      // names of the devices that have this line; a phone without a name needs only the secret
}

// RegistrarConfig is what a Registrar needs.
type RegistrarConfig struct {
	Realm string                           // of digest login; the phones show it to nobody
	Line  func(number string) (Line, bool) // the inventory's line, and whether there is one
	// Lines returns the numbers of a device in button order.
	Lines func(device string) []string
	Rand  io.Reader // makes the key of nonces
}

// Registrar is the call manager's half: it knows where each line is.
//
//	unknown --REGISTER--> challenged --right answer--> bound --refresh--> bound
//	bound --Expires 0, time passed, connection lost, replaced--> unknown
type Registrar struct {
	config   RegistrarConfig
	nonces   nonces
	bindings map[string]map[string]Binding // by line, then Key
	wake     time.Time                     // not after the first moment at which a binding ends
}

// NewRegistrar makes a registrar that knows no phone. It returns an error when Rand gives no key.
func NewRegistrar(config RegistrarConfig) (*Registrar, error) {
	r := &Registrar{config: config, bindings: map[string]map[string]Binding{}}
	r.nonces.used = map[string]use{}
	if _, err := io.ReadFull(config.Rand, r.nonces.key[:]); err != nil {
		return nil, fmt.Errorf("register: key for nonces: %w", err)
	}
	return r, nil
}

// Restore takes up a binding that an earlier run has written. It counts as registered for as long as the
// phone may take to refresh it. Over TCP its connection died with that run, so calls cannot reach the phone
// before it connects again; it is then told that we are new.
func (r *Registrar) Restore(now time.Time, b Binding) []Action {
	if !b.Written.After(now) {
		return []Action{Forget{b}}
	}
	b.Expires = now.Add(min(b.Lifetime, b.Written.Sub(now)))
	r.put(b)
	return nil
}

func (r *Registrar) put(b Binding) {
	if at := b.Expires.Add(grace); r.wake.IsZero() || at.Before(r.wake) {
		r.wake = at
	}
	if r.bindings[b.Line] == nil {
		r.bindings[b.Line] = map[string]Binding{}
	}
	r.bindings[b.Line][b.Key()] = b
}

// Received decides a REGISTER.
func (r *Registrar) Received(now time.Time, flow sip.Flow, request *sip.Message) []Action {
	to, _ := request.To()
	line, known := r.config.Line(to.URI.User)
	if !known {
		return r.refuse(now, request, fmt.Sprintf("no line %q", to.URI.User))
	}
	if line.Secret.IsZero() {
		return r.refuse(now, request, fmt.Sprintf("line %s has no secret", line.Number))
	}
	if challenge, ok := r.login(now, flow, line, request); !ok {
		if challenge == "" {
			return r.refuse(now, request, fmt.Sprintf("wrong secret for line %s", line.Number))
		}
		response := sip.NewResponse(request, 401, r.tag(now, request))
		response.Fields.Add("WWW-Authenticate", challenge)
		return []Action{Respond{request, response}}
	}
	contacts, err := request.Contacts()
	switch {
	case err != nil || len(contacts) > 1:
		return []Action{Respond{request, sip.NewResponse(request, 400, r.tag(now, request))}}
	case len(contacts) == 0:
		return []Action{Respond{request, r.listing(now, request, line.Number)}}
	case contacts[0].URI.Host == "*":
		return r.clear(now, request, line.Number)
	}
	return r.register(now, flow, line, request, contacts[0])
}

func (r *Registrar) refuse(now time.Time, request *sip.Message, why string) []Action {
	response := sip.NewResponse(request, 403, r.tag(now, request))
	response.Fields.Add("Warning", fmt.Sprintf("399 %s %q", r.config.Realm, why))
	to, _ := request.To()
	return []Action{Respond{request, response}, Denied{to.URI.User, why}}
}

// register binds or unbinds one contact of a line whose phone has logged in.
func (r *Registrar) register(now time.Time, flow sip.Flow, line Line, request *sip.Message, contact sip.Address) []Action {
	device, cisco := sip.DeviceOf(contact)
	if cisco && !slices.Contains(line.Devices, device.Name) {
		return r.refuse(now, request, fmt.Sprintf("device %q does not have line %s", device.Name, line.Number))
	}
	expires, brief := lifetime(request, contact, cisco)
	if brief {
		response := sip.NewResponse(request, 423, r.tag(now, request))
		response.Fields.Add("Min-Expires", seconds(MinExpires))
		return []Action{Respond{request, response}}
	}
	cseq, _, _ := request.CSeq()
	b := Binding{
		Line: line.Number, Device: device.Name, Model: device.Model,
		Contact: contact.String(), Flow: flow, CallID: request.CallID(), CSeq: cseq,
		UserAgent: request.Fields.Get("User-Agent"), Since: now, Expires: now.Add(expires), Lifetime: expires,
	}
	old, bound := r.bindings[b.Line][b.Key()]
	// An older request of the same phone that was overtaken says nothing any more (RFC 3261 10.3).
	if bound && old.CallID == b.CallID && b.CSeq <= old.CSeq {
		return []Action{Respond{request, sip.NewResponse(request, 400, r.tag(now, request))}}
	}
	if alarm, ok := sip.ParseAlarm(request.Fields.Get("Reason")); ok {
		b.Load, b.Restart = alarm.Load, alarm.Last
	} else {
		b.Load, b.Restart = old.Load, old.Restart
	}
	if expires == 0 {
		actions := []Action{Respond{request, r.accept(now, request, contact, 0, false)}}
		for _, gone := range r.together(b) {
			actions = append(actions, r.drop(gone, "the phone took it back")...)
		}
		return actions
	}
	fresh := !bound || b.moved(old)
	if fresh && !bound && len(r.bindings[b.Line]) >= maxBindings {
		return r.refuse(now, request, fmt.Sprintf("line %s is registered at %d places", b.Line, maxBindings))
	}
	_, first := r.behind(b)
	actions := []Action{Respond{request, r.accept(now, request, contact, expires, first && fresh)}}
	for _, next := range r.followers(b) {
		actions = append(actions, r.bind(now, next)...)
	}
	return actions
}

// lifetime returns how long a registration is to last, and whether the phone asked for too short a time.
func lifetime(request *sip.Message, contact sip.Address, cisco bool) (time.Duration, bool) {
	asked, said := request.Expires()
	if text := contact.Params.Get("expires"); text != "" {
		if _, err := fmt.Sscanf(text, "%d", &asked); err == nil {
			said = true
		}
	}
	switch {
	case said && asked <= 0:
		return 0, false
	case cisco:
		return CiscoExpires, false
	case !said:
		return MaxExpires, false
	}
	wanted := time.Duration(min(asked, int(MaxExpires.Seconds()))) * time.Second
	return wanted, wanted < MinExpires
}

// behind returns the other lines of a Cisco phone when b is of its first line; first is false for any
// other binding.
func (r *Registrar) behind(b Binding) (others []string, first bool) {
	if b.Device == "" {
		return nil, false
	}
	lines := r.config.Lines(b.Device)
	if len(lines) == 0 || lines[0] != b.Line {
		return nil, false
	}
	return lines[1:], true
}

// followers returns the bindings that one registration makes: b itself and, when b is of a Cisco phone's
// first line, those of the device's other lines. A line that registers itself over the same connection
// keeps its own binding, or the two registrations would replace each other's at every refresh.
func (r *Registrar) followers(b Binding) []Binding {
	all := []Binding{b}
	others, _ := r.behind(b)
	for _, number := range others {
		_, known := r.config.Line(number)
		own := r.bindings[number][b.Key()]
		if !known || own.Flow == b.Flow && !own.Follows {
			continue
		}
		next := b
		next.Line, next.Follows = number, true
		all = append(all, next)
	}
	return all
}

// together returns the bindings that end with b: its own and those that follow it.
func (r *Registrar) together(b Binding) []Binding {
	var all []Binding
	for _, places := range r.bindings {
		if bound, ok := places[b.Key()]; ok && (bound.Line == b.Line || bound.Follows && bound.CallID == b.CallID) {
			all = append(all, bound)
		}
	}
	slices.SortFunc(all, byLine)
	return all
}

// bind puts b in place and says what follows from it.
func (r *Registrar) bind(now time.Time, b Binding) []Action {
	old, bound := r.bindings[b.Line][b.Key()]
	var actions []Action
	switch {
	case !bound || b.moved(old):
		b.Written = now.Add(written)
		actions = []Action{Keep{b}, Registered{b, old}}
	case old.Written.Before(b.Expires):
		b.Since, b.Written = old.Since, now.Add(written)
		actions = []Action{Keep{b}}
	default:
		b.Since, b.Written = old.Since, old.Written
	}
	r.put(b)
	return actions
}

func (r *Registrar) drop(b Binding, why string) []Action {
	delete(r.bindings[b.Line], b.Key())
	if len(r.bindings[b.Line]) == 0 {
		delete(r.bindings, b.Line)
	}
	return []Action{Forget{b}, Unregistered{b, why}}
}

// accept makes the 200. Phones set their clock from Date.
func (r *Registrar) accept(now time.Time, request *sip.Message, contact sip.Address, expires time.Duration, fresh bool) *sip.Message {
	response := sip.NewResponse(request, 200, r.tag(now, request))
	contact.Params = contact.Params.With("expires", seconds(expires))
	if fresh {
		contact.Params = contact.Params.With(sip.NewRegistration, "")
	}
	response.Fields.Add("Contact", contact.String())
	response.Fields.Add("Expires", seconds(expires))
	response.Fields.Add("Date", now.UTC().Format(http.TimeFormat))
	response.Fields.Add("Supported", supported)
	return response
}

func seconds(d time.Duration) string { return fmt.Sprint(int(d.Seconds())) }

// listing answers a REGISTER that only asks: all places of the line.
func (r *Registrar) listing(now time.Time, request *sip.Message, line string) *sip.Message {
	response := sip.NewResponse(request, 200, r.tag(now, request))
	for _, b := range r.Lookup(now, line) {
		a, _ := sip.ParseAddress(b.Contact)
		a.Params = a.Params.With("expires", seconds(b.Expires.Sub(now)))
		response.Fields.Add("Contact", a.String())
	}
	response.Fields.Add("Date", now.UTC().Format(http.TimeFormat))
	return response
}

// clear answers Contact "*": with Expires 0 it takes back every place of the line.
func (r *Registrar) clear(now time.Time, request *sip.Message, line string) []Action {
	if expires, ok := request.Expires(); !ok || expires != 0 {
		return []Action{Respond{request, sip.NewResponse(request, 400, r.tag(now, request))}}
	}
	gone := r.Lookup(now, line)
	response := sip.NewResponse(request, 200, r.tag(now, request))
	actions := []Action{Respond{request, response}}
	for _, b := range gone {
		actions = append(actions, r.drop(b, "the phone took it back")...)
	}
	return actions
}

// tag makes our tag for an answer. It need not be remembered: a REGISTER makes no dialog.
func (r *Registrar) tag(now time.Time, request *sip.Message) string {
	sum := r.nonces.mac(fmt.Sprint(now.UnixNano(), request.CallID(), request.Fields.Get("CSeq")))
	return hex.EncodeToString(sum[:8])
}

// attach binds the lines of a phone that registers as a whole, and ends what it had elsewhere.
func (r *Registrar) attach(now time.Time, all []Binding) []Action {
	if len(all) == 0 {
		return nil
	}
	device, lines := all[0].Device, map[string]bool{}
	for _, b := range all {
		lines[b.Line] = true
	}
	actions := r.dropAll(func(b Binding) bool { return b.Device == device && !lines[b.Line] }, "the phone has registered without it")
	for _, b := range all {
		actions = append(actions, r.bind(now, b)...)
	}
	return actions
}

// full reports whether a line has no place left for a device.
func (r *Registrar) full(line, device string) bool {
	_, bound := r.bindings[line][device]
	return !bound && len(r.bindings[line]) >= maxBindings
}

// refresh keeps a line of a device registered over a flow for its lifetime, if it is.
func (r *Registrar) refresh(now time.Time, line, device string, flow sip.Flow) []Action {
	b, bound := r.bindings[line][device]
	if !bound || b.Flow != flow {
		return nil
	}
	b.Expires = now.Add(b.Lifetime)
	return r.bind(now, b)
}

// leave drops what a phone takes back that is registered as a whole.
func (r *Registrar) leave(flow sip.Flow, why string) []Action {
	return r.dropAll(func(b Binding) bool { return b.Flow == flow }, why)
}

// Lost drops what was reachable over a connection that is gone.
func (r *Registrar) Lost(flow sip.Flow) []Action {
	return r.leave(flow, "its connection is gone")
}

// Withdraw drops what may not be registered any more.
func (r *Registrar) Withdraw(gone func(Binding) bool, why string) []Action {
	return r.dropAll(gone, why)
}

// Advance drops what has not been refreshed in time.
func (r *Registrar) Advance(now time.Time) []Action {
	if r.wake.IsZero() || now.Before(r.wake) {
		return nil
	}
	r.nonces.sweep(now)
	actions := r.dropAll(func(b Binding) bool { return !now.Before(b.Expires.Add(grace)) }, "it was not refreshed")
	r.wake = time.Time{}
	for _, places := range r.bindings {
		for _, b := range places {
			r.put(b)
		}
	}
	return actions
}

func (r *Registrar) dropAll(gone func(Binding) bool, why string) []Action {
	var all []Binding
	for _, places := range r.bindings {
		for _, b := range places {
			if gone(b) {
				all = append(all, b)
			}
		}
	}
	slices.SortFunc(all, byLine)
	var actions []Action
	for _, b := range all {
		actions = append(actions, r.drop(b, why)...)
	}
	return actions
}

func byLine(x, y Binding) int {
	return cmp.Or(strings.Compare(x.Line, y.Line), strings.Compare(x.Key(), y.Key()))
}

// Wake returns when Advance wants to be called next; zero when nothing waits.
func (r *Registrar) Wake() time.Time { return r.wake }

// Lookup returns where a line is, the newest place first.
func (r *Registrar) Lookup(now time.Time, line string) []Binding {
	places := slices.Collect(maps.Values(r.bindings[line]))
	places = slices.DeleteFunc(places, func(b Binding) bool { return !now.Before(b.Expires.Add(grace)) })
	slices.SortFunc(places, func(a, b Binding) int { return b.Since.Compare(a.Since) })
	return places
}

// Device returns where a device is registered: the place of its first line, else of another. A phone that
// does not say its name counts when no other device has its line.
func (r *Registrar) Device(now time.Time, name string) (Binding, bool) {
	for _, number := range r.config.Lines(name) {
		line, _ := r.config.Line(number)
		for _, b := range r.Lookup(now, number) {
			if b.Device == name || b.Device == "" && len(line.Devices) == 1 {
				return b, true
			}
		}
	}
	return Binding{}, false
}

// At returns the lines that are registered over a flow, in order.
func (r *Registrar) At(flow sip.Flow) []string {
	var lines []string
	for line, places := range r.bindings {
		for _, b := range places {
			if b.Flow == flow {
				lines = append(lines, line)
			}
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// AnyAt returns one of the bindings over a flow; the zero one, if there is none.
func (r *Registrar) AnyAt(flow sip.Flow) Binding {
	for _, line := range r.At(flow) {
		for _, b := range r.bindings[line] {
			if b.Flow == flow {
				return b
			}
		}
	}
	return Binding{}
}

// Bindings returns all bindings, by line and then by Key.
func (r *Registrar) Bindings() []Binding {
	var all []Binding
	for _, places := range r.bindings {
		all = slices.AppendSeq(all, maps.Values(places))
	}
	slices.SortFunc(all, byLine)
	return all
}

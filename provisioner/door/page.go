package door

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/json"
	"errors"
	"html/template"
	"mime"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/wire/vpnauth"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// view is what the page shows.
type view struct {
	State   string // ask, open, ipv6, taken
	Device  string
	Model   string
	From    netip.Addr
	Minutes int
	Until   string
	Server  netip.Addr
	Inside  netip.Addr
	Keys    inventory.KeyPresses
	Arrived bool
}

// Carried is what a laptop gets for an invitation, and asks for afterwards.
type Carried struct {
	Device    string               `json:"device"`
	Model     string               `json:"model"`
	Inside    netip.Addr           `json:"inside"`         // for the phone's TFTP fields afterwards
	Keys      inventory.KeyPresses `json:"keys"`           // how they are reached
	File      []byte               `json:"file,omitempty"` // the starter file
	Ticket    string               `json:"ticket,omitempty"`
	Connected bool                 `json:"connected"` // the phone has come through the tunnel since
}

// ticketScheme is how a laptop shows its ticket.
const ticketScheme = "Bearer "

// Answer answers a request that came to the gateway, as its reply. It is false for everything that is no
// invitation that can be used, which then gets what any unknown path gets: a used link is as good as none.
//
// Reading opens nothing, because mail servers and messengers read links before people do.
func (k *Keeper) Answer(ctx context.Context, from netip.Addr, r *http.Request, body []byte) (vpnauth.Reply, bool) {
	token, ok := strings.CutPrefix(r.URL.Path, inventory.ReservedPath)
	if !ok || !plainToken.MatchString(token) {
		return vpnauth.Reply{}, false
	}
	entry, err := k.table.Get(ctx, hashOf(token))
	if err != nil {
		if !errors.Is(err, store.ErrNotFound) {
			k.log.Warn("invitation cannot be read", logging.Err, err)
		}
		return vpnauth.Reply{}, false
	}
	if device, known := k.config.Inventory().Devices[entry.Value.Device]; !known || device.Blocked {
		return vpnauth.Reply{}, false // since it was invited
	}
	v := visit{Keeper: k, ctx: ctx, now: time.Now(), from: from, request: r, entry: entry}
	reading := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch used := !entry.Value.Used.IsZero(); {
	case used && reading:
		return v.status()
	case used && v.sameDoor() && !v.byLaptop():
		return v.again(), true // the button was pressed twice
	case used || !v.now.Before(entry.Value.Expires):
		return vpnauth.Reply{}, false
	case reading:
		return v.page("ask"), true
	case r.Method == http.MethodPost && v.byLaptop():
		return v.carry()
	case r.Method == http.MethodPost:
		return v.open()
	}
	return vpnauth.Reply{}, false
}

// visit is one request with the invitation that it shows.
type visit struct {
	*Keeper
	ctx     context.Context
	now     time.Time
	from    netip.Addr
	request *http.Request
	entry   store.Entry[invitationRecord]
}

// byLaptop reports whether the request is a carrier's and not a browser's: no form sends JSON.
func (v *visit) byLaptop() bool {
	kind, _, err := mime.ParseMediaType(v.request.Header.Get("Content-Type"))
	return err == nil && kind == jsonType
}

const jsonType = "application/json"

// sameDoor reports whether the request comes from where the door is open.
func (v *visit) sameDoor() bool {
	r := v.entry.Value
	return !r.Carried && r.From == v.from && v.now.Before(r.Until)
}

// status tells who used the invitation how it stands, and nobody else.
func (v *visit) status() (vpnauth.Reply, bool) {
	r := v.entry.Value
	ticket, shown := strings.CutPrefix(v.request.Header.Get("Authorization"), ticketScheme)
	switch {
	case v.sameDoor():
		return v.page("open"), true
	case shown && r.Ticket != "" && subtle.ConstantTimeCompare([]byte(hashOf(ticket)), []byte(r.Ticket)) == 1:
		return v.json(Carried{Device: r.Device, Connected: !v.invitation(v.entry.Name, r).Connected.IsZero()})
	}
	return vpnauth.Reply{}, false
}

// open opens the door for the address that the request comes from.
func (v *visit) open() (vpnauth.Reply, bool) {
	if !v.from.Is4() {
		return v.page("ipv6"), true
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ctxGone() {
		return vpnauth.Reply{}, false
	}
	entry, err := v.table.Get(v.ctx, v.entry.Name)
	if err != nil {
		return vpnauth.Reply{}, false // revoked at this moment
	}
	if v.entry = entry; !entry.Value.Used.IsZero() { // somebody was quicker with the same link, or pressed twice
		return v.again(), v.sameDoor()
	}
	r := entry.Value
	r.Used, r.From, r.Until = v.now, v.from, v.now.Add(provision.DoorTime)
	if _, err := v.doors.Open(v.now, r.Device, v.from, r.Until); err != nil {
		v.log.Info("door stays shut", logging.Phone, r.Device, logging.Peer, v.from.String(), logging.Err, err)
		return v.page("taken"), true
	}
	if _, err := v.table.Put(v.ctx, v.entry.Name, r, v.entry.Revision); err != nil {
		v.doors.Shut(r.Device)
		if !errors.Is(err, store.ErrConflict) { // somebody else was quicker with the same link
			v.log.Warn("door stays shut", logging.Phone, r.Device, logging.Err, err)
		}
		return vpnauth.Reply{}, false
	}
	if err := errors.Join(v.openPorts(), v.admit()); err != nil {
		v.log.Error("door stays shut", logging.Phone, r.Device, logging.Err, err)
	}
	v.wake()
	v.announce(r)
	v.log.Info("door opened", logging.Phone, r.Device, logging.Peer, v.from.String(), "until", r.Until, "agent", v.request.UserAgent())
	return v.again(), true
}

// ctxGone reports whether nobody keeps doors any more. mu is held.
func (v *visit) ctxGone() bool { return v.Keeper.ctx == nil }

// again sends a browser to read the page, so that loading it anew presses no button.
func (v *visit) again() vpnauth.Reply {
	return v.reply(http.StatusSeeOther, nil, vpnauth.Field{Name: "Location", Value: v.request.URL.EscapedPath()})
}

// carry gives the starter file to a laptop, once.
func (v *visit) carry() (vpnauth.Reply, bool) {
	r := v.entry.Value
	set := v.config.Inventory()
	file, err := v.config.Renderer.Starter(set, r.Device)
	if err != nil {
		v.log.Warn("starter file cannot be made", logging.Phone, r.Device, logging.Err, err)
		return vpnauth.Reply{}, false
	}
	ticket := rand.Text()
	r.Used, r.From, r.Carried, r.Ticket = v.now, v.from, true, hashOf(ticket)
	if _, err := v.table.Put(v.ctx, v.entry.Name, r, v.entry.Revision); err != nil {
		return vpnauth.Reply{}, false
	}
	v.wake()
	v.log.Info("starter file carried away", logging.Phone, r.Device, logging.Peer, v.from.String())
	model := set.Devices[r.Device].Model // Starter has looked
	return v.json(Carried{
		Device: r.Device, Model: model, Inside: v.config.Inside, Keys: v.keys(model), File: file.Content, Ticket: ticket,
	})
}

func (v *visit) json(c Carried) (vpnauth.Reply, bool) {
	body, err := json.Marshal(c)
	if err != nil {
		return vpnauth.Reply{}, false
	}
	return v.reply(http.StatusOK, body, vpnauth.Field{Name: "Content-Type", Value: jsonType}), true
}

func (v *visit) page(state string) vpnauth.Reply {
	r := v.entry.Value
	shown := view{
		State: state, Device: r.Device, From: v.from, Minutes: int(provision.DoorTime.Minutes()), Until: r.Until.UTC().Format("15:04 UTC"),
		Server: v.outside(v.ctx, v.request.Host), Inside: v.config.Inside, Arrived: !r.Delivered.IsZero(),
	}
	if device, ok := v.config.Inventory().Devices[r.Device]; ok {
		shown.Model, shown.Keys = device.Model, v.keys(device.Model)
	}
	var text bytes.Buffer
	if err := page.Execute(&text, shown); err != nil {
		v.log.Error("page cannot be made", logging.Err, err)
	}
	return v.reply(http.StatusOK, text.Bytes(), vpnauth.Field{Name: "Content-Type", Value: "text/html; charset=utf-8"})
}

// reply is kept by nobody, runs nothing and tells nobody else where it was.
func (v *visit) reply(status int, body []byte, more ...vpnauth.Field) vpnauth.Reply {
	reply := vpnauth.Reply{Minor: v.request.ProtoMinor, Status: status, Body: body, Header: append(more, vpnauth.Headers{
		vpnauth.Length(len(body)),
		{Name: "Cache-Control", Value: "no-store"}, {Name: "Referrer-Policy", Value: "no-referrer"},
		{Name: "Content-Security-Policy", Value: "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"},
		{Name: "X-Robots-Tag", Value: "noindex"}, {Name: "Connection", Value: "close"},
	}...)}
	if v.request.Method == http.MethodHead {
		reply.Body = nil
	}
	return reply
}

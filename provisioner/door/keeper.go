package door

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/wire/tftp"
)

// Config is what a Keeper needs. Findings, Log, Connected and Resolve may be missing.
type Config struct {
	Outside   netip.AddrPort // where phones come to by TFTP, on this machine
	HTTP      netip.AddrPort // and by HTTP
	Inside    netip.Addr     // where phones fetch their files through the tunnel: what goes into their TFTP fields at last
	Renderer  provision.Renderer
	Inventory func() *inventory.Set
	Store     store.Store
	// Connected tells since when a device has had a session.
	Connected func(device string) (time.Time, bool)
	// Resolve finds the addresses of the gateway's name as the world outside has them.
	Resolve  func(ctx context.Context, host string) ([]netip.Addr, error)
	Findings *finding.Board
	Log      *slog.Logger
}

// At returns where phones come to on an address of this machine.
func At(outside netip.Addr) (byTFTP, byHTTP netip.AddrPort) {
	return netip.AddrPortFrom(outside, tftp.Port), netip.AddrPortFrom(outside, provision.HTTPPort)
}

// How long an invitation may be good for, and how many there may be.
const (
	ShortestInvitation = time.Minute
	LongestInvitation  = 7 * 24 * time.Hour
	maxInvitations     = 500
)

// Refusal is an invitation that cannot be made, for a reason that the operator can mend.
type Refusal struct{ Says, Hint string }

// Error returns the reason without the hint.
func (r *Refusal) Error() string { return r.Says }

// Keeper makes invitations and opens doors.
type Keeper struct {
	config  Config
	log     *slog.Logger
	table   *store.Table[invitationRecord]
	changed chan struct{} // something to do for Serve

	mu     sync.Mutex
	ctx    context.Context // of Serve; nil while it does not run
	doors  provision.Doors
	server *server // nil while nobody is invited

	ending sync.WaitGroup // of servers that are closed
}

// New returns a keeper that opens nothing yet.
func New(c Config) (*Keeper, error) {
	switch {
	case !c.Outside.Addr().Is4() || !c.HTTP.Addr().Is4():
		return nil, fmt.Errorf("door: %s is not IPv4, and phones know nothing else", c.Outside)
	case c.Inventory == nil || c.Store == nil:
		return nil, errors.New("door: inventory or store is missing")
	}
	if c.Connected == nil {
		c.Connected = func(string) (time.Time, bool) { return time.Time{}, false }
	}
	if c.Resolve == nil {
		c.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
		}
	}
	return &Keeper{
		config: c, log: logging.Or(c.Log).With(logging.Actor, "provisioner", logging.Stage, stage.Provision.String()),
		table: invitationTable(c.Store), changed: make(chan struct{}, 1),
	}, nil
}

// Serve keeps doors until ctx ends: it takes up those that were open before a restart and shuts each in
// time. The ports outside are open only while somebody is invited.
func (k *Keeper) Serve(ctx context.Context) error {
	k.mu.Lock()
	k.ctx = ctx
	k.mu.Unlock()
	defer k.stop()
	if err := k.resume(ctx); err != nil {
		return err
	}
	for {
		next, err := k.tidy(ctx, time.Now())
		if err != nil && ctx.Err() == nil {
			k.log.Warn("invitations cannot be read", logging.Err, err)
			next = time.Now().Add(time.Minute)
		}
		var due <-chan time.Time
		if !next.IsZero() {
			due = time.After(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-k.changed:
		case <-due:
		}
	}
}

func (k *Keeper) stop() {
	k.mu.Lock()
	k.closePorts()
	k.ctx = nil
	k.mu.Unlock()
	k.ending.Wait()
}

// resume opens the doors that a restart had shut.
func (k *Keeper) resume(ctx context.Context) error {
	entries, _, err := k.table.List(ctx)
	if err != nil {
		return fmt.Errorf("door: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	for _, e := range entries {
		if e.Value.Carried || !now.Before(e.Value.Until) {
			continue
		}
		if _, err := k.doors.Open(now, e.Value.Device, e.Value.From, e.Value.Until); err != nil {
			k.log.Warn("door stays shut", logging.Phone, e.Value.Device, logging.Err, err)
			continue
		}
		k.announce(e.Value)
	}
	return nil
}

// announce puts an open door where operators look.
func (k *Keeper) announce(r invitationRecord) {
	k.config.Findings.Raise(finding.DoorOpen.With(r.Device, r.From.String(), r.Until.Format(time.TimeOnly)).
		Because("provisioner", 0, "invited by "+r.By+", confirmed from "+r.From.String()+" at "+r.Used.Format(time.TimeOnly)))
}

// tidy shuts doors whose time is over, opens or closes the ports as there are invitations, and forgets old
// ones. It returns when it wants to be called again.
func (k *Keeper) tidy(ctx context.Context, now time.Time) (next time.Time, err error) {
	entries, _, err := k.table.List(ctx)
	if err != nil {
		return next, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, d := range k.doors.Sweep(now) {
		k.shut(d)
	}
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	invited := false
	for _, e := range entries {
		if over := e.Value.over(); now.Before(over) {
			invited = true
			sooner(over)
		} else if gone := over.Add(keptFor); now.Before(gone) {
			sooner(gone)
		} else if err := k.table.Delete(ctx, e.Name, e.Revision); err != nil && !errors.Is(err, store.ErrConflict) {
			return next, err
		}
	}
	if until := k.doors.Wake(); !until.IsZero() {
		sooner(until)
	}
	if invited {
		if err := k.openPorts(); err != nil {
			k.log.Error("doors stay shut", logging.Err, err)
			sooner(now.Add(time.Minute))
		}
	} else {
		k.closePorts()
	}
	return next, k.admit()
}

// wake has Serve look again.
func (k *Keeper) wake() {
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

// openPorts takes the ports if they are not open. mu is held.
func (k *Keeper) openPorts() (err error) {
	if k.server == nil && k.ctx != nil {
		k.server, err = listen(k.ctx, k.config.Outside, k.config.HTTP, (*desk)(k), k.log)
	}
	return err
}

// closePorts gives the ports back. What runs there may wait for mu, which is held, and ends afterwards.
func (k *Keeper) closePorts() {
	if k.server == nil {
		return
	}
	if err := k.server.close(); err != nil {
		k.log.Warn("port not closed", logging.Err, err)
	}
	k.ending.Go(k.server.wait)
	k.server = nil
}

// admit tells the kernel whom to let through. mu is held.
func (k *Keeper) admit() error {
	if k.server == nil {
		return nil
	}
	return k.server.admit(k.doors.Addresses())
}

// shut tells that a door is shut. mu is held.
func (k *Keeper) shut(d *provision.Door) {
	k.config.Findings.Clear(finding.DoorOpen, d.Device)
	k.log.Info("door shut", logging.Phone, d.Device, logging.Peer, d.Address.String(), "delivered", d.Delivered())
}

// Invitation is one as lists show it.
type Invitation struct {
	ID        string // names it to Revoke
	Device    string
	By        string
	Made      time.Time
	Expires   time.Time
	Used      time.Time // zero: not yet
	From      netip.Addr
	Carried   bool
	Until     time.Time // when its door shuts or shut
	Delivered time.Time
	Connected time.Time // since when the device has had a session, if it has had one since it was invited
}

// idLength is how much of a record's name lists show.
const idLength = 8

// Made is a fresh invitation.
type Made struct {
	Invitation
	Link   Link
	Model  string
	Server netip.Addr // what goes into the phone's TFTP fields while the door is open
	Inside netip.Addr // and afterwards
	Keys   inventory.KeyPresses
}

// Invite makes an invitation for a device that is good for that long. What the operator can mend comes as a
// *Refusal; a port that is taken is a *net.OpError in the chain.
func (k *Keeper) Invite(ctx context.Context, device, by string, good time.Duration) (Made, error) {
	if good < ShortestInvitation || good > LongestInvitation {
		return Made{}, &Refusal{fmt.Sprintf("%s is not between %s and %s", good, ShortestInvitation, LongestInvitation), "say how long with --for, such as --for 30m"}
	}
	link, model, err := k.linkFor(device)
	if err != nil {
		return Made{}, err
	}
	entries, _, err := k.table.List(ctx)
	if err != nil {
		return Made{}, fmt.Errorf("door: %w", err)
	}
	if len(entries) >= maxInvitations {
		return Made{}, &Refusal{fmt.Sprintf("there are %d invitations, and no more are kept", len(entries)), "longcord phones invite --revoke takes them back"}
	}
	now := time.Now()
	record := invitationRecord{Device: device, By: by, Made: now, Expires: now.Add(good)}
	name := hashOf(link.Token)
	k.mu.Lock()
	running := k.ctx != nil
	err = k.openPorts()
	k.mu.Unlock()
	switch {
	case !running:
		return Made{}, errors.New("door: nobody keeps doors yet")
	case err != nil:
		return Made{}, err
	}
	if _, err := k.table.Put(ctx, name, record, 0); err != nil {
		return Made{}, fmt.Errorf("door: %w", err)
	}
	k.wake()
	k.log.Info("phone invited", logging.Phone, device, "invitation", name[:idLength], "by", by, "expires", record.Expires)
	return Made{
		Invitation: k.invitation(name, record), Link: link, Model: model,
		Server: k.outside(ctx, link.Host), Inside: k.config.Inside, Keys: k.keys(model),
	}, nil
}

// linkFor makes a fresh link for a device, if it can be invited.
func (k *Keeper) linkFor(device string) (Link, string, error) {
	set := k.config.Inventory()
	declared, ok := set.Devices[device]
	if !ok {
		return Link{}, "", &Refusal{fmt.Sprintf("there is no Device %q", device), "add it first: longcord phones add"}
	}
	if model, known := set.Model(declared.Model); known && !model.VPN {
		return Link{}, "", &Refusal{fmt.Sprintf("%s: %s has no VPN client", device, model.Name), "it can be used in the office only"}
	}
	if _, err := k.config.Renderer.Starter(set, device); err != nil {
		return Link{}, "", &Refusal{err.Error(), "give the device a common phone profile with a VPN group"}
	}
	if declared.Blocked {
		return Link{}, "", &Refusal{device + " is blocked", "longcord phones unblock " + device}
	}
	vpn, _ := set.VPNSettingsFor(declared) // Starter has looked
	u, err := url.Parse(vpn.Gateways[0].URL)
	if err != nil {
		return Link{}, "", fmt.Errorf("door: %w", err)
	}
	link := Link{Host: u.Host, Token: rand.Text()[:tokenLength]}
	for _, certificate := range vpn.Certificates {
		leaf, err := certificate.Leaf()
		if err != nil {
			return Link{}, "", fmt.Errorf("door: certificate %q: %w", certificate.Name, err)
		}
		link.Hashes = append(link.Hashes, sha256.Sum256(leaf.Raw))
	}
	return link, declared.Model, nil
}

// outside is the address by which phones reach the door: the one it listens on, or, behind a router that
// forwards ports, the one that the gateway's name has.
func (k *Keeper) outside(ctx context.Context, host string) netip.Addr {
	own := k.config.Outside.Addr()
	u := url.URL{Host: host}
	if address, err := netip.ParseAddr(u.Hostname()); err == nil && address.Is4() {
		return address
	}
	if own.IsGlobalUnicast() && !own.IsPrivate() {
		return own
	}
	found, err := k.config.Resolve(ctx, u.Hostname())
	if err != nil || len(found) == 0 {
		return own
	}
	return found[0].Unmap()
}

// keys are the ways through a model's menus; empty where they are not known.
func (k *Keeper) keys(model string) inventory.KeyPresses {
	known, _ := k.config.Inventory().Model(model)
	return known.Keys
}

func (k *Keeper) invitation(name string, r invitationRecord) Invitation {
	i := Invitation{
		ID: name[:idLength], Device: r.Device, By: r.By, Made: r.Made, Expires: r.Expires,
		Used: r.Used, From: r.From, Carried: r.Carried, Until: r.Until, Delivered: r.Delivered,
	}
	if since, ok := k.config.Connected(r.Device); ok && since.After(r.Made) {
		i.Connected = since
	}
	return i
}

// List returns the invitations that can still be used or were in the last day, oldest first.
func (k *Keeper) List(ctx context.Context) ([]Invitation, error) {
	entries, _, err := k.table.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("door: %w", err)
	}
	all := make([]Invitation, len(entries))
	for i, e := range entries {
		all[i] = k.invitation(e.Name, e.Value)
	}
	sortByTime(all)
	return all, nil
}

// Revoke takes back the invitation with this id, or all of a device, shuts their doors, and returns how
// many there were.
func (k *Keeper) Revoke(ctx context.Context, which string) (int, error) {
	entries, _, err := k.table.List(ctx)
	if err != nil {
		return 0, fmt.Errorf("door: %w", err)
	}
	n := 0
	for _, e := range entries {
		if e.Name[:idLength] != which && e.Value.Device != which {
			continue
		}
		if err := k.table.Delete(ctx, e.Name, store.Any); err != nil {
			return n, fmt.Errorf("door: %w", err)
		}
		n++
		k.mu.Lock()
		if d := k.doors.Of(time.Now(), e.Value.Device); d != nil && d.Address == e.Value.From {
			k.doors.Shut(d.Device)
			k.shut(d)
		}
		err := k.admit()
		k.mu.Unlock()
		if err != nil {
			return n, err
		}
		k.log.Info("invitation revoked", logging.Phone, e.Value.Device, "invitation", e.Name[:idLength])
	}
	k.wake()
	return n, nil
}

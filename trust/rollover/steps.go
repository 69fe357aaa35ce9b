package rollover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/trust"
)

// Order is what an operator wants done with a gateway's certificate.
type Order struct {
	Gateway     string // empty: the only one
	Certificate string // Start: the next; empty: the finished spare, else a new one
	By          string // who; empty: nobody, it is due
	SpareOnly   bool   // Start: only make a spare and put its hash into phones' files
	ECDSA       bool   // Start: likewise an ECDSA certificate, to be presented beside the one in use
	Force       bool   // Commit: although phones are kept out
	DryRun      bool   // say what would be, change nothing
}

var (
	// ErrNoGateway: no such gateway, or not ours. Name one of ours.
	ErrNoGateway = errors.New("no gateway to change")
	// ErrUnfit: the certificate cannot be presented. Name another.
	ErrUnfit = errors.New("not fit")
)

// Refused: phones would be kept out. Nothing was done.
type Refused struct{ Lost []Loss }

// Error says how many.
func (r *Refused) Error() string {
	if len(r.Lost) == 1 {
		return "1 phone would be kept out"
	}
	return fmt.Sprintf("%d phones would be kept out", len(r.Lost))
}

// Start puts the hash of a gateway's next certificate into phones' files.
func (k *Keeper) Start(ctx context.Context, o Order) (Progress, error) {
	return k.step(ctx, o, k.start)
}

// Commit presents the next certificate, unless that keeps phones out: then it returns *Refused.
func (k *Keeper) Commit(ctx context.Context, o Order) (Progress, error) {
	return k.step(ctx, o, k.commit)
}

// Abort goes back to the certificate of before.
func (k *Keeper) Abort(ctx context.Context, o Order) (Progress, error) {
	return k.step(ctx, o, k.abort)
}

// Retire takes the certificate of before out of phones' files.
func (k *Keeper) Retire(ctx context.Context, o Order) (Progress, error) {
	return k.step(ctx, o, k.retire)
}

// change is a step before it is taken.
type change struct {
	r       Rollover
	objects []inventory.Object // of the inventory, as they will be
	event   string             // for the log
}

func (k *Keeper) step(ctx context.Context, o Order, plan func(*inventory.Set, Order) (change, error)) (Progress, error) {
	k.stepping.Lock()
	defer k.stepping.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.learn(ctx); err != nil {
		return Progress{}, err
	}
	set := k.config.Inventory()
	gateway, err := only(set, o.Gateway)
	if err != nil {
		return Progress{}, err
	}
	o.Gateway = gateway
	c, err := plan(set, o)
	if err != nil {
		return Progress{}, err
	}
	set = with(set, c.objects)
	if !o.DryRun {
		if err := k.take(ctx, o, c); err != nil {
			return Progress{}, err
		}
		set = k.config.Inventory()
		k.judge()
	}
	return k.status(set, set.VPNGateways[gateway], c.r), nil
}

// only returns the gateway that was named, or the only one whose certificate we present.
func only(set *inventory.Set, name string) (string, error) {
	if name != "" {
		g := set.VPNGateways[name]
		switch {
		case g == nil:
			return "", fmt.Errorf("%w: there is no VPNGateway %q", ErrNoGateway, name)
		case !Ours(set, g):
			return "", fmt.Errorf("%w: the key of gateway %q is not here: whoever runs it changes its certificate, and certs import brings the hash of the next one to phones", ErrNoGateway, name)
		}
		return name, nil
	}
	all := ours(set)
	if len(all) != 1 {
		return "", fmt.Errorf("%w: %d gateways have their key here: name one", ErrNoGateway, len(all))
	}
	return all[0].Name, nil
}

func (k *Keeper) start(set *inventory.Set, o Order) (change, error) {
	if err := k.rolloverOf(o.Gateway).must(None); err != nil {
		return change{}, err
	}
	g := set.VPNGateways[o.Gateway]
	if o.SpareOnly {
		return k.addSpare(set, g)
	}
	if o.ECDSA {
		return k.addECDSA(set, g)
	}
	to, objects, err := k.next(set, g, o.Certificate)
	if err != nil {
		return change{}, err
	}
	after := with(set, objects)
	spare, err := k.spareAfter(after, g, to)
	if err != nil {
		return change{}, err
	}
	var made []string
	if spare != nil {
		objects, after, made = append(objects, spare), with(after, []inventory.Object{spare}), []string{spare.Name}
	}
	r, changed, err := Stage(after, g.Name, to, made, k.config.Now())
	if err != nil {
		return change{}, err
	}
	r.By = o.By
	return change{r, append(objects, changed), "roll-over begins"}, nil
}

// addSpare gives a gateway one spare more.
func (k *Keeper) addSpare(set *inventory.Set, g *inventory.VPNGateway) (change, error) {
	current := leaf(set, g.Certificates[0])
	if current == nil {
		return change{}, fmt.Errorf("%w: gateway %q has no certificate", ErrUnfit, g.Name)
	}
	made, err := k.make(set, g, current.NotAfter)
	if err != nil {
		return change{}, err
	}
	next := *g
	next.Certificates = append(slices.Clone(g.Certificates), made.Name)
	return change{Rollover{Gateway: g.Name, To: made.Name}, []inventory.Object{made, &next}, "spare made"}, nil
}

// addECDSA makes a certificate that can stand beside the one in use, and has phones told of it.
func (k *Keeper) addECDSA(set *inventory.Set, g *inventory.VPNGateway) (change, error) {
	first := leaf(set, g.Certificates[0])
	switch has := k.beside(set, g); {
	case has != nil:
		return change{}, fmt.Errorf("%w: gateway %q has the ECDSA certificate %q already", ErrUnfit, g.Name, has.Name)
	case !isRSA(first):
		return change{}, fmt.Errorf("%w: certificate %q of gateway %q has no RSA key: nothing has to stand beside it", ErrUnfit, g.Certificates[0], g.Name)
	case !selfSigned(first):
		return change{}, fmt.Errorf("%w: certificate %q of gateway %q is an authority's, which computers trust: have it issue one with an ECDSA key, and take that in with certs import", ErrUnfit, g.Certificates[0], g.Name)
	}
	now := k.config.Now()
	pair, err := trust.CreateECDSACertificate(hostOf(g.URL), now, lifetime)
	if err != nil {
		return change{}, err
	}
	made := &inventory.Certificate{Name: freeName(set, g.Name+"-ecdsa", now), Certificate: pair.Certificate, Key: pair.Key}
	next := *g
	next.Certificates = append(slices.Clone(g.Certificates), made.Name)
	return change{Rollover{Gateway: g.Name, To: made.Name}, []inventory.Object{made, &next}, "ECDSA certificate made"}, nil
}

// next returns the certificate to change to: the one that was named, the spare, or one that is made.
func (k *Keeper) next(set *inventory.Set, g *inventory.VPNGateway, named string) (string, []inventory.Object, error) {
	now := k.config.Now()
	if named != "" {
		return named, nil, k.fit(set, g, named)
	}
	current := leaf(set, g.Certificates[0])
	for _, spare := range Spares(set, g, now) {
		if l := leaf(set, spare); current == nil || l.NotAfter.After(current.NotAfter) || l.NotAfter.Sub(now) > 2*k.config.Before {
			return spare, nil, nil
		}
	}
	made, err := k.make(set, g, now)
	if err != nil {
		return "", nil, err
	}
	return made.Name, []inventory.Object{made}, nil
}

// fit refuses a certificate that a gateway cannot present.
func (k *Keeper) fit(set *inventory.Set, g *inventory.VPNGateway, name string) error {
	c := set.Certificates[name]
	if c == nil {
		return fmt.Errorf("%w: there is no Certificate %q: take it in with certs import", ErrUnfit, name)
	}
	probe := *g
	probe.Certificates = []string{g.Certificates[0], name}
	l, now := leaf(set, name), k.config.Now()
	switch {
	case l == nil || c.Key.IsZero():
		return fmt.Errorf("%w: the key of certificate %q is not here", ErrUnfit, name)
	case now.After(l.NotAfter) || now.Before(l.NotBefore):
		return fmt.Errorf("%w: certificate %q is valid from %s to %s", ErrUnfit, name, l.NotBefore.UTC().Format(time.DateTime), l.NotAfter.UTC().Format(time.DateTime))
	case g.Certificates[0] == name:
		return fmt.Errorf("%w: gateway %q presents certificate %q already", ErrUnfit, g.Name, name)
	case len(Spares(set, &probe, now)) == 0:
		return fmt.Errorf("%w: certificate %q is the one in use, or has no RSA key, which some phones need", ErrUnfit, name)
	}
	return nil
}

// spareAfter returns a spare that has to be made because there would be none, or none that lives long
// enough, when a roll-over has ended; nil: there is one.
func (k *Keeper) spareAfter(set *inventory.Set, g *inventory.VPNGateway, to string) (*inventory.Certificate, error) {
	next := leaf(set, to)
	if next == nil {
		return nil, fmt.Errorf("%w: there is no certificate %q", ErrUnfit, to)
	}
	probe := *g
	probe.Certificates = []string{to}
	for _, name := range g.Certificates[1:] {
		if l := leaf(set, name); name != to && l != nil && !l.NotAfter.Before(next.NotAfter) {
			probe.Certificates = append(probe.Certificates, name)
		}
	}
	if len(Spares(set, &probe, k.config.Now())) > 0 {
		return nil, nil
	}
	return k.make(set, g, next.NotAfter)
}

func (k *Keeper) commit(set *inventory.Set, o Order) (change, error) {
	r, g, err := k.rolloverOf(o.Gateway).Commit(set, k.config.Now())
	if err != nil {
		return change{}, err
	}
	if now := set.VPNGateways[g.Name]; now.Certificates[0] != r.To && !o.Force {
		if err := k.fit(set, now, r.To); err != nil {
			return change{}, err
		}
	}
	r.Forced = k.losses(set, set.VPNGateways[g.Name], r.To)
	if len(r.Forced) > 0 && !o.Force {
		return change{}, &Refused{r.Forced}
	}
	return change{r, []inventory.Object{g}, "certificate changed"}, nil
}

func (k *Keeper) abort(set *inventory.Set, o Order) (change, error) {
	r, g, err := k.rolloverOf(o.Gateway).Abort(set, k.config.Now())
	return change{r, []inventory.Object{g}, "roll-over taken back"}, err
}

func (k *Keeper) retire(set *inventory.Set, o Order) (change, error) {
	r, g, err := k.rolloverOf(o.Gateway).Retire(set, k.config.Now())
	return change{r, []inventory.Object{g}, "certificate of before retired"}, err
}

func (k *Keeper) rolloverOf(gateway string) Rollover {
	r := k.rollovers[gateway]
	r.Gateway = gateway
	return r
}

// take takes a step. The inventory comes first: a step whose record is missing can be taken again.
func (k *Keeper) take(ctx context.Context, o Order, c change) error {
	k.mu.Unlock()
	err := k.config.Apply(ctx, c.objects)
	k.mu.Lock()
	if err != nil {
		return err
	}
	before, from, to := k.rollovers[o.Gateway], c.r.From, c.r.To
	if c.r.state() == None {
		from, to = cmp.Or(before.From, from), cmp.Or(before.To, to)
	}
	if c.r.state() == None && c.r.Aborted.IsZero() {
		delete(k.rollovers, o.Gateway)
		err = k.tables.rollovers.Delete(ctx, o.Gateway, store.Any)
	} else {
		k.rollovers[o.Gateway] = c.r
		_, err = k.tables.rollovers.Put(ctx, o.Gateway, c.r, store.Any)
	}
	delete(k.refusals, o.Gateway)
	k.log.Info(c.event, "gateway", o.Gateway, "from", from, "to", to, "by", o.By)
	for _, l := range c.r.Forced {
		k.log.Warn("phone is kept out by force", logging.Phone, l.Device, "gateway", l.Gateway, "why", l.Why, "by", o.By)
	}
	return err
}

// with returns a set with some objects more, or in the place of those with their names.
func with(set *inventory.Set, objects []inventory.Object) *inventory.Set {
	after := *set
	after.Certificates, after.VPNGateways = maps.Clone(set.Certificates), maps.Clone(set.VPNGateways)
	for _, o := range objects {
		switch o := o.(type) {
		case *inventory.Certificate:
			after.Certificates[o.Name] = o
		case *inventory.VPNGateway:
			after.VPNGateways[o.Name] = o
		}
	}
	return &after
}

func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// freeName returns a name for a certificate made today that no other has.
func freeName(set *inventory.Set, gateway string, now time.Time) string {
	name := gateway + "-" + now.UTC().Format(time.DateOnly)
	for i := 2; set.Certificates[name] != nil; i++ {
		name = fmt.Sprintf("%s-%s-%d", gateway, now.UTC().Format(time.DateOnly), i)
	}
	return name
}

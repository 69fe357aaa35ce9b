package rollover

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/longcord/longcord/inventory"
)

// State is how far a roll-over has come.
type State string

// The states, and what leads from one to the next:
//
//	      Stage            Commit             Retire
//	none ───────▶ staged ──────────▶ swapped ────────▶ none
//	 ▲              │ Abort             │ Abort: back to the certificate of before
//	 └──────────────┴───────────────────┘
//
// In none and staged the certificate of before is presented, in swapped the next. From Stage to Retire
// every file that goes out has the hashes of both, so Abort keeps nobody out either.
const (
	None    State = "none"
	Staged  State = "staged"
	Swapped State = "swapped"
)

// Rollover is the change of one gateway's certificate: from one to another.
type Rollover struct {
	Gateway string `json:"gateway"` // VPNGateway
	State   State  `json:"state"`
	From    string `json:"from"` // Certificate objects
	To      string `json:"to"`
	// Drops are the certificates that go out of phones' files at the end: From, and a spare that would not
	// outlive To.
	Drops   []string  `json:"drops,omitempty"`
	Added   []string  `json:"added,omitempty"` // certificates that were not in phones' files before
	By      string    `json:"by,omitempty"`    // who began it; empty: it began by itself
	Began   time.Time `json:"began,omitzero"`
	Swapped time.Time `json:"swapped,omitzero"`
	Aborted time.Time `json:"aborted,omitzero"` // in None: when an operator went back; for some time none begins by itself
	Legacy  bool      `json:"legacy,omitempty"` // old phones had From by name, and get To
	ECDSA   string    `json:"ecdsa,omitempty"`  // stood beside From, and cannot beside To
	Forced  []Loss    `json:"forced,omitempty"` // phones that were kept out knowingly
}

// ErrState: the step does not lead on from where the roll-over is. Look with certs rollover status.
var ErrState = errors.New("not possible now")

func (r Rollover) must(be ...State) error {
	if slices.Contains(be, r.state()) {
		return nil
	}
	switch r.state() {
	case None:
		return fmt.Errorf("%w: no roll-over of gateway %q is under way", ErrState, r.Gateway)
	case Staged:
		return fmt.Errorf("%w: a roll-over of gateway %q is under way: certificate %q is in phones' files, and %q is still presented", ErrState, r.Gateway, r.To, r.From)
	}
	return fmt.Errorf("%w: gateway %q presents certificate %q since %s, and %q is still in phones' files",
		ErrState, r.Gateway, r.To, r.Swapped.UTC().Format(time.DateOnly), r.From)
}

func (r Rollover) state() State { return cmp.Or(r.State, None) }

// Stage begins a roll-over of a gateway to one of the certificates in set, and adds spares, which were
// made for it, to what phones are told. It returns the gateway as it has to be.
func Stage(set *inventory.Set, gateway, to string, spares []string, now time.Time) (Rollover, *inventory.VPNGateway, error) {
	g := set.VPNGateways[gateway]
	switch {
	case g == nil:
		return Rollover{}, nil, fmt.Errorf("there is no VPNGateway %q", gateway)
	case len(g.Certificates) == 0:
		return Rollover{}, nil, fmt.Errorf("gateway %q has no certificate", gateway)
	case g.Certificates[0] == to:
		return Rollover{}, nil, fmt.Errorf("gateway %q presents certificate %q already", gateway, to)
	}
	r := Rollover{Gateway: gateway, State: Staged, From: g.Certificates[0], To: to, Began: now, Drops: []string{g.Certificates[0]}}
	if len(spares) > 0 {
		r.Drops = append(r.Drops, outlived(set, g, to)...)
	}
	next := *g
	next.Certificates = slices.Clone(g.Certificates)
	for _, name := range append([]string{to}, spares...) {
		if !slices.Contains(next.Certificates, name) {
			next.Certificates, r.Added = append(next.Certificates, name), append(r.Added, name)
		}
	}
	return r, &next, nil
}

// outlived returns the spares of a gateway that end before the certificate to does.
func outlived(set *inventory.Set, g *inventory.VPNGateway, to string) []string {
	until := leaf(set, to)
	var all []string
	for _, name := range g.Certificates[1:] {
		spare := leaf(set, name)
		if name != to && name != g.ECDSACertificate && until != nil && spare != nil && !set.Certificates[name].Key.IsZero() && spare.NotAfter.Before(until.NotAfter) {
			all = append(all, name)
		}
	}
	return all
}

// Commit presents the next certificate.
func (r Rollover) Commit(set *inventory.Set, now time.Time) (Rollover, *inventory.VPNGateway, error) {
	if err := r.must(Staged); err != nil {
		return r, nil, err
	}
	g, err := r.first(set, r.To)
	if err != nil {
		return r, nil, err
	}
	if g.LegacyCertificate == r.From {
		g.LegacyCertificate, r.Legacy = r.To, true
	}
	if beside := leaf(set, g.ECDSACertificate); selfSigned(beside) && !selfSigned(leaf(set, r.To)) {
		// Computers believe the authority that signed To, and nobody who signs himself.
		r.ECDSA, g.ECDSACertificate = g.ECDSACertificate, ""
		r.Drops = append(slices.Clone(r.Drops), r.ECDSA)
	}
	r.State, r.Swapped = Swapped, now
	return r, g, nil
}

// Abort goes back to the certificate of before, and takes out of phones' files what was added.
func (r Rollover) Abort(set *inventory.Set, now time.Time) (Rollover, *inventory.VPNGateway, error) {
	if err := r.must(Staged, Swapped); err != nil {
		return r, nil, err
	}
	g, err := r.first(set, r.From)
	if err != nil {
		return r, nil, err
	}
	if r.Legacy && g.LegacyCertificate == r.To {
		g.LegacyCertificate = r.From
	}
	if g.ECDSACertificate == "" && slices.Contains(g.Certificates, r.ECDSA) {
		g.ECDSACertificate = r.ECDSA
	}
	probe := *g
	if probe.Certificates = without(g.Certificates, r.Added); len(Spares(set, &probe, now)) == 0 {
		probe.Certificates = without(g.Certificates, []string{r.To}) // what was made for later serves now
		if !slices.Contains(r.Added, r.To) {
			probe.Certificates = g.Certificates
		}
	}
	g.Certificates = probe.Certificates
	return Rollover{Gateway: r.Gateway, State: None, Aborted: now}, g, nil
}

// Retire takes the certificate of before out of phones' files.
func (r Rollover) Retire(set *inventory.Set, now time.Time) (Rollover, *inventory.VPNGateway, error) {
	if err := r.must(Swapped); err != nil {
		return r, nil, err
	}
	g, err := r.first(set, r.To)
	if err != nil {
		return r, nil, err
	}
	drops := slices.Clone(r.Drops)
	for _, name := range g.Certificates {
		if l := leaf(set, name); l != nil && now.After(l.NotAfter) {
			drops = append(drops, name) // nobody will present it any more
		}
	}
	g.Certificates = without(g.Certificates, without(drops, []string{r.To, g.LegacyCertificate, g.ECDSACertificate})) // phones may still meet one of these
	return Rollover{Gateway: r.Gateway, State: None}, g, nil
}

// first returns the gateway with a certificate in front of the others. Both of the roll-over must be there
// still.
func (r Rollover) first(set *inventory.Set, name string) (*inventory.VPNGateway, error) {
	g := set.VPNGateways[r.Gateway]
	if g == nil {
		return nil, fmt.Errorf("there is no VPNGateway %q any more", r.Gateway)
	}
	next := *g
	next.Certificates = append([]string{name}, without(g.Certificates, []string{name})...)
	for _, must := range []string{r.From, r.To} {
		if set.Certificates[must] == nil || !slices.Contains(g.Certificates, must) {
			return nil, fmt.Errorf("somebody has taken certificate %q away from gateway %q: name it there again", must, r.Gateway)
		}
	}
	return &next, nil
}

func without(names, gone []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(gone, name) })
}

func leaf(set *inventory.Set, name string) *x509.Certificate {
	c := set.Certificates[name]
	if c == nil {
		return nil
	}
	parsed, err := c.Leaf()
	if err != nil {
		return nil
	}
	return parsed
}

// Spares returns the finished spares of a gateway, in order: certificates with their keys that phones are
// told of, that are not presented, and that are valid now and for some time. In the place of one with an RSA
// key only such a one can step: there are phones that verify nothing else.
func Spares(set *inventory.Set, g *inventory.VPNGateway, now time.Time) []string {
	if len(g.Certificates) == 0 {
		return nil
	}
	first := leaf(set, g.Certificates[0])
	needsRSA := isRSA(first) || g.LegacyCertificate == "" && legacy(set, g)
	var all []string
	for _, name := range g.Certificates[1:] {
		l := leaf(set, name)
		if l == nil || l.Equal(first) || name == g.ECDSACertificate || set.Certificates[name].Key.IsZero() || now.Before(l.NotBefore) || now.After(l.NotAfter) {
			continue
		}
		if needsRSA && !isRSA(l) {
			continue
		}
		all = append(all, name)
	}
	return all
}

func selfSigned(c *x509.Certificate) bool { return c != nil && bytes.Equal(c.RawIssuer, c.RawSubject) }

func isRSA(c *x509.Certificate) bool { return c != nil && c.PublicKeyAlgorithm == x509.RSA }

// legacy reports whether old phones come to a gateway.
func legacy(set *inventory.Set, g *inventory.VPNGateway) bool {
	group, ok := set.GroupByURL(g.URL)
	return ok && group.LegacyPhones
}

// Ours reports whether we present a gateway's certificate: whether its key is here.
func Ours(set *inventory.Set, g *inventory.VPNGateway) bool {
	return len(g.Certificates) > 0 && set.Certificates[g.Certificates[0]] != nil && !set.Certificates[g.Certificates[0]].Key.IsZero()
}

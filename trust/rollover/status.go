package rollover

import (
	"context"
	"crypto/x509"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/verify"
)

// CertificateInfo is a certificate as lists show it.
type CertificateInfo struct {
	Name      string    `json:"name"`
	Subject   string    `json:"subject,omitempty"`
	Hash      string    `json:"certificate_hash,omitempty"`
	SHA1      string    `json:"certificate_sha1,omitempty"`
	NotBefore time.Time `json:"not_before,omitzero"`
	NotAfter  time.Time `json:"not_after,omitzero"`
}

// Progress is where a gateway's certificate stands.
type Progress struct {
	Gateway   string            `json:"gateway"`
	URL       string            `json:"url"`
	State     State             `json:"state" enum:"none,staged,swapped"`
	Presented CertificateInfo   `json:"presented" doc:"what phones meet now"`
	Next      *CertificateInfo  `json:"next,omitempty" doc:"what a commit would present; in none: the spare"`
	Before    *CertificateInfo  `json:"before,omitempty" doc:"what was presented before, and still is in phones' files"`
	Spares    []CertificateInfo `json:"spares" doc:"finished spares"`
	By        string            `json:"by,omitempty"`
	Began     time.Time         `json:"began,omitzero"`
	Swapped   time.Time         `json:"swapped,omitzero"`
	Begins    time.Time         `json:"begins,omitzero" doc:"when a roll-over begins by itself"`
	Retires   time.Time         `json:"retires,omitzero" doc:"when the certificate of before goes out of files by itself"`
	ECDSA     *Beside           `json:"ecdsa,omitempty" doc:"the ECDSA certificate that stands or can stand beside the presented one"`
	Phones    int               `json:"phones" doc:"phones that have a file"`
	Ready     int               `json:"ready" doc:"phones of these that are known to believe the next certificate; in swapped the presented one"`
	NotReady  []Loss            `json:"not_ready" doc:"phones that a commit would keep out, or has kept out"`
	NoFile    []string          `json:"no_file" doc:"phones that have never been heard of: they have no file yet"`
	Refused   []Doubt           `json:"refused" doc:"who refused the certificate since it is presented"`
}

// Beside is an ECDSA certificate that phones are told of beside the first one of a gateway.
type Beside struct {
	CertificateInfo
	Presented bool `json:"presented" doc:"clients that can verify it meet it"`
	Ready     int  `json:"ready" doc:"phones that are known to believe it"`
}

// Doubt is a client that did not believe the certificate that it met.
type Doubt struct {
	Address string    `json:"address"`
	Device  string    `json:"device,omitempty"`
	Count   int       `json:"count"`
	Last    time.Time `json:"last"`
}

// refusals are those of one gateway.
type refusals struct{ byAddress map[netip.Addr]*Doubt }

// maxRefusals bounds how many addresses are remembered: strangers can cause some.
const maxRefusals = 100

// Mistrusted takes in that a client ended the handshake because of the certificate it met, in DER. device
// is whose address that is, where it is known.
func (k *Keeper) Mistrusted(certificate []byte, from netip.Addr, device string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	set := k.config.Inventory()
	for _, g := range ours(set) {
		for _, name := range Presented(g) {
			chain := Chain(set.Certificates[name])
			if len(chain) > 0 && slices.Equal(chain[0], certificate) {
				k.mistrusted(g, name, from, device)
				return
			}
		}
	}
}

func (k *Keeper) mistrusted(g *inventory.VPNGateway, certificate string, from netip.Addr, device string) {
	gateway := g.Name
	if k.refusals[gateway] == nil {
		k.refusals[gateway] = &refusals{map[netip.Addr]*Doubt{}}
	}
	of := k.refusals[gateway].byAddress
	if of[from] == nil {
		if len(of) >= maxRefusals {
			return
		}
		of[from] = &Doubt{Address: from.String()}
	}
	r := of[from]
	r.Count, r.Last = r.Count+1, k.config.Now()
	if device != "" {
		r.Device = device
	}
	if certificate == g.ECDSACertificate && device != "" {
		k.log.Warn("phone refused the ECDSA certificate and is shown the other one now", "gateway", gateway, logging.Phone, device,
			"switch_it_off_with", "longcord apply of VPNGateway "+gateway+" without ecdsaCertificate")
		return
	}
	if k.rollovers[gateway].state() != Swapped {
		return // strangers that verify certificates come every day
	}
	who := from.String()
	if device != "" {
		who = device + " at " + who
	}
	k.log.Warn("certificate refused after a change", "gateway", gateway, "who", who,
		"go_back_with", "longcord certs rollover abort "+gateway)
}

// Status returns where each of our gateways' certificates stands, or that of one.
func (k *Keeper) Status(ctx context.Context, gateway string) ([]Progress, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.learn(ctx); err != nil {
		return nil, err
	}
	set := k.config.Inventory()
	if gateway != "" {
		if _, err := only(set, gateway); err != nil {
			return nil, err
		}
	}
	all := []Progress{}
	for _, g := range ours(set) {
		if gateway == "" || g.Name == gateway {
			all = append(all, k.status(set, g, k.rolloverOf(g.Name)))
		}
	}
	return all, nil
}

func (k *Keeper) status(set *inventory.Set, g *inventory.VPNGateway, r Rollover) Progress {
	now := k.config.Now()
	s := Progress{
		Gateway: g.Name, URL: g.URL, State: r.state(), Presented: shown(set, g.Certificates[0]), Spares: []CertificateInfo{},
		By: r.By, Began: r.Began, Swapped: r.Swapped, NotReady: []Loss{}, NoFile: []string{}, Refused: []Doubt{},
	}
	next := g.Certificates[0]
	spares := Spares(set, g, now)
	switch r.state() {
	case None:
		s.Begins = k.begins(set, g)
		if next = r.To; next == "" && len(spares) > 0 {
			next = spares[0]
		}
	case Staged:
		next = r.To
	case Swapped:
		before := shown(set, r.From)
		s.Before = &before
		if r.By == "" && len(r.Forced) == 0 {
			s.Retires = k.retires(set, g, r)
		}
	}
	if next != "" && next != g.Certificates[0] {
		certificate := shown(set, next)
		s.Next = &certificate
	}
	for _, name := range spares {
		if r.state() == None || name != r.From && name != r.To {
			s.Spares = append(s.Spares, shown(set, name))
		}
	}
	k.count(&s, set, g, Chain(set.Certificates[next]))
	s.ECDSA = k.beside(set, g)
	if of := k.refusals[g.Name]; of != nil {
		for _, from := range slices.SortedFunc(maps.Keys(of.byAddress), netip.Addr.Compare) {
			s.Refused = append(s.Refused, *of.byAddress[from])
		}
	}
	return s
}

// beside returns the ECDSA certificate that a gateway presents beside its first, or else could; nil: none.
func (k *Keeper) beside(set *inventory.Set, g *inventory.VPNGateway) *Beside {
	name := g.ECDSACertificate
	if name == "" && isRSA(leaf(set, g.Certificates[0])) {
		i := slices.IndexFunc(g.Certificates, func(name string) bool {
			l := leaf(set, name)
			return l != nil && l.PublicKeyAlgorithm == x509.ECDSA && !set.Certificates[name].Key.IsZero()
		})
		if i >= 0 {
			name = g.Certificates[i]
		}
	}
	if name == "" {
		return nil
	}
	b := &Beside{CertificateInfo: shown(set, name), Presented: g.ECDSACertificate != ""}
	for _, device := range PhonesOf(set, g.Name) {
		if k.phones[device.Name].Believes(Chain(set.Certificates[name])) {
			b.Ready++
		}
	}
	return b
}

// count says who is ready for a chain of certificates.
func (k *Keeper) count(s *Progress, set *inventory.Set, g *inventory.VPNGateway, chain [][]byte) {
	for _, device := range PhonesOf(set, g.Name) {
		if k.phones[device.Name].New() {
			s.NoFile = append(s.NoFile, device.Name)
			continue
		}
		s.Phones++
		if loss, lost := k.phones.lost(device.Name, g.Name, chain); lost {
			s.NotReady = append(s.NotReady, loss)
			continue
		}
		s.Ready++
	}
}

func shown(set *inventory.Set, name string) CertificateInfo {
	c := CertificateInfo{Name: name}
	if l := leaf(set, name); l != nil {
		hash := verify.HashOf(l.Raw)
		c.Subject, c.Hash, c.SHA1, c.NotBefore, c.NotAfter = l.Subject.String(), hash.String(), hash.Hex(), l.NotBefore, l.NotAfter
		if c.Subject == "" && len(l.DNSNames) > 0 {
			c.Subject = "CN=" + l.DNSNames[0]
		}
	}
	return c
}

// judge raises and clears what is wrong with the certificates of gateways that phones come to. mu is held.
func (k *Keeper) judge() {
	set, now, board := k.config.Inventory(), k.config.Now(), k.config.Findings
	for _, g := range ours(set) {
		phones := PhonesOf(set, g.Name)
		k.say(len(phones) > 0 && len(Spares(set, g, now)) == 0, finding.NoSpareCertificate.With(g.Name), finding.NoSpareCertificate)
		if begins := k.begins(set, g); !k.issued(g.Name) || k.rollovers[g.Name].state() != None || begins.IsZero() || now.Before(begins) {
			board.Clear(finding.CertificateNotObtained, g.Name)
		}
		l := leaf(set, g.Certificates[0])
		if l == nil {
			continue
		}
		k.say(now.After(l.NotAfter), finding.CertificateExpired.With(g.Name, l.NotAfter.UTC().Format(time.DateTime)), finding.CertificateExpired)
		k.say(now.Before(l.NotBefore), finding.CertificateNotYetValid.With(g.Name, l.NotBefore.UTC().Format(time.DateTime)), finding.CertificateNotYetValid)
		pinned := strayAuthority(set, g)
		k.say(pinned != "", finding.CertificateHashOfWrongCertificate.With(g.Name, pinned), finding.CertificateHashOfWrongCertificate)
	}
	for _, standing := range board.Findings() {
		if of := set.VPNGateways[standing.Subject]; of == nil && mine[standing.Code] {
			if d, ok := finding.Lookup(standing.Code); ok {
				board.Clear(d, standing.Subject)
			}
		}
	}
}

// mine are the findings whose subject is a gateway.
var mine = map[string]bool{
	finding.NoSpareCertificate.Code: true, finding.CertificateNotObtained.Code: true, finding.CertificateExpired.Code: true,
	finding.CertificateNotYetValid.Code: true, finding.CertificateHashOfWrongCertificate.Code: true,
}

func (k *Keeper) say(so bool, f finding.Finding, d finding.Declaration) {
	if so {
		k.config.Findings.Raise(f)
		return
	}
	k.config.Findings.Clear(d, f.Subject)
}

// strayAuthority returns a certificate of an authority whose hash is in phones' files although the gateway
// does not send it: phones never see it. Empty: none.
func strayAuthority(set *inventory.Set, g *inventory.VPNGateway) string {
	presented := Chain(set.Certificates[g.Certificates[0]])
	for _, name := range g.Certificates[1:] {
		l := leaf(set, name)
		if l != nil && l.IsCA && !slices.ContainsFunc(presented, func(der []byte) bool { return slices.Equal(der, l.Raw) }) {
			return name
		}
	}
	return ""
}

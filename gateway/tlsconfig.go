package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/verify"
)

// modernSuites are the TLS 1.2 suites for everyone. TLS 1.3's are the library's own choice.
var modernSuites = []uint16{
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
}

// oldSuites are what 79xx phones speak. Only a connection marked old ever sees them.
var oldSuites = []uint16{
	tls.TLS_RSA_WITH_AES_256_CBC_SHA,
	tls.TLS_RSA_WITH_AES_128_CBC_SHA,
}

// identity is what the gateway presents: its certificates by the host in their URL, and whether old
// clients are let in at all.
type identity struct {
	certificates presented
	old          presented // to connections with old cryptography
	legacy       bool      // some tunnel group has legacyPhones

	authorities map[string][]verify.Authority // whose client certificates count, by tunnel group
	issuers     *x509.CertPool                // all of theirs, for clients to choose a certificate by; nil: none is asked for
}

// presented are certificates by port and host of their URL.
type presented struct {
	byHost map[string]*choice
	first  *choice               // for clients that name no host, as phones do
	ports  map[uint16]*presented // of URLs with one of Settings.MorePorts; nil in those
}

// newPresented returns one without any certificate.
func newPresented(ports []uint16) presented {
	p := presented{byHost: map[string]*choice{}, ports: map[uint16]*presented{}}
	for _, port := range ports {
		p.ports[port] = &presented{byHost: map[string]*choice{}}
	}
	return p
}

// choice is what a gateway has for a client to meet.
type choice struct {
	everybody *tls.Certificate
	ecdsa     *tls.Certificate // for who can verify it; nil: there is none
}

// takesECDSA reports whether there is an ECDSA certificate that a client can verify. One whose time is over
// does not count: the other may still be good, and phones have the hashes of both.
func (c *choice) takesECDSA(hello *tls.ClientHelloInfo, now time.Time) bool {
	return c.ecdsa != nil && !now.After(c.ecdsa.Leaf.NotAfter) && hello.SupportsCertificate(c.ecdsa) == nil
}

// newIdentity reads the certificates out of the inventory: for each group URL, the first certificate of
// the VPNGateway object with that very URL, and the one that it has for old clients.
func newIdentity(set *inventory.Set, own *verify.Authority, ports []uint16) (*identity, error) {
	id := &identity{certificates: newPresented(ports), old: newPresented(ports), authorities: map[string][]verify.Authority{}}
	gateways := map[string]*inventory.VPNGateway{}
	for _, g := range set.VPNGateways {
		gateways[g.URL] = g
	}
	for _, name := range sorted(set.TunnelGroups) {
		group := set.TunnelGroups[name]
		id.legacy = id.legacy || group.LegacyPhones
		if err := id.trust(set, own, group); err != nil {
			return nil, fmt.Errorf("tunnel group %q: %w", name, err)
		}
		for _, groupURL := range group.GroupURLs {
			g := gateways[groupURL]
			if g == nil || len(g.Certificates) == 0 {
				continue
			}
			if err := id.add(set, g); err != nil {
				return nil, fmt.Errorf("gateway %q: %w", g.Name, err)
			}
		}
	}
	if id.certificates.first == nil {
		return nil, errors.New("no group URL has a VPNGateway with a certificate and key")
	}
	return id, nil
}

// add reads the certificates of one gateway.
func (id *identity) add(set *inventory.Set, g *inventory.VPNGateway) error {
	first, err := pairOf(set.Certificates[g.Certificates[0]])
	if err != nil {
		return err
	}
	modern, old := choice{everybody: first}, choice{everybody: first}
	if g.ECDSACertificate != "" {
		if modern.ecdsa, err = pairOf(set.Certificates[g.ECDSACertificate]); err != nil {
			return err
		}
	}
	if g.LegacyCertificate != "" {
		if old.everybody, err = pairOf(set.Certificates[g.LegacyCertificate]); err != nil {
			return err
		}
	}
	return errors.Join(id.certificates.add(g.URL, &modern), id.old.add(g.URL, &old))
}

func pairOf(c *inventory.Certificate) (*tls.Certificate, error) {
	if c == nil || c.Key.IsZero() {
		return nil, errors.New("its certificate in use has no key here")
	}
	pair, err := tls.X509KeyPair([]byte(c.Certificate), []byte(c.Key.Reveal()))
	if err != nil {
		return nil, fmt.Errorf("certificate %q: %w", c.Name, err)
	}
	return &pair, nil
}

func (p *presented) add(groupURL string, c *choice) error {
	u, err := url.Parse(groupURL)
	if err != nil {
		return err
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); err == nil && p.ports[uint16(port)] != nil {
		p = p.ports[uint16(port)]
	}
	p.byHost[strings.ToLower(u.Hostname())] = c
	if p.first == nil {
		p.first = c
	}
	return nil
}

// trust reads the authorities of a tunnel group.
func (id *identity) trust(set *inventory.Set, own *verify.Authority, group *inventory.TunnelGroup) error {
	for _, a := range set.Authorities(group) {
		authority, err := authorityOf(a, own)
		if err != nil {
			return fmt.Errorf("certificate authority %q: %w", a.Name, err)
		}
		if id.issuers == nil {
			id.issuers = x509.NewCertPool()
		}
		for _, issuer := range authority.Issuers {
			id.issuers.AddCert(issuer)
		}
		id.authorities[group.Name] = append(id.authorities[group.Name], authority)
	}
	return nil
}

// authorityOf is an authority of the inventory as package verify wants it.
func authorityOf(a *inventory.CertificateAuthority, own *verify.Authority) (verify.Authority, error) {
	if a.Own {
		if own == nil {
			return verify.Authority{}, errors.New("this house has none of its own here")
		}
		return verify.Authority{Name: a.Name, Issuers: own.Issuers, Lists: own.Lists}, nil
	}
	issuers, err := a.Issuers()
	if err != nil {
		return verify.Authority{}, err
	}
	lists, err := a.RevocationLists()
	if err != nil {
		return verify.Authority{}, fmt.Errorf("revoked certificates: %w", err)
	}
	return verify.Authority{Name: a.Name, Manufacturer: a.Manufacturer, Issuers: issuers, Lists: lists}, nil
}

// at chooses by the port that the client has come to and the name that it sent; who sends none, or an
// unknown one, gets the first.
func (p *presented) at(port uint16, serverName string) *choice {
	if at := p.ports[port]; at != nil && at.first != nil {
		p = at
	}
	if c := p.byHost[strings.ToLower(serverName)]; c != nil {
		return c
	}
	return p.first
}

// isOld reports whether a client cannot do better than old cryptography: it offers no TLS 1.2, or at 1.2
// no suite with forward secrecy or no signature better than SHA-1.
func isOld(hello *tls.ClientHelloInfo) bool {
	if slices.Contains(hello.SupportedVersions, tls.VersionTLS13) {
		return false
	}
	if !slices.Contains(hello.SupportedVersions, tls.VersionTLS12) {
		return true
	}
	return !slices.ContainsFunc(hello.CipherSuites, func(suite uint16) bool { return slices.Contains(modernSuites, suite) }) ||
		!slices.ContainsFunc(hello.SignatureSchemes, func(s tls.SignatureScheme) bool { return s != tls.PKCS1WithSHA1 && s != tls.ECDSAWithSHA1 })
}

// modernConfig is the TLS configuration for everyone who is not old. A client is asked for a certificate
// when some tunnel group takes one, and may have none: which group it wants is not known yet, and judging
// the certificate is package verify's.
func modernConfig(id *identity) *tls.Config {
	config := &tls.Config{
		MinVersion:                  tls.VersionTLS12,
		CipherSuites:                modernSuites,
		SessionTicketsDisabled:      true,
		DynamicRecordSizingDisabled: true, // one packet must stay one record
	}
	if id.issuers != nil {
		config.ClientAuth, config.ClientCAs = tls.RequestClientCert, id.issuers
	}
	return config
}

// oldConfig is modernConfig with old cryptography. MaxVersion stays unset so that the marks against
// downgrade stay in.
func oldConfig(id *identity) *tls.Config {
	config := modernConfig(id)
	config.MinVersion = tls.VersionTLS10
	config.CipherSuites = oldSuites
	return config
}

// sorted returns a table's names in order, so that choices do not depend on map order.
func sorted[T any](t inventory.Table[T]) []string {
	names := make([]string, 0, len(t))
	for name := range t {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

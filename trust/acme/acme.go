// Package acme obtains certificates from an authority on the Internet, such as Let's Encrypt, by RFC 8555.
//
// The authority wants to see that the gateway's name is ours: it connects to port 443 and asks for the
// protocol acme-tls/1 (tls-alpn-01, RFC 8737). Answer is what the gateway presents there meanwhile. What is
// obtained goes out to phones as a hash before it is presented, which is package rollover's work.
package acme

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/trust"
)

// Protocol is the application protocol by which an authority asks.
const Protocol = acme.ALPNProto

// Config is what an Issuer needs.
type Config struct {
	Directory string        // URL of the authority's directory
	Email     string        // whom the authority may write to; may be empty
	Key       crypto.Signer // of the account, kept for good: P-256
}

// Issuer obtains certificates. Its methods may be called from several goroutines.
type Issuer struct {
	config Config
	client *acme.Client

	mu      sync.Mutex
	answers map[string]*tls.Certificate // by host, while the authority may ask
}

// New returns an issuer that has not spoken to anybody yet.
func New(c Config) (*Issuer, error) {
	if c.Directory == "" || c.Key == nil {
		return nil, errors.New("acme: directory and account key are required")
	}
	return &Issuer{
		config: c, answers: map[string]*tls.Certificate{},
		client: &acme.Client{Key: c.Key, DirectoryURL: c.Directory, UserAgent: "longcord"},
	}, nil
}

// Answer returns what to present to an authority that names a host in TLS and asks for Protocol, or nil
// when none is expected to now.
func (i *Issuer) Answer(host string) *tls.Certificate {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.answers[strings.TrimSuffix(strings.ToLower(host), ".")]
}

func (i *Issuer) setAnswer(host string, c *tls.Certificate) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if c == nil {
		delete(i.answers, host)
		return
	}
	i.answers[host] = c
}

// patience bounds one order.
const patience = 5 * time.Minute

// keyBits are RSA's: what every phone that has VPN can verify.
const keyBits = 2048

// Obtain returns a new certificate for a host name or an IPv4 address, with its chain and a new key.
func (i *Issuer) Obtain(ctx context.Context, host string) (trust.Pair, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pair, err := i.obtain(ctx, host)
	if err != nil {
		return trust.Pair{}, fmt.Errorf("acme: %s for %s: %w", i.config.Directory, host, err)
	}
	return pair, nil
}

func (i *Issuer) obtain(ctx context.Context, host string) (trust.Pair, error) {
	if err := i.register(ctx); err != nil {
		return trust.Pair{}, err
	}
	order, err := i.client.AuthorizeOrder(ctx, identifiers(host))
	if err != nil {
		return trust.Pair{}, err
	}
	for _, url := range order.AuthzURLs {
		if err := i.prove(ctx, url, host); err != nil {
			return trust.Pair{}, err
		}
	}
	if _, err = i.client.WaitOrder(ctx, order.URI); err != nil {
		return trust.Pair{}, err
	}
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return trust.Pair{}, err
	}
	template := &x509.CertificateRequest{DNSNames: []string{host}}
	if ip := net.ParseIP(host); ip != nil {
		template = &x509.CertificateRequest{IPAddresses: []net.IP{ip}}
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		return trust.Pair{}, err
	}
	chain, _, err := i.client.CreateCertFromOrder(ctx, order, request, true)
	if err != nil {
		return trust.Pair{}, err
	}
	return pairOf(chain, key)
}

func identifiers(host string) []acme.AuthzID {
	if net.ParseIP(host) != nil {
		return acme.IPIDs(host)
	}
	return acme.DomainIDs(host)
}

// askedAs is how the authority names a host in TLS: an IPv4 address backwards (RFC 8738).
func askedAs(host string) string {
	if ip := net.ParseIP(host).To4(); ip != nil {
		return fmt.Sprintf("%d.%d.%d.%d.in-addr.arpa", ip[3], ip[2], ip[1], ip[0])
	}
	return strings.ToLower(host)
}

// register makes the account, or finds the one that this key has.
func (i *Issuer) register(ctx context.Context) error {
	account := &acme.Account{}
	if i.config.Email != "" {
		account.Contact = []string{"mailto:" + i.config.Email}
	}
	_, err := i.client.Register(ctx, account, acme.AcceptTOS)
	if errors.Is(err, acme.ErrAccountAlreadyExists) {
		return nil
	}
	return err
}

// prove shows the authority that the host is ours.
func (i *Issuer) prove(ctx context.Context, url, host string) error {
	authorization, err := i.client.GetAuthorization(ctx, url)
	if err != nil || authorization.Status == acme.StatusValid {
		return err
	}
	for _, challenge := range authorization.Challenges {
		if challenge.Type != "tls-alpn-01" {
			continue
		}
		answer, err := i.client.TLSALPN01ChallengeCert(challenge.Token, host)
		if err != nil {
			return err
		}
		i.setAnswer(askedAs(host), &answer)
		defer i.setAnswer(askedAs(host), nil)
		if _, err := i.client.Accept(ctx, challenge); err != nil {
			return err
		}
		_, err = i.client.WaitAuthorization(ctx, url)
		return err
	}
	return errors.New("the authority does not offer tls-alpn-01")
}

func pairOf(chain [][]byte, key *rsa.PrivateKey) (trust.Pair, error) {
	var text strings.Builder
	for _, der := range chain {
		if err := pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
			return trust.Pair{}, err
		}
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return trust.Pair{}, err
	}
	pair := trust.Pair{Certificate: text.String(), Key: secret.New(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))}
	_, err = pair.Load()
	return pair, err
}

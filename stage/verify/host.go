package verify

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"strings"
)

// HostError says that a certificate does not name the host of the URL.
type HostError struct {
	Host     string
	Names    []string // what the certificate names
	Wildcard bool     // a wildcard of it would fit, which phones do not accept
}

func (e *HostError) Error() string {
	if e.Wildcard {
		return fmt.Sprintf("verify: certificate names %s only by a wildcard (%s), which phones refuse", e.Host, strings.Join(e.Names, ", "))
	}
	return fmt.Sprintf("verify: certificate names %s, not %s", strings.Join(e.Names, ", "), e.Host)
}

// CheckHost does the phones' host ID check: the URL's host (without port) must be a subject alternative
// name of the certificate or, when it has none, the common name. An address must be named as such. A
// failure is a *HostError (docs/wire/vpn-login.md#host-id-check).
func CheckHost(leaf *x509.Certificate, host string) error {
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	names := hostNames(leaf)
	failure := &HostError{Host: host, Names: names}
	for _, name := range names {
		if sameHost(name, host) {
			return nil
		}
		failure.Wildcard = failure.Wildcard || fitsWildcard(name, host)
	}
	return failure
}

func hostNames(leaf *x509.Certificate) []string {
	names := append([]string(nil), leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		names = append(names, leaf.Subject.CommonName)
	}
	return names
}

func sameHost(name, host string) bool {
	if address, err := netip.ParseAddr(host); err == nil {
		named, err := netip.ParseAddr(name)
		return err == nil && named == address.Unmap()
	}
	return strings.EqualFold(strings.TrimSuffix(name, "."), host)
}

func fitsWildcard(name, host string) bool {
	suffix, ok := strings.CutPrefix(name, "*")
	_, parent, dotted := strings.Cut(host, ".")
	return ok && dotted && strings.EqualFold(suffix, "."+parent)
}

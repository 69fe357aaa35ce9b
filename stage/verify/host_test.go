package verify_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net"
	"testing"

	"github.com/longcord/longcord/stage/verify"
)

func TestCheckHost(t *testing.T) {
	t.Parallel()
	cn := func(name string) *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: name}}
	}
	san := func(names ...string) *x509.Certificate {
		c := cn("cn.example.net")
		for _, n := range names {
			if ip := net.ParseIP(n); ip != nil {
				c.IPAddresses = append(c.IPAddresses, ip)
			} else {
				c.DNSNames = append(c.DNSNames, n)
			}
		}
		return c
	}
	for _, c := range []struct {
		cert     *x509.Certificate
		host     string
		ok, wild bool
	}{
		{san("vpn.example.net"), "vpn.example.net", true, false},
		{san("a", "vpn.example.net"), "VPN.example.NET.", true, false},
		{san("vpn.example.net"), "cn.example.net", false, false}, // names beat the common name
		{cn("cn.example.net"), "cn.example.net", true, false},
		{cn("cn.example.net"), "other.example.net", false, false},
		{san("*.example.net"), "vpn.example.net", false, true},
		{cn("*.example.net"), "vpn.example.net", false, true},
		{san("*.example.net", "vpn.example.net"), "vpn.example.net", true, false},
		{san("*.example.net"), "a.b.example.net", false, false},
		{san("10.0.0.1"), "10.0.0.1", true, false},
		{san("10.0.0.1"), "10.0.0.2", false, false},
		{cn("10.0.0.1"), "10.0.0.1", true, false},
		{san("2001:db8::1"), "[2001:db8:0::1]", true, false},
		{san("10.0.0.1"), "::ffff:10.0.0.1", true, false},
		{cn(""), "", false, false},
	} {
		err := verify.CheckHost(c.cert, c.host)
		if c.host != "" && (err == nil) != c.ok {
			t.Errorf("%v %q against %q: %v, want ok %v", c.cert.DNSNames, c.cert.Subject.CommonName, c.host, err, c.ok)
		}
		var host *verify.HostError
		if errors.As(err, &host) && host.Wildcard != c.wild {
			t.Errorf("%v against %q: wildcard %v, want %v: %v", c.cert.DNSNames, c.host, host.Wildcard, c.wild, err)
		}
	}
}

package main

import (
	"errors"
	"net/netip"

	"github.com/longcord/longcord/internal/testnet"
)

// Addresses of the laboratory.
var (
	clientAddr   = netip.MustParsePrefix("198.51.100.2/24")
	internetNear = netip.MustParsePrefix("198.51.100.1/24")
	internetFar  = netip.MustParsePrefix("203.0.113.1/24")
	outside      = netip.MustParsePrefix("203.0.113.2/24") // the gateway's
	inside       = netip.MustParsePrefix("10.20.0.1/24")   // likewise
	desk         = netip.MustParsePrefix("10.20.0.9/24")   // the inside host's
	pool         = netip.MustParsePrefix("10.99.0.0/20")
	sources      = netip.MustParsePrefix("198.18.0.0/16") // an outer address for each client
	newcomers    = netip.MustParsePrefix("198.19.0.0/16") // and for those who come while they talk
	homes        = netip.MustParsePrefix("198.18.0.0/15") // both
	everywhere   netip.Prefix
)

// laboratory is four hosts: client and inside belong to this program, the gateway under test has its own.
type laboratory struct {
	client, internet, gateway, inside *testnet.Host
}

func newLaboratory() (l *laboratory, err error) {
	l = new(laboratory)
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	for _, h := range []struct {
		name string
		host **testnet.Host
	}{{"client", &l.client}, {"internet", &l.internet}, {"gateway", &l.gateway}, {"inside", &l.inside}} {
		if *h.host, err = testnet.NewHost(h.name, nil); err != nil {
			return l, err
		}
	}
	return l, errors.Join(
		testnet.Connect(l.client, "eth0", clientAddr, l.internet, "near", internetNear),
		testnet.Connect(l.internet, "far", internetFar, l.gateway, "outside", outside),
		testnet.Connect(l.gateway, "inside", inside, l.inside, "eth0", desk),
		l.client.Own(homes),
		l.client.Route(everywhere, internetNear.Addr()),
		l.internet.Forward(),
		l.internet.Route(homes, clientAddr.Addr()),
		l.gateway.Forward(),
		l.gateway.Route(everywhere, internetFar.Addr()),
		l.inside.Route(everywhere, inside.Addr()),
	)
}

func (l *laboratory) close() error {
	var errs []error
	for _, h := range []*testnet.Host{l.client, l.internet, l.gateway, l.inside} {
		if h != nil {
			errs = append(errs, h.Close())
		}
	}
	return errors.Join(errs...)
}

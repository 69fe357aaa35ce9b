package walk

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
)

// probed is what a gateway has for a client with every version and cipher of TLS.
type probed struct {
	version, suite uint16
	err            error
}

// probe brings up TLS with everything that this program has up to a version, to see what a gateway wants that does not
// want the phone's. Nothing is verified, and nothing is said.
func probe(ctx context.Context, u, address string, newest uint16) probed {
	var p probed
	host := ""
	if parsed, err := url.Parse(u); err == nil {
		host = parsed.Hostname()
	}
	cfg := &tls.Config{
		InsecureSkipVerify: true, //nolint:gosec // it is only looked at
		ServerName:         host,
		MinVersion:         tls.VersionTLS10,
		MaxVersion:         newest,
		VerifyConnection: func(state tls.ConnectionState) error {
			p.version, p.suite = state.Version, state.CipherSuite
			return nil
		},
	}
	for _, suites := range [][]*tls.CipherSuite{tls.CipherSuites(), tls.InsecureCipherSuites()} {
		for _, s := range suites {
			cfg.CipherSuites = append(cfg.CipherSuites, s.ID)
		}
	}
	raw, err := new(net.Dialer).DialContext(ctx, "tcp4", address)
	if err != nil {
		p.err = err
		return p
	}
	defer raw.Close()
	if err := tls.Client(raw, cfg).HandshakeContext(ctx); err != nil && p.version == 0 {
		p.err = err
	}
	return p
}

// takes says it in words.
func (p probed) takes() string {
	if p.err != nil {
		return "none"
	}
	return tls.VersionName(p.version) + " with " + tls.CipherSuiteName(p.suite)
}

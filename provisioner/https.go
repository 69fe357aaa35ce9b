package provisioner

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"

	"github.com/longcord/longcord/internal/logging"
)

// tls is how HTTPS is spoken; nil: not at all. Loads that ask by HTTPS speak TLS 1.2 with ECDHE-ECDSA
// (docs/wire/phone-files.md#by-https). A client is asked for a certificate and may have none: it is one way
// of proving which phone it is.
func (c Config) tls() *tls.Config {
	if !c.servesHTTPS() {
		return nil
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			certificate, err := c.Certificate()
			return &certificate, err
		},
	}
	if c.Prove != nil {
		config.ClientAuth = tls.RequestClientCert
	}
	return config
}

// certified returns the device that a client's certificates prove, or nothing.
func (p *Provisioner) certified(peer netip.AddrPort, sent []*x509.Certificate) string {
	if len(sent) == 0 || p.prove == nil {
		return ""
	}
	device, err := p.prove(sent)
	if err != nil {
		p.log.Info("client certificate proves nothing", logging.Peer, peer, logging.Err, err)
		return ""
	}
	return device
}

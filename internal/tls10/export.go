package tls10

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"errors"
	"hash"

	"github.com/longcord/longcord/internal/prf"
)

// exporter exports keys at TLS 1.2 where crypto/tls does not, since the handshake had no extended master
// secret.
type exporter struct{ handshake }

// newExporter takes the handshake over, or wipes it when crypto/tls can do without.
func newExporter(state tls.ConnectionState, h handshake) *exporter {
	if _, err := state.ExportKeyingMaterial("EXPORTER-trial", nil, 1); err == nil {
		clear(h.master)
		return nil
	}
	return &exporter{h}
}

// Export returns length bytes that only the two ends of the connection can know: the exporter of RFC 5705
// without a context. Without the extended master secret it works once, since the secret is then wiped; there
// is none at TLS 1.0 and 1.1.
func (c *Conn) Export(label string, length int) ([]byte, error) {
	state := c.ConnectionState()
	switch {
	case state.Version < tls.VersionTLS12:
		return nil, errors.New("tls10: keys are exported at TLS 1.2 or later")
	case c.exporter == nil:
		return state.ExportKeyingMaterial(label, nil, length)
	case c.exporter.master == nil:
		return nil, errors.New("tls10: keys were exported before")
	}
	e := c.exporter
	out := prf.TLS12(e.hash(), e.master, label, append(e.clientRandom, e.serverRandom...), length)
	clear(e.master)
	e.master = nil
	return out, nil
}

// hash is the hash of the suite's PRF at TLS 1.2.
func (e *exporter) hash() func() hash.Hash {
	switch e.suite {
	case tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_RSA_WITH_AES_256_GCM_SHA384:
		return sha512.New384
	}
	return sha256.New
}

package provisioner

import (
	"crypto/tls"
	"slices"
)

// Suites of TLS 1.2 for phones that are not old; those of 1.3 are the library's own choice.
var trustSuites = []uint16{
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// oldTrustSuites are what old phones speak: AES256-SHA is the one that was seen.
var oldTrustSuites = []uint16{tls.TLS_RSA_WITH_AES_256_CBC_SHA, tls.TLS_RSA_WITH_AES_128_CBC_SHA}

// trustTLS is the configuration for one phone. Old cryptography is for those that can do no better, while
// the inventory has such phones.
func trustTLS(hello *tls.ClientHelloInfo, ours tls.Certificate, legacy bool) *tls.Config {
	c := &tls.Config{
		Certificates: []tls.Certificate{ours}, MinVersion: tls.VersionTLS12, CipherSuites: trustSuites,
		SessionTicketsDisabled:      true,
		DynamicRecordSizingDisabled: true, // a message must stay in one piece
	}
	modern := slices.Contains(hello.SupportedVersions, tls.VersionTLS13) ||
		slices.Contains(hello.SupportedVersions, tls.VersionTLS12) &&
			slices.ContainsFunc(hello.CipherSuites, func(suite uint16) bool { return slices.Contains(trustSuites, suite) })
	if legacy && !modern {
		c.MinVersion, c.CipherSuites = tls.VersionTLS10, oldTrustSuites
	}
	return c
}

package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/stage/verify"
)

// TestPresentedReadsTheOldestGateway hashes what a gateway presents that speaks TLS 1.0 with RSA key
// exchange and nothing else, as old ASAs do.
func TestPresentedReadsTheOldestGateway(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	chain, ecdsa, err := presented(t.Context(), server.URL)
	if err != nil || ecdsa != nil {
		t.Fatal(err, ecdsa)
	}
	got := describe(chain)
	if want := verify.HashOf(server.Certificate().Raw).String(); len(got) != 1 || got[0].Hash != want {
		t.Errorf("got %+v, want hash %s", got, want)
	}
}

// TestPresentedToStrangers: a gateway that lets in by certificate alone has shown its own before it refuses.
func TestPresentedToStrangers(t *testing.T) {
	t.Parallel()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MaxVersion: version}
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		defer server.Close()
		chain, _, err := presented(t.Context(), server.URL)
		if err != nil || len(chain) != 1 || !chain[0].Equal(server.Certificate()) {
			t.Errorf("%s: %v, %v", tls.VersionName(version), chain, err)
		}
	}
}

// TestPresentedBoth: a gateway with two certificates shows both, the one for everybody first.
func TestPresentedBoth(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{testcert.ECDSA("127.0.0.1"), testcert.RSA("127.0.0.1")}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	chain, ecdsa, err := presented(t.Context(), server.URL)
	if err != nil || len(chain) != 1 || len(ecdsa) != 1 || chain[0].PublicKeyAlgorithm != x509.RSA || ecdsa[0].PublicKeyAlgorithm != x509.ECDSA {
		t.Errorf("%v, %v, %v", chain, ecdsa, err)
	}
}

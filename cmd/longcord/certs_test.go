package main

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

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
	chain, err := presented(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	got := describe(chain)
	if want := verify.HashOf(server.Certificate().Raw).String(); len(got) != 1 || got[0].Hash != want {
		t.Errorf("got %+v, want hash %s", got, want)
	}
}

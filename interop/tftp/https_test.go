//go:build interop

package tftp_test

import (
	"crypto/tls"
	"encoding/pem"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/servertest"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/provisioner"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/trust"
)

// startHTTPS runs a provisioner on loopback that signs and serves HTTPS by the keys of a house. It returns
// its addresses and a file with the certificate that it shows.
func startHTTPS(t *testing.T) (http, https, certificate string) {
	t.Helper()
	kept := memory.New()
	t.Cleanup(func() { kept.Close() })
	house, err := trust.OpenAuthority(t.Context(), trust.AuthorityConfig{
		Store: kept, Sealer: trust.NewSealer([trust.KeySize]byte{}), Address: netip.MustParseAddr("127.0.0.1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	shown, err := house.Pair(trust.FilesEC)
	if err != nil {
		t.Fatal(err)
	}
	certificate = filepath.Join(t.TempDir(), "shown.pem")
	if err := os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: shown.Certificate[0]}), 0o600); err != nil {
		t.Fatal(err)
	}
	loopback := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 0)
	set := phones()
	p, err := provisioner.New(provisioner.Config{
		Settings: provisioner.Settings{
			TFTP: loopback, HTTP: loopback, HTTPS: loopback,
			Access: provision.Access{Office: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
		},
		Inventory: func() *inventory.Set { return set }, Authority: house,
		Certificate: func() (tls.Certificate, error) { return house.Pair(trust.FilesEC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Open(); err != nil {
		t.Fatal(err)
	}
	servertest.Start(t, p.Serve)
	_, plain := p.Addresses()
	return plain.String(), p.HTTPSAddress().String(), certificate
}

// TestCurlByHTTPS: curl, which believes the certificate by its name and address, gets a phone's plain file under
// the signed name, by TLS 1.2 and 1.3, and nothing by less.
func TestCurlByHTTPS(t *testing.T) {
	t.Parallel()
	http, https, certificate := startHTTPS(t)
	dir := t.TempDir()
	plain, err := run(t, dir, "curl", "-sS", "--fail", "http://"+http+"/"+phone+".cnf.xml")
	if err != nil {
		t.Fatalf("%v: %s", err, plain)
	}
	signed, err := run(t, dir, "curl", "-sS", "--fail", "http://"+http+"/"+phone+".cnf.xml.sgn")
	if err != nil || signed == plain || !strings.HasPrefix(signed, "\x01") {
		t.Errorf("by HTTP the signed name gives %v, %.40q, want a signed file", err, signed)
	}
	for _, version := range []string{"1.2", "1.3"} {
		got, err := run(t, dir, "curl", "-sS", "--fail", "--cacert", certificate, "--tlsv"+version, "--tls-max", version, "https://"+https+"/"+phone+".cnf.xml.sgn")
		if err != nil || got != plain {
			t.Errorf("TLS %s: %v, %d bytes, want the plain file of %d: %.200s", version, err, len(got), len(plain), got)
		}
	}
	if got, err := run(t, dir, "curl", "-sS", "-k", "--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT:@SECLEVEL=0", "https://"+https+"/"+phone+".cnf.xml.sgn"); err == nil {
		t.Errorf("TLS 1.1: %.200s", got)
	}
	for _, name := range []string{"ext_ITL" + phone + ".tlv", "ITLFile.tlv", "CTL" + phone + ".tlv", "XMLDefault.cnf.xml"} {
		status, err := run(t, dir, "curl", "-sS", "-o", "body", "-w", "%{http_code}", "--cacert", certificate, "https://"+https+"/"+name)
		if err != nil || status != "404" {
			t.Errorf("%s: %s, %v, want 404", name, status, err)
		}
	}
}

// TestOpenSSLOnHTTPS: openssl says what is spoken: an EC certificate, and suites that phones have.
func TestOpenSSLOnHTTPS(t *testing.T) {
	t.Parallel()
	_, https, certificate := startHTTPS(t)
	dir := t.TempDir()
	for _, suite := range []string{"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"} {
		out, err := run(t, dir, "openssl", "s_client", "-connect", https, "-CAfile", certificate, "-verify_return_error", "-tls1_2", "-cipher", suite)
		if err != nil || !strings.Contains(out, "Cipher is "+suite) || !strings.Contains(out, "Verify return code: 0 (ok)") {
			t.Errorf("%s: %v\n%s", suite, err, out)
		}
	}
	if out, err := run(t, dir, "openssl", "s_client", "-connect", https, "-tls1_2", "-cipher", "aRSA"); err == nil {
		t.Errorf("an RSA certificate is shown:\n%s", out)
	}
	text, err := run(t, dir, "openssl", "x509", "-in", certificate, "-noout", "-text")
	if err != nil || !strings.Contains(text, "id-ecPublicKey") {
		t.Errorf("%v\n%s", err, text)
	}
}

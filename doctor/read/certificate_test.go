package read

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/doctor/fact"
)

// phoneNow is when everything in these tests is read.
var phoneNow = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// phoneFacts reads a text and returns its facts as lines of kind and values.
func phoneFacts(t testing.TB, text string) []fact.Fact {
	t.Helper()
	c := fact.NewCollector("test", "files")
	if err := Input(t.Context(), c, "file", strings.NewReader(text), Options{Now: phoneNow}); err != nil {
		t.Fatal(err)
	}
	return c.File().Facts
}

func phoneSample(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "phone", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestShortBeginning looks at beginnings that are no longer than they seem: the digit 0 is how certificates begin, too.
func TestShortBeginning(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		for _, head := range []string{strings.Repeat("0", n), "0\x82\x01\x02" + strings.Repeat("x", n)} {
			if what, ok := binaryOf(slices.Clip([]byte(head))); ok {
				t.Errorf("%q is taken for %s", head, what.Format)
			}
		}
	}
}

// ofKind returns the facts of a kind.
func ofKind(all []fact.Fact, kind fact.Kind) []fact.Fact {
	var of []fact.Fact
	for _, f := range all {
		if f.Kind == kind {
			of = append(of, f)
		}
	}
	return of
}

// wantValues compares values of a fact; an empty one must be absent.
func wantValues(t *testing.T, f fact.Fact, pairs ...string) {
	t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		if got := f.Get(pairs[i]); got != pairs[i+1] {
			t.Errorf("%s in line %d: %s is %q, want %q", f.Kind, f.Line, pairs[i], got, pairs[i+1])
		}
	}
}

const (
	leafSHA1   = "A8086378C6AAFA9817E6D8715F443E4BFCD08EE4"
	issuerSHA1 = "96087AA96BB96D9998BC725AE1549A9C5F675A68"
)

func TestOpenSSL(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"x509-text.txt", "x509-fields.txt", "leaf.der"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := ofKind(phoneFacts(t, phoneSample(t, name)), fact.GatewayCertificate)
			if len(all) != 1 {
				t.Fatalf("got %d certificates, want 1: %v", len(all), all)
			}
			c := all[0]
			if !strings.Contains(c.Get("subject"), "CN=vpn.example.com") || !strings.Contains(c.Get("issuer"), "CN=Example Issuing CA") {
				t.Errorf("subject %q, issuer %q", c.Get("subject"), c.Get("issuer"))
			}
			wantValues(t, c, "depth", "", "presented", "", "ca", "", "not-before", "2026-11-26T00:17:11Z")
			if name != "x509-text.txt" {
				wantValues(t, c, "sha1", leafSHA1)
			}
			if name != "x509-fields.txt" {
				wantValues(t, c, "names", "vpn.example.com,www.example.com,192.0.2.1", "key", "RSA 2048")
			}
		})
	}
}

func TestClient(t *testing.T) {
	t.Parallel()
	all := phoneFacts(t, phoneSample(t, "s_client.txt"))
	chain := ofKind(all, fact.GatewayCertificate)
	if len(chain) != 2 {
		t.Fatalf("got %d certificates, want 2: %v", len(chain), chain)
	}
	wantValues(t, chain[0], "sha1", leafSHA1, "depth", "0", "presented", "true", "ca", "")
	wantValues(t, chain[1], "sha1", issuerSHA1, "depth", "1", "presented", "true", "ca", "true")
	up := ofKind(all, fact.Handshake)
	if len(up) != 1 {
		t.Fatalf("got %d handshakes, want 1", len(up))
	}
	wantValues(t, up[0], "server", "vpn.example.com:443", "protocol", "TLSv1.2", "cipher", "ECDHE-RSA-AES256-GCM-SHA384")

	chain = ofKind(phoneFacts(t, phoneSample(t, "s_client-leaf.txt")), fact.GatewayCertificate)
	var leaves int
	for _, c := range chain {
		if c.Get("depth") == "0" && c.Get("sha1") == leafSHA1 {
			leaves++
		}
	}
	if leaves != 1 {
		t.Errorf("without -showcerts: got %d leaves, want 1: %v", leaves, chain)
	}
}

func TestClientFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		kind       fact.Kind
		values     []string
	}{
		{"version refused", "openssl s_client -connect vpn.example.com:443 -tls1\n" +
			"4067E1C5777F0000:error:0A00042E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version:../ssl/record/rec_layer_s3.c:1601:SSL alert number 70\n",
			fact.HandshakeFailed, []string{"server", "vpn.example.com:443", "alert", "protocol version", "offered", "TLSv1"}},
		{"no cipher in common", "140:error:14094410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:s3_pkt.c:1493:SSL alert number 40\n",
			fact.HandshakeFailed, []string{"server", "", "alert", "handshake failure", "offered", ""}},
		{"refused", "$ openssl s_client -connect 192.0.2.1:443\nconnect:errno=111\n", fact.GatewayNoAnswer, []string{"server", "192.0.2.1:443", "reason", "refused"}},
		{"no such name", "# openssl s_client -connect vpn.invalid:443\n40E7D9CC197F0000:error:10080002:BIO routines:BIO_lookup_ex:system lib:../crypto/bio/bio_addr.c:746:Name or service not known\nconnect:errno=0\n",
			fact.GatewayNoName, []string{"server", "vpn.invalid:443"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			all := phoneFacts(t, c.text)
			if len(all) != 1 || all[0].Kind != c.kind {
				t.Fatalf("got %v, want one %s", all, c.kind)
			}
			wantValues(t, all[0], c.values...)
		})
	}
	// What openssl itself refuses to offer says nothing about the gateway.
	if all := phoneFacts(t, "140:error:141E70BF:SSL routines:tls_construct_client_hello:no protocols available:ssl/statem/statem_clnt.c:1112:\n"); len(all) != 0 {
		t.Errorf("got %v of an error of openssl's own", all)
	}
}

// TestPhoneCertificate: a phone's own certificate is not taken for a gateway's.
func TestPhoneCertificate(t *testing.T) {
	t.Parallel()
	all := phoneFacts(t, "subject= /O=Cisco Systems Inc./OU=IPCBU/CN=CP-7962G-SEP001122334455\nnotAfter=Mar  9 12:00:00 2029 GMT\n")
	if len(all) != 1 || all[0].Kind != fact.PhoneCertificate {
		t.Fatalf("got %v, want one %s", all, fact.PhoneCertificate)
	}
	wantValues(t, all[0], "device", "SEP001122334455", "not-after", "2029-03-09T12:00:00Z")
}

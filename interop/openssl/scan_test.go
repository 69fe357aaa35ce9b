//go:build interop

package openssl_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/interop/office"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

// connect has s_client on the client's host shake hands with an office, and returns what it says.
func connect(t *testing.T, o *office.Office, args ...string) string {
	t.Helper()
	out, _ := o.Run(o.Client, "Q\n", office.Peer(t, "openssl"), append([]string{"s_client", "-connect", office.Outside + ":443", "-legacy_renegotiation"}, args...)...)
	return out
}

var chosen = regexp.MustCompile(`(?m)^New, \S+, Cipher is (\S+)$`)

// spoken is the suite that was agreed on; "(NONE)" when the gateway refused.
func spoken(t *testing.T, out string) string {
	t.Helper()
	m := chosen.FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("s_client does not say which suite it has:\n%s", out)
	}
	return m[1]
}

// suites are all that this openssl can be made to offer.
func suites(t *testing.T, version string) []string {
	t.Helper()
	var names []string
	for name := range strings.SplitSeq(openssl(t, "", "ciphers", "-s", version, "ALL:COMPLEMENTOFALL:@SECLEVEL=0"), ":") {
		if name = strings.TrimSpace(name); !strings.HasPrefix(name, "TLS_") { // those are TLS 1.3's
			names = append(names, name)
		}
	}
	if len(names) < 10 {
		t.Fatalf("openssl knows %q for %s", names, version)
	}
	return names
}

var today = []string{"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
	"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"}

// TestScan offers every suite by itself at every version, to a gateway with old phones and to one without.
func TestScan(t *testing.T) {
	old := []string{"AES128-SHA", "AES256-SHA"}
	for name, c := range map[string]struct {
		flags []string
		want  map[string][]string // by version
	}{
		"with old phones": {[]string{"--legacy-phones"}, map[string][]string{
			"-tls1": old, "-tls1_1": old, "-tls1_2": append(slices.Clone(old), today...)}},
		"without": {nil, map[string][]string{"-tls1": nil, "-tls1_1": nil, "-tls1_2": today}},
	} {
		t.Run(name, func(t *testing.T) {
			o := office.New(t, c.flags...)
			o.Serve()
			for version, want := range c.want {
				var got []string
				for _, suite := range suites(t, version) {
					if is := spoken(t, connect(t, o, version, "-cipher", suite+":@SECLEVEL=0")); is == suite {
						got = append(got, suite)
					} else if is != "(NONE)" {
						t.Errorf("%s: %s was offered, %s is spoken", version, suite, is)
					}
				}
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("%s: the gateway speaks %q, want %q", version, got, want)
				}
			}
			for _, suite := range []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"} {
				if is := spoken(t, connect(t, o, "-tls1_3", "-ciphersuites", suite)); is != suite {
					t.Errorf("TLS 1.3 with %s: %s", suite, is)
				}
			}
		})
	}
}

// TestFence: who can do better never gets less, and cannot be talked into it.
func TestFence(t *testing.T) {
	o := office.New(t, "--legacy-phones")
	o.Serve()
	for name, args := range map[string][]string{
		"old suites first":     {"-tls1_2", "-cipher", "AES128-SHA:AES256-SHA:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0"},
		"everything":           {"-no_tls1_3", "-cipher", "ALL:@SECLEVEL=0"},
		"everything, also 1.3": {"-cipher", "ALL:@SECLEVEL=0"},
	} {
		if is := spoken(t, connect(t, o, args...)); strings.HasSuffix(is, "-SHA") || is == "(NONE)" {
			t.Errorf("%s: %s is spoken", name, is)
		}
	}
	for _, version := range []string{"-tls1", "-tls1_1", "-tls1_2"} {
		out := connect(t, o, version, "-fallback_scsv", "-cipher", "ALL:@SECLEVEL=0")
		if !strings.Contains(out, "inappropriate fallback") {
			t.Errorf("%s after a failed try of a newer version: not refused\n%s", version, out)
		}
	}
	// Who can sign and verify with SHA-1 only is old, whatever suites it offers beside.
	const weak = "RSA+SHA1:ECDSA+SHA1"
	if is := spoken(t, connect(t, o, "-tls1_2", "-sigalgs", weak, "-cipher", "ALL:@SECLEVEL=0")); is != "AES128-SHA" && is != "AES256-SHA" {
		t.Errorf("SHA-1 signatures only: %s is spoken", is)
	}
	strict := office.New(t)
	strict.Serve()
	if is := spoken(t, connect(t, strict, "-tls1_2", "-sigalgs", weak, "-cipher", "ALL:@SECLEVEL=0")); is != "(NONE)" {
		t.Errorf("SHA-1 signatures only, and no old phones: %s is spoken", is)
	}
}

// TestRenegotiation: there is none.
func TestRenegotiation(t *testing.T) {
	o := office.New(t, "--legacy-phones")
	o.Serve()
	out, _ := o.Run(o.Client, "R\n", office.Peer(t, "openssl"), "s_client", "-connect", office.Outside+":443", "-tls1_2")
	if !strings.Contains(out, "RENEGOTIATING") || !strings.Contains(out, "alert") {
		t.Errorf("openssl asks to shake hands anew:\n%s", out)
	}
}

// TestCertificateVerify shows a certificate and signs with SHA-1, as old phones do: at TLS 1.0 because
// there is nothing else, at TLS 1.2 because they know nothing else.
func TestCertificateVerify(t *testing.T) {
	capf := testcert.NewAuthority("CAPF-1", nil)
	o := office.New(t, "--legacy-phones", "--auth", "certificate")
	if err := os.WriteFile(o.Path("certificates/phones.pem"), []byte(capf.PEM()), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Serve()
	text, key := testcert.PEM(capf.Issue("CP-8861-SEP020000001002", nil))
	dir := t.TempDir()
	for name, content := range map[string]string{"c.pem": text, "k.pem": key} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const post = "POST /phone HTTP/1.1\r\nHost: 203.0.113.2\r\nUser-Agent: Cisco SVC IPPhone Client v1.0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	for name, c := range map[string]struct {
		args []string
		says string // the digest of the signature, as s_client calls it
	}{
		"TLS 1.0":               {[]string{"-tls1"}, ""},
		"TLS 1.1":               {[]string{"-tls1_1"}, ""},
		"TLS 1.2, SHA-1":        {[]string{"-tls1_2", "-sigalgs", "RSA+SHA1"}, "SHA1"},
		"TLS 1.2, SHA-256":      {[]string{"-tls1_2", "-sigalgs", "RSA+SHA256"}, "SHA256"},
		"TLS 1.2, any":          {[]string{"-tls1_2"}, ""},
		"TLS 1.3":               {[]string{"-tls1_3"}, ""},
		"TLS 1.3, SHA-1 beside": {[]string{"-tls1_3", "-sigalgs", "RSA+SHA1:RSA-PSS+SHA256"}, ""},
	} {
		args := append([]string{"s_client", "-connect", office.Outside + ":443", "-ign_eof", "-cipher", "ALL:@SECLEVEL=0", "-trace",
			"-cert", filepath.Join(dir, "c.pem"), "-key", filepath.Join(dir, "k.pem")}, c.args...)
		out, _ := o.Run(o.Client, post, office.Peer(t, "openssl"), args...)
		if !strings.Contains(out, "Set-Cookie: webvpn=") || !strings.Contains(out, "HTTP/1.1 200 OK") || strings.Contains(out, "webvpn=;") {
			t.Errorf("%s: not let in\n%s", name, out)
		}
		if c.says == "SHA1" && !strings.Contains(out, "rsa_pkcs1_sha1") {
			t.Errorf("%s: the signature is not by SHA-1\n%s", name, out)
		}
	}
}

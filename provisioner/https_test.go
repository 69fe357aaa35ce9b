package provisioner

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/provision"
)

// ecCertificate returns a certificate with an EC key, as the server shows and a phone may.
func ecCertificate(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// getSecurely fetches a file by HTTPS with a client certificate, if one is given.
func (s *server) getSecurely(name string, own ...tls.Certificate) (int, string) {
	s.t.Helper()
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, Certificates: own},
	}}
	response, err := client.Get("https://" + s.HTTPSAddress().String() + name)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// startSecure starts a server that takes a certificate by its mere name, and serves no office.
func startSecure(t *testing.T, set *inventory.Set, access provision.Access) *server {
	t.Helper()
	certificate := ecCertificate(t, "files")
	return startWith(t, set, func(c *Config) {
		c.HTTPS, c.Access = netip.MustParseAddrPort("127.0.0.1:0"), access
		c.Certificate = func() (tls.Certificate, error) { return certificate, nil }
		c.Prove = func(sent []*x509.Certificate) (string, error) {
			device := inventory.DeviceInName(sent[0].Subject.CommonName)
			if device == "" {
				return "", errors.New("no phone's")
			}
			return device, nil
		}
	})
}

// TestHTTPS: the signed name of a phone's file is answered with the plain file, and nothing else is there.
func TestHTTPS(t *testing.T) {
	t.Parallel()
	s := startSecure(t, office(), here)
	_, plain := s.get("/" + phone + ".cnf.xml")
	for _, name := range []string{"/" + phone + ".cnf.xml.sgn", "/sep001122334455.CNF.xml.SGN", "/" + phone + ".cnf.xml"} {
		if status, body := s.getSecurely(name); status != http.StatusOK || body != string(plain) {
			t.Errorf("%s: %d with %d bytes, want the plain file of %d", name, status, len(body), len(plain))
		}
	}
	for _, name := range []string{"/ext_ITL" + phone + ".tlv", "/ITLFile.tlv", "/XMLDefault.cnf.xml", "/SEP000000000000.cnf.xml.sgn", "/..%2f" + phone + ".cnf.xml.sgn"} {
		if status, body := s.getSecurely(name); status != http.StatusNotFound || strings.Contains(body, "<") {
			t.Errorf("%s: %d %.60q, want 404", name, status, body)
		}
	}
	eventually(t, "the delivery is known", func() bool {
		recent := s.Deliveries()[phone]
		return len(recent) > 0 && recent[0].File == phone+".cnf.xml"
	})
}

// TestOwnCertificate: outside of the office a certificate opens a phone's own file and no other's.
func TestOwnCertificate(t *testing.T) {
	t.Parallel()
	set := office()
	set.Devices["SEP00000000000B"] = &inventory.Device{Name: "SEP00000000000B", Lines: []string{"1001"}}
	s := startSecure(t, set, provision.Access{})
	own := "/" + phone + ".cnf.xml.sgn"
	for what, c := range map[string]struct {
		name string
		own  []tls.Certificate
		want int
	}{
		"no certificate":         {own, nil, http.StatusForbidden},
		"its own":                {own, []tls.Certificate{ecCertificate(t, "CP-8861-"+phone)}, http.StatusOK},
		"another phone's":        {own, []tls.Certificate{ecCertificate(t, "CP-8861-SEP00000000000B")}, http.StatusForbidden},
		"one that proves none":   {own, []tls.Certificate{ecCertificate(t, "anna")}, http.StatusForbidden},
		"its own, for another's": {"/SEP00000000000B.cnf.xml.sgn", []tls.Certificate{ecCertificate(t, "CP-8861-"+phone)}, http.StatusForbidden},
	} {
		if status, _ := s.getSecurely(c.name, c.own...); status != c.want {
			t.Errorf("%s: %d, want %d", what, status, c.want)
		}
	}
	blocked := office()
	blocked.Devices[phone].Blocked = true
	if status, _ := startSecure(t, blocked, provision.Access{}).getSecurely(own, ecCertificate(t, "CP-8861-"+phone)); status != http.StatusForbidden {
		t.Errorf("a blocked phone with its certificate gets %d", status)
	}
}

// TestOldTLS: who speaks nothing better than TLS 1.1, or no TLS, gets nothing, and others go on.
func TestOldTLS(t *testing.T) {
	t.Parallel()
	s := startSecure(t, office(), here)
	old := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	if conn, err := tls.Dial("tcp4", s.HTTPSAddress().String(), old); err == nil {
		t.Errorf("TLS 1.1 is spoken: %v", conn.Close())
	}
	conn, err := net.Dial("tcp4", s.HTTPSAddress().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /"+phone+".cnf.xml HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if answer, _ := io.ReadAll(conn); strings.Contains(string(answer), "<") {
		t.Errorf("plain HTTP gets %q", answer)
	}
	if status, _ := s.getSecurely("/" + phone + ".cnf.xml.sgn"); status != http.StatusOK {
		t.Errorf("afterwards HTTPS answers %d", status)
	}
}

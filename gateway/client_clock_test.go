package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/longcord/longcord/finding"
)

// expired is a client that finds the certificate out of date. Go's own says so by another alert; this is OpenSSL's.
func (w *world) expired() {
	w.t.Helper()
	port, _ := w.ports()
	raw, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		w.t.Fatal(err)
	}
	defer raw.Close()
	config := modern()
	config.MaxVersion = tls.VersionTLS12 // in which alerts are in clear here
	config.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error {
		if _, err := raw.Write([]byte{21, 3, 3, 0, 2, 2, 45}); err != nil {
			w.t.Error(err)
		}
		return errors.New("test: expired")
	}
	if err := tls.Client(raw, config).Handshake(); err == nil {
		w.t.Error("the handshake goes on")
	}
}

// TestClientClock: a client to whose clock the gateway's certificate has ended is spoken of, until somebody logs in from there.
func TestClientClock(t *testing.T) {
	t.Parallel()
	board, with := withBoard()
	w := open(t, withPhone, with)
	w.expired()
	w.until("spoken of", func() bool {
		f := standing(board, finding.ClockWrong)
		return f != nil && f.Subject == "127.0.0.1" && f.Certainty == finding.Likely && strings.Contains(f.Says, "the client at 127.0.0.1")
	})
	w.tunnel(phoneURL, "anna")
	w.until("logged in", func() bool { return standing(board, finding.ClockWrong) == nil })

	strange := modern()
	strange.InsecureSkipVerify = false // it does not know the issuer
	if _, err := w.dialTLS(strange); err == nil {
		t.Fatal("a stranger's certificate is taken")
	}
	w.until("refused", func() bool { return w.log.Has("tls handshake") && w.log.Has("remote error") })
	if f := standing(board, finding.ClockWrong); f != nil {
		t.Errorf("another doubt: %+v", f)
	}
}

package phone

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/longcord/longcord/internal/tls10"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/tlv"
	"github.com/longcord/longcord/wire/tvs"
)

// trustTimeout is how long a phone waits for TVS, and for CAPF to begin.
const trustTimeout = 10 * time.Second

// trustDialer connects to TVS and CAPF.
type trustDialer struct {
	dialer      dialer
	profile     tlsProfile
	certificate tls.Certificate                    // shown to who asks; none: the zero value
	believes    func(leaf *x509.Certificate) error // judges the server's certificate; nil: any will do
	keyLog      io.Writer
}

func (d trustDialer) dial(ctx context.Context, host string, port int) (*tls10.Conn, error) {
	raw, err := d.dialer.DialContext(ctx, "tcp4", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	accept := func(state tls.ConnectionState) error {
		if d.believes == nil {
			return nil
		}
		return d.believes(state.PeerCertificates[0])
	}
	conn, err := d.profile.shakeHands(ctx, raw, handshake{accept: accept, certificate: d.certificate, keyLog: d.keyLog})
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return conn, nil
}

// tvsClient asks the services that a file names, by priority, until one vouches.
type tvsClient struct {
	trustDialer
	servers []cnf.TVSServer
	name    string // CP-<model>-SEP<MAC>
}

// errNoTVSServer: the stored file names nobody to ask.
var errNoTVSServer = errors.New("phone: no TVS to ask")

// ask puts a question. An answer that says no is verify.ErrNotVouched.
func (c tvsClient) ask(ctx context.Context, r tvs.Request) (*x509.Certificate, []tlv.Role, time.Duration, error) {
	var session [4]byte
	_, _ = rand.Read(session[:]) // never fails
	r.Session, r.Device = binary.BigEndian.Uint32(session[:]), c.name
	errs := []error{errNoTVSServer}
	for i, server := range c.servers {
		certificate, roles, holds, err := c.askOne(ctx, server, r)
		if err == nil {
			return certificate, roles, holds, nil
		}
		if i == 0 {
			errs = nil
		}
		errs = append(errs, fmt.Errorf("phone: TVS %s: %w", server.Host, err))
	}
	return nil, nil, 0, errors.Join(errs...)
}

// query asks by name and number, for belief.
func (c tvsClient) query(ctx context.Context, asked verify.AskTVS) (verify.Vouched, error) {
	s := asked.Signer
	return c.vouched(ctx, tvs.Request{Subject: s.Name, Issuer: s.Issuer, Serial: s.Serial})
}

// about asks with the certificate itself, likewise.
func (c tvsClient) about(ctx context.Context, certificate *x509.Certificate) (verify.Vouched, error) {
	return c.vouched(ctx, tvs.Request{Certificate: certificate.Raw})
}

func (c tvsClient) vouched(ctx context.Context, r tvs.Request) (verify.Vouched, error) {
	certificate, roles, holds, err := c.ask(ctx, r)
	return verify.Vouched{Certificate: certificate, Subject: r.Subject, Issuer: r.Issuer, Serial: r.Serial, Roles: roles, Lifetime: holds}, err
}

func (c tvsClient) askOne(ctx context.Context, server cnf.TVSServer, r tvs.Request) (*x509.Certificate, []tlv.Role, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, trustTimeout)
	defer cancel()
	port := server.Port
	if port == 0 {
		port = tvs.Port
	}
	conn, err := c.dial(ctx, server.Host, port)
	if err != nil {
		return nil, nil, 0, err
	}
	defer hangUp(conn)
	defer bindDeadline(ctx, conn)()
	question, err := r.Message().AppendBinary(nil)
	if err != nil {
		return nil, nil, 0, err
	}
	if _, err := conn.Write(question); err != nil {
		return nil, nil, 0, err
	}
	m, err := tvs.Read(conn)
	if err != nil {
		return nil, nil, 0, err
	}
	answer, err := m.Answer()
	if err != nil {
		return nil, nil, 0, err
	}
	return verify.TakeTVS(r, answer)
}

// hangUp closes a connection on which all has been said.
func hangUp(conn net.Conn) { _ = conn.Close() } // the other end may be gone

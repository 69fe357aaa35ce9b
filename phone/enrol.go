package phone

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/enrol"
	"github.com/longcord/longcord/wire/capf"
	"github.com/longcord/longcord/wire/cnf"
)

// enrol goes to CAPF when the phone's file says so, and reports whether it has got another certificate: then a
// phone starts anew. It lives on whatever becomes of it.
func (p *Phone) enrol(ctx context.Context, n network, file *cnf.Device) (anew bool) {
	mode := enrol.Mode(file.CAPFAuthMode)
	if mode == enrol.NotPending || len(file.CAPF) == 0 {
		return false
	}
	if mode == enrol.ByPassword && p.config.AuthString.IsZero() {
		p.tell(Event{Event: "console", Detail: "CAPF: waits for the authentication string"})
		return false // somebody has to type it
	}
	outcome, err := p.enrolAt(ctx, n, file.CAPF[0], mode)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		p.log.Warn("enrolment failed", logging.Err, err)
		p.tell(Event{Event: "console", Detail: "CAPF: " + err.Error()})
		if errors.Is(err, errUntrusted) {
			p.report(finding.CAPFUntrusted.With(p.config.Name, "it does not believe that server's certificate").Because("phone", 0, err.Error()))
		}
	default:
		p.log.Info("enrolment ended", "operation", outcome.Operation.String(), "says", outcome.Says)
		p.tell(Event{Event: "console", OK: outcome.Done, Detail: "CAPF: " + outcome.Says})
	}
	return err == nil && outcome.Done && outcome.Operation == enrol.Install
}

// enrolAt holds one conversation with CAPF.
func (p *Phone) enrolAt(ctx context.Context, n network, server cnf.CAPF, mode enrol.Mode) (enrol.Outcome, error) {
	port := server.Port
	if port == 0 {
		port = capf.Port
	}
	dialing, cancel := context.WithTimeout(ctx, trustTimeout)
	defer cancel()
	d := p.trustDialer(n)
	d.believes = func(leaf *x509.Certificate) error { return p.trust.isCAPF(dialing, leaf) }
	conn, err := d.dial(dialing, server.Host, port)
	if err != nil {
		return enrol.Outcome{}, fmt.Errorf("phone: CAPF: %w", err)
	}
	defer hangUp(conn)
	defer bindDeadline(ctx, conn)()
	e := &enrolling{phone: p, client: enrol.NewClient(p.enrolConfig(mode))}
	for e.outcome == nil {
		m, err := capf.Read(conn)
		if err != nil {
			return enrol.Outcome{}, fmt.Errorf("phone: CAPF: %w", err)
		}
		actions, err := e.client.Received(m)
		if err == nil {
			err = e.do(conn, actions)
		}
		if err != nil {
			return enrol.Outcome{}, err
		}
	}
	return *e.outcome, nil
}

// enrolConfig is what the phone brings to CAPF in a mode.
func (p *Phone) enrolConfig(mode enrol.Mode) enrol.ClientConfig {
	c := enrol.ClientConfig{Device: p.config.Name}
	own := p.lsc.Load()
	if own != nil {
		c.LSC = own.Certificate[0]
	}
	switch {
	case mode == enrol.ByPassword:
		c.Password = p.config.AuthString
	case mode == enrol.ByCertificate && own != nil:
		c.Certificate, c.Key = proofs(*own, capf.LSC)
	case mode == enrol.ByCertificate || mode == enrol.ByMIC:
		c.Certificate, c.Key = proofs(p.config.Certificate, capf.MIC)
	}
	return c
}

// trustDialer connects to TVS and CAPF on a network.
func (p *Phone) trustDialer(n network) trustDialer {
	d := trustDialer{dialer: n.dialer(nil, 0), profile: tlsNew, certificate: p.certificate(), keyLog: p.config.KeyLog}
	if p.config.Model.Old {
		d.profile = tlsOld
	}
	return d
}

// asker has the phone ask the TVS that its stored file names, over a network.
func (p *Phone) asker(n network, stored *cnf.Device) voucher {
	if stored == nil || len(stored.TVS) == 0 {
		return nil
	}
	d := p.trustDialer(n)
	d.believes = p.trust.isTVS
	return tvsClient{d, stored.TVS, p.config.Model.Name + "-" + p.config.Name}
}

// enrolling is a conversation with CAPF under way.
type enrolling struct {
	phone   *Phone
	client  *enrol.Client
	key     crypto.Signer // made and not yet certified; nil: none
	outcome *enrol.Outcome
}

func (e *enrolling) do(conn interface{ Write([]byte) (int, error) }, actions []enrol.Action) error {
	for _, a := range actions {
		var err error
		switch a := a.(type) {
		case enrol.Send:
			var b []byte
			if b, err = a.Message.AppendBinary(nil); err == nil {
				_, err = conn.Write(b)
			}
		case enrol.Generate:
			var spki []byte
			if e.key, spki, err = makeKey(a.Key); err == nil {
				err = e.do(conn, e.client.Generated(spki))
			}
		case enrol.Keep:
			err = e.do(conn, e.client.Kept(e.keep(a.Certificate)))
		case enrol.Forget:
			err = e.do(conn, e.client.Forgotten(e.forget()))
		case enrol.End:
			e.outcome = &a.Outcome
		}
		if err != nil {
			return fmt.Errorf("phone: CAPF: %w", err)
		}
	}
	return nil
}

func (e *enrolling) keep(der []byte) error {
	pair, err := saveLSC(e.phone.config.StateDir, der, e.key)
	if err != nil {
		e.phone.log.Warn("LSC not kept", logging.Err, err)
		return err
	}
	e.phone.lsc.Store(pair)
	return nil
}

func (e *enrolling) forget() error {
	err := deleteLSC(e.phone.config.StateDir)
	if err == nil {
		e.phone.lsc.Store(nil)
	}
	return err
}

// makeKey makes the key that CAPF asks for.
func makeKey(k enrol.Key) (key crypto.Signer, spki []byte, err error) {
	switch curve := k.Curve.Elliptic(); {
	case k.Type == capf.RSA:
		key, err = rsa.GenerateKey(rand.Reader, k.Bits)
	case curve != nil:
		key, err = ecdsa.GenerateKey(curve, rand.Reader)
	default:
		err = errors.New("unknown kind of key")
	}
	if err != nil {
		return nil, nil, err
	}
	spki, err = x509.MarshalPKIXPublicKey(key.Public())
	return key, spki, err
}

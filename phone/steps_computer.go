package phone

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"

	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/cnf"
	dtlswire "github.com/longcord/longcord/wire/dtls"
	"github.com/longcord/longcord/wire/vpnauth"
)

// computerSuites are what people's programs offer for the DTLS channel: a key from TLS first, then what each gateway
// with TLS alone in common knows.
var computerSuites = dtlsSuites{
	legacy: []string{dtlswire.PSKNegotiate, "OC-DTLS1_2-AES256-GCM", "OC-DTLS1_2-AES128-GCM"},
	dtls12: []string{"ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-GCM-SHA256"},
}

// computerConfig is the login of a computer at the same gateway, with the phone's credentials. The certificate was judged
// when the phone was there.
func (s *Steps) computerConfig(url string, vpn *cnf.VPNGroup) loginConfig {
	cfg := s.p.loginConfig(url, vpn)
	cfg.anyHash, cfg.checkHost, cfg.documents, cfg.profile = true, false, true, tlsComputer
	return cfg
}

// AskComputers asks a gateway for a login in the dialogue of computers, and says nothing of a user. No error means that
// it takes their logins there.
func (s *Steps) AskComputers(ctx context.Context, url string, vpn *cnf.VPNGroup) (Reply, error) {
	cfg := s.computerConfig(url, vpn)
	cfg.certificate = tls.Certificate{} // for some it is the whole login
	wanted := false
	cfg.asked = func(*tls.CertificateRequestInfo) { wanted = true }
	l, err := newLoginAttempt(cfg)
	if err != nil {
		return Reply{}, err
	}
	defer l.hangUp()
	actions, err := l.client.Start()
	if err != nil {
		return Reply{}, err
	}
	reply, err := l.exchange(ctx, actions[0].(verify.Ask).Request)
	if err != nil {
		return Reply{}, err
	}
	seen := showable(reply)
	switch {
	case reply.Status == http.StatusUnauthorized && wanted:
		return seen, nil // ocserv, where the certificate is missing
	case reply.Status != http.StatusOK:
		return seen, errors.New("phone: " + reply.String())
	}
	doc, err := vpnauth.ParseDocument(reply.Body)
	if err != nil {
		return seen, err
	}
	seen.Version = doc.Version
	if doc.Type != vpnauth.AuthRequest && doc.Type != vpnauth.Complete {
		return seen, errors.New("phone: the gateway answers " + doc.String())
	}
	return seen, nil
}

// LogInAsComputer logs in as a computer's client does: by the dialogue of documents, with TLS of today and the phone's
// credentials. The gateway holds what was seen, also when there is an error, and then has been hung up; one that the
// gateway gave wraps a verify.Refused.
func (s *Steps) LogInAsComputer(ctx context.Context, url string, vpn *cnf.VPNGroup) (*Gateway, error) {
	g := &Gateway{URL: url, Match: -1, Hash: -1, computer: true}
	cfg := s.computerConfig(url, vpn)
	cfg.asked = func(r *tls.CertificateRequestInfo) { g.AsksCertificate, g.Authorities = true, r.AcceptableCAs }
	cfg.presented = func(state tls.ConnectionState) { g.Version, g.Suite = state.Version, state.CipherSuite }
	cfg.replied = func(r vpnauth.Reply) { g.Replies = append(g.Replies, showable(r)) }
	l, err := newLoginAttempt(cfg)
	if err != nil {
		return g, err
	}
	g.attempt = l
	if l.next, err = l.client.Start(); err == nil {
		err = g.LogIn(ctx)
	}
	if err != nil {
		l.hangUp()
	}
	if d, ok := l.client.(*verify.DocumentClient); ok {
		g.Groups, g.Group = d.Groups()
	}
	return g, err
}

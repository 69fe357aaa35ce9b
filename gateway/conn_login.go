package gateway

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/login"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/asa"
)

// The login on a connection: what package verify decides is carried out here, with what the inventory and
// package login say.

// verifyConfig is what the login needs to know of the inventory.
func (c *conn) verifyConfig() verify.Config {
	config := verify.Config{Old: c.weak, Group: c.group, Client: c.client, OnlyUser: c.onlyUser}
	config.Certificate = verify.HashOf(c.met.Certificate[0])
	for _, name := range sorted(c.set.TunnelGroups) {
		if g := c.set.TunnelGroups[name]; len(g.GroupAliases) > 0 && !g.Phones {
			config.Listed = append(config.Listed, c.verifyGroup(g))
		}
	}
	return config
}

// client judges the certificate that the client has shown by a tunnel group's authorities.
func (c *conn) client(group string) (*verify.ClientCertificate, error) {
	sent, authorities := c.tls.ConnectionState().PeerCertificates, c.identity.authorities[group]
	if len(sent) == 0 || len(authorities) == 0 {
		return nil, nil
	}
	found, err := verify.CheckClient(time.Now(), sent, authorities)
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// shown says which certificates the client has sent: what phones send beside their own, nobody has published.
func (c *conn) shown() string {
	var all []string
	for _, sent := range c.tls.ConnectionState().PeerCertificates {
		all = append(all, fmt.Sprintf("%s by %s with %s", sent.Subject, sent.Issuer, sent.SignatureAlgorithm))
	}
	return strings.Join(all, "; ")
}

// group finds the tunnel group of a group URL, byte for byte. A URL may be written with or without the
// port that https means anyhow.
func (c *conn) group(host, path string) (verify.Group, bool) {
	for _, g := range c.set.TunnelGroups {
		for _, groupURL := range g.GroupURLs {
			u, err := url.Parse(groupURL)
			if err != nil {
				continue
			}
			if strings.EqualFold(withoutPort443(u.Host), withoutPort443(host)) && pathOf(u) == path {
				return c.verifyGroup(g), true
			}
		}
	}
	return verify.Group{}, false
}

func pathOf(u *url.URL) string {
	if path := u.EscapedPath(); path != "" {
		return path
	}
	return "/"
}

func withoutPort443(host string) string { return strings.TrimSuffix(host, ":443") }

func (c *conn) verifyGroup(g *inventory.TunnelGroup) verify.Group {
	group := verify.Group{
		Name: g.Name, Aliases: g.GroupAliases, Phones: g.Phones, LegacyPhones: g.LegacyPhones,
		Certificate: g.NeedsCertificate(), NoPassword: !g.TakesPassword(),
	}
	if g.SecondaryAuthentication == inventory.SecondField {
		group.SecondFactor = "Code:"
	}
	if banner := c.set.PolicyFor(g, "", "").Banner; banner != inventory.None {
		group.Banner = banner
	}
	return group
}

// onlyUser is the one user who is locked to a tunnel group, if there is just one.
func (c *conn) onlyUser(group string) (only string) {
	for name, user := range c.set.Users {
		if user.GroupLock != group {
			continue
		}
		if only != "" {
			return ""
		}
		only = name
	}
	return only
}

// do carries out the login's actions. It reports true when the connection ends.
func (c *conn) do(ctx context.Context, server *verify.Server, actions []verify.Action, r *http.Request) (done bool, err error) {
	for _, a := range actions {
		switch a := a.(type) {
		case verify.Send:
			if err := c.write(a.Reply.Append(nil)); err != nil {
				return true, err
			}
		case verify.Authenticate:
			more, err := server.Authenticated(time.Now(), c.authenticate(ctx, a, r))
			if err != nil {
				return true, err
			}
			if done, err := c.do(ctx, server, more, r); done || err != nil {
				return true, err
			}
		case verify.Forget:
			if s := c.g.sessions.find(a.Token); s != nil {
				s.end(tunnel.UserLogout)
			}
		case verify.Report:
			c.report(a, r)
		case verify.FirstContact:
			c.log.Log(ctx, c.g.levelFor(r.UserAgent()), "phone speaks", logging.Stage, stage.Verify.String(), "request", a.Line,
				"header", fmt.Sprint(a.Header), "form", a.Body, "tls", tls.VersionName(c.tls.ConnectionState().Version), "certificates", c.shown())
		case verify.Unfollowed:
			c.unfollowed(r, a.Contact, a.What)
		case verify.Close:
			return true, c.closeWrite()
		}
	}
	return false, nil
}

// report tells the operator why a login goes no further.
func (c *conn) report(a verify.Report, r *http.Request) {
	f := reported(a, c.peer)
	f = f.Because("gateway", 0, fmt.Sprintf("asked by %s, %s: %s", c.peer, r.UserAgent(), a.Reason))
	c.g.config.Findings.RaiseFor(remembered, f)
	c.log.Warn("login goes no further", logging.Stage, stage.Verify.String(), logging.Finding, f.Code,
		"says", f.Says, "reason", a.Reason.String(), "agent", a.Agent.String(), "tunnel_group", a.Group)
	if a.Err != nil {
		c.g.say(asa.CertificateInvalid(a.Err.Error()))
	}
}

// reported is the finding of a report.
func reported(a verify.Report, peer netip.AddrPort) finding.Finding {
	var refused *verify.CertificateError
	switch {
	case a.Reason == verify.NoCertificate:
		return finding.ClientCertificateUntrusted.With(peer.Addr(), "none was sent")
	case errors.As(a.Err, &refused) && refused.Outdated:
		return finding.ClientCertificateExpired.With(refused.Name, refused.Says)
	case errors.As(a.Err, &refused):
		return finding.ClientCertificateUntrusted.With(refused.Name, refused.Says)
	case a.Reason == verify.OtherUser || a.Reason == verify.QuestionForPhone:
		return finding.LoginRefused.With(a.User)
	}
	return finding.GroupURLMismatch.With("https://" + a.Host + a.Path)
}

// checkLogin has a login checked by whoever knows its user.
func (c *conn) checkLogin(ctx context.Context, a verify.Authenticate) (login.Result, error) {
	r := login.Request{
		User: a.User, Password: a.Password, Source: c.peer.Addr(), TunnelGroup: a.Group,
		SecondFactor: a.SecondFactor, State: a.State,
	}
	if a.Certificate != nil {
		r.Certificate = &login.Certificate{
			Subject: a.Certificate.Name, Device: inventory.DeviceInName(a.Certificate.Name),
			Issuer: a.Certificate.Authority, Manufacturer: a.Certificate.Manufacturer,
		}
	}
	if group := c.set.TunnelGroups[a.Group]; group != nil && !group.TakesPassword() {
		return login.Certified(c.set, r)
	}
	if c.enrols(a) {
		if err := login.Admit(c.set, r.Certificate); err != nil {
			return login.Result{}, err
		}
	}
	who, err := c.g.config.Login.Authenticate(ctx, r)
	if r.Certificate != nil && r.Certificate.Device != "" {
		who.Device = r.Certificate.Device // proved; what the user's name says is not
	}
	return who, err
}

// enrols reports whether a login rests on a manufacturer's certificate. Where a password is enough, such a
// certificate tells only which phone it is.
func (c *conn) enrols(a verify.Authenticate) bool {
	group := c.set.TunnelGroups[a.Group]
	return group != nil && group.NeedsCertificate() && a.Certificate != nil && a.Certificate.Manufacturer
}

// authenticate has a login checked and makes the session that a right one opens.
func (c *conn) authenticate(ctx context.Context, a verify.Authenticate, r *http.Request) verify.Result {
	log := c.log.With(logging.User, a.User, logging.Stage, stage.Verify.String(), "tunnel_group", a.Group)
	if a.Certificate != nil {
		log = log.With("certificate_of", a.Certificate.Authority, "serial", a.Certificate.Serial)
		c.checkList(log, a.Certificate)
		if c.g.config.Seen != nil {
			c.g.config.Seen(ctx, c.tls.ConnectionState().PeerCertificates[0])
		}
		c.g.say(asa.CertificateValid(a.Certificate.Serial, "cn="+a.Certificate.Name))
	}
	if c.turnsAway() {
		return verify.Result{Verdict: verify.Busy}
	}
	who, err := c.checkLogin(ctx, a)
	var challenge *login.Challenge
	switch {
	case errors.As(err, &challenge):
		log.Debug("login asks further")
		return verify.Result{Verdict: verify.Challenged, Prompt: challenge.Prompt, State: challenge.State}
	case errors.Is(err, login.ErrRefused):
		c.loginRefused(a.User, a.Group, err)
		return verify.Result{Verdict: verify.Denied}
	case errors.Is(err, login.ErrBanned): // what led to it is in the log, and a flood of these would hide that
		log.Debug("login put off", logging.Err, err)
		return verify.Result{Verdict: verify.Busy}
	case err != nil: // too many at once, or it could not be looked up: nobody has said that the password is wrong
		log.Warn("login put off", logging.Err, err)
		return verify.Result{Verdict: verify.Busy}
	}
	record := sessionRecord{
		User: who.User, Device: who.Device, TunnelGroup: a.Group, GroupPolicy: who.GroupPolicy, Began: time.Now(), UserAgent: r.UserAgent(),
		FramedAddress: who.Address, IdleTimeout: who.IdleTimeout, SessionTimeout: who.SessionTimeout, Class: classesIn(who.Class),
		Enrolment: c.enrols(a), Peer: c.peer,
	}
	token := secret.New(base64.StdEncoding.EncodeToString(randomBytes(32)))
	err = c.g.sessions.create(ctx, token, record)
	switch {
	case errors.Is(err, errUnwelcome):
		f := finding.LoginRefused.With(who.User).Because("gateway", 0, fmt.Sprintf("login from %s: %v", c.peer.Addr(), err))
		c.g.config.Findings.RaiseFor(remembered, f)
		log.Warn("login refused", logging.Finding, f.Code, "says", f.Says, "why", err.Error())
		return verify.Result{Verdict: verify.Denied}
	case errors.Is(err, errSessionLimit):
		c.tooManySessions(log, record)
		return verify.Result{Verdict: verify.Busy} // the password is right; a phone told otherwise forgets it
	case err != nil:
		log.Error("login put off", logging.Err, err)
		return verify.Result{Verdict: verify.Busy}
	}
	c.loggedIn(record, who.Server)
	return verify.Result{Verdict: verify.Accepted, Token: token}
}

// checkList tells the operator when the list that lets a certificate pass is out of date.
func (c *conn) checkList(log *slog.Logger, certificate *verify.ClientCertificate) {
	if certificate.Stale.IsZero() {
		c.g.config.Findings.Clear(finding.RevocationListStale, certificate.Authority)
		return
	}
	f := finding.RevocationListStale.With(certificate.Authority, certificate.Stale.UTC().Format(time.DateOnly))
	c.g.config.Findings.RaiseFor(remembered, f)
	log.Warn("login by a certificate that may have been revoked", logging.Finding, f.Code, "says", f.Says)
}

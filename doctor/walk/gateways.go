package walk

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/read"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/phone"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/cnf"
)

// reached is a gateway on which TCP came up, and what came of TLS.
type reachedGateway struct {
	*phone.Gateway
	err error // of TLS, or of the phone's judgement
}

// gatewayTime bounds what is done at one gateway before the tunnel.
const gatewayTime = 30 * time.Second

// connect looks at every gateway as far as its certificate, and returns those that answer.
func (w *walker) connect(ctx context.Context) ([]reachedGateway, error) {
	if len(w.group.URLs) == 0 {
		return nil, w.broken(stage.Connect, "the phone's file names no gateway")
	}
	var reached []reachedGateway
	for _, u := range w.group.URLs {
		limited, cancel := context.WithTimeout(ctx, gatewayTime)
		g, err := w.steps.Knock(limited, u, w.group, w.unpinned)
		cancel()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !g.Peer.IsValid() {
			w.noGateway(u, err)
			continue
		}
		w.say(u + ": answers at " + g.Peer.String())
		reached = append(reached, reachedGateway{g, err})
	}
	if len(reached) == 0 {
		return nil, w.broken(stage.Connect, "no gateway can be reached")
	}
	w.passed(stage.Connect, fmt.Sprintf("%d of %d gateways answer", len(reached), len(w.group.URLs)))
	return reached, nil
}

func (w *walker) noGateway(u string, err error) {
	server := u
	if parsed, bad := url.Parse(u); bad == nil && parsed.Host != "" {
		server = parsed.Host
		if parsed.Port() == "" {
			server = net.JoinHostPort(parsed.Hostname(), "443")
		}
		if cause(err) == "name" {
			w.tell(u, fact.GatewayNoName, "the name does not resolve: "+plain(err), "server", parsed.Hostname())
			return
		}
	}
	why := cause(err)
	w.tell(u, fact.GatewayNoAnswer, "no answer on TCP: "+plain(err), "server", server, "reason", why)
}

// verify looks at each gateway that answers, logs in to the first that would take a login, and returns it. Without
// anything to log in with it returns none.
func (w *walker) verify(ctx context.Context, gateways []reachedGateway) (*phone.Gateway, error) {
	var open []*phone.Gateway
	defer func() {
		for _, g := range open {
			g.Close()
		}
	}()
	for _, g := range gateways {
		limited, cancel := context.WithTimeout(ctx, gatewayTime)
		if w.judgeTLS(limited, g) && w.groupURL(limited, g.Gateway) {
			open = append(open, g.Gateway)
		} else {
			g.Close()
		}
		cancel()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	if len(open) == 0 {
		if err := w.asComputer(ctx); err != nil {
			return nil, err
		}
		return nil, w.broken(stage.Verify, "no gateway takes a login of this phone")
	}
	switch {
	case w.o.NoLogin != "":
		w.passed(stage.Verify, "the gateway takes logins; nobody was logged in: "+w.o.NoLogin)
		return nil, nil
	case !w.steps.HasLogin(w.group):
		w.passed(stage.Verify, "the gateway takes logins; nobody was logged in, since no "+byWhat(w.group)+" is given")
		return nil, nil
	case !w.credentials():
		return nil, w.broken(stage.Verify, "a phone cannot send this login")
	}
	in := open[0]
	limited, cancel := context.WithTimeout(ctx, gatewayTime)
	defer cancel()
	if !w.logIn(limited, in) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, w.broken(stage.Verify, "the login did not come out")
	}
	open = open[1:]
	w.passed(stage.Verify, "logged in")
	return in, nil
}

func byWhat(group *cnf.VPNGroup) string {
	if group.AuthMethod == cnf.ByCertificate {
		return "certificate"
	}
	return "password"
}

// judgeTLS says how TLS came up and what the certificate is worth. It reports whether a phone goes on.
func (w *walker) judgeTLS(ctx context.Context, g reachedGateway) bool {
	address := g.Peer.String()
	versions, newest := "TLS 1.0 to 1.2", uint16(tls.VersionTLS12)
	if w.o.Model.Legacy {
		versions, newest = "TLS 1.0", tls.VersionTLS10
	}
	if g.AsksCertificate {
		w.authorities(g.URL, g.Authorities)
	}
	if g.Version == 0 { // TLS ended before the phone could judge
		seen := probe(ctx, g.URL, address, tls.VersionTLS13)
		lacks := "other"
		if seen.err == nil {
			// Alerts do not tell: OpenSSL calls a version that it may not use an internal error.
			if lacks = "cipher"; probe(ctx, g.URL, address, newest).err != nil {
				lacks = "version"
			}
		}
		values := []string{"gateway", g.URL, "address", address, "ok", "false", "lacks", lacks, "phone", versions, "takes", seen.takes()}
		w.tell(g.URL, fact.WalkTLS, fmt.Sprintf("TLS as a %s has it (%s) fails: %s; from a client that has everything it takes %s", w.o.Model.Name, versions, plain(g.err), seen.takes()), values...)
		if seen.err == nil {
			w.forComputers(ctx, g.URL)
		}
		return false // what certificate another client gets need not be the phone's
	}
	w.certificates(g.URL, g.Chain)
	w.pinned(g.Gateway)
	f, known := phone.FindingOf(g.err)
	named := true
	if len(g.Chain) > 0 {
		named = w.named(g.Gateway)
	}
	switch {
	case g.err == nil:
		w.tell(g.URL, fact.WalkTLS, fmt.Sprintf("%s with %s", tls.VersionName(g.Version), tls.CipherSuiteName(g.Suite)),
			"gateway", g.URL, "address", address, "ok", "true", "version", tls.VersionName(g.Version), "suite", tls.CipherSuiteName(g.Suite))
		return true
	case known && f.Code == finding.CertificateHashMismatch.Code, !named && w.group.EnableHostIDCheck:
		return false // said
	}
	w.tell(g.URL, fact.WalkTLS, "TLS ends after the gateway's certificate: "+plain(g.err),
		"gateway", g.URL, "address", address, "ok", "false", "lacks", lacksCertificate(g), "phone", versions,
		"shown", truth(g.AsksCertificate && w.o.Certificate.Certificate != nil), "alert", alert(g.err))
	return false
}

// lacksCertificate says whether it is a client certificate that TLS came to grief on.
func lacksCertificate(g reachedGateway) string {
	if g.AsksCertificate {
		return "certificate"
	}
	return "other"
}

// certificates tells what the gateway presents.
func (w *walker) certificates(u string, chain []*x509.Certificate) {
	for depth, c := range chain {
		values, err := read.CertificateValues(c.Raw)
		if err != nil {
			w.say(fmt.Sprintf("%s: certificate %d cannot be read: %v", u, depth, err))
			continue
		}
		values = append(values, "depth", strconv.Itoa(depth), "presented", "true")
		text := fmt.Sprintf("certificate %d: %s, SHA-1 %s", depth, value(values, "subject"), value(values, "sha1"))
		w.tell(u, fact.GatewayCertificate, text, values...)
	}
}

func value(pairs []string, name string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] == name {
			return pairs[i+1]
		}
	}
	return ""
}

// pinned says which hash of the file fits.
func (w *walker) pinned(g *phone.Gateway) {
	if w.unpinned || len(g.Chain) == 0 {
		return
	}
	leaf := verify.HashOf(g.Chain[0].Raw)
	values := []string{"gateway", g.URL, "sha1", leaf.Hex(), "hash", leaf.String()}
	if g.Match < 0 {
		w.tell(g.URL, fact.WalkPinned, "the file has the hash of no certificate that the gateway presents; its own has "+leaf.String(), append(values, "ok", "false")...)
		return
	}
	w.tell(g.URL, fact.WalkPinned, fmt.Sprintf("hash %d of the file fits certificate %d", g.Hash+1, g.Match),
		append(values, "ok", "true", "index", strconv.Itoa(g.Hash+1), "depth", strconv.Itoa(g.Match))...)
}

// named says whether the certificate names the host. It reports whether it does.
func (w *walker) named(g *phone.Gateway) bool {
	u, err := url.Parse(g.URL)
	if err != nil {
		return false
	}
	err = verify.CheckHost(g.Chain[0], u.Hostname())
	checked := truth(w.group.EnableHostIDCheck)
	if err == nil {
		w.note(g.URL, fact.WalkNamed, "the certificate names "+u.Hostname(), "gateway", g.URL, "host", u.Hostname(), "ok", "true", "checked", checked)
		return true
	}
	var host *verify.HostError
	names, wildcard := "", false
	if errors.As(err, &host) {
		names, wildcard = strings.Join(host.Names, ", "), host.Wildcard
	}
	w.tell(g.URL, fact.WalkNamed, fmt.Sprintf("the certificate does not name %s: it names %s", u.Hostname(), names),
		"gateway", g.URL, "host", u.Hostname(), "ok", "false", "names", names, "wildcard", truth(wildcard), "checked", checked)
	return false
}

// authorities tells whose certificates a gateway asks for, and whether the phone's is one of them.
func (w *walker) authorities(u string, der [][]byte) {
	names := authorityNames(der)
	text := "asks for a client certificate, of anybody"
	if len(der) > 0 {
		text = fmt.Sprintf("asks for a client certificate, of %q", names)
	}
	values := []string{"gateway", u, "names", strings.Join(names, "; ")}
	if chain := chainOf(w.o.Certificate); len(chain) > 0 && len(der) > 0 {
		among := slices.ContainsFunc(chain, func(c *x509.Certificate) bool {
			return slices.ContainsFunc(der, func(name []byte) bool { return bytes.Equal(name, c.RawIssuer) })
		})
		issuer := chain[0].Issuer.String()
		if !among {
			text += "; the phone's is of " + issuer
		}
		values = append(values, "issuer", issuer, "among", truth(among))
	}
	w.tell(u, fact.WalkAuthorities, text, values...)
}

// chainOf returns the certificates that the phone shows.
func chainOf(c tls.Certificate) (chain []*x509.Certificate) {
	for _, der := range c.Certificate {
		if parsed, err := x509.ParseCertificate(der); err == nil {
			chain = append(chain, parsed)
		}
	}
	return chain
}

func authorityNames(der [][]byte) []string {
	names := []string{}
	for _, raw := range der {
		var sequence pkix.RDNSequence
		if rest, err := asn1.Unmarshal(raw, &sequence); err != nil || len(rest) > 0 {
			continue
		}
		var name pkix.Name
		name.FillFromRDNSequence(&sequence)
		names = append(names, name.String())
	}
	return names
}

// groupURL asks for a login by the URL. It reports whether the gateway takes one.
func (w *walker) groupURL(ctx context.Context, g *phone.Gateway) bool {
	err := g.AskLogin(ctx)
	reply, outcome := lastReply(g), "login"
	if err != nil {
		outcome = replyOutcome(err, reply)
	}
	w.platform(g.URL, platformOf(reply))
	values := []string{"url", g.URL, "outcome", outcome, "reply", reply.Line}
	if err == nil {
		w.tell(g.URL, fact.WalkGroupURL, "takes logins there", values...)
		return true
	}
	text := "no login for phones there: " + plain(err)
	if reply.Status != 0 {
		g.Close() // a small server has one connection at a time
		at := w.forComputers(ctx, g.URL)
		values = append(values, "computers", truth(at != ""))
		if at != "" {
			text += "; computers can log in at " + at
		}
	}
	w.tell(g.URL, fact.WalkGroupURL, text, values...)
	return false
}

// replyAfter is the last reply, if there are more than before: the gateway may have hung up.
func replyAfter(g *phone.Gateway, before int) phone.Reply {
	if len(g.Replies) <= before {
		return phone.Reply{}
	}
	return lastReply(g)
}

func lastReply(g *phone.Gateway) phone.Reply {
	if len(g.Replies) == 0 {
		return phone.Reply{}
	}
	return g.Replies[len(g.Replies)-1]
}

// replyOutcome is what a reply that is no login was.
func replyOutcome(err error, r phone.Reply) string {
	f, known := phone.FindingOf(err)
	switch {
	case r.Status == 0:
		return "none"
	case r.Status >= 300 && r.Status < 400:
		return "redirect"
	case r.Status == 404:
		return "missing"
	case r.Status == 401 || r.Status == 403:
		return "refused"
	case r.Status >= 500:
		return "busy"
	case known && f.Code == finding.GroupURLMismatch.Code:
		return "no-cookie"
	}
	return "again"
}

// platformOf tells whose gateway it is by marks that only one kind has.
func platformOf(r phone.Reply) finding.Platform {
	switch {
	case strings.Contains(r.Location, "+CSCOE+"), strings.Contains(r.Server, "Cisco AWARE"), slices.Contains(r.Cookies, "webvpnLang"):
		return finding.ASA
	case slices.Contains(r.Cookies, "webvpncontext"), r.Version == "0.1(1)":
		return finding.Ocserv
	}
	return ""
}

// credentials looks for what a phone cannot send, before anybody is asked.
func (w *walker) credentials() bool {
	if w.group.AuthMethod == cnf.ByCertificate {
		return true
	}
	user, password := w.steps.Login(w.group)
	ok := true
	for _, each := range []struct{ what, text string }{{"user name", user}, {"password", password.Reveal()}} {
		if problem := unsendable(each.text); problem != "" {
			w.tell(w.o.Device, fact.WalkCredential, "the "+each.what+" has "+problem, "user", user, "what", each.what, "problem", problem)
			ok = false
		}
	}
	return ok
}

// unsendable says what in a text a phone cannot type or send; nothing where it can.
func unsendable(text string) string {
	switch {
	case strings.TrimSpace(text) != text:
		return "a space at its beginning or end"
	case strings.ContainsAny(text, " \t"):
		return "a space in it"
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }):
		return "a character that is not ASCII"
	}
	return ""
}

// logIn tries the login, once.
func (w *walker) logIn(ctx context.Context, g *phone.Gateway) bool {
	by := byWhat(w.group)
	user, _ := w.steps.Login(w.group)
	before := len(g.Replies)
	err := g.LogIn(ctx)
	reply := replyAfter(g, before)
	if err == nil {
		w.tell(g.URL, fact.WalkLogin, "lets the phone in by "+by, "url", g.URL, "by", by, "user", user, "outcome", "in")
		return true
	}
	w.tell(g.URL, fact.WalkLogin, "does not let the phone in: "+plain(err),
		"url", g.URL, "by", by, "user", user, "outcome", replyOutcome(err, reply), "reply", reply.Line)
	return false
}

package walk

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/phone"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/cstp"
)

// forComputers returns where computers can log in at a gateway: at the same URL, or else at its root; or nothing.
func (w *walker) forComputers(ctx context.Context, u string) string {
	places := []string{u}
	if parsed, err := url.Parse(u); err == nil {
		root := url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Path: "/"}
		places = append(places, root.String())
	}
	for _, at := range places {
		seen, err := w.steps.AskComputers(ctx, at, w.group)
		w.platform(u, platformOf(seen))
		if err == nil {
			if w.computers == "" {
				w.computers = at
			}
			w.computer(at, "offer", "true", "computers can log in at "+at)
			return at
		}
	}
	return ""
}

// computer tells what a computer's client gets to see.
func (w *walker) computer(at, what, ok, text string, values ...string) {
	w.tell(at, fact.WalkComputer, text, append(values, "gateway", at, "what", what, "ok", ok)...)
}

// asComputer goes the whole way of a computer's client, where no gateway takes the phone and one takes computers: so it
// is seen that network, gateway and credentials are right. It is the one login.
func (w *walker) asComputer(ctx context.Context) error {
	switch {
	case w.computers == "":
		return nil
	case w.o.NoLogin != "":
		w.say(w.computers + ": no computer was logged in: " + w.o.NoLogin)
		return nil
	case w.o.Password.IsZero() && w.o.Certificate.Certificate == nil:
		w.say(w.computers + ": no computer was logged in, since no password and no certificate is given")
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, gatewayTime)
	defer cancel()
	g, err := w.steps.LogInAsComputer(limited, w.computers, w.group)
	if ctx.Err() != nil && err != nil {
		return ctx.Err()
	}
	if w.computerLogin(g, err); err != nil {
		return nil
	}
	err = w.steps.Tunnel(ctx, g, w.stored, func(ctx context.Context, t *phone.Tunnelled) error { return w.inComputerTunnel(ctx, g.URL, t) })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		w.computer(g.URL, "tunnel", "false", "gives a computer no tunnel, or none that lasts: "+plain(err), "reason", plain(err))
	}
	return nil
}

// computerLogin says what came of the login.
func (w *walker) computerLogin(g *phone.Gateway, err error) {
	user, _ := w.steps.Login(w.group)
	by := "certificate"
	if !w.o.Password.IsZero() {
		by = "password"
	}
	if g.AsksCertificate {
		w.authorities(g.URL, g.Authorities)
	}
	values := []string{"user", user, "by", by, "groups", strings.Join(g.Groups, ", "), "group", g.Group}
	at := ""
	if len(g.Groups) > 0 {
		at = fmt.Sprintf(", in group %q of %q", g.Group, g.Groups)
	}
	if err == nil {
		w.computer(g.URL, "login", "true", "lets a computer in as "+user+at, append(values, "outcome", "in")...)
		return
	}
	outcomes := map[verify.Refusal]string{
		verify.WrongLogin: "refused", verify.SecondFactor: "second-factor", verify.CertificateWanted: "certificate",
		verify.Incomplete: "again", verify.GatewayError: "busy",
	}
	outcome, text, reason := "none", "does not let a computer in"+at+": "+plain(err), plain(err)
	var refused verify.Refused
	if errors.As(err, &refused) {
		outcome, reason = outcomes[refused.Reason], refused.Text
	}
	switch outcome {
	case "second-factor":
		text = "asks a computer for more than a password" + at + ": " + reason
	case "certificate":
		text = "wants a certificate of a computer" + at + ": " + reason
	}
	w.computer(g.URL, "login", "false", text, append(values, "outcome", outcome, "reason", reason)...)
}

// inComputerTunnel looks at a computer's tunnel.
func (w *walker) inComputerTunnel(ctx context.Context, at string, t *phone.Tunnelled) error {
	text, values := answerOf(t.Answer)
	w.computer(at, "tunnel", "true", "gives a computer a tunnel: "+text, values...)
	text, values = tryDTLS(ctx, t)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w.computer(at, "dtls", truth(value(values, "outcome") == "up"), "a computer's tunnel: "+text, values...)
	for _, host := range w.officeHosts(t.Answer) {
		address, err := t.Resolve(ctx, host)
		if err != nil {
			continue
		}
		answered, err := t.Ping(ctx, address)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			not := map[bool]string{false: "does not answer", true: "answers"}[answered]
			w.computer(at, "ping", truth(answered), host+" "+not+" pings through a computer's tunnel", "address", host)
		}
	}
	return nil
}

// officeHosts are who can be pinged through a tunnel: the servers that are known, or else the tunnel's name servers, or else
// the first address of its network, which many gateways have themselves.
func (w *walker) officeHosts(a cstp.Answer) []string {
	hosts := append([]string{}, w.o.Servers...)
	for _, m := range w.stored.Pool.CallManagers {
		hosts = append(hosts, m.Host)
	}
	if len(hosts) > 0 {
		return hosts
	}
	for _, server := range a.DNS {
		if server.Is4() {
			hosts = append(hosts, server.String())
		}
	}
	if len(hosts) == 0 && a.Prefix().IsValid() && a.Prefix().Bits() < netip.IPv4Unspecified().BitLen() {
		hosts = []string{a.Prefix().Masked().Addr().Next().String()}
	}
	return hosts
}

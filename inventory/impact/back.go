package impact

import (
	"cmp"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/cnf"
)

// back judges whether a phone can connect after the change with the file that it holds.
func (j judge) back(p *Touched, was, will *inventory.Device) {
	held, err := j.facts.File(j.before, was)
	if err != nil || held.VPN == nil || len(held.VPN.URLs) == 0 {
		return // it never connects
	}
	now, then := j.ways(j.before, held.VPN, was), j.ways(j.after, held.VPN, was)
	if len(now.open)+len(now.others) == 0 {
		return // it cannot connect today either
	}
	if len(then.open)+len(then.others) > 0 {
		if why := j.facts.KeptOut[p.Device]; why != "" && len(then.others) == 0 {
			p.raise(Lost, why, "wait until it has shown that it holds a file with the certificate's hash: longcord certs rollover status")
		}
		j.passwords(p, held.VPN)
		j.afterwards(p, will)
		return
	}
	for _, obstacle := range then.closed {
		p.raise(Lost, obstacle.why, obstacle.fix)
	}
	j.older(p, held.VersionStamp)
}

// afterwards judges whether a phone at home can still connect once it has taken its next file.
func (j judge) afterwards(p *Touched, will *inventory.Device) {
	next, err := j.facts.File(j.after, will)
	switch {
	case err != nil:
		p.raise(Unregisters, "its next file cannot be made: "+err.Error())
	case next.VPN == nil || len(next.VPN.URLs) == 0:
		p.raise(Lost, "its next file has no VPN: at home it cannot connect any more from its next restart on", "leave it its VPN group until it is back in the office")
	default:
		w := j.ways(j.after, next.VPN, will)
		if len(w.open)+len(w.others) > 0 {
			return
		}
		for _, o := range w.closed {
			p.raise(Lost, "with its next file: "+o.why, o.fix)
		}
	}
}

// older says when the phone may hold another file than the one it was judged by.
func (j judge) older(p *Touched, stamp string) {
	if j.facts.Fetched == nil {
		return
	}
	fetched, at := j.facts.Fetched(p.Device)
	switch {
	case fetched == "":
		p.raise(Lost, "whether it holds the file that stands for it here is not known: it was never seen to fetch it")
	case fetched != stamp:
		p.raise(Lost, fmt.Sprintf("the file it fetched last, at %s, is another than the one that stands for it here", at.UTC().Format("2006-01-02 15:04")))
	}
}

// ways are the URLs of a phone's file, by whether it can connect there.
type ways struct {
	open, others []string // others are of gateways that are not ours
	closed       []obstacle
}

type obstacle struct{ why, fix string }

func (j judge) ways(set *inventory.Set, vpn *cnf.VPNGroup, device *inventory.Device) (w ways) {
	for _, u := range vpn.URLs {
		_, ours := j.before.GroupByURL(u)
		group, still := set.GroupByURL(u)
		switch {
		case !ours && !still:
			w.others = append(w.others, u)
		case !still:
			w.closed = append(w.closed, obstacle{fmt.Sprintf("no tunnel group has the URL %s any more, which its file names", u),
				"add the new URL beside the old one, let every phone fetch its file, then take the old one away"})
		default:
			if o := j.obstacle(set, group, u, vpn, device); o.why != "" {
				w.closed = append(w.closed, o)
			} else {
				w.open = append(w.open, u)
			}
		}
	}
	return w
}

// obstacle returns what keeps a phone out of a tunnel group, if anything does.
func (j judge) obstacle(set *inventory.Set, group *inventory.TunnelGroup, u string, vpn *cnf.VPNGroup, device *inventory.Device) obstacle {
	model, known := set.Model(device.Model)
	legacy := known && model.Legacy
	if legacy && !group.LegacyPhones {
		return obstacle{fmt.Sprintf("it speaks old TLS only, and tunnel group %q has no legacyPhones", group.Name), "keep legacyPhones: true"}
	}
	if o := certificateObstacle(set, u, vpn, legacy); o.why != "" {
		return o
	}
	if sends := vpn.AuthMethod != cnf.ByCertificate; sends != group.TakesPassword() {
		wants := "certificates only"
		if group.TakesPassword() {
			wants = "a password"
		}
		return obstacle{fmt.Sprintf("tunnel group %q takes %s, and its file says to log in otherwise", group.Name, wants),
			"make a second tunnel group with a URL of its own, and move phones to it while they are inside"}
	}
	if vpn.AuthMethod == cnf.ByCertificate && len(set.Authorities(group)) == 0 {
		return obstacle{fmt.Sprintf("tunnel group %q knows no authority of client certificates", group.Name), "keep the authority that issued the phones' certificates"}
	}
	if policy := set.PolicyFor(group, "", ""); policy.SimultaneousLogins != nil && *policy.SimultaneousLogins == 0 {
		return obstacle{fmt.Sprintf("group policy %q lets nobody in: simultaneousLogins is 0", policy.Name), ""}
	}
	return j.userObstacle(set, group, device, vpn)
}

// certificateObstacle looks at what the gateway would present, and whether the phone's file has it.
func certificateObstacle(set *inventory.Set, u string, vpn *cnf.VPNGroup, legacy bool) obstacle {
	gateway := gatewayOf(set, u)
	if gateway == nil || len(gateway.Certificates) == 0 {
		return obstacle{fmt.Sprintf("no VPNGateway has the URL %s, so it has no certificate", u), "keep the VPNGateway"}
	}
	name := gateway.Certificates[0]
	if legacy {
		name = cmp.Or(gateway.LegacyCertificate, name)
	}
	if o := chainObstacle(set, gateway, name, u, vpn); o.why != "" || gateway.ECDSACertificate == "" {
		return o
	}
	return chainObstacle(set, gateway, gateway.ECDSACertificate, u, vpn)
}

// chainObstacle looks at one certificate that a phone may meet.
func chainObstacle(set *inventory.Set, gateway *inventory.VPNGateway, name, u string, vpn *cnf.VPNGroup) obstacle {
	chain := chainOf(set.Certificates[name])
	if len(chain) == 0 {
		return obstacle{fmt.Sprintf("certificate %q of gateway %q is not there", name, gateway.Name), ""}
	}
	if !slices.ContainsFunc(chain, func(c *x509.Certificate) bool { return slices.Contains(vpn.CertificateHashes, hash(c)) }) {
		return obstacle{fmt.Sprintf("gateway %q presents certificate %q, whose hash is not in the file it holds", gateway.Name, name),
			"put the certificate behind the one in use first, and change over when every phone has fetched its file"}
	}
	host := ""
	if parsed, err := url.Parse(u); err == nil {
		host = parsed.Hostname()
	}
	if leaf := chain[0]; vpn.EnableHostIDCheck && leaf.VerifyHostname(host) != nil && !strings.EqualFold(leaf.Subject.CommonName, host) {
		return obstacle{fmt.Sprintf("certificate %q does not name %s, and its file says to look", name, host), ""}
	}
	return obstacle{}
}

func gatewayOf(set *inventory.Set, u string) *inventory.VPNGateway {
	for _, g := range set.VPNGateways {
		if g.URL == u {
			return g
		}
	}
	return nil
}

func chainOf(o *inventory.Certificate) (chain []*x509.Certificate) {
	if o == nil {
		return nil
	}
	for block, rest := pem.Decode([]byte(o.Certificate)); block != nil; block, rest = pem.Decode(rest) {
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			chain = append(chain, c)
		}
	}
	return chain
}

func hash(c *x509.Certificate) string {
	sum := sha1.Sum(c.Raw)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// userObstacle looks at those who log in on the phone: whom its session has now, else who is declared for
// it. Where nobody is known, a server may know them.
func (j judge) userObstacle(set *inventory.Set, group *inventory.TunnelGroup, device *inventory.Device, vpn *cnf.VPNGroup) obstacle {
	if vpn.AuthMethod == cnf.ByCertificate {
		return obstacle{}
	}
	names := j.usersOf(device.Name)
	for _, name := range names {
		switch u := set.Users[name]; {
		case u == nil && j.before.Users[name] == nil: // a server's
			return obstacle{}
		case u == nil, u.Blocked, u.GroupLock != "" && u.GroupLock != group.Name:
		default:
			return obstacle{}
		}
	}
	if len(names) == 0 {
		return obstacle{}
	}
	return obstacle{fmt.Sprintf("user %s, who logs in on it, is gone, blocked, or locked to another tunnel group", strings.Join(names, ", ")), ""}
}

// passwords looks for users of a phone whose password becomes another: it keeps the old one.
func (j judge) passwords(p *Touched, vpn *cnf.VPNGroup) {
	if vpn.AuthMethod == cnf.ByCertificate {
		return
	}
	for _, name := range j.usersOf(p.Device) {
		was, will := j.before.Users[name], j.after.Users[name]
		if was != nil && will != nil && was.PasswordHash != will.PasswordHash {
			p.raise(NewPassword, fmt.Sprintf("user %s has another password, to be typed at its next login", name))
		}
	}
}

func (j judge) usersOf(device string) (names []string) {
	for _, s := range j.facts.Sessions {
		if s.Device == device && s.User != "" {
			names = append(names, s.User)
		}
	}
	if len(names) > 0 {
		return names
	}
	for name, u := range j.before.Users {
		if slices.Contains(u.Devices, device) || inventory.DeviceInName(name) == device {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

package judge

import (
	"cmp"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// What nobody answered in a capture. A phone asks for more than it needs, so a gateway counts when no other took its
// place, and a name when it is the gateway's, or sounds like it and nothing came up.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.CaptureNoAnswer) {
		server := f.Get("server")
		host, _, _ := strings.Cut(server, ":")
		if a, err := netip.ParseAddrPort(server); err == nil {
			host = a.Addr().String()
		}
		switch f.Get("service") {
		case "gateway":
			if c.elsewhere(host) {
				continue
			}
			if !isAddress(host) && !c.gatewayHost(host) && !strings.Contains(host, "vpn") && !likeGateways.MatchString(host) {
				c.Need("say whether " + host + " is the host of the phone's VPN URL: it does not answer")
				continue
			}
			found := finding.GatewayUnreachable.With(host)
			if c.Has(fact.Handshake) {
				found = found.As(finding.Possible)
			} else {
				found = found.As(finding.Likely)
			}
			c.Find(found, f)
		case "files":
			found := finding.TFTPUnreachable.With(host).As(finding.Likely)
			if c.gotFiles(f.Source) { // phones try HTTP first, and a second server
				found = found.As(finding.Possible)
			}
			c.Find(found, f)
		case "call manager":
			found := finding.RegistrationUnreachable.With(server).As(finding.Likely)
			if f.Get("reason") == "prohibited" {
				found = found.As(finding.Certain)
			}
			if c.answersElse(host) { // it may serve phones by one of its ports, and not by the others
				found = aside(found)
				c.Need("say by which protocol the phones register (SCCP, SIP, SIP with TLS): " + host + " answers on one port, and on another not")
			}
			if slices.ContainsFunc(c.All(fact.RegistrarRegistered), func(r fact.Fact) bool { return r.Source == f.Source }) {
				found = found.As(finding.Possible)
			}
			c.Find(found, f)
		case "tvs":
			c.Find(finding.TVSUnreachable.With(host).As(finding.Likely), f)
		case "capf": // a phone asks only when it is to get a certificate
			c.Find(finding.CAPFUntrusted.With(device(c), "nobody answers at "+server).As(finding.Likely), f)
		}
	}
	for _, f := range c.All(fact.CaptureNoName) {
		host := f.Get("host")
		switch {
		case strings.HasSuffix(host, ".arpa"), strings.Contains(host, "_"): // the name of an address, and services: no host's
			c.Need("look up the gateway's name, which is in the phone's VPN URL: `dig HOST`")
		case c.gatewayHost(host):
			c.Find(finding.GatewayNameUnresolved.With(host), f)
		case !c.Has(fact.FileURL, fact.AskedURL) && !c.Has(fact.Handshake, fact.GatewayCertificate) && strings.Contains(host, "."):
			if f.Get("anybody") != "true" && strings.Contains(host, "vpn") {
				c.Find(finding.GatewayNameUnresolved.With(host).As(finding.Likely), f)
				continue
			}
			if f.Get("anybody") != "true" && likeGateways.MatchString(host) {
				c.Find(finding.GatewayNameUnresolved.With(host).As(finding.Possible), f)
			}
			c.Need("say what the phone's VPN URL is, or send its file: there are names that do not resolve")
		}
	}
}, finding.GatewayUnreachable, finding.TFTPUnreachable, finding.RegistrationUnreachable, finding.TVSUnreachable, finding.CAPFUntrusted, finding.GatewayNameUnresolved)

// likeGateways is in names that people give to gateways.
var likeGateways = regexp.MustCompile(`(?i)gw|gate|remote|connect|asa|phone|edge|access|ssl|secure`)

// elsewhere reports whether something is about another host than the gateway, whose name is known: people try many. An
// address may be anybody's.
func (c *Case) elsewhere(host string) bool {
	host = hostOf("//" + host)
	return host != "" && !isAddress(host) && c.Has(fact.FileURL, fact.AskedURL) && !c.gatewayHost(host)
}

// callManagerPorts are where phones register.
var callManagerPorts = []string{"2000", "2443", "5060", "5061"}

// answersElse reports whether a call manager answered somebody on one of its ports.
func (c *Case) answersElse(host string) bool {
	return slices.ContainsFunc(c.Of(fact.NetAnswers, "host", host, "by", "tcp"), func(f fact.Fact) bool {
		return slices.Contains(callManagerPorts, f.Get("port"))
	})
}

// gotFiles reports whether a phone got files in this source.
func (c *Case) gotFiles(source string) bool {
	return slices.ContainsFunc(c.All(fact.FileSent), func(f fact.Fact) bool { return f.Source == source })
}

// gatewayHost reports whether a name is that of a gateway's URL.
func (c *Case) gatewayHost(name string) bool {
	return slices.ContainsFunc(slices.Concat(c.All(fact.FileURL), c.All(fact.AskedURL)), func(f fact.Fact) bool {
		return strings.EqualFold(hostOf(f.Get("url")), name)
	})
}

// A client that ends the handshake at the certificate does not want it. What a phone wants is the hash in its file; a
// computer looks at other things.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.CaptureCertificateRefused) {
		sha1 := f.Get("sha1")
		hashes := c.All(fact.FileHash)
		switch held := slices.ContainsFunc(hashes, func(h fact.Fact) bool { return strings.EqualFold(h.Get("sha1"), sha1) }); {
		case len(hashes) > 0 && !held:
			c.Find(finding.CertificateHashMismatch.With(sha1), append([]fact.Fact{f}, hashes...)...)
		case len(hashes) == 0 && f.Get("phone") == "true":
			c.Find(finding.CertificateHashMismatch.With(sha1).As(finding.Likely), f)
		case len(hashes) == 0:
			c.Find(finding.CertificateHashMismatch.With(sha1).As(finding.Possible), f)
		}
	}
}, finding.CertificateHashMismatch)

// The tunnel: UDP that does not come through, handshakes that do not agree, packets that are too big.
var _ = rule(func(c *Case) {
	if f, ok := c.First(fact.CaptureNoUDP); ok {
		c.Find(finding.DTLSBlocked.With("443").As(finding.Likely), f)
	}
	for _, f := range c.All(fact.CaptureDTLSFailed) {
		c.Find(finding.DTLSCipherMismatch.With(f.Get("server"), f.Get("reason")).As(finding.Likely), f)
	}
	for _, f := range c.All(fact.CaptureTooBig) {
		mtu := cmp.Or(f.Get("mtu"), "fewer")
		c.Find(finding.MTU.With("from "+f.Get("by")+" on", mtu+" bytes do").As(finding.Likely), f)
	}
	for _, f := range c.All(fact.CaptureNoARP) {
		address, err := netip.ParseAddr(f.Get("address"))
		if err != nil {
			continue
		}
		if pool, _ := c.poolOf(address); pool != "" {
			c.Find(finding.NoRouteToPool.With(pool, "the gateway's inside address").As(finding.Likely), f)
		}
	}
}, finding.DTLSBlocked, finding.DTLSCipherMismatch, finding.MTU, finding.NoRouteToPool)

// Addresses that are not those of the tunnel, and voice that comes from one side only.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.CaptureTranslated) {
		seen, _ := netip.ParseAddr(f.Get("seen"))
		named, _ := netip.ParseAddr(f.Get("named"))
		found := finding.NATInTheWay.With("the "+f.Get("in")+" of "+f.Get("line"), "the phone says "+f.Get("named")+", and its packets come from "+f.Get("seen"))
		pool, known := c.poolOf(named)
		if inside, _ := c.poolOf(seen); known && pool == "" && inside == "" {
			found = found.As(finding.Possible) // neither is of the tunnel
		} else {
			found = found.As(finding.Likely)
		}
		c.Find(found, f)
	}
	for _, f := range c.All(fact.CaptureOneWay) {
		found := finding.OneWayAudio.With(f.Get("from"), f.Get("to")).As(finding.Likely)
		if f.Get("held") == "true" {
			found = found.As(finding.Possible)
		}
		c.Find(found, f)
	}
	for _, f := range c.All(fact.CallStatistics) {
		sent, _ := strconv.Atoi(f.Get("sent"))
		received, _ := strconv.Atoi(f.Get("received"))
		if sent >= manyPackets && received == 0 {
			c.Find(finding.OneWayAudio.With("the phone that ended the call", "the other side").As(finding.Likely), f)
		}
	}
}, finding.NATInTheWay, finding.OneWayAudio)

// manyPackets is two seconds of voice, at 20 ms.
const manyPackets = 100

// A name by which a gateway was asked for, and the names in the certificate that it showed. Other servers are asked for in a
// capture, too, so the name is the gateway's, or the only one.
var _ = rule(func(c *Case) {
	names := c.All(fact.CaptureName)
	if check, ok := c.First(fact.SEPVPN); ok && check.Get("host-check") == "0" {
		return
	}
	for _, f := range names {
		certainty := finding.Likely
		if !c.gatewayHost(f.Get("host")) {
			if len(names) > 1 {
				continue
			}
			certainty = finding.Possible
		}
		for _, g := range c.All(fact.GatewayCertificate) {
			named, told := namesOf(g)
			if g.Get("sha1") == f.Get("sha1") && told && !namesHost(named, f.Get("host")) {
				c.Find(finding.HostIDMismatch.With(f.Get("host")).As(certainty), f, g)
			}
		}
	}
}, finding.HostIDMismatch)

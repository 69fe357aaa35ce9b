package judge

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// phonesPort is where phones send DTLS, whatever the gateway says (docs/wire/dtls.md#the-idea).
const phonesPort = 443

// What gateways and openconnect say of DTLS. Sessions work without it, and voice suffers.
var _ = rule(func(c *Case) {
	if f, ok := c.First(fact.OcservDTLSOff); ok {
		c.Find(finding.DTLSDisabled.With("ocserv"), f)
	}
	if f, ok := c.First(fact.ClientNoDTLS); ok {
		c.Find(finding.DTLSDisabled.With("the gateway").As(finding.Likely), f)
	}
	if f, ok := c.First(fact.ClientDTLSPort); ok && f.Get("port") != strconv.Itoa(phonesPort) {
		found := finding.DTLSDisabled.With("the gateway, on UDP " + f.Get("port") + " where phones use 443,").As(finding.Likely)
		if f.Get("port") == f.Get("tcp") { // it is tried where no phone is sent, or behind a router that gives it another port
			found = aside(found)
		}
		c.Find(found, f)
	}
	for _, o := range c.ocservFiles() {
		port, f, ok := o.number("udp-port")
		switch {
		case !ok && o.whole():
			tcp, there := o.last("tcp-port")
			if there {
				c.Find(finding.DTLSDisabled.With("ocserv, without udp-port,"), tcp)
			}
		case ok && port == 0:
			c.Find(finding.DTLSDisabled.With("ocserv"), f)
		case ok && port != phonesPort:
			c.Find(c.ifMeant(finding.DTLSBlocked.With(strconv.Itoa(phonesPort))), f) // nobody listens there
		}
		if f, off := o.is("dtls-legacy", false); off {
			_, cisco := o.is("cisco-client-compat", true)
			if _, phones := o.is("cisco-svc-client-compat", true); !cisco && !phones { // both imply dtls-legacy
				c.Find(finding.DTLSDisabled.With("ocserv"), f)
			}
		}
		if f, match := o.is("match-tls-dtls-ciphers", true); match {
			c.keepsOutOld(finding.DTLSCipherMismatch.With("ocserv", "match-tls-dtls-ciphers leaves only DTLS 1.2, which old phones do not speak").As(finding.Likely),
				"match-tls-dtls-ciphers leaves ocserv only DTLS 1.2, which 79xx, 89xx and 99xx do not speak", f)
		}
	}
}, finding.DTLSDisabled, finding.DTLSBlocked, finding.DTLSCipherMismatch)

// onTheWay are GnuTLS's words, and OpenSSL's, for packets that do not come through: both sides never came so far as to agree.
var onTheWay = regexp.MustCompile(`(?i)timed out|try again|push function|pull function`)

// Hellos that nobody answers are blocked on the way; handshakes that fail meet, and do not agree.
var _ = rule(func(c *Case) {
	for _, kind := range []fact.Kind{fact.OcservNoUDP, fact.OcservUDPLost, fact.ClientNoUDP} {
		if f, ok := c.First(kind); ok {
			c.Find(finding.DTLSBlocked.With("443").As(finding.Likely), f)
		}
	}
	dead := c.All(fact.ClientDead)
	if slices.ContainsFunc(dead, func(f fact.Fact) bool { return f.Get("channel") == "CSTP" }) {
		dead = nil // nothing at all comes any more
	}
	for _, f := range dead {
		if f.Get("channel") == "DTLS" {
			c.Find(finding.DTLSBlocked.With("443").As(finding.Possible), f)
		}
	}
	for _, kind := range []fact.Kind{fact.OcservDTLSFailed, fact.ClientDTLSFailed} {
		for _, f := range c.All(kind) {
			reason := f.Get("reason")
			if reason == "" {
				reason = "the handshake fails"
			}
			if onTheWay.MatchString(reason) {
				c.Find(finding.DTLSBlocked.With("443").As(finding.Likely), f)
				continue
			}
			c.Find(finding.DTLSCipherMismatch.With("the gateway", reason).As(finding.Likely), f)
		}
	}
}, finding.DTLSBlocked, finding.DTLSCipherMismatch)

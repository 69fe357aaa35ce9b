package tunnel

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/longcord/longcord/wire/cstp"
	"github.com/longcord/longcord/wire/dtls"
	"github.com/longcord/longcord/wire/vpnauth"
)

// Timers are the times of a session. Zero switches each off, except DisconnectedTimeout.
type Timers struct {
	DPD                 time.Duration // the gateway's, both channels
	DPDClient           time.Duration // the client's, both channels
	Keepalive           time.Duration // the client's, both channels
	IdleTimeout         time.Duration
	SessionTimeout      time.Duration
	DisconnectedTimeout time.Duration // zero means DefaultDisconnectedTimeout
}

// Policy is what the gateway grants a session.
type Policy struct {
	Timers
	Age          time.Duration // since the login
	Address      netip.Prefix  // the session's inner IPv4 address, with the length of its pool's network
	Address6     netip.Prefix  // likewise IPv6; not valid: none
	DNS          []netip.Addr
	WINS         []netip.Addr
	Domain       string
	SplitDNS     []string
	TunnelAllDNS bool
	Bypass       bool           // a family without address may go around the tunnel
	SplitInclude []netip.Prefix // none: everything goes through the tunnel
	SplitExclude []netip.Prefix
	Banner       string
	Rekey        time.Duration // after that a new connection for new keys; zero: never. Phones are never told to
	CardRemoval  bool          // the client is to end the session when a smartcard is pulled
	MTU          int           // most bytes of a packet inside; zero means DefaultMTU
	Phones       bool          // the session's group is for phones: no IPv6, no rekeying
	Legacy       bool          // AES-CBC may be chosen, and with it DTLS 0.9
	DTLS         bool
	DTLSPort     int // UDP; zero means 443, the only one phones use
}

// Link is the client's TLS connection.
type Link struct {
	TLSSuite uint16 // IANA number of the negotiated suite
	PSK      bool   // it can export a key for the DTLS channel
	MTU      int    // bytes of a packet between client and gateway; zero: not known, taken as 1500
	IPv6     bool   // the outer packets are IPv6
	// Proven is what TCP has filled packets with and got through, in bytes of a packet. Zero: not known.
	Proven int
}

// MTUs in bytes.
const (
	DefaultMTU  = 1406 // most that CUCM lets a phone be configured for
	MaxMTU      = 1442 // most that any suite leaves of a link of 1500 bytes
	defaultLink = 1500
	leastLink   = 576 // smaller claims are not believed
	leastMTU    = 256 // likewise; the least that CUCM lets a phone be configured for
)

// Negotiate returns the answer to a client's CONNECT. The id is what the client will put into its DTLS
// ClientHello, whichever kind it is of; it must be known to the UDP side before the answer is sent.
func Negotiate(req cstp.Request, policy Policy, link Link, sessionID [cstp.SessionIDLen]byte) cstp.Answer {
	a := cstp.Answer{
		NBNS: policy.WINS, Domain: policy.Domain, SplitDNS: policy.SplitDNS, TunnelAllDNS: policy.TunnelAllDNS, Bypass: policy.Bypass,
		Banner: policy.Banner,
		DPD:    policy.DPDClient, Keepalive: policy.Keepalive,
		IdleTimeout: policy.IdleTimeout, SessionTimeout: policy.SessionTimeout, DisconnectedTimeout: policy.disconnectedTimeout(),
		RekeyMethod: cstp.RekeyNone,
		Keep:        true, TCPKeepalive: true, SmartcardRemoval: policy.CardRemoval, License: "accept",
		BaseMTU: linkMTU(req, link),
	}
	a.SetPrefix(policy.Address)
	if req.FullIPv6 && !policy.Phones {
		a.Address6 = policy.Address6
	}
	for _, server := range policy.DNS {
		if server.Is4() || a.Address6.IsValid() {
			a.DNS = append(a.DNS, server)
		}
	}
	a.SplitInclude, a.SplitExclude = spoken(policy.SplitInclude, a), spoken(policy.SplitExclude, a)
	if !policy.Phones && policy.Rekey > 0 {
		a.RekeyTime, a.RekeyMethod = policy.Rekey, cstp.RekeyNewTunnel
	}
	if policy.SessionTimeout > 0 {
		a.SessionRemaining = max(policy.SessionTimeout-policy.Age, time.Second)
	}
	a.MTU = wantedMTU(req, policy)
	if chosen, ok := chooseSuite(req, policy, link); ok {
		way := a.BaseMTU
		if link.Proven != 0 && guessedMTU(req, link) {
			way = max(min(way, link.Proven), leastLink)
			a.MTU = cmp.Or(policy.MTU, MaxMTU)
		}
		a.MTU = min(a.MTU, chosen.suite.MaxContent(way-outerHeaders(link))-1)
		a.DTLS = chosen.answer(policy, sessionID, a.MTU)
	}
	return a
}

// spoken are the networks of the families that a client has an address of.
func spoken(networks []netip.Prefix, a cstp.Answer) (some []netip.Prefix) {
	for _, network := range networks {
		if network.Addr().Is4() || a.Address6.IsValid() {
			some = append(some, network)
		}
	}
	return some
}

func (t Timers) disconnectedTimeout() time.Duration {
	if t.DisconnectedTimeout == 0 {
		return DefaultDisconnectedTimeout
	}
	return t.DisconnectedTimeout
}

// linkMTU is the smaller of what both ends know of the way between them.
func linkMTU(req cstp.Request, link Link) int {
	mtu := defaultLink
	if link.MTU != 0 {
		mtu = link.MTU
	}
	if req.BaseMTU != 0 {
		mtu = min(mtu, req.BaseMTU)
	}
	return max(mtu, leastLink)
}

// wantedMTU never exceeds what the client asked for: some clients reconnect for ever when it does.
func wantedMTU(req cstp.Request, policy Policy) int {
	mtu := DefaultMTU
	if policy.MTU != 0 {
		mtu = policy.MTU
	}
	if req.MTU >= leastMTU {
		mtu = min(mtu, req.MTU)
	}
	return mtu
}

// guessedMTU reports whether the MTU that a client asks for is openconnect's guess, which leaves room for the
// largest overhead of all suites, and not somebody's wish. Openconnect takes more, but on IPv6 cannot send it
// (docs/wire/cstp.md#mtu).
func guessedMTU(req cstp.Request, link Link) bool {
	const largest = 13 + 1 + 20 + 32 + 16 // header, type byte, MAC of SHA-256 and an explicit IV with padding of AES
	return !link.IPv6 && vpnauth.AgentOf(req.UserAgent) == vpnauth.OpenConnect && req.MTU == req.BaseMTU-outerHeaders(link)-largest
}

// outerHeaders are the bytes of IP and UDP around a record.
func outerHeaders(link Link) int {
	if link.IPv6 {
		return 40 + 8
	}
	return 20 + 8
}

// offer is one suite that the client offered and we would speak.
type offer struct {
	header  dtls.Header
	name    string
	version dtls.Version
	suite   dtls.Suite
}

// pskOffer is what PSK-NEGOTIATE comes to: any suite of the handshake adds as much to a packet, or less.
var pskOffer = offer{dtls.CipherSuite, dtls.PSKNegotiate, dtls.Version12, dtls.PSKAES256GCM}

func (o offer) answer(policy Policy, sessionID [cstp.SessionIDLen]byte, mtu int) cstp.DTLSAnswer {
	d := cstp.DTLSAnswer{Port: policy.DTLSPort, DPD: policy.DPDClient, Keepalive: policy.Keepalive}
	if d.Port == 0 {
		d.Port = 443
	}
	if o.name == dtls.PSKNegotiate {
		d.AppID, d.CipherSuite = sessionID[:], o.name
		return d
	}
	d.SessionID, d.MTU = sessionID[:], mtu
	if o.header == dtls.CipherSuite12 {
		d.CipherSuite12 = o.name
	} else {
		d.CipherSuite = o.name
	}
	return d
}

// chooseSuite takes a pre-shared key where the client offers it, which phones do not; else the first suite
// with the TLS connection's cipher, which old phones insist on, else the first of the best kind.
func chooseSuite(req cstp.Request, policy Policy, link Link) (offer, bool) {
	if !policy.DTLS {
		return offer{}, false
	}
	if link.PSK && slices.Contains(req.CipherSuites, dtls.PSKNegotiate) {
		return pskOffer, true
	}
	if _, err := req.MasterKey(); err != nil {
		return offer{}, false
	}
	offers := offersOf(req, policy)
	for _, o := range offers {
		if o.suite.SameCipher(link.TLSSuite) {
			return o, true
		}
	}
	if len(offers) == 0 {
		return offer{}, false
	}
	return slices.MinFunc(offers, func(a, b offer) int { return a.age() - b.age() }), true
}

// age says how old an offer's cryptography is.
func (o offer) age() int {
	switch {
	case o.version == dtls.Version09:
		return 2
	case o.suite.Cipher() == dtls.AESCBC:
		return 1
	}
	return 0
}

// offersOf lists what the client offers and the policy allows: X-DTLS12-CipherSuite first, each list in
// the client's order.
func offersOf(req cstp.Request, policy Policy) []offer {
	var offers []offer
	add := func(header dtls.Header, names []string) {
		for _, name := range names {
			version, suite, known := dtls.SuiteByName(header, name)
			if known && (suite.Cipher() != dtls.AESCBC || policy.Legacy) {
				offers = append(offers, offer{header, name, version, suite})
			}
		}
	}
	add(dtls.CipherSuite12, req.CipherSuites12)
	add(dtls.CipherSuite, req.CipherSuites)
	return offers
}

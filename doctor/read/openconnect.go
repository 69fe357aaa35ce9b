package read

import (
	"net"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// What openconnect prints with -v: docs/wire/gateway-logs.md#openconnect.
var openConnectPhrases = phrasesOf(
	says(`^getaddrinfo failed for host '(?P<server>[^']+)': (?:Name or service not known|No address associated with hostname|nodename nor servname)`, fact.GatewayNoName),
	says(`^getaddrinfo failed for host '(?P<server>[^']+)': (?P<reason>.*)`, fact.GatewayNoName),
	says(`^Failed to connect to (?P<server>\S+): Connection refused`, fact.GatewayNoAnswer, "reason", "refused"),
	says(`^Failed to connect to (?P<server>\S+): (?:Connection timed out|Interrupted system call)`, fact.GatewayNoAnswer, "reason", "timeout"),
	says(`^Failed to connect to (?P<server>\S+): (?:No route to host|Network is unreachable|Host is unreachable)`, fact.GatewayNoAnswer, "reason", "unreachable"),
	says(`^(?:Server certificate verify failed|Reason): (?P<reason>(?:certificate (?:has )?expired|certificate does not match hostname|certificate (?:is )?not (?:yet )?(?:activated|valid)).*)`, fact.ClientDistrust),
	says(`^Server certificate verify failed: `, ""), // signer not found: phones believe a hash, not a signer
	says(`^(?P<reason>None of the \d+ fingerprint\(s\) specified via --servercert match)`, ""),
	says(`^Server presented no certificate`, fact.ClientFailed),
	says(`^SSL connection failure: .*(?P<reason>illegal or unsupported version|unsupported protocol|protocol version)`, fact.HandshakeFailed, "alert", "protocol version"),
	says(`^SSL connection failure: .*(?:handshake failure|Handshake failed)`, fact.HandshakeFailed, "alert", "handshake failure"),
	says(`^SSL connection failure: Error in the certificate`, ""),
	says(`^SSL connection failure: (?P<reason>.*)`, fact.HandshakeFailed),
	says(`^Got HTTP response: HTTP/1\.[01] 401 No certificate`, fact.ClientNoCertificate),
	says(`^Login failed\.?$`, fact.ClientLoginRefused),
	says(`^Got HTTP response: HTTP/1\.[01] 401 Authentication failed`, fact.ClientLoginRefused),
	says(`^Client certificate (?P<reason>has expired at:? .*)`, fact.ClientCertificateRefused),
	says(`^(?P<reason>Invalid client certificate|Certificate Validation Failure)`, fact.ClientCertificateRefused), // in the gateway's words
	says(`Client certificate missing or incorrect`, fact.ClientNoCertificate),
	says(`^Reconnect gave different (?:Legacy IP|IPv6) address \((?P<now>\S+) != (?P<was>\S+)\)`, fact.ClientMoved),
	says(`^Received server disconnect: \S+ '(?P<reason>[^']*)'`, fact.ClientEnded),
	says(`^(?P<reason>VPN session expired|Server terminated connection \(session expired\))`, fact.ClientEnded),
	says(`^Session authentication will expire at (?P<at>.*)`, fact.ClientLimit),
	says(`^No IP address received\. Aborting`, fact.ClientRefused, "reason", "no address"),
	says(`^Got inappropriate HTTP CONNECT response: HTTP/1\.[01] (?P<reason>\d+ .*)`, fact.ClientRefused),
	says(`^VPN service unavailable; reason: (?P<reason>.*)`, fact.ClientRefused),
	says(`^Cookie was rejected by server; exiting\.|^Cookie is no longer valid, ending session`, fact.ClientRefused),
	says(`^Error setting up DTLS$|^Set up (?:UDP|DTLS) failed; using SSL instead|^Creating SSL connection failed|^Unknown error; exiting|^Failed to (?:open /dev/vhost-net|\w+ vhost )|^Failed to write incoming packet: |^Failed to open HTTPS connection|^Failed to reconnect to |^Failed to (?:complete authentication|obtain WebVPN cookie)`, ""),
	says(`^Connected (?:\S+ )?as (?P<address>[0-9a-fA-F.:]+)(?: \+ \S+)?, using SSL`, fact.ClientUp), // before 8.10
	says(`Cisco Secure Desktop not installed on the client|^Error: Server asked us to (?:run CSD hostscan|download and run .*Cisco Secure Desktop)`, fact.ClientHostScan),
	says(`^No DTLS address|^Server offered no DTLS cipher option`, fact.ClientNoDTLS),
	says(`^Peer MTU (?P<mtu>\d+) too small to allow DTLS`, fact.ClientMTU, "was", "1280"),
	says(`^(?P<reason>DTLS session resume failed)`, fact.ClientDTLSFailed),
	says(`^(?P<reason>Unknown DTLS parameters for requested CipherSuite '[^']*'|Failed to set DTLS (?:priority|session parameters|key).*)`, fact.ClientDTLSFailed),
	says(`(?P<reason>old session cipher not returned)`, fact.ClientDTLSFailed),
	says(`^(?P<reason>DTLS handshake timed out)`, fact.ClientNoUDP),
	says(`^DTLS handshake failed: Resource temporarily unavailable`, fact.ClientNoUDP, "reason", "DTLS handshake timed out"),
	says(`^DTLS handshake failed: Error in the push function|^\(Is a firewall preventing you from sending UDP packets\?\)`, fact.ClientNoUDP, "reason", "UDP is refused on the way"),
	says(`^DTLS (?:handshake|connection attempt) failed: (?P<reason>.*)|^DTLS handshake failed: (?P<why>\d+)`, fact.ClientDTLSFailed),
	says(`^DTLS Dead Peer Detection detected dead peer`, fact.ClientDead, "channel", "DTLS"),
	says(`^(?:CSTP Dead Peer Detection detected|Detected) dead peer`, fact.ClientDead, "channel", "CSTP"), // the shorter of other protocols
	says(`^X-CSTP-Split-Include: (?P<network>\S+)`, fact.ClientSplit),
	says(`^X-DTLS-Port: (?P<port>\d+)`, fact.ClientDTLSPort),
	says(`^Detected MTU of (?P<mtu>\d+) bytes \(was (?P<was>\d+)\)`, fact.ClientMTU),
	says(`^Configured as (?P<address>[0-9a-fA-F.:]+)(?: \+ \S+)?, with SSL (?:connected|disconnected).* and (?:DTLS|ESP) (?P<dtls>connected|disabled|in progress|established|disconnected)`, fact.ClientUp),
	says(`^Established DTLS connection`, fact.ClientUp, "dtls", "connected"),
	says(`^(?:Received server disconnect|Session terminated by server; exiting)`, fact.ClientEnded),
)

// openConnectKnown begins lines that tell nothing by themselves.
var openConnectKnown = compile(`^(?:Attempting to connect to server |Connected to |SSL negotiation with |XML POST enabled|TCP_INFO rcv mss|Got CONNECT response: |CSTP connected\. DPD|UDP SO_SNDBUF|DTLS initialised\. DPD|Initiating MTU detection|No change in MTU after|Send (?:CSTP|DTLS) DPD|Got (?:CSTP|DTLS) DPD response|HTTP body length|X-(?:CSTP|DTLS|Transcend)-|Set-Cookie: webvpn|Please enter your (?:username|password)|Not using vhost-net|User cancelled|Send BYE packet|There was a non-CA certificate in the trusted list)`)

var (
	// openConnectTime is what --timestamp puts before a line, or the Windows client, with or without its thread.
	openConnectTime   = compile(`^(?:\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] |\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)? (?:\| +[0-9a-f]+ \| )?)`)
	openConnectAsks   = compile(`^(?:GET|POST) (https://\S+)$`)
	openConnectStatus = compile(`^Unexpected (\d+) result from server`)
	openConnectLost   = compile(`^SSL read error: .*; reconnecting`)
	openConnectTries  = compile(`^Attempting to connect to server (\S+)`)
	openConnectHash   = compile(`^Set-Cookie: webvpnc=bu:.*&sh:([0-9A-Fa-f]{40})\b`)
	openConnectSuite  = compile(`^Connected to HTTPS on (\S+) with ciphersuite \((TLS[\d.]+)\)-(\S+)`)
)

// otherProtocols are what openconnect asks for when it was told to speak another VPN's language (--protocol).
var otherProtocols = []struct{ path, product string }{
	{"/global-protect/", "Palo Alto GlobalProtect"}, {"/ssl-vpn/", "Palo Alto GlobalProtect"}, {"/dana-na/", "Pulse Secure or Ivanti Connect Secure"},
	{"/remote/login", "FortiGate SSL VPN"}, {"/my.policy", "F5 BIG-IP"},
}

var _ = recognise(Recogniser{
	Format: "openconnect's output", Follows: true,
	Marks: []string{
		"login failed", "complete authentication", "webvpn cookie", "dead peer", "certificate validation failure", "fingerprint", "result from server", "firewall preventing", "to connect to", "to server ",
		"connected to", "connection failure", "connect response", "configured as", "cookie was", "cookie is", "set-cookie: webvpn", "cstp", "dtls",
		"getaddrinfo", "http response", "http connect", "http body", "https", "mtu", "dpd", "vhost", "creating ssl", "unknown error; exiting", "please enter your", "ssl negotiation",
		"so_sndbuf", "set up", "server certificate", "server presented", "received server disconnect", "session terminated", "tcp_info",
		"client certificate", "reconnect gave", "will expire at", "session expired", "ip address", "session cipher", "reason: ", "transcend", "user cancelled", "vpn service", "xml post", "bye packet", "non-ca certificate", "incoming packet", "secure desktop", "csd hostscan", ", using ssl",
	},
	Alone: true,
	New:   func(in *fact.Input) Reader { return &openConnect{in: in} },
})

type openConnect struct {
	in           *fact.Input
	url, server  string
	up, informed bool
	failed       Line // where it said that it came to nothing; none: Number is 0
	lost         Line // where its connection broke, and has not come back; none: Number is 0
	losses       int  // how often it broke
	waits        []waiting
}

// waiting is what failed of a client that tries again, or goes on by another way, until it is told.
type waiting struct {
	at   obstacle
	tell func()
}

// obstacle is what a client has to overcome: name and TCP, TLS, the login, a broken session, DTLS.
type obstacle int

const (
	none obstacle = iota
	atTCP
	atTLS
	atLogin
	atSession
	atDTLS
)

// obstacleOf returns what a client has not overcome that tells of such a fact.
func obstacleOf(p *phrase) obstacle {
	switch p.tells {
	case fact.GatewayNoName, fact.GatewayNoAnswer:
		return atTCP
	case fact.HandshakeFailed:
		return atTLS
	case fact.ClientLoginRefused, fact.ClientNoCertificate, fact.ClientCertificateRefused, fact.ClientRefused:
		return atLogin
	case fact.ClientNoUDP, fact.ClientDTLSFailed:
		return atDTLS
	case fact.ClientDead:
		if slices.Contains(p.with, "DTLS") {
			return atDTLS
		}
		return atSession
	}
	return none
}

// maxWaiting bounds what waits.
const maxWaiting = 64

// overcomes forgets what the client has overcome.
func (r *openConnect) overcomes(o obstacle) {
	r.waits = slices.DeleteFunc(r.waits, func(w waiting) bool { return w.at == o })
}

// flush tells what has waited.
func (r *openConnect) flush() {
	for _, w := range r.waits {
		w.tell()
		r.informed = true
	}
	r.waits = nil
}

// usualLosses is how often a connection may break, and come back, in one log.
const usualLosses = 2

func (r *openConnect) Line(l Line) bool {
	text := l.Text
	if m := openConnectTime.FindString(l.Raw); m != "" {
		text = l.Raw[len(m):]
	}
	text = strings.TrimPrefix(text, "< ")
	switch {
	case openConnectAsks.MatchString(text):
		url := openConnectAsks.FindStringSubmatch(text)[1]
		if r.url != "" && hostOfURL(url) != hostOfURL(r.url) { // another gateway
			r.flush()
		}
		r.url = url
		for _, other := range otherProtocols {
			if strings.Contains(r.url, other.path) {
				r.in.Add(fact.ForeignVPN, l.Number, l.Raw, l.Time, "product", other.product)
			}
		}
		r.in.Add(fact.ClientAsks, l.Number, l.Raw, l.Time, "url", r.url)
		return true
	case openConnectStatus.MatchString(text):
		values := []string{"status", openConnectStatus.FindStringSubmatch(text)[1]}
		if r.url != "" {
			values = append(values, "url", r.url)
		}
		r.in.Add(fact.ClientUnknownURL, l.Number, l.Raw, l.Time, values...)
		return true
	case openConnectLost.MatchString(text):
		r.lost, r.losses = l, r.losses+1
		return true
	case strings.HasPrefix(text, "Got CONNECT response: HTTP/1.1 200"), strings.HasPrefix(text, "CSTP connected."):
		r.overcomes(atLogin)
		if r.losses <= usualLosses {
			r.lost = Line{}
			r.overcomes(atSession)
		}
		return true
	case strings.HasPrefix(text, "Connected to HTTPS on "):
		r.overcomes(atTLS)
	case strings.HasPrefix(text, "Connected to "):
		r.overcomes(atTCP)
		return true
	}
	switch {
	case openConnectTries.MatchString(text):
		r.server = openConnectTries.FindStringSubmatch(text)[1]
		return true
	case openConnectSuite.MatchString(text):
		m := openConnectSuite.FindStringSubmatch(text)
		r.in.Add(fact.Handshake, l.Number, l.Raw, l.Time, "server", m[1], "protocol", strings.Replace(m[2], "TLS", "TLSv", 1), "cipher", m[3])
		return true
	case openConnectHash.MatchString(text): // the gateway tells clients the hash of its certificate
		r.in.Add(fact.GatewayCertificate, l.Number, l.Raw, l.Time, "sha1", strings.ToUpper(openConnectHash.FindStringSubmatch(text)[1]), "depth", "0")
		return true
	case strings.HasPrefix(text, "Failed to complete authentication"), strings.HasPrefix(text, "Failed to obtain WebVPN cookie"): // before 9.0
		r.failed = l
		return true
	}
	if p, m := openConnectPhrases.of(text); p != nil {
		var more []string
		switch p.tells {
		case fact.ClientUp:
			r.up = true
			if strings.Contains(text, "DTLS connected") || strings.Contains(text, "DTLS established") || strings.HasPrefix(text, "Established DTLS") {
				r.overcomes(atDTLS)
			}
		case fact.HandshakeFailed:
			more = append(more, "server", r.server)
		case fact.ClientDistrust:
			more = append(more, "host", hostOfURL(r.url))
		case fact.ClientDTLSPort:
			more = append(more, pairs("tcp", portOfURL(r.url))...)
		}
		if at := obstacleOf(p); at != none {
			if len(r.waits) < maxWaiting {
				r.waits = append(r.waits, waiting{at, func() { p.tell(r.in, m, l, more...) }})
			}
			return true
		}
		r.informed = r.informed || p.tells != ""
		p.tell(r.in, m, l, more...)
		return true
	}
	return openConnectKnown.MatchString(text)
}

// End says that it came to nothing when no line says why.
func (r *openConnect) End() {
	r.flush()
	if r.failed.Number > 0 && !r.up && !r.informed {
		r.in.Add(fact.ClientFailed, r.failed.Number, r.failed.Raw, r.failed.Time)
	}
	if r.lost.Number > 0 {
		r.in.Add(fact.ClientBroke, r.lost.Number, r.lost.Raw, r.lost.Time)
	}
}

// hostOfURL returns the host of an HTTPS URL, with its port.
func hostOfURL(url string) string {
	host, _, _ := strings.Cut(strings.TrimPrefix(url, "https://"), "/")
	return host
}

// portOfURL returns the port of an HTTPS URL; empty where there is no URL.
func portOfURL(url string) string {
	if url == "" {
		return ""
	}
	host := hostOfURL(url)
	if _, port, err := net.SplitHostPort(host); err == nil {
		return port
	}
	return "443"
}

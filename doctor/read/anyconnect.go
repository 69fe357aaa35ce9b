package read

import (
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// AnyConnect on a computer: the message history that it shows, and its lines in system logs. It asks a gateway for the same
// as a phone does, so what the gateway tells it holds for phones, too. documented: Cisco's troubleshooting notes
var (
	anyConnectLine    = compile(`\b(?:acvpnagent|acvpnui|vpnagentd|acwebhelper|csc_vpnagent|csc_ui)(?:\[\d+\])?\b|\bFunction: C\w+(?:::\w+)+ +File: |^(?:\[[^\]]*\] )?Cisco (?:AnyConnect Secure Mobility Client|Secure Client)\b`)
	anyConnectPhrases = phrasesOf(
		says(`message was received from the secure gateway: +(?P<reason>No (?:assigned )?address\b.*)`, fact.ClientRefused),
		says(`message was received from the secure gateway: +(?P<reason>\S.*)`, fact.ClientRefused),
		says(`(?i)\bLogin denied\b.*unauthorized connection mechanism`, fact.ClientRefused, "reason", "unauthorized connection mechanism"),
		says(`(?i)\bVPN connection failed due to unsuccessful domain name resolution`, fact.GatewayNoName),
		says(`(?i)\bfailed due to invalid host entry`, fact.GatewayNoName, "unsure", "true"),
		says(`Could not connect to server\. Please verify Internet connectivity and server address|Connection attempt has timed out\. +Please verify Internet connectivity`, fact.GatewayNoAnswer, "reason", "timeout"),
		says(`^(?:\[[^\]]*\] )?Certificate Validation Failure`, fact.ClientNoCertificate),
		says(`(?i)AnyConnect package on the secure gateway could not be located`, fact.ASAImages, "installed", "0"),
		says(`(?i)AnyConnect is not enabled on the VPN server`, fact.ASAClientsOff),
		says(`(?:notice: |\] |^)Connected to [\w.-]+\.?$|^ *Connection State: +Connected$`, fact.ClientUp),
		says(`A new MTU needs to be applied to the VPN network interface`, fact.ClientMTU, "new", "true"),
		says(`(?i)certificate on the secure gateway is invalid`, fact.ClientFailed),
		says(`AnyConnect was not able to establish a connection to the specified secure gateway`, fact.ClientFailed),
		says(`(?i)unable to establish (?:a )?DTLS|DTLS tunnel was not established|Unable to set up DTLS`, fact.ClientNoUDP, "reason", "DTLS did not come up"),
	)
	anyConnectBare = compile(`No valid certificates available for authentication`)
	anyConnectAsks = compile(`(?:^|[\] ] *)(?:User credentials entered\.|Please enter your (?:username|password))`)
	anyConnectHost = compile(`(?:^|[\] ] *)(?:Contacting|Connected to) ([\w.:-]+?)\.?$`)
	anyConnectTalk = compile(`(?:^|[\] ] *)(?:Contacting [\w.:-]+\.$|Establishing VPN (?:session\.\.\.$|- )|Ready to connect\.$|Connection attempt has failed\.$)`)
)

var _ = recognise(Recogniser{
	Format: "AnyConnect's messages on a computer", Follows: true,
	Marks: []string{
		"acvpn", "acwebhelper", "vpnagentd", "csc_", "function: c", "cisco anyconnect", "cisco secure client", "from the secure gateway",
		"login denied", "login failed", "vpn connection failed", "verify internet", "no valid certificates", "certificate validation failure",
		"on the secure gateway", "specified secure gateway", "dtls", "on the vpn server", "connected to ", "connection state", "credentials entered", "please enter your",
		"contacting ", "establishing vpn", "ready to connect", "connection attempt has failed", "invalid host entry", "new mtu",
	},
	New: func(in *fact.Input) Reader { return &anyConnect{in: in} },
})

type anyConnect struct {
	in   *fact.Input
	seen Line // a line that only AnyConnect writes; none: Number is 0
	told bool // what it tells
	// bare is where the client found no certificate to show; one that then asks for a password needs none.
	bare Line
	// failures are attempts that failed, of which those do not count that are made good: the same host lets the client in later.
	failures []anyConnectFailure
	host     string // that is tried, as far as it is told
}

type anyConnectFailure struct {
	host string
	tell func()
}

// maxAnyConnectFailures bounds how many attempts are kept; more than that are told at once.
const maxAnyConnectFailures = 500

func (r *anyConnect) Line(l Line) bool {
	own := anyConnectLine.MatchString(l.Raw)
	if m := anyConnectHost.FindStringSubmatch(strings.TrimSpace(l.Raw)); m != nil {
		r.host = m[1]
	}
	if own && r.seen.Number == 0 {
		r.seen = l
	}
	if r.seen.Number > 0 && strings.HasSuffix(strings.TrimSpace(l.Text), "Login failed.") {
		r.failed(func() { r.in.Add(fact.ClientLoginRefused, l.Number, l.Raw, l.Time) })
		return true
	}
	switch {
	case anyConnectBare.MatchString(l.Raw):
		if r.bare.Number == 0 {
			r.bare = l
		}
		return true
	case anyConnectAsks.MatchString(l.Raw):
		r.bare = Line{Number: -1}
		return true
	case anyConnectTalk.MatchString(l.Raw):
		return true
	}
	p, m := anyConnectPhrases.of(l.Raw)
	switch {
	case p == nil:
		return own
	case p.tells == fact.ClientUp:
		host := r.host
		r.failures = slices.DeleteFunc(r.failures, func(f anyConnectFailure) bool { return f.host == "" || f.host == host })
		fallthrough
	case p.tells == fact.ClientNoUDP, p.tells == fact.ClientMTU: // the tunnel is there all the same
		p.tell(r.in, m, l)
		r.told = true
	default:
		r.failed(func() { p.tell(r.in, m, l) })
	}
	return true
}

// failed keeps an attempt that failed.
func (r *anyConnect) failed(tell func()) {
	r.told = true
	if len(r.failures) >= maxAnyConnectFailures {
		tell()
		return
	}
	r.failures = append(r.failures, anyConnectFailure{r.host, tell})
}

func (r *anyConnect) End() {
	for _, f := range r.failures {
		f.tell()
	}
	if r.bare.Number > 0 {
		r.in.Add(fact.ClientNoCertificate, r.bare.Number, r.bare.Raw, r.bare.Time)
		r.told = true
	}
	if r.seen.Number > 0 && !r.told {
		r.in.Add(fact.ComputerVPN, r.seen.Number, r.seen.Raw, r.seen.Time)
	}
}

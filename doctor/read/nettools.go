package read

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// What people try a network with, as they paste it: ping, nslookup, dig, host, curl, nc and PowerShell's
// Test-NetConnection. documented: their manuals; observed: ping, dig, curl and nc of Debian
var (
	netPhrases = phrasesOf(
		says(`^ping: (?:cannot resolve )?(?P<host>[\w.-]+): (?:Name or service not known|Temporary failure in name resolution|No address associated with hostname|Unknown host)`, fact.CaptureNoName, "reason", "no answer"),
		says(`^Ping request could not find host (?P<host>[\w.-]*\w)\. Please check the name`, fact.CaptureNoName, "reason", "nxdomain"),
		says(`^\*\*\* \S+ can't find (?P<host>[\w.-]+?)\.?: (?P<reason>Non-existent (?:host/)?domain|Server failed|No response from server|Query refused)`, fact.CaptureNoName),
		says(`^Host (?P<host>[\w.-]+?)\.? not found: \d+\((?P<reason>NXDOMAIN|SERVFAIL|REFUSED)\)`, fact.CaptureNoName),
		says(`^curl: \(6\) Could not resolve host: (?P<host>[\w.-]+)`, fact.CaptureNoName, "reason", "no answer"),
		says(`^curl: \(60\) .*(?P<reason>certificate has expired|certificate is not yet valid)`, fact.ClientDistrust),
		says(`^curl: \(60\) .*no alternative certificate subject name matches target host ?name '?(?P<host>[\w.-]+)`, fact.ClientDistrust, "reason", "certificate does not match hostname"),
		says(`^curl: \(35\) .*(?:alert protocol version|unsupported protocol)`, fact.HandshakeFailed, "alert", "protocol version"),
		says(`^curl: \(35\) .*handshake failure`, fact.HandshakeFailed, "alert", "handshake failure"),
		says(`^curl: \(35\) (?P<reason>.*)`, fact.HandshakeFailed),
		says(`^\* +SSL connection using (?P<protocol>TLSv[\d.]+) / (?P<cipher>\S+)`, fact.Handshake),
	)
	pingTo      = compile(`^(?:PING (\S+)|Pinging (\S+)|Sending \d+, \d+-byte ICMP Echos to ([^\s,]+))`)
	pingCount   = compile(`^(?:(\d+) packets transmitted, (\d+) (?:packets )?received|\s*Packets: Sent = (\d+), Received = (\d+),|Success rate is \d+ percent \((\d+)/(\d+)\))`)
	digFor      = compile(`^;; ->>HEADER<<- opcode: QUERY, status: ([A-Z]+),`)
	digQuestion = compile(`^;([\w.-]+?)\.?\s+IN\s+(?:A|AAAA)$`)
	digAsked    = compile(`^; <<>> DiG \S+ <<>> .*?([\w-]+(?:\.[\w-]+)+)`)
	digFails    = compile(`^\*\* server can't find ([\w.-]+?)\.?: (NXDOMAIN|SERVFAIL|REFUSED)`)
	digFound    = compile(`^Name:\s+([\w.-]+?)\.?$`)
	digSilent   = compile(`^;; (?:connection timed out; )?no servers could be reached`)
	curlTries   = compile(`^\* +connect to (\S+) port (\d+) .*failed: (.*)$`)
	curlFails   = compile(`^curl: \((?:7|28)\) (?:Failed to connect to (\S+) port (\d+)[^:]*(?:: (.*))?|Connection timed out after.*)$`)
	curlAsks    = compile(`\bcurl\b.* '?"?(https?)://([\w.-]+)(?::(\d+))?`)
	lookupAsks  = compile(`(?:^|[$#>] ?)nslookup ([\w-]+(?:\.[\w-]+)+)`)
	curlTalks   = compile(`^\* Connected to (\S+) \(\S+\) port (\d+)`)
	ncFails     = compile(`^nc[\w.]*: connect to (\S+)(?: \((\S+)\))? port (\d+) \(tcp\) failed: (.*)$`)
	ncTalks     = compile(`^Connection to (\S+)(?: \(\S+\))? (\d+) port \[tcp/\S+\] succeeded!`)
	testHost    = compile(`^ComputerName\s+: (\S+)$`)
	testPort    = compile(`^RemotePort\s+: (\d+)$`)
	testResult  = compile(`^TcpTestSucceeded\s+: (True|False)$`)
)

var _ = recognise(Recogniser{
	Format: "ping, dig, nslookup, curl or nc",
	Marks: []string{
		"ping: ", "ping ", "pinging ", "icmp echos to", "packets transmitted", "packets: sent", "success rate is", "server can't find", "can't find ", "name:", "nslookup ", "curl ", "not found: ", "curl: (",
		"ssl connection using", "->>header<<-", "<<>> dig", "servers could be reached", "connect to ", "connected to ", "port [tcp/", "computername ", "remoteport ",
		"tcptestsucceeded",
	},
	New: func(in *fact.Input) Reader { return &netTools{in: in} },
})

type netTools struct {
	in   *fact.Input
	ping string // the host that is pinged
	// status is what a name server answered to dig, until its question follows, and asked what the command asks for.
	status, asked string
	statusLine    Line
	found         string // the name whose address nslookup has told
	tried         string // why curl's last try failed
	to, toPort    string // where curl is told to go
	host, port    string // of Test-NetConnection
}

func (r *netTools) Line(l Line) bool {
	text := strings.TrimRight(l.Text, " ")
	if p, m := netPhrases.of(text); p != nil {
		var more []string
		switch {
		case !strings.HasPrefix(text, "curl: ") || r.to == "":
		case p.tells == fact.ClientDistrust:
			more = []string{"host", r.to}
		case p.tells == fact.HandshakeFailed:
			more = []string{"server", joinHost(r.to, r.toPort)}
		}
		p.tell(r.in, m, l, more...)
		return true
	}
	return r.pinged(text, l) || r.named(text, l) || r.connected(text, l)
}

// pinged reads ping of Linux, BSD, Windows and Cisco.
func (r *netTools) pinged(text string, l Line) bool {
	if m := pingTo.FindStringSubmatch(text); m != nil {
		r.ping = strings.Trim(m[1]+m[2]+m[3], ":")
		return true
	}
	m := pingCount.FindStringSubmatch(text)
	if m == nil || r.ping == "" {
		return false
	}
	sent, _ := strconv.Atoi(m[1] + m[3] + m[6])
	received, _ := strconv.Atoi(m[2] + m[4] + m[5])
	switch {
	case received > 0:
		r.in.Add(fact.NetAnswers, l.Number, l.Raw, l.Time, "host", r.ping, "by", "ping")
	case sent > 0:
		r.in.Add(fact.NetNoPing, l.Number, l.Raw, l.Time, "host", r.ping)
	}
	r.ping = ""
	return true
}

// named reads dig, whose status stands before the question that it is about.
func (r *netTools) named(text string, l Line) bool {
	for _, asks := range []*pattern{digAsked, lookupAsks} {
		if m := asks.FindStringSubmatch(text); m != nil {
			r.asked, r.found = m[1], ""
			return true
		}
	}
	if m := digFound.FindStringSubmatch(text); m != nil {
		r.found = m[1]
		return true
	}
	if m := digFails.FindStringSubmatch(text); m != nil {
		if r.found != m[1] { // it asks for IPv6, too, which many names do not have
			r.in.Add(fact.CaptureNoName, l.Number, l.Raw, l.Time, "host", m[1], "reason", strings.ToLower(m[2]))
		}
		return true
	}
	if digSilent.MatchString(text) && r.asked != "" {
		r.in.Add(fact.CaptureNoName, l.Number, l.Raw, l.Time, "host", r.asked, "reason", "no answer")
		return true
	}
	if m := digFor.FindStringSubmatch(text); m != nil {
		r.status, r.statusLine = m[1], l
		return true
	}
	m := digQuestion.FindStringSubmatch(text)
	if m == nil || r.status == "" {
		return false
	}
	if r.status == "NXDOMAIN" || r.status == "SERVFAIL" || r.status == "REFUSED" {
		r.in.Add(fact.CaptureNoName, r.statusLine.Number, r.statusLine.Raw, r.statusLine.Time, "host", m[1], "reason", strings.ToLower(r.status))
	}
	r.status = ""
	return true
}

// connected reads curl, nc and Test-NetConnection.
func (r *netTools) connected(text string, l Line) bool {
	if m := curlAsks.FindStringSubmatch(text); m != nil {
		r.to, r.toPort, r.tried = m[2], m[3], ""
		if r.toPort == "" {
			r.toPort = map[string]string{"http": "80", "https": "443"}[m[1]]
		}
		return true
	}
	if m := curlTries.FindStringSubmatch(text); m != nil {
		r.tried = m[3]
		return true
	}
	if m := curlFails.FindStringSubmatch(text); m != nil {
		reason := m[3]
		if r.tried != "" {
			reason = r.tried
		}
		if strings.HasPrefix(text, "curl: (28)") {
			reason = "timed out"
		}
		if m[1] == "" {
			m[1], m[2] = r.to, r.toPort
		}
		r.silent(m[1], m[2], reason, l)
		return true
	}
	if m := ncFails.FindStringSubmatch(text); m != nil {
		r.silent(m[1], m[3], m[4], l)
		return true
	}
	if m := curlTalks.FindStringSubmatch(text); m != nil {
		r.in.Add(fact.NetAnswers, l.Number, l.Raw, l.Time, "host", m[1], "by", "tcp", "port", m[2])
		return true
	}
	if m := ncTalks.FindStringSubmatch(text); m != nil {
		r.in.Add(fact.NetAnswers, l.Number, l.Raw, l.Time, "host", m[1], "by", "tcp", "port", m[2])
		return true
	}
	if m := testHost.FindStringSubmatch(text); m != nil {
		r.host, r.port = m[1], ""
		return true
	}
	if m := testPort.FindStringSubmatch(text); m != nil {
		r.port = m[1]
		return true
	}
	m := testResult.FindStringSubmatch(text)
	switch {
	case m == nil || r.host == "":
		return false
	case m[1] == "True":
		r.in.Add(fact.NetAnswers, l.Number, l.Raw, l.Time, pairs("host", r.host, "by", "tcp", "port", r.port)...)
	default:
		r.silent(r.host, r.port, "no connection", l)
	}
	return true
}

// silent tells that nobody answers there, if it is a port that phones use.
func (r *netTools) silent(host, port, reason string, l Line) {
	n, err := strconv.ParseUint(port, 10, 16)
	of := service(uint16(n))
	if err != nil || of == "" || host == "" {
		return
	}
	r.in.Add(fact.CaptureNoAnswer, l.Number, l.Raw, l.Time, "server", joinHost(host, port), "service", of, "by", "tcp", "reason", noAnswerWord(reason))
}

// noAnswerWord brings the words of the system to those of fact.CaptureNoAnswer.
func noAnswerWord(words string) string {
	switch words = strings.ToLower(words); {
	case strings.Contains(words, "refused"):
		return "refused"
	case strings.Contains(words, "unreachable"), strings.Contains(words, "no route"):
		return "unreachable"
	}
	return "timeout"
}

func joinHost(host, port string) string {
	if a, err := netip.ParseAddr(host); err == nil && a.Is6() {
		return "[" + host + "]:" + port
	}
	return host + ":" + port
}

func (r *netTools) End() {}

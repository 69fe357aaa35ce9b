package read

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// tcpdump as it prints: one line a packet. A file of packets tells much more (capture.go); what is read here is who is
// asked and does not answer. observed: tcpdump 4.99
var (
	tcpdumpPacket  = compile(`^(?:\S+ )?\d\d:\d\d:\d\d\.\d+ (?:\S+ +(?:In|Out) +)?IP6? (\S+)\.([\w-]+) > (\S+)\.([\w-]+): (Flags \[([A-Z.]+)\]|UDP)`)
	tcpdumpRefused = compile(`^(?:\S+ )?\d\d:\d\d:\d\d\.\d+ (?:\S+ +(?:In|Out) +)?IP6? \S+ > \S+: ICMP (\S+) (tcp|udp) port ([\w-]+) unreachable`)
)

var _ = recognise(Recogniser{
	Format: "tcpdump's lines",
	Marks:  []string{": flags [", ": udp, ", "listening on ", " unreachable"},
	Alone:  true,
	New:    func(in *fact.Input) Reader { return &tcpdump{in: in, asked: map[string]*tcpdumpFlow{}} },
})

// tcpdumpFlow is one address that asks another one.
type tcpdumpFlow struct {
	first    Line
	server   string
	port     string
	by       string
	times    int
	answered bool
	reset    bool // by a refusal
}

// tcpdumpRefusal is a port that nobody listens on, as far as this line tells.
type tcpdumpRefusal struct {
	Line
	server, port, by string
}

// Bounds: how many flows are followed, and how often somebody asks before it is said that nobody answers.
const (
	maxTCPDumpFlows = 4096
	tcpdumpPatience = 3
)

type tcpdump struct {
	in    *fact.Input
	asked map[string]*tcpdumpFlow
	order []string

	refused []tcpdumpRefusal
}

func (r *tcpdump) Line(l Line) bool {
	if m := tcpdumpRefused.FindStringSubmatch(l.Raw); m != nil {
		r.refuses(tcpdumpRefusal{l, m[1], portNumber(m[3]), m[2]})
		return true
	}
	m := tcpdumpPacket.FindStringSubmatch(l.Raw)
	if m == nil {
		return strings.HasPrefix(l.Raw, "listening on ") && strings.Contains(l.Raw, "link-type ")
	}
	from, to := m[1]+"."+portNumber(m[2]), m[3]+"."+portNumber(m[4])
	if f := r.asked[to+" "+from]; f != nil { // it comes back
		if strings.HasPrefix(m[6], "R") && !f.answered {
			r.refuses(tcpdumpRefusal{l, f.server, f.port, f.by})
			f.reset = true
		}
		f.answered = true
		return true
	}
	by := "udp"
	if m[6] != "" {
		if by = "tcp"; m[6] != "S" {
			return true // it began before
		}
	}
	key := from + " " + to
	f := r.asked[key]
	if f == nil {
		if len(r.asked) >= maxTCPDumpFlows {
			return true
		}
		f = &tcpdumpFlow{first: l, server: m[3], port: portNumber(m[4]), by: by}
		r.asked[key], r.order = f, append(r.order, key)
	}
	f.times++
	return true
}

func (r *tcpdump) refuses(f tcpdumpRefusal) {
	if len(r.refused) < maxTCPDumpFlows {
		r.refused = append(r.refused, f)
	}
}

// portNumber is the number of a port that tcpdump gives a name, where phones use it.
func portNumber(port string) string {
	switch port {
	case "https":
		return "443"
	case "tftp":
		return "69"
	case "sip":
		return "5060"
	case "sip-tls":
		return "5061"
	}
	return port
}

func (r *tcpdump) silent(l Line, host, port, by, reason string) {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || service(uint16(n)) == "" {
		return
	}
	if a, err := netip.ParseAddr(host); err == nil {
		host = a.String()
	}
	r.in.Add(fact.CaptureNoAnswer, l.Number, l.Raw, l.Time, "server", joinHost(host, port), "service", service(uint16(n)), "by", by, "reason", reason)
}

// End tells of who was asked in vain. Datagrams that stay without an answer to a gateway that is connected by TCP are
// DTLS that does not come through.
func (r *tcpdump) End() {
	talks := map[string]bool{} // by server and port of TCP
	for _, f := range r.asked {
		if f.answered && !f.reset && f.by == "tcp" {
			talks[joinHost(f.server, f.port)] = true
		}
	}
	for _, f := range r.refused {
		switch there := talks[joinHost(f.server, f.port)]; {
		case f.by == "udp" && f.port == "443":
			r.in.Add(fact.CaptureNoUDP, f.Number, f.Raw, f.Time, "server", joinHost(f.server, f.port), "reason", "refused")
		case !there: // who took another connection was not ready, or is gone on purpose
			r.silent(f.Line, f.server, f.port, f.by, "refused")
		}
	}
	for _, key := range r.order {
		f := r.asked[key]
		switch {
		case f.answered || f.times < tcpdumpPatience:
		case f.by == "tcp" && talks[joinHost(f.server, f.port)]:
		case f.by == "tcp":
			r.silent(f.first, f.server, f.port, f.by, "timeout")
		case f.port == "443" && talks[joinHost(f.server, f.port)]:
			r.in.Add(fact.CaptureNoUDP, f.first.Number, f.first.Raw, f.first.Time, "server", joinHost(f.server, f.port), "reason", "no answer")
		}
	}
}

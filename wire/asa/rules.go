package asa

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
)

// ConfiguredList is an access list of a configuration.
type ConfiguredList struct {
	Line    int
	Name    string
	Entries []ConfiguredEntry
}

// ConfiguredEntry is one line of it, with the groups that it names written out.
type ConfiguredEntry struct {
	Line     int
	Action   string
	Standard bool         // of addresses alone
	Rules    []AccessLine // none of an entry that is switched off
	Why      string       // what of it cannot be read; Rules are empty then
	From     *Command
}

// List returns an access list by name, or nil.
func (s *Settings) List(name string) *ConfiguredList {
	for _, l := range s.Lists {
		if l.Name == name {
			return l
		}
	}
	return nil
}

// list reads one line of an access list. Remarks say nothing.
func (r *settingsReader) list(c *Command) {
	l := r.s.List(c.Words[1])
	if l == nil {
		l = &ConfiguredList{Line: c.Line, Name: c.Words[1]}
		r.s.Lists = append(r.s.Lists, l)
	}
	words := c.Words[2:]
	if len(words) > 2 && words[0] == "line" {
		words = words[2:]
	}
	if words[0] == "remark" {
		return
	}
	kind := "extended"
	if words[0] == "extended" || words[0] == "standard" || words[0] == "webtype" || words[0] == "ethertype" {
		kind, words = words[0], words[1:]
	}
	e := ConfiguredEntry{Line: c.Line, Standard: kind == "standard", From: c}
	p := &entryParser{words: words, names: r.names}
	e.Action = p.next()
	switch {
	case e.Action != "permit" && e.Action != "deny":
		p.fail("neither permits nor denies")
	case kind == "standard":
		p.standard()
	case kind == "extended":
		p.extended()
	default:
		p.fail("is of the kind %s, which has no like here", kind)
	}
	e.Rules, e.Why = p.rules(e.Action)
	l.Entries = append(l.Entries, e)
}

type entryParser struct {
	words []string
	names *namedThings
	why   string
	off   bool // inactive

	protocols []string
	from, to  []netip.Prefix // one that is not valid: any
	services  []service      // none: all ports
}

// service is what traffic is for: a protocol where the entry has none of its own, ports, or a type of ICMP.
type service struct {
	protocol  string
	low, high uint16 // both zero: all
	icmpType  string
}

func (p *entryParser) fail(says string, args ...any) {
	if p.why == "" {
		p.why = fmt.Sprintf(says, args...)
	}
}

func (p *entryParser) next() string {
	if len(p.words) == 0 {
		p.fail("ends too early")
		return ""
	}
	word := p.words[0]
	p.words = p.words[1:]
	return word
}

func (p *entryParser) peek() string {
	if len(p.words) == 0 {
		return ""
	}
	return p.words[0]
}

func (p *entryParser) standard() {
	p.protocols, p.from = []string{"ip"}, []netip.Prefix{{}}
	p.to = p.network()
	p.options()
}

func (p *entryParser) extended() {
	p.protocol()
	p.from = p.network()
	if p.hasPorts() {
		p.fail("names source ports, which have no like here")
	}
	p.to = p.network()
	p.ports()
	p.options()
}

func (p *entryParser) protocol() {
	switch word := p.next(); word {
	case "object", "object-group":
		name := p.next()
		if members, ok := p.names.protocols[name]; ok {
			for _, m := range members {
				if m.Words[0] == "protocol-object" && len(m.Words) > 1 {
					p.protocols = append(p.protocols, protocolOf(m.Words[1]))
				}
			}
			return
		}
		p.namedService(name, "", 0)
	default:
		p.protocols = []string{protocolOf(word)}
	}
	for _, protocol := range p.protocols {
		p.known(protocol)
	}
}

func (p *entryParser) known(protocol string) {
	if !slices.Contains([]string{"ip", "tcp", "udp", "icmp", "icmp6"}, protocol) {
		p.fail("is about the protocol %q, which has no like here", protocol)
	}
}

// protocolOf returns a protocol by its word.
func protocolOf(word string) string {
	if name, ok := map[string]string{"6": "tcp", "17": "udp", "1": "icmp", "58": "icmp6"}[word]; ok {
		return name
	}
	return word
}

func (p *entryParser) network() []netip.Prefix {
	switch word := p.next(); word {
	case "any", "any4", "any6":
		return []netip.Prefix{{}}
	case "host":
		found, why := p.names.single(p.next())
		p.failIf(why)
		return found
	case "object", "object-group":
		found, why := p.names.network(p.next(), 0)
		p.failIf(why)
		return found
	case "interface", "user", "user-group", "object-group-user", "security-group", "object-group-security":
		p.fail("is about %s, which has no like here", word)
	default:
		if prefix, err := netip.ParsePrefix(word); err == nil {
			return []netip.Prefix{prefix.Masked()}
		}
		mask := p.next()
		if prefix := p.names.prefix(word, mask); prefix.IsValid() {
			return []netip.Prefix{prefix.Masked()}
		}
		p.fail("has the network %s %s, which cannot be read", word, mask)
	}
	return nil
}

func (p *entryParser) failIf(why string) {
	if why != "" {
		p.fail("%s", why)
	}
}

// hasPorts reports whether ports come next, where only a source can have them.
func (p *entryParser) hasPorts() bool {
	switch p.peek() {
	case "eq", "gt", "lt", "neq", "range":
		return true
	case "object-group":
		return len(p.words) > 1 && p.names.services[p.words[1]] != nil
	}
	return false
}

func (p *entryParser) ports() {
	switch word := p.peek(); {
	case p.hasPorts() && word == "object-group":
		p.next()
		p.namedService(p.next(), "", 0)
	case p.hasPorts():
		p.portRange(p.next(), "")
	case len(p.protocols) == 1 && (p.protocols[0] == "icmp" || p.protocols[0] == "icmp6") && word != "" && !option[word]:
		p.services = append(p.services, service{icmpType: p.next()})
	}
}

func (p *entryParser) portRange(operator, protocol string) {
	first := p.port(p.next())
	s := service{protocol: protocol, low: first, high: first}
	switch operator {
	case "eq":
	case "range":
		s.high = p.port(p.next())
	case "gt":
		s.low, s.high = first+1, 65535
	case "lt":
		s.low, s.high = 1, first-1
	case "neq":
		p.services = append(p.services, service{protocol, 1, first - 1, ""})
		s.low, s.high = first+1, 65535
	}
	if s.low > s.high || s.low == 0 {
		p.fail("has ports that cannot be read")
	}
	p.services = append(p.services, s)
}

func (p *entryParser) port(word string) uint16 {
	if n, ok := portNames[word]; ok {
		return n
	}
	n, err := strconv.ParseUint(word, 10, 16)
	if err != nil {
		p.fail("has the port %q, which is not known", word)
	}
	return uint16(n)
}

// namedService takes the members of an object or object-group for services.
func (p *entryParser) namedService(name, protocol string, depth int) {
	s := p.names.services[name]
	if s == nil || depth > 8 {
		p.fail("names %s, which is not declared", name)
		return
	}
	if s.protocol != "" {
		protocol = s.protocol
	}
	for _, c := range s.lines {
		p.serviceMember(c.Words, protocol, depth)
		if len(p.services) > maxExpansion {
			p.fail("names %s, which is too large", name)
			return
		}
	}
}

func (p *entryParser) serviceMember(w []string, protocol string, depth int) {
	inner := &entryParser{words: w[1:], names: p.names}
	switch w[0] {
	case "description":
		return
	case "group-object":
		p.namedService(inner.next(), protocol, depth+1)
	case "icmp-object":
		inner.services = append(inner.services, service{protocol: "icmp", icmpType: inner.next()})
	case "port-object":
		inner.portRange(inner.next(), protocol)
	case "service-object", "service":
		inner.serviceObject(depth)
	default:
		p.fail("names a service by %q, which has no like here", w[0])
	}
	p.failIf(inner.why)
	for _, s := range inner.services {
		p.services = append(p.services, split(s)...)
	}
}

// split makes two of tcp-udp.
func split(s service) []service {
	if s.protocol != "tcp-udp" {
		return []service{s}
	}
	tcp, udp := s, s
	tcp.protocol, udp.protocol = "tcp", "udp"
	return []service{tcp, udp}
}

// serviceObject reads what follows service-object: object NAME, or a protocol with ports.
func (p *entryParser) serviceObject(depth int) {
	protocol := protocolOf(p.next())
	if protocol == "object" {
		p.namedService(p.next(), "", depth+1)
		return
	}
	if protocol != "tcp-udp" {
		p.known(protocol)
	}
	switch word := p.peek(); word {
	case "":
		p.services = append(p.services, service{protocol: protocol})
	case "destination":
		p.next()
		p.portRange(p.next(), protocol)
	case "source":
		p.fail("names source ports, which have no like here")
	default:
		if protocol == "icmp" || protocol == "icmp6" {
			p.services = append(p.services, service{protocol: protocol, icmpType: p.next()})
			return
		}
		p.portRange(p.next(), protocol)
	}
	if len(p.words) > 0 {
		p.fail("has the service %v, which cannot be read", p.words)
	}
}

// option are words that may stand at the end of an entry.
var option = wordSet("log inactive time-range")

func (p *entryParser) options() {
	for len(p.words) > 0 && p.why == "" {
		switch word := p.next(); word {
		case "log":
			p.words = slices.DeleteFunc(p.words, func(w string) bool { return w != "inactive" && w != "time-range" && !isTimeName(p.words, w) })
		case "inactive":
			p.off = true
		case "time-range":
			p.fail("counts at some times only")
		default:
			p.fail("ends with %q, which is not known here", word)
		}
	}
}

// isTimeName reports whether w is what follows time-range.
func isTimeName(words []string, w string) bool {
	i := slices.Index(words, "time-range")
	return i >= 0 && i+1 < len(words) && words[i+1] == w
}

// rules writes the entry out.
func (p *entryParser) rules(action string) (all []AccessLine, why string) {
	if p.why != "" || p.off {
		return nil, p.why
	}
	services, protocols := p.services, p.protocols
	if len(services) == 0 {
		services = []service{{}}
	}
	if len(protocols) == 0 {
		protocols = []string{""}
	}
	if len(protocols)*len(p.from)*len(p.to)*len(services) > maxExpansion {
		return nil, "stands for too many rules"
	}
	for _, protocol := range protocols {
		for _, s := range services {
			for _, from := range p.from {
				for _, to := range p.to {
					line := AccessLine{Action: action, Protocol: protocol, From: from, To: to, Low: s.low, High: s.high, ICMPType: s.icmpType}
					if line.Protocol == "" || s.protocol != "" {
						line.Protocol = s.protocol
					}
					all = append(all, line)
				}
			}
		}
	}
	return all, ""
}

// portNames are the ASA's words for ports.
var portNames = map[string]uint16{
	"aol": 5190, "bgp": 179, "biff": 512, "bootpc": 68, "bootps": 67, "chargen": 19, "cifs": 3020, "citrix-ica": 1494, "cmd": 514,
	"ctiqbe": 2748, "daytime": 13, "discard": 9, "dnsix": 195, "domain": 53, "echo": 7, "exec": 512, "finger": 79, "ftp": 21,
	"ftp-data": 20, "gopher": 70, "h323": 1720, "hostname": 101, "http": 80, "https": 443, "ident": 113, "imap4": 143, "irc": 194,
	"isakmp": 500, "kerberos": 88, "klogin": 543, "kshell": 544, "ldap": 389, "ldaps": 636, "login": 513, "lotusnotes": 1352, "lpd": 515,
	"mobile-ip": 434, "nameserver": 42, "netbios-dgm": 138, "netbios-ns": 137, "netbios-ssn": 139, "nfs": 2049, "nntp": 119, "ntp": 123,
	"pcanywhere-data": 5631, "pcanywhere-status": 5632, "pim-auto-rp": 496, "pop2": 109, "pop3": 110, "pptp": 1723, "radius": 1645,
	"radius-acct": 1646, "rip": 520, "rsh": 514, "rtsp": 554, "secureid-udp": 5510, "sip": 5060, "smtp": 25, "snmp": 161,
	"snmptrap": 162, "sqlnet": 1521, "ssh": 22, "sunrpc": 111, "syslog": 514, "tacacs": 49, "talk": 517, "telnet": 23, "tftp": 69,
	"time": 37, "uucp": 540, "vxlan": 4789, "who": 513, "whois": 43, "www": 80, "xdmcp": 177,
}

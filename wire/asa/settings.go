package asa

import (
	"fmt"
	"net/netip"
	"strings"
)

// Settings is what of a configuration concerns VPN sessions. Every part knows its line.
type Settings struct {
	Version     string // such as 9.8(2)
	Hostname    string
	Domain      string
	Interfaces  []Interface
	Pools       []Pool
	Lists       []*ConfiguredList
	Policies    []*Block // group-policy
	Groups      []*Block // tunnel-group; Words is the type
	Users       []*Block // username; Words is what follows the name
	Servers     []*ServerGroup
	Maps        []*Block // ldap attribute-map
	Trustpoints []*Trustpoint
	WebVPN      []Attribute
	Global      []Attribute // commands of one line that bear on VPN: ssl, sysopt, same-security-traffic, tunnel-group-map, routes that say tunneled

	Problems []Problem  // what is meant for VPN and cannot be read
	Others   []*Command // what is about other things, or not known here

	of    *Configuration
	names *namedThings
}

// Problem is a line that cannot be read.
type Problem struct {
	Line int
	Says string
}

// Attribute is one setting.
type Attribute struct {
	Line  int
	Mode  string // the command that it is under: webvpn, general-attributes…; empty: directly
	Words []string
	From  *Command
}

// Block is a named thing with attributes, which may stand in several places of a configuration.
type Block struct {
	Line       int // where it is first named
	Name       string
	Words      []string
	Attributes []Attribute
}

// Get returns the words that follow a setting, the last one if it stands several times, and whether it is
// there. `no` before a setting counts as another setting.
func (b *Block) Get(mode string, words ...string) (rest []string, found bool) {
	return get(b.Attributes, mode, words)
}

func get(attributes []Attribute, mode string, words []string) (rest []string, found bool) {
	for _, a := range attributes {
		if a.Mode == mode && len(a.Words) >= len(words) && strings.Join(a.Words[:len(words)], " ") == strings.Join(words, " ") {
			rest, found = a.Words[len(words):], true
		}
	}
	return rest, found
}

// Get returns the words that follow a setting of webvpn.
func (s *Settings) Get(words ...string) (rest []string, found bool) { return get(s.WebVPN, "", words) }

// Interface is an interface with a name.
type Interface struct {
	Line    int
	Name    string       // nameif: outside, inside
	Address netip.Prefix // not valid: none, or by DHCP
}

// Pool is a range of addresses for sessions.
type Pool struct {
	Line        int
	Name        string
	First, Last netip.Addr
	Network     netip.Prefix // by its mask; not valid: no mask
	From        *Command
}

// ServerGroup is an aaa-server with its hosts.
type ServerGroup struct {
	Line       int
	Name       string
	Protocol   string
	Attributes []Attribute
	Hosts      []*Block // Name is the host, Words the interface
}

// Settings sorts a configuration.
func (c *Configuration) Settings() *Settings {
	names := collectNames(c)
	r := &settingsReader{s: &Settings{of: c, names: names}, names: names}
	for _, command := range c.Commands {
		if !r.command(command) {
			r.s.Others = append(r.s.Others, command)
		}
	}
	return r.s
}

type settingsReader struct {
	s     *Settings
	names *namedThings
}

func (r *settingsReader) refuse(line int, says string, args ...any) {
	r.s.Problems = append(r.s.Problems, Problem{line, fmt.Sprintf(says, args...)})
}

// command takes what it knows, and reports whether it did.
func (r *settingsReader) command(c *Command) bool {
	w := c.Words
	switch {
	case c.Starts("ASA", "Version") && len(w) > 2:
		r.s.Version = strings.Trim(w[2], "<>")
	case w[0] == "hostname" && len(w) > 1:
		r.s.Hostname = w[1]
	case w[0] == "domain-name" && len(w) > 1:
		r.s.Domain = w[1]
	case w[0] == "interface":
		return r.networkInterface(c)
	case c.Starts("ip", "local", "pool"):
		r.pool(c)
	case w[0] == "access-list" && len(w) > 2:
		r.list(c)
	case w[0] == "group-policy" && len(w) > 2:
		r.block(&r.s.Policies, c, w[1], w[2:])
	case w[0] == "tunnel-group" && len(w) > 2:
		r.block(&r.s.Groups, c, w[1], w[2:])
	case w[0] == "username" && len(w) > 2:
		r.block(&r.s.Users, c, w[1], w[2:])
	case w[0] == "aaa-server" && len(w) > 2:
		r.server(c)
	case c.Starts("ldap", "attribute-map") && len(w) > 2:
		r.block(&r.s.Maps, c, w[2], w[:1])
	case c.Starts("crypto", "ca", "trustpoint") && len(w) > 3:
		r.trustpoint(w[3]).declare(c)
	case c.Starts("crypto", "ca", "certificate", "chain") && len(w) > 4:
		r.chain(c)
	case w[0] == "webvpn" && len(w) == 1:
		r.s.WebVPN = append(r.s.WebVPN, attributes(c, "")...)
	case r.names.about(c), ignored[w[0]]:
	case global[w[0]], w[0] == "route" && w[len(w)-1] == "tunneled":
		r.s.Global = append(r.s.Global, Attribute{Line: c.Line, Words: w, From: c})
	default:
		return false
	}
	return true
}

var (
	// global begin commands of one line that bear on VPN.
	global = wordSet("ssl sysopt same-security-traffic tunnel-group-map dynamic-access-policy-record vpn-sessiondb")
	// ignored begin lines that say nothing by themselves.
	ignored = wordSet("names")
)

func attributes(c *Command, mode string) (all []Attribute) {
	for _, below := range c.Below {
		if len(below.Below) == 0 {
			all = append(all, Attribute{Line: below.Line, Mode: mode, Words: below.Words, From: below})
			continue
		}
		all = append(all, attributes(below, strings.Join(below.Words, " "))...)
	}
	return all
}

// block finds or makes a block by name and takes what c says of it.
func (r *settingsReader) block(all *[]*Block, c *Command, name string, words []string) {
	b := blockCalled(*all, name)
	if b == nil {
		b = &Block{Line: c.Line, Name: name}
		*all = append(*all, b)
	}
	mode := ""
	switch last := words[len(words)-1]; {
	case strings.HasSuffix(last, "-attributes"):
		mode = last
	case last == "attributes" || words[0] == "ldap":
	default:
		b.Words = words
	}
	b.Attributes = append(b.Attributes, attributes(c, mode)...)
}

func blockCalled(all []*Block, name string) *Block {
	for _, b := range all {
		if b.Name == name {
			return b
		}
	}
	return nil
}

// Policy returns a group policy by name, or nil.
func (s *Settings) Policy(name string) *Block { return blockCalled(s.Policies, name) }

// AttributeMap returns an LDAP attribute map by name, or nil.
func (s *Settings) AttributeMap(name string) *Block { return blockCalled(s.Maps, name) }

func (r *settingsReader) networkInterface(c *Command) bool {
	i := Interface{Line: c.Line}
	for _, below := range c.Below {
		switch {
		case below.Starts("nameif") && len(below.Words) > 1:
			i.Name = below.Words[1]
		case below.Starts("ip", "address") && len(below.Words) > 3:
			i.Address = r.names.prefix(below.Words[2], below.Words[3])
		}
	}
	if i.Name == "" {
		return false
	}
	r.s.Interfaces = append(r.s.Interfaces, i)
	return true
}

func (r *settingsReader) pool(c *Command) {
	w := c.Words[3:]
	if len(w) < 2 {
		r.refuse(c.Line, "the address pool has no range")
		return
	}
	p := Pool{Line: c.Line, Name: w[0], From: c}
	first, last, isRange := strings.Cut(w[1], "-")
	if !isRange {
		last = first
	}
	p.First, p.Last = r.names.address(first), r.names.address(last)
	if !p.First.Is4() || !p.Last.Is4() || p.Last.Less(p.First) {
		r.refuse(c.Line, "%q is no range of addresses", w[1])
		return
	}
	if len(w) > 3 && w[2] == "mask" {
		p.Network = r.names.prefix(first, w[3]).Masked()
	}
	r.s.Pools = append(r.s.Pools, p)
}

func (r *settingsReader) server(c *Command) {
	group := r.serverGroup(c)
	w := c.Words[2:]
	if w[0] == "protocol" && len(w) > 1 {
		group.Protocol = w[1]
		group.Attributes = append(group.Attributes, attributes(c, "")...)
		return
	}
	at := ""
	if strings.HasPrefix(w[0], "(") {
		at, w = strings.Trim(w[0], "()"), w[1:]
	}
	if len(w) < 2 || w[0] != "host" {
		group.Attributes = append(group.Attributes, Attribute{Line: c.Line, Words: w, From: c})
		return
	}
	host := &Block{Line: c.Line, Name: r.names.hostOrName(w[1]), Words: []string{at}, Attributes: attributes(c, "")}
	if len(w) > 2 { // the key may stand behind the host
		host.Attributes = append(host.Attributes, Attribute{Line: c.Line, Words: append([]string{"key"}, w[2]), From: c})
	}
	group.Hosts = append(group.Hosts, host)
}

func (r *settingsReader) serverGroup(c *Command) *ServerGroup {
	for _, g := range r.s.Servers {
		if g.Name == c.Words[1] {
			return g
		}
	}
	g := &ServerGroup{Line: c.Line, Name: c.Words[1]}
	r.s.Servers = append(r.s.Servers, g)
	return g
}

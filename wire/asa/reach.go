package asa

import (
	"net/netip"
	"strings"
)

// Reach is what of a configuration decides which way packets of sessions go.
type Reach struct {
	Routes       []Route
	Translations []Translation
	Ranges       []Range
	Dynamic      bool // a routing protocol runs, so routes are not all told
}

// Route is a static route.
type Route struct {
	Line      int
	Interface string
	Network   netip.Prefix
	Via       string
	Tunneled  bool // for packets out of sessions alone
	From      *Command
}

// TranslationKind is what a rule does with addresses.
type TranslationKind string

// The kinds of rules.
const (
	Exempt  TranslationKind = "exempt" // addresses stay as they are
	Dynamic TranslationKind = "dynamic"
	Static  TranslationKind = "static"
)

// Translation is a rule of address translation, in the syntax before 8.3 or since.
type Translation struct {
	Line        int
	In, Out     string // interfaces; empty or any: all
	Kind        TranslationKind
	Source      []netip.Prefix // before it is translated; none: all
	Destination []netip.Prefix // none: all
	Service     string         // such as tcp/443, of a static one that is for one port of the interface Out
	From        *Command
}

// Range is addresses that something else gives away.
type Range struct {
	Line        int
	First, Last netip.Addr
	What        string
	From        *Command
}

// Reach reads routes, address translation and DHCP of the configuration. What it cannot read it leaves out.
func (s *Settings) Reach() *Reach {
	r := &reachReader{reach: new(Reach), names: s.names, settings: s, outside: map[string]string{}}
	for _, command := range s.of.Commands {
		if command.Words[0] == "global" && len(command.Words) > 2 {
			r.outside[command.Words[2]] = strings.Trim(command.Words[1], "()")
		}
	}
	for _, command := range s.of.Commands {
		r.command(command)
	}
	return r.reach
}

type reachReader struct {
	reach    *Reach
	names    *namedThings
	settings *Settings
	outside  map[string]string // of global: number to interface
}

func (r *reachReader) command(c *Command) {
	w := c.Words
	switch {
	case w[0] == "route" && len(w) > 4:
		if p := r.names.prefix(w[2], w[3]); p.IsValid() {
			r.reach.Routes = append(r.reach.Routes, Route{c.Line, w[1], p.Masked(), w[4], w[len(w)-1] == "tunneled", c})
		}
	case w[0] == "router" || w[0] == "route-map":
		r.reach.Dynamic = true
	case w[0] == "dhcpd" && len(w) > 2 && w[1] == "address":
		first, last, _ := strings.Cut(w[2], "-")
		if f, l := r.names.address(first), r.names.address(last); f.Is4() && l.Is4() {
			r.reach.Ranges = append(r.reach.Ranges, Range{c.Line, f, l, "the ASA's own DHCP server", c})
		}
	case w[0] == "nat" && len(w) > 2 && strings.Contains(w[1], ","):
		r.twice(c)
	case w[0] == "nat" && len(w) > 3:
		r.old(c)
	case w[0] == "static" && len(w) > 3:
		r.oldStatic(c)
	case w[0] == "object" && len(w) > 2 && w[1] == "network":
		for _, below := range c.Below {
			if below.Words[0] == "nat" && len(below.Words) > 2 {
				r.object(below, w[2])
			}
		}
	}
}

func interfaces(word string) (in, out string) {
	in, out, _ = strings.Cut(strings.Trim(word, "()"), ",")
	if in == "any" {
		in = ""
	}
	if out == "any" {
		out = ""
	}
	return in, out
}

// twice reads nat (in,out) source KIND REAL MAPPED destination static MAPPED REAL.
func (r *reachReader) twice(c *Command) {
	t := Translation{Line: c.Line, From: c}
	t.In, t.Out = interfaces(c.Words[1])
	real, mapped, far := "", "", ""
	for i, word := range c.Words {
		rest := c.Words[i+1:]
		switch {
		case word == "source" && len(rest) > 2:
			real, mapped = rest[1], rest[2]
			t.Kind = Static
			if rest[0] == "dynamic" {
				t.Kind = Dynamic
			}
		case word == "destination" && len(rest) > 2:
			far = rest[1]
		}
	}
	if t.Kind == "" {
		return
	}
	if t.Kind == Static && real == mapped {
		t.Kind = Exempt
	}
	var ok, okFar bool
	t.Source, ok = r.members(real)
	t.Destination, okFar = r.members(far)
	if ok && okFar {
		r.reach.Translations = append(r.reach.Translations, t)
	}
}

// members returns the networks of an object; none for any and for nothing.
func (r *reachReader) members(name string) ([]netip.Prefix, bool) {
	if name == "" || name == "any" || name == "any4" {
		return nil, true
	}
	found, why := r.names.network(name, 0)
	return found, why == ""
}

// object reads the nat of an object.
func (r *reachReader) object(c *Command, name string) {
	w := c.Words
	t := Translation{Line: c.Line, Kind: Static, From: c}
	if strings.HasPrefix(w[1], "(") {
		t.In, t.Out = interfaces(w[1])
		w = w[1:]
	}
	if len(w) < 3 {
		return
	}
	if w[1] == "dynamic" {
		t.Kind = Dynamic
	} else if w[2] == name {
		t.Kind = Exempt
	}
	for i, word := range w {
		if word == "service" && len(w) > i+3 {
			t.Service = w[i+1] + "/" + portNumber(w[i+3])
		}
	}
	var ok bool
	if t.Source, ok = r.members(name); ok {
		r.reach.Translations = append(r.reach.Translations, t)
	}
}

func portNumber(word string) string {
	if n, ok := portNames[word]; ok && n == 443 {
		return "443"
	}
	return word
}

// old reads nat (in) NUMBER …, the form before 8.3.
func (r *reachReader) old(c *Command) {
	w := c.Words
	t := Translation{Line: c.Line, In: strings.Trim(w[1], "()"), From: c, Kind: Dynamic}
	if w[2] == "0" {
		t.Kind = Exempt
	} else if out, ok := r.outside[w[2]]; ok {
		t.Out = out
	} else {
		return // without a global it does nothing
	}
	if w[3] != "access-list" {
		if len(w) < 5 {
			return
		}
		if p := r.names.prefix(w[3], w[4]); p.IsValid() && p.Bits() > 0 {
			t.Source = []netip.Prefix{p.Masked()}
		}
		r.reach.Translations = append(r.reach.Translations, t)
		return
	}
	if len(w) < 5 {
		return
	}
	list := r.settings.List(w[4])
	if list == nil {
		return
	}
	for _, entry := range list.Entries {
		for _, rule := range entry.Rules {
			if rule.Action != "permit" {
				continue
			}
			each := t
			each.Source, each.Destination = valid(rule.From), valid(rule.To)
			r.reach.Translations = append(r.reach.Translations, each)
		}
	}
}

func valid(p netip.Prefix) []netip.Prefix {
	if !p.IsValid() {
		return nil
	}
	return []netip.Prefix{p}
}

// oldStatic reads static (in,out) [tcp|udp] MAPPED [PORT] REAL [PORT], the form before 8.3.
func (r *reachReader) oldStatic(c *Command) {
	w := c.Words
	t := Translation{Line: c.Line, Kind: Static, From: c}
	t.In, t.Out = interfaces(w[1])
	real, mapped := w[3], w[2]
	if (w[2] == "tcp" || w[2] == "udp") && len(w) > 5 {
		mapped, real = w[3], w[5]
		if mapped == "interface" {
			t.Service = w[2] + "/" + portNumber(w[4])
		}
	}
	if mapped == real {
		t.Kind = Exempt
	}
	addr := r.names.address(real)
	if !addr.IsValid() {
		return
	}
	t.Source = []netip.Prefix{netip.PrefixFrom(addr, addr.BitLen())}
	for i, word := range w {
		if word == "netmask" && len(w) > i+1 {
			if p := r.names.prefix(real, w[i+1]); p.IsValid() {
				t.Source = []netip.Prefix{p.Masked()}
			}
		}
	}
	r.reach.Translations = append(r.reach.Translations, t)
}

package read

import (
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
)

// What ISC's dhcpd and pools of IOS tell phones of file servers: docs/wire/gateway-logs.md#dhcp-servers.
var (
	dhcpdDefines = compile(`^\s*option ([\w.-]+) code 150 = (array of )?(ip-address|text|string|\{)`)
	dhcpdOption  = compile(`^\s*option ([\w.-]+) ([^=;]+);`)
	poolOption   = compile(`^\s*option (150|66) (ip|ascii) (.+?)\s*$`)
)

var _ = recognise(Recogniser{
	Format: "configuration of a DHCP server", Early: true,
	Marks: []string{"option ", "option-"},
	Alone: true,
	New:   func(in *fact.Input) Reader { return &dhcpConfig{in: in} },
})

type dhcpConfig struct {
	in   *fact.Input
	name string // what dhcpd's configuration calls option 150
	text bool   // it is of letters there
}

func (r *dhcpConfig) Line(l Line) bool {
	if poolLine(r.in, l) {
		return true
	}
	if m := dhcpdDefines.FindStringSubmatch(l.Raw); m != nil {
		r.name, r.text = m[1], m[3] == "text" || m[3] == "string"
		return true
	}
	m := dhcpdOption.FindStringSubmatch(l.Raw)
	switch {
	case m == nil:
		return false
	case m[1] == r.name:
		dhcpNames(r.in, l, "150", r.text, m[2])
	case m[1] == "tftp-server-name":
		dhcpNames(r.in, l, "66", false, m[2])
	default:
		return false
	}
	return true
}

func (r *dhcpConfig) End() {}

// poolLine reads an option of a pool of IOS.
func poolLine(in *fact.Input, l Line) bool {
	m := poolOption.FindStringSubmatch(l.Raw)
	if m == nil {
		return false
	}
	dhcpNames(in, l, m[1], m[1] == "150" && m[2] == "ascii", m[3])
	return true
}

// dhcpNames tells which file servers an option names. Phones read option 150 as addresses of four bytes each.
func dhcpNames(in *fact.Input, l Line, option string, text bool, servers string) {
	if text {
		in.Add(fact.DHCPText, l.Number, l.Raw, time.Time{}, "servers", strings.Trim(servers, `"' `))
		return
	}
	names := strings.FieldsFunc(servers, func(c rune) bool { return c == ',' || c == ' ' || c == '"' || c == '\'' })
	in.Add(fact.DHCPFiles, l.Number, l.Raw, time.Time{}, "option", option, "servers", strings.Join(names, ","))
}

package read

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
)

// What ISC's dhcpd and pools of IOS tell phones of file servers: docs/wire/gateway-logs.md#dhcp-servers.
var (
	dhcpdDefines = compile(`^\s*option ([\w.-]+) code 150 = (array of )?(ip-address|text|string|\{)`)
	dhcpdOption  = compile(`^\s*option ([\w.-]+) ([^=;]+);`)
	// dhcpShown is what Wireshark prints of option 150; figures and points alone in each byte are text, cut into fours.
	dhcpShown  = compile(`^\s*TFTP Server Address: (\d+\.\d+\.\d+\.\d+)\s*$`)
	poolOption = compile(`^\s*option (150|66) (ip|ascii) (.+?)\s*$`)
)

var _ = recognise(Recogniser{
	Format: "configuration of a DHCP server", Follows: true, Early: true,
	Marks: []string{"option ", "option-", "tftp server address: "},
	Alone: true,
	New:   func(in *fact.Input) Reader { return &dhcpConfig{in: in} },
})

// maxServers bounds how many addresses of option 150 are kept of a recording.
const maxServers = 16

type dhcpConfig struct {
	in    *fact.Input
	name  string   // what dhcpd's configuration calls option 150
	text  bool     // it is of letters there
	shown []string // addresses of option 150 in a recording
	at    Line     // where they begin
}

func (r *dhcpConfig) Line(l Line) bool {
	if poolLine(r.in, l) {
		return true
	}
	if m := dhcpShown.FindStringSubmatch(l.Raw); m != nil {
		if a, err := netip.ParseAddr(m[1]); err == nil && a.Is4() && len(r.shown) < maxServers && !slices.Contains(r.shown, m[1]) {
			if len(r.shown) == 0 {
				r.at = l
			}
			r.shown = append(r.shown, m[1])
		}
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

// End tells what a recording shows. Where all bytes are characters of an address, text was cut into fours.
func (r *dhcpConfig) End() {
	if len(r.shown) == 0 {
		return
	}
	var cut []byte
	for _, address := range r.shown {
		four := netip.MustParseAddr(address).As4()
		cut = append(cut, four[:]...)
	}
	if text := string(cut); strings.Trim(text, "0123456789.") == "" {
		dhcpNames(r.in, r.at, "150", true, text)
	} else {
		r.in.Add(fact.DHCPFiles, r.at.Number, r.at.Raw, r.at.Time, "option", "150", "servers", strings.Join(r.shown, ","), "by", "who offered it")
	}
}

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

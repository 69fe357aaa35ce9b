package read

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
)

// dnsmasq's DHCP log (with log-dhcp) and its configuration: docs/wire/gateway-logs.md#dnsmasq.
var (
	dnsmasqDHCP    = compile(`dnsmasq-dhcp(?:\[\d+\])?: (?:(\d+) )?(.*)$`)
	dnsmasqOffer   = compile(`^DHCP(?:OFFER|ACK)\([^)]*\) \S+ ([0-9a-f:]{17})`)
	dnsmasqServer  = compile(`^sent size: +\d+ option: +54 server-identifier +(\S+)`)
	dnsmasqFiles   = compile(`^sent size: +\d+ option: *(150|66) tftp-server\S* +(.+)$`)
	dnsmasqVendor  = compile(`^vendor class: (?:Cisco Systems, Inc\. IP Phone )(CP-\S+)`)
	dnsmasqOption  = compile(`^dhcp-option(?:-force)?=(?:(?:tag|set|encap|vendor):[^,]*,)*(?:option:)?(150|66|tftp-server(?:-address)?|tftp-server-name),(.+)$`)
	dnsmasqNoName  = compile(`\bdnsmasq(?:\[\d+\])?: (?:\d+ \S+ )?(?:reply|config|cached|forwarded) (\S+) is (NXDOMAIN|NODATA-IPv4)`)
	dnsmasqName    = compile(`\bdnsmasq(?:\[\d+\])?: (?:\d+ \S+ )?(?:reply|config|cached|/etc/hosts|DHCP) (\S+) is \d+\.\d+\.\d+\.\d+$`)
	dnsmasqTaken   = compile(`\bfailed to (?:create listening socket for|bind DHCP server socket to?) ?(.*?): Address already in use`)
	dnsmasqSetting = compile(`^(enable-tftp|tftp-root|tftp-secure|tftp-lowercase|tftp-unique-root|dhcp-range|dhcp-boot|log-dhcp|dhcp-leasefile)(?:=(.*))?$`)
)

var _ = recognise(Recogniser{
	Format: "dnsmasq's DHCP log or configuration",
	Marks:  []string{"dnsmasq", "failed to ", "dhcp-", "log-dhcp", "enable-tftp", "tftp-"},
	New:    func(in *fact.Input) Reader { return &dnsmasq{in: in, nameless: map[string]nameless{}} },
})

type dnsmasq struct {
	in     *fact.Input
	mac    string // of the last offer
	server string // who made it
	last   int    // the line of the configuration that was last ours

	nameless map[string]nameless // by host
}

// nameless is a host that has no address, as long as none is told further down.
type nameless struct {
	Line
	host, reason string
}

func (r *dnsmasq) Line(l Line) bool {
	if m := dnsmasqDHCP.FindStringSubmatch(l.Raw); m != nil {
		r.dhcp(m[2], l)
		return true
	}
	if m := dnsmasqNoName.FindStringSubmatch(l.Raw); m != nil {
		if u := (nameless{l, strings.ToLower(m[1]), strings.ToLower(m[2])}); len(r.nameless) < maxAsked {
			r.nameless[u.host] = u
		} else {
			r.tell(u)
		}
		return true
	}
	if m := dnsmasqName.FindStringSubmatch(l.Raw); m != nil { // at last, or of the other family
		delete(r.nameless, strings.ToLower(m[1]))
		return true
	}
	if m := dnsmasqTaken.FindStringSubmatch(l.Raw); m != nil {
		r.in.Add(fact.OcservPortTaken, l.Number, l.Raw, l.Time, "address", strings.TrimSpace(m[1]))
		return true
	}
	text := strings.TrimSpace(l.Raw)
	if m := dnsmasqOption.FindStringSubmatch(text); m != nil {
		option := "150"
		if m[1] == "66" || m[1] == "tftp-server" || m[1] == "tftp-server-name" {
			option = "66"
		}
		r.in.Add(fact.DHCPFiles, l.Number, l.Raw, time.Time{}, "option", option, "servers", strings.ReplaceAll(strings.ReplaceAll(m[2], `"`, ""), " ", ""))
		r.last = l.Number
		return true
	}
	if m := dnsmasqSetting.FindStringSubmatch(text); m != nil {
		r.in.Add(fact.DNSMasqSetting, l.Number, l.Raw, time.Time{}, "key", m[1], "value", m[2])
		r.last = l.Number
		return true
	}
	if r.last > 0 && r.last == l.Number-1 && (text == "" || text[0] == '#' || strings.HasPrefix(text, "dhcp-")) {
		r.last = l.Number
		return true
	}
	return false
}

func (r *dnsmasq) dhcp(message string, l Line) {
	if m := dnsmasqOffer.FindStringSubmatch(message); m != nil {
		r.mac, r.server = m[1], ""
	} else if m := dnsmasqServer.FindStringSubmatch(message); m != nil {
		r.server = m[1]
	} else if m := dnsmasqFiles.FindStringSubmatch(message); m != nil {
		values := []string{"option", m[1], "servers", strings.ReplaceAll(m[2], " ", "")}
		if r.server != "" {
			values = append(values, "by", r.server)
		}
		if r.mac != "" {
			values = append(values, "to", r.mac)
		}
		r.in.Add(fact.DHCPFiles, l.Number, l.Raw, l.Time, values...)
	} else if m := dnsmasqVendor.FindStringSubmatch(message); m != nil {
		r.in.Add(fact.Device, l.Number, l.Raw, l.Time, "model", m[1])
	}
}

func (r *dnsmasq) End() {
	for _, host := range slices.Sorted(maps.Keys(r.nameless)) {
		r.tell(r.nameless[host])
	}
}

func (r *dnsmasq) tell(u nameless) {
	r.in.Add(fact.CaptureNoName, u.Number, u.Raw, u.Time, "host", u.host, "reason", u.reason, "anybody", "true")
}

package read

import (
	"net/netip"

	"github.com/longcord/longcord/doctor/fact"
)

// A list of packets as Wireshark and tshark print it, one line a packet: number, time, from, to, protocol, length, in words.
// What is read is how REGISTER is answered, and which side ends TLS with a call manager. Who asks is not told, so it counts only between private addresses, where phones
// and their call manager are. documented: tshark(1); published lists
var (
	listedPorts = compile(`\s(\d[\d.]+)[\s",]+(?:(?:→|->)[\s",]*)?(\d[\d.]+)[\s",]+TCP[\s",]+\d+[\s",]+(\d+) +(?:→|->|>) +(\d+) \[SYN\]`)
	listedAlert = compile(`\s(\d[\d.]+)[\s",]+(?:(?:→|->)[\s",]*)?(\d[\d.]+)[\s",]+(?:TLSv[\d.]+|SSLv3)[\s",]+\d+[\s",]+Alert \(Level: Fatal, Description: ([^)]+)\)`)
)

var packetListed = compile(`^[\s"]*\d+[\s",]+(?:\d{4}-\d\d-\d\d )?-?[\d:.]+[\s",]+(\d[\d.]+)[\s",]+(?:(?:→|->)[\s",]*)?(\d[\d.]+)[\s",]+SIP(?:/SDP)?[\s",]+\d+[\s",]+(?:Request: ([A-Z]+) |Status: (\d{3}) )`)

var _ = recognise(Recogniser{
	Format: "list of packets",
	Marks:  []string{"request: ", "status: ", " [syn]", "alert (level: fatal"},
	Alone:  true,
	New: func(in *fact.Input) Reader {
		return &packetList{in: in, asks: map[string]string{}, ports: map[string]string{}}
	},
})

type packetList struct {
	in   *fact.Input
	asks map[string]string // what one address asked another one last, by both

	ports map[string]string // to which port one address connected at another one last, by both
}

func (r *packetList) Line(l Line) bool {
	if m := listedPorts.FindStringSubmatch(l.Raw); m != nil {
		if len(r.ports) < maxAsked {
			r.ports[m[1]+" "+m[2]] = m[4]
		}
		return m[4] == portSIPS
	}
	if m := listedAlert.FindStringSubmatch(l.Raw); m != nil {
		return r.alert(m[1], m[2], m[3], l)
	}
	m := packetListed.FindStringSubmatch(l.Raw)
	if m == nil {
		return false
	}
	from, to := m[1], m[2]
	switch {
	case m[3] != "":
		if len(r.asks) < maxAsked {
			r.asks[from+" "+to] = m[3]
		}
	case m[4] >= "200" && r.asks[to+" "+from] == "REGISTER" && isPrivate(from) && isPrivate(to):
		r.in.Add(fact.PhoneRegisterReply, l.Number, l.Raw, l.Time, "status", m[4], "server", from, "line", to)
	}
	return true
}

// portSIPS is where phones register by TLS.
const portSIPS = "5061"

// alert reads who ends TLS with a call manager, and why.
func (r *packetList) alert(from, to, why string, l Line) bool {
	switch {
	case !isPrivate(from) || !isPrivate(to):
		return false
	case r.ports[from+" "+to] == portSIPS:
		r.in.Add(fact.RegistrarTLSFailed, l.Number, l.Raw, l.Time, "server", joinHost(to, portSIPS), "client", from, "by", "client", "alert", why)
	case r.ports[to+" "+from] == portSIPS:
		r.in.Add(fact.RegistrarTLSFailed, l.Number, l.Raw, l.Time, "server", joinHost(from, portSIPS), "client", to, "by", "server", "alert", why)
	default:
		return false
	}
	return true
}

func (r *packetList) End() {}

func isPrivate(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && a.IsPrivate()
}

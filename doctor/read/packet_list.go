package read

import (
	"net/netip"

	"github.com/longcord/longcord/doctor/fact"
)

// A list of packets as Wireshark and tshark print it, one line a packet: number, time, from, to, protocol, length, in words.
// What is read is how REGISTER is answered. Who asks is not told, so it counts only between private addresses, where phones
// and their call manager are. documented: tshark(1); published lists
var packetListed = compile(`^[\s"]*\d+[\s",]+(?:\d{4}-\d\d-\d\d )?-?[\d:.]+[\s",]+(\d[\d.]+)[\s",]+(?:(?:→|->)[\s",]*)?(\d[\d.]+)[\s",]+SIP(?:/SDP)?[\s",]+\d+[\s",]+(?:Request: ([A-Z]+) |Status: (\d{3}) )`)

var _ = recognise(Recogniser{
	Format: "list of packets",
	Marks:  []string{"request: ", "status: "},
	Alone:  true,
	New:    func(in *fact.Input) Reader { return &packetList{in: in, asks: map[string]string{}} },
})

type packetList struct {
	in   *fact.Input
	asks map[string]string // what one address asked another one last, by both
}

func (r *packetList) Line(l Line) bool {
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

func (r *packetList) End() {}

func isPrivate(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && a.IsPrivate()
}

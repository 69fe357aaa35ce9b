package read

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// tshark -z rtp,streams: the streams of voice of a capture, one a line. documented: tshark(1)
var (
	rtpStreams = compile(`^=+ RTP Streams =+$`)
	rtpStream  = compile(`^\s*[\d.]+\s+(?:[\d.]+\s+)?([0-9a-fA-F.:]+)\s+\d+\s+([0-9a-fA-F.:]+)\s+\d+\s+0x[0-9A-Fa-f]+\s+.*?\s(\d+)\s+-?\d+ \(-?[\d.]+%\)`)
)

var _ = recognise(Recogniser{
	Format: "tshark's streams of voice", Early: true,
	Marks: []string{"= rtp streams ="},
	New:   func(in *fact.Input) Reader { return &rtpTable{in: in} },
})

type rtpTable struct {
	in      *fact.Input
	open    bool
	streams []rtpRow
}

type rtpRow struct {
	Line
	from, to netip.Addr
	packets  int
}

// maxStreams bounds how many streams are compared.
const maxStreams = 4096

func (r *rtpTable) Line(l Line) bool {
	switch {
	case rtpStreams.MatchString(l.Text):
		r.open = true
	case !r.open:
		return false
	case strings.HasPrefix(l.Text, "===="):
		r.close()
	case rtpStream.MatchString(l.Text):
		m := rtpStream.FindStringSubmatch(l.Text)
		from, err := netip.ParseAddr(m[1])
		to, err2 := netip.ParseAddr(m[2])
		packets, err3 := strconv.Atoi(m[3])
		if err == nil && err2 == nil && err3 == nil && len(r.streams) < maxStreams {
			r.streams = append(r.streams, rtpRow{l, from, to, packets})
		}
	case !strings.HasPrefix(strings.TrimSpace(l.Text), "Start time"): // it was cut off
		r.open, r.streams = false, nil
		return false
	}
	return true
}

// close tells, of a table that is whole, of voice that nobody answers. Who is called together hears, and says nothing.
func (r *rtpTable) close() {
	heard := map[[2]netip.Addr]bool{}
	for _, s := range r.streams {
		heard[[2]netip.Addr{s.from, s.to}] = true
	}
	for _, s := range r.streams {
		if s.packets >= manyPackets && !s.to.IsMulticast() && !heard[[2]netip.Addr{s.to, s.from}] {
			r.in.Add(fact.CaptureOneWay, s.Number, s.Raw, s.Time, "from", s.from.String(), "to", s.to.String(), "packets", strconv.Itoa(s.packets))
		}
	}
	r.open, r.streams = false, nil
}

func (r *rtpTable) End() {}

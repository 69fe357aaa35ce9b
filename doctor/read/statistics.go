package read

import (
	"strconv"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/wire/sip"
)

// The statistics that phones put into BYE, in traces of SIP as call managers write them: docs/wire/sip.md#statistics.
var _ = recognise(Recogniser{
	Format: "trace of SIP", Marks: []string{"rtp-rxstat", "rtp-txstat"},
	New: func(in *fact.Input) Reader { return &statistics{in: in} },
})

type statistics struct {
	in         *fact.Input
	sent, at   int // packets, and the line that told
	received   int
	receivedAt int
}

// nearby is how many lines apart the two fields of one message stand at most.
const nearby = 4

func (r *statistics) Line(l Line) bool {
	name, value, ok := strings.Cut(strings.TrimSpace(l.Text), ":")
	tx := strings.EqualFold(name, "RTP-TxStat")
	if !ok || !tx && !strings.EqualFold(name, "RTP-RxStat") {
		return false
	}
	stat, err := sip.ParseRTPStat(strings.TrimSpace(value))
	if err != nil {
		return true
	}
	if tx {
		r.sent, r.at = stat.Packets, l.Number
	} else {
		r.received, r.receivedAt = stat.Packets, l.Number
	}
	if r.at > 0 && r.receivedAt > 0 && r.at-r.receivedAt < nearby && r.receivedAt-r.at < nearby {
		r.in.Add(fact.CallStatistics, l.Number, l.Raw, l.Time, "sent", strconv.Itoa(r.sent), "received", strconv.Itoa(r.received))
		r.at, r.receivedAt = 0, 0
	}
	return true
}

func (r *statistics) End() {}

package read

import (
	"strconv"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/wire/sip"
)

// The statistics that phones put into BYE, in traces of SIP as call managers write them, and those that a phone logs after
// a call: docs/wire/sip.md#statistics, docs/wire/phone-logs.md#calls.
var _ = recognise(Recogniser{
	Format: "statistics of calls", Early: true, Marks: []string{"rtp-rxstat", "rtp-txstat", strings.ToLower(ofStatistics)},
	New: func(in *fact.Input) Reader { return &statistics{in: in} },
})

// ofStatistics begins the statistics of one direction in a phone's own log.
const ofStatistics = "ms-MS.statm_print"

var (
	streamBegins = compile(ofStatistics + `(?:De|En)coderStats\[([AV]):`)
	streamCount  = compile(`\[(Rx|Tx) Count=(\d+)\]`)
)

type statistics struct {
	in         *fact.Input
	sent, at   int // packets, and the line that told
	received   int
	receivedAt int
	audio      int // the line that began a phone's own numbers of audio; 0: none did, or they are of video
}

// nearby is how many lines apart the two fields of one message stand at most, or the two directions of a phone's own numbers.
const nearby = 8

func (r *statistics) Line(l Line) bool {
	if m := streamBegins.FindStringSubmatch(l.Raw); m != nil {
		r.audio = 0
		if m[1] == "A" {
			r.audio = l.Number
		}
		r.counted(l)
		return true
	}
	if r.audio > 0 && l.Number-r.audio < nearby && r.counted(l) {
		return true
	}
	name, value, ok := strings.Cut(strings.TrimSpace(l.Text), ":")
	tx := strings.EqualFold(name, "RTP-TxStat")
	if !ok || !tx && !strings.EqualFold(name, "RTP-RxStat") {
		return false
	}
	stat, err := sip.ParseRTPStat(strings.TrimSpace(value))
	if err != nil {
		return true
	}
	r.count(l, tx, stat.Packets)
	return true
}

// counted reads a phone's own number of packets.
func (r *statistics) counted(l Line) bool {
	m := streamCount.FindStringSubmatch(l.Raw)
	if m == nil || r.audio == 0 {
		return false
	}
	packets, err := strconv.Atoi(m[2])
	if err != nil {
		return false
	}
	r.count(l, m[1] == "Tx", packets)
	r.audio = 0
	return true
}

// count takes one direction, and tells both when they stand together.
func (r *statistics) count(l Line, tx bool, packets int) {
	if tx {
		r.sent, r.at = packets, l.Number
	} else {
		r.received, r.receivedAt = packets, l.Number
	}
	if r.at > 0 && r.receivedAt > 0 && r.at-r.receivedAt < nearby && r.receivedAt-r.at < nearby {
		r.in.Add(fact.CallStatistics, l.Number, l.Raw, l.Time, "sent", strconv.Itoa(r.sent), "received", strconv.Itoa(r.received))
		r.at, r.receivedAt = 0, 0
	}
}

func (r *statistics) End() {}

package read

import (
	"strconv"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/wire/sip"
)

// The statistics that phones put into BYE, in traces of SIP as call managers write them, and those that a phone logs after
// a call or shows on its page of a stream: docs/wire/sip.md#statistics, docs/wire/phone-logs.md#calls.
var _ = recognise(Recogniser{
	Format: "statistics of calls", Early: true, Marks: []string{"rtp-rxstat", "rtp-txstat", strings.ToLower(ofStatistics), "packets"},
	New: func(in *fact.Input) Reader { return &statistics{in: in, onPage: -1} },
})

// ofStatistics begins the statistics of one direction in a phone's own log.
const ofStatistics = "ms-MS.statm_print"

var (
	streamBegins = compile(ofStatistics + `(?:De|En)coderStats\[([AV]):`)
	streamCount  = compile(`\[(Rx|Tx) Count=(\d+)\]`)
	pageCount    = compile(`(?i)^[\s<"']*(?:(Sender|Transmit)|Rcvr|Receiver)[ _]?Packets(?:\W*$|\W+(\d{1,9})\b)`)
	aloneCount   = compile(`^[\s<]*(\d{1,9})\s*$`)
)

type statistics struct {
	in         *fact.Input
	sent, at   int // packets, and the line that told
	received   int
	receivedAt int
	label      *bool // of a page's row whose number is to come: whether it is what was sent
	onPage     int   // sent, by a page; -1: it has not said
	audio      int   // the line that began a phone's own numbers of audio; 0: none did, or they are of video
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
	if r.row(l) {
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

// row reads a row of a phone's page of a stream: label and number, on one line or two.
func (r *statistics) row(l Line) bool {
	if r.label != nil {
		sent := *r.label
		if m := aloneCount.FindStringSubmatch(l.Text); m != nil {
			r.label = nil
			r.shown(l, sent, m[1])
			return true
		}
		if strings.TrimSpace(inTags.ReplaceAllString(l.Text, "")) != "" {
			r.label = nil
		}
	}
	m := pageCount.FindStringSubmatch(l.Text)
	if m == nil {
		return false
	}
	sent := m[1] != ""
	if m[2] == "" {
		r.label = &sent
	} else {
		r.shown(l, sent, m[2])
	}
	return true
}

// shown takes a number of a page, on which what was received comes last.
func (r *statistics) shown(l Line, sent bool, number string) {
	packets, err := strconv.Atoi(number)
	switch {
	case err != nil:
	case sent:
		r.onPage = packets
	case r.onPage >= 0:
		r.in.Add(fact.CallStatistics, l.Number, l.Text, l.Time, "sent", strconv.Itoa(r.onPage), "received", number)
		r.onPage = -1
	}
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

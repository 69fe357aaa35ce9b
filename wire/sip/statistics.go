package sip

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Fields in which phones report a call's media, in BYE and in the answer to it. Firmware differs in the
// case of these names (docs/wire/sip.md#statistics).
const (
	RxStat = "RTP-RxStat"
	TxStat = "RTP-TxStat"
)

// RTPStat is one direction of a call's media as a phone counted it.
type RTPStat struct {
	Duration  time.Duration // whole seconds since the stream began
	Packets   int
	Octets    int     // payload without RTP headers
	Late      int     // received too late to be played; only in RxStat
	Lost      int     // without the late ones; only in RxStat
	AvgJitter float64 // milliseconds on newer phones, timestamp units on the oldest; only in RxStat
	Metrics   Params  // VQMetrics or tvqMetrics, names and values as written
}

// ParseRTPStat reads an RxStat or TxStat field. Unknown keys and values that are not numbers are passed
// over, because firmware differs; only a text without any known key is refused.
func ParseRTPStat(text string) (RTPStat, error) {
	var s RTPStat
	known := 0
	for _, part := range splitList(text) {
		key, value, _ := strings.Cut(part, "=")
		value = strings.TrimSpace(value)
		number, _ := strconv.ParseFloat(value, 64)
		whole := int(max(0, min(number, 1<<31)))
		known++
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "dur":
			s.Duration = time.Duration(whole) * time.Second
		case "pkt":
			s.Packets = whole
		case "oct":
			s.Octets = whole
		case "latepkt":
			s.Late = whole
		case "lostpkt":
			s.Lost = whole
		case "avgjit":
			s.AvgJitter = max(0, min(number, 1<<31))
		case "vqmetrics", "tvqmetrics":
			s.Metrics, _ = parseParams(strings.Trim(value, `"`))
		default:
			known--
		}
	}
	if known == 0 {
		return s, fmt.Errorf("sip: %q holds no media statistics", text)
	}
	return s, nil
}

// Received writes s as the value of an RxStat field.
func (s RTPStat) Received() string {
	return fmt.Sprintf("Dur=%d,Pkt=%d,Oct=%d,LatePkt=%d,LostPkt=%d,AvgJit=%s%s", int(s.Duration.Seconds()),
		s.Packets, s.Octets, s.Late, s.Lost, strconv.FormatFloat(s.AvgJitter, 'f', -1, 64), s.metrics("VQMetrics"))
}

// Sent writes s as the value of a TxStat field.
func (s RTPStat) Sent() string {
	return fmt.Sprintf("Dur=%d,Pkt=%d,Oct=%d%s", int(s.Duration.Seconds()), s.Packets, s.Octets, s.metrics("tvqMetrics"))
}

func (s RTPStat) metrics(name string) string {
	if len(s.Metrics) == 0 {
		return ""
	}
	return `,` + name + `="` + strings.TrimPrefix(s.Metrics.String(), ";") + `"`
}

package rtp

import (
	"errors"
	"fmt"
	"time"

	"github.com/pion/rtcp"
)

// Report is one compound RTCP datagram: who speaks, what it has sent, what it has received of others,
// and whether it leaves. Parts we have no use for (APP, XR, feedback) are skipped when read.
type Report struct {
	SSRC   uint32      // of the one who reports
	Sender *SenderInfo // nil: it has sent no media lately (a receiver report)
	Blocks []Block     // at most 31
	CNAME  string      // name that stays when the SSRC changes; up to 255 bytes; may be absent when read
	Bye    bool        // it leaves the session
}

// SenderInfo is what a sender report says about the stream that its SSRC sends.
type SenderInfo struct {
	NTP     uint64 // moment of the report, NTP format, see NTPTime
	RTPTime uint32 // the same moment on the stream's RTP clock
	Packets uint32
	Octets  uint32 // of payload
}

// Block is what a receiver says about one stream, RFC 3550 section 6.4.1.
type Block struct {
	SSRC            uint32 // the stream's source
	FractionLost    uint8  // of the packets expected since the last report, in 1/256
	Lost            int32  // in all; negative when packets were doubled; 24 bits on the wire
	HighestSequence uint32 // wraps in the upper 16 bits
	Jitter          uint32 // in ticks of the RTP clock
	LastReport      uint32 // middle 32 bits of NTP of the last sender report heard; 0: none
	Delay           uint32 // since that report, in 1/65536 s
}

// ParseRTCP reads one RTCP datagram. It refuses one without a sender or receiver report, as RFC 3550
// section 6.1 demands one first.
func ParseRTCP(datagram []byte) (Report, error) {
	packets, err := rtcp.Unmarshal(datagram)
	if err != nil {
		return Report{}, fmt.Errorf("rtcp: %v", err)
	}
	var r Report
	switch first := packets[0].(type) {
	case *rtcp.SenderReport:
		r.SSRC = first.SSRC
		r.Sender = &SenderInfo{NTP: first.NTPTime, RTPTime: first.RTPTime, Packets: first.PacketCount, Octets: first.OctetCount}
		r.Blocks = blocksOf(first.Reports)
	case *rtcp.ReceiverReport:
		r.SSRC, r.Blocks = first.SSRC, blocksOf(first.Reports)
	default:
		return Report{}, fmt.Errorf("rtcp: first packet is of type %d, expected a sender or receiver report", datagram[1])
	}
	for _, packet := range packets[1:] {
		switch p := packet.(type) {
		case *rtcp.SourceDescription:
			r.CNAME = cnameOf(p, r.SSRC)
		case *rtcp.Goodbye:
			r.Bye = true
		}
	}
	return r, nil
}

func cnameOf(d *rtcp.SourceDescription, ssrc uint32) string {
	for _, chunk := range d.Chunks {
		for _, item := range chunk.Items {
			if chunk.Source == ssrc && item.Type == rtcp.SDESCNAME {
				return item.Text
			}
		}
	}
	return ""
}

func blocksOf(reports []rtcp.ReceptionReport) []Block {
	var blocks []Block
	for _, r := range reports {
		blocks = append(blocks, Block{
			SSRC: r.SSRC, FractionLost: r.FractionLost, Lost: int32(r.TotalLost<<8) >> 8,
			HighestSequence: r.LastSequenceNumber, Jitter: r.Jitter, LastReport: r.LastSenderReport, Delay: r.Delay,
		})
	}
	return blocks
}

// AppendBinary appends the report as one compound datagram: SR or RR, SDES, and BYE when it leaves. It
// refuses a report without CNAME, which every compound packet must carry.
func (r Report) AppendBinary(b []byte) ([]byte, error) {
	if r.CNAME == "" {
		return b, errors.New("rtcp: report without a CNAME")
	}
	packets := []rtcp.Packet{r.head(), rtcp.NewCNAMESourceDescription(r.SSRC, r.CNAME)}
	if r.Bye {
		packets = append(packets, &rtcp.Goodbye{Sources: []uint32{r.SSRC}})
	}
	datagram, err := rtcp.Marshal(packets)
	if err != nil {
		return b, fmt.Errorf("rtcp: %v", err)
	}
	return append(b, datagram...), nil
}

func (r Report) head() rtcp.Packet {
	var reports []rtcp.ReceptionReport
	for _, block := range r.Blocks {
		reports = append(reports, rtcp.ReceptionReport{
			SSRC: block.SSRC, FractionLost: block.FractionLost, TotalLost: uint32(block.Lost) & 0xffffff,
			LastSequenceNumber: block.HighestSequence, Jitter: block.Jitter, LastSenderReport: block.LastReport, Delay: block.Delay,
		})
	}
	if r.Sender == nil {
		return &rtcp.ReceiverReport{SSRC: r.SSRC, Reports: reports}
	}
	return &rtcp.SenderReport{
		SSRC: r.SSRC, NTPTime: r.Sender.NTP, RTPTime: r.Sender.RTPTime,
		PacketCount: r.Sender.Packets, OctetCount: r.Sender.Octets, Reports: reports,
	}
}

// String is the report on one line.
func (r Report) String() string {
	s := fmt.Sprintf("rtcp ssrc %08x", r.SSRC)
	if r.Sender != nil {
		s += fmt.Sprintf(" sent %d", r.Sender.Packets)
	}
	for _, b := range r.Blocks {
		s += fmt.Sprintf(" of %08x lost %d (%d/256) jitter %d", b.SSRC, b.Lost, b.FractionLost, b.Jitter)
	}
	if r.Bye {
		s += " bye"
	}
	return s
}

// NTPTime is t as NTP writes it: seconds since 1900 in the upper 32 bits, the fraction in the lower.
func NTPTime(t time.Time) uint64 {
	const from1900 = 2208988800
	fraction := uint64(t.Nanosecond()) << 32 / uint64(time.Second)
	return uint64(t.Unix()+from1900)<<32 | fraction
}

// RoundTrip is how long a report of ours took to the other side and back, from a block that arrives now
// about our stream. It is false when the other side has not heard a report of ours yet, or when the
// clocks give nonsense.
func (b Block) RoundTrip(now time.Time) (time.Duration, bool) {
	if b.LastReport == 0 {
		return 0, false
	}
	ticks := int32(middle(NTPTime(now)) - b.LastReport - b.Delay)
	if ticks < 0 {
		return 0, false
	}
	return time.Duration(ticks) * time.Second >> 16, true
}

func middle(ntp uint64) uint32 { return uint32(ntp >> 16) }

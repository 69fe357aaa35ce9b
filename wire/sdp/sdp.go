// Package sdp reads and writes session descriptions (RFC 4566) of a phone call: where the sound is to be
// sent, which codecs are offered, and whether it flows both ways. Offer and Answer follow RFC 3264 for
// one audio stream with G.711 and telephone events.
//
// Other streams (video) are refused in an answer and not kept. Nothing here changes a description that
// only passes through: that is forwarded byte for byte.
package sdp

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	pion "github.com/pion/sdp/v3"
)

// ContentType is the media type of a description in a SIP body.
const ContentType = "application/sdp"

// Payload types of RFC 3551, and the one phones use for telephone events unless told otherwise.
const (
	PCMU  uint8 = 0
	PCMA  uint8 = 8
	Event uint8 = 101
)

// Direction says which way sound flows, seen from who wrote the description.
type Direction string

// The directions.
const (
	SendRecv Direction = "sendrecv"
	SendOnly Direction = "sendonly"
	RecvOnly Direction = "recvonly"
	Inactive Direction = "inactive"
)

// Codec is one codec of a stream.
type Codec struct {
	PayloadType uint8
	Name        string // as in rtpmap, such as PCMA; empty for a dynamic type without rtpmap
	Rate        int    // RTP clock, Hz
}

// Description is the audio part of a session description.
type Description struct {
	SessionID uint64 // of the origin line; stays for the life of a call
	Version   uint64 // of the origin line; grows with each change
	Media     netip.AddrPort
	Codecs    []Codec // in order of preference; telephone-event is one of them
	PTime     int     // milliseconds of sound in a packet; 0: not said, which means 20
	Direction Direction
	others    []string // media lines of streams we do not take, for the answer
	first     int      // how many of them stand before the audio stream
}

// ErrNoCodec: the two sides share no codec. Answer the call with 488.
var ErrNoCodec = errors.New("sdp: no codec in common")

// codecs we can play, best first.
var codecs = []Codec{{PCMU, "PCMU", 8000}, {PCMA, "PCMA", 8000}}

var telephoneEvent = Codec{Event, "telephone-event", 8000}

// Offer describes a stream that receives at media, with everything we can do.
func Offer(id uint64, media netip.AddrPort) Description {
	return Description{
		SessionID: id, Version: 1, Media: media, PTime: 20, Direction: SendRecv,
		Codecs: append(slices.Clone(codecs), telephoneEvent),
	}
}

// Answer describes our side of an offered stream: its first codec that we know, with its telephone
// events, and the direction that goes with its own. It returns ErrNoCodec when nothing fits.
func (d Description) Answer(id uint64, media netip.AddrPort) (Description, error) {
	codec, err := d.Codec()
	if err != nil {
		return Description{}, err
	}
	a := Description{
		SessionID: id, Version: 1, Media: media, PTime: 20, Codecs: []Codec{codec},
		Direction: d.Direction.reverse(), others: d.others, first: d.first,
	}
	for _, c := range d.Codecs {
		if strings.EqualFold(c.Name, telephoneEvent.Name) && c.Rate == telephoneEvent.Rate {
			a.Codecs = append(a.Codecs, c)
			break
		}
	}
	return a, nil
}

// Codec returns the first codec of the description that we can play, or ErrNoCodec.
func (d Description) Codec() (Codec, error) {
	for _, c := range d.Codecs {
		if slices.ContainsFunc(codecs, func(o Codec) bool { return strings.EqualFold(o.Name, c.Name) && o.Rate == c.Rate }) {
			return c, nil
		}
	}
	return Codec{}, ErrNoCodec
}

func (d Direction) reverse() Direction {
	switch d {
	case SendOnly:
		return RecvOnly
	case RecvOnly:
		return SendOnly
	default:
		return d
	}
}

// Parse reads a description. One without an audio stream over RTP/AVP is refused.
func Parse(body []byte) (Description, error) {
	var s pion.SessionDescription
	if err := s.Unmarshal(body); err != nil {
		return Description{}, fmt.Errorf("sdp: %v", err)
	}
	d := Description{SessionID: s.Origin.SessionID, Version: s.Origin.SessionVersion, Direction: SendRecv}
	var audio *pion.MediaDescription
	for _, m := range s.MediaDescriptions {
		if audio == nil && m.MediaName.Media == "audio" && slices.Equal(m.MediaName.Protos, []string{"RTP", "AVP"}) {
			audio, d.first = m, len(d.others)
			continue
		}
		d.others = append(d.others, refusal(m.MediaName))
	}
	if audio == nil {
		return d, fmt.Errorf("sdp: no audio stream over RTP/AVP")
	}
	connection := audio.ConnectionInformation
	if connection == nil {
		connection = s.ConnectionInformation
	}
	if err := d.readAddress(connection, audio.MediaName.Port.Value); err != nil {
		return d, err
	}
	d.readDirection(s.Attributes)
	d.readDirection(audio.Attributes)
	if v, ok := audio.Attribute("ptime"); ok {
		d.PTime, _ = strconv.Atoi(v)
	}
	return d, d.readCodecs(audio)
}

// refusal is the media line that declines a stream (RFC 3264 section 6): its port is 0.
func refusal(m pion.MediaName) string {
	return fmt.Sprintf("%s 0 %s %s", m.Media, strings.Join(m.Protos, "/"), strings.Join(m.Formats, " "))
}

func (d *Description) readAddress(c *pion.ConnectionInformation, port int) error {
	if c == nil || c.Address == nil {
		return fmt.Errorf("sdp: no connection address")
	}
	address, _, _ := strings.Cut(c.Address.Address, "/")
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return fmt.Errorf("sdp: connection address %q is not an IP address", c.Address.Address)
	}
	if port < 0 || port > 65535 {
		return fmt.Errorf("sdp: port %d exceeds 65535", port)
	}
	d.Media = netip.AddrPortFrom(ip, uint16(port))
	// The way older phones say hold (RFC 2543).
	if ip.IsUnspecified() {
		d.Direction = Inactive
	}
	return nil
}

func (d *Description) readDirection(attributes []pion.Attribute) {
	for _, a := range attributes {
		switch found := Direction(a.Key); found {
		case SendRecv, SendOnly, RecvOnly, Inactive:
			if !d.Media.Addr().IsUnspecified() {
				d.Direction = found
			}
		}
	}
}

func (d *Description) readCodecs(m *pion.MediaDescription) error {
	names := map[uint8]Codec{PCMU: {PCMU, "PCMU", 8000}, PCMA: {PCMA, "PCMA", 8000}, 9: {9, "G722", 8000}, 18: {18, "G729", 8000}}
	for _, a := range m.Attributes {
		if a.Key != "rtpmap" {
			continue
		}
		number, encoding, _ := strings.Cut(a.Value, " ")
		pt, err := strconv.ParseUint(number, 10, 7)
		if err != nil {
			return fmt.Errorf("sdp: rtpmap %q has no payload type", a.Value)
		}
		name, rate, _ := strings.Cut(strings.TrimSpace(encoding), "/")
		rate, _, _ = strings.Cut(rate, "/")
		hz, _ := strconv.Atoi(rate)
		names[uint8(pt)] = Codec{uint8(pt), name, hz}
	}
	for _, format := range m.MediaName.Formats {
		pt, err := strconv.ParseUint(format, 10, 7)
		if err != nil {
			return fmt.Errorf("sdp: payload type %q is not between 0 and 127", format)
		}
		c, ok := names[uint8(pt)]
		if !ok {
			c = Codec{PayloadType: uint8(pt)}
		}
		d.Codecs = append(d.Codecs, c)
	}
	return nil
}

// AppendBinary appends the description in its wire form.
func (d Description) AppendBinary(b []byte) ([]byte, error) {
	if !d.Media.IsValid() {
		return b, fmt.Errorf("sdp: no address to receive at")
	}
	family := "IP4"
	if d.Media.Addr().Is6() {
		family = "IP6"
	}
	ip := d.Media.Addr().String()
	b = fmt.Appendf(b, "v=0\r\no=- %d %d IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n",
		d.SessionID, d.Version, family, ip, family, ip)
	for i, other := range d.others {
		if i == d.first {
			b = d.appendAudio(b)
		}
		b = fmt.Appendf(b, "m=%s\r\n", other)
	}
	if d.first == len(d.others) {
		b = d.appendAudio(b)
	}
	return b, nil
}

func (d Description) appendAudio(b []byte) []byte {
	b = fmt.Appendf(b, "m=audio %d RTP/AVP", d.Media.Port())
	for _, c := range d.Codecs {
		b = fmt.Appendf(b, " %d", c.PayloadType)
	}
	b = append(b, "\r\n"...)
	for _, c := range d.Codecs {
		if c.Name == "" {
			continue
		}
		b = fmt.Appendf(b, "a=rtpmap:%d %s/%d\r\n", c.PayloadType, c.Name, c.Rate)
		if strings.EqualFold(c.Name, telephoneEvent.Name) {
			b = fmt.Appendf(b, "a=fmtp:%d 0-15\r\n", c.PayloadType)
		}
	}
	if d.PTime > 0 {
		b = fmt.Appendf(b, "a=ptime:%d\r\n", d.PTime)
	}
	return fmt.Appendf(b, "a=%s\r\n", d.Direction)
}

// String returns the description on one line.
func (d Description) String() string {
	names := make([]string, len(d.Codecs))
	for i, c := range d.Codecs {
		names[i] = fmt.Sprintf("%d %s", c.PayloadType, c.Name)
	}
	return fmt.Sprintf("audio at %s, %s (%s)", d.Media, strings.Join(names, ", "), d.Direction)
}

package sdp

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func wire(text string) []byte {
	return []byte(strings.ReplaceAll(strings.TrimPrefix(text, "\n"), "\n", "\r\n"))
}

// The shape of an 8841's offer (docs/wire/sip.md#media), with a video stream before the audio.
var phoneOffer = wire(`
v=0
o=Cisco-SIPUA 17025 0 IN IP4 192.0.2.40
s=SIP Call
b=AS:4064
t=0 0
m=video 20000 RTP/AVP 97
c=IN IP4 192.0.2.40
a=rtpmap:97 H264/90000
m=audio 16444 RTP/AVP 0 8 116 18 101
c=IN IP4 192.0.2.40
b=TIAS:64000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:116 iLBC/8000
a=fmtp:116 mode=20
a=rtpmap:18 G729/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=sendrecv
`)

var own = netip.MustParseAddrPort("192.0.2.9:16384")

func mustParse(t *testing.T, body []byte) Description {
	t.Helper()
	d, err := Parse(body)
	if err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	return d
}

func TestOfferBothWays(t *testing.T) {
	t.Parallel()
	offer := Offer(7, own)
	body, err := offer.AppendBinary(nil)
	want := wire(`
v=0
o=- 7 1 IN IP4 192.0.2.9
s=-
c=IN IP4 192.0.2.9
t=0 0
m=audio 16384 RTP/AVP 0 8 101
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
a=sendrecv
`)
	if err != nil || string(body) != string(want) {
		t.Errorf("written as\n%s(%v), want\n%s", body, err, want)
	}
	if got := mustParse(t, body); !reflect.DeepEqual(got, offer) {
		t.Errorf("read back as %+v, want %+v", got, offer)
	}
}

func TestAnswerToPhone(t *testing.T) {
	t.Parallel()
	d := mustParse(t, phoneOffer)
	if d.Media != netip.MustParseAddrPort("192.0.2.40:16444") || len(d.Codecs) != 5 || d.Direction != SendRecv {
		t.Errorf("offer read as %+v", d)
	}
	answer, err := d.Answer(9, own)
	if err != nil {
		t.Fatal(err)
	}
	body, err := answer.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	video, audio := strings.Index(string(body), "m=video 0 RTP/AVP 97"), strings.Index(string(body), "m=audio 16384 RTP/AVP 0 101")
	if video < 0 || audio < video {
		t.Errorf("answer %q, want the video refused before the audio", body)
	}
}

func TestDirections(t *testing.T) {
	t.Parallel()
	for said, want := range map[string][2]Direction{
		"a=sendonly": {SendOnly, RecvOnly}, "a=recvonly": {RecvOnly, SendOnly}, "a=inactive": {Inactive, Inactive}, "a=sendrecv": {SendRecv, SendRecv},
	} {
		d := mustParse(t, []byte(strings.Replace(string(phoneOffer), "a=sendrecv", said, 1)))
		a, err := d.Answer(1, own)
		if err != nil || d.Direction != want[0] || a.Direction != want[1] {
			t.Errorf("%s: read as %s, answered with %s (%v)", said, d.Direction, a.Direction, err)
		}
	}
	held := strings.ReplaceAll(string(phoneOffer), "c=IN IP4 192.0.2.40", "c=IN IP4 0.0.0.0")
	if d := mustParse(t, []byte(held)); d.Direction != Inactive {
		t.Errorf("the older hold is read as %s", d.Direction)
	}
}

func TestNoCodec(t *testing.T) {
	t.Parallel()
	d := mustParse(t, []byte(strings.Replace(string(phoneOffer), "RTP/AVP 0 8 116 18 101", "RTP/AVP 116 18 101", 1)))
	if _, err := d.Answer(1, own); !errors.Is(err, ErrNoCodec) {
		t.Errorf("answered with %v, want %v", err, ErrNoCodec)
	}
	static := mustParse(t, wire("v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 4000 RTP/AVP 8\n"))
	if c, err := static.Codec(); err != nil || c.PayloadType != PCMA {
		t.Errorf("PCMA without rtpmap gives %v (%v)", c, err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(string) string{
		"empty":         func(string) string { return "" },
		"no audio":      func(s string) string { return strings.Replace(s, "m=audio", "m=image", 1) },
		"encrypted":     func(s string) string { return strings.Replace(s, "m=audio 16444 RTP/AVP", "m=audio 16444 RTP/SAVP", 1) },
		"no address":    func(s string) string { return strings.ReplaceAll(s, "c=IN IP4 192.0.2.40\r\n", "") },
		"name":          func(s string) string { return strings.ReplaceAll(s, "c=IN IP4 192.0.2.40", "c=IN IP4 phone") },
		"port":          func(s string) string { return strings.Replace(s, "16444", "166666", 1) },
		"payload type":  func(s string) string { return strings.Replace(s, "0 8 116", "0 8 128", 1) },
		"rtpmap":        func(s string) string { return strings.Replace(s, "rtpmap:116", "rtpmap:x", 1) },
		"negative port": func(s string) string { return strings.Replace(s, "16444", "-1", 1) },
	} {
		if d, err := Parse([]byte(spoil(string(phoneOffer)))); err == nil {
			t.Errorf("%s: taken for %v", name, d)
		}
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for n := range len(phoneOffer) {
		if d, err := Parse(phoneOffer[:n]); err == nil && !d.Media.IsValid() {
			t.Errorf("the first %d bytes give a description without an address", n)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(phoneOffer)
	body, _ := Offer(1, own).AppendBinary(nil)
	f.Add(body)
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse(data)
		if err != nil {
			return
		}
		_ = d.String()
		a, err := d.Answer(1, own)
		if err != nil {
			return
		}
		body, err := a.AppendBinary(nil)
		if err != nil {
			t.Fatalf("answer to %q: %v", data, err)
		}
		if _, err := Parse(body); err != nil {
			t.Fatalf("answer %q to %q cannot be read: %v", body, data, err)
		}
	})
}

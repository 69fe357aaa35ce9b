package cstp

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

var frames = []struct {
	name    string
	hex     string
	kind    Type
	payload string
}{
	{"empty keepalive", "5354460100000700", Keepalive, ""},
	{"dpd request", "5354460100000300", DPDRequest, ""},
	{"data", "5354460100030000616263", Data, "abc"},
	{"user disconnect", "53544601001205 00 b041626f727465642062792063616c6c6572", Disconnect, "\xb0Aborted by caller"},
	{"unknown type", "5354460100012a0078", 42, "x"},
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(string(bytes.ReplaceAll([]byte(s), []byte(" "), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFrames(t *testing.T) {
	t.Parallel()
	var stream []byte
	for _, c := range frames {
		wire := unhex(t, c.hex)
		if got := AppendFrame(nil, c.kind, []byte(c.payload)); !bytes.Equal(got, wire) {
			t.Errorf("%s: wrote %x, want %x", c.name, got, wire)
		}
		stream = append(stream, wire...)
	}
	for name, from := range map[string]io.Reader{
		"whole":         bytes.NewReader(stream),
		"byte by byte":  iotest.OneByteReader(bytes.NewReader(stream)),
		"error at once": iotest.DataErrReader(bytes.NewReader(stream)),
	} {
		r := NewReader(from, 0)
		for _, c := range frames {
			kind, payload, err := r.Next()
			if err != nil || kind != c.kind || string(payload) != c.payload {
				t.Fatalf("%s: %s: read %v %q %v, want %v %q", name, c.name, kind, payload, err, c.kind, c.payload)
			}
		}
		if _, _, err := r.Next(); err != io.EOF {
			t.Errorf("%s: after the last frame: %v, want EOF", name, err)
		}
	}
}

func TestReaderCut(t *testing.T) {
	t.Parallel()
	wire := AppendFrame(nil, Data, []byte("a packet"))
	for n := range wire {
		want := io.ErrUnexpectedEOF
		if n == 0 {
			want = io.EOF
		}
		if _, _, err := NewReader(bytes.NewReader(wire[:n]), 0).Next(); !errors.Is(err, want) {
			t.Errorf("cut at %d: %v, want %v", n, err, want)
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, hex, want string }{
		{"magic", "5354460200000700", "cstp: frame begins with 53 54 46 02, want 53 54 46 01"},
		{"last byte", "5354460100000701", "cstp: frame byte 0x01 at offset 7, want 00"},
		{"length", "535446017d000000", "cstp: frame length 32000 at offset 4 exceeds 16384"},
	} {
		_, _, err := NewReader(bytes.NewReader(unhex(t, c.hex)), 16384).Next()
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func TestReaderLargestFrame(t *testing.T) {
	t.Parallel()
	payload := bytes.Repeat([]byte("x"), MaxPayload)
	stream := AppendFrame(AppendFrame(nil, Data, payload), Keepalive, nil)
	r := NewReader(bytes.NewReader(stream), 0)
	if _, got, err := r.Next(); err != nil || !bytes.Equal(got, payload) {
		t.Fatalf("got %d bytes, %v, want %d", len(got), err, len(payload))
	}
	if kind, _, err := r.Next(); err != nil || kind != Keepalive {
		t.Fatalf("got %v, %v, want the keepalive behind it", kind, err)
	}
}

// endless repeats the same frames for ever.
type endless struct {
	frames []byte
	at     int
}

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, e.frames[e.at:])
	e.at = (e.at + n) % len(e.frames)
	return n, nil
}

func TestReaderDoesNotAllocate(t *testing.T) {
	r := NewReader(&endless{frames: AppendFrame(nil, Data, make([]byte, 200))}, 16384)
	allocs := testing.AllocsPerRun(1000, func() {
		if _, _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations a frame, want none", allocs)
	}
}

func BenchmarkReader(b *testing.B) {
	r := NewReader(&endless{frames: AppendFrame(nil, Data, make([]byte, 200))}, 16384)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := r.Next(); err != nil {
			b.Fatal(err)
		}
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	wire := AppendMessage(nil, DPDRequest, []byte{0x5a, 0x5a})
	if !bytes.Equal(wire, []byte{3, 0x5a, 0x5a}) {
		t.Errorf("wrote % x", wire)
	}
	kind, payload, err := ParseMessage(wire)
	if err != nil || kind != DPDRequest || len(payload) != 2 {
		t.Errorf("read %v % x %v", kind, payload, err)
	}
	if _, _, err := ParseMessage(nil); err == nil {
		t.Error("an empty message was read")
	}
}

func TestFarewell(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		payload string
		want    Farewell
		says    string
	}{
		{"", Farewell{}, "0/EMERGENCY"},
		{"\xb0Aborted by caller", Farewell{UserDisconnect, "Aborted by caller"}, `user disconnect (16/NOTICE): "Aborted by caller"`},
		{"\x91", Farewell{Reason: WillReconnect}, "will reconnect (17/WARNING)"},
		{"\x70x", Farewell{LocalError, "x"}, `local error (16/ERROR): "x"`},
		{"\xd1", Farewell{Reason: Pause}, "pause (17/INFO)"},
	} {
		got := ParseFarewell([]byte(c.payload))
		if got != c.want || got.String() != c.says {
			t.Errorf("%q: got %v %s, want %v %s", c.payload, got, got, c.want, c.says)
		}
		if back, _ := got.AppendBinary(nil); string(back) != c.payload {
			t.Errorf("%q: wrote %q", c.payload, back)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, c := range frames {
		b, _ := hex.DecodeString(string(bytes.ReplaceAll([]byte(c.hex), []byte(" "), nil)))
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := NewReader(bytes.NewReader(stream), 16384)
		var back []byte
		for {
			kind, payload, err := r.Next()
			if err != nil {
				break
			}
			back = AppendFrame(back, kind, payload)
		}
		if !bytes.HasPrefix(stream, back) {
			t.Errorf("read %x, which is not how %x begins", back, stream)
		}
	})
}

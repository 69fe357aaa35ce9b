package sccp

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func appended(t testing.TB, m Message, v Version) []byte {
	t.Helper()
	b, err := Append(nil, m, v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parsed(t testing.TB, b []byte, v Version) Message {
	t.Helper()
	frame, err := Read(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(frame, v)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// all returns every message that has a type, with something in each of its fields.
func all() []Message {
	ids := make([]ID, 0, len(known))
	for id := range known {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var messages []Message
	for _, id := range ids {
		m, n := known[id](), uint64(1)
		fillIn(reflect.ValueOf(m).Elem(), &n)
		messages = append(messages, m)
	}
	return messages
}

func fillIn(v reflect.Value, n *uint64) {
	if v.Type() == reflect.TypeFor[netip.Addr]() {
		v.Set(reflect.ValueOf(netip.AddrFrom4([4]byte{192, 0, 2, byte(*n)})))
		*n++
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("text " + string(rune('a'+*n%26)))
		*n++
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		v.SetUint(*n)
		*n++
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fillIn(v.Index(i), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name == "Address6" {
				v.Field(i).Set(reflect.ValueOf(netip.MustParseAddr("2001:db8::7")))
			} else if name != "empty" {
				fillIn(v.Field(i), n)
			}
		}
	}
}

// The bytes of docs/wire/sccp.md.
func TestBytes(t *testing.T) {
	device := hex.EncodeToString([]byte("SEP001122334455\x00"))
	for name, c := range map[string]struct {
		message Message
		version Version
		bytes   string
	}{
		"keep-alive": {&KeepAliveReq{}, 17, "04000000 00000000 00000000"},
		"register, as old firmware does": {
			&RegisterReq{Device: "SEP001122334455", Instance: 1, Address: netip.MustParseAddr("192.0.2.7"), Type: 7, MaxStreams: 5}, 0, "",
		},
		"granted": {
			&RegisterAck{KeepAlive: 30, DateTemplate: "D.M.Y", Secondary: 60, Version: 17, Features: [3]byte{0x20, 0xf1, 0xff}}, 17,
			"18000000 00000000 81000000 1e000000 442e4d2e59000000 3c000000 11 20f1ff",
		},
		"refused": {
			&RegisterReject{"unknown"}, 0,
			"24000000 00000000 9d000000 756e6b6e6f776e 00000000000000000000000000000000000000000000000000",
		},
		"restart":            {&Reset{RestartPhone}, 11, "08000000 0b000000 9f000000 02000000"},
		"restart, old phone": {&Reset{RestartPhone}, 5, "08000000 00000000 9f000000 02000000"},
		"token": {&RegisterTokenReq{Device: "SEP001122334455", Instance: 1, Address: netip.MustParseAddr("192.0.2.7"), Type: 7}, 0,
			"38000000 00000000 29000000 " + device + " 00000000 01000000 c0000207 07000000" + strings.Repeat("00", 20)},
		"line":                {&DynamicLineStat{1, 15, "1001", "Ann", "Ann"}, 17, "1c000000 11000000 47010000 01000000 0f000000 3130303100 416e6e00 416e6e00 000000"},
		"dynamic prompt":      {&DynamicDisplayPromptStatus{10, 1, 0, "no"}, 20, "14000000 14000000 45010000 0a000000 01000000 00000000 6e6f00 00"},
		"not known, kept":     {&Unknown{0x0155, []byte{1, 2, 3, 4}}, 18, "08000000 12000000 55010000 01020304"},
		"servers have a kind": {&ServerRes{}, 17, ""},
	} {
		got := appended(t, c.message, c.version)
		want, err := hex.DecodeString(strings.ReplaceAll(c.bytes, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if len(want) > 0 && !bytes.Equal(got, want) {
			t.Errorf("%s is\n%x, want\n%x", name, got, want)
		}
		if again := parsed(t, got, c.version); !reflect.DeepEqual(again, c.message) {
			t.Errorf("%s reads as %s", name, again)
		}
	}
}

func TestOldRegister(t *testing.T) {
	whole := &RegisterReq{Device: "SEP001122334455", Instance: 1, Address: netip.MustParseAddr("192.0.2.7"), Type: 7, MaxStreams: 5}
	for _, size := range []int{36, 48, 124, 172} { // what firmware of several ages sends
		whole.Version = 0
		if size >= 48 {
			whole.Version = 5
		}
		if size == 172 {
			whole.Load, whole.Stamp = "SCCP45.9-4-2SR4-3S", "1735689600-6f7c"
		}
		b := appended(t, whole, 0)
		b[0] = byte(size + 4)
		if got := parsed(t, b[:size+12], 0); !reflect.DeepEqual(got, whole) {
			t.Errorf("with %d bytes it reads as %s", size, got)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, v := range versions {
		for _, m := range all() {
			again := parsed(t, appended(t, m, v), v)
			if stop, ok := m.(*StopTone); ok && v < tonedStop {
				stop.Tone = 0
			}
			if !reflect.DeepEqual(again, m) {
				t.Errorf("version %d: %s\nreads as %s", v, m, again)
			}
		}
	}
}

// A frame that is cut is refused. One whose sender stopped early is refused where something is missing that every
// phone sends, or half a field is there; and nothing is made up for what is not there.
func TestCutAnywhere(t *testing.T) {
	for _, v := range versions {
		for _, m := range all() {
			b := appended(t, m, v)
			f := &fields{mode: writing, version: v}
			m.layout(f)
			if !f.optional {
				f.required = len(f.b)
			}
			for n := range b {
				if _, err := Read(bytes.NewReader(b[:n])); err == nil {
					t.Errorf("version %d: %s is taken when cut after %d bytes", v, m.ID(), n)
				}
			}
			for n := range f.b {
				short, err := Parse(Frame{ID: m.ID(), Body: f.b[:n]}, v)
				switch {
				case n < f.required && err == nil && !endsInTable(m, n):
					t.Errorf("version %d: %s is taken with %d bytes of %d", v, m.ID(), n, f.required)
				case err == nil:
					again := appended(t, short, v)[headerSize:]
					if !bytes.HasPrefix(again, f.b[:n]) || !endsInTable(m, n) && len(bytes.Trim(again[n:], "\x00")) > 0 {
						t.Errorf("version %d: %s cut after %d bytes reads as %s", v, m.ID(), n, short)
					}
				}
			}
		}
	}
}

// endsInTable reports whether a message is cut in the unused part of a table, which is written and never read.
func endsInTable(m Message, n int) bool {
	switch m := m.(type) {
	case *ButtonTemplate:
		return n >= 12+2*len(m.Buttons)
	case *SoftKeyTemplate:
		return n >= 12+20*len(m.Keys)
	case *SoftKeySets:
		return n >= 12+48*len(m.Sets)
	}
	return false
}

func TestRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no number":      "03000000 00000000 00000000",
		"too long":       "05400000 00000000 00000000",
		"far too long":   "ffffffff 00000000 00000000",
		"many buttons":   "10000000 00000000 97000000 00000000 ffffffff ffffffff",
		"many codecs":    "08000000 00000000 10000000 13000000",
		"fewer buttons":  "10000000 00000000 97000000 00000000 02000000 02000000",
		"text without 0": "0f000000 00000000 47010000 01000000 0f000000 414141",
	} {
		b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		frame, err := Read(bytes.NewReader(b))
		if err != nil {
			continue
		}
		if m, err := Parse(frame, 17); err == nil {
			t.Errorf("%s is taken: %s", name, m)
		}
	}
	for name, m := range map[string]Message{
		"a long name":  &RegisterReq{Device: "SEP0011223344556"},
		"a zero byte":  &RegisterReject{"a\x00b"},
		"many buttons": &ButtonTemplate{Buttons: make([]Button, buttonSlots+1)},
		"a long body":  &Unknown{1, make([]byte, MaxBody+1)},
	} {
		if _, err := Append(nil, m, 17); err == nil {
			t.Errorf("%s is written", name)
		}
	}
}

func TestStream(t *testing.T) {
	var stream []byte
	for _, m := range all() {
		stream = append(stream, appended(t, m, 17)...)
	}
	in := iotest.OneByteReader(bytes.NewReader(stream))
	for _, want := range all() {
		frame, err := Read(in)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Parse(frame, 17); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("read %v, %v, want %s", got, err, want)
		}
	}
	if _, err := Read(in); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

func TestTextThatFillsItsField(t *testing.T) {
	m, err := Parse(Frame{ID: 0x009d, Body: bytes.Repeat([]byte("a"), PromptSize)}, 0)
	if err != nil || m.(*RegisterReject).Text != strings.Repeat("a", PromptSize-1) {
		t.Errorf("reads as %v, %v", m, err)
	}
}

func TestLine(t *testing.T) {
	for want, m := range map[string]Message{
		"KeepAliveReq":              &KeepAliveReq{},
		`Reset type=restart`:        &Reset{RestartPhone},
		"message 0x0155 of 3 bytes": &Unknown{0x0155, []byte{1, 2, 3}},
		`RegisterReq device="SEP001122334455" address=192.0.2.7 type=7 version=17 mac=001122334455`: &RegisterReq{
			Device: "SEP001122334455", Address: netip.MustParseAddr("192.0.2.7"), Type: 7, Version: 17, MAC: [6]byte{0, 0x11, 0x22, 0x33, 0x44, 0x55}},
	} {
		if got := m.String(); got != want {
			t.Errorf("line is %q, want %q", got, want)
		}
	}
}

func TestNegotiate(t *testing.T) {
	for phone, want := range map[Version]Version{0: 3, 3: 3, 4: 3, 5: 5, 9: 5, 10: 5, 11: 11, 16: 15, 17: 17, 19: 18, 21: 20, 22: 22, 255: 22} {
		if got := Negotiate(phone); got != want {
			t.Errorf("a phone of version %d gets %d, want %d", phone, got, want)
		}
	}
}

// FuzzParse: what is read is written back so that it reads the same.
func FuzzParse(f *testing.F) {
	for _, v := range versions {
		for _, m := range all() {
			f.Add(appended(f, m, v), uint8(v))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, version uint8) {
		frame, err := Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		v := Negotiate(Version(version))
		m, err := Parse(frame, v)
		if err != nil {
			return
		}
		_ = m.String()
		written, err := Append(nil, m, v)
		if err != nil {
			t.Fatalf("%s is not written: %v", m, err)
		}
		if again := parsed(t, written, v); again.String() != m.String() {
			t.Errorf("%s is written and reads as %s", m, again)
		}
	})
}

package tvs

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/longcord/longcord/wire/tlv"
)

// The sizes are those of a captured conversation of an 8861 with CUCM (docs/wire/tvs.md#sizes); its names
// and its certificate are not published and stand in by others of the same length.
var (
	capturedDevice  = "CP-8861-SEPB000B4BA0AEE"
	capturedSubject = "CN=callmanager.example.net;OU=tac;O=example;L=Sydney;ST=NSW;C=AU!"
	capturedIssuer  = "CN=ca.example.net;C=A"
	capturedSerial  = bytes.Repeat([]byte{0x5a}, 19)
)

func query() Request {
	return Request{Session: 0x01020304, Device: capturedDevice, Subject: capturedSubject, Issuer: capturedIssuer, Serial: capturedSerial}
}

func encoded(t testing.TB, m Message) []byte {
	t.Helper()
	b, err := m.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestQueryHasTheSizeOfTheCapturedOne(t *testing.T) {
	b := encoded(t, query().Message())
	if len(b) != 10+143 {
		t.Errorf("query has %d bytes, captured was a body of 143 behind a header of 10", len(b))
	}
	wantHead, _ := hex.DecodeString("57010300" + "01020304" + "008f" + "010018" + "01" + hex.EncodeToString([]byte(capturedDevice)) + "030042")
	if !bytes.HasPrefix(b, wantHead) {
		t.Errorf("query begins with %x, want %x", b[:len(wantHead)], wantHead)
	}
	for tag, length := range map[Tag]int{TagDevice: 24, TagSubject: 66, TagIssuer: 22, TagSerial: 19} {
		m, err := Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if value, _, _ := m.find(tag); len(value) != length {
			t.Errorf("tag %d has %d bytes, captured were %d", tag, len(value), length)
		}
	}
}

func TestAnswerHasTheSizeOfTheCapturedOne(t *testing.T) {
	a := Answer{
		Session: 0x01020304, ToQuery: true, Valid: true, Certificate: bytes.Repeat([]byte{0x30}, 1451),
		Roles: []tlv.Role{tlv.SAST, tlv.TFTP}, TTL: DefaultTTL,
	}
	m, err := a.Message()
	if err != nil {
		t.Fatal(err)
	}
	b := encoded(t, m)
	if len(b) != 10+1470 {
		t.Errorf("answer has %d bytes, captured was a body of 1470 behind a header of 10", len(b))
	}
	if want, _ := hex.DecodeString("57010400" + "01020304" + "05be" + "07000100" + "0205ab30"); !bytes.HasPrefix(b, want) {
		t.Errorf("answer begins with %x, want %x", b[:len(want)], want)
	}
	if want, _ := hex.DecodeString("0800020003" + "09000400015180"); !bytes.HasSuffix(b, want) {
		t.Errorf("answer ends with %x, want %x", b[len(b)-len(want):], want)
	}
	back, err := m.Answer()
	if err != nil || !reflect.DeepEqual(back, a) {
		t.Errorf("answer reads back as %+v, %v; want %+v", back, err, a)
	}
}

func TestRequestsReadBack(t *testing.T) {
	verify := Request{Session: 7, Device: capturedDevice, Certificate: []byte{0x30, 1, 2}}
	for _, want := range []Request{query(), verify} {
		m, err := Parse(encoded(t, want.Message()))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := m.Request(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("request reads back as %+v, %v; want %+v", got, err, want)
		}
	}
}

func TestNegativeAnswerTellsNothing(t *testing.T) {
	m, err := Answer{Session: 9, Certificate: []byte{1}, Roles: []tlv.Role{tlv.TVS}}.Message()
	if err != nil {
		t.Fatal(err)
	}
	if want := []Element{{TagStatus, []byte{1}}}; !reflect.DeepEqual(m.Elements, want) {
		t.Errorf("negative answer holds %v, want its status alone", m.Elements)
	}
	if a, err := m.Answer(); err != nil || a.Valid || a.Session != 9 {
		t.Errorf("negative answer reads as %+v, %v", a, err)
	}
}

func TestQueryOfAnotherFormIsNamed(t *testing.T) {
	m := Message{Command: QueryRequest, Elements: []Element{{TagSubject, []byte("CN=x\x00")}, {14, []byte("CN=y\x00")}, {15, []byte{9}}}}
	_, err := m.Request()
	if !errors.Is(err, ErrOtherForm) || !strings.Contains(err.Error(), "tag 14 of 5 bytes") {
		t.Errorf("error %v, want ErrOtherForm with the tags", err)
	}
}

func TestRefused(t *testing.T) {
	good := encoded(t, query().Message())
	change := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	for name, b := range map[string][]byte{
		"other protocol":   change(0, 0x55),
		"other version":    change(1, 2),
		"body too long":    change(8, 0xff),
		"element too long": change(11, 0xff),
		"one more byte":    append(bytes.Clone(good), 0),
	} {
		if _, err := Parse(b); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	for name, m := range map[string]Message{
		"no certificate":         {Command: VerifyRequest},
		"answer as request":      {Command: VerifyResponse},
		"two certificates":       {Command: VerifyRequest, Elements: []Element{{TagCertificate, []byte{1}}, {TagCertificate, []byte{2}}}},
		"zero byte in a name":    {Command: VerifyRequest, Elements: []Element{{TagDevice, []byte("a\x00b")}, {TagCertificate, []byte{1}}}},
		"query without a serial": {Command: QueryRequest, Elements: []Element{{TagIssuer, []byte("CN=x")}, {TagSerial, nil}}},
	} {
		if r, err := m.Request(); err == nil {
			t.Errorf("%s was taken: %+v", name, r)
		}
	}
	for name, m := range map[string]Message{
		"request as answer": {Command: QueryRequest},
		"no status":         {Command: VerifyResponse},
		"short TTL":         {Command: VerifyResponse, Elements: []Element{{TagStatus, []byte{0}}, {TagTTL, []byte{1}}}},
	} {
		if a, err := m.Answer(); err == nil {
			t.Errorf("%s was taken: %+v", name, a)
		}
	}
	if _, err := (Answer{Valid: true, Roles: []tlv.Role{256}}).Message(); err == nil {
		t.Error("a role of two bytes was written")
	}
	if _, err := (Message{Elements: []Element{{TagCertificate, make([]byte, MaxBody)}}}).AppendBinary(nil); err == nil {
		t.Error("a body above the limit was written")
	}
}

func TestCutAnywhereIsRefused(t *testing.T) {
	b := encoded(t, query().Message())
	for n := range b {
		if _, err := Parse(b[:n]); err == nil {
			t.Errorf("message cut after %d bytes was taken", n)
		}
		if _, err := Read(bytes.NewReader(b[:n])); err == nil {
			t.Errorf("stream cut after %d bytes was taken", n)
		}
	}
}

func TestReadTakesOneMessageOnly(t *testing.T) {
	b := encoded(t, query().Message())
	stream := bytes.NewReader(append(bytes.Clone(b), b...))
	for range 2 {
		m, err := Read(iotest.OneByteReader(stream))
		if err != nil || !bytes.Equal(encoded(t, m), b) {
			t.Fatalf("read %v, %v", m, err)
		}
	}
	if _, err := Read(stream); err != io.EOF {
		t.Errorf("error %v at the end, want io.EOF", err)
	}
}

func TestOneLine(t *testing.T) {
	m := Request{Session: 1, Device: "CP-7965G-SEP001122334455", Certificate: make([]byte, 5)}.Message()
	m.Elements = append(m.Elements, Element{TagTTL, []byte{0, 0, 0, 9}})
	want := `verify request, session 00000001, tag 1 "\x01CP-7965G-SEP001122334455", tag 2 of 5 bytes, tag 9 00000009`
	if got := m.String(); got != want {
		t.Errorf("line is\n%s\nwant\n%s", got, want)
	}
	if got := Command(9).String(); got != "command 9" {
		t.Errorf("unknown command is %q", got)
	}
	if a, _ := (Answer{Valid: true, TTL: time.Minute}).Message(); len(a.Elements) != 4 {
		t.Errorf("answer has %d elements, want 4", len(a.Elements))
	}
}

func FuzzParse(f *testing.F) {
	f.Add(encoded(f, query().Message()))
	f.Add(encoded(f, Request{Device: capturedDevice, Certificate: []byte{0x30, 0}}.Message()))
	valid, _ := Answer{Valid: true, ToQuery: true, Certificate: []byte{0x30}, Roles: []tlv.Role{3}, TTL: DefaultTTL}.Message()
	f.Add(encoded(f, valid))
	unknown, _ := Answer{}.Message()
	f.Add(encoded(f, unknown))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		if again := encoded(t, m); !bytes.Equal(again, b) {
			t.Errorf("%x is written back as %x", b, again)
		}
		_ = m.String()
		if r, err := m.Request(); err == nil && r.IsQuery() != (m.Command == QueryRequest) {
			t.Errorf("%s reads as %+v", m, r)
		}
		if a, err := m.Answer(); err == nil && !a.Valid && a.Certificate != nil {
			t.Errorf("negative answer with a certificate: %+v", a)
		}
	})
}

package capf

import (
	"bytes"
	"encoding/hex"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/longcord/longcord/internal/secret"
)

func must[T any](t testing.TB) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func encoded(t testing.TB, m Message) []byte {
	t.Helper()
	return must[[]byte](t)(m.AppendBinary(nil))
}

// bytesOf reads hex with spaces.
func bytesOf(t testing.TB, text string) []byte {
	t.Helper()
	return must[[]byte](t)(hex.DecodeString(strings.ReplaceAll(text, " ", "")))
}

const session = 0x0a0b0c0d

// The bytes of docs/wire/capf.md#enrolment.
func TestBytesOfAnEnrolment(t *testing.T) {
	certificate := must[Element](t)(Certificate{LSC, []byte{0x30, 0x01, 0x05}}.Element())
	for name, c := range map[string]struct {
		message Message
		bytes   string
	}{
		"auth request": {
			Message{AuthRequest, session, []Element{Byte[uint8](TagVersion, Version), Byte[uint8](TagAuthType, 0)}},
			"55 01 0a0b0c0d 0008  07 0001 03  08 0001 00",
		},
		"auth response": {
			Message{AuthResponse, session, []Element{Byte[uint8](TagVersion, Version), Text(TagDevice, "SEP001122334455"), Text(TagPassword, "12345")}},
			"55 02 0a0b0c0d 0020  07 0001 03  0d 0010 534550303031313232333334343535 00  0b 0006 3132333435 00",
		},
		"key generate request, RSA": {
			Message{KeyGenerateRequest, session, []Element{Byte(TagKeyType, RSA), Uint16(TagKeySize, 2048)}},
			"55 03 0a0b0c0d 0009  11 0001 00  0a 0002 0800",
		},
		"key generate request, EC": {
			Message{KeyGenerateRequest, session, []Element{Byte(TagKeyType, EC), Byte(TagCurve, P384)}},
			"55 03 0a0b0c0d 0008  11 0001 01  12 0001 01",
		},
		"in progress":           {Message{InProgress, session, nil}, "55 11 0a0b0c0d 0000"},
		"key generate response": {Message{KeyGenerateResponse, session, []Element{{TagPublicKey, []byte{0x30, 0}}}}, "55 04 0a0b0c0d 0005  09 0002 3000"},
		"store request": {
			Message{StoreRequest, session, []Element{Byte(TagCertificateType, LSC), certificate}},
			"55 09 0a0b0c0d 000f  03 0001 01  04 0008  01 0005 00 01 300105",
		},
		"store response": {Message{StoreResponse, session, []Element{Byte(TagReason, Updated)}}, "55 0a 0a0b0c0d 0004  01 0001 01"},
		"end session":    {Message{EndSession, session, []Element{Byte(TagReason, UnknownDevice)}}, "55 0f 0a0b0c0d 0004  01 0001 09"},
	} {
		want := bytesOf(t, c.bytes)
		if got := encoded(t, c.message); !bytes.Equal(got, want) {
			t.Errorf("%s is\n%x, want\n%x", name, got, want)
		}
		if got, err := Parse(want); err != nil || !reflect.DeepEqual(got, c.message) {
			t.Errorf("%s reads as %+v, %v", name, got, err)
		}
	}
}

func TestValuesReadBack(t *testing.T) {
	wanted := Certificate{MIC, bytes.Repeat([]byte{0x30}, 700)}
	proof := Proof{SHA1: []byte{1, 2}, SHA512: []byte{3, 4, 5}}
	sudi := SUDI{[]byte{0x30, 9}, Proof{SHA1: []byte{6}, SHA512: []byte{7}}}
	m := Message{AuthResponse, session, append([]Element{
		Text(TagDevice, "SEP001122334455"), Text(TagPassword, "open"), Uint16(TagKeySize, 4096), Byte(TagCertificateType, MIC),
		must[Element](t)(wanted.Element()), must[Element](t)(sudi.Element()),
	}, proof.Elements()...)}
	m = must[Message](t)(Parse(encoded(t, m)))
	if got := must[Certificate](t)(m.Certificate()); !reflect.DeepEqual(got, wanted) {
		t.Errorf("certificate is %+v, want %+v", got, wanted)
	}
	if got := must[Proof](t)(m.Proof()); !reflect.DeepEqual(got, proof) {
		t.Errorf("proof is %+v, want %+v", got, proof)
	}
	if got := must[SUDI](t)(m.SUDI()); !reflect.DeepEqual(got, sudi) {
		t.Errorf("SUDI is %+v, want %+v", got, sudi)
	}
	if got := must[string](t)(m.Text(TagDevice)); got != "SEP001122334455" {
		t.Errorf("device is %q", got)
	}
	if got := must[secret.String](t)(m.Password()); got.Reveal() != "open" {
		t.Errorf("password is %q", got.Reveal())
	}
	if got := must[uint16](t)(m.Uint16(TagKeySize)); got != 4096 {
		t.Errorf("key size is %d", got)
	}
	if got := must[uint8](t)(m.Byte(TagCertificateType)); CertificateType(got) != MIC {
		t.Errorf("certificate type is %d", got)
	}
}

func TestAbsentValues(t *testing.T) {
	m := Message{Command: AuthResponse}
	if c, err := m.Certificate(); err != nil || c.DER != nil {
		t.Errorf("certificate is %+v, %v; want none", c, err)
	}
	if s, err := m.SUDI(); err != nil || s.Certificate != nil {
		t.Errorf("SUDI is %+v, %v; want none", s, err)
	}
	if p, err := m.Password(); err != nil || !p.IsZero() {
		t.Errorf("password is %v, %v; want none", p, err)
	}
	if _, err := m.Byte(TagReason); err == nil {
		t.Error("a reason that is not there was read")
	}
}

func TestProofData(t *testing.T) {
	if got, want := ProofData("SEP1", []byte{0x30}), []byte("SEP1\x00\x30"); !bytes.Equal(got, want) {
		t.Errorf("proof is over %x, want %x", got, want)
	}
	if got, want := SUDIData(0x0a0b0c0d, []byte{0x30}), []byte{0x0d, 0x0c, 0x0b, 0x0a, 0x30}; !bytes.Equal(got, want) {
		t.Errorf("SUDI's proof is over %x, want %x", got, want)
	}
}

func TestRefused(t *testing.T) {
	for name, text := range map[string]string{
		"other protocol":   "57 0f 00000001 0000",
		"body too long":    "55 0f 00000001 ffff",
		"one byte more":    "55 0f 00000001 0000 00",
		"element too long": "55 0f 00000001 0004 01 0002 01",
		"half an element":  "55 0f 00000001 0002 01 00",
	} {
		if m, err := Parse(bytesOf(t, text)); err == nil {
			t.Errorf("%s was taken: %s", name, m)
		}
	}
	for name, e := range map[string][]Element{
		"twice":                  {{TagCertificate, []byte{1, 0, 3, 0, 1, 0}}, {TagCertificate, []byte{1, 0, 3, 0, 1, 0}}},
		"without certificate":    {{TagCertificate, []byte{1, 0, 2, 0, 1}}},
		"of another length":      {{TagCertificate, []byte{1, 0, 4, 0, 1, 0x30}}},
		"with another beginning": {{TagCertificate, []byte{2, 0, 3, 0, 1, 0x30}}},
	} {
		if c, err := (Message{Elements: e}).Certificate(); err == nil {
			t.Errorf("certificate %s was taken: %+v", name, c)
		}
	}
	for name, value := range map[string][]byte{"other digest": {2, 0, 1, 9}, "other length": {3, 0, 2, 9}, "no length": {3}} {
		if p, err := (Message{Elements: []Element{{TagSignature2, value}}}).Proof(); err == nil {
			t.Errorf("proof with %s was taken: %+v", name, p)
		}
	}
	if s, err := (Message{Elements: []Element{{TagSUDI, []byte{4, 0, 9}}}}).SUDI(); err == nil {
		t.Errorf("SUDI that is cut off was taken: %+v", s)
	}
	if _, err := (Message{Elements: []Element{{TagDevice, []byte("a\x00b")}}}).Text(TagDevice); err == nil {
		t.Error("a zero byte in a name was taken")
	}
	if _, err := (Message{Elements: []Element{{TagKeySize, []byte{1}}}}).Uint16(TagKeySize); err == nil {
		t.Error("a key size of one byte was taken")
	}
	if _, err := (Message{Elements: []Element{{TagCertificate, make([]byte, MaxBody)}}}).AppendBinary(nil); err == nil {
		t.Error("a body above the limit was written")
	}
	if _, err := (Certificate{DER: make([]byte, MaxBody+1)}).Element(); err == nil {
		t.Error("a certificate above the limit was written")
	}
}

func TestCutAnywhereIsRefused(t *testing.T) {
	m := Message{AuthResponse, session, []Element{Text(TagDevice, "SEP001122334455"), must[Element](t)(Certificate{LSC, []byte{0x30, 0}}.Element())}}
	b := encoded(t, m)
	for n := range b {
		if _, err := Parse(b[:n]); err == nil {
			t.Errorf("message cut after %d bytes was taken", n)
		}
		if _, err := Read(bytes.NewReader(b[:n])); err == nil {
			t.Errorf("stream cut after %d bytes was taken", n)
		}
	}
	certificate := m.Elements[1].Value
	for n := range certificate {
		if _, err := parseCertificate(certificate[:n]); err == nil {
			t.Errorf("certificate cut after %d bytes was taken", n)
		}
	}
}

func TestReadTakesOneMessageOnly(t *testing.T) {
	b := encoded(t, Message{EndSession, session, []Element{Byte(TagReason, NoAction)}})
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

func TestOneLineHasNoPassword(t *testing.T) {
	m := Message{AuthResponse, 1, []Element{Text(TagDevice, "SEP1"), Text(TagPassword, "abc"), {TagCertificate, make([]byte, 9)}, Byte(TagVersion, uint8(3))}}
	want := `auth response, session 00000001, tag 13 "SEP1\x00", tag 11, tag 4 of 9 bytes, tag 7 03`
	if got := m.String(); got != want {
		t.Errorf("line is\n%s\nwant\n%s", got, want)
	}
}

func FuzzParse(f *testing.F) {
	certificate, _ := Certificate{MIC, []byte{0x30, 0}}.Element()
	sudi, _ := SUDI{[]byte{0x30}, Proof{[]byte{1}, []byte{2}}}.Element()
	f.Add(encoded(f, Message{AuthRequest, session, []Element{Byte(TagVersion, uint8(Version)), Byte(TagAuthType, uint8(0))}}))
	f.Add(encoded(f, Message{AuthResponse, session, append([]Element{Text(TagDevice, "SEP1"), certificate, sudi}, Proof{[]byte{1}, []byte{2}}.Elements()...)}))
	f.Add(encoded(f, Message{KeyGenerateResponse, session, []Element{{TagPublicKey, []byte{0x30, 0}}}}))
	f.Add(encoded(f, Message{EndSession, session, []Element{Byte(TagReason, Updated)}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		if again := encoded(t, m); !bytes.Equal(again, b) {
			t.Errorf("%x is written back as %x", b, again)
		}
		if c, err := m.Certificate(); err == nil && c.DER != nil {
			value, _ := m.Bytes(TagCertificate)
			if e, err := c.Element(); err != nil || !bytes.Equal(e.Value, value) {
				t.Errorf("certificate %x is written back as %x, %v", value, e.Value, err)
			}
		}
		_, _ = m.Proof()
		_, _ = m.SUDI()
		_, _ = m.Password()
		_ = m.String()
	})
}

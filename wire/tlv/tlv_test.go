package tlv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// exampleHeader has the sizes of docs/wire/trust-lists.md#header: names of 26 bytes with their zero, a serial
// number of 8, a file name of 28.
func exampleHeader() Header {
	return Header{
		Version: VersionSigned,
		Signer:  Signer{Name: "CN=" + strings.Repeat("s", 22), Issuer: "CN=" + strings.Repeat("i", 22), Serial: []byte{0x83, 2, 3, 4, 5, 6, 7, 8}},
		Digest:  SHA1, KeyBits: 2048, Signature: bytes.Repeat([]byte{0xaa}, 256),
		FileName: "SEP001122334455.cnf.xml.sgn", Time: time.Unix(1700000000, 0).UTC(),
	}
}

func encrypted() Header {
	h := exampleHeader()
	h.Version = VersionEncrypted
	h.Encryption = &Encryption{
		IV: [16]byte{1, 2, 3}, Padding: 16, KeyBits: 2048, Key: bytes.Repeat([]byte{7}, 256), Digest: SHA1, PlainHash: bytes.Repeat([]byte{8}, 20),
	}
	return h
}

func encode(t testing.TB, h Header, content string) []byte {
	t.Helper()
	f, err := New(h, []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSizes(t *testing.T) {
	t.Parallel()
	b := encode(t, exampleHeader(), "content")
	for _, at := range []struct {
		offset int
		want   []byte
	}{
		{0, []byte{1, 0, 2, 1, 0}}, {5, []byte{2, 0, 2, 1, 0x90}}, {10, []byte{3, 0, 69, 4, 0, 26, 'C', 'N'}},
		{42, []byte{5, 0, 8, 0x83}}, {53, []byte{6, 0, 26, 'C'}}, {82, []byte{7, 0, 15, 8, 0, 1, 1, 9, 0, 8, 10, 0, 1, 0, 11, 0, 1, 2}},
		{100, []byte{12, 1, 0, 0xaa}}, {359, []byte{14, 0, 28, 'S', 'E', 'P'}}, {390, []byte{15, 0, 4, 0x65, 0x53, 0xf1, 0x00}},
		{397, []byte{13, 13, 13}}, {400, []byte("content")},
	} {
		if got := b[at.offset:min(len(b), at.offset+len(at.want))]; !bytes.Equal(got, at.want) {
			t.Errorf("at %d there is %x, want %x", at.offset, got, at.want)
		}
	}
}

// CUCM's dump: signer 117 bytes with names of 56 and 42 and a serial number of 10, RSA-1024, header 304.
func TestSizesOfADump(t *testing.T) {
	t.Parallel()
	h := Header{
		Version: VersionList, Digest: SHA1, KeyBits: 1024,
		Signer:   Signer{Name: strings.Repeat("n", 55), Serial: []byte{0x83, 1, 2, 3, 4, 5, 6, 7, 8, 9}, Issuer: strings.Repeat("i", 41)},
		FileName: "CTLFile.tlv",
	}
	b := encode(t, h, "")
	if len(b) != 304 {
		t.Errorf("header has %d bytes, want 304", len(b))
	}
	if n := binary.BigEndian.Uint16(b[11:]); n != 117 {
		t.Errorf("signer has %d bytes, want 117", n)
	}
}

func TestHeaderRoundTrip(t *testing.T) {
	t.Parallel()
	list := exampleHeader()
	list.Version, list.SignerVersion, list.Digest = VersionList, SignerAdvanced, SHA512
	for name, h := range map[string]Header{"signed": exampleHeader(), "encrypted": encrypted(), "list": list} {
		b := encode(t, h, "the content")
		f, err := Parse(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(h, f.Header); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if string(f.Content) != "the content" {
			t.Errorf("%s: content %q", name, f.Content)
		}
		if !strings.Contains(f.String(), h.FileName) {
			t.Errorf("%s prints as %s", name, f)
		}
	}
}

func TestSignedBytes(t *testing.T) {
	t.Parallel()
	h := exampleHeader()
	whole := encode(t, h, "content")
	want := append(bytes.Clone(whole[:100]), whole[100+3+256:]...)
	h.Signature = nil
	f, err := New(h, []byte("content"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.SignedBytes(); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %x (%v), want %x", got, err, want)
	}
	signed, err := f.Sign(exampleHeader().Signature)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := signed.AppendBinary(nil); err != nil || !bytes.Equal(got, whole) {
		t.Errorf("signed it is %x (%v)", got, err)
	}
}

// What certutils writes in another order, and what nobody knows, stays as it is.
func TestUnknownStays(t *testing.T) {
	t.Parallel()
	f, err := New(exampleHeader(), []byte("content"))
	if err != nil {
		t.Fatal(err)
	}
	signer := f.Elements[2].Parts
	signer[1], signer[2] = signer[2], signer[1]
	f.Elements = append(f.Elements, element(99, 1, 2, 3), element(tagPadding), element(tagPadding))
	f.Elements[1] = number16(tagHeaderLength, uint16(sizeOf(f.Elements)))
	b, err := f.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.AppendBinary(nil); err != nil || !bytes.Equal(got, b) {
		t.Errorf("got %x (%v), want %x", got, err, b)
	}
	if diff := cmp.Diff(exampleHeader(), again.Header); diff != "" {
		t.Error(diff)
	}
}

func TestHeaderRefused(t *testing.T) {
	t.Parallel()
	good := encode(t, exampleHeader(), "")
	changed := func(at int, b ...byte) []byte {
		out := bytes.Clone(good)
		copy(out[at:], b)
		return out
	}
	for name, test := range map[string]struct {
		b    []byte
		says string
	}{
		"xml":                   {[]byte("<device><fullConfig>true</fullConfig></device>"), "not a signed file"},
		"header past the end":   {changed(8, 0xff, 0xff), "header length 65535 at offset 8"},
		"header of nothing":     {changed(8, 0, 3), "header length 3"},
		"header inside element": {changed(8, 0, 200), "tag 12 has length 256, 97 bytes are left"},
		"not RSA":               {changed(95, 5), "signature algorithm 5 is not RSA"},
		"modulus code":          {changed(99, 9), "modulus code 9 is not known"},
		"no modulus":            {changed(96, 77), "tag 11 is missing"},
		"other modulus":         {changed(99, 1), "tag 12 has 256 bytes, want 128"},
		"container is cut":      {changed(12, 60), "tag 6 has length 26, 17 bytes are left"},
		"name with a zero":      {changed(15+4, 0), "holds a zero byte"},
		"two file names":        {changed(390, 14), "tag 14 is there twice"},
	} {
		_, err := Parse(test.b)
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
	}
	if _, err := Parse(nil); !errors.Is(err, ErrNotSigned) {
		t.Errorf("nothing: %v", err)
	}
	for name, h := range map[string]func(*Header){
		"key":        func(h *Header) { h.KeyBits, h.Signature = 1536, nil },
		"signature":  func(h *Header) { h.Signature = []byte{1} },
		"digest":     func(h *Header) { h.Digest = 9 },
		"encryption": func(h *Header) { h.Version = VersionEncrypted },
		"length":     func(h *Header) { h.FileName = strings.Repeat("x", 70000) },
	} {
		header := exampleHeader()
		h(&header)
		if _, err := New(header, nil); err == nil {
			t.Errorf("a header with bad %s is written", name)
		}
	}
}

// Cut at every length, a file is refused unless only content is missing.
func TestHeaderCut(t *testing.T) {
	t.Parallel()
	for _, h := range []Header{exampleHeader(), encrypted()} {
		b := encode(t, h, "")
		for n := range b {
			if _, err := Parse(b[:n]); err == nil {
				t.Errorf("%s cut at %d is taken", h.Version, n)
			}
		}
	}
}

func exampleRecords() []Record {
	return []Record{
		NewRecord(Record{
			DNSName: "10.1.0.5", Subject: "CN=signer", Role: SAST, Issuer: "CN=signer", Serial: []byte{0, 1, 2}, PublicKey: []byte{9, 9},
			Signature: []byte{8}, Certificate: []byte("certificate"), Address: netip.MustParseAddr("10.1.0.5"),
		}),
		NewRecord(Record{Role: TVS, Hash: []byte{1, 2}, HashKind: []byte{1}}),
		NewRecord(Record{Role: 999, Subject: "CN=unknown role"}),
	}
}

func TestRecords(t *testing.T) {
	t.Parallel()
	want := exampleRecords()
	b, err := AppendRecords(nil, want...)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseRecords(b)
	if err != nil {
		t.Fatal(err)
	}
	want[0].Serial = []byte{1, 2}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(x, y netip.Addr) bool { return x == y })); diff != "" {
		t.Error(diff)
	}
	if !got[0].Is(Signer{Name: "CN=signer", Issuer: "CN=signer", Serial: []byte{0, 0, 1, 2}}) || got[0].Is(Signer{Name: "CN=signer", Issuer: "CN=signer", Serial: []byte{1, 3}}) ||
		got[0].Is(Signer{Name: "CN=other", Issuer: "CN=signer", Serial: []byte{1, 2}}) {
		t.Error("records are found by the wrong names")
	}
	if line := got[2].String(); !strings.Contains(line, "role 999") {
		t.Errorf("an unknown role prints as %s", line)
	}
}

// CUCM names a server without a certificate in 33 bytes.
func TestRecordOfADump(t *testing.T) {
	t.Parallel()
	b, err := AppendRecords(nil, NewRecord(Record{DNSName: "10.48.47.153", Role: CCMTFTP, Address: netip.MustParseAddr("10.48.47.153")}))
	if err != nil {
		t.Fatal(err)
	}
	if len(b) != 33 || binary.BigEndian.Uint16(b[3:]) != 33 {
		t.Errorf("the record has %d bytes and says %d, want 33", len(b), binary.BigEndian.Uint16(b[3:]))
	}
}

func TestRecordsCut(t *testing.T) {
	t.Parallel()
	b, err := AppendRecords(nil, exampleRecords()[0])
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n < len(b); n++ {
		if _, err := ParseRecords(b[:n]); err == nil {
			t.Errorf("a record cut at %d is taken", n)
		}
	}
	if records, err := ParseRecords(nil); err != nil || records != nil {
		t.Errorf("an empty list is %v, %v", records, err)
	}
	for name, elements := range map[string][]Element{
		"no role":     {text(tagSubject, "x")},
		"two roles":   {number16(tagRole, 1), number16(tagRole, 2)},
		"long role":   {element(tagRole, 1, 2, 3)},
		"bad address": {number16(tagRole, 1), element(tagAddress, 1, 2)},
	} {
		b, err := AppendRecords(nil, Record{Elements: elements})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseRecords(b); err == nil {
			t.Errorf("a record with %s is taken", name)
		}
	}
	if _, err := AppendRecords(nil, Record{Elements: []Element{{Tag: tagCertificate, Value: make([]byte, 70000)}}}); err == nil {
		t.Error("a certificate that is too long is written")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(encode(f, exampleHeader(), "content"))
	f.Add(encode(f, encrypted(), "content"))
	list := exampleHeader()
	list.Version, list.SignerVersion = VersionList, SignerBasic
	records, err := AppendRecords(nil, exampleRecords()...)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encode(f, list, string(records)))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Parse(b)
		if err != nil {
			return
		}
		if got, err := file.AppendBinary(nil); err != nil || !bytes.Equal(got, b) {
			t.Errorf("got %x (%v), want %x", got, err, b)
		}
		if signed, err := file.SignedBytes(); err != nil || len(signed) != len(b)-elementHead-len(file.Header.Signature) {
			t.Errorf("signed are %d of %d bytes (%v)", len(signed), len(b), err)
		}
		_ = file.String()
		all, err := file.Records()
		if err != nil {
			return
		}
		if got, err := AppendRecords(nil, all...); err != nil || !bytes.Equal(got, file.Content) {
			t.Errorf("records: got %x (%v), want %x", got, err, file.Content)
		}
		for _, r := range all {
			_ = r.String()
		}
	})
}

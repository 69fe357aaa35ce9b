package tlv

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

// Tags of records (docs/wire/trust-lists.md#records).
const (
	tagRecordLength Tag = 1
	tagDNSName      Tag = 2
	tagSubject      Tag = 3
	tagRole         Tag = 4
	tagRecordIssuer Tag = 5
	tagRecordSerial Tag = 6
	tagPublicKey    Tag = 7
	tagCertSigned   Tag = 8
	tagCertificate  Tag = 9
	tagAddress      Tag = 10
	tagCertHash     Tag = 11
	tagHashKind     Tag = 12
)

// Record is one certificate of a trust list. Elements are the record as it stands without its length, and
// what is written; the other fields are what they say. NewRecord keeps the two together.
type Record struct {
	Elements []Element

	DNSName     string
	Subject     string
	Role        Role
	Issuer      string
	Serial      []byte // without leading zeros
	PublicKey   []byte // RSAPublicKey in DER, or an EC point
	Signature   []byte // of the certificate
	Certificate []byte // DER; empty: only its hash, or only a server without one
	Address     netip.Addr
	Hash        []byte
	HashKind    []byte
}

// NewRecord returns a record as it is written: what is empty is left out, but for the role.
func NewRecord(r Record) Record {
	r.Elements = nil
	add := func(tag Tag, value []byte) {
		if len(value) > 0 {
			r.Elements = append(r.Elements, Element{Tag: tag, Value: value})
		}
	}
	addText := func(tag Tag, s string) {
		if s != "" {
			r.Elements = append(r.Elements, text(tag, s))
		}
	}
	addText(tagDNSName, r.DNSName)
	addText(tagSubject, r.Subject)
	r.Elements = append(r.Elements, number16(tagRole, uint16(r.Role)))
	addText(tagRecordIssuer, r.Issuer)
	add(tagRecordSerial, magnitude(r.Serial))
	add(tagPublicKey, r.PublicKey)
	add(tagCertSigned, r.Signature)
	add(tagCertificate, r.Certificate)
	if r.Address.Is4() {
		add(tagAddress, r.Address.AsSlice())
	}
	add(tagCertHash, r.Hash)
	add(tagHashKind, r.HashKind)
	return r
}

// Is reports whether the record is of a certificate that a signed file or a question names.
func (r Record) Is(s Signer) bool {
	return r.Issuer == s.Issuer && bytes.Equal(r.Serial, magnitude(s.Serial)) && (r.Subject == "" || s.Name == "" || r.Subject == s.Name)
}

// AppendRecords appends the records of a trust list, which are its content.
func AppendRecords(b []byte, records ...Record) ([]byte, error) {
	for _, r := range records {
		size := elementHead + 2
		for _, e := range r.Elements {
			if len(e.Value) > maxValue {
				return nil, fmt.Errorf("tlv: tag %d of a record has %d bytes, at most %d fit", e.Tag, len(e.Value), maxValue)
			}
			size += elementHead + len(e.Value)
		}
		if size > maxValue {
			return nil, fmt.Errorf("tlv: record has %d bytes, at most %d fit", size, maxValue)
		}
		b = append(b, byte(tagRecordLength), 0, 2)
		b = binary.BigEndian.AppendUint16(b, uint16(size))
		for _, e := range r.Elements {
			b = binary.BigEndian.AppendUint16(append(b, byte(e.Tag)), uint16(len(e.Value)))
			b = append(b, e.Value...)
		}
	}
	return b, nil
}

// Records reads the records of a trust list.
func (f *File) Records() ([]Record, error) {
	if f.Header.Version.Major != VersionList.Major || f.Header.Encryption != nil {
		return nil, fmt.Errorf("tlv: version %s is no trust list", f.Header.Version)
	}
	return ParseRecords(f.Content)
}

// ParseRecords reads the content of a trust list. What it returns shares b.
func ParseRecords(b []byte) ([]Record, error) {
	var all []Record
	for at := 0; at < len(b); {
		rest := b[at:]
		if len(rest) < elementHead+2 || Tag(rest[0]) != tagRecordLength || binary.BigEndian.Uint16(rest[1:]) != 2 {
			return nil, fmt.Errorf("tlv: no record at offset %d of the list: %x", at, rest[:min(len(rest), elementHead+2)])
		}
		n := int(binary.BigEndian.Uint16(rest[elementHead:]))
		if n < elementHead+2 || n > len(rest) {
			return nil, fmt.Errorf("tlv: record at offset %d of the list has length %d, %d bytes are left", at, n, len(rest))
		}
		elements, err := parser{"record", false}.elements(rest[elementHead+2:n], at+elementHead+2)
		if err != nil {
			return nil, err
		}
		record, err := recordOf(elements)
		if err != nil {
			return nil, fmt.Errorf("%w (record at offset %d of the list)", err, at)
		}
		all = append(all, record)
		at += n
	}
	return all, nil
}

func recordOf(elements []Element) (Record, error) {
	r := newReader("record", elements)
	optional := func(tag Tag) []byte {
		e, _ := r.find(tag)
		return e.Value
	}
	record := Record{
		Elements: elements,
		DNSName:  r.text(tagDNSName), Subject: r.text(tagSubject), Issuer: r.text(tagRecordIssuer),
		Role: Role(binary.BigEndian.Uint16(r.value(tagRole, 2))), Serial: magnitude(optional(tagRecordSerial)),
		PublicKey: optional(tagPublicKey), Signature: optional(tagCertSigned), Certificate: optional(tagCertificate),
		Hash: optional(tagCertHash), HashKind: optional(tagHashKind),
	}
	if address := optional(tagAddress); len(address) > 0 {
		ip, ok := netip.AddrFromSlice(address)
		if !ok {
			r.fail("address of %d bytes", len(address))
		}
		record.Address = ip
	}
	return record, *r.err
}

// String returns the record on one line.
func (r Record) String() string {
	s := []string{r.Role.String()}
	if r.Subject != "" {
		s = append(s, fmt.Sprintf("%q serial %x by %q", r.Subject, r.Serial, r.Issuer))
	}
	if r.DNSName != "" {
		s = append(s, r.DNSName)
	}
	if r.Address.IsValid() {
		s = append(s, r.Address.String())
	}
	return strings.Join(s, ", ")
}

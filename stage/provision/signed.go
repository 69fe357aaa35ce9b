package provision

import (
	"bytes"
	"crypto/md5" // names a certificate, proves nothing
	"crypto/x509"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// Endings of names (docs/wire/phone-files.md#encrypted-configuration).
const (
	SignedSuffix    = ".sgn"
	EncryptedSuffix = ".enc.sgn"
	listSuffix      = ".tlv"
)

// Names of trust lists that are not one phone's.
const (
	SharedCTL = "CTLFile.tlv"
	SharedITL = "ITLFile.tlv"
)

// ListFile is what the name of a trust list says.
type ListFile struct {
	CTL    bool   // else an ITL
	Device string // empty: for every phone
	Name   string // as phones spell it
}

// ListIn returns which trust list a name is of, in any letter case.
func ListIn(name string) (ListFile, bool) {
	device := DeviceIn(name)
	for _, l := range []ListFile{
		{true, "", SharedCTL}, {false, "", SharedITL}, {true, device, CTLFile(device)}, {false, device, ITLFile(device)},
	} {
		if strings.EqualFold(name, l.Name) {
			return l, l.Device != "" || l.Name == SharedCTL || l.Name == SharedITL
		}
	}
	return ListFile{}, false
}

// CTLFile returns the name of a device's CTL.
func CTLFile(device string) string { return "CTL" + device + listSuffix }

// ITLFile returns the name of a device's ITL.
func ITLFile(device string) string { return "ITL" + device + listSuffix }

// Unsigned returns the name without the ending of a signed or encrypted file.
func Unsigned(name string) (plain string, encrypted, ok bool) {
	lower := strings.ToLower(name)
	switch {
	case strings.HasSuffix(lower, EncryptedSuffix):
		return name[:len(name)-len(EncryptedSuffix)], true, true
	case strings.HasSuffix(lower, SignedSuffix):
		return name[:len(name)-len(SignedSuffix)], false, true
	}
	return name, false, false
}

// HoldsConfig reports whether a name is that of some device's configuration, plain, signed or encrypted. Trust
// lists, which have version stamps too, are none.
func HoldsConfig(name string) bool {
	plain, _, _ := Unsigned(name)
	return IsConfig(plain)
}

// stubElement is an element of a configuration that is taken over as it stands.
type stubElement struct {
	XMLName xml.Name
	Inner   string `xml:",innerxml"`
}

type stubDocument struct {
	XMLName  xml.Name      `xml:"device"`
	Elements []stubElement `xml:",any"`
}

// What a stub has of the whole file: what a phone needs before it can open that.
var stubTakes = []string{"loadInformation", "ipAddressMode", "capfAuthMode", "capfList"}

// Stub returns what stands in place of a configuration that is encrypted for a phone's certificate. It holds
// no secrets.
func Stub(config []byte, phone *x509.Certificate) ([]byte, error) {
	var whole stubDocument
	if err := xml.Unmarshal(config, &whole); err != nil {
		return nil, fmt.Errorf("provision: stub: %w", err)
	}
	element := func(name, value string) stubElement {
		return stubElement{XMLName: xml.Name{Local: name}, Inner: value}
	}
	sum := md5.Sum(phone.Raw)
	stub := stubDocument{Elements: []stubElement{element("fullConfig", "false")}}
	for _, e := range whole.Elements {
		if slices.Contains(stubTakes, e.XMLName.Local) {
			stub.Elements = append(stub.Elements, e)
		}
	}
	stub.Elements = append(stub.Elements, element("certHash", hex.EncodeToString(sum[:])), element("encrConfig", "true"))
	text, err := xml.MarshalIndent(stub, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("provision: stub: %w", err)
	}
	return append([]byte(xml.Header), append(text, '\n')...), nil
}

// IsStub reports whether a configuration only says that the whole one is encrypted.
func IsStub(config []byte) bool {
	var d struct {
		XMLName    xml.Name `xml:"device"`
		EncrConfig string   `xml:"encrConfig"`
		FullConfig string   `xml:"fullConfig"`
	}
	if err := xml.NewDecoder(bytes.NewReader(config)).Decode(&d); err != nil {
		return false
	}
	return isTrue(d.EncrConfig) && !isTrue(d.FullConfig)
}

func isTrue(text string) bool {
	text = strings.TrimSpace(text)
	return strings.EqualFold(text, "true") || text == "1"
}

// Package phonexml reads and writes the small XML files around a phone's configuration, and the objects
// that phone services answer with:
//
//	dialTemplate            DialTemplate    when a dialled number is complete, and what is dialled instead
//	softKeyCfg              SoftKeys        which soft keys there are, and which are shown in which state
//	featurePolicy           FeaturePolicy   which features 8961, 9951 and 9971 offer
//	CiscoIPPhoneRingList    RingList        ring tones to choose from
//	CiscoIPPhoneImageList   ImageList       backgrounds to choose from
//	CiscoIPPhoneMenu …      Menu, Text, Directory, Input, Execute, Failure: phone services
//
// Parse takes any of them. Elements and attributes without a field are kept and written back, after the
// known ones. Names with a prefix are refused: no phone sends or takes any. Sources:
// docs/wire/phone-files.md#companions.
package phonexml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// MaxSize bounds a file that is read, in bytes.
const MaxSize = 256 << 10

// Document is any of the files and objects of this package.
type Document interface {
	// String describes it on one line.
	String() string
	root() string
}

// kinds makes an empty document for each root element.
var kinds = map[string]func() Document{
	"dialTemplate":          func() Document { return new(DialTemplate) },
	"softKeyCfg":            func() Document { return new(SoftKeys) },
	"featurePolicy":         func() Document { return new(FeaturePolicy) },
	"CiscoIPPhoneRingList":  func() Document { return new(RingList) },
	"CiscoIPPhoneImageList": func() Document { return new(ImageList) },
	"CiscoIPPhoneMenu":      func() Document { return new(Menu) },
	"CiscoIPPhoneText":      func() Document { return new(Text) },
	"CiscoIPPhoneDirectory": func() Document { return new(Directory) },
	"CiscoIPPhoneInput":     func() Document { return new(Input) },
	"CiscoIPPhoneExecute":   func() Document { return new(Execute) },
	"CiscoIPPhoneError":     func() Document { return new(Failure) },
}

// Parse reads a document; which it is its root element says.
func Parse(b []byte) (Document, error) {
	if len(b) > MaxSize {
		return nil, fmt.Errorf("phonexml: file of %d bytes exceeds %d", len(b), MaxSize)
	}
	root, err := check(b)
	if err != nil {
		return nil, fmt.Errorf("phonexml: %w", err)
	}
	make, ok := kinds[root]
	if !ok {
		return nil, fmt.Errorf("phonexml: root element is %q, which is no phone's", root)
	}
	document := make()
	if err := xml.Unmarshal(b, document); err != nil {
		return nil, fmt.Errorf("phonexml: %s: %w", root, err)
	}
	return document, nil
}

// check walks through the whole text, also what comes behind the root, and returns the root's name.
func check(b []byte) (root string, err error) {
	decoder := xml.NewDecoder(bytes.NewReader(b))
	depth := 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth == 0 && root != "" {
				return "", fmt.Errorf("a second root element %q", token.Name.Local)
			}
			if depth++; root == "" {
				root = token.Name.Local
			}
			names := []xml.Name{token.Name}
			for _, attribute := range token.Attr {
				names = append(names, attribute.Name)
			}
			for _, name := range names {
				if name.Space != "" || name.Local == "xmlns" || strings.Contains(name.Local, ":") {
					return "", fmt.Errorf("line %d: the name %q has a prefix, or belongs to a name space", lineOf(decoder), name.Local)
				}
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(token)) > 0 {
				return "", errors.New("text outside of the root element")
			}
		case xml.Directive:
			return "", errors.New("a document type, which phones do not read")
		}
	}
	if root == "" {
		return "", errors.New("holds no element")
	}
	return root, nil
}

func lineOf(decoder *xml.Decoder) int {
	line, _ := decoder.InputPos()
	return line
}

// Bytes writes a document as a file.
func Bytes(document Document) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(xml.Header)
	encoder := xml.NewEncoder(&out)
	encoder.Indent("", "  ")
	if err := encoder.EncodeElement(document, xml.StartElement{Name: xml.Name{Local: document.root()}}); err != nil {
		return nil, fmt.Errorf("phonexml: %s: %w", document.root(), err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// Unknown is an element without a field, kept as it stands.
type Unknown struct {
	XMLName    xml.Name
	Attributes []xml.Attr `xml:",any,attr"`
	Inner      string     `xml:",innerxml"`
}

// Rest is what a part holds besides its fields.
type Rest struct {
	Attributes []xml.Attr `xml:",any,attr"`
	Elements   []Unknown  `xml:",any"`
}

// Number is a whole number in an element or attribute.
type Number int

// UnmarshalXMLAttr reads an attribute.
func (n *Number) UnmarshalXMLAttr(attribute xml.Attr) error {
	return n.set(attribute.Name.Local, attribute.Value)
}

// UnmarshalXML reads an element.
func (n *Number) UnmarshalXML(decoder *xml.Decoder, start xml.StartElement) error {
	var text string
	if err := decoder.DecodeElement(&text, &start); err != nil {
		return err
	}
	return n.set(start.Name.Local, text)
}

func (n *Number) set(name, text string) error {
	value, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return fmt.Errorf("%s: %q is not a number", name, text)
	}
	*n = Number(value)
	return nil
}

// Truth is true or false; 1 and 0 are read, too.
type Truth bool

// UnmarshalXML reads an element.
func (b *Truth) UnmarshalXML(decoder *xml.Decoder, start xml.StartElement) error {
	var text string
	if err := decoder.DecodeElement(&text, &start); err != nil {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "1":
		*b = true
	case "false", "0":
		*b = false
	default:
		return fmt.Errorf("%s: %q is neither true nor false", start.Name.Local, text)
	}
	return nil
}

package cnf

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/beevik/etree"
)

// MaxSize bounds a file that is read, in bytes. What phones themselves take is not published.
const MaxSize = 1 << 20

// The root elements.
const (
	rootDevice  = "device"
	rootDefault = "Default"
)

// ErrDefault: the document is an XMLDefault.cnf.xml. The server does not know the phone that it was
// given to.
var ErrDefault = errors.New("cnf: the file is the default for unknown phones, not a phone's own")

// Parse reads the file of one phone. Elements it has no field for are kept for Bytes; a missing vpnGroup
// or sipProfile is a nil field; elements that hold another kind of value than they should are refused,
// with their path.
func Parse(b []byte) (*Device, error) {
	doc, root, err := read(b)
	if err != nil {
		return nil, err
	}
	switch root.Tag {
	case rootDevice:
	case rootDefault:
		return nil, ErrDefault
	default:
		return nil, fmt.Errorf("cnf: root element is %q, not %q", root.Tag, rootDevice)
	}
	d := &Device{doc: doc}
	w := &walk{direction: &direction{}, name: rootDevice, el: root}
	d.layout(w)
	if w.err != nil {
		return nil, w.err
	}
	return d, nil
}

// ParseDefault reads XMLDefault.cnf.xml.
func ParseDefault(b []byte) (*Default, error) {
	doc, root, err := read(b)
	if err != nil {
		return nil, err
	}
	if root.Tag != rootDefault {
		return nil, fmt.Errorf("cnf: root element is %q, not %q", root.Tag, rootDefault)
	}
	d := &Default{doc: doc}
	w := &walk{direction: &direction{}, name: rootDefault, el: root}
	d.layout(w)
	return d, w.err
}

func read(b []byte) (*etree.Document, *etree.Element, error) {
	if len(b) > MaxSize {
		return nil, nil, fmt.Errorf("cnf: file of %d bytes exceeds %d", len(b), MaxSize)
	}
	doc := etree.NewDocument()
	doc.ReadSettings.PreserveCData = true
	doc.ReadSettings.CharsetReader = charset
	if err := doc.ReadFromBytes(b); err != nil {
		return nil, nil, fmt.Errorf("cnf: %w", cmp.Or(syntaxError(b), err))
	}
	declareUTF8(doc)
	root := doc.Root()
	if root == nil {
		return nil, nil, errors.New("cnf: file holds no element")
	}
	return doc, root, nil
}

// charset reads what is not UTF-8. Older files are Latin-1; what we write is UTF-8 always.
func charset(label string, input io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "utf-8", "us-ascii", "ascii":
		return input, nil
	case "iso-8859-1", "latin1":
		b, err := io.ReadAll(input)
		text := make([]rune, len(b))
		for i, c := range b {
			text[i] = rune(c)
		}
		return strings.NewReader(string(text)), err
	}
	return nil, fmt.Errorf("encoding %q is not read; UTF-8 and ISO-8859-1 are", label)
}

// syntaxError returns what is wrong with XML, with its line.
func syntaxError(b []byte) error {
	decoder := xml.NewDecoder(bytes.NewReader(b))
	decoder.CharsetReader = charset
	for {
		switch _, err := decoder.Token(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

func declareUTF8(doc *etree.Document) {
	for _, token := range doc.Child {
		if declaration, ok := token.(*etree.ProcInst); ok && declaration.Target == "xml" {
			declaration.Inst = otherEncoding.ReplaceAllString(declaration.Inst, `encoding="UTF-8"`)
		}
	}
}

var otherEncoding = regexp.MustCompile(`encoding=["'](?i:iso-8859-1|latin1|us-ascii|ascii)["']`)

// Bytes returns the file as XML. A Device that was read comes back with everything it held and only the
// changed fields different. It refuses lists longer than phones take.
func (d *Device) Bytes() ([]byte, error) {
	if err := d.limits(); err != nil {
		return nil, err
	}
	return write(d.doc, rootDevice, d.layout)
}

func (d *Device) limits() error {
	if n := len(d.Pool.CallManagers); n > MaxCallManagers {
		return fmt.Errorf("cnf: %d call managers exceed %d", n, MaxCallManagers)
	}
	if d.VPN == nil {
		return nil
	}
	if n := len(d.VPN.CertificateHashes); n > MaxHashes {
		return fmt.Errorf("cnf: %d certificate hashes exceed %d", n, MaxHashes)
	}
	if n := len(d.VPN.URLs); n > MaxURLs {
		return fmt.Errorf("cnf: %d gateway URLs exceed %d", n, MaxURLs)
	}
	for _, url := range d.VPN.URLs {
		if len(url) > MaxURL {
			return fmt.Errorf("cnf: gateway URL of %d characters exceeds %d", len(url), MaxURL)
		}
	}
	return nil
}

// Bytes returns the file as XML, in the way of Device.Bytes.
func (d *Default) Bytes() ([]byte, error) {
	if n := len(d.CallManagers); n > MaxCallManagers {
		return nil, fmt.Errorf("cnf: %d call managers exceed %d", n, MaxCallManagers)
	}
	return write(d.doc, rootDefault, d.layout)
}

func write(read *etree.Document, rootName string, layout func(*walk)) ([]byte, error) {
	doc := newDocument(rootName)
	if read != nil {
		doc = read.Copy()
	}
	layout(&walk{direction: &direction{writing: true, all: read == nil}, name: rootName, el: doc.Root()})
	if read == nil {
		doc.Indent(2)
	}
	b, err := doc.WriteToBytes()
	if err != nil {
		return nil, fmt.Errorf("cnf: %w", err)
	}
	return b, nil
}

func newDocument(rootName string) *etree.Document {
	doc := etree.NewDocument()
	doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	doc.CreateElement(rootName)
	return doc
}

// Stamp sets VersionStamp from the rest of the file, and from the stamps of the files that it names: equal
// content has an equal stamp, any change gives another.
func (d *Device) Stamp(companions ...string) error {
	d.VersionStamp = ""
	b, err := d.Bytes()
	if err != nil {
		return err
	}
	for _, companion := range companions {
		b = append(b, companion...)
	}
	d.VersionStamp = StampOf(b)
	return nil
}

// Stamp sets VersionStamp in the way of Device.Stamp.
func (d *Default) Stamp() error {
	d.VersionStamp = ""
	b, err := d.Bytes()
	if err != nil {
		return err
	}
	d.VersionStamp = StampOf(b)
	return nil
}

// StampOf returns the version stamp of a content. Phones take any text; ours has the form of a GUID, as
// call managers write it.
func StampOf(b []byte) string {
	sum := sha256.Sum256(b)
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

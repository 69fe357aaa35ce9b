// Package cucm reads what CUCM exports of its phones: lists as CSV, as Bulk Administration writes them, and
// AXL documents.
//
// Columns and elements are found by their names, without case; what is not known here is passed over.
// Sources: docs/wire/foreign-settings.md#cucm.
package cucm

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Limits of what is read.
const (
	MaxSize  = 64 << 20 // bytes
	maxRows  = 100_000
	maxDepth = 64
	maxLines = 300 // of one phone
)

// Phone is a phone of CUCM's.
type Phone struct {
	Line               int // of the file, 1-based
	Name               string
	Description        string
	Model              string // such as Cisco 8861
	Protocol           string // SIP or SCCP
	Load               string
	CommonPhoneProfile string
	DevicePool         string
	Lines              []PhoneLine
}

// PhoneLine is a line of a phone, in button order.
type PhoneLine struct {
	Index          int
	Number         string
	Display, Label string
}

// VPNGateway is a VPN gateway with the names of its certificates.
type VPNGateway struct {
	Line         int
	Name, URL    string
	Certificates []string
}

// VPNGroup is a VPN group with its gateways by priority.
type VPNGroup struct {
	Line     int
	Name     string
	Gateways []string
}

// VPNProfile is a VPN profile; empty texts are what AXL does not say.
type VPNProfile struct {
	Line                 int
	Name                 string
	MTU, FailToConnect   string
	AutoNetworkDetection string
	ClientAuthentication string
	PasswordPersistence  string
	EnableHostIDCheck    string
}

// CommonPhoneProfile is a common phone profile.
type CommonPhoneProfile struct {
	Line                       int
	Name, VPNGroup, VPNProfile string
}

// Export is everything in a file.
type Export struct {
	Phones   []Phone
	Gateways []VPNGateway
	Groups   []VPNGroup
	Profiles []VPNProfile
	Commons  []CommonPhoneProfile
}

// ErrNoPhones: the table's headings name no column of device names or MAC addresses.
var ErrNoPhones = errors.New("cucm: no column is called Device Name or MAC Address")

// numbered matches columns that stand once for each line, such as "Directory Number 2".
var numbered = regexp.MustCompile(`^(.*[a-z]) ([0-9]{1,3})$`)

// ParseTable reads a list of phones with its headings.
func ParseTable(text []byte) (*Export, error) {
	if len(text) > MaxSize {
		return nil, fmt.Errorf("cucm: has %d bytes; at most %d are read", len(text), MaxSize)
	}
	rows := csv.NewReader(bytes.NewReader(text))
	rows.FieldsPerRecord, rows.LazyQuotes = -1, true
	head, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("cucm: headings: %w", err)
	}
	for i := range head {
		head[i] = strings.ToLower(strings.Join(strings.Fields(strings.TrimPrefix(head[i], "\ufeff")), " "))
	}
	if !slices.Contains(head, "device name") && !slices.Contains(head, "mac address") {
		return nil, ErrNoPhones
	}
	e := new(Export)
	for range maxRows {
		row, err := rows.Read()
		if err == io.EOF {
			return e, nil
		}
		if err != nil {
			return nil, fmt.Errorf("cucm: %w", err)
		}
		line, _ := rows.FieldPos(0)
		if p := phoneOf(head, row); p.Name != "" {
			p.Line = line
			e.Phones = append(e.Phones, p)
		}
	}
	return nil, fmt.Errorf("cucm: has more than %d rows", maxRows)
}

func phoneOf(head, row []string) (p Phone) {
	lines := map[int]*PhoneLine{}
	for i, value := range row[:min(len(row), len(head))] {
		value = strings.TrimSpace(value)
		if value == "" {
			continue
		}
		switch head[i] {
		case "device name", "mac address":
			p.Name = deviceName(value)
		case "description":
			p.Description = value
		case "device type", "model", "phone model", "product":
			p.Model = value
		case "device protocol", "protocol":
			p.Protocol = value
		case "phone load name", "load information", "phone load":
			p.Load = value
		case "common phone profile":
			p.CommonPhoneProfile = value
		case "device pool":
			p.DevicePool = value
		}
		if m := numbered.FindStringSubmatch(head[i]); m != nil {
			numberedCell(lines, m[1], m[2], value)
		}
	}
	for n := 1; n <= maxLines; n++ {
		if l := lines[n]; l != nil && l.Number != "" {
			p.Lines = append(p.Lines, *l)
		}
	}
	return p
}

func numberedCell(lines map[int]*PhoneLine, column, digits, value string) {
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > maxLines {
		return
	}
	if lines[n] == nil {
		lines[n] = &PhoneLine{Index: n}
	}
	switch column {
	case "directory number":
		lines[n].Number = value
	case "display", "ascii display":
		if lines[n].Display == "" {
			lines[n].Display = value
		}
	case "line text label":
		lines[n].Label = value
	}
}

// deviceName puts SEP before a bare MAC address.
func deviceName(text string) string {
	text = strings.ToUpper(strings.NewReplacer(":", "", "-", "", ".", "").Replace(text))
	if len(text) == 12 && strings.Trim(text, "0123456789ABCDEF") == "" {
		return "SEP" + text
	}
	return text
}

// ParseAXL reads an AXL document: answers of get and list requests, in any envelope.
func ParseAXL(text []byte) (*Export, error) {
	if len(text) > MaxSize {
		return nil, fmt.Errorf("cucm: has %d bytes; at most %d are read", len(text), MaxSize)
	}
	p := &axlParser{decoder: xml.NewDecoder(bytes.NewReader(text)), export: new(Export)}
	begun := false
	for {
		token, err := p.decoder.Token()
		if err == io.EOF && begun {
			return p.export, nil
		}
		if err != nil {
			return nil, fmt.Errorf("cucm: %w", err)
		}
		if start, ok := token.(xml.StartElement); ok {
			begun = true
			if err := p.object(start); err != nil {
				return nil, err
			}
		}
	}
}

type axlParser struct {
	decoder *xml.Decoder
	export  *Export
}

// node is an element with what is in it.
type node struct {
	name     string
	text     string
	children []*node
}

func (n *node) child(name string) *node {
	for _, c := range n.children {
		if strings.EqualFold(c.name, name) {
			return c
		}
	}
	return &node{}
}

// all returns every element of a name below.
func (n *node) all(name string) (found []*node) {
	for _, c := range n.children {
		if strings.EqualFold(c.name, name) {
			found = append(found, c)
			continue
		}
		found = append(found, c.all(name)...)
	}
	return found
}

// object takes an element that is one of the objects; others are gone through.
func (p *axlParser) object(start xml.StartElement) error {
	line, _ := p.decoder.InputPos()
	switch start.Name.Local {
	case "phone", "vpnGateway", "vpnGroup", "vpnProfile", "commonPhoneConfig":
	default:
		return nil
	}
	n, err := p.node(start, 0)
	if err != nil {
		return err
	}
	name := n.child("name").text
	switch {
	case name == "": // an answer of a list, or a reference
	case start.Name.Local == "phone":
		p.export.Phones = append(p.export.Phones, axlPhone(n, line))
	case start.Name.Local == "vpnGateway":
		g := VPNGateway{Line: line, Name: name, URL: n.child("url").text}
		for _, c := range n.all("certificateName") {
			g.Certificates = append(g.Certificates, c.text)
		}
		p.export.Gateways = append(p.export.Gateways, g)
	case start.Name.Local == "vpnGroup":
		g := VPNGroup{Line: line, Name: name}
		for _, member := range n.all("vpnGatewayName") {
			g.Gateways = append(g.Gateways, member.text)
		}
		p.export.Groups = append(p.export.Groups, g)
	case start.Name.Local == "vpnProfile":
		p.export.Profiles = append(p.export.Profiles, VPNProfile{
			Line: line, Name: name, MTU: n.child("mtu").text, FailToConnect: n.child("failToConnect").text, AutoNetworkDetection: n.child("autoNetworkDetection").text,
			ClientAuthentication: n.child("clientAuthentication").text, PasswordPersistence: n.child("pwdPersistant").text, EnableHostIDCheck: n.child("enableHostIdCheck").text,
		})
	default:
		p.export.Commons = append(p.export.Commons, CommonPhoneProfile{Line: line, Name: name, VPNGroup: n.child("vpnGroupName").text, VPNProfile: n.child("vpnProfileName").text})
	}
	return nil
}

func axlPhone(n *node, line int) Phone {
	phone := Phone{
		Line: line, Name: deviceName(n.child("name").text), Description: n.child("description").text, Model: n.child("product").text, Protocol: n.child("protocol").text,
		Load: n.child("loadInformation").text, CommonPhoneProfile: n.child("commonPhoneConfigName").text, DevicePool: n.child("devicePoolName").text,
	}
	for _, l := range n.child("lines").all("line") {
		index, err := strconv.Atoi(l.child("index").text)
		number := l.child("dirn").child("pattern").text
		if err != nil || number == "" || len(phone.Lines) == maxLines {
			continue
		}
		phone.Lines = append(phone.Lines, PhoneLine{Index: index, Number: strings.TrimPrefix(number, `\`), Display: l.child("display").text, Label: l.child("label").text})
	}
	slices.SortStableFunc(phone.Lines, func(a, b PhoneLine) int { return a.Index - b.Index })
	return phone
}

func (p *axlParser) node(start xml.StartElement, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, errors.New("cucm: elements are nested too deep")
	}
	n := &node{name: start.Name.Local}
	for {
		token, err := p.decoder.Token()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, fmt.Errorf("cucm: %w", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			child, err := p.node(token, depth+1)
			if err != nil {
				return nil, err
			}
			n.children = append(n.children, child)
		case xml.CharData:
			n.text += string(bytes.TrimSpace(token))
		case xml.EndElement:
			return n, nil
		}
	}
}

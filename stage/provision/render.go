package provision

import (
	"errors"
	"fmt"
	"strings"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/cnf"
)

// Renderer makes phones' files out of an inventory.
type Renderer struct {
	// CallManagers are named to phones whose site names none: host or host:port, in order.
	CallManagers []string
	// NTPServers are named to phones whose site names none. May be empty.
	NTPServers []string
	// Trust is where phones ask about certificates (TVS) and get their own (CAPF). Empty: nowhere.
	Trust string
	// EnrolMode is a device's capfAuthMode; nil: 0, nothing to do.
	EnrolMode func(device string) int
}

// What a phone gets where its site says nothing. The names are CUCM's.
const (
	defaultDateTemplate = "D/M/Y"
	defaultTimeZone     = "Greenwich Standard Time"
)

// File is a rendered file.
type File struct {
	Name         string // as phones spell it
	Device       string // whose it is; empty for files that are not one phone's
	Fallback     bool   // counts only where the operator's folder has no file of the name
	VersionStamp string
	Hashes       []string // certHash elements: the gateways' certificates that a phone with this file believes
	Content      []byte
}

// File renders the file of this name, which Clean has passed. Letter case does not matter. It returns
// ErrNotFound for a device that is not in the inventory and for names that are no rendered file: trust
// lists and signed files among them, which this server does not make, so that phones ask for plain ones.
func (r Renderer) File(set *inventory.Set, name string) (File, error) {
	if strings.EqualFold(name, DefaultFile) {
		return r.defaultFile(set)
	}
	if made, ok, err := companion(set, name); ok || err != nil {
		return made, err
	}
	wanted, ok := configOf(name)
	if !ok {
		return File{}, fmt.Errorf("%w: %q", ErrNotFound, name)
	}
	device, ok := set.Devices[wanted]
	if !ok {
		return File{}, fmt.Errorf("%w: %q: no device %s", ErrNotFound, name, wanted)
	}
	doc, err := r.Device(set, device)
	if err != nil {
		return File{}, fmt.Errorf("provision: file of %s: %w", wanted, err)
	}
	content, err := doc.Bytes()
	if err != nil {
		return File{}, fmt.Errorf("provision: file of %s: %w", wanted, err)
	}
	made := File{Name: ConfigFile(wanted), Device: wanted, VersionStamp: doc.VersionStamp, Content: content}
	if doc.VPN != nil {
		made.Hashes = doc.VPN.CertificateHashes
	}
	return made, nil
}

// Device returns the stamped configuration of a device.
func (r Renderer) Device(set *inventory.Set, device *inventory.Device) (*cnf.Device, error) {
	site := inventory.Site{}
	if s, ok := set.Sites[device.Site]; ok {
		site = *s
	}
	doc, err := r.fresh(set, device, site)
	if err != nil {
		return nil, err
	}
	if template, ok := set.TemplateFor(device); ok {
		file, err := template.Parse()
		if err != nil {
			return nil, fmt.Errorf("template %q: %w", template.Name, err)
		}
		adopt(file, doc, set, site, device)
		doc = file
	}
	if len(doc.Pool.CallManagers) == 0 {
		return nil, errors.New("no call manager is named")
	}
	r.enrolment(doc, device.Name)
	return doc, doc.Stamp(companionStamps(set, doc)...)
}

// enrolment tells a phone whom to ask about certificates and whether it is to get one of its own.
func (r Renderer) enrolment(doc *cnf.Device, device string) {
	if r.Trust == "" {
		return
	}
	doc.TVS, doc.CAPF, doc.CAPFAuthMode = []cnf.TVSServer{{Host: r.Trust}}, []cnf.CAPF{{Host: r.Trust}}, 0
	if r.EnrolMode != nil {
		doc.CAPFAuthMode = r.EnrolMode(device)
	}
}

// fresh is the configuration that owes nothing to a template.
func (r Renderer) fresh(set *inventory.Set, device *inventory.Device, site inventory.Site) (*cnf.Device, error) {
	pool, err := r.pool(site)
	if err != nil {
		return nil, err
	}
	vpn, err := vpnGroup(set, device)
	if err != nil {
		return nil, err
	}
	model, _ := set.Model(device.Model)
	profile := inventory.CommonPhoneProfile{}
	if p, ok := set.CommonPhoneProfiles[device.CommonPhoneProfile]; ok {
		profile = *p
	}
	doc := &cnf.Device{
		Protocol: cnf.SIP, Pool: pool, VPN: vpn, Load: set.LoadFor(device),
		Vendor:       vendorConfig(vpn != nil, profile, device),
		SecurityMode: notSecured, Transport: cnf.TCP,
	}
	shared(doc, set, device, site, profile, model)
	if strings.EqualFold(device.Protocol, string(cnf.SCCP)) {
		doc.Protocol, doc.Transport = cnf.SCCP, cnf.SCCPTransport
		doc.SCCPMarks = &cnf.SCCPMarks{PhoneConfig: 104, CallManager: 184}
		return doc, nil
	}
	doc.SIPProfile, err = sipProfile(set, device, profile, model)
	companions(doc, profile, model)
	return doc, err
}

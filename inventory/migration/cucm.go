package migration

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/cucm"
)

// CUCMOptions are what an export does not say.
type CUCMOptions struct {
	// NewSecrets gives each line a secret of its own, to register here. Without it lines have none, as at
	// CUCM, and phones register where they did.
	NewSecrets bool
}

// CUCM makes an inventory of lists of phones (CSV, or a TAR of them), of AXL documents, and of the
// certificates of Phone-VPN-trust.
func CUCM(sources []Source, o CUCMOptions) (Result, error) {
	m := &cucmMigration{builder: newBuilder(), options: o, files: map[string]*cucm.Export{}, pools: map[string]bool{}}
	for _, s := range sources {
		if err := m.source(s); err != nil {
			return Result{}, err
		}
	}
	if len(m.order) == 0 {
		return Result{}, errors.New("no file is a list of phones (CSV with headings, or a TAR of them) or an AXL document")
	}
	for _, name := range m.order {
		m.vpn(name, m.files[name])
	}
	for _, name := range m.order {
		for _, p := range m.files[name].Phones {
			m.phone(name, p)
		}
	}
	return m.result(), nil
}

type cucmMigration struct {
	*builder
	options      CUCMOptions
	certificates certificates
	files        map[string]*cucm.Export
	order        []string
	unpacking    bool
	pools        map[string]bool // device pools that were remarked on
}

// maxUnpacked bounds what comes out of an archive, in bytes.
const maxUnpacked = 256 << 20

func (m *cucmMigration) source(s Source) error {
	content := bytes.TrimSpace(s.Content)
	document := bytes.HasPrefix(content, []byte("<"))
	if !document {
		if taken, err := m.certificates.take(m.builder, s, secret.String{}); taken || err != nil {
			return err
		}
	}
	const magic, at = "ustar", 257
	if len(s.Content) > at+len(magic) && string(s.Content[at:at+len(magic)]) == magic {
		if m.unpacking {
			m.remark(Other, position{file: s.Name, text: baseName(s.Name)}, "an archive in an archive is not looked into")
			return nil
		}
		m.unpacking = true
		defer func() { m.unpacking = false }()
		return m.archive(s)
	}
	var export *cucm.Export
	var err error
	if document {
		export, err = cucm.ParseAXL(s.Content)
	} else {
		export, err = cucm.ParseTable(s.Content)
	}
	if errors.Is(err, cucm.ErrNoPhones) {
		m.remark(Other, position{file: s.Name, text: baseName(s.Name)}, "is no list of phones")
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	m.files[s.Name] = export
	m.order = append(m.order, s.Name)
	return nil
}

// archive takes the files of a TAR. Nothing is written anywhere.
func (m *cucmMigration) archive(s Source) error {
	in := tar.NewReader(bytes.NewReader(s.Content))
	total := 0
	for {
		head, err := in.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		if head.Typeflag != tar.TypeReg {
			continue
		}
		content, err := io.ReadAll(io.LimitReader(in, maxUnpacked+1))
		if err != nil {
			return fmt.Errorf("%s: %s: %w", s.Name, head.Name, err)
		}
		if total += len(content); total > maxUnpacked {
			return fmt.Errorf("%s: holds more than %d MiB", s.Name, maxUnpacked>>20)
		}
		if err := m.source(Source{Name: s.Name + "/" + head.Name, Content: content}); err != nil {
			return err
		}
	}
}

func (m *cucmMigration) vpn(name string, e *cucm.Export) {
	for _, g := range e.Gateways {
		at := position{name, g.Line, "vpnGateway " + g.Name}
		certificates := m.certificatesFor(g.URL)
		if len(certificates) == 0 {
			m.remark(Lost, at, "no certificate for %s is among the files: get it from Phone-VPN-trust", g.URL)
			continue
		}
		m.add(&inventory.VPNGateway{Name: g.Name, URL: g.URL, Certificates: certificates}, at)
	}
	for _, g := range e.Groups {
		m.add(&inventory.VPNGroup{Name: g.Name, Gateways: g.Gateways}, position{name, g.Line, "vpnGroup " + g.Name})
	}
	for _, p := range e.Profiles {
		m.profile(p, position{name, p.Line, "vpnProfile " + p.Name})
	}
	for _, c := range e.Commons {
		m.add(&inventory.CommonPhoneProfile{Name: c.Name, VPNGroup: c.VPNGroup, VPNProfile: c.VPNProfile}, position{name, c.Line, "commonPhoneConfig " + c.Name})
	}
}

// certificatesFor returns those that name a URL's host; which of Phone-VPN-trust a gateway has CUCM says by
// names that no file holds.
func (m *cucmMigration) certificatesFor(url string) (names []string) {
	host, _, _ := strings.Cut(strings.TrimPrefix(url, "https://"), "/")
	host, _, _ = strings.Cut(host, ":")
	for _, f := range m.certificates.found {
		if f.leaf.VerifyHostname(host) != nil && !strings.EqualFold(f.leaf.Subject.CommonName, host) && !f.leaf.IsCA {
			continue
		}
		f.key = secret.String{} // whose gateway it is does not follow from here
		names = append(names, f.declare(m.builder))
	}
	return names
}

func (m *cucmMigration) profile(p cucm.VPNProfile, at position) {
	o := &inventory.VPNProfile{Name: p.Name}
	o.AutoNetworkDetection, o.PasswordPersistence, o.EnableHostIDCheck = said(p.AutoNetworkDetection), said(p.PasswordPersistence), said(p.EnableHostIDCheck)
	m.number(&o.MTU, p.MTU, at)
	m.number(&o.FailToConnect, p.FailToConnect, at)
	switch method := strings.ToLower(p.ClientAuthentication); {
	case strings.HasPrefix(method, "certificate"):
		o.ClientAuthentication = inventory.ByCertificate
	case strings.HasPrefix(method, "password"):
		o.ClientAuthentication = inventory.PasswordOnly
	case method != "":
		o.ClientAuthentication = inventory.UserAndPassword
	}
	m.add(o, at)
}

func said(text string) *bool {
	if text == "" {
		return nil
	}
	return ptr(text == "true" || text == "t")
}

func (m *cucmMigration) number(field **int, text string, at position) {
	if text == "" {
		return
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		m.remark(Lost, at, "%q is no number", text)
		return
	}
	*field = ptr(n)
}

func (m *cucmMigration) phone(file string, p cucm.Phone) {
	at := position{file, p.Line, p.Name}
	bare := strings.TrimSpace(strings.TrimPrefix(p.Model, "Cisco"))
	model, known := inventory.ModelByName(bare)
	switch {
	case !strings.HasPrefix(p.Name, "SEP"):
		m.remark(Lost, at, "is no phone: phones' names begin with SEP")
		return
	case !known:
		m.remark(Lost, at, "%q is no model known here", p.Model)
		return
	}
	d := &inventory.Device{Name: p.Name, Description: p.Description, Model: model.Name, Load: p.Load, Protocol: protocolOf(p.Protocol)}
	m.commonProfile(d, model, p.CommonPhoneProfile, at)
	if p.DevicePool != "" && !m.pools[p.DevicePool] {
		m.pools[p.DevicePool] = true
		m.remark(Changed, at, "the device pool %s is left out: a Site says where it registers and what time it is", p.DevicePool)
	}
	for _, l := range p.Lines {
		if slices.Contains(d.Lines, l.Number) {
			continue
		}
		d.Lines = append(d.Lines, l.Number)
		if m.set.Lines[l.Number] == nil {
			line := &inventory.Line{Name: l.Number, DisplayName: cmpText(l.Display, l.Label)}
			if m.options.NewSecrets {
				line.Secret = secret.New(rand.Text())
			}
			m.add(line, at)
		}
	}
	m.add(d, at)
}

// protocolOf finds SIP or SCCP in CUCM's word for it.
func protocolOf(text string) string {
	if strings.Contains(strings.ToUpper(text), inventory.SCCP) {
		return inventory.SCCP
	}
	return inventory.SIP
}

// commonProfile gives a device its profile, unless it has VPN and the model cannot.
func (m *cucmMigration) commonProfile(d *inventory.Device, model inventory.Model, name string, at position) {
	if name == "" {
		return
	}
	profile := m.set.CommonPhoneProfiles[name]
	if profile == nil {
		m.add(&inventory.CommonPhoneProfile{Name: name}, at)
		m.remark(Changed, at, "what the common phone profile %s says, VPN group included, is not among the files: give the AXL document, or import sep", name)
		profile = m.set.CommonPhoneProfiles[name]
	}
	if profile.VPNGroup != "" && !model.VPN {
		m.remark(Changed, at, "is without common phone profile: %s has a VPN group, and %s no VPN client", name, model.Name)
		return
	}
	d.CommonPhoneProfile = name
}

package migration

import (
	"cmp"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/tlv"
)

// SEPOptions are what phones' files do not say.
type SEPOptions struct {
	Models     map[string]string // by device name; empty name: of all others. Without one the load is asked
	Passphrase secret.String     // of PKCS#12 files
}

// SEP makes an inventory of phones' files, SEP….cnf.xml, and of the certificates whose hashes stand in them.
// Each file becomes its device's template, so that everything in it stays.
func SEP(sources []Source, o SEPOptions) (Result, error) {
	m := &sepMigration{builder: newBuilder(), options: o, pinned: map[string][]string{}}
	for _, s := range sources {
		if err := m.source(s); err != nil {
			return Result{}, err
		}
	}
	if len(m.phones) == 0 {
		return Result{}, errors.New("no file is a phone's: give SEP….cnf.xml files, or the folder that they are in")
	}
	if err := m.gateways(); err != nil {
		return Result{}, err
	}
	for _, p := range m.phones {
		m.device(p)
	}
	return m.result(), nil
}

type sepMigration struct {
	*builder
	options      SEPOptions
	certificates certificates
	phones       []sepPhone
	pinned       map[string][]string // hashes by URL, of all files together
	urls         []string            // in the order of finding
	profiles     []sepProfile
}

type sepPhone struct {
	name string
	file *cnf.Device
	text string
	from position
}

// sepProfile is what phones are told about VPN, as many as there are different ones.
type sepProfile struct {
	name string
	vpn  cnf.VPNGroup
}

var sepFile = regexp.MustCompile(`(?i)^(SEP[0-9A-F]{12})\.cnf\.xml(\.enc)?(\.sgn)?$`)

// content is what a phone's file says, signed or not. Who signed it does not matter here.
func content(s Source, encrypted, signed bool) ([]byte, error) {
	if !signed {
		return s.Content, nil
	}
	file, err := tlv.Parse(s.Content)
	switch {
	case err != nil:
		return nil, err
	case encrypted:
		return nil, errors.New("it is encrypted for its phone: take the plain file, from where the call manager made it")
	}
	return file.Content, nil
}

func (m *sepMigration) source(s Source) error {
	at := position{file: s.Name}
	base := path.Base(strings.ReplaceAll(s.Name, `\`, "/"))
	name := sepFile.FindStringSubmatch(base)
	if name == nil {
		taken, err := m.certificates.take(m.builder, s, m.options.Passphrase)
		if err == nil && !taken {
			m.remark(Other, position{file: s.Name, text: base}, "neither a phone's file nor a certificate")
		}
		return err
	}
	text, err := content(s, name[2] != "", name[3] != "")
	var file *cnf.Device
	if err == nil {
		file, err = cnf.Parse(text)
	}
	if err != nil {
		m.remark(Lost, at, "%v", err)
		return nil
	}
	phone := sepPhone{name: strings.ToUpper(name[1]), file: file, text: string(text), from: at}
	if i := slices.IndexFunc(m.phones, func(p sepPhone) bool { return p.name == phone.name }); i >= 0 {
		m.remark(Lost, at, "%s is there already, from %s", phone.name, m.phones[i].from.file)
		return nil
	}
	m.phones = append(m.phones, phone)
	m.pin(file.VPN)
	return nil
}

// pin gathers which hashes phones know at which URL.
func (m *sepMigration) pin(vpn *cnf.VPNGroup) {
	if vpn == nil {
		return
	}
	for _, url := range vpn.URLs {
		if _, seen := m.pinned[url]; !seen {
			m.urls = append(m.urls, url)
			m.pinned[url] = nil
		}
		for _, hash := range vpn.CertificateHashes {
			if !slices.Contains(m.pinned[url], hash) {
				m.pinned[url] = append(m.pinned[url], hash)
			}
		}
	}
}

// gateways declares the gateways with those of the certificates whose hashes phones know. One of which no
// certificate is there is refused: without it phones would get a file that leads nowhere.
func (m *sepMigration) gateways() error {
	var missing []string
	for _, url := range m.urls {
		o := &inventory.VPNGateway{Name: gatewayName(url), URL: url}
		for _, hash := range m.pinned[url] {
			f := m.byHash(hash)
			if f == nil {
				m.remark(Lost, position{file: m.firstWith(hash)}, "the certificate with the hash %s is not among the files, so phones are not told of it any more", hash)
				continue
			}
			f.key = secret.String{} // whose gateway it is does not follow from phones' files
			o.Certificates = append(o.Certificates, f.declare(m.builder))
		}
		if len(o.Certificates) == 0 {
			missing = append(missing, fmt.Sprintf("%s: of %s no certificate is among the files; phones know the hashes %s", m.firstWith(m.pinned[url]...), url, strings.Join(m.pinned[url], " ")))
			continue
		}
		o.Certificates = m.ownFirst(o)
		m.add(o, position{file: m.firstWith(m.pinned[url]...)})
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%s\ngive the gateway's certificate along with the files: openssl s_client -connect HOST:443 </dev/null | openssl x509 >gateway.pem", strings.Join(missing, "\n"))
}

func (m *sepMigration) byHash(hash string) *found {
	for _, f := range m.certificates.found {
		if hashOf(f.leaf) == hash {
			return f
		}
		for _, issuer := range f.chain[1:] { // phones may know a gateway by who signed its certificate
			if hashOf(issuer) == hash {
				return m.certificates.add(&found{leaf: issuer, chain: []*x509.Certificate{issuer}, from: f.from})
			}
		}
	}
	return nil
}

func hashOf(c *x509.Certificate) string {
	sum := sha1.Sum(c.Raw)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// ownFirst puts certificates that name the gateway's host before others.
func (m *sepMigration) ownFirst(o *inventory.VPNGateway) []string {
	host, _, _ := strings.Cut(strings.TrimPrefix(o.URL, "https://"), "/")
	host, _, _ = strings.Cut(host, ":")
	names := slices.Clone(o.Certificates)
	slices.SortStableFunc(names, func(a, b string) int {
		return cmp.Compare(m.foreign(a, host), m.foreign(b, host))
	})
	return names
}

// foreign is 0 for a certificate of this host, 1 for another.
func (m *sepMigration) foreign(name, host string) int {
	leaf, err := m.set.Certificates[name].Leaf()
	if err == nil && (leaf.VerifyHostname(host) == nil || strings.EqualFold(leaf.Subject.CommonName, host)) {
		return 0
	}
	return 1
}

// firstWith returns the first file that holds one of the hashes.
func (m *sepMigration) firstWith(hashes ...string) string {
	for _, p := range m.phones {
		if p.file.VPN != nil && slices.ContainsFunc(p.file.VPN.CertificateHashes, func(h string) bool { return slices.Contains(hashes, h) }) {
			return p.from.file
		}
	}
	return ""
}

func (m *sepMigration) device(p sepPhone) {
	model, ok := m.model(p)
	if !ok {
		return
	}
	d := &inventory.Device{Name: p.name, Model: model.Name, Protocol: string(p.file.Protocol), Load: p.file.Load, Template: p.name}
	switch {
	case p.file.VPN == nil || len(p.file.VPN.URLs) == 0:
	case !model.VPN:
		m.remark(Changed, p.from, "its VPN settings stay in its file, but %s has no VPN client", model.Name)
	default:
		d.CommonPhoneProfile = m.profile(p)
	}
	m.lines(d, p)
	m.add(&inventory.PhoneTemplate{Name: p.name, Content: secret.New(p.text)}, p.from)
	m.add(d, p.from)
}

// model finds a phone's model: told, or by its load, which several models may share.
func (m *sepMigration) model(p sepPhone) (inventory.Model, bool) {
	if told := cmp.Or(m.options.Models[p.name], m.options.Models[""]); told != "" {
		model, known := inventory.ModelByName(told)
		if !known {
			model = inventory.Model{Name: told}
		}
		return model, true
	}
	fitting := modelsOfLoad(p.file.Load)
	if len(fitting) == 0 {
		m.remark(Lost, p.from, "its file does not say which model it is, and its load %q does not either: give --model %s=CP-8861", p.file.Load, p.name)
		return inventory.Model{}, false
	}
	chosen := slices.MaxFunc(fitting, func(a, b inventory.Model) int { return a.Lines - b.Lines })
	if len(fitting) > 1 {
		var names []string
		for _, each := range fitting {
			names = append(names, each.Name)
		}
		m.remark(Changed, p.from, "its load %s is of %s: taken for %s; --model %s=MODEL says otherwise", p.file.Load, strings.Join(names, ", "), chosen.Name, p.name)
	}
	return chosen, true
}

// modelsOfLoad returns the models whose loads begin like this one.
func modelsOfLoad(load string) (fitting []inventory.Model) {
	longest := 0
	for _, model := range inventory.NewSet().Models() {
		for _, prefix := range slices.Concat(model.SIPLoads, model.SCCPLoads) {
			if len(load) < len(prefix) || !strings.EqualFold(load[:len(prefix)], prefix) || len(prefix) < longest {
				continue
			}
			if len(prefix) > longest {
				longest, fitting = len(prefix), nil
			}
			if !slices.ContainsFunc(fitting, func(m inventory.Model) bool { return m.Name == model.Name }) {
				fitting = append(fitting, model)
			}
		}
	}
	return fitting
}

// lines declares the phone's lines. Where one is no directory number all stay in the file alone.
func (m *sepMigration) lines(d *inventory.Device, p sepPhone) {
	if p.file.SIPProfile == nil {
		if p.file.Protocol == cnf.SCCP {
			m.remark(Lost, p.from, "files of SCCP loads hold no lines: give the device its lines")
		}
		return
	}
	var lines []*inventory.Line
	for _, button := range p.file.SIPProfile.Lines {
		if button.FeatureID != cnf.FeatureLine || button.Name == "" {
			continue
		}
		line := &inventory.Line{Name: button.Name, DisplayName: cmp.Or(button.FeatureLabel, button.DisplayName), Secret: button.AuthPassword}
		alone := inventory.NewSet()
		alone.Lines[line.Name] = line
		if problems := alone.Validate(); len(problems) > 0 || slices.ContainsFunc(lines, func(l *inventory.Line) bool { return l.Name == line.Name }) {
			m.remark(Changed, p.from, "its lines stay in its file alone: %q is no directory number, or stands there twice", button.Name)
			return
		}
		if button.AuthName != "" && button.AuthName != button.Name {
			m.remark(Changed, p.from, "its lines stay in its file alone: %s logs in as %q, and lines log in by their number here", button.Name, button.AuthName)
			return
		}
		lines = append(lines, line)
	}
	for _, line := range lines {
		d.Lines = append(d.Lines, line.Name)
		known := m.set.Lines[line.Name]
		switch {
		case known == nil:
			m.add(line, p.from)
		case known.Secret == line.Secret && known.DisplayName != line.DisplayName:
			m.remark(Changed, p.from, "line %s is called %q here, and %q as on %s", line.Name, line.DisplayName, known.DisplayName, m.origins[origin{inventory.KindLine, line.Name}].file)
		case known.Secret != line.Secret:
			m.remark(Lost, p.from, "line %s has another password here than in %s, whose stays", line.Name, m.origins[origin{inventory.KindLine, line.Name}].file)
		}
	}
}

// profile returns the common phone profile for what a phone is told about VPN.
func (m *sepMigration) profile(p sepPhone) string {
	vpn := *p.file.VPN
	vpn.CertificateHashes = nil // those of the gateways, which are of all files
	i := slices.IndexFunc(m.profiles, func(known sepProfile) bool { return same(known.vpn, vpn) })
	if i < 0 {
		i = len(m.profiles)
		name := gatewayName(vpn.URLs[0])
		if i > 0 {
			const suffix = 4
			name = fmt.Sprintf("%s-%d", name[:min(len(name), inventory.MaxName-suffix)], i+1)
		}
		m.profiles = append(m.profiles, sepProfile{name: name, vpn: vpn})
		m.declareProfile(name, vpn, p.from)
	}
	return m.profiles[i].name
}

func same(a, b cnf.VPNGroup) bool {
	return a.MTU == b.MTU && a.FailConnectTime == b.FailConnectTime && a.AuthMethod == b.AuthMethod && a.PasswordPersistent == b.PasswordPersistent &&
		a.AutoNetDetect == b.AutoNetDetect && a.EnableHostIDCheck == b.EnableHostIDCheck && slices.Equal(a.URLs, b.URLs)
}

// methods are how phones log in, by the numbers of their files.
var methods = map[cnf.AuthMethod]inventory.ClientAuthentication{
	cnf.UserAndPassword: inventory.UserAndPassword, cnf.PasswordOnly: inventory.PasswordOnly, cnf.ByCertificate: inventory.ByCertificate,
}

func (m *sepMigration) declareProfile(name string, vpn cnf.VPNGroup, from position) {
	if vpn.HashAlgorithm != cnf.HashSHA1 {
		m.remark(Lost, from, "hashAlg %d is not known here: SHA-1 (0) is what phones are told", vpn.HashAlgorithm)
	}
	group := &inventory.VPNGroup{Name: name}
	for _, url := range vpn.URLs {
		group.Gateways = append(group.Gateways, gatewayName(url))
	}
	profile := &inventory.VPNProfile{Name: name, VPNSettings: inventory.VPNSettings{
		AutoNetworkDetection: ptr(vpn.AutoNetDetect), MTU: ptr(vpn.MTU), FailToConnect: ptr(vpn.FailConnectTime), ClientAuthentication: methods[vpn.AuthMethod],
		PasswordPersistence: ptr(vpn.PasswordPersistent), EnableHostIDCheck: ptr(vpn.EnableHostIDCheck),
	}}
	if methods[vpn.AuthMethod] == "" {
		m.remark(Lost, from, "authMethod %d is not known here", vpn.AuthMethod)
	}
	m.add(group, from)
	m.add(profile, from)
	m.add(&inventory.CommonPhoneProfile{Name: name, VPNGroup: name, VPNProfile: name}, from)
}

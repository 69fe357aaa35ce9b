package provision

import (
	"errors"
	"fmt"
	"strconv"
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
}

// What a phone gets where its site says nothing. The names are CUCM's.
const (
	defaultDateTemplate = "D/M/Y"
	defaultTimeZone     = "Greenwich Standard Time"
)

// File is a rendered file.
type File struct {
	Name         string // as phones spell it
	Device       string // whose it is; empty for the default file
	VersionStamp string
	Hashes       []string // certHash elements: the gateways' certificates that a phone with this file believes
	Content      []byte
}

// File renders the file of this name, which Clean has passed. Letter case does not matter. It returns
// ErrNotFound for a device that is not in the inventory and for names that are no rendered file: trust
// lists and signed files among them, which this server does not make, so that phones ask for plain ones.
func (r Renderer) File(set *inventory.Set, name string) (File, error) {
	if strings.EqualFold(name, DefaultFile) {
		return r.defaultFile()
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
		adopt(file, doc, site, device)
		doc = file
	}
	if len(doc.Pool.CallManagers) == 0 {
		return nil, errors.New("no call manager is named")
	}
	return doc, doc.Stamp()
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
	doc := &cnf.Device{
		Protocol: cnf.SIP, Pool: pool, VPN: vpn, Load: device.Load, Vendor: vendor(vpn != nil),
		SecurityMode: notSecured, Transport: cnf.TCP,
	}
	if strings.EqualFold(device.Protocol, string(cnf.SCCP)) {
		doc.Protocol, doc.Transport = cnf.SCCP, 0
	} else if doc.SIPProfile, err = sipProfile(set, device); err != nil {
		return nil, err
	}
	return doc, nil
}

// notSecured is the deviceSecurityMode of signalling and media in clear: inside, or in the tunnel.
const notSecured = 1

func (r Renderer) pool(site inventory.Site) (cnf.DevicePool, error) {
	managers, err := callManagers(firstOf(site.CallManagers, r.CallManagers))
	return cnf.DevicePool{
		DateTemplate: firstText(site.DateTemplate, defaultDateTemplate),
		TimeZone:     firstText(site.TimeZone, defaultTimeZone),
		NTPServers:   ntpServers(firstOf(site.NTPServers, r.NTPServers)),
		CallManagers: managers,
	}, err
}

func ntpServers(hosts []string) []cnf.NTPServer {
	var servers []cnf.NTPServer
	for _, host := range hosts {
		servers = append(servers, cnf.NTPServer{Host: host, Mode: "unicast"})
	}
	return servers
}

func firstOf(lists ...[]string) []string {
	for _, list := range lists {
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

func firstText(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// callManagers reads "host" and "host:port". The port is that of the phone's signalling, so it stands for
// both protocols.
func callManagers(names []string) ([]cnf.CallManager, error) {
	var managers []cnf.CallManager
	for _, name := range names {
		host, digits, hasPort := strings.Cut(name, ":")
		manager := cnf.CallManager{Host: host}
		if hasPort {
			port, err := strconv.ParseUint(digits, 10, 16)
			if err != nil || port == 0 {
				return nil, fmt.Errorf("call manager %q: %q is not a port", name, digits)
			}
			manager.SIPPort, manager.SCCPPort = int(port), int(port)
		}
		managers = append(managers, manager)
	}
	return managers, nil
}

// vpnGroup returns what the device is told about VPN, nil when it has none.
func vpnGroup(set *inventory.Set, device *inventory.Device) (*cnf.VPNGroup, error) {
	told, ok := set.VPNSettingsFor(device)
	if !ok {
		return nil, nil
	}
	group := &cnf.VPNGroup{
		MTU: told.MTU, FailConnectTime: told.FailToConnect, HashAlgorithm: cnf.HashSHA1,
		PasswordPersistent: told.PasswordPersistence, AutoNetDetect: told.AutoNetworkDetection,
		EnableHostIDCheck: told.EnableHostIDCheck,
	}
	switch told.ClientAuthentication {
	case inventory.UserAndPassword:
		group.AuthMethod = cnf.UserAndPassword
	case inventory.PasswordOnly:
		group.AuthMethod = cnf.PasswordOnly
	case inventory.ByCertificate:
		group.AuthMethod = cnf.ByCertificate
	default:
		return nil, fmt.Errorf("client authentication %q is not known", told.ClientAuthentication)
	}
	for _, gateway := range told.Gateways {
		group.URLs = append(group.URLs, gateway.URL)
	}
	var err error
	group.CertificateHashes, err = hashes(told.Certificates)
	return group, err
}

// hashes returns each certificate's hash once: two objects may hold the same certificate.
func hashes(certificates []*inventory.Certificate) ([]string, error) {
	var hashes []string
	seen := map[string]bool{}
	for _, certificate := range certificates {
		leaf, err := certificate.Leaf()
		if err != nil {
			return nil, fmt.Errorf("certificate %q: %w", certificate.Name, err)
		}
		if hash := cnf.CertificateHash(leaf.Raw); !seen[hash] {
			seen[hash] = true
			hashes = append(hashes, hash)
		}
	}
	return hashes, nil
}

// vendor opens the web page, without which nobody can see what a phone at home does, and keeps the
// settings menu, where the user finds the VPN. SSH stays shut.
func vendor(remote bool) cnf.Settings {
	settings := cnf.Settings{
		{Key: "webAccess", Value: "0"}, {Key: "settingsAccess", Value: "1"},
		{Key: "sshAccess", Value: "1"}, {Key: "peerFirmwareSharing", Value: "0"},
	}
	if remote {
		settings.Set("detectCMConnectionFailure", "1") // a tunnel that hesitates is no reason to change call managers
	}
	return settings
}

// sipProfile returns timers and ports as call managers hand them out, and the device's lines.
func sipProfile(set *inventory.Set, device *inventory.Device) (*cnf.SIPProfile, error) {
	profile := &cnf.SIPProfile{
		Proxies: cnf.SIPProxies{RegisterWithProxy: true},
		Features: cnf.SIPFeatures{
			ConferenceJoinEnabled: true, LocalForwardEnable: true, SemiAttendedTransfer: true,
		},
		Stack: cnf.SIPStack{
			InviteRetransmits: 6, Retransmits: 10, InviteExpires: 180, RegisterExpires: 3600, RegisterDelta: 5,
			KeepAliveExpires: 120, SubscribeExpires: 120, SubscribeDelta: 5, T1: 500, T2: 4000, MaxRedirects: 70,
			RemotePartyID: true,
		},
		PreferredCodec: "none", DTMFPayload: 101, DTMFOutOfBand: "avt",
		StartMediaPort: 16384, StopMediaPort: 32766, VoIPControlPort: 5060, DSCPForAudio: 184,
	}
	for _, number := range device.Lines {
		line, ok := set.Lines[number]
		if !ok {
			return nil, fmt.Errorf("line %q is not in the inventory", number)
		}
		profile.Lines = append(profile.Lines, sipLine(line))
	}
	if len(profile.Lines) > 0 {
		profile.PhoneLabel = shortened(profile.Lines[0].Name, maxPhoneLabel)
	}
	return profile, nil
}

// Limits of texts on the screen, in characters.
const (
	maxPhoneLabel   = 12
	maxFeatureLabel = 30
)

func sipLine(line *inventory.Line) cnf.Line {
	return cnf.Line{
		FeatureID:    cnf.FeatureLine,
		FeatureLabel: shortened(firstText(line.DisplayName, line.Name), maxFeatureLabel),
		Proxy:        cnf.UseCallManager, Name: line.Name, DisplayName: firstText(line.DisplayName, line.Name),
		AuthName: line.Name, AuthPassword: line.Secret, Contact: line.Name,
		MaxCalls: 4, BusyTrigger: 2,
	}
}

func shortened(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit])
	}
	return text
}

// defaultFile is for phones that are not in the inventory: it leads them to the call managers, where
// their registration is refused and somebody sees it.
func (r Renderer) defaultFile() (File, error) {
	managers, err := callManagers(r.CallManagers)
	if err != nil {
		return File{}, fmt.Errorf("provision: %s: %w", DefaultFile, err)
	}
	if len(managers) == 0 {
		return File{}, fmt.Errorf("provision: %s: no call manager is named", DefaultFile)
	}
	doc := &cnf.Default{CallManagers: managers}
	if err := doc.Stamp(); err != nil {
		return File{}, err
	}
	content, err := doc.Bytes()
	return File{Name: DefaultFile, VersionStamp: doc.VersionStamp, Content: content}, err
}

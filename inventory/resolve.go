package inventory

import "regexp"

// CUCM's defaults for what neither the VPN profile nor the VPN feature configuration says.
const (
	DefaultMTU           = 1290 // bytes
	DefaultKeepAlive     = 60   // seconds
	DefaultFailToConnect = 30   // seconds
)

// PhoneVPN is what one phone is told about VPN: its gateways in the order of trying, the certificates it
// may meet there, and every setting resolved.
type PhoneVPN struct {
	Gateways     []*VPNGateway
	Certificates []*Certificate // each once, in the gateways' order

	AutoNetworkDetection bool
	MTU                  int // bytes
	KeepAlive            int // seconds
	FailToConnect        int // seconds
	ClientAuthentication ClientAuthentication
	PasswordPersistence  bool
	EnableHostIDCheck    bool
}

// VPNSettingsFor returns what device is told about VPN, or false when its common phone profile names no
// VPN group. The profile's fields win over the feature configuration's, and those over CUCM's defaults.
// References to what does not exist are passed over: Validate refuses them.
func (s *Set) VPNSettingsFor(device *Device) (PhoneVPN, bool) {
	profile, ok := s.CommonPhoneProfiles[device.CommonPhoneProfile]
	if !ok {
		return PhoneVPN{}, false
	}
	group, ok := s.VPNGroups[profile.VPNGroup]
	if !ok {
		return PhoneVPN{}, false
	}
	var said []VPNSettings
	if p, ok := s.VPNProfiles[profile.VPNProfile]; ok {
		said = append(said, p.VPNSettings)
	}
	for _, features := range s.VPNFeatures { // at most one
		said = append(said, features.VPNSettings)
	}
	vpn := resolveVPN(said)
	vpn.Gateways, vpn.Certificates = s.groupMembers(group)
	return vpn, true
}

func resolveVPN(said []VPNSettings) PhoneVPN {
	vpn := PhoneVPN{
		MTU: DefaultMTU, KeepAlive: DefaultKeepAlive, FailToConnect: DefaultFailToConnect,
		ClientAuthentication: UserAndPassword, EnableHostIDCheck: true,
	}
	for i := len(said) - 1; i >= 0; i-- { // the strongest last
		override(&vpn.AutoNetworkDetection, said[i].AutoNetworkDetection)
		override(&vpn.MTU, said[i].MTU)
		override(&vpn.KeepAlive, said[i].KeepAlive)
		override(&vpn.FailToConnect, said[i].FailToConnect)
		override(&vpn.PasswordPersistence, said[i].PasswordPersistence)
		override(&vpn.EnableHostIDCheck, said[i].EnableHostIDCheck)
		if said[i].ClientAuthentication != "" {
			vpn.ClientAuthentication = said[i].ClientAuthentication
		}
	}
	return vpn
}

func override[T any](value *T, said *T) {
	if said != nil {
		*value = *said
	}
}

func (s *Set) groupMembers(group *VPNGroup) (gateways []*VPNGateway, certificates []*Certificate) {
	seen := map[string]bool{}
	for _, name := range group.Gateways {
		gateway, ok := s.VPNGateways[name]
		if !ok {
			continue
		}
		gateways = append(gateways, gateway)
		for _, name := range gateway.Certificates {
			if certificate, ok := s.Certificates[name]; ok && !seen[name] {
				seen[name] = true
				certificates = append(certificates, certificate)
			}
		}
	}
	return gateways, certificates
}

// GroupByURL returns the tunnel group that has url, byte for byte, among its group URLs.
func (s *Set) GroupByURL(url string) (*TunnelGroup, bool) {
	for _, group := range s.TunnelGroups {
		for _, u := range group.GroupURLs {
			if u == url {
				return group, true
			}
		}
	}
	return nil, false
}

// deviceInName finds the device name in what phones call themselves, such as CP-7975G-SEP001AE2BC16CB.
var deviceInName = regexp.MustCompile(`^(?:CP-[0-9A-Za-z]+-)?(SEP[0-9A-F]{12})$`)

// DeviceInName returns the device in what a phone is called by its certificate, or nothing.
func DeviceInName(name string) string {
	if m := deviceInName.FindStringSubmatch(name); m != nil {
		return m[1]
	}
	return ""
}

// DeviceForUser returns the device that a session of this logged-in user belongs to: the one whose name
// the user name is (bare, or as CP-<model>-SEP<MAC>), else the user's only device, else none.
func (s *Set) DeviceForUser(user string) (*Device, bool) {
	if device, ok := s.Devices[DeviceInName(user)]; ok {
		return device, true
	}
	if u, ok := s.Users[user]; ok && len(u.Devices) == 1 {
		device, ok := s.Devices[u.Devices[0]]
		return device, ok
	}
	return nil, false
}

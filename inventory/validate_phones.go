package inventory

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Rules for the kinds that CUCM has, and for sites.

func (v *validation) vpnGateway(o *VPNGateway) {
	v.phoneURL("url", o.URL)
	switch n := len(o.Certificates); {
	case n == 0:
		v.refuse("certificates", "name the certificate that the gateway presents; without one phones refuse to connect", "is empty")
	case n > MaxCertificates:
		v.refuse("certificates", "", "names %d certificates; at most %d are allowed", n, MaxCertificates)
	}
	v.twice("certificates", o.Certificates)
	for _, name := range o.Certificates {
		refers(v, "certificates", name, v.set.Certificates, KindCertificate)
	}
	v.legacyCertificate(o)
	v.ecdsaCertificate(o)
	v.groupOfGateway(o)
}

// legacyCertificate checks what old phones get: phones know it by its hash in their files, and RSA key
// exchange needs an RSA key.
func (v *validation) legacyCertificate(o *VPNGateway) {
	if o.LegacyCertificate != "" && !slices.Contains(o.Certificates, o.LegacyCertificate) {
		v.refuse("legacyCertificate", "name it there, too: the phones' files get the hashes of those only",
			"%q is not among certificates", o.LegacyCertificate)
		return
	}
	group, ok := v.set.GroupByURL(o.URL)
	if !ok || !group.LegacyPhones || len(o.Certificates) == 0 {
		return
	}
	name := cmp.Or(o.LegacyCertificate, o.Certificates[0])
	if leaf := v.set.leaf(name); leaf != nil && leaf.PublicKeyAlgorithm != x509.RSA {
		v.refuse("legacyCertificate", "name one with an RSA key; it must stand among certificates",
			"certificate %q has no RSA key, and tunnel group %q lets phones in that know nothing else", name, group.Name)
	}
}

// ecdsaCertificate checks the certificate that stands beside the first: phones that meet it know it by its
// hash in their files, and who cannot verify it needs the first.
func (v *validation) ecdsaCertificate(o *VPNGateway) {
	const field = "ecdsaCertificate"
	if o.ECDSACertificate == "" || len(o.Certificates) == 0 {
		return
	}
	if !slices.Contains(o.Certificates, o.ECDSACertificate) {
		v.refuse(field, "name it there, too: the phones' files get the hashes of those only", "%q is not among certificates", o.ECDSACertificate)
		return
	}
	leaf, first := v.set.leaf(o.ECDSACertificate), v.set.leaf(o.Certificates[0])
	if leaf == nil || first == nil {
		return // said elsewhere
	}
	if leaf.PublicKeyAlgorithm != x509.ECDSA {
		v.refuse(field, "name one with an ECDSA key, or take the line out", "certificate %q has none", o.ECDSACertificate)
	}
	if first.PublicKeyAlgorithm != x509.RSA {
		v.refuse("certificates", "put one with an RSA key first: clients that cannot verify ECDSA get that",
			"certificate %q stands first, has no RSA key, and ecdsaCertificate stands beside it", o.Certificates[0])
	}
	if selfSigned(leaf) && !selfSigned(first) {
		v.refuse(field, fmt.Sprintf("have the authority of %q issue one with an ECDSA key", o.Certificates[0]),
			"certificate %q is signed by nobody: computers that trust the authority of %q would not connect", o.ECDSACertificate, o.Certificates[0])
	}
}

func selfSigned(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, c.RawSubject) }

func (v *validation) phoneURL(field, text string) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		v.refuse(field, "write the URL that phones are to call, such as https://vpn.example.net/phones", "is missing")
	case err != nil || u.Scheme != "https" || u.Host == "":
		v.refuse(field, "phones take https://HOST[:PORT]/PATH only", "%q is no https URL", text)
	case len(text) > MaxURL:
		v.refuse(field, "", "has %d characters; phones take at most %d", len(text), MaxURL)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		v.refuse(field, "phones take https://HOST[:PORT]/PATH only", "%q holds more than host, port and path", text)
	}
}

// groupOfGateway checks the tunnel group that phones reach by a gateway's URL, when the gateway is ours:
// when some tunnel group answers on the same host and port, or when we hold the key of its certificate.
func (v *validation) groupOfGateway(o *VPNGateway) {
	group, ok := v.set.GroupByURL(o.URL)
	if !ok {
		if near, ours := v.groupURLOnHost(o.URL); ours {
			v.refuse("url", fmt.Sprintf("write %s, byte for byte, or add this URL to a tunnel group's groupURLs", near),
				"%s is on our own gateway, and no tunnel group has it as group URL", o.URL)
		} else if name, ours := v.ownCertificate(o); ours {
			v.refuse("url", fmt.Sprintf("keep or make a tunnel group with this URL in its groupURLs, or take the key out of certificate %q if the gateway is another's", name),
				"%s is on our own gateway, which has the key of certificate %q, and no tunnel group has it as group URL", o.URL, name)
		}
		return
	}
	if group.Name == DefaultTunnelGroup {
		v.refuse("url", "make a tunnel group of its own for phones", "leads phones to the default tunnel group %s", DefaultTunnelGroup)
	}
	if policy := v.set.PolicyFor(group, "", ""); !group.Phones && policy.splits() {
		v.refuse("url", fmt.Sprintf("set splitTunnelPolicy of %q to tunnelall, or give phones another tunnel group", policy.Name),
			"leads phones to tunnel group %q, whose policy splits the tunnel", group.Name)
	}
}

func (v *validation) groupURLOnHost(text string) (groupURL string, ours bool) {
	host := hostPort(text)
	for _, o := range sorted(v.set.TunnelGroups) {
		for _, candidate := range o.(*TunnelGroup).GroupURLs {
			if host != "" && hostPort(candidate) == host {
				return candidate, true
			}
		}
	}
	return "", false
}

// ownCertificate returns the first certificate of a gateway that has its key here.
func (v *validation) ownCertificate(o *VPNGateway) (name string, ours bool) {
	for _, name := range o.Certificates {
		if certificate, ok := v.set.Certificates[name]; ok && !certificate.Key.IsZero() {
			return name, true
		}
	}
	return "", false
}

func hostPort(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

func (v *validation) vpnGroup(o *VPNGroup) {
	switch n := len(o.Gateways); {
	case n == 0:
		v.refuse("gateways", "name at least one VPNGateway", "is empty")
	case n > MaxGateways:
		v.refuse("gateways", "phones know url1 to url3 only", "names %d gateways; at most %d are allowed", n, MaxGateways)
	}
	v.twice("gateways", o.Gateways)
	certificates := 0
	for _, name := range o.Gateways {
		refers(v, "gateways", name, v.set.VPNGateways, KindVPNGateway)
		if gateway, ok := v.set.VPNGateways[name]; ok {
			certificates += len(gateway.Certificates)
		}
	}
	if certificates > MaxCertificates {
		v.refuse("gateways", "take certificates out of its gateways, or gateways out of the group",
			"has gateways with %d certificates in all; phones take %d", certificates, MaxCertificates)
	}
}

func (v *validation) vpnFeatures(o *VPNFeatureConfiguration) {
	v.vpnSettings(o.VPNSettings)
	if len(v.set.VPNFeatures) > 1 {
		v.refuse("", "keep one; VPN profiles hold what differs between phones", "there are %d of this kind, and one at most is allowed", len(v.set.VPNFeatures))
	}
}

func (v *validation) vpnSettings(o VPNSettings) {
	if o.MTU != nil {
		between(v, "mtu", "bytes", *o.MTU, MinMTU, MaxMTU)
	}
	if o.KeepAlive != nil {
		between(v, "keepAlive", "seconds", *o.KeepAlive, 0, MaxKeepAlive)
	}
	if o.FailToConnect != nil {
		between(v, "failToConnect", "seconds", *o.FailToConnect, 0, MaxFail)
	}
	if o.ClientAuthentication != "" {
		oneOf(v, "clientAuthentication", string(o.ClientAuthentication), string(UserAndPassword), string(PasswordOnly), string(ByCertificate))
	}
}

func (v *validation) commonPhoneProfile(o *CommonPhoneProfile) {
	refers(v, "vpnGroup", o.VPNGroup, v.set.VPNGroups, KindVPNGroup)
	refers(v, "vpnProfile", o.VPNProfile, v.set.VPNProfiles, KindVPNProfile)
	refers(v, "template", o.Template, v.set.PhoneTemplates, KindPhoneTemplate)
	v.profileFile(o)
	vpn, ok := v.set.VPNSettingsFor(&Device{CommonPhoneProfile: o.Name})
	if ok && vpn.EnableHostIDCheck {
		v.hostCheck(vpn)
	}
	if ok {
		v.clientAuthentication(vpn)
	}
	v.signing(o)
}

// clientAuthentication refuses phones that are told to prove who they are in a way that their tunnel group
// does not take.
func (v *validation) clientAuthentication(vpn PhoneVPN) {
	for _, gateway := range vpn.Gateways {
		group, ok := v.set.GroupByURL(gateway.URL)
		sends := vpn.ClientAuthentication != ByCertificate
		if !ok || sends == group.TakesPassword() {
			continue
		}
		wants := "takes certificates only"
		if group.TakesPassword() {
			wants = "wants a password"
		}
		v.refuse("vpnProfile", fmt.Sprintf("change clientAuthentication of the profile, or authentication of tunnel group %q", group.Name),
			"its phones log in by %q, and tunnel group %q %s", vpn.ClientAuthentication, group.Name, wants)
	}
}

// hostCheck refuses certificates with which phones that check the gateway's name would not connect.
func (v *validation) hostCheck(vpn PhoneVPN) {
	const off = "present a certificate with the host's own name, or set enableHostIDCheck: false in the VPN profile"
	for _, gateway := range vpn.Gateways {
		host := gateway.host()
		for _, name := range gateway.Certificates {
			leaf := v.set.leaf(name)
			switch {
			case leaf == nil || leaf.IsCA || host == "":
			case hasWildcard(leaf):
				v.refuse("vpnGroup", off, "certificate %q of gateway %q is a wildcard, which phones refuse while the host check is on", name, gateway.Name)
			case !namesHost(leaf, host):
				v.refuse("vpnGroup", off, "certificate %q does not name %s, the host of gateway %q, and the host check is on", name, host, gateway.Name)
			}
		}
	}
}

func (o *VPNGateway) host() string {
	u, err := url.Parse(o.URL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

var deviceName = regexp.MustCompile(`^SEP[0-9A-F]{12}$`)

// Protocols a device may speak.
const (
	SIP  = "SIP"
	SCCP = "SCCP"
)

func (v *validation) device(o *Device) {
	v.fixedAddress(o.VPNAddress)
	if !deviceName.MatchString(o.Name) {
		v.refuse("name", deviceNameHint(o.Name), "%q is not SEP and twelve upper-case hex digits", o.Name)
	}
	model, known := v.set.Model(o.Model)
	if o.Model == "" {
		v.refuse("model", "write the model as on the phone, such as CP-8861", "is missing")
	}
	if o.Protocol != "" {
		oneOf(v, "protocol", o.Protocol, SIP, SCCP)
	}
	if known && o.Protocol == SCCP && !model.SCCP {
		v.refuse("protocol", "write SIP", "%s has no SCCP loads", model.Name)
	}
	refers(v, "commonPhoneProfile", o.CommonPhoneProfile, v.set.CommonPhoneProfiles, KindCommonPhoneProfile)
	refers(v, "site", o.Site, v.set.Sites, KindSite)
	refers(v, "template", o.Template, v.set.PhoneTemplates, KindPhoneTemplate)
	v.templateProtocol(o)
	v.deviceFile(o, model, known)
	v.twice("lines", o.Lines)
	for _, number := range o.Lines {
		refers(v, "lines", number, v.set.Lines, KindLine)
	}
	v.vpnOnModel(o, model, known)
	if profile, ok := v.set.CommonPhoneProfiles[o.CommonPhoneProfile]; ok && known && model.Legacy && profile.TFTPFileSignatureAlgorithm == SHA512 {
		v.refuse("commonPhoneProfile", "write tftpFileSignatureAlgorithm: SHA-1 in the profile, or give the phone another",
			"a %s cannot verify SHA-512, the signature algorithm of profile %q", model.Name, profile.Name)
	}
}

func deviceNameHint(name string) string {
	bare := strings.NewReplacer(":", "", "-", "", ".", "").Replace(strings.ToUpper(name))
	if !strings.HasPrefix(bare, "SEP") {
		bare = "SEP" + bare
	}
	if deviceName.MatchString(bare) {
		return "write " + bare
	}
	return "the name is SEP and the MAC address printed on the phone, such as SEP001122334455"
}

func (v *validation) vpnOnModel(o *Device, model Model, known bool) {
	vpn, ok := v.set.VPNSettingsFor(o)
	switch {
	case !ok || o.Model == "":
	case !known:
		v.refuse("model", "write the model as on the phone, such as CP-8861, or give it a profile without vpnGroup", "%q is no model known to have a VPN client", o.Model)
	case !model.VPN:
		v.refuse("commonPhoneProfile", "give it a profile without vpnGroup", "has a VPN group, and %s has no VPN client", model.Name)
	case model.Legacy:
		v.legacyReach(model, vpn)
	}
}

func (v *validation) legacyReach(model Model, vpn PhoneVPN) {
	for _, gateway := range vpn.Gateways {
		if group, ours := v.set.GroupByURL(gateway.URL); ours && !group.LegacyPhones {
			v.refuse("model", fmt.Sprintf("set legacyPhones: true in tunnel group %q", group.Name),
				"%s speaks only old TLS, which tunnel group %q does not allow", model.Name, group.Name)
		}
	}
}

// number is what CUCM allows in a directory number.
var number = regexp.MustCompile(`^\+?[0-9*#]{1,24}$`)

func (v *validation) line(o *Line) {
	if !number.MatchString(o.Name) {
		v.refuse("name", "digits, * and #, at most 24, with a leading + if wanted", "%q is no directory number", o.Name)
	}
	v.lineFile(o)
}

func (v *validation) site(o *Site) {
	if n := len(o.CallManagers); n > MaxCallManagers {
		v.refuse("callManagers", "", "names %d call managers; phones take %d", n, MaxCallManagers)
	}
	for _, text := range o.CallManagers {
		if !isHost(text) {
			v.refuse("callManagers", "write HOST or HOST:PORT", "%q is no host", text)
		}
	}
	for _, text := range o.NTPServers {
		if !isHost(text) || strings.Contains(text, ":") && !isAddress(text) {
			v.refuse("ntpServers", "write a host name or an address", "%q is no host", text)
		}
	}
	v.siteFile(o)
}

// isHost reports whether text is a host, or a host and a port.
func isHost(text string) bool {
	if isAddress(text) {
		return true
	}
	host := text
	if h, port, err := net.SplitHostPort(text); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return false
		}
		host = h
	}
	return isAddress(host) || hostName.MatchString(host)
}

var hostName = regexp.MustCompile(`^[0-9A-Za-z]([0-9A-Za-z_.-]{0,251}[0-9A-Za-z])?$`)

func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

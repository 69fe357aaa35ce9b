// Package cnf reads and writes phone configuration files: SEP….cnf.xml, the file of one phone, and
// XMLDefault.cnf.xml, the file of phones that have none.
//
//	device
//	├ fullConfig, deviceProtocol, IP addresses, SSH login
//	├ devicePool      time, the call managers in order of priority, SRST
//	├ TVS             whom to ask about certificates
//	├ vpnGroup        gateways and the hashes of their certificates
//	├ sipProfile      SIP loads only: features, stack, media ports, lines
//	├ commonProfile
//	├ vendorConfig, commonConfig, enterpriseConfig   settings of the product: web page, SSH, menus
//	├ addOnModules, phoneServices, userLocale, networkLocaleInfo
//	├ versionStamp, loadInformation, deviceSecurityMode, transportLayerProtocol
//	├ directoryURL and its like, each with a secure twin
//	└ capfList, certHash, encrConfig
//
// Device holds what we write and what our phone needs. A file that was read keeps everything else in it,
// in its order, and is written back with it: change fields and call Bytes. The layout stands once, in
// layout.go and layout_sip.go, for both directions. Sources: docs/wire/phone-files.md.
package cnf

import (
	"fmt"

	"github.com/beevik/etree"

	"github.com/longcord/longcord/internal/secret"
)

// Protocol is the call signalling that a phone's load speaks.
type Protocol string

// The protocols.
const (
	SIP  Protocol = "SIP"
	SCCP Protocol = "SCCP"
)

// Transport says how a phone reaches its call manager.
type Transport int

// The transports by their number in transportLayerProtocol.
const (
	TCP           Transport = 1
	UDP           Transport = 2
	TLS           Transport = 3
	SCCPTransport Transport = 4 // what files of SCCP loads have there
)

// Device is the file of one phone. The zero value of a field stands for an absent element.
type Device struct {
	Protocol          Protocol
	Partial           bool // fullConfig is false: the stub that announces an encrypted file
	IP                IPSettings
	SSHUser           string // sshUserId
	SSHPassword       secret.String
	Pool              DevicePool
	TVS               []TVSServer   // by priority, 0 first; at most MaxTVS
	VPN               *VPNGroup     // nil: the phone has no VPN
	SIPProfile        *SIPProfile   // nil for SCCP loads
	SCCPMarks         *SCCPMarks    // nil for SIP loads
	Common            CommonProfile // commonProfile
	Load              string        // firmware image without .loads; empty keeps the phone's own
	InactiveLoad      string        // image in the second partition; 88xx, 89xx and 99xx
	Vendor            Settings      // vendorConfig; its settings win over
	CommonConfig      Settings      // commonConfig's, and those over
	Enterprise        Settings      // enterpriseConfig's
	AddOnModules      []AddOnModule // key expansion modules from left to right
	Services          *PhoneServices
	UserLocale        *UserLocale    // language of the screen
	Tones             string         // networkLocale: the name that stands once more in
	NetworkLocale     *NetworkLocale // networkLocaleInfo
	VersionStamp      string         // changes when anything else does; Stamp sets it
	SecurityMode      int            // 1 not secured, 2 authenticated, 3 encrypted
	Transport         Transport
	URLs              URLs
	Calls             CallFeatures
	FeaturePolicyFile string // featurePolicyFile, for 8961, 9951 and 9971
	TLSResumption     int    // TLSResumptionTimer, seconds

	CAPFAuthMode  int    // 0 nothing to do, 1 authentication string, 2 null string, 3 LSC else MIC, 4 MIC
	CAPF          []CAPF // at most MaxCAPF
	EncryptionKey string // certHash: MD5 of the certificate whose key the encrypted file is for; not a VPN hash
	Encrypted     bool   // encrConfig

	doc *etree.Document // what was read; nil for a new file
}

// IPSettings say which address families a phone uses.
type IPSettings struct {
	AddressMode       int  // ipAddressMode: 0 IPv4, 1 IPv6, 2 both
	AllowAutoConfig   bool // IPv6 by router advertisement
	DADEnable         bool // IPv6 duplicate address detection
	RedirectEnable    bool
	EchoMultiEnable   bool // answers pings to IPv6 multicast
	SignallingFamily  int  // ipPreferenceModeControl: 0 IPv4, 1 IPv6
	MediaFamilyPrefer int  // ipMediaAddressFamilyPreference: 0 IPv4, 1 IPv6
}

// DevicePool is where a phone finds time and call managers.
type DevicePool struct {
	Name         string
	DateTemplate string        // such as D/M/Y; suffix A means a 12-hour clock
	TimeZone     string        // by CUCM's name
	NTPServers   []NTPServer   // asked in order
	CallManagers []CallManager // by priority, 0 first; at most MaxCallManagers
	SRST         *SRST         // who takes calls when no call manager does; nil: nothing is said
	// RevertPriority says when a phone goes back to a call manager of higher priority; 0 at once.
	RevertPriority int
	// ConnectionMonitor is how long a call manager must answer before the phone goes back to it, in
	// seconds: connectionMonitorDuration.
	ConnectionMonitor int
}

// NTPServer is a source of time.
type NTPServer struct {
	Host string // at most MaxHost characters
	Mode string // ntpMode: unicast, directedbroadcast and others; empty means unicast
}

// CallManager is one place to register.
type CallManager struct {
	Host           string // processNodeName: a name or an address
	SCCPPort       int    // ethernetPhonePort; 0 means 2000
	SIPPort        int    // 0 means 5060
	SecuredSIPPort int    // 0 means 5061
}

// SRST is survivable remote site telephony: a router that stands in for the call managers.
type SRST struct {
	Name           string
	Option         string // srstOption: Disable, or how the servers below are used
	UserModifiable bool
	Servers        [3]SRSTServer
	Secure         bool // isSecure
}

// SRSTServer is one of ipAddr1 to ipAddr3 with its port, for SCCP and for SIP.
type SRSTServer struct {
	Address    string
	Port       string // text: samples leave it empty
	SIPAddress string
	SIPPort    string
}

// TVSServer is a trust verification service.
type TVSServer struct {
	Host string // at most MaxHost characters
	Port int    // 0 means 2445
}

// CAPF is a certificate authority proxy, where a phone gets its LSC.
type CAPF struct {
	Host string
	Port int  // phonePort; 0 means 3804
	IPv6 bool // stands as capf6
}

// Limits of a file.
const (
	MaxCallManagers = 5
	MaxTVS          = 5
	MaxCAPF         = 5
	MaxURLs         = 3   // url1 to url3
	MaxURL          = 255 // characters of a URL
	MaxHashes       = 10  // certHash1 to certHash10
	MaxHost         = 50  // characters of a host
)

// AuthMethod says how a phone logs in to the gateway.
type AuthMethod int

// The methods by their number in authMethod.
const (
	UserAndPassword AuthMethod = 0
	PasswordOnly    AuthMethod = 1 // the user name is the phone's own, such as CP-8861-SEP001122334455
	ByCertificate   AuthMethod = 2 // the phone's LSC, else its MIC
)

// HashSHA1 is the one hashAlg that is known to exist.
const HashSHA1 = 0

// VPNGroup is everything a phone is told about the VPN. In a file that was read, fields it left out hold
// the firmware's defaults.
type VPNGroup struct {
	MTU                int // bytes, 256 to 1406; default 1290
	FailConnectTime    int // seconds, 0 to 600; default 30
	AuthMethod         AuthMethod
	PasswordPersistent bool     // pswdPersistent
	AutoNetDetect      bool     // start the VPN only outside
	EnableHostIDCheck  bool     // the certificate must name the URL's host; default true
	URLs               []string // tried in order; at most MaxURLs
	HashAlgorithm      int      // hashAlg
	CertificateHashes  []string // certHash1…, see CertificateHash; at most MaxHashes
}

// NewVPNGroup returns a group with the firmware's defaults and no gateway.
func NewVPNGroup() *VPNGroup {
	return &VPNGroup{MTU: 1290, FailConnectTime: 30, EnableHostIDCheck: true}
}

// CommonProfile is what several phones share.
type CommonProfile struct {
	PhonePassword         secret.String // unlocks the settings menu
	BackgroundImageAccess bool          // the user may choose a background
	DefaultBackground     string        // defaultBackground: an image of the background folder
	CallLogBLF            int           // callLogBlfEnabled; its numbers differ between families of models
}

// SCCPMarks are the traffic marks that files of SCCP loads carry, as whole class octets.
type SCCPMarks struct {
	PhoneConfig   int // dscpForSCCPPhoneConfig
	PhoneServices int // dscpForSCCPPhoneServices
	CallManager   int // dscpForCm2Dvce
}

// AddOnModule is a key expansion module.
type AddOnModule struct {
	Type  string // deviceType, such as BEKEM or 7915
	Lines int    // deviceLine: its keys
	Load  string // loadInformation, needed by 7914 to 7916 only
}

// UserLocale is the language of a phone's screen. Phones fetch its files again only when the version
// changes.
type UserLocale struct {
	Name     string // the folder that the files lie in
	ID       string // uid
	Language string // langCode, such as de_DE
	Version  string
	Charset  string // winCharSet: iso-8859-1 or utf-8
}

// NetworkLocale is the tones of a country's network, in the way of UserLocale.
type NetworkLocale struct{ Name, ID, Version string }

// URLs are what the phone's keys and menus open. The secure twin of each is what newer loads take.
type URLs struct {
	Authentication, Directory, Idle, Information, Messages, Services string
	Proxy                                                            string // proxyServerURL
	SecureAuthentication, SecureDirectory, SecureIdle                string
	SecureInformation, SecureMessages, SecureServices                string
	IdleTimeout                                                      int // seconds until the idle URL is opened; 0 never
}

// PhoneServices are entries of the phone's menus.
type PhoneServices struct {
	UseHTTPS bool // attribute useHTTPS
	// Provisioning: 0 only these entries, 1 only the URLs of Device.URLs, 2 both.
	Provisioning int
	Services     []PhoneService
}

// PhoneService is one entry.
type PhoneService struct {
	Type     int // 0 services, 1 directories, 2 messages
	Category int // 0
	Name     string
	URL      string // http, https, or Application:Cisco/… for what the phone has built in
	Vendor   string
	Version  string
}

// CallFeatures are settings of calls that stand at the top of the file, for both protocols.
type CallFeatures struct {
	MissedCallLogging    string // MissedCallLoggingOption: 0 or 1 for each line
	PhonePersonalization int
	AutoCallPickup       bool // autoCallPickupEnable
	BLFAlertIdle         int  // blfAudibleAlertSettingOfIdleStation
	BLFAlertBusy         int  // blfAudibleAlertSettingOfBusyStation
	DNDCallAlert         int  // 0 off, 1 flash, 5 beep
	DNDReminderTimer     int  // minutes
	AdvertiseG722        int  // advertiseG722Codec: 0 off, 1 on, 2 the phone's default
	Rollover             int
	JoinAcrossLines      int
	SingleButtonBarge    int
	UserID, OwnerID      string
}

// Setting is one element of vendorConfig or its like.
type Setting struct {
	Key   string // the element's name, such as webAccess
	Value string
}

// Settings are the product-specific settings in their order. What a key means differs between models.
type Settings []Setting

// Get returns the value of a key, or false when it is not there.
func (s Settings) Get(key string) (string, bool) {
	for _, setting := range s {
		if setting.Key == key {
			return setting.Value, true
		}
	}
	return "", false
}

// Set gives a key its value, in its place or at the end.
func (s *Settings) Set(key, value string) {
	for i := range *s {
		if (*s)[i].Key == key {
			(*s)[i].Value = value
			return
		}
	}
	*s = append(*s, Setting{key, value})
}

// Setting returns what counts for a key: the vendor's, else the common, else the enterprise's.
func (d *Device) Setting(key string) (string, bool) {
	for _, settings := range []Settings{d.Vendor, d.CommonConfig, d.Enterprise} {
		if value, ok := settings.Get(key); ok && value != "" {
			return value, true
		}
	}
	return "", false
}

// String describes the file on one line, without secrets.
func (d *Device) String() string {
	s := fmt.Sprintf("device %s stamp %q, %d call managers", d.Protocol, d.VersionStamp, len(d.Pool.CallManagers))
	if d.SIPProfile != nil {
		s += fmt.Sprintf(", %d lines", len(d.SIPProfile.Lines))
	}
	if d.VPN != nil {
		s += fmt.Sprintf(", VPN %q with %d certificate hashes", d.VPN.URLs, len(d.VPN.CertificateHashes))
	}
	return s
}

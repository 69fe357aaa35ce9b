// Package cnf reads and writes phone configuration files: SEP….cnf.xml, the file of one phone, and
// XMLDefault.cnf.xml, the file of phones that have none.
//
//	device
//	├ deviceProtocol, deviceSecurityMode, transportLayerProtocol, loadInformation, versionStamp
//	├ devicePool      time, and the call managers in order of priority
//	├ vpnGroup        gateways and the hashes of their certificates
//	├ sipProfile      SIP loads only: stack, media ports, lines
//	├ commonProfile
//	└ vendorConfig    web page, SSH, menus
//
// Device holds what we write and what our phone needs. A file that was read keeps everything else in it,
// in its order, and is written back with it: change fields and call Bytes. The layout stands once, in
// layout.go, for both directions. Sources: docs/wire/phone-files.md.
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

// Transport says how a SIP phone reaches its call manager.
type Transport int

// The transports by their number in transportLayerProtocol.
const (
	TCP Transport = 1
	UDP Transport = 2
	TLS Transport = 3
)

// Device is the file of one phone. The zero value of a field stands for an absent element.
type Device struct {
	Protocol     Protocol
	Pool         DevicePool
	VPN          *VPNGroup   // nil: the phone has no VPN
	SIPProfile   *SIPProfile // nil for SCCP loads
	Common       CommonProfile
	Load         string // firmware image without .loads; empty keeps the phone's own
	Vendor       VendorConfig
	VersionStamp string // changes when anything else does; Stamp sets it
	SecurityMode int    // 1 not secured, 2 authenticated, 3 encrypted
	Transport    Transport

	doc *etree.Document // what was read; nil for a new file
}

// DevicePool is where a phone finds time and call managers.
type DevicePool struct {
	DateTemplate string        // such as D/M/Y; suffix A means a 12-hour clock
	TimeZone     string        // by CUCM's name
	NTPServers   []string      // unicast
	CallManagers []CallManager // by priority, 0 first; at most MaxCallManagers
}

// CallManager is one place to register.
type CallManager struct {
	Host           string // processNodeName: a name or an address
	SCCPPort       int    // ethernetPhonePort; 0 means 2000
	SIPPort        int    // 0 means 5060
	SecuredSIPPort int    // 0 means 5061
}

// Limits of a file.
const (
	MaxCallManagers = 5
	MaxURLs         = 3   // url1 to url3
	MaxURL          = 255 // characters of a URL
	MaxHashes       = 10  // certHash1 to certHash10
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

// SIPProfile is what SIP loads are told about signalling, media and lines.
type SIPProfile struct {
	RegisterWithProxy bool
	Features          SIPFeatures
	Stack             SIPStack
	PreferredCodec    string // such as g711ulaw; none leaves it to the phone
	DTMFPayload       int    // dtmfAvtPayload, an RTP payload type
	DTMFOutOfBand     string // avt
	EnableVAD         bool
	NATEnabled        bool
	PhoneLabel        string // at most 12 characters
	StartMediaPort    int    // RTP, inclusive
	StopMediaPort     int
	VoIPControlPort   int // the phone's own SIP port
	DSCPForAudio      int // the whole traffic class octet: 184 is EF
	DialTemplate      string
	SoftKeyFile       string
	Lines             []Line // in button order
}

// SIPFeatures are the call features of sipCallFeatures.
type SIPFeatures struct {
	ConferenceJoinEnabled bool // cnfJoinEnabled
	RFC2543Hold           bool
	LocalForwardEnable    bool // localCfwdEnable
	SemiAttendedTransfer  bool
	RemoteCCEnable        bool
}

// SIPStack holds counts and timers of the SIP stack. Seconds, where the name does not say T1 or T2,
// which are milliseconds.
type SIPStack struct {
	InviteRetransmits int // sipInviteRetx
	Retransmits       int // sipRetx
	InviteExpires     int
	RegisterExpires   int
	RegisterDelta     int // how long before its end a registration is renewed
	KeepAliveExpires  int
	SubscribeExpires  int
	SubscribeDelta    int
	T1                int
	T2                int
	MaxRedirects      int
	RemotePartyID     bool
}

// FeatureLine is the featureID of a line; other buttons carry other numbers.
const FeatureLine = 9

// Line is one button of sipLines that is a line or another feature.
type Line struct {
	FeatureID    int    // FeatureLine for a line
	FeatureLabel string // beside the button, at most 30 characters
	Proxy        string // USECALLMANAGER, or a host
	Port         int
	Name         string // user part of the address of record: the directory number
	DisplayName  string
	AuthName     string
	AuthPassword secret.String
	Contact      string
	MaxCalls     int // maxNumCalls
	BusyTrigger  int
}

// UseCallManager in a line's Proxy means the call managers of the device pool.
const UseCallManager = "USECALLMANAGER"

// CommonProfile is what several phones share.
type CommonProfile struct {
	PhonePassword secret.String // unlocks the settings menu
}

// VendorConfig holds the product-specific settings that matter away from the office. A nil field is
// not in the file: the phone then does as its model does.
type VendorConfig struct {
	WebAccess                 *int // 0 on, 1 off, 2 read only
	SettingsAccess            *int // 0 off, 1 full, 2 restricted; 0 hides the VPN menu
	SSHAccess                 *int // 0 on, 1 off
	PeerFirmwareSharing       *int // 0 off, 1 on
	DetectCMConnectionFailure *int // 0 normal, 1 delayed
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

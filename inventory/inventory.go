// Package inventory holds what operators declare: gateways, groups, profiles, devices, lines, users. The
// kinds carry their vendors' names and limits, so that who knows CUCM or the ASA can read a file of ours.
//
// An object is a plain struct; Set holds all of them and validates them together. Reading and writing
// files is inventory/file's work, keeping them in the store inventory/catalog's.
package inventory

import "github.com/longcord/longcord/internal/secret"

// Kind is an object's kind, as it stands in inventory files.
type Kind string

// Object is any declared object. Pointers to the structs below implement it.
type Object interface {
	Kind() Kind
	ObjectName() string
	// Secrets points at the fields that must never be stored or shown in clear.
	Secrets() []*secret.String
}

// The kinds, grouped by whose words they are.
const (
	// CUCM's.
	KindVPNGateway              Kind = "VPNGateway"
	KindVPNGroup                Kind = "VPNGroup"
	KindVPNProfile              Kind = "VPNProfile"
	KindVPNFeatureConfiguration Kind = "VPNFeatureConfiguration"
	KindCommonPhoneProfile      Kind = "CommonPhoneProfile"
	KindDeviceDefaults          Kind = "DeviceDefaults"
	KindSIPDialRules            Kind = "SIPDialRules"
	KindSoftkeyTemplate         Kind = "SoftkeyTemplate"
	KindFeatureControlPolicy    Kind = "FeatureControlPolicy"
	KindPhoneService            Kind = "PhoneService"
	KindDevice                  Kind = "Device"
	KindLine                    Kind = "Line"
	// The ASA's.
	KindTunnelGroup Kind = "TunnelGroup"
	KindGroupPolicy Kind = "GroupPolicy"
	KindAddressPool Kind = "AddressPool"
	KindAccessList  Kind = "AccessList"
	KindUser        Kind = "User"
	KindAAAServer   Kind = "AAAServer"
	// Ours.
	KindCertificate          Kind = "Certificate"
	KindCertificateAuthority Kind = "CertificateAuthority"
	KindSite                 Kind = "Site"
	KindPhoneTemplate        Kind = "PhoneTemplate"
	KindPhoneModel           Kind = "PhoneModel"
	KindRingTone             Kind = "RingTone"
)

// VPNGateway is a gateway that phones may be sent to: one URL and the certificates it may present. It
// may be somebody else's.
type VPNGateway struct {
	Name         string   `json:"name"`
	Description  string   `json:"description,omitempty"`
	URL          string   `json:"url"`          // https, at most 255 characters; written into phones' files byte for byte
	Certificates []string `json:"certificates"` // names of Certificate objects, 1 to 10; the first is the one in use
	// LegacyCertificate is the one of them that connections with old cryptography get, so that RSA key
	// exchange uses another key than the one that signs for everybody else. Empty: the first.
	LegacyCertificate string `json:"legacyCertificate,omitempty"`
	// ECDSACertificate is the one of them that clients get which can verify ECDSA: a signature with it costs
	// the gateway a small part of one with RSA. All others get the first. Empty: everybody does.
	ECDSACertificate string `json:"ecdsaCertificate,omitempty"`
}

// VPNGroup is an ordered list of gateways.
type VPNGroup struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Gateways    []string `json:"gateways"` // 1 to 3 VPNGateway names; at most 10 certificates in all
}

// ClientAuthentication says how a phone proves who it is to the gateway, in CUCM's words.
type ClientAuthentication string

// The three ways.
const (
	UserAndPassword ClientAuthentication = "User And Password"
	PasswordOnly    ClientAuthentication = "Password Only"
	ByCertificate   ClientAuthentication = "Certificate"
)

// VPNSettings are the settings that VPNProfile and VPNFeatureConfiguration share. A nil or empty field
// means "not said here".
type VPNSettings struct {
	AutoNetworkDetection *bool                `json:"autoNetworkDetection,omitempty"` // default false
	MTU                  *int                 `json:"mtu,omitempty"`                  // bytes, 256 to 1406, default 1290
	KeepAlive            *int                 `json:"keepAlive,omitempty"`            // seconds, 0 to 120, default 60
	FailToConnect        *int                 `json:"failToConnect,omitempty"`        // seconds, 0 to 600, default 30
	ClientAuthentication ClientAuthentication `json:"clientAuthentication,omitempty"` // default User And Password
	PasswordPersistence  *bool                `json:"passwordPersistence,omitempty"`  // default false
	EnableHostIDCheck    *bool                `json:"enableHostIDCheck,omitempty"`    // default true
}

// VPNProfile is a set of VPN settings for some phones; its fields win over VPNFeatureConfiguration's.
type VPNProfile struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	VPNSettings
}

// VPNFeatureConfiguration holds the defaults for every phone. There is at most one.
type VPNFeatureConfiguration struct {
	Name string `json:"name"`
	VPNSettings
}

// CommonPhoneProfile gives phones their VPN group and profile, and says what of their files is signed.
type CommonPhoneProfile struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	VPNGroup    string `json:"vpnGroup,omitempty"`
	VPNProfile  string `json:"vpnProfile,omitempty"`
	Template    string `json:"template,omitempty"` // PhoneTemplate that these phones' files begin from

	SecurityByDefault          string `json:"securityByDefault,omitempty"`          // trust lists and signed files: disabled (default), enabled, or rollback on the way back
	ClusterSecurityMode        string `json:"clusterSecurityMode,omitempty"`        // non-secure (default), or mixed: a CTL, too
	TFTPEncryptedConfig        bool   `json:"tftpEncryptedConfig,omitempty"`        // files are encrypted for each phone that has an LSC
	TFTPFileSignatureAlgorithm string `json:"tftpFileSignatureAlgorithm,omitempty"` // SHA-1 (default), or SHA-512, which old phones cannot verify

	SIPDialRules         string   `json:"sipDialRules,omitempty"`         // SIPDialRules by name; SIP loads only
	SoftkeyTemplate      string   `json:"softkeyTemplate,omitempty"`      // SoftkeyTemplate by name; SIP loads only
	FeatureControlPolicy string   `json:"featureControlPolicy,omitempty"` // FeatureControlPolicy by name; 8961, 9951 and 9971
	PhoneServices        []string `json:"phoneServices,omitempty"`        // PhoneServices in the menus, after those that phones have built in

	AnonymousCallBlock bool `json:"anonymousCallBlock,omitempty"` // refuse calls that hide their number
	CallerIDBlocking   bool `json:"callerIDBlocking,omitempty"`   // hide one's own number
	BLFForCallLists    bool `json:"blfForCallLists,omitempty"`    // show in call lists who is busy

	// VendorConfig is CUCM's Product Specific Configuration: the elements of vendorConfig by name, such as
	// webAccess: "2". What is left out is as init's phones have it.
	VendorConfig          map[string]string     `json:"vendorConfig,omitempty"`
	SecureShellUser       string                `json:"secureShellUser,omitempty"` // opens the phone's SSH, with vendorConfig sshAccess "0"
	SecureShellPassword   secret.String         `json:"secureShellPassword,omitzero"`
	UnlockPassword        secret.String         `json:"unlockPassword,omitzero"` // local phone unlock password
	ExternalDataLocations ExternalDataLocations `json:"externalDataLocations,omitzero"`
}

// ExternalDataLocations are the URLs that a phone's keys open, each at most 255 characters. Loads from 8.x
// on take the secure ones.
type ExternalDataLocations struct {
	Information                string `json:"information,omitempty"`
	Directory                  string `json:"directory,omitempty"`
	Messages                   string `json:"messages,omitempty"`
	Services                   string `json:"services,omitempty"`
	AuthenticationServer       string `json:"authenticationServer,omitempty"` // asked whether a command to the phone's web server may run
	ProxyServer                string `json:"proxyServer,omitempty"`
	Idle                       string `json:"idle,omitempty"`
	IdleTimer                  int    `json:"idleTimer,omitempty"` // seconds until the idle URL is opened; 0: never
	SecureInformation          string `json:"secureInformation,omitempty"`
	SecureDirectory            string `json:"secureDirectory,omitempty"`
	SecureMessages             string `json:"secureMessages,omitempty"`
	SecureServices             string `json:"secureServices,omitempty"`
	SecureAuthenticationServer string `json:"secureAuthenticationServer,omitempty"`
	SecureIdle                 string `json:"secureIdle,omitempty"`
}

// Device is a phone's record.
type Device struct {
	Name               string        `json:"name"` // SEP and 12 upper-case hex digits
	Description        string        `json:"description,omitempty"`
	Model              string        `json:"model"`              // such as CP-8861
	Protocol           string        `json:"protocol,omitempty"` // SIP (default) or SCCP
	Load               string        `json:"load,omitempty"`     // firmware image without .loads; empty keeps the phone's own
	CommonPhoneProfile string        `json:"commonPhoneProfile,omitempty"`
	Template           string        `json:"template,omitempty"` // PhoneTemplate; before the profile's
	Site               string        `json:"site,omitempty"`
	Lines              []string      `json:"lines,omitempty"`        // directory numbers in button order
	Buttons            []Button      `json:"buttons,omitempty"`      // what the keys behind the lines do; SIP loads only
	PhoneLabel         string        `json:"phoneLabel,omitempty"`   // on the screen's top, at most 12 characters; empty: the first line's number
	AddOnModules       []AddOnModule `json:"addOnModules,omitempty"` // key expansion modules from left to right, at most 3
	// VendorConfig is as in CommonPhoneProfile, and goes before it.
	VendorConfig map[string]string `json:"vendorConfig,omitempty"`
	Blocked      bool              `json:"blocked,omitempty"`    // its sessions end at once and it may not log in
	VPNAddress   string            `json:"vpnAddress,omitempty"` // inner address that its sessions get and no other's do
}

// UserLocale is the language of phones' screens. Its files lie in the folder files, in one of its name.
type UserLocale struct {
	Name     string `json:"name"`               // such as German_Germany
	Language string `json:"language,omitempty"` // such as de_DE
	Version  string `json:"version,omitempty"`  // phones fetch the files again when it changes
	Charset  string `json:"charset,omitempty"`  // winCharSet: utf-8 (default) or iso-8859-1
}

// NetworkLocale is the tones of a country, in the way of UserLocale.
type NetworkLocale struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// Button is what a key of a phone does that is no line.
type Button struct {
	Feature  string `json:"feature"`            // such as Speed Dial, Speed Dial BLF, Service URL, Do Not Disturb
	Label    string `json:"label,omitempty"`    // at most 30 characters; empty: the number or the feature
	Number   string `json:"number,omitempty"`   // what it dials, or whom it watches; a comma waits two seconds
	Service  string `json:"service,omitempty"`  // PhoneService that it opens
	Pickup   bool   `json:"pickup,omitempty"`   // of Speed Dial BLF: shows ringing, too, and then takes the call
	Position int    `json:"position,omitempty"` // of the key; 0: the next one
}

// AddOnModule is a key expansion module.
type AddOnModule struct {
	Model string `json:"model"`          // 7914, 7915, 7916, BEKEM, CP-8800-Audio, CP-8800-Video, CKEM
	Load  string `json:"load,omitempty"` // of 7914 to 7916
}

// PhoneTemplate is a phone's file that was there before: other files begin as it stands, and what the
// inventory says is written into it.
type PhoneTemplate struct {
	Name    string        `json:"name"`
	File    string        `json:"file,omitempty"`   // a SEP….cnf.xml; path relative to the inventory file
	Content secret.String `json:"content,omitzero"` // its text, at most 128 KiB, with whatever passwords are in it; filled from File
}

// Line is a directory number.
type Line struct {
	Name                  string        `json:"name"`                            // the number, kept as text: leading zeros matter
	DisplayName           string        `json:"displayName,omitempty"`           // at most 30 characters
	Label                 string        `json:"label,omitempty"`                 // beside its key, at most 30 characters; empty: the display name, else the number
	ExternalNumberMask    string        `json:"externalNumberMask,omitempty"`    // the number as the public network knows it, X for digits of the line
	MaxCalls              int           `json:"maxCalls,omitempty"`              // Maximum Number of Calls; default 4
	BusyTrigger           int           `json:"busyTrigger,omitempty"`           // with so many calls the line is busy; default 2
	CallWaiting           *bool         `json:"callWaiting,omitempty"`           // default true
	VoiceMail             string        `json:"voiceMail,omitempty"`             // number that the messages key dials
	MessageWaiting        string        `json:"messageWaiting,omitempty"`        // Light and Prompt (default), Prompt Only, Light Only, None
	AudibleMessageWaiting bool          `json:"audibleMessageWaiting,omitempty"` // a tone at off-hook
	RingSettingIdle       string        `json:"ringSettingIdle,omitempty"`       // Ring (default), Ring Once, Flash Only, Disable
	RingSettingActive     string        `json:"ringSettingActive,omitempty"`     // while there is a call: Beep Only (default), or as above
	AutoAnswer            string        `json:"autoAnswer,omitempty"`            // Off (default), Headset, Speakerphone
	Secret                secret.String `json:"secret,omitzero"`                 // digest password of the line's registration
}

// TunnelGroup is the ASA's connection profile: which login a URL asks for and what a session then gets.
type TunnelGroup struct {
	Name           string   `json:"name"`
	GroupURLs      []string `json:"groupURLs,omitempty"`
	GroupAliases   []string `json:"groupAliases,omitempty"`
	Authentication string   `json:"authentication,omitempty"` // aaa (default), certificate, or both: "aaa certificate"
	// CertificateAuthorities are whose client certificates count here, by name of the CertificateAuthority.
	// With authentication aaa a certificate is not needed; it only names the user where a client names none.
	CertificateAuthorities []string `json:"certificateAuthorities,omitempty"`
	// AuthenticationServerGroup are the AAAServers that know the group's users, asked in order until one
	// answers. LOCAL, which is what an empty list means, stands for the users of this inventory; at the end
	// of a list it counts when no server answers.
	AuthenticationServerGroup []string `json:"authenticationServerGroup,omitempty"`
	// SecondaryAuthentication asks for a one-time code besides the password: field, in the same form; form,
	// in one of its own. Empty: no code.
	SecondaryAuthentication string   `json:"secondaryAuthentication,omitempty"`
	AccountingServerGroup   []string `json:"accountingServerGroup,omitempty"` // RADIUS servers that are told of sessions
	AddressPool             string   `json:"addressPool,omitempty"`           // where sessions get their addresses, or
	AddressPools            []string `json:"addressPools,omitempty"`          // several pools: the next when one is exhausted
	IPv6AddressPool         string   `json:"ipv6AddressPool,omitempty"`       // for clients that can do with IPv6 inside; phones never get one
	DefaultGroupPolicy      string   `json:"defaultGroupPolicy,omitempty"`    // for logins that name no other; empty: DfltGrpPolicy
	Phones                  bool     `json:"phones,omitempty"`                // phones log in here: tunnel-all, never the default group
	LegacyPhones            bool     `json:"legacyPhones,omitempty"`          // allow TLS 1.0 and DTLS 0.9 (79xx); fenced by the policy's filter
}

// GroupPolicy is what a session gets. What a policy leaves out it takes from the one called
// DfltGrpPolicy, and what that leaves out is the ASA's default. Times are seconds; 0 means none.
type GroupPolicy struct {
	Name                       string   `json:"name"`
	Banner                     string   `json:"banner,omitempty"`     // shown after the login; none: no banner, whatever DfltGrpPolicy says
	DNSServers                 []string `json:"dnsServers,omitempty"` // addresses, at most 3; IPv6 ones for sessions that have IPv6 inside
	WINSServers                []string `json:"winsServers,omitempty"`
	DefaultDomain              string   `json:"defaultDomain,omitempty"`
	SplitDNS                   []string `json:"splitDNS,omitempty"`          // domains that are asked inside; none: all
	SplitTunnelPolicy          string   `json:"splitTunnelPolicy,omitempty"` // tunnelall (default), tunnelspecified, excludespecified
	SplitTunnelNetworks        []string `json:"splitTunnelNetworks,omitempty"`
	SplitTunnelNetworkList     string   `json:"splitTunnelNetworkList,omitempty"`     // an AccessList: the networks that it permits
	SplitTunnelAllDNS          *bool    `json:"splitTunnelAllDNS,omitempty"`          // every name is asked inside; default false
	ClientBypassProtocol       *bool    `json:"clientBypassProtocol,omitempty"`       // what has no address inside goes around the tunnel; default false
	AddressPools               []string `json:"addressPools,omitempty"`               // in place of the tunnel group's
	IPv6AddressPool            string   `json:"ipv6AddressPool,omitempty"`            // likewise; none: no IPv6
	IdleTimeout                *int     `json:"idleTimeout,omitempty"`                // default 1800; phones: none
	SessionTimeout             *int     `json:"sessionTimeout,omitempty"`             // default none
	DisconnectedTimeout        int      `json:"disconnectedTimeout,omitempty"`        // how long a session may be without a channel; 0 means 1800
	DPDClient                  *int     `json:"dpdClient,omitempty"`                  // after this much silence the client asks; default 30; 0 off
	DPDGateway                 *int     `json:"dpdGateway,omitempty"`                 // likewise the gateway
	KeepAlive                  *int     `json:"keepAlive,omitempty"`                  // default 20; 0 off
	RekeyTime                  *int     `json:"rekeyTime,omitempty"`                  // default 86400; phones are never told to
	RekeyMethod                string   `json:"rekeyMethod,omitempty"`                // new-tunnel (default), none
	SimultaneousLogins         *int     `json:"simultaneousLogins,omitempty"`         // per user; default 3; 0: nobody may log in
	Filter                     string   `json:"filter,omitempty"`                     // an AccessList; none: no filter, whatever DfltGrpPolicy says
	MTU                        int      `json:"mtu,omitempty"`                        // most a session may ask for; 0 means 1406
	DTLS                       *bool    `json:"dtls,omitempty"`                       // default true
	SmartcardRemovalDisconnect *bool    `json:"smartcardRemovalDisconnect,omitempty"` // default true
}

// AddressPool is the inner network that sessions get addresses from.
type AddressPool struct {
	Name    string `json:"name"`
	Network string `json:"network"` // CIDR, IPv4 from /16 on or IPv6 up to /96; a session's netmask is this network's

	// What leaves the pool for the office takes the gateway's own inside address. The office needs no
	// route then, and nobody there can reach a phone by its address.
	NAT bool `json:"nat,omitempty"`
}

// AccessList permits or denies what sessions may reach. The first entry that matches decides; what no
// entry matches is denied.
type AccessList struct {
	Name    string        `json:"name"`
	Entries []AccessEntry `json:"entries"`
}

// AccessEntry is one rule on what comes out of a session's tunnel.
type AccessEntry struct {
	Action      string   `json:"action"`             // permit or deny
	Protocol    string   `json:"protocol,omitempty"` // ip (default), tcp, udp, icmp, icmp6
	Source      string   `json:"source,omitempty"`   // sessions with an inner address in this CIDR; any (default)
	Users       []string `json:"users,omitempty"`    // only sessions of these users or
	Devices     []string `json:"devices,omitempty"`  // of these devices; none of both: all
	Destination string   `json:"destination"`        // CIDR, or any
	Ports       string   `json:"ports,omitempty"`    // "5060" or "16384-32767"; empty: all
	ICMPType    string   `json:"icmpType,omitempty"` // of icmp or icmp6: the ASA's word or a number; empty: all
}

// User may log in to the VPN. A user never signs in to the API.
type User struct {
	Name         string        `json:"name"`
	Password     secret.String `json:"password,omitzero"`     // in clear, only in files that people write; stored as PasswordHash
	PasswordHash secret.String `json:"passwordHash,omitzero"` // PHC argon2id, crypt or ASA pbkdf2 text
	TOTPSecret   secret.String `json:"totpSecret,omitzero"`   // key of one-time codes in base32; "none" takes one away
	Devices      []string      `json:"devices,omitempty"`
	Blocked      bool          `json:"blocked,omitempty"`   // may not log in; sessions end at once
	GroupLock    string        `json:"groupLock,omitempty"` // the one TunnelGroup this user may use
	// VPNGroupPolicy is the GroupPolicy of this user's sessions, before whatever else would give them one.
	VPNGroupPolicy string `json:"vpnGroupPolicy,omitempty"`
	VPNAddress     string `json:"vpnAddress,omitempty"` // inner address that this user's sessions get and no others do; the device's goes before it
}

// Certificate is a certificate the gateway presents, or one that somebody else's gateway presents (then
// without a key).
type Certificate struct {
	Name            string        `json:"name"`
	CertificateFile string        `json:"certificateFile,omitempty"` // PEM, leaf first; path relative to the inventory file
	KeyFile         string        `json:"keyFile,omitempty"`
	Certificate     string        `json:"certificate,omitempty"` // PEM text; filled from CertificateFile
	Key             secret.String `json:"key,omitzero"`          // PEM text; filled from KeyFile
}

// CertificateAuthority vouches for clients: the issuers of their certificates and what those have revoked.
type CertificateAuthority struct {
	Name            string `json:"name"`
	CertificateFile string `json:"certificateFile,omitempty"` // PEM or DER; path relative to the inventory file
	Certificate     string `json:"certificate,omitempty"`     // PEM text of one or more issuers, each trusted by itself; filled from CertificateFile
	CRLFile         string `json:"crlFile,omitempty"`         // PEM with one or more lists, or one in DER
	CRL             string `json:"crl,omitempty"`             // PEM text; filled from CRLFile
	Manufacturer    bool   `json:"manufacturer,omitempty"`    // its certificates prove model and MAC address only: enrolment and files
	// Own stands for the authority that this house's CAPF gives phones their certificates with, whatever key it
	// has, and for what it has revoked. No certificate and no list is named with it.
	Own bool `json:"own,omitempty"`
}

// Site is what CUCM spreads over device pool and location.
type Site struct {
	Name          string        `json:"name"`
	CallManagers  []string      `json:"callManagers,omitempty"` // host or host:port, in order; empty: our own
	NTPServers    []string      `json:"ntpServers,omitempty"`
	TimeZone      string        `json:"timeZone,omitempty"`     // CUCM's name, such as "W. Europe Standard/Daylight Time"
	DateTemplate  string        `json:"dateTemplate,omitempty"` // such as D/M/Y; suffix A means a 12-hour clock
	NTPMode       string        `json:"ntpMode,omitempty"`      // unicast (default), or directedbroadcast: listen to these servers' broadcasts
	UserLocale    UserLocale    `json:"userLocale,omitzero"`    // language of the screens
	NetworkLocale NetworkLocale `json:"networkLocale,omitzero"` // tones of the country
}

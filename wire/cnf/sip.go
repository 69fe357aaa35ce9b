package cnf

import "github.com/longcord/longcord/internal/secret"

// SIPProfile is what SIP loads are told about signalling, media and lines.
type SIPProfile struct {
	Proxies  SIPProxies
	Features SIPFeatures
	Stack    SIPStack

	AutoAnswerTimer        int  // seconds until a line that answers by itself does
	AutoAnswerAltBehaviour bool // not while another call is there: autoAnswerAltBehavior
	AutoAnswerOverride     bool
	TransferOnHook         bool   // hanging up completes a transfer: transferOnhookEnabled
	EnableVAD              bool   // silence suppression
	PreferredCodec         string // such as g711ulaw; none leaves it to the phone
	DTMFPayload            int    // dtmfAvtPayload, an RTP payload type
	DTMFLevel              int    // dtmfDbLevel
	DTMFOutOfBand          string // avt
	AlwaysPrimeLine        bool   // alwaysUsePrimeLine
	AlwaysPrimeVoiceMail   bool   // alwaysUsePrimeLineVoiceMail
	KPML                   int
	PhoneLabel             string // at most 12 characters; 79xx: without spaces
	StutterMessageWaiting  int    // stutterMsgWaiting
	CallStats              bool   // statistics in BYE
	FirstDigitTimer        int    // offhookToFirstDigitTimer, milliseconds
	CallWaitingSilence     int    // silentPeriodBetweenCallWaitingBursts, seconds
	LocalSpeedDialsOff     bool   // disableLocalSpeedDialConfig
	StartMediaPort         int    // RTP, inclusive
	StopMediaPort          int
	NATEnabled             bool
	NATReceived            bool // natReceivedProcessing
	NATAddress             string
	ExternalNumberMask     string
	VoIPControlPort        int    // the phone's own SIP port
	DSCPForAudio           int    // the whole traffic class octet: 184 is EF
	DSCPForVideo           int    // dscpVideo
	BusyRingPolicy         int    // ringSettingBusyStationPolicy
	DialTemplate           string // a file's name
	SoftKeyFile            string // a file's name
	Lines                  []Line // in button order
}

// SIPProxies say whom a phone registers with beside the call managers of its pool.
type SIPProxies struct {
	RegisterWithProxy  bool
	BackupProxy        string
	BackupProxyPort    string
	EmergencyProxy     string
	EmergencyProxyPort string
	OutboundProxy      string
	OutboundProxyPort  string
}

// SIPFeatures are the call features of sipCallFeatures.
type SIPFeatures struct {
	ConferenceJoinEnabled bool   // cnfJoinEnabled
	ForwardURI            string // callForwardURI, x-cisco-serviceuri-… as the others
	PickupURI             string // callPickupURI
	PickupListURI         string // callPickupListURI
	PickupGroupURI        string // callPickupGroupURI
	MeetMeURI             string // meetMeServiceURI
	AbbreviatedDialURI    string
	RFC2543Hold           bool
	HoldRingback          int  // callHoldRingback
	LocalForwardEnable    bool // localCfwdEnable
	SemiAttendedTransfer  bool
	AnonymousCallBlock    int // its numbers differ between families of models
	CallerIDBlocking      int // likewise
	DNDControl            int
	RemoteCCEnable        bool
	RetainForwardInfo     bool // retainForwardInformation
	URIDisplay            int  // uriDialingDisplayPreference: 0 user@domain, 1 user
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
	UserInfo          string // Phone
}

// The featureID of some buttons; others carry other numbers.
const (
	FeatureSpeedDial   = 2
	FeatureLine        = 9
	FeatureCallParkBLF = 22
	FeatureIntercom    = 23
)

// Line is one button of sipLines that is a line or another feature.
type Line struct {
	Button       int    // 0: its place in the list
	LineIndex    int    // which line it is, of those that are lines; 0: the button's number, or none for other features
	FeatureID    int    // FeatureLine for a line
	FeatureLabel string // beside the button, at most 30 characters

	Proxy            string // USECALLMANAGER, or a host
	Port             int
	Name             string // user part of the address of record: the directory number
	DisplayName      string
	AutoAnswer       int    // autoAnswerEnabled
	AutoAnswerMode   string // such as Auto Answer with Speakerphone
	CallWaiting      int    // its numbers differ between families of models
	AuthName         string
	AuthPassword     secret.String
	Contact          string
	SharedLine       bool
	LampPolicy       int    // messageWaitingLampPolicy, 0 to 6
	AudibleWaiting   int    // messageWaitingAMWI
	MessagesNumber   string // what the messages key dials
	RingIdle         int    // ringSettingIdle, 0 to 4
	RingActive       int    // ringSettingActive, 0 to 5
	ForwardInfo      ForwardInfo
	MaxCalls         int // maxNumCalls
	BusyTrigger      int
	RecordingOption  string // disable, enable
	SpeedDialNumber  string
	SpeedDialIndex   int // of abbreviated dialling, 1 to 99
	FeatureOptions   int // featureOptionMask
	ServiceURI       string
	SecureServiceURI string
	RetrievalPrefix  string // of a parked call
}

// ForwardInfo says what a phone shows of a forwarded call: forwardCallInfoDisplay.
type ForwardInfo struct{ CallerName, CallerNumber, RedirectedNumber, DialedNumber bool }

// UseCallManager in a line's Proxy means the call managers of the device pool.
const UseCallManager = "USECALLMANAGER"

// calls reports whether the button makes calls of its own, so that it has what a line has.
func (l *Line) calls() bool { return l.FeatureID == FeatureLine || l.FeatureID == FeatureIntercom }

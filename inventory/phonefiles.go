package inventory

// What phones' files are made of beside devices and lines.

// DeviceDefaults is what every device of a model gets, and phones that nobody declared, by the default file.
type DeviceDefaults struct {
	Name     string `json:"name"`               // the model, such as CP-8861
	Load     string `json:"load"`               // firmware image without .loads, of devices that name none
	Protocol string `json:"protocol,omitempty"` // of the load: SIP (default) or SCCP
}

// SIPDialRules say when a dialled number is complete, and what is dialled instead. The first that matches
// decides.
type SIPDialRules struct {
	Name  string     `json:"name"`
	Rules []DialRule `json:"rules"`
}

// DialRule is one pattern.
type DialRule struct {
	// Pattern is digits and #, . for any one of digits, # and *, * for any number of them, \* for a *, and a
	// comma where the tone is played. An empty one matches at off-hook: a hot line.
	Pattern string `json:"pattern"`
	Timeout int    `json:"timeout"`           // seconds to wait for more digits
	Line    int    `json:"line,omitempty"`    // only on this line, 1 is the first; 0: all
	Rewrite string `json:"rewrite,omitempty"` // dialled instead: digits, . for what . matched, %0 the whole, %1 to %5 groups
	Tone    string `json:"tone,omitempty"`    // such as Bellcore-Outside
}

// SoftkeyTemplate is the soft keys of each state of a call, from left to right, at most 16. A state left
// out has its usual ones.
type SoftkeyTemplate struct {
	Name                string   `json:"name"`
	OnHook              []string `json:"onHook,omitempty"`
	OffHook             []string `json:"offHook,omitempty"`
	OffHookWithFeature  []string `json:"offHookWithFeature,omitempty"`
	DigitsAfterFirst    []string `json:"digitsAfterFirst,omitempty"`
	RingOut             []string `json:"ringOut,omitempty"`
	RingIn              []string `json:"ringIn,omitempty"`
	Connected           []string `json:"connected,omitempty"`
	ConnectedNoFeature  []string `json:"connectedNoFeature,omitempty"`
	ConnectedTransfer   []string `json:"connectedTransfer,omitempty"`
	ConnectedConference []string `json:"connectedConference,omitempty"`
	OnHold              []string `json:"onHold,omitempty"`
	RemoteInUse         []string `json:"remoteInUse,omitempty"`
}

// FeatureControlPolicy says which features 8961, 9951 and 9971 offer; what it does not name is as usual:
// all but Barge and Mobility.
type FeatureControlPolicy struct {
	Name    string   `json:"name"`
	Enable  []string `json:"enable,omitempty"`
	Disable []string `json:"disable,omitempty"`
}

// PhoneService is an entry of phones' menus.
type PhoneService struct {
	Name    string `json:"name"` // as the menu shows it
	URL     string `json:"url"`
	Menu    string `json:"menu,omitempty"` // services (default), directories, messages
	Vendor  string `json:"vendor,omitempty"`
	Version string `json:"version,omitempty"`
}

// RingTone is a tone that users may choose. Its files lie in the folder files.
type RingTone struct {
	Name     string `json:"name"`               // as the menu shows it, at most 25 characters
	File     string `json:"file,omitempty"`     // .raw: 8000 Hz, µ-law
	Wideband string `json:"wideband,omitempty"` // .rwb: 16000 Hz, 16 bit, for 78xx and 88xx
}

// Limits of texts in phones' files, in characters.
const (
	MaxPhoneLabel = 12
	MaxLabel      = 30
	MaxRingName   = 25
	MaxSoftKeys   = 16
	MaxModules    = 3
)

// SoftkeyState is the keys of one state.
type SoftkeyState struct {
	Field string   // of SoftkeyTemplate
	State string   // as phones call it
	Keys  []string // what the template says, or the usual keys
	must  string   // a key that phones need there
}

// States returns the keys of every state, in the order of phones' files.
func (o *SoftkeyTemplate) States() []SoftkeyState {
	states := []SoftkeyState{
		{"onHook", "On Hook", []string{"Redial", "NewCall", "DND", "CFwdAll"}, "NewCall"},
		{"offHook", "Off Hook", []string{"Redial", "EndCall", "PickUp"}, ""},
		{"offHookWithFeature", "Off Hook With Feature", []string{"Redial", "EndCall"}, ""},
		{"digitsAfterFirst", "Digits After First", []string{"<<", "EndCall"}, "<<"},
		{"ringOut", "Ring Out", []string{"Undefined", "EndCall"}, ""},
		{"connected", "Connected", []string{"Hold", "EndCall", "Transfer", "Confrn", "ConfList", "Park"}, "EndCall"},
		{"connectedNoFeature", "Connected No Feature", []string{"Undefined", "EndCall"}, ""},
		{"connectedTransfer", "Connected Transfer", []string{"Undefined", "EndCall", "Transfer"}, "Transfer"},
		{"connectedConference", "Connected Conference", []string{"Undefined", "EndCall", "Confrn", "ConfList"}, "Confrn"},
		{"onHold", "On Hold", []string{"Resume", "NewCall"}, "Resume"},
		{"ringIn", "Ring In", []string{"Answer", "iDivert"}, ""},
		{"remoteInUse", "Remote In Use", nil, ""},
	}
	said := [][]string{
		o.OnHook, o.OffHook, o.OffHookWithFeature, o.DigitsAfterFirst, o.RingOut, o.Connected, o.ConnectedNoFeature,
		o.ConnectedTransfer, o.ConnectedConference, o.OnHold, o.RingIn, o.RemoteInUse,
	}
	for i, keys := range said {
		if keys != nil {
			states[i].Keys = keys
		}
	}
	return states
}

// fileName is what the name of an object may be that becomes part of a file's name.
// loads returns how the names of the model's loads for a protocol begin; an empty protocol is SIP.
func (m Model) loads(protocol string) []string {
	if protocol == SCCP {
		return m.SCCPLoads
	}
	return m.SIPLoads
}

// load refuses an image that is known to be for another model or protocol: a phone would take it and be of
// no use afterwards. A name that fits nothing known passes.
// SoftKeyIDs and Features are those that phones know; they are this package's to check and the renderer's
// to number.
// phoneLink refuses what a phone's key cannot open.
// label refuses a text that does not fit on the screen.
// inCharset refuses a text that cannot be shown with the character set of the device's locale.
// The character sets of user locales.
const (
	UTF8   = "utf-8"
	Latin1 = "iso-8859-1"
)

// MaxHost is the most characters of a host in a phone's file.
const MaxHost = 50

// oneOfMany is oneOf for lists too long to print.
// containing returns the first word that value begins or that begins with the same few letters.
// Calls returns the most calls of the line and the number that makes it busy, CUCM's defaults where it says
// nothing.
func (o *Line) Calls() (most, busy int) {
	most, busy = o.MaxCalls, o.BusyTrigger
	if most == 0 {
		most = 4
	}
	if busy == 0 {
		busy = min(2, most)
	}
	return most, busy
}

// The words of a line's settings with their numbers in phones' files.
var (
	MessageWaitingPolicies = map[string]int{"Light and Prompt": 3, "Prompt Only": 4, "Light Only": 5, "None": 6}
	RingSettingsIdle       = map[string]int{"Disable": 1, "Flash Only": 2, "Ring Once": 3, "Ring": 4}
	RingSettingsActive     = map[string]int{"Disable": 1, "Flash Only": 2, "Ring Once": 3, "Ring": 4, "Beep Only": 5}
	AutoAnswers            = map[string]int{"Off": 0, "Headset": 1, "Speakerphone": 1}
)

// LoadFor returns the firmware image that a device is told to run: its own, else the default of its model
// and protocol, else none, which keeps what the phone has.
func (s *Set) LoadFor(device *Device) string {
	if device.Load != "" {
		return device.Load
	}
	for _, defaults := range s.DeviceDefaults {
		if bareModel(defaults.Name) == bareModel(device.Model) && (defaults.Protocol == SCCP) == (device.Protocol == SCCP) {
			return defaults.Load
		}
	}
	return ""
}

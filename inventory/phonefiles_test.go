package inventory_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
)

// TestPhoneFilesRefused holds what phones' files are made of to what phones take.
func TestPhoneFilesRefused(t *testing.T) {
	t.Parallel()
	desk := func(change func(*inventory.Device)) func(*inventory.Set) {
		return func(s *inventory.Set) { change(s.Devices["SEP001122334466"]) } // an 8861 with line 1001
	}
	old := func(change func(*inventory.Device)) func(*inventory.Set) {
		return func(s *inventory.Set) { change(s.Devices["SEP001122334455"]) } // a 7962G with line 1001
	}
	line := func(change func(*inventory.Line)) func(*inventory.Set) {
		return func(s *inventory.Set) { change(s.Lines["1001"]) }
	}
	site := func(change func(*inventory.Site)) func(*inventory.Set) {
		return func(s *inventory.Set) { change(s.Sites["office"]) }
	}
	profile := func(change func(*inventory.CommonPhoneProfile)) func(*inventory.Set) {
		return func(s *inventory.Set) { change(s.CommonPhoneProfiles["common"]) }
	}
	buttons := func(b ...inventory.Button) func(*inventory.Device) {
		return func(d *inventory.Device) { d.Buttons = b }
	}
	for name, test := range map[string]struct {
		spoil      func(*inventory.Set)
		want, hint string
	}{
		"feature that is none":        {desk(buttons(inventory.Button{Feature: "Speed Dail", Number: "1"})), `buttons: "Speed Dail" is not a value`, `did you mean "Speed Dial"?`},
		"feature of another series":   {desk(buttons(inventory.Button{Feature: "Hold"})), `buttons: a CP-8861 has no "Hold"`, "7900"},
		"feature of the newer series": {old(buttons(inventory.Button{Feature: "All Calls"})), `buttons: a CP-7962G has no "All Calls"`, "8800"},
		"speed dial to nobody":        {desk(buttons(inventory.Button{Feature: "Speed Dial"})), `buttons: "Speed Dial" has no number`, "number:"},
		"redial of a number":          {desk(buttons(inventory.Button{Feature: "Redial", Number: "1"})), `buttons: "Redial" takes no number`, ""},
		"service of nobody":           {desk(buttons(inventory.Button{Feature: "Service URL"})), `buttons: "Service URL" opens nothing`, "PhoneService"},
		"service that is not there":   {desk(buttons(inventory.Button{Feature: "Service URL", Service: "book"})), `buttons: names the PhoneService "book"`, ""},
		"pickup without a lamp":       {desk(buttons(inventory.Button{Feature: "Speed Dial", Number: "1", Pickup: true})), `buttons: "Speed Dial" cannot pick up`, "BLF"},
		"button on a line's key":      {desk(buttons(inventory.Button{Feature: "Redial", Position: 1})), `buttons: "Redial" is on key 1, which is a line's`, "first 1"},
		"two on one key":              {desk(buttons(inventory.Button{Feature: "Redial", Position: 3}, inventory.Button{Feature: "Call Park", Position: 3})), `buttons: two buttons are on key 3`, ""},
		"key that is not there":       {old(buttons(inventory.Button{Feature: "Redial", Position: 7})), `buttons: "Redial" is on key 7; a CP-7962G has 6`, "addOnModules"},
		"buttons of an SCCP phone": {old(func(d *inventory.Device) { d.Protocol, d.Buttons = "SCCP", []inventory.Button{{Feature: "Redial"}} }),
			`buttons: SCCP loads get their buttons from the call manager`, "take them out"},
		"module of another series": {desk(func(d *inventory.Device) { d.AddOnModules = []inventory.AddOnModule{{Model: "7916"}} }), `addOnModules: a CP-8861 takes no 7916`, "7900"},
		"two kinds of modules": {desk(func(d *inventory.Device) {
			d.AddOnModules = []inventory.AddOnModule{{Model: "BEKEM"}, {Model: "CP-8800-Audio"}}
		}), `addOnModules: CP-8800-Audio stands beside BEKEM`, "one kind"},
		"four modules": {desk(func(d *inventory.Device) {
			d.AddOnModules = slices.Repeat([]inventory.AddOnModule{{Model: "BEKEM"}}, 4)
		}), `addOnModules: names 4 modules`, ""},
		"long phone label":          {desk(func(d *inventory.Device) { d.PhoneLabel = "thirteen long" }), `phoneLabel: has 13 characters; phones show 12`, "shorten"},
		"load with ending":          {desk(func(d *inventory.Device) { d.Load = "sip88xx.14-2-1.loads" }), `load: "sip88xx.14-2-1.loads" is a file's name`, "without .loads"},
		"load with a path":          {desk(func(d *inventory.Device) { d.Load = "../x" }), `load: "../x" is no firmware image`, ""},
		"setting of the product":    {desk(func(d *inventory.Device) { d.VendorConfig = map[string]string{"webAccess": "3"} }), `vendorConfig: webAccess: "3" is not a value of it`, "0, 1, 2"},
		"time of the product":       {desk(func(d *inventory.Device) { d.VendorConfig = map[string]string{"displayOnTime": "8"} }), `vendorConfig: displayOnTime: "8" is not a value of it`, "08:00"},
		"more calls than the model": {func(s *inventory.Set) { s.Lines["1001"].MaxCalls = 60 }, `lines: line "1001" may have 60 calls, and a CP-7962G takes 50`, "50 at most"},

		"long display name":    {line(func(l *inventory.Line) { l.DisplayName = strings.Repeat("x", 31) }), `displayName: has 31 characters`, "shorten"},
		"control character":    {line(func(l *inventory.Line) { l.Label = "a\x01" }), `label: holds a control character`, ""},
		"busy before one call": {line(func(l *inventory.Line) { l.BusyTrigger = 5 }), `busyTrigger: is 5; it must be between 1 and maxCalls, which is 4`, ""},
		"ring word":            {line(func(l *inventory.Line) { l.RingSettingIdle = "Beep Only" }), `ringSettingIdle: "Beep Only" is not a value`, "Ring Once"},
		"lamp word":            {line(func(l *inventory.Line) { l.MessageWaiting = "Light only" }), `messageWaiting: "Light only" is not a value`, `did you mean "Light Only"?`},
		"mailbox":              {line(func(l *inventory.Line) { l.VoiceMail = "my box" }), `voiceMail: "my box" is no number`, "digits"},
		"number mask":          {line(func(l *inventory.Line) { l.ExternalNumberMask = "030-XXXX" }), `externalNumberMask: "030-XXXX" is no mask`, "X"},
		"date template":        {site(func(s *inventory.Site) { s.DateTemplate = "DD/MM/YYYY" }), `dateTemplate: "DD/MM/YYYY" is no date template`, "D/M/Y"},
		"time zone of others":  {site(func(s *inventory.Site) { s.TimeZone = "Europe/Berlin" }), `timeZone: "Europe/Berlin" is not a value`, "CUCM's"},
		"NTP mode":             {site(func(s *inventory.Site) { s.NTPMode = "multicast" }), `ntpMode: "multicast" is not a value`, "unicast"},
		"long NTP host":        {site(func(s *inventory.Site) { s.NTPServers = []string{strings.Repeat("n", 51)} }), `ntpServers: `, ""},
		"locale with a path":   {site(func(s *inventory.Site) { s.UserLocale.Name = "de/DE" }), `userLocale: "de/DE" is no name of a locale`, "German_Germany"},
		"charset":              {site(func(s *inventory.Site) { s.UserLocale = inventory.UserLocale{Name: "a", Charset: "utf8"} }), `userLocale: "utf8" is not a value`, `"utf-8"`},
		"tones without a name": {site(func(s *inventory.Site) { s.NetworkLocale.Version = "1" }), `networkLocale: "" is no name of a locale`, ""},
		"URL":                  {profile(func(p *inventory.CommonPhoneProfile) { p.ExternalDataLocations.Directory = "10.1.0.9/book" }), `externalDataLocations: "10.1.0.9/book" is no URL`, "http://"},
		"long URL": {profile(func(p *inventory.CommonPhoneProfile) {
			p.ExternalDataLocations.Idle = "http://" + strings.Repeat("x", 250)
		}), `externalDataLocations: has 257 characters`, ""},
		"rules that are not there": {profile(func(p *inventory.CommonPhoneProfile) { p.SIPDialRules = "x" }), `sipDialRules: names the SIPDialRules "x"`, ""},
		"password without user":    {profile(func(p *inventory.CommonPhoneProfile) { p.SecureShellPassword = secret.New("x") }), `secureShellUser: is missing`, ""},

		"defaults of no model": {func(s *inventory.Set) { s.DeviceDefaults["CP-9"] = &inventory.DeviceDefaults{Name: "CP-9", Load: "x"} }, `name: "CP-9" is no model known`, "phones models"},
		"defaults of another": {func(s *inventory.Set) {
			s.DeviceDefaults["CP-9971"] = &inventory.DeviceDefaults{Name: "CP-9971", Load: "sip9951.9-4-2"}
		}, `load: "sip9951.9-4-2" is an image of the CP-9951`, "sip9971"},
		"defaults of nothing":  {func(s *inventory.Set) { s.DeviceDefaults["CP-9971"] = &inventory.DeviceDefaults{Name: "CP-9971"} }, `load: is missing`, "sip9971"},
		"rules that are empty": {func(s *inventory.Set) { s.SIPDialRules["a"] = &inventory.SIPDialRules{Name: "a"} }, `rules: is empty`, "pattern"},
		"rules with a path": {func(s *inventory.Set) {
			s.SIPDialRules["../a"] = &inventory.SIPDialRules{Name: "../a", Rules: []inventory.DialRule{{}}}
		}, `name: "../a" cannot be part of a file's name`, "letters"},
		"pattern":                 {rules(inventory.DialRule{Pattern: "1x"}), `rules: pattern "1x" is none`, "for one digit"},
		"timeout":                 {rules(inventory.DialRule{Timeout: 61}), `rules: is 61; it must be between 0 and 60 seconds`, ""},
		"rewrite":                 {rules(inventory.DialRule{Rewrite: "%6"}), `rules: rewrite "%6" is none`, "%5"},
		"tone":                    {rules(inventory.DialRule{Tone: "Bellcore-Outsid"}), `rules: "Bellcore-Outsid" is not a value`, `"Bellcore-Outside"`},
		"soft key":                {softkeys(func(k *inventory.SoftkeyTemplate) { k.OnHook = []string{"NewCall", "Redail"} }), `onHook: "Redail" is not a value`, `"Redial"`},
		"soft key that is needed": {softkeys(func(k *inventory.SoftkeyTemplate) { k.Connected = []string{"Hold"} }), `connected: lacks EndCall`, "add EndCall"},
		"seventeen soft keys":     {softkeys(func(k *inventory.SoftkeyTemplate) { k.RingIn = slices.Repeat([]string{"Answer"}, 17) }), `ringIn: has 17 keys; phones show 16`, ""},
		"policy's feature":        {policy([]string{"Bargee"}, nil), `enable: "Bargee" is not a value`, `"Barge"`},
		"policy's two minds":      {policy([]string{"Park"}, []string{"Park"}), `disable: "Park" stands under enable, too`, ""},
		"service's menu":          {service(inventory.PhoneService{URL: "http://x", Menu: "directory"}), `menu: "directory" is not a value`, ""},
		"service's URL":           {service(inventory.PhoneService{URL: "ftp://x"}), `url: "ftp://x" is no URL`, "http://"},
		"service without":         {service(inventory.PhoneService{}), `url: is missing`, "Application:"},
		"ring without a file":     {ring(inventory.RingTone{}), `file: is missing`, ".raw"},
		"ring's ending":           {ring(inventory.RingTone{File: "a.wav"}), `file: "a.wav" is no ring tone`, ".raw"},
		"ring's long file":        {ring(inventory.RingTone{Wideband: strings.Repeat("a", 22) + ".rwb"}), `wideband: has 26 characters`, "shorter"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := office(t)
			test.spoil(set)
			problems := set.Validate()
			if !slices.ContainsFunc(problems, func(p inventory.Problem) bool {
				return strings.HasPrefix(p.Field+": "+p.Says, test.want) && strings.Contains(p.Hint, test.hint)
			}) {
				t.Errorf("got %v, want %s (%s)", problems, test.want, test.hint)
			}
		})
	}
}

func rules(rule inventory.DialRule) func(*inventory.Set) {
	return func(s *inventory.Set) {
		s.SIPDialRules["r"] = &inventory.SIPDialRules{Name: "r", Rules: []inventory.DialRule{rule}}
	}
}

func softkeys(change func(*inventory.SoftkeyTemplate)) func(*inventory.Set) {
	return func(s *inventory.Set) {
		s.SoftkeyTemplates["k"] = &inventory.SoftkeyTemplate{Name: "k"}
		change(s.SoftkeyTemplates["k"])
	}
}

func policy(enable, disable []string) func(*inventory.Set) {
	return func(s *inventory.Set) {
		s.FeatureControlPolicies["p"] = &inventory.FeatureControlPolicy{Name: "p", Enable: enable, Disable: disable}
	}
}

func service(o inventory.PhoneService) func(*inventory.Set) {
	return func(s *inventory.Set) { o.Name = "s"; s.PhoneServices["s"] = &o }
}

func ring(o inventory.RingTone) func(*inventory.Set) {
	return func(s *inventory.Set) { o.Name = "r"; s.RingTones["r"] = &o }
}

package inventory

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/longcord/longcord/internal/nearest"
)

// Rules for what phones' files are made of beside devices and lines: phones pass over what they do not take, and
// nobody sees it.

var fileName = regexp.MustCompile(`^[0-9A-Za-z_-]{1,40}$`)

func namesFile[T any](v *validation, name string, table Table[T]) {
	if !fileName.MatchString(name) {
		v.refuse("name", "letters, digits, - and _; at most 40", "%q cannot be part of a file's name", name)
	}
	for other := range table {
		if other != name && strings.EqualFold(other, name) {
			v.refuse("name", "phones do not tell small from capital letters in file names", "differs from %q in letter case only", other)
		}
	}
}

func (v *validation) deviceDefaults(o *DeviceDefaults) {
	if o.Protocol != "" {
		oneOf(v, "protocol", o.Protocol, SIP, SCCP)
	}
	model, known := v.set.Model(o.Name)
	switch {
	case !known:
		v.refuse("name", "write a model, see: longcord phones models", "%q is no model known", o.Name)
	case o.Load == "":
		v.refuse("load", "name a firmware image without .loads, such as "+exampleLoad(model, o.Protocol), "is missing")
	default:
		v.load(model, o.Protocol, o.Load)
	}
}

func exampleLoad(model Model, protocol string) string {
	for _, load := range model.loads(protocol) {
		return load + "…"
	}
	return "sip88xx…"
}

func (v *validation) load(model Model, protocol, load string) {
	switch {
	case strings.HasSuffix(strings.ToLower(load), ".loads"):
		v.refuse("load", "write it without .loads", "%q is a file's name", load)
		return
	case strings.ContainsAny(load, " /\\<>") || len(load) > 64:
		v.refuse("load", "write the image's name as Cisco does", "%q is no firmware image", load)
		return
	case fits(load, model.loads(protocol)):
		return
	}
	if protocol == "" {
		protocol = SIP
	}
	for _, other := range v.set.Models() {
		for _, speaks := range other.Protocols() {
			if fits(load, other.loads(speaks)) {
				v.refuse("load", fmt.Sprintf("its loads for %s begin with %s", protocol, strings.Join(model.loads(protocol), " or ")),
					"%q is an image of the %s for %s, and this is a %s that speaks %s", load, other.Name, speaks, model.Name, protocol)
				return
			}
		}
	}
}

func fits(load string, beginnings []string) bool {
	return slices.ContainsFunc(beginnings, func(beginning string) bool {
		return len(load) > len(beginning) && strings.EqualFold(load[:len(beginning)], beginning)
	})
}

var (
	dialPattern = regexp.MustCompile(`^(?:[0-9.#*,+]|\\[*])*$`)
	dialRewrite = regexp.MustCompile(`^(?:[0-9.#*+]|%[0-5%.])*$`)
	dialTones   = []string{
		"Bellcore-Inside", "Bellcore-Outside", "Bellcore-Busy", "Bellcore-Reorder", "Bellcore-CallWaiting", "Bellcore-Hold", "Bellcore-Reminder",
		"Bellcore-Confirmation", "Bellcore-Permanent", "Bellcore-None", "Cisco-Zip", "Cisco-ZipZip", "Cisco-BeepBonk",
	}
)

func (v *validation) sipDialRules(o *SIPDialRules) {
	namesFile(v, o.Name, v.set.SIPDialRules)
	if len(o.Rules) == 0 {
		v.refuse("rules", "write at least - {pattern: \"*\", timeout: 5}", "is empty")
	}
	for _, rule := range o.Rules {
		if !dialPattern.MatchString(rule.Pattern) {
			v.refuse("rules", `digits, #, . for one digit, * for many, \* for a star, and a comma where the tone is played`, "pattern %q is none", rule.Pattern)
		}
		if !dialRewrite.MatchString(rule.Rewrite) {
			v.refuse("rules", "digits, . for what a . matched, %0 for all, %1 to %5 for groups", "rewrite %q is none", rule.Rewrite)
		}
		between(v, "rules", "seconds", rule.Timeout, 0, 60)
		if rule.Line < 0 {
			v.refuse("rules", "1 is the first line", "line is %d", rule.Line)
		}
		if rule.Tone != "" {
			oneOf(v, "rules", rule.Tone, dialTones...)
		}
	}
}

var (
	softKeyIDs = []string{
		"Undefined", "Redial", "NewCall", "Hold", "Transfer", "CFwdAll", "<<", "EndCall", "Resume", "Answer", "Confrn", "Park", "Join", "MeetMe",
		"PickUp", "GPickUp", "RmLstC", "DND", "CallBack", "QRT", "MCID", "Select", "ConfList", "iDivert", "OPickUp", "HLog", "AbbrDial", "Record",
	}
	policyFeatures = []string{
		"Forward All", "Park", "Divert (Alerting)", "Conference Details", "Speed Dial", "Call Back", "Redial", "Barge", "Divert (Connected)",
		"Call PickUp", "Other Call PickUp", "Group Call PickUp", "Mobility", "Meet Me", "Quality Reporting Tool", "Malicious Caller ID",
	}
)

func (v *validation) softkeyTemplate(o *SoftkeyTemplate) {
	namesFile(v, o.Name, v.set.SoftkeyTemplates)
	for _, state := range o.States() {
		for _, key := range state.Keys {
			oneOf(v, state.Field, key, softKeyIDs...)
		}
		if len(state.Keys) > MaxSoftKeys {
			v.refuse(state.Field, "", "has %d keys; phones show %d", len(state.Keys), MaxSoftKeys)
		}
		if state.must != "" && !slices.Contains(state.Keys, state.must) {
			v.refuse(state.Field, "add "+state.must, "lacks %s, which phones need in state %s", state.must, state.State)
		}
	}
}

func (v *validation) featureControlPolicy(o *FeatureControlPolicy) {
	namesFile(v, o.Name, v.set.FeatureControlPolicies)
	for _, feature := range o.Enable {
		oneOf(v, "enable", feature, policyFeatures...)
		if slices.Contains(o.Disable, feature) {
			v.refuse("disable", "keep one of the two", "%q stands under enable, too", feature)
		}
	}
	for _, feature := range o.Disable {
		oneOf(v, "disable", feature, policyFeatures...)
	}
}

func (v *validation) phoneService(o *PhoneService) {
	v.label("name", o.Name, MaxLabel)
	if o.Menu != "" {
		oneOf(v, "menu", o.Menu, "services", "directories", "messages")
	}
	if o.URL == "" {
		v.refuse("url", "write http://, https://, or Application:Cisco/… for what the phone has built in", "is missing")
		return
	}
	v.phoneLink("url", o.URL)
}

func (v *validation) phoneLink(field, url string) {
	if url == "" {
		return
	}
	if n := utf8.RuneCountInString(url); n > MaxURL {
		v.refuse(field, "", "has %d characters; phones take at most %d", n, MaxURL)
	}
	for _, scheme := range []string{"http://", "https://", "Application:"} {
		if strings.HasPrefix(url, scheme) && !strings.ContainsAny(url, " \t\n") {
			return
		}
	}
	v.refuse(field, "write http://, https://, or Application:Cisco/… for what the phone has built in", "%q is no URL that a phone opens", url)
}

func (v *validation) ringTone(o *RingTone) {
	if n := utf8.RuneCountInString(o.Name); n > MaxRingName {
		v.refuse("name", "", "has %d characters; phones take at most %d", n, MaxRingName)
	}
	if o.File == "" && o.Wideband == "" {
		v.refuse("file", "name the .raw file, or as wideband the .rwb file", "is missing")
	}
	for _, f := range []struct{ field, name, suffix string }{{"file", o.File, ".raw"}, {"wideband", o.Wideband, ".rwb"}} {
		switch {
		case f.name == "":
		case !strings.HasSuffix(f.name, f.suffix) || strings.ContainsAny(f.name, " /\\"):
			v.refuse(f.field, "name a file of the folder files that ends in "+f.suffix, "%q is no ring tone", f.name)
		case len(f.name) > MaxRingName:
			v.refuse(f.field, "give the file a shorter name", "has %d characters; phones take at most %d", len(f.name), MaxRingName)
		}
	}
}

func (v *validation) label(field, text string, limit int) {
	if n := utf8.RuneCountInString(text); n > limit {
		v.refuse(field, "shorten it; phones cut it off otherwise", "has %d characters; phones show %d", n, limit)
	}
	if strings.ContainsFunc(text, isControl) {
		v.refuse(field, "", "holds a control character")
	}
}

func (v *validation) inCharset(field, text, charset string) {
	if charset != Latin1 {
		return
	}
	for _, r := range text {
		if r > 0xff {
			v.refuse(field, "write it without, or set charset: utf-8 in the site's userLocale", "%q holds %q, which is not in the site's charset %s", text, r, Latin1)
			return
		}
	}
}

func (v *validation) siteFile(o *Site) {
	if o.TimeZone != "" {
		oneOfMany(v, "timeZone", o.TimeZone, TimeZones(), "the names are CUCM's, such as W. Europe Standard/Daylight Time")
	}
	if o.DateTemplate != "" && !isDateTemplate(o.DateTemplate) {
		v.refuse("dateTemplate", "write D, M and Y with / - or . between them, YY for four digits, and A at the end for a 12-hour clock: D/M/Y, M-D-YYA",
			"%q is no date template", o.DateTemplate)
	}
	if o.NTPMode != "" {
		oneOf(v, "ntpMode", o.NTPMode, "unicast", "directedbroadcast")
	}
	for _, host := range o.NTPServers {
		if len(host) > MaxHost {
			v.refuse("ntpServers", "", "%q has %d characters; phones take %d", host, len(host), MaxHost)
		}
	}
	if o.UserLocale != (UserLocale{}) {
		v.localeName("userLocale", o.UserLocale.Name)
		if o.UserLocale.Charset != "" {
			oneOf(v, "userLocale", o.UserLocale.Charset, UTF8, Latin1)
		}
	}
	if o.NetworkLocale != (NetworkLocale{}) {
		v.localeName("networkLocale", o.NetworkLocale.Name)
	}
}

func (v *validation) localeName(field, name string) {
	if !localeName.MatchString(name) {
		v.refuse(field, "name the folder that its files lie in, such as German_Germany: letters, digits and _", "%q is no name of a locale", name)
	}
}

var localeName = regexp.MustCompile(`^[0-9A-Za-z_]{1,50}$`)

func oneOfMany(v *validation, field, value string, words []string, hint string) {
	if slices.Contains(words, value) {
		return
	}
	if near := nearest.Word(value, words); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	} else if near := containing(words, value); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	v.refuse(field, hint, "%q is not a value of this field", value)
}

func containing(words []string, value string) string {
	value = strings.ToLower(value)
	for _, word := range words {
		lower := strings.ToLower(word)
		if len(value) >= 4 && (strings.Contains(lower, value) || strings.HasPrefix(value, strings.Fields(lower)[0]+" ")) {
			return word
		}
	}
	return ""
}

func isDateTemplate(text string) bool {
	text = strings.TrimSuffix(text, "A")
	for _, separator := range []string{"/", "-", "."} {
		parts := strings.Split(text, separator)
		if len(parts) != 3 {
			continue
		}
		slices.Sort(parts)
		return parts[0] == "D" && parts[1] == "M" && (parts[2] == "Y" || parts[2] == "YY")
	}
	return false
}

func (v *validation) profileFile(o *CommonPhoneProfile) {
	refers(v, "sipDialRules", o.SIPDialRules, v.set.SIPDialRules, KindSIPDialRules)
	refers(v, "softkeyTemplate", o.SoftkeyTemplate, v.set.SoftkeyTemplates, KindSoftkeyTemplate)
	refers(v, "featureControlPolicy", o.FeatureControlPolicy, v.set.FeatureControlPolicies, KindFeatureControlPolicy)
	v.twice("phoneServices", o.PhoneServices)
	for _, name := range o.PhoneServices {
		refers(v, "phoneServices", name, v.set.PhoneServices, KindPhoneService)
	}
	v.vendorConfig(o.VendorConfig)
	if o.SecureShellUser == "" && !o.SecureShellPassword.IsZero() {
		v.refuse("secureShellUser", "name the user whose password it is", "is missing")
	}
	urls := o.ExternalDataLocations
	for _, url := range []string{
		urls.Information, urls.Directory, urls.Messages, urls.Services, urls.AuthenticationServer, urls.Idle,
		urls.SecureInformation, urls.SecureDirectory, urls.SecureMessages, urls.SecureServices, urls.SecureAuthenticationServer, urls.SecureIdle,
	} {
		v.phoneLink("externalDataLocations", url)
	}
	if urls.IdleTimer < 0 {
		v.refuse("externalDataLocations", "", "idleTimer is %d", urls.IdleTimer)
	}
}

func (v *validation) lineFile(o *Line) {
	v.label("displayName", o.DisplayName, MaxLabel)
	v.label("label", o.Label, MaxLabel)
	maxCalls, busyTrigger := o.Calls()
	between(v, "maxCalls", "calls", maxCalls, 1, 200)
	if busyTrigger < 1 || busyTrigger > maxCalls {
		v.refuse("busyTrigger", "", "is %d; it must be between 1 and maxCalls, which is %d", busyTrigger, maxCalls)
	}
	for _, f := range []struct {
		field, value string
		words        map[string]int
	}{
		{"messageWaiting", o.MessageWaiting, MessageWaitingPolicies}, {"ringSettingIdle", o.RingSettingIdle, RingSettingsIdle},
		{"ringSettingActive", o.RingSettingActive, RingSettingsActive}, {"autoAnswer", o.AutoAnswer, AutoAnswers},
	} {
		if f.value != "" {
			oneOf(v, f.field, f.value, slices.Sorted(maps.Keys(f.words))...)
		}
	}
	if o.VoiceMail != "" && !number.MatchString(o.VoiceMail) {
		v.refuse("voiceMail", "digits, * and #, at most 24, with a leading + if wanted", "%q is no number", o.VoiceMail)
	}
	if !numberMask.MatchString(o.ExternalNumberMask) {
		v.refuse("externalNumberMask", "digits, and X for each digit of the line", "%q is no mask", o.ExternalNumberMask)
	}
}

var numberMask = regexp.MustCompile(`^\+?[0-9X]{0,24}$`)

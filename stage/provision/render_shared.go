package provision

import (
	"maps"
	"slices"
	"strings"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/cnf"
)

// shared fills what files for both protocols have. Values that nobody would choose are those of the
// published samples.
func shared(doc *cnf.Device, set *inventory.Set, device *inventory.Device, site inventory.Site, profile inventory.CommonPhoneProfile, model inventory.Model) {
	doc.IP = cnf.IPSettings{AllowAutoConfig: true, DADEnable: true}
	doc.SSHUser, doc.SSHPassword = profile.SecureShellUser, profile.SecureShellPassword
	doc.Common = cnf.CommonProfile{
		PhonePassword: profile.UnlockPassword, BackgroundImageAccess: true, CallLogBLF: switchFor(model.Family, profile.BLFForCallLists),
	}
	doc.Services = phoneServices(set, profile)
	doc.URLs = urls(profile.ExternalDataLocations)
	doc.Calls = cnf.CallFeatures{
		MissedCallLogging: strings.Repeat("1", len(device.Lines)), PhonePersonalization: 1, AutoCallPickup: true,
		DNDCallAlert: 1, DNDReminderTimer: 5, AdvertiseG722: 1,
	}
	doc.TLSResumption = 3600
	for _, module := range device.AddOnModules {
		doc.AddOnModules = append(doc.AddOnModules, cnf.AddOnModule{Type: module.Model, Lines: module.Lines(), Load: module.Load})
	}
	locales(doc, site)
}

// switchFor returns the number for on or off of the settings that models read each in their family's way
// (docs/wire/phone-files.md#families).
func switchFor(family inventory.Family, on bool) int {
	switch {
	case !on:
		return 0
	case family == inventory.Family6900 || family == inventory.Family8900 || family == inventory.Family9900:
		return 2 // 0 and 1 are off
	}
	return 1 // of the 7900 series: on, and the user may change it
}

func locales(doc *cnf.Device, site inventory.Site) {
	if l := site.UserLocale; l != (inventory.UserLocale{}) {
		doc.UserLocale = &cnf.UserLocale{
			Name: l.Name, ID: "1", Language: l.Language, Version: l.Version, Charset: firstText(l.Charset, inventory.UTF8),
		}
	}
	if l := site.NetworkLocale; l != (inventory.NetworkLocale{}) {
		doc.Tones, doc.NetworkLocale = l.Name, &cnf.NetworkLocale{Name: l.Name, Version: l.Version}
	}
}

// builtInServices are the entries that phones have by themselves, and that a file must name all the same.
var builtInServices = []cnf.PhoneService{
	{Type: 1, Name: "Missed Calls", URL: "Application:Cisco/MissedCalls"},
	{Type: 1, Name: "Received Calls", URL: "Application:Cisco/ReceivedCalls"},
	{Type: 1, Name: "Placed Calls", URL: "Application:Cisco/PlacedCalls"},
	{Type: 2, Name: "Voicemail", URL: "Application:Cisco/Voicemail"},
}

// bothMenus has phones merge these entries with those of the URLs.
const bothMenus = 2

func phoneServices(set *inventory.Set, profile inventory.CommonPhoneProfile) *cnf.PhoneServices {
	services := &cnf.PhoneServices{Provisioning: bothMenus, Services: slices.Clone(builtInServices)}
	for _, name := range profile.PhoneServices {
		service, ok := set.PhoneServices[name]
		if !ok {
			continue
		}
		services.Services = append(services.Services, cnf.PhoneService{
			Type: map[string]int{"directories": 1, "messages": 2}[service.Menu], Name: service.Name, URL: service.URL,
			Vendor: service.Vendor, Version: service.Version,
		})
	}
	return services
}

func urls(said inventory.ExternalDataLocations) cnf.URLs {
	return cnf.URLs{
		Authentication: said.AuthenticationServer, Directory: said.Directory, Idle: said.Idle, Information: said.Information,
		Messages: said.Messages, Services: said.Services, Proxy: said.ProxyServer, SecureAuthentication: said.SecureAuthenticationServer,
		SecureDirectory: said.SecureDirectory, SecureIdle: said.SecureIdle, SecureInformation: said.SecureInformation,
		SecureMessages: said.SecureMessages, SecureServices: said.SecureServices, IdleTimeout: said.IdleTimer,
	}
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

// vendorConfig is what vendor says, with what profile and device say over it.
func vendorConfig(remote bool, profile inventory.CommonPhoneProfile, device *inventory.Device) cnf.Settings {
	settings := vendor(remote)
	if profile.SoftkeyTemplate != "" {
		settings.Set("softKeyControl", "1") // 78xx, 88xx and 99xx take the template only then
	}
	declared(&settings, profile, device)
	return settings
}

func declared(settings *cnf.Settings, profile inventory.CommonPhoneProfile, device *inventory.Device) {
	for _, said := range []map[string]string{profile.VendorConfig, device.VendorConfig} {
		for _, key := range slices.Sorted(maps.Keys(said)) {
			settings.Set(key, said[key])
		}
	}
}

package provision

import (
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/cnf"
)

// adopt writes what the inventory says of a device into the file that its template holds. What the
// inventory does not say stays as the template has it, in its place:
//
//   - VPN: ours when the profile names a VPN group;
//   - call managers: those of the site, else the template's, else ours; a phone that is led to ours speaks
//     in clear, as ours does;
//   - time zone, date, NTP servers: the site's where it says something;
//   - lines: ours when the device has some. They take the place of the template's one by one, so that what
//     else a button says there stays; more lines than the device has are taken out, for they are another
//     phone's;
//   - other buttons, settings, locales, services, URLs, dial rules, soft keys: ours where the inventory names
//     some;
//   - load: the device's, or its model's default.
func adopt(file, fresh *cnf.Device, set *inventory.Set, site inventory.Site, device *inventory.Device) {
	profile := inventory.CommonPhoneProfile{}
	if p, ok := set.CommonPhoneProfiles[device.CommonPhoneProfile]; ok {
		profile = *p
	}
	if fresh.VPN != nil {
		file.VPN = fresh.VPN
	}
	if len(site.CallManagers) > 0 || len(file.Pool.CallManagers) == 0 {
		file.Pool.CallManagers = fresh.Pool.CallManagers
		file.SecurityMode, file.Transport = fresh.SecurityMode, fresh.Transport
	}
	adoptTime(&file.Pool, fresh.Pool, site)
	take(&file.Load, fresh.Load)
	declared(&file.Vendor, profile, device)
	if profile.SecureShellUser != "" {
		file.SSHUser, file.SSHPassword = fresh.SSHUser, fresh.SSHPassword
	}
	if !profile.UnlockPassword.IsZero() {
		file.Common.PhonePassword = profile.UnlockPassword
	}
	if len(profile.PhoneServices) > 0 {
		file.Services = fresh.Services
	}
	if fresh.UserLocale != nil {
		file.UserLocale = fresh.UserLocale
	}
	if fresh.NetworkLocale != nil {
		file.Tones, file.NetworkLocale = fresh.Tones, fresh.NetworkLocale
	}
	if len(fresh.AddOnModules) > 0 {
		file.AddOnModules = fresh.AddOnModules
	}
	take(&file.FeaturePolicyFile, fresh.FeaturePolicyFile)
	adoptURLs(&file.URLs, fresh.URLs)
	if file.SIPProfile != nil && fresh.SIPProfile != nil {
		adoptSIP(file.SIPProfile, fresh.SIPProfile, device)
	}
}

// take puts ours in the place of theirs where we say something.
func take(theirs *string, ours string) {
	if ours != "" {
		*theirs = ours
	}
}

func adoptURLs(theirs *cnf.URLs, ours cnf.URLs) {
	for _, u := range []struct {
		theirs *string
		ours   string
	}{
		{&theirs.Authentication, ours.Authentication}, {&theirs.Directory, ours.Directory}, {&theirs.Idle, ours.Idle},
		{&theirs.Information, ours.Information}, {&theirs.Messages, ours.Messages}, {&theirs.Services, ours.Services}, {&theirs.Proxy, ours.Proxy},
		{&theirs.SecureAuthentication, ours.SecureAuthentication}, {&theirs.SecureDirectory, ours.SecureDirectory},
		{&theirs.SecureIdle, ours.SecureIdle}, {&theirs.SecureInformation, ours.SecureInformation},
		{&theirs.SecureMessages, ours.SecureMessages}, {&theirs.SecureServices, ours.SecureServices},
	} {
		take(u.theirs, u.ours)
	}
	if ours.IdleTimeout != 0 {
		theirs.IdleTimeout = ours.IdleTimeout
	}
}

func adoptSIP(theirs, ours *cnf.SIPProfile, device *inventory.Device) {
	take(&theirs.DialTemplate, ours.DialTemplate)
	take(&theirs.SoftKeyFile, ours.SoftKeyFile)
	if len(device.Lines) > 0 {
		theirs.PhoneLabel = ours.PhoneLabel
		take(&theirs.ExternalNumberMask, ours.ExternalNumberMask)
	}
	take(&theirs.PhoneLabel, device.PhoneLabel)
	if len(ours.Lines) > 0 {
		theirs.Lines = adoptLines(theirs.Lines, ours.Lines, len(device.Lines) > 0)
	}
}

func adoptTime(pool *cnf.DevicePool, fresh cnf.DevicePool, site inventory.Site) {
	if site.TimeZone != "" || pool.TimeZone == "" {
		pool.TimeZone = fresh.TimeZone
	}
	if site.DateTemplate != "" || pool.DateTemplate == "" {
		pool.DateTemplate = fresh.DateTemplate
	}
	if len(site.NTPServers) > 0 || len(pool.NTPServers) == 0 {
		pool.NTPServers = fresh.NTPServers
	}
}

// adoptLines puts our buttons in the place of the template's: lines over lines in their order; other
// buttons of ours over what is on the same button, or behind everything.
func adoptLines(theirs, ours []cnf.Line, replaceLines bool) []cnf.Line {
	lines, others := split(ours)
	var merged []cnf.Line
	for _, button := range theirs {
		if button.FeatureID != cnf.FeatureLine || !replaceLines {
			merged = append(merged, button)
			continue
		}
		if len(lines) > 0 {
			merged = append(merged, over(button, lines[0]))
			lines = lines[1:]
		}
	}
	taken := map[int]int{}
	for i, button := range merged {
		taken[button.Button] = i
	}
	for _, button := range append(lines, others...) {
		if i, ok := taken[button.Button]; ok && button.Button != 0 {
			merged[i] = button
			continue
		}
		merged = append(merged, button)
	}
	return merged
}

func split(buttons []cnf.Line) (lines, others []cnf.Line) {
	for _, button := range buttons {
		if button.FeatureID == cnf.FeatureLine {
			lines = append(lines, button)
		} else {
			others = append(others, button)
		}
	}
	return lines, others
}

// over keeps what a template says of a line and gives it our number.
func over(theirs, ours cnf.Line) cnf.Line {
	line := theirs
	line.FeatureLabel, line.Name, line.DisplayName, line.Contact = ours.FeatureLabel, ours.Name, ours.DisplayName, ours.Contact
	line.AuthName, line.AuthPassword = ours.AuthName, ours.AuthPassword
	take(&line.MessagesNumber, ours.MessagesNumber)
	line.Proxy, line.Port = ours.Proxy, ours.Port
	return line
}

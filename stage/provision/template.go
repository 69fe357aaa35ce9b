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
//   - load: the device's.
func adopt(file, fresh *cnf.Device, site inventory.Site, device *inventory.Device) {
	if fresh.VPN != nil {
		file.VPN = fresh.VPN
	}
	if len(site.CallManagers) > 0 || len(file.Pool.CallManagers) == 0 {
		file.Pool.CallManagers = fresh.Pool.CallManagers
		file.SecurityMode, file.Transport = fresh.SecurityMode, fresh.Transport
	}
	adoptTime(&file.Pool, fresh.Pool, site)
	if device.Load != "" {
		file.Load = device.Load
	}
	if file.SIPProfile != nil && fresh.SIPProfile != nil && len(fresh.SIPProfile.Lines) > 0 {
		file.SIPProfile.Lines = adoptLines(file.SIPProfile.Lines, fresh.SIPProfile.Lines)
		file.SIPProfile.PhoneLabel = fresh.SIPProfile.PhoneLabel
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
func adoptLines(theirs, ours []cnf.Line) []cnf.Line {
	lines, others := split(ours)
	var merged []cnf.Line
	for _, button := range theirs {
		if button.FeatureID != cnf.FeatureLine {
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
	line.Proxy, line.Port = ours.Proxy, ours.Port
	return line
}

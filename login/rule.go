package login

import (
	"slices"

	"github.com/longcord/longcord/inventory"
)

// mayUse returns why a user may not use a tunnel group, or nothing. A locked user may use the group of
// the lock. Another may use every group that is not for phones, and the group of a device that is the
// user's. The one group for phones that a small set-up has takes everybody until the first lock is set.
func mayUse(set *inventory.Set, user *inventory.User, name string) string {
	group, ok := set.TunnelGroups[name]
	switch {
	case !ok:
		return "no such tunnel group"
	case user.GroupLock == name:
		return ""
	case user.GroupLock != "":
		return "locked to another tunnel group"
	case !group.Phones, ownsPhoneOf(set, user, group), isOpen(set, group):
		return ""
	}
	return "tunnel group is for phones and none of the user's"
}

// ownsPhoneOf reports whether a device of the user's is sent to a URL of the group's.
func ownsPhoneOf(set *inventory.Set, user *inventory.User, group *inventory.TunnelGroup) bool {
	var devices []*inventory.Device
	for _, name := range user.Devices {
		if device, ok := set.Devices[name]; ok {
			devices = append(devices, device)
		}
	}
	if device, ok := set.DeviceForUser(user.Name); ok {
		devices = append(devices, device)
	}
	return slices.ContainsFunc(devices, func(device *inventory.Device) bool {
		vpn, _ := set.VPNSettingsFor(device)
		return slices.ContainsFunc(vpn.Gateways, func(g *inventory.VPNGateway) bool {
			return slices.Contains(group.GroupURLs, g.URL)
		})
	})
}

// isOpen reports whether group is the only one for phones and no user has a lock yet.
func isOpen(set *inventory.Set, group *inventory.TunnelGroup) bool {
	for _, other := range set.TunnelGroups {
		if other.Phones && other != group {
			return false
		}
	}
	for _, user := range set.Users {
		if user.GroupLock != "" {
			return false
		}
	}
	return true
}

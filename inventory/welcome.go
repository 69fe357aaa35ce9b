package inventory

// Member is who a session belongs to. A user or device that was never declared, but came by RADIUS or with
// a certificate, cannot be missed here.
type Member struct {
	User, Device, TunnelGroup    string
	UserDeclared, DeviceDeclared bool // whether they were declared at the login
}

// WhyBlocked is what Unwelcome says of a user or device that is blocked.
const WhyBlocked = "blocked"

// Unwelcome says why there may be no session of this member, or nothing.
func (s *Set) Unwelcome(m Member) (why string) {
	user, device := s.Users[m.User], s.Devices[m.Device]
	switch {
	case user != nil && user.Blocked, device != nil && device.Blocked:
		return WhyBlocked
	case user == nil && m.UserDeclared:
		return "the user was deleted"
	case device == nil && m.DeviceDeclared:
		return "the device was deleted"
	case s.TunnelGroups[m.TunnelGroup] == nil:
		return "the tunnel group was deleted"
	case user != nil && user.GroupLock != "" && user.GroupLock != m.TunnelGroup:
		return "the user is locked to another tunnel group"
	}
	return ""
}

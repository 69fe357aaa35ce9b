package inventory

import "reflect"

// DefaultPolicy is the ASA's name for the group policy that others take their unset fields from. It need
// not be declared.
const DefaultPolicy = "DfltGrpPolicy"

// None stands in a field of a GroupPolicy for "nothing", where an empty field would take DfltGrpPolicy's.
const None = "none"

// PolicyFor returns what a session of user gets that logged in to group: the policy of the user's own
// record, else the one that the login named (a RADIUS class, an LDAP group), else the group's default. Names
// of policies that do not exist are passed over, as on an ASA: who wants such logins refused gives the group
// a default policy with simultaneousLogins 0. What the policy leaves out is DfltGrpPolicy's.
func (s *Set) PolicyFor(group *TunnelGroup, user, named string) *GroupPolicy {
	names := []string{named, group.DefaultGroupPolicy}
	if u := s.Users[user]; u != nil {
		names = append([]string{u.VPNGroupPolicy}, names...)
	}
	base := s.GroupPolicies[DefaultPolicy]
	if base == nil {
		base = &GroupPolicy{Name: DefaultPolicy}
	}
	for _, name := range names {
		if p := s.GroupPolicies[name]; p != nil {
			return p.completed(base)
		}
	}
	return base
}

// completed returns the policy with its unset fields from base.
func (p *GroupPolicy) completed(base *GroupPolicy) *GroupPolicy {
	whole := *p
	fields, others := reflect.ValueOf(&whole).Elem(), reflect.ValueOf(base).Elem()
	for i := range fields.NumField() {
		if f := fields.Field(i); f.IsZero() {
			f.Set(others.Field(i))
		}
	}
	return &whole
}

package inventory

import (
	"fmt"
	"maps"
	"slices"
)

// Table holds the objects of one kind by name.
type Table[T any] map[string]*T

// Set is a whole inventory. The zero value is not usable; NewSet makes one. A Set that has been handed
// to an actor is not changed any more: changes make a new Set.
type Set struct {
	VPNGateways            Table[VPNGateway]
	VPNGroups              Table[VPNGroup]
	VPNProfiles            Table[VPNProfile]
	VPNFeatures            Table[VPNFeatureConfiguration]
	CommonPhoneProfiles    Table[CommonPhoneProfile]
	PhoneModels            Table[PhoneModel]
	DeviceDefaults         Table[DeviceDefaults]
	SIPDialRules           Table[SIPDialRules]
	SoftkeyTemplates       Table[SoftkeyTemplate]
	FeatureControlPolicies Table[FeatureControlPolicy]
	PhoneServices          Table[PhoneService]
	RingTones              Table[RingTone]
	PhoneTemplates         Table[PhoneTemplate]
	Devices                Table[Device]
	Lines                  Table[Line]
	AAAServers             Table[AAAServer]
	TunnelGroups           Table[TunnelGroup]
	GroupPolicies          Table[GroupPolicy]
	AddressPools           Table[AddressPool]
	AccessLists            Table[AccessList]
	Users                  Table[User]
	Certificates           Table[Certificate]
	CertificateAuthorities Table[CertificateAuthority]
	Sites                  Table[Site]
}

// NewSet returns an empty inventory.
func NewSet() *Set {
	return &Set{
		VPNGateways:            Table[VPNGateway]{},
		VPNGroups:              Table[VPNGroup]{},
		VPNProfiles:            Table[VPNProfile]{},
		VPNFeatures:            Table[VPNFeatureConfiguration]{},
		CommonPhoneProfiles:    Table[CommonPhoneProfile]{},
		PhoneModels:            Table[PhoneModel]{},
		DeviceDefaults:         Table[DeviceDefaults]{},
		SIPDialRules:           Table[SIPDialRules]{},
		SoftkeyTemplates:       Table[SoftkeyTemplate]{},
		FeatureControlPolicies: Table[FeatureControlPolicy]{},
		PhoneServices:          Table[PhoneService]{},
		RingTones:              Table[RingTone]{},
		PhoneTemplates:         Table[PhoneTemplate]{},
		Devices:                Table[Device]{},
		Lines:                  Table[Line]{},
		AAAServers:             Table[AAAServer]{},
		TunnelGroups:           Table[TunnelGroup]{},
		GroupPolicies:          Table[GroupPolicy]{},
		AddressPools:           Table[AddressPool]{},
		AccessLists:            Table[AccessList]{},
		Users:                  Table[User]{},
		Certificates:           Table[Certificate]{},
		CertificateAuthorities: Table[CertificateAuthority]{},
		Sites:                  Table[Site]{},
	}
}

// Add puts o into the set, which keeps the pointer. It refuses a second object of the same kind and
// name with a Problem, and panics on a type that is not one of this package's.
func (s *Set) Add(o Object) error {
	switch o := o.(type) {
	case *VPNGateway:
		return add(s.VPNGateways, o.Name, o)
	case *VPNGroup:
		return add(s.VPNGroups, o.Name, o)
	case *VPNProfile:
		return add(s.VPNProfiles, o.Name, o)
	case *VPNFeatureConfiguration:
		return add(s.VPNFeatures, o.Name, o)
	case *CommonPhoneProfile:
		return add(s.CommonPhoneProfiles, o.Name, o)
	case *PhoneModel:
		return add(s.PhoneModels, o.Name, o)
	case *DeviceDefaults:
		return add(s.DeviceDefaults, o.Name, o)
	case *SIPDialRules:
		return add(s.SIPDialRules, o.Name, o)
	case *SoftkeyTemplate:
		return add(s.SoftkeyTemplates, o.Name, o)
	case *FeatureControlPolicy:
		return add(s.FeatureControlPolicies, o.Name, o)
	case *PhoneService:
		return add(s.PhoneServices, o.Name, o)
	case *RingTone:
		return add(s.RingTones, o.Name, o)
	case *PhoneTemplate:
		return add(s.PhoneTemplates, o.Name, o)
	case *Device:
		return add(s.Devices, o.Name, o)
	case *Line:
		return add(s.Lines, o.Name, o)
	case *AAAServer:
		return add(s.AAAServers, o.Name, o)
	case *TunnelGroup:
		return add(s.TunnelGroups, o.Name, o)
	case *GroupPolicy:
		return add(s.GroupPolicies, o.Name, o)
	case *AddressPool:
		return add(s.AddressPools, o.Name, o)
	case *AccessList:
		return add(s.AccessLists, o.Name, o)
	case *User:
		return add(s.Users, o.Name, o)
	case *Certificate:
		return add(s.Certificates, o.Name, o)
	case *CertificateAuthority:
		return add(s.CertificateAuthorities, o.Name, o)
	case *Site:
		return add(s.Sites, o.Name, o)
	}
	panic(fmt.Sprintf("inventory: %T is no kind of ours", o))
}

func add[T any, P interface {
	*T
	Object
}](table Table[T], name string, o P) error {
	if _, taken := table[name]; taken {
		return Problem{Kind: o.Kind(), Name: name, Says: "is declared twice", Hint: "keep one of the two, or give one another name"}
	}
	table[name] = o
	return nil
}

// Objects returns everything, by kind in the order of Kinds, and by name within a kind.
func (s *Set) Objects() []Object {
	return slices.Concat(
		sorted(s.Certificates), sorted(s.CertificateAuthorities), sorted(s.AddressPools), sorted(s.AccessLists), sorted(s.GroupPolicies), sorted(s.AAAServers), sorted(s.TunnelGroups),
		sorted(s.VPNGateways), sorted(s.VPNGroups), sorted(s.VPNFeatures), sorted(s.VPNProfiles), sorted(s.PhoneModels), sorted(s.DeviceDefaults), sorted(s.SIPDialRules), sorted(s.SoftkeyTemplates), sorted(s.FeatureControlPolicies), sorted(s.PhoneServices), sorted(s.RingTones),
		sorted(s.PhoneTemplates), sorted(s.CommonPhoneProfiles),
		sorted(s.Sites), sorted(s.Devices), sorted(s.Lines), sorted(s.Users),
	)
}

func sorted[T any, P interface {
	*T
	Object
}](table map[string]P) []Object {
	objects := make([]Object, 0, len(table))
	for _, name := range slices.Sorted(maps.Keys(table)) {
		objects = append(objects, table[name])
	}
	return objects
}

// Object returns the object of a kind and name, or false.
func (s *Set) Object(kind Kind, name string) (Object, bool) {
	for _, o := range s.Objects() {
		if o.Kind() == kind && o.ObjectName() == name {
			return o, true
		}
	}
	return nil, false
}

// Problem is one thing wrong with an inventory, addressed so that a reader of a file can give its line.
type Problem struct {
	Kind  Kind
	Name  string
	Field string // YAML field, such as "gateways"; empty: the object as a whole
	Says  string // what is wrong, lower case, no full stop
	Hint  string // what to write instead
}

// Error returns the problem on one line, without the hint.
func (p Problem) Error() string {
	if p.Field == "" {
		return fmt.Sprintf("%s %q: %s", p.Kind, p.Name, p.Says)
	}
	return fmt.Sprintf("%s %q: %s: %s", p.Kind, p.Name, p.Field, p.Says)
}

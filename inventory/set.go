package inventory

import "fmt"

// Table holds the objects of one kind by name.
type Table[T any] map[string]*T

// Set is a whole inventory. The zero value is not usable; NewSet makes one. A Set that has been handed
// to an actor is not changed any more: changes make a new Set.
type Set struct {
	VPNGateways         Table[VPNGateway]
	VPNGroups           Table[VPNGroup]
	VPNProfiles         Table[VPNProfile]
	VPNFeatures         Table[VPNFeatureConfiguration]
	CommonPhoneProfiles Table[CommonPhoneProfile]
	Devices             Table[Device]
	Lines               Table[Line]
	TunnelGroups        Table[TunnelGroup]
	GroupPolicies       Table[GroupPolicy]
	AddressPools        Table[AddressPool]
	AccessLists         Table[AccessList]
	Users               Table[User]
	Certificates        Table[Certificate]
	Sites               Table[Site]
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

package inventory

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/longcord/longcord/internal/nearest"
	"github.com/longcord/longcord/wire/cnf"
)

// Limits of CUCM and the ASA.
const (
	MaxName         = 50  // characters of a name; AXL's String50
	MaxURL          = 255 // characters of a gateway's or group's URL
	MaxGateways     = 3   // in a VPN group
	MaxCertificates = 10  // in a VPN gateway, and in all gateways of a VPN group together
	MinMTU          = 256
	MaxMTU          = 1406
	MaxKeepAlive    = 120 // seconds, on the phone's side
	MaxFail         = 600 // seconds
	MaxCallManagers = 3
	MaxDNSServers   = 3
)

// DefaultTunnelGroup is the ASA's name for the group that takes whoever asked for no other. Phones must
// never land there: they cannot choose from a menu.
const DefaultTunnelGroup = "DefaultWEBVPNGroup"

// Validate returns everything that is wrong with the set, in the order of Objects; nothing when it can be
// used. It looks at the objects alone: files and sockets are not touched.
func (s *Set) Validate() []Problem {
	v := &validation{set: s}
	for _, o := range s.Objects() {
		v.object = o
		v.name()
		v.fields()
	}
	v.overlappingPools()
	v.sharedAddresses()
	v.sharedGroupURLs()
	return v.problems
}

// validation collects problems of the object at hand.
type validation struct {
	set      *Set
	object   Object
	speaks   map[string]cnf.Protocol // of each template that has been read; empty for one that is not usable
	problems []Problem
}

// refuse notes a problem with a field of the object at hand.
func (v *validation) refuse(field, hint, says string, args ...any) {
	v.problems = append(v.problems, Problem{
		Kind: v.object.Kind(), Name: v.object.ObjectName(), Field: field, Says: fmt.Sprintf(says, args...), Hint: hint,
	})
}

func (v *validation) name() {
	name := v.object.ObjectName()
	switch {
	case name == "":
		v.refuse("name", "give it a name", "is missing")
	case len(name) > MaxName:
		v.refuse("name", "", "has %d characters; at most %d are allowed", len(name), MaxName)
	case strings.TrimSpace(name) != name || strings.ContainsFunc(name, isControl):
		v.refuse("name", "", "%q begins or ends with a space, or holds a control character", name)
	}
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

func (v *validation) fields() {
	switch o := v.object.(type) {
	case *Certificate:
		v.certificate(o)
	case *CertificateAuthority:
		v.certificateAuthority(o)
	case *AddressPool:
		v.addressPool(o)
	case *AccessList:
		v.accessList(o)
	case *GroupPolicy:
		v.groupPolicy(o)
	case *AAAServer:
		v.aaaServer(o)
	case *TunnelGroup:
		v.tunnelGroup(o)
	case *VPNGateway:
		v.vpnGateway(o)
	case *VPNGroup:
		v.vpnGroup(o)
	case *VPNFeatureConfiguration:
		v.vpnFeatures(o)
	case *VPNProfile:
		v.vpnSettings(o.VPNSettings)
	case *PhoneModel:
		v.phoneModel(o)
	case *DeviceDefaults:
		v.deviceDefaults(o)
	case *SIPDialRules:
		v.sipDialRules(o)
	case *SoftkeyTemplate:
		v.softkeyTemplate(o)
	case *FeatureControlPolicy:
		v.featureControlPolicy(o)
	case *PhoneService:
		v.phoneService(o)
	case *RingTone:
		v.ringTone(o)
	case *PhoneTemplate:
		v.phoneTemplate(o)
	case *CommonPhoneProfile:
		v.commonPhoneProfile(o)
	case *Site:
		v.site(o)
	case *Device:
		v.device(o)
	case *Line:
		v.line(o)
	case *User:
		v.user(o)
	}
}

// refers refuses a reference to an object that does not exist. An empty name is no reference.
func refers[T any](v *validation, field, name string, table Table[T], kind Kind) {
	if _, ok := table[name]; ok || name == "" {
		return
	}
	hint := fmt.Sprintf("declare a %s with that name", kind)
	if near := nearest.Word(name, slices.Sorted(maps.Keys(table))); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	v.refuse(field, hint, "names the %s %q, which does not exist", kind, name)
}

// between refuses a value outside lowest..highest.
func between[N cmp.Ordered](v *validation, field, unit string, value, lowest, highest N) {
	if value < lowest || value > highest {
		v.refuse(field, "", "is %v; it must be between %v and %v %s", value, lowest, highest, unit)
	}
}

// oneOf refuses a value that is not one of the words.
func oneOf(v *validation, field, value string, words ...string) {
	if slices.Contains(words, value) {
		return
	}
	hint := "write one of: " + strings.Join(words, ", ")
	if near := nearest.Word(value, words); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	v.refuse(field, hint, "%q is not a value of this field", value)
}

func (v *validation) twice(field string, values []string) {
	seen := map[string]bool{}
	for _, value := range values {
		if seen[value] {
			v.refuse(field, "name it once", "names %q twice", value)
		}
		seen[value] = true
	}
}

package provision

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/phonexml"
)

// Names of files that a phone's file names, or that phones ask for by themselves.
const (
	dialRulesPrefix     = "DR"
	softKeysPrefix      = "SK"
	featurePolicyPrefix = "FP"
	companionSuffix     = ".xml"

	RingList            = "Ringlist.xml"
	WidebandRingList    = "Ringlist-wb.xml"
	DistinctiveRingList = "DistinctiveRingList.xml"
)

// companions writes the names of a profile's files into a phone's file.
func companions(doc *cnf.Device, profile inventory.CommonPhoneProfile, model inventory.Model) {
	if doc.SIPProfile == nil {
		return
	}
	doc.SIPProfile.DialTemplate = companionName(dialRulesPrefix, profile.SIPDialRules)
	doc.SIPProfile.SoftKeyFile = companionName(softKeysPrefix, profile.SoftkeyTemplate)
	if model.Family == inventory.Family9900 {
		doc.FeaturePolicyFile = companionName(featurePolicyPrefix, profile.FeatureControlPolicy)
	}
}

func companionName(prefix, object string) string {
	if object == "" {
		return ""
	}
	return prefix + object + companionSuffix
}

// companionStamps returns the stamps of the files that doc names and the inventory makes. They count for
// the phone's own stamp, so that a change of them reaches it.
func companionStamps(set *inventory.Set, doc *cnf.Device) []string {
	names := []string{doc.FeaturePolicyFile}
	if doc.SIPProfile != nil {
		names = append(names, doc.SIPProfile.DialTemplate, doc.SIPProfile.SoftKeyFile)
	}
	var stamps []string
	for _, name := range names {
		doc, stamp, _ := companionDocument(set, name)
		if doc == nil || stamp == nil {
			continue
		}
		if content, err := phonexml.Bytes(doc); err == nil {
			stamps = append(stamps, cnf.StampOf(content))
		}
	}
	return stamps
}

// companion renders a file that is not one phone's, if the inventory has something for the name.
func companion(set *inventory.Set, name string) (File, bool, error) {
	doc, stamp, proper := companionDocument(set, name)
	if doc == nil {
		return File{}, false, nil
	}
	content, err := phonexml.Bytes(doc)
	if err == nil && stamp != nil {
		*stamp = cnf.StampOf(content)
		content, err = phonexml.Bytes(doc)
	}
	if err != nil {
		return File{}, true, fmt.Errorf("provision: %s: %w", proper, err)
	}
	made := File{Name: proper, Content: content}
	if stamp != nil {
		made.VersionStamp = *stamp
	}
	return made, true, nil
}

// companionDocument returns the document of a name, where its stamp stands (ring lists have none), and the
// name as phones spell it.
func companionDocument(set *inventory.Set, name string) (doc phonexml.Document, stamp *string, proper string) {
	switch {
	case strings.EqualFold(name, RingList):
		return ringList(set, func(r *inventory.RingTone) string { return r.File }), nil, RingList
	case strings.EqualFold(name, DistinctiveRingList):
		return ringList(set, func(r *inventory.RingTone) string { return r.File }), nil, DistinctiveRingList
	case strings.EqualFold(name, WidebandRingList):
		return ringList(set, func(r *inventory.RingTone) string { return r.Wideband }), nil, WidebandRingList
	}
	if rules, proper, ok := named(set.SIPDialRules, dialRulesPrefix, name); ok {
		made := dialTemplate(rules)
		return made, &made.VersionStamp, proper
	}
	if template, proper, ok := named(set.SoftkeyTemplates, softKeysPrefix, name); ok {
		made := softKeys(template)
		return made, &made.VersionStamp, proper
	}
	if policy, proper, ok := named(set.FeatureControlPolicies, featurePolicyPrefix, name); ok {
		made := featurePolicy(policy)
		return made, &made.VersionStamp, proper
	}
	return nil, nil, ""
}

// named finds the object whose file has this name.
func named[T any](table inventory.Table[T], prefix, name string) (object *T, proper string, ok bool) {
	for object, value := range table {
		if proper := companionName(prefix, object); strings.EqualFold(proper, name) {
			return value, proper, true
		}
	}
	return nil, "", false
}

// ringList returns nil when no tone has a file of the kind: then the operator's folder counts.
func ringList(set *inventory.Set, file func(*inventory.RingTone) string) phonexml.Document {
	list := &phonexml.RingList{}
	for _, name := range slices.Sorted(maps.Keys(set.RingTones)) {
		if f := file(set.RingTones[name]); f != "" {
			list.Rings = append(list.Rings, phonexml.Ring{DisplayName: name, FileName: f})
		}
	}
	if len(list.Rings) == 0 {
		return nil
	}
	return list
}

func dialTemplate(said *inventory.SIPDialRules) *phonexml.DialTemplate {
	made := &phonexml.DialTemplate{}
	for _, rule := range said.Rules {
		pattern := phonexml.DialPattern{Match: rule.Pattern, Timeout: phonexml.Number(rule.Timeout), Rewrite: rule.Rewrite, Tone: rule.Tone}
		if rule.Line > 0 {
			line := phonexml.Number(rule.Line)
			pattern.Line = &line
		}
		made.Patterns = append(made.Patterns, pattern)
	}
	return made
}

func softKeys(said *inventory.SoftkeyTemplate) *phonexml.SoftKeys {
	made := &phonexml.SoftKeys{Keys: phonexml.KnownSoftKeys()}
	for _, state := range said.States() {
		keys := phonexml.SoftKeySet{State: state.State}
		for _, key := range state.Keys {
			keys.Keys = append(keys.Keys, phonexml.SoftKeyRef{ID: key})
		}
		made.Sets = append(made.Sets, keys)
	}
	return made
}

// usuallyOff are the features that a policy has off unless it enables them.
var usuallyOff = []string{"Barge", "Mobility"}

func featurePolicy(said *inventory.FeatureControlPolicy) *phonexml.FeaturePolicy {
	made := &phonexml.FeaturePolicy{Name: said.Name}
	for i, feature := range phonexml.KnownFeatures() {
		on := !slices.Contains(usuallyOff, feature)
		on = (on || slices.Contains(said.Enable, feature)) && !slices.Contains(said.Disable, feature)
		made.Features = append(made.Features, phonexml.Feature{Name: feature, ID: phonexml.Number(i + 1), Enable: phonexml.Truth(on)})
	}
	return made
}

// defaultFile is for phones that are not in the inventory: it leads them to the call managers, where their
// registration is refused and somebody sees it, and names the load of each model that has a default.
func (r Renderer) defaultFile(set *inventory.Set) (File, error) {
	managers, err := callManagers(r.CallManagers)
	if err != nil {
		return File{}, fmt.Errorf("provision: %s: %w", DefaultFile, err)
	}
	if len(managers) == 0 {
		return File{}, fmt.Errorf("provision: %s: no call manager is named", DefaultFile)
	}
	doc := &cnf.Default{CallManagers: managers}
	for _, name := range slices.Sorted(maps.Keys(set.DeviceDefaults)) {
		if model, ok := set.Model(name); ok {
			doc.Loads = append(doc.Loads, cnf.DefaultLoad{
				DeviceType: model.Number, Model: "Cisco " + strings.TrimPrefix(model.Name, "CP-"), Load: set.DeviceDefaults[name].Load,
			})
		}
	}
	if err := doc.Stamp(); err != nil {
		return File{}, err
	}
	content, err := doc.Bytes()
	return File{Name: DefaultFile, Fallback: true, VersionStamp: doc.VersionStamp, Content: content}, err
}

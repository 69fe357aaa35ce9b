package inventory

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ButtonFeature is what a key that is no line can do.
type ButtonFeature struct {
	ID       int // featureID in phones' files
	number   bool
	service  bool
	families []Family // only phones of these have it; none: all
}

var (
	only79       = []Family{Family7900}
	sessionViews = []Family{Family7800, Family8800, Family9900}
)

// ButtonFeatures are the features by their names on CUCM's phone button templates.
var ButtonFeatures = map[string]ButtonFeature{
	"Redial":                        {ID: 1},
	"Speed Dial":                    {ID: 2, number: true},
	"Hold":                          {ID: 3, families: only79},
	"Transfer":                      {ID: 4, families: only79},
	"Forward All":                   {ID: 5},
	"Settings":                      {ID: 18, families: only79},
	"Service URL":                   {ID: 20, service: true},
	"Speed Dial BLF":                {ID: 21, number: true},
	"Call Park BLF":                 {ID: 22, number: true},
	"Malicious Call Identification": {ID: 27},
	"Conference":                    {ID: 102, families: only79},
	"Meet Me Conference":            {ID: 123},
	"Call Park":                     {ID: 126},
	"Call Pickup":                   {ID: 127},
	"Group Call Pickup":             {ID: 128},
	"Do Not Disturb":                {ID: 130},
	"Remove Last Participant":       {ID: 132, families: only79},
	"Quality Reporting Tool":        {ID: 133, families: only79},
	"CallBack":                      {ID: 134, families: only79},
	"Other Pickup":                  {ID: 135},
	"New Call":                      {ID: 137, families: only79},
	"Hunt Group Logout":             {ID: 139},
	"All Calls":                     {ID: 140, families: sessionViews},
	"Answer Oldest":                 {ID: 141, families: only79},
	"Alerting Calls":                {ID: 142, families: sessionViews},
	"Record":                        {ID: 159},
	"Services":                      {ID: 192, families: only79},
	"Messages":                      {ID: 194, families: only79},
	"Directory":                     {ID: 195, families: only79},
	"Application Menu":              {ID: 197, families: only79},
	"Headset":                       {ID: 198, families: only79},
}

// moduleLines are the keys of each add-on module.
var moduleLines = map[string]int{
	"7914": 14, "7915": 24, "7916": 24, "BEKEM": 36, "CP-8800-Audio": 28, "CP-8800-Video": 28, "CKEM": 36,
}

// Lines returns how many keys the module has.
func (m AddOnModule) Lines() int { return moduleLines[m.Model] }

// moduleFamilies say which phones take a module.
var moduleFamilies = map[string]Family{
	"7914": Family7900, "7915": Family7900, "7916": Family7900, "BEKEM": Family8800, "CP-8800-Audio": Family8800, "CP-8800-Video": Family8800, "CKEM": Family9900,
}

func (v *validation) deviceFile(o *Device, model Model, known bool) {
	if known && o.Load != "" {
		v.load(model, o.Protocol, o.Load)
	}
	v.label("phoneLabel", o.PhoneLabel, MaxPhoneLabel)
	if strings.Contains(o.PhoneLabel, " ") && model.Family == Family7900 {
		v.refuse("phoneLabel", "write "+strings.ReplaceAll(o.PhoneLabel, " ", "_"), "%q holds a space, which a %s does not show", o.PhoneLabel, model.Name)
	}
	v.vendorConfig(o.VendorConfig)
	v.modules(o, model)
	v.buttons(o, model)
	v.texts(o)
	if known && model.MaxCalls > 0 {
		v.callsPerLine(o, model)
	}
}

func (v *validation) modules(o *Device, model Model) {
	if n := len(o.AddOnModules); n > MaxModules {
		v.refuse("addOnModules", "", "names %d modules; phones take %d", n, MaxModules)
	}
	for _, module := range o.AddOnModules {
		oneOf(v, "addOnModules", module.Model, slices.Sorted(maps.Keys(moduleLines))...)
		family, known := moduleFamilies[module.Model]
		if known && model.Family != "" && model.Family != family {
			v.refuse("addOnModules", fmt.Sprintf("it is for the %s series", family), "a %s takes no %s", model.Name, module.Model)
		}
		if family == Family8800 && module.Model != o.AddOnModules[0].Model {
			v.refuse("addOnModules", "all modules of a phone of the 8800 series must be of one kind", "%s stands beside %s", module.Model, o.AddOnModules[0].Model)
		}
	}
}

// Positions returns the key of each button: its own, or the next one behind lines and buttons.
func (o *Device) Positions() []int {
	next := len(o.Lines) + 1
	positions := make([]int, len(o.Buttons))
	for i, button := range o.Buttons {
		if button.Position > 0 {
			next = button.Position
		}
		positions[i] = next
		next++
	}
	return positions
}

func (v *validation) buttons(o *Device, model Model) {
	if o.Protocol == SCCP && len(o.Buttons) > 0 {
		v.refuse("buttons", "take them out", "SCCP loads get their buttons from the call manager and not from a file")
	}
	keys := model.Lines
	for _, module := range o.AddOnModules {
		keys += module.Lines()
	}
	if n := len(o.Lines); model.Lines > 0 && n > keys {
		v.refuse("lines", keysHint(model), "names %d lines; a %s has %d keys", n, model.Name, keys)
	}
	taken := map[int]bool{}
	for i, position := range o.Positions() {
		button := o.Buttons[i]
		switch {
		case position <= len(o.Lines):
			v.refuse("buttons", fmt.Sprintf("lines take the first %d", len(o.Lines)), "%q is on key %d, which is a line's", button.Feature, position)
		case taken[position]:
			v.refuse("buttons", "", "two buttons are on key %d", position)
		case model.Lines > 0 && position > keys:
			v.refuse("buttons", keysHint(model), "%q is on key %d; a %s has %d", button.Feature, position, model.Name, keys)
		}
		taken[position] = true
		v.button(button, model)
	}
}

func keysHint(model Model) string {
	return fmt.Sprintf("add a module as addOnModules, or correct lineKeys with a PhoneModel %s", model.Name)
}

func (v *validation) button(button Button, model Model) {
	oneOf(v, "buttons", button.Feature, slices.Sorted(maps.Keys(ButtonFeatures))...)
	feature, known := ButtonFeatures[button.Feature]
	v.label("buttons", button.Label, MaxLabel)
	refers(v, "buttons", button.Service, v.set.PhoneServices, KindPhoneService)
	switch {
	case !known:
	case feature.number && button.Number == "":
		v.refuse("buttons", "write number: and what it dials", "%q has no number", button.Feature)
	case !feature.number && button.Number != "":
		v.refuse("buttons", "take the number out", "%q takes no number", button.Feature)
	case feature.service && button.Service == "":
		v.refuse("buttons", "write service: and the name of a PhoneService", "%q opens nothing", button.Feature)
	case !feature.service && button.Service != "":
		v.refuse("buttons", "write feature: Service URL", "%q opens no service", button.Feature)
	case feature.families != nil && model.Family != "" && !slices.Contains(feature.families, model.Family):
		v.refuse("buttons", fmt.Sprintf("only the series %v have it", feature.families), "a %s has no %q", model.Name, button.Feature)
	case button.Pickup && button.Feature != "Speed Dial BLF":
		v.refuse("buttons", "write feature: Speed Dial BLF", "%q cannot pick up", button.Feature)
	}
}

// texts refuses what the screen cannot show with the character set of the device's site.
func (v *validation) texts(o *Device) {
	site, ok := v.set.Sites[o.Site]
	if !ok {
		return
	}
	charset := site.UserLocale.Charset
	v.inCharset("phoneLabel", o.PhoneLabel, charset)
	for _, button := range o.Buttons {
		v.inCharset("buttons", button.Label, charset)
	}
	for _, name := range o.Lines {
		if line, ok := v.set.Lines[name]; ok {
			v.inCharset("lines", line.Label, charset)
			v.inCharset("lines", line.DisplayName, charset)
		}
	}
}

// callsPerLine refuses lines that a model cannot have: the file would be taken and the line not.
func (v *validation) callsPerLine(o *Device, model Model) {
	for _, name := range o.Lines {
		line, ok := v.set.Lines[name]
		if !ok {
			continue
		}
		if most, _ := line.Calls(); most > model.MaxCalls {
			v.refuse("lines", fmt.Sprintf("set maxCalls of the line to %d at most", model.MaxCalls), "line %q may have %d calls, and a %s takes %d", name, most, model.Name, model.MaxCalls)
		}
	}
}

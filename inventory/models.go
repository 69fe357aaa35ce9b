package inventory

import (
	_ "embed"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/longcord/longcord/internal/strictyaml"
)

// Model is what matters here about a phone model.
type Model struct {
	Name         string // as Cisco writes it, such as CP-8861
	Number       int    // Cisco's number of the model, in SCCP, in SIP Contacts and in the default file
	Family       Family
	SIP, SCCP    bool     // has loads for it
	VPN          bool     // has the VPN client
	VPNSince     string   // the first release of its load that has it; empty: not known, or all
	Legacy       bool     // its client speaks only TLS 1.0 or RSA key exchange, and DTLS 0.9
	SIPLoads     []string // how the names of its loads begin
	SCCPLoads    []string
	FactoryLoad  string // the file it asks for after a factory reset; empty: not known
	Lines        int    // line keys on the phone itself
	MaxCalls     int    // most calls on one line; 0: not known
	Background   string // folder of its background images, such as 800x480x24; empty: not known
	LocaleJar    string // how its locale files' names begin; empty: not known
	Keys         KeyPresses
	Notes        []ModelNote // how sure the fields are
	UserDeclared bool        // from the inventory, wholly or in part
}

// Family is a series of models that read some settings alike and have the same menus.
type Family string

// The families.
const (
	Family6900 Family = "6900"
	Family7800 Family = "7800"
	Family7900 Family = "7900"
	Family8800 Family = "8800"
	Family8900 Family = "8900"
	Family9900 Family = "9900"
)

var families = []string{
	string(Family6900), string(Family7800), string(Family7900), string(Family8800), string(Family8900), string(Family9900),
}

// KeyPresses are the ways through a model's menus, for people to follow. An empty one is not known.
type KeyPresses struct {
	VPNMenu        string `json:"vpnMenu,omitempty"`        // where the user switches the VPN on and logs in
	AlternateTFTP  string `json:"alternateTFTP,omitempty"`  // where the file server is set by hand
	EraseTrustList string `json:"eraseTrustList,omitempty"` // where CTL and ITL are erased
	FactoryReset   string `json:"factoryReset,omitempty"`
}

// ModelNote says how sure one field is, and from where it is known.
type ModelNote struct {
	Field     string `json:"field"`
	Certainty string `json:"certainty"` // documented, reported, inferred, unverified
	Says      string `json:"says,omitempty"`
}

var certainties = []string{"documented", "reported", "inferred", "unverified"}

// PhoneModel adds a model to the table or corrects one: what it leaves out stays as the table has it.
type PhoneModel struct {
	Name        string      `json:"name"`   // as Cisco writes it, such as CP-8861
	Number      int         `json:"number"` // Cisco's number of the model
	Family      Family      `json:"family,omitempty"`
	Protocols   []string    `json:"protocols,omitempty"` // SIP, SCCP
	VPN         *bool       `json:"vpn,omitempty"`       // has the VPN client
	VPNSince    string      `json:"vpnSince,omitempty"`  // first release of the load that has it
	LegacyTLS   *bool       `json:"legacyTLS,omitempty"` // its client speaks only TLS 1.0 or RSA key exchange, and DTLS 0.9
	SIPLoads    []string    `json:"sipLoads,omitempty"`  // how the names of its loads begin
	SCCPLoads   []string    `json:"sccpLoads,omitempty"`
	FactoryLoad string      `json:"factoryLoad,omitempty"` // file it asks for after a factory reset
	LineKeys    int         `json:"lineKeys,omitempty"`    // on the phone itself
	MaxCalls    int         `json:"maxCalls,omitempty"`    // most calls on one line
	Background  string      `json:"background,omitempty"`  // folder of its background images, such as 800x480x24
	LocaleJar   string      `json:"localeJar,omitempty"`   // how its locale files' names begin
	Keys        KeyPresses  `json:"keys,omitzero"`         // ways through its menus, where they differ from its family's
	Notes       []ModelNote `json:"notes,omitempty"`       // how sure fields are
}

// phoneFamily is what models of one family have in common.
type phoneFamily struct {
	Name  Family      `json:"name"`
	Keys  KeyPresses  `json:"keys"`
	Notes []ModelNote `json:"notes"`
}

//go:embed models.yaml
var modelsText []byte

// modelTable is the table that the program brings: families, and models by their bare name.
type modelTable struct {
	families map[Family]phoneFamily
	models   map[string]Model
}

var builtIn = sync.OnceValue(func() modelTable {
	table, err := readModels(modelsText)
	if err != nil {
		panic(fmt.Sprintf("inventory: models.yaml: %v", err)) // it is part of the program, and a test reads it
	}
	return table
})

func readModels(text []byte) (modelTable, error) {
	table := modelTable{families: map[Family]phoneFamily{}, models: map[string]Model{}}
	documents, err := strictyaml.Parse("models.yaml", text)
	if err != nil {
		return table, err
	}
	for _, document := range documents {
		switch kind, _ := document.Text("kind"); kind {
		case "PhoneFamily":
			var family phoneFamily
			err = document.Decode(&family, "kind")
			table.families[family.Name] = family
		case string(KindPhoneModel):
			var model PhoneModel
			err = document.Decode(&model, "kind")
			table.models[bareModel(model.Name)] = model.over(Model{}, table.families)
		default:
			err = document.Problem("kind", "", "%q is neither PhoneFamily nor PhoneModel", kind)
		}
		if err != nil {
			return table, err
		}
	}
	return table, nil
}

// over returns the model as the table has it, with what o says.
func (o *PhoneModel) over(model Model, families map[Family]phoneFamily) Model {
	model.Name = o.Name
	replace(&model.Number, o.Number)
	if o.Family != "" {
		model.Family, model.Keys = o.Family, families[o.Family].Keys
		model.Notes = append(slices.Clone(families[o.Family].Notes), model.Notes...)
	}
	if o.Protocols != nil {
		model.SIP, model.SCCP = slices.Contains(o.Protocols, SIP), slices.Contains(o.Protocols, SCCP)
	}
	override(&model.VPN, o.VPN)
	replace(&model.VPNSince, o.VPNSince)
	override(&model.Legacy, o.LegacyTLS)
	if o.SIPLoads != nil {
		model.SIPLoads = o.SIPLoads
	}
	if o.SCCPLoads != nil {
		model.SCCPLoads = o.SCCPLoads
	}
	replace(&model.FactoryLoad, o.FactoryLoad)
	replace(&model.Lines, o.LineKeys)
	replace(&model.MaxCalls, o.MaxCalls)
	replace(&model.Background, o.Background)
	replace(&model.LocaleJar, o.LocaleJar)
	replace(&model.Keys.VPNMenu, o.Keys.VPNMenu)
	replace(&model.Keys.AlternateTFTP, o.Keys.AlternateTFTP)
	replace(&model.Keys.EraseTrustList, o.Keys.EraseTrustList)
	replace(&model.Keys.FactoryReset, o.Keys.FactoryReset)
	model.Notes = slices.Concat(o.Notes, slices.DeleteFunc(slices.Clone(model.Notes), func(n ModelNote) bool {
		return slices.ContainsFunc(o.Notes, func(mine ModelNote) bool { return mine.Field == n.Field })
	}))
	return model
}

// replace takes what is said, if anything is.
func replace[T comparable](value *T, said T) {
	var nothing T
	if said != nothing {
		*value = said
	}
}

// Models returns the table that the program brings, by name.
func Models() []Model { return NewSet().Models() }

// ModelByName finds a model of the table that the program brings, by any of the ways people write it:
// CP-7962G, cp-7962g, 7962G, 7962. Where there is an inventory, Set.Model knows more.
func ModelByName(name string) (Model, bool) {
	model, ok := builtIn().models[bareModel(name)]
	return model, ok
}

// Models returns every model known to the inventory, by name.
func (s *Set) Models() []Model {
	all := maps.Clone(builtIn().models)
	for _, declared := range s.PhoneModels {
		model, _ := s.Model(declared.Name)
		all[bareModel(model.Name)] = model
	}
	return slices.SortedFunc(maps.Values(all), func(a, b Model) int { return strings.Compare(a.Name, b.Name) })
}

// Model finds a model as ModelByName does, with what the inventory adds and corrects.
func (s *Set) Model(name string) (Model, bool) {
	bare := bareModel(name)
	model, ok := builtIn().models[bare]
	for _, declared := range s.PhoneModels {
		if bareModel(declared.Name) == bare {
			model = declared.over(model, builtIn().families)
			model.UserDeclared = true
			return model, true
		}
	}
	return model, ok
}

func bareModel(name string) string {
	name = strings.TrimPrefix(strings.ToUpper(name), "CP-")
	if name, ge := strings.CutSuffix(name, "G-GE"); ge {
		return name + "GE"
	}
	return strings.TrimSuffix(name, "G")
}

var (
	modelName  = regexp.MustCompile(`^CP-[0-9A-Z][0-9A-Z-]{1,30}$`)
	screenSize = regexp.MustCompile(`^[0-9]{2,4}x[0-9]{2,4}x[0-9]{1,2}$`)
)

func (v *validation) phoneModel(o *PhoneModel) {
	if !modelName.MatchString(o.Name) {
		v.refuse("name", "write it as on the phone, such as CP-8861", "%q is no name of a model", o.Name)
	}
	if o.Family != "" {
		oneOf(v, "family", string(o.Family), families...)
	}
	for _, protocol := range o.Protocols {
		oneOf(v, "protocols", protocol, SIP, SCCP)
	}
	if o.Background != "" && !screenSize.MatchString(o.Background) {
		v.refuse("background", "write width, height and depth, such as 800x480x24", "%q is no size", o.Background)
	}
	for _, note := range o.Notes {
		oneOf(v, "notes", note.Certainty, certainties...)
	}
	model, _ := v.set.Model(o.Name)
	switch {
	case model.Number <= 0:
		v.refuse("number", "write Cisco's number of the model, from CUCM's RisPort reference or show phone of a call manager", "is missing")
	case model.Family == "":
		v.refuse("family", "write the series whose menus and settings it has: "+strings.Join(families, ", "), "is missing")
	case !model.SIP && !model.SCCP:
		v.refuse("protocols", "write protocols: [SIP], [SCCP] or [SIP, SCCP]", "is missing")
	case model.Lines < 1:
		v.refuse("lineKeys", "write how many line keys the phone has", "is %d", model.Lines)
	}
	for _, other := range v.set.Models() {
		if other.Number == model.Number && bareModel(other.Name) != bareModel(model.Name) {
			v.refuse("number", "", "is %d, which is the number of %s", model.Number, other.Name)
		}
	}
}

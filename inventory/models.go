package inventory

import "strings"

// Model is what matters here about a phone model.
type Model struct {
	Name   string // as Cisco writes it, such as CP-8861
	VPN    bool   // has the VPN client
	Legacy bool   // its client speaks only TLS 1.0 or RSA key exchange, and DTLS 0.9
	SCCP   bool   // has loads for SCCP
	Lines  int    // line keys on the phone itself
}

// models holds what Cisco's Phone Feature List and administration guides publish. Models whose VPN client
// nobody has shown (78xx, 8821, 8831, 8832) stand as without it.
var models = []Model{
	{"CP-6921", false, false, true, 2},
	{"CP-6941", false, false, true, 4},
	{"CP-6945", false, false, true, 4},
	{"CP-6961", false, false, true, 12},
	{"CP-7811", false, false, false, 1},
	{"CP-7821", false, false, false, 2},
	{"CP-7832", false, false, false, 1},
	{"CP-7841", false, false, false, 4},
	{"CP-7861", false, false, false, 16},
	{"CP-7906G", false, true, true, 1},
	{"CP-7911G", false, true, true, 1},
	{"CP-7931G", false, true, true, 24},
	{"CP-7940G", false, true, true, 2},
	{"CP-7941G", false, true, true, 2},
	{"CP-7941G-GE", false, true, true, 2},
	{"CP-7942G", true, true, true, 2},
	{"CP-7945G", true, true, true, 2},
	{"CP-7960G", false, true, true, 6},
	{"CP-7961G", false, true, true, 6},
	{"CP-7961G-GE", false, true, true, 6},
	{"CP-7962G", true, true, true, 6},
	{"CP-7965G", true, true, true, 6},
	{"CP-7970G", false, true, true, 8},
	{"CP-7971G-GE", false, true, true, 8},
	{"CP-7975G", true, true, true, 8},
	{"CP-8811", true, false, false, 5},
	{"CP-8821", false, false, false, 6},
	{"CP-8831", false, false, false, 1},
	{"CP-8832", false, false, false, 1},
	{"CP-8841", true, false, false, 5},
	{"CP-8845", true, false, false, 5},
	{"CP-8851", true, false, false, 5},
	{"CP-8851NR", true, false, false, 5},
	{"CP-8861", true, false, false, 5},
	{"CP-8865", true, false, false, 5},
	{"CP-8865NR", true, false, false, 5},
	{"CP-8941", true, true, true, 4},
	{"CP-8945", true, true, true, 4},
	{"CP-8961", true, true, false, 5},
	{"CP-9951", true, true, false, 5},
	{"CP-9971", true, true, false, 6},
}

// Models returns the table of known models, by name.
func Models() []Model { return append([]Model(nil), models...) }

// ModelByName finds a model by any of the ways people write it: CP-7962G, cp-7962g, 7962G, 7962.
func ModelByName(name string) (Model, bool) {
	bare := bareModel(name)
	for _, m := range models {
		if bareModel(m.Name) == bare {
			return m, true
		}
	}
	return Model{}, false
}

func bareModel(name string) string {
	name = strings.TrimPrefix(strings.ToUpper(name), "CP-")
	if name, ge := strings.CutSuffix(name, "G-GE"); ge {
		return name + "GE"
	}
	return strings.TrimSuffix(name, "G")
}

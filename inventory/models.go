package inventory

import "strings"

// Model is what matters here about a phone model.
type Model struct {
	Name   string // as Cisco writes it, such as CP-8861
	Number int    // Cisco's number of the model, in SCCP and in SIP Contacts
	VPN    bool   // has the VPN client
	Legacy bool   // its client speaks only TLS 1.0 or RSA key exchange, and DTLS 0.9
	SCCP   bool   // has loads for SCCP
	Lines  int    // line keys on the phone itself
}

// models holds what Cisco's Phone Feature List and administration guides publish. Models whose VPN client
// nobody has shown (78xx, 8821, 8831, 8832) stand as without it.
var models = []Model{
	{"CP-6921", 495, false, false, true, 2},
	{"CP-6941", 496, false, false, true, 4},
	{"CP-6945", 564, false, false, true, 4},
	{"CP-6961", 497, false, false, true, 12},
	{"CP-7811", 36213, false, false, false, 1},
	{"CP-7821", 621, false, false, false, 2},
	{"CP-7832", 36247, false, false, false, 1},
	{"CP-7841", 622, false, false, false, 4},
	{"CP-7861", 623, false, false, false, 16},
	{"CP-7906G", 369, false, true, true, 1},
	{"CP-7911G", 307, false, true, true, 1},
	{"CP-7931G", 348, false, true, true, 24},
	{"CP-7940G", 8, false, true, true, 2},
	{"CP-7941G", 115, false, true, true, 2},
	{"CP-7941G-GE", 309, false, true, true, 2},
	{"CP-7942G", 434, true, true, true, 2},
	{"CP-7945G", 435, true, true, true, 2},
	{"CP-7960G", 7, false, true, true, 6},
	{"CP-7961G", 30018, false, true, true, 6},
	{"CP-7961G-GE", 308, false, true, true, 6},
	{"CP-7962G", 404, true, true, true, 6},
	{"CP-7965G", 436, true, true, true, 6},
	{"CP-7970G", 30006, false, true, true, 8},
	{"CP-7971G-GE", 119, false, true, true, 8},
	{"CP-7975G", 437, true, true, true, 8},
	{"CP-8811", 36217, true, false, false, 5},
	{"CP-8821", 36216, false, false, false, 6},
	{"CP-8831", 659, false, false, false, 1},
	{"CP-8832", 36258, false, false, false, 1},
	{"CP-8841", 683, true, false, false, 5},
	{"CP-8845", 36224, true, false, false, 5},
	{"CP-8851", 684, true, false, false, 5},
	{"CP-8851NR", 36232, true, false, false, 5},
	{"CP-8861", 685, true, false, false, 5},
	{"CP-8865", 36225, true, false, false, 5},
	{"CP-8865NR", 36248, true, false, false, 5},
	{"CP-8941", 586, true, true, true, 4},
	{"CP-8945", 585, true, true, true, 4},
	{"CP-8961", 540, true, true, false, 5},
	{"CP-9951", 537, true, true, false, 5},
	{"CP-9971", 493, true, true, false, 6},
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

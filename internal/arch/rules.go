// Package arch holds the rules about who may import whom, as data with a reason each. Its test checks
// the whole tree against them and prints the reason when one is broken.
package arch

import "strings"

const ours = "github.com/longcord/longcord/"

// rule lists what packages under a prefix may import of ours. The longest matching prefix decides.
type rule struct {
	prefix string   // of the importing package's path, without the module
	may    []string // prefixes of ours it may import
	why    string
}

const (
	whyWire   = "formats are bytes and values: they know nothing of who uses them"
	whyStage  = "a step decides from values; it knows neither other steps nor who runs it"
	whyNoun   = "shared nouns stand below everything that runs"
	whyActor  = "an actor does not know another actor; they meet through the store and small interfaces that cmd wires"
	whyWhole  = "only those who look at the whole may drive several parts"
	whyInside = "internal is plumbing with no word of telephony or VPN"
)

var rules = []rule{
	{"cmd/longcord", []string{""}, ""},
	{"interop", []string{""}, ""},
	{"config", []string{"provisioner", "gateway", "callmanager", "control", "console", "store", "inventory", "finding", "stage"}, whyWhole},
	{"lab", []string{"provisioner", "gateway", "callmanager", "phone", "doctor", "config", "inventory", "finding", "stage", "wire"}, whyWhole},

	{"wire", []string{"wire"}, whyWire},

	{"stage", nil, whyStage},
	{"stage/provision", []string{"stage", "inventory", "wire"}, whyStage},
	{"stage/detect", []string{"stage", "wire"}, whyStage},
	{"stage/connect", []string{"stage"}, whyStage},
	{"stage/verify", []string{"stage", "wire"}, whyStage},
	{"stage/enrol", []string{"stage", "wire"}, whyStage},
	{"stage/tunnel", []string{"stage", "wire", "stage/tunnel/dtls"}, whyStage},
	{"stage/tunnel/dtls", []string{"wire"}, whyStage},
	{"stage/register", []string{"stage", "wire"}, whyStage},
	{"stage/call", []string{"stage", "wire"}, whyStage},

	// A template is a phone's file, and what is wrong with it is to be said where it is declared.
	{"inventory", []string{"wire/cnf"}, whyNoun},
	{"inventory/file", []string{"inventory"}, whyNoun},
	{"inventory/setup", []string{"inventory", "wire", "trust"}, whyNoun},
	{"inventory/fitness", []string{"inventory", "finding"}, whyNoun},
	{"inventory/impact", []string{"inventory", "wire/cnf"}, whyNoun},
	{"inventory/migration", []string{"inventory", "wire", "trust", "login"}, whyNoun},
	{"inventory/catalog", []string{"inventory", "store", "trust"}, whyNoun},
	{"finding", []string{"stage"}, whyNoun},
	{"store", nil, whyNoun},
	{"store/memory", []string{"store"}, whyNoun},
	{"store/sqlite", []string{"store"}, whyNoun},
	{"store/storetest", []string{"store"}, whyNoun},
	{"trust", []string{"wire", "stage/verify", "inventory", "store", "finding"}, whyNoun},
	{"trust/acme", []string{"trust", "store"}, whyNoun},
	{"trust/rollover", []string{"wire", "stage/verify", "inventory", "store", "finding", "trust"}, whyNoun},
	{"trust/lsc", []string{"trust", "wire", "stage", "inventory", "store", "finding"}, whyNoun},
	{"login", []string{"login", "inventory", "store", "finding"}, whyNoun},
	{"login/radius", nil, whyNoun},
	{"login/ldap", nil, whyNoun},
	{"sipnet", []string{"wire/sip"}, whyNoun},
	{"tun", []string{"tun"}, whyNoun},

	{"provisioner", []string{"stage/provision", "stage/detect", "stage/verify", "stage/enrol", "stage", "wire", "trust", "inventory", "store", "finding"}, whyActor},
	{"gateway", []string{"stage/verify", "stage/tunnel", "stage", "wire", "tun", "login", "trust", "inventory", "store", "finding"}, whyActor},
	{"callmanager", []string{"stage/register", "stage/call", "stage", "wire", "sipnet", "trust", "inventory", "store", "finding"}, whyActor},
	{"phone", []string{"stage", "wire", "sipnet", "tun", "finding"}, whyActor},
	{"reader", []string{"wire/phoneweb"}, whyActor},
	// The program shows the pages that explain findings.
	{"docs", nil, "pages are text and know nobody"},
	{"doctor", []string{"doctor", "docs", "phone", "stage", "wire", "sipnet", "inventory", "finding", "control"}, whyWhole},
	{"doctor/fact", []string{"finding", "stage"}, whyNoun},
	{"doctor/read", []string{"doctor/fact", "finding", "stage", "wire", "inventory"}, "files are read without asking anybody"},
	{"doctor/walk", []string{"doctor/fact", "doctor/read", "phone", "stage", "wire", "tun", "inventory", "finding"}, "the walk is a phone, and judges nothing"},
	{"doctor/judge", []string{"doctor/fact", "finding", "stage", "wire", "inventory"}, "judging is a pure function from facts to findings"},
	{"doctor/benchcases", []string{"doctor", "finding"}, "counting how often the doctor is right needs the doctor alone"},
	// fleet drives the phone's halves of login and tunnel without a phone around them, so it needs their formats.
	{"fleet", []string{"phone", "stage", "wire", "finding", "tun/netstack"}, whyWhole},
	{"control", []string{"inventory", "store", "trust", "login", "finding", "stage"}, whyActor},

	{"internal", []string{"internal"}, whyInside},
}

// outside lists what of the standard library some packages must do without.
var outside = []struct {
	prefix string
	not    []string
	why    string
}{
	{"wire", []string{"net", "os", "log/slog", "log", "time/tzdata", "os/exec", "database/sql"},
		"formats open no connection or file and do not log"},
	{"doctor/judge", []string{"net", "os", "log/slog", "log", "os/exec", "database/sql"}, "judging is a pure function from facts to findings"},
	{"stage", []string{"net", "os", "log/slog", "log", "os/exec", "database/sql"},
		"steps open no connection or file and do not log: they return actions"},
}

// forbidden returns why from, a package's path without the module, may not import imported, or nothing.
func forbidden(from, imported string) string {
	for _, o := range outside {
		if under(from, o.prefix) {
			for _, not := range o.not {
				if imported == not {
					return o.why
				}
			}
		}
	}
	target, mine := strings.CutPrefix(imported, ours)
	if !mine {
		return ""
	}
	if under(target, "internal") && !under(target, "internal/testnet") && !under(target, "internal/pcapng") || target == from {
		return ""
	}
	if strings.HasPrefix(target, "store/") && from != "cmd/longcord" && !under(from, "interop") {
		return "only cmd wires store backends, so that they stay out of everything else"
	}
	r, ok := ruleFor(from)
	if !ok {
		return "no rule says what this package may import; add one to internal/arch with its reason"
	}
	for _, may := range r.may {
		if may == "" || under(target, may) {
			if under(from, "stage") && under(target, "stage") && target != "stage" && !under(target, from) {
				continue
			}
			return ""
		}
	}
	if from == "lab" && under(target, "internal") {
		return ""
	}
	return r.why
}

func ruleFor(from string) (found rule, ok bool) {
	for _, r := range rules {
		if under(from, r.prefix) && (!ok || len(r.prefix) > len(found.prefix)) {
			found, ok = r, true
		}
	}
	return found, ok
}

func under(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

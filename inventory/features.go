package inventory

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Feature is one row of the Phone Feature List, in the columns of CUCM's report.
type Feature struct {
	Product   string `json:"product"`  // as CUCM calls it: Cisco and the model
	Protocol  string `json:"protocol"` // SIP or SCCP
	Feature   string `json:"feature"`
	Parameter string `json:"parameter,omitempty"`
	Certainty string `json:"certainty"` // as in ModelNote
}

// FeatureNames are the words that Features takes, each with the feature it stands for.
var FeatureNames = map[string]string{
	"vpn": "Virtual Private Network Client", "load": "Phone Load", "line-keys": "Line Keys", "calls": "Maximum Number of Calls",
	"background": "Background Images", "locale": "User Locale", "wideband-rings": "Wideband Ring Tones",
	"feature-control": "Feature Control Policy", "legacy-tls": "Old TLS only",
}

// Features returns the model's rows. Of the words in FeatureNames, sip and sccp, only one is asked for; or
// all, by an empty one.
func (m Model) Features(asked string) []Feature {
	var rows []Feature
	for _, protocol := range m.Protocols() {
		rows = append(rows, m.featuresBy(protocol)...)
	}
	return slices.DeleteFunc(rows, func(f Feature) bool {
		switch {
		case asked == "":
			return false
		case strings.EqualFold(asked, SIP), strings.EqualFold(asked, SCCP):
			return f.Feature != FeatureNames["load"] || !strings.EqualFold(f.Protocol, asked)
		}
		return f.Feature != FeatureNames[asked]
	})
}

// Protocols returns what the model has loads for.
func (m Model) Protocols() []string {
	var protocols []string
	if m.SIP {
		protocols = append(protocols, SIP)
	}
	if m.SCCP {
		protocols = append(protocols, SCCP)
	}
	return protocols
}

func (m Model) featuresBy(protocol string) []Feature {
	var rows []Feature
	row := func(word, field, parameter string) {
		rows = append(rows, Feature{
			Product: "Cisco " + strings.TrimPrefix(m.Name, "CP-"), Protocol: protocol, Feature: FeatureNames[word],
			Parameter: parameter, Certainty: m.Certainty(field),
		})
	}
	loads, field := m.SIPLoads, "sipLoads"
	if protocol == SCCP {
		loads, field = m.SCCPLoads, "sccpLoads"
	}
	row("load", field, strings.Join(loads, ", "))
	if m.VPN {
		since := ""
		if m.VPNSince != "" {
			since = fmt.Sprintf("loads from %s on", m.VPNSince)
			if sure := m.Certainty("vpnSince"); sure != m.Certainty("vpn") {
				since += ", " + sure
			}
		}
		row("vpn", "vpn", since)
	}
	if m.VPN && m.Legacy {
		row("legacy-tls", "legacyTLS", "")
	}
	row("line-keys", "lineKeys", strconv.Itoa(m.Lines))
	if m.MaxCalls > 0 {
		row("calls", "maxCalls", strconv.Itoa(m.MaxCalls))
	}
	if m.Background != "" {
		row("background", "background", "Desktops/"+m.Background)
	}
	if m.LocaleJar != "" {
		row("locale", "localeJar", fmt.Sprintf("%s-%s.jar", m.LocaleJar, strings.ToLower(protocol)))
	}
	if m.Family == Family7800 || m.Family == Family8800 {
		row("wideband-rings", "family", "Ringlist-wb.xml")
	}
	if m.Family == Family9900 {
		row("feature-control", "family", "")
	}
	return rows
}

// Certainty says how sure a field of PhoneModel is.
func (m Model) Certainty(field string) string {
	for _, note := range m.Notes {
		if note.Field == field {
			return note.Certainty
		}
	}
	return certainties[0]
}

package read

import (
	"bytes"
	"cmp"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/wire/cucm"
)

// Versions of CUCM, as its pages and `show version active` print them, and AXL documents with its VPN objects.
var (
	_ = recognise(Recogniser{
		Format: "CUCM version", Platform: finding.CUCM,
		Marks: []string{"master version", "system version", "callmanager", "cucm", "unified ", "communications manager", "<version>"},
		Alone: true,
		New:   func(in *fact.Input) Reader { return &cucmVersionReader{in} },
	})
	_ = recognise(Recogniser{
		Format: "CUCM AXL document", Platform: finding.CUCM,
		Marks: []string{"envelope", "response", "<vpn", "<commonphone"},
		New:   func(in *fact.Input) Reader { return &axlReader{in: in} },
	})
)

type cucmVersionReader struct{ in *fact.Input }

var (
	// cucmVersion takes CUCM's own words; what others say as well, such as "System version" of NX-OS, with the number of a build.
	cucmVersion = compile(`(?:System version|<version>)\s*:?\s*(\d{1,2}\.\d{1,2}\.\d{1,2}\.\d{4,6}-\d+)|(?:(?:Active|Inactive) Master Version|CallManager(?: version)?|CUCM(?: version)?|Unified (?:CM|Communications Manager)(?: Administration)?(?: [Vv]ersion)?|` +
		`Communications Manager(?: [Vv]ersion)?)\s*:?\s*(\d{1,2}\.\d{1,2}(?:\.\d{1,2}|\(\d+[a-z]?\))(?:\.\d{4,6}-\d+)?)`)
)

func (r *cucmVersionReader) Line(l Line) bool {
	m := cucmVersion.FindStringSubmatch(l.Text)
	if m == nil || strings.HasPrefix(l.Text, "Inactive") {
		return m != nil
	}
	values := []string{"version", cmp.Or(m[1], m[2])}
	if strings.Contains(strings.ToLower(l.Text), "unrestricted") {
		values = append(values, "unrestricted", "true")
	}
	r.in.Add(fact.CUCMVersion, l.Number, l.Text, l.Time, values...)
	return true
}

func (r *cucmVersionReader) End() {}

// maxAXL bounds a document, in bytes.
const maxAXL = 4 << 20

type axlReader struct {
	in     *fact.Input
	text   bytes.Buffer
	first  int // line
	inside bool
}

var axlBegins = compile(`<(?:\w+:)?Envelope\b|<(?:ns\w*:)?(?:get|list)(?:Vpn\w+|CommonPhoneConfig|Phone)Response\b|<(?:vpnGateway|vpnGroup|vpnProfile|commonPhoneConfig)\b[ >]`)

func (r *axlReader) Line(l Line) bool {
	if !r.inside {
		if !axlBegins.MatchString(l.Text) {
			return false
		}
		r.inside = true
		if r.first == 0 {
			r.first = l.Number
		}
	}
	if r.text.Len()+len(l.Text) < maxAXL {
		r.text.WriteString(l.Text + "\n")
	}
	if strings.Contains(l.Text, "Envelope>") && strings.Contains(l.Text, "</") {
		r.inside = false
	}
	return true
}

func (r *axlReader) End() {
	if r.text.Len() == 0 {
		return
	}
	export, err := cucm.ParseAXL(r.text.Bytes())
	if err != nil {
		return // it stays unknown
	}
	add := func(line int, text, kind, name string, settings ...string) {
		for i := 0; i+1 < len(settings); i += 2 {
			if settings[i+1] != "" {
				r.in.Add(fact.CUCMObject, r.first+line-1, text, time.Time{}, "type", kind, "name", name, "setting", settings[i], "value", settings[i+1])
			}
		}
		r.in.Add(fact.CUCMObject, r.first+line-1, text, time.Time{}, "type", kind, "name", name)
	}
	for _, g := range export.Gateways {
		r.in.Add(fact.FileURL, r.first+g.Line-1, "VPN gateway "+g.Name+": "+g.URL, time.Time{}, "url", g.URL)
		add(g.Line, "VPN gateway "+g.Name, "gateway", g.Name, "url", g.URL, "certificates", strings.Join(g.Certificates, ", "))
	}
	for _, g := range export.Groups {
		add(g.Line, "VPN group "+g.Name, "group", g.Name, "gateways", strings.Join(g.Gateways, ", "))
	}
	for _, p := range export.Profiles {
		add(p.Line, "VPN profile "+p.Name, "profile", p.Name, "authentication", p.ClientAuthentication, "host-id-check", p.EnableHostIDCheck,
			"auto-network-detection", p.AutoNetworkDetection, "password-persistence", p.PasswordPersistence, "mtu", p.MTU)
	}
	for _, p := range export.Commons {
		add(p.Line, "common phone profile "+p.Name, "common phone profile", p.Name, "vpn group", p.VPNGroup, "vpn profile", p.VPNProfile)
	}
	for _, p := range export.Phones {
		r.in.Add(fact.Device, r.first+p.Line-1, "phone "+p.Name+" "+p.Model, time.Time{}, "device", p.Name, "model", strings.TrimPrefix(p.Model, "Cisco "))
	}
}

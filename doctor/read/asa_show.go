package read

import (
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/wire/asa"
)

// Output of show commands of an ASA.
var (
	_ = recognise(Recogniser{
		Format: "ASA show version", Platform: finding.ASA,
		Marks: []string{
			"version ", "hardware:", "licensed features", "running permanent", "running time", "activation key", "anyconnect", "vpn phone", "linksys",
			"vpn peers", "webvpn peers",
		},
		New: func(in *fact.Input) Reader { return &asaVersionReader{in: in} },
	})
	_ = recognise(Recogniser{
		Format: "ASA show vpn-sessiondb", Platform: finding.ASA,
		Marks: []string{"username", "session type:", "vpn licenses", "vpn session summary", "-tunnel", " tunnel", "anyconnect", "clientless", "no active sessions", "255.255"},
		New:   func(in *fact.Input) Reader { return &asaSessionReader{in: in} },
	})
	_ = recognise(Recogniser{
		Format: "ASA show crypto ca certificates", Platform: finding.ASA,
		Marks: []string{"certificate"},
		New:   func(in *fact.Input) Reader { return &asaCertificateReader{in: in} },
	})
	_ = recognise(Recogniser{
		Format: "ASA show webvpn, show ssl, show clock", Platform: finding.ASA,
		Marks: []string{
			"client(s)", "unable to load", "is not enabled", "accept connections", "trust-points", "enabled cipher", "start connections", "anyconnect", "svc", "ssl vpn",
			" mon ", " tue ", " wed ", " thu ", " fri ", " sat ", " sun ",
		},
		New: func(in *fact.Input) Reader { return &asaWebVPNReader{in: in} },
	})
)

// asaVersionReader reads show version and show activation-key.
type asaVersionReader struct {
	in    *fact.Input
	begun bool   // the table of licences has begun
	scope string // unit or failover
}

var (
	asaSoftware = compile(`^\s*(?:Cisco )?(?:Adaptive Security Appliance|PIX(?: Security Appliance| Firewall)?|Firepower Extensible Operating System|Firepower Threat Defense) (?:Software )?Version ([0-9][0-9.()A-Za-z]*)`)
	asaHardware = compile(`^\s*Hardware:\s+((?:ASA|PIX|FPR|SSP|SSM)[A-Za-z0-9-]*)`)
	asaTable    = compile(`^\s*(Licensed features|Failover cluster licensed features|Running [Pp]ermanent|Running Time-[Bb]ased|The Running Activation Key)`)
)

func (r *asaVersionReader) Line(l Line) bool {
	if m := asaSoftware.FindStringSubmatch(l.Text); m != nil {
		if !strings.Contains(l.Text, "Firepower Extensible") {
			r.in.Add(fact.ASAVersion, l.Number, l.Text, l.Time, "version", m[1])
		}
		return true
	}
	if m := asaHardware.FindStringSubmatch(l.Text); m != nil {
		r.in.Add(fact.ASAVersion, l.Number, l.Text, l.Time, "hardware", m[1])
		return true
	}
	if m := asaTable.FindStringSubmatch(l.Text); m != nil {
		r.begun, r.scope = true, "unit"
		if strings.HasPrefix(m[1], "Failover") {
			r.scope = "failover"
		}
		return true
	}
	licence, ok := asa.ParseLicence(l.Text)
	if !ok {
		return false
	}
	feature := asaFeature(licence.Name)
	if feature == "" {
		return r.begun
	}
	scope := r.scope
	if scope == "" {
		scope = "unit"
	}
	r.in.Add(fact.ASALicence, l.Number, l.Text, l.Time, "feature", feature, "name", licence.Name, "value", capitalised(licence.Value), "scope", scope)
	return true
}

func (r *asaVersionReader) End() {}

func capitalised(s string) string {
	if s == "ENABLED" || s == "DISABLED" {
		return s[:1] + strings.ToLower(s[1:])
	}
	return s
}

// asaFeature returns what a licence is for, under its names since 8.0.
func asaFeature(name string) string {
	lower := strings.ToLower(strings.Join(strings.Fields(name), " "))
	switch {
	case strings.Contains(lower, "phone proxy"):
		return ""
	case strings.Contains(lower, "linksys phone"), strings.Contains(lower, "cisco vpn phone"):
		return "phone"
	case lower == "anyconnect premium peers", lower == "ssl vpn peers", lower == "webvpn peers", lower == "anyconnect premium":
		return "premium"
	case lower == "anyconnect essentials":
		return "essentials"
	}
	return ""
}

// asaSessionReader reads show vpn-sessiondb in its forms.
type asaSessionReader struct {
	in      *fact.Input
	values  map[string]string // of the session at hand
	line    Line              // where it begins
	text    string            // of its user
	tunnel  string            // the part of a detailed session at hand
	remote  bool              // the last heading was of AnyConnect or SSL sessions
	summary bool
}

var (
	asaTunnel     = compile(`^\s*(AnyConnect-Parent|SSL-Tunnel|DTLS-Tunnel|Clientless|DTLS Tunnel|SSL Tunnel)(?: Tunnels)?:(?: *\d+)?\s*$`)
	asaType       = compile(`^\s*Session Type: *(.*?)\s*$`)
	asaLicenceUse = compile(`^\s*(AnyConnect (?:Premium|Essentials|for Cisco VPN Phone|for Mobile)|Cisco VPN Phone|AnyConnect for Linksys phone|Linksys phone|SSL VPN)\s*:\s*(\d+|ENABLED|DISABLED|NONE|Enabled|Disabled)\s*(?::\s*(.*?))?\s*$`)
	asaPoolUse    = compile(`^\s*(\d+\.\d+\.\d+\.\d+)\s+(\d+\.\d+\.\d+\.\d+)\s+\d+\.\d+\.\d+\.\d+\s+(\d+)\s+\d+\s+(\d+)\s*$`)
	asaUse        = compile(`^\s*(AnyConnect Premium|AnyConnect Essentials|SSL VPN|AnyConnect for Cisco VPN Phone)\s*:\s*(\d+)\s*:\s*(\d+)\s*:\s*(\d+)`)
)

func (r *asaSessionReader) Line(l Line) bool {
	if strings.HasPrefix(strings.TrimSpace(l.Text), "INFO: There are presently no active sessions") {
		r.flush()
		return true
	}
	if m := asaType.FindStringSubmatch(l.Text); m != nil && len(asa.Fields(l.Text)) <= 1 {
		r.flush()
		r.remote = strings.Contains(m[1], "AnyConnect") || strings.Contains(m[1], "SVC") || strings.Contains(m[1], "SSL")
		return true
	}
	if m := asaTunnel.FindStringSubmatch(l.Text); m != nil && r.values != nil {
		r.tunnel = m[1]
		return true
	}
	if strings.HasPrefix(strings.TrimSpace(l.Text), "VPN Licenses and Configured Limits Summary") || strings.HasPrefix(strings.TrimSpace(l.Text), "VPN Session Summary") {
		r.summary = true
		return true
	}
	if m := asaPoolUse.FindStringSubmatch(l.Text); m != nil {
		r.in.Add(fact.ASAPoolUse, l.Number, l.Text, l.Time, "network", m[1]+"-"+m[2], "free", m[3], "used", m[4])
		return true
	}
	if r.summary && r.use(l) {
		return true
	}
	fields := asa.Fields(l.Text)
	if len(fields) == 0 || fields[0].Label != "Username" && r.values == nil {
		return r.values != nil && strings.TrimSpace(l.Text) == ""
	}
	for _, f := range fields {
		r.field(l, f)
	}
	return true
}

// use reads a line of show vpn-sessiondb license-summary.
func (r *asaSessionReader) use(l Line) bool {
	if m := asaUse.FindStringSubmatch(l.Text); m != nil {
		r.in.Add(fact.ASALicenceUse, l.Number, l.Text, l.Time, "feature", m[1], "installed", m[2])
		return true
	}
	m := asaLicenceUse.FindStringSubmatch(l.Text)
	if m == nil {
		return false
	}
	feature := asaFeature(m[1])
	if strings.EqualFold(m[1], "Cisco VPN Phone") {
		feature = "phone"
	}
	if feature == "phone" || feature == "essentials" {
		if value := capitalised(m[2]); value == "Enabled" || value == "Disabled" {
			r.in.Add(fact.ASALicence, l.Number, l.Text, l.Time, "feature", feature, "name", m[1], "value", value, "scope", "unit")
		}
	}
	return true
}

func (r *asaSessionReader) field(l Line, f asa.Field) {
	switch f.Label {
	case "Username":
		r.flush()
		r.values, r.line, r.text, r.tunnel = map[string]string{"user": f.Value}, l, l.Text, ""
	case "Group Policy":
		r.values["policy"] = f.Value
	case "Tunnel Group":
		r.values["group"] = f.Value
	case "Assigned IP":
		r.values["ip"] = f.Value
	case "Public IP":
		r.values["public"] = f.Value
	case "Protocol":
		r.values["protocol"] = f.Value
	case "License":
		r.values["licence"] = f.Value
	case "Bytes Tx", "Bytes Rx":
		if name := strings.ToLower(f.Label[len("Bytes "):]); r.values[name] == "" { // the sums of the session come first
			r.values[name] = f.Value
		}
	case "Duration":
		r.values["duration"] = f.Value
	case "Inactivity":
		r.values["inactivity"] = f.Value
	case "Encapsulation":
		if strings.HasPrefix(f.Value, "DTLS") {
			r.values["dtls"] = f.Value
		} else if strings.HasPrefix(f.Value, "TLS") || strings.HasPrefix(f.Value, "SSL") {
			r.values["tls"] = f.Value
		}
	case "UDP Dst Port":
		r.values["dtls-port"] = f.Value
	case "Client Ver":
		r.values["client"] = f.Value
	}
}

// asaTunnels are in what a session of an SSL VPN speaks. Wireless controllers list clients with a user and 802.11.
var asaTunnels = compile(`(?i)SSL|TLS|AnyConnect|SVC|WebVPN`)

func (r *asaSessionReader) flush() {
	v := r.values
	r.values = nil
	if v == nil || !asaTunnels.MatchString(v["protocol"]) || strings.HasPrefix(v["protocol"], "IKE") || strings.HasPrefix(v["protocol"], "IPsec") || v["protocol"] == "Clientless" {
		return
	}
	if m := asaPhone.FindStringSubmatch(v["user"]); m != nil {
		v["phone"] = "true"
		device := []string{"device", strings.ToUpper(m[2]), "ip", v["ip"]}
		if m[1] != "" {
			device = append(device, "model", m[1])
		}
		r.in.Add(fact.Device, r.line.Number, r.text, time.Time{}, device...)
	}
	if strings.Contains(v["client"], "IPPhone") || strings.Contains(v["licence"], "Phone") || strings.Contains(v["licence"], "Linksys") {
		v["phone"] = "true"
	}
	var pairs []string
	for _, name := range []string{"user", "group", "policy", "ip", "public", "protocol", "licence", "client", "tls", "dtls", "dtls-port", "duration", "inactivity", "tx", "rx", "phone"} {
		if v[name] != "" {
			pairs = append(pairs, name, v[name])
		}
	}
	r.in.Add(fact.ASASession, r.line.Number, r.text, r.line.Time, pairs...)
}

func (r *asaSessionReader) End() { r.flush() }

// asaCertificateReader reads show crypto ca certificates.
type asaCertificateReader struct {
	in     *fact.Input
	values map[string]string // of the certificate at hand
	line   Line
	part   string // subject, issuer or validity
	ios    bool   // an IOS shows them, which writes Subject where an ASA writes Subject Name
	all    []asaShown
}

type asaShown struct {
	values map[string]string
	line   Line
}

// maxASACertificates bounds how many certificates are kept.
const maxASACertificates = 200

var (
	asaCertificate = compile(`^\s*(CA |Subordinate CA |RA )?Certificate\s*:?\s*(?:\([^)]*\))?\s*$`)
	asaDate        = compile(`^\s*(start|end)\s+date:\s*(.*?)\s*$`)
	asaDigest      = compile(`(?i)^\s*(?:SHA-?1 )?Fingerprint(?:\s*\(SHA-?1\))?\s*:?\s*(?:SHA-?1\s*:?\s*)?([0-9A-F: ]{40,60})\s*$`)
)

func (r *asaCertificateReader) Line(l Line) bool {
	text := strings.TrimSpace(l.Text)
	if m := asaCertificate.FindStringSubmatch(l.Text); m != nil {
		r.flush()
		if len(r.all) < maxASACertificates {
			r.values, r.line, r.part = map[string]string{}, l, ""
			if m[1] != "" {
				r.values["ca"] = "true"
			}
		}
		return false // what follows shows whether it is one
	}
	if r.values == nil {
		return false
	}
	label, value, has := strings.Cut(text, ":")
	value = strings.TrimSpace(value)
	if m := asaDate.FindStringSubmatch(l.Text); m != nil {
		if t, ok := asaTime(m[2]); ok {
			r.values[map[string]string{"start": "not-before", "end": "not-after"}[m[1]]] = t.Format(time.RFC3339)
			r.values[m[1]+"-text"] = text
		}
		return true
	}
	if m := asaDigest.FindStringSubmatch(l.Text); m != nil {
		r.values["sha1"] = strings.ToUpper(strings.NewReplacer(":", "", " ", "").Replace(m[1]))
		return true
	}
	switch {
	case text == "":
		return r.values["known"] != ""
	case has && label == "Status":
		r.values["known"] = "true"
	case has && (label == "Certificate Serial Number" || label == "Certificate Usage" || label == "Certificate"):
		r.values["known"] = "true"
	case has && label == "Public Key Type":
		r.values["key"] = asaKey(value)
	case has && (label == "Issuer Name" || label == "Issuer"):
		r.part, r.ios = "issuer", r.ios || label == "Issuer"
	case has && (label == "Subject Name" || label == "Subject"):
		r.part, r.ios = "subject", r.ios || label == "Subject"
	case has && (label == "Validity Date" || label == "Signature Algorithm" || label == "CRL Distribution Points" || label == "OCSP AIA" || label == "Storage" || label == "Fingerprint"):
		r.part = ""
	case has && strings.HasPrefix(label, "Associated Trustpoint"):
		r.values["trustpoint"] = strings.TrimSpace(value)
	case r.part != "" && strings.Contains(text, "="):
		if r.values[r.part] != "" {
			r.values[r.part] += ","
		}
		r.values[r.part] += text
	default:
		return r.values["known"] != "" && (strings.HasPrefix(text, "[") || strings.HasPrefix(text, "http") || strings.HasPrefix(l.Text, "    "))
	}
	return true
}

// asaKey brings "RSA (2048 bits)" to "RSA 2048".
func asaKey(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '(' || r == ')' })
	return strings.TrimSuffix(strings.Join(words, " "), " bits")
}

// asaTime reads 09:04:40 PST Mar 10 2010. Zones that have a name are taken for UTC, which is near enough for dates.
func asaTime(text string) (time.Time, bool) {
	words := strings.Fields(text)
	if len(words) < 4 {
		return time.Time{}, false
	}
	text = words[0] + " " + strings.Join(words[len(words)-3:], " ")
	t, err := time.Parse("15:04:05 Jan 2 2006", text)
	return t, err == nil
}

func (r *asaCertificateReader) flush() {
	if r.values != nil && r.values["known"] != "" {
		r.all = append(r.all, asaShown{r.values, r.line})
	}
	r.values = nil
}

// End tells of the ASA's own certificate, when there is only one; which of several it presents, show run ssl says.
func (r *asaCertificateReader) End() {
	r.flush()
	if r.ios {
		r.tellIOS()
		return
	}
	var own []asaShown
	for _, c := range r.all {
		pairs := []string{"name", c.values["trustpoint"]}
		if c.values["ca"] != "" {
			pairs = append(pairs, "issuer", asaCommonName(c.values["subject"]))
		} else {
			pairs = append(pairs, "own", "true")
			own = append(own, c)
		}
		r.in.Add(fact.ASATrustpoint, c.line.Number, c.line.Text+" "+c.values["subject"], time.Time{}, pairs...)
	}
	if len(own) != 1 {
		return
	}
	c := own[0]
	pairs := []string{"depth", "0"}
	for _, name := range []string{"sha1", "subject", "issuer", "not-before", "not-after", "key", "trustpoint"} {
		if c.values[name] != "" {
			pairs = append(pairs, name, c.values[name])
		}
	}
	r.in.Add(fact.GatewayCertificate, c.line.Number, "Certificate, "+c.values["subject"]+", "+c.values["end-text"], time.Time{}, pairs...)
}

// tellIOS tells of certificates of IOS, which has them for more than VPN.
func (r *asaCertificateReader) tellIOS() {
	for _, c := range r.all {
		r.in.Add(fact.IOSCertificate, c.line.Number, c.line.Text+", "+c.values["end-text"]+", trustpoint "+c.values["trustpoint"], time.Time{},
			pairs("trustpoints", c.values["trustpoint"], "ca", c.values["ca"], "subject", c.values["subject"], "not-after", c.values["not-after"])...)
	}
}

func asaCommonName(subject string) string {
	for _, part := range strings.Split(subject, ",") {
		if name, value, ok := strings.Cut(strings.TrimSpace(part), "="); ok && strings.EqualFold(name, "cn") {
			return value
		}
	}
	return ""
}

// asaWebVPNReader reads show webvpn anyconnect, show webvpn svc, show ssl and show clock.
type asaWebVPNReader struct {
	in *fact.Input
	// bare is the list of trust points in show ssl while no interface has one; outside of that list its Number is 0.
	bare Line
}

var (
	asaInstalled    = compile(`^\s*(\d+) (?:AnyConnect|SSL VPN|SVC) Client\(s\) installed`)
	asaNoImages     = compile(`(?i)^\s*(?:ERROR: )?(?:no (?:AnyConnect|SVC|SSL VPN) (?:Client )?(?:images?|packages?|client\(s\)) (?:are |is )?(?:installed|loaded|configured)|.*(?:AnyConnect|SVC) is not enabled)`)
	asaImageRefused = compile(`(?i)^\s*ERROR: Unable to load (?:SVC|AnyConnect) image - (.+)`)
	asaClock        = compile(`^\s*[.*]?(\d\d:\d\d:\d\d)\.\d{3} (\S+) (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2} \d{1,2} \d{4})\s*$`)
	asaBound        = compile(`(?i)^\s*(?:Default|Interface \S+|\S+ interface)\s*: *\S`)
	asaShowSSL      = compile(`^\s*(?:Accept connections using (.*) (?:or greater )?and negotiate to (.*)|Certificate authentication is not enabled|Enabled cipher order: (.*)|Start connections using .*)$`)
)

func (r *asaWebVPNReader) Line(l Line) bool {
	if m := asaInstalled.FindStringSubmatch(l.Text); m != nil {
		r.in.Add(fact.ASAImages, l.Number, l.Text, l.Time, "installed", m[1])
		return true
	}
	if m := asaClock.FindStringSubmatch(l.Text); m != nil {
		if t, ok := asaTime(m[1] + " " + m[2] + " " + m[3]); ok {
			r.in.Add(fact.ASAClock, l.Number, l.Text, l.Time, "time", t.Format(time.RFC3339))
		}
		return true
	}
	if m := asaImageRefused.FindStringSubmatch(l.Text); m != nil {
		r.in.Add(fact.ASAImageRefused, l.Number, l.Text, l.Time, "reason", m[1])
		return true
	}
	if asaNoImages.MatchString(l.Text) {
		r.in.Add(fact.ASAImages, l.Number, l.Text, l.Time, "installed", "0")
		return true
	}
	switch text := strings.TrimSpace(l.Text); {
	case text == "SSL trust-points:":
		r.bare = l
		return true
	case r.bare.Number > 0 && asaBound.MatchString(text):
		r.bare = Line{}
		return true
	case r.bare.Number > 0 && strings.HasPrefix(text, "Certificate authentication is"): // behind the list
		r.in.Add(fact.ASANoTrustPoint, r.bare.Number, r.bare.Text, r.bare.Time)
		r.bare = Line{}
		return true
	}
	if m := asaShowSSL.FindStringSubmatch(l.Text); m != nil {
		if m[3] != "" {
			r.in.Add(fact.ASAGlobal, l.Number, l.Text, l.Time, "setting", "ssl encryption", "value", m[3])
		}
		return true
	}
	return false
}

func (r *asaWebVPNReader) End() {}

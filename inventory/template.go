package inventory

import (
	"cmp"
	"strings"

	"github.com/longcord/longcord/wire/cnf"
)

// MaxTemplate is the most that the text of a template may have, in bytes. Real files have a tenth of it.
const MaxTemplate = 128 << 10

// TemplateFor returns the template that the file of a device begins from, or false. The device's own goes
// before its profile's.
func (s *Set) TemplateFor(device *Device) (*PhoneTemplate, bool) {
	name := device.Template
	if profile, ok := s.CommonPhoneProfiles[device.CommonPhoneProfile]; ok {
		name = cmp.Or(name, profile.Template)
	}
	template, ok := s.PhoneTemplates[name]
	return template, ok
}

// Parse returns the template's file. Each call gives one of its own, to be changed and written.
func (o *PhoneTemplate) Parse() (*cnf.Device, error) { return cnf.Parse([]byte(o.Content.Reveal())) }

func (v *validation) phoneTemplate(o *PhoneTemplate) {
	switch n := len(o.Content.Reveal()); {
	case n == 0:
		v.refuse("file", "name a phone's file, such as SEP001122334455.cnf.xml, or give its text as content", "is missing")
		return
	case n > MaxTemplate:
		v.refuse("content", "", "has %d bytes; at most %d are allowed", n, MaxTemplate)
		return
	}
	file, err := o.Parse()
	switch {
	case err != nil:
		v.refuse("content", templateHint(err), "%s", strings.TrimPrefix(err.Error(), "cnf: "))
	case file.Protocol != cnf.SIP && file.Protocol != cnf.SCCP:
		v.refuse("content", "write <deviceProtocol>SIP</deviceProtocol> or SCCP into it", "its deviceProtocol is %q, neither SIP nor SCCP", file.Protocol)
	case file.Partial || file.Encrypted:
		v.refuse("content", "take the plain file, from where the call manager made it", "is the stub of an encrypted file and holds no configuration")
	case file.Protocol == cnf.SIP && file.SIPProfile == nil:
		v.refuse("content", "take the whole file", "has no sipProfile, which files of SIP loads must have")
	}
}

func templateHint(err error) string {
	if strings.Contains(err.Error(), "encoding") {
		return "phones' files are UTF-8 here; convert it with iconv, and change the encoding in its first line"
	}
	return "it must be a phone's file as call managers make them; correct it there, or leave that part out"
}

// templateProtocol refuses a device whose file would be of another protocol than its record.
func (v *validation) templateProtocol(o *Device) {
	template, ok := v.set.TemplateFor(o)
	if !ok {
		return
	}
	protocol := v.protocolOf(template)
	if protocol != cnf.SIP && protocol != cnf.SCCP {
		return // the template's own problem
	}
	if said := cmp.Or(o.Protocol, SIP); said != string(protocol) {
		field := "protocol"
		if o.Template != "" {
			field = "template"
		}
		v.refuse(field, "write protocol: "+string(protocol)+", or give it another template",
			"template %q is a file for %s loads, and the device speaks %s", template.Name, protocol, said)
	}
}

// protocolOf reads a template once, however many devices have it.
func (v *validation) protocolOf(template *PhoneTemplate) cnf.Protocol {
	if protocol, known := v.speaks[template.Name]; known {
		return protocol
	}
	if v.speaks == nil {
		v.speaks = map[string]cnf.Protocol{}
	}
	v.speaks[template.Name] = ""
	if file, err := template.Parse(); err == nil {
		v.speaks[template.Name] = file.Protocol
	}
	return v.speaks[template.Name]
}

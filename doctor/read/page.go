package read

import (
	"math/bits"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// A phone's own web pages, docs/wire/phone-web.md#rows: saved as HTML or XML, or copied from the screen as label and
// value.
var _ = recognise(Recogniser{
	Format: "web page of a phone", Platform: finding.Phone,
	Marks: []string{"tftp", "model", "load", "version", "host", "dhcp", "router", "address", "file", "access"},
	New:   func(in *fact.Input) Reader { return &pageReader{in: in, values: map[string]string{}} },
})

// pageReader gathers rows until one comes that it has already.
type pageReader struct {
	in     *fact.Input
	values map[string]string
	label  string // whose value is to come on the next line
	line   int
	text   string
}

// row is a label of a page, and what its value is. Strong ones stand on no other page.
type row struct {
	label  *pattern
	name   string
	strong bool
	value  *pattern
}

// labelled matches a label however it is spelt: spaces and punctuation between its words do not count.
func labelled(words, name string, strong bool, value *pattern) row {
	return row{compile(`(?i)^[\W_]*` + strings.ReplaceAll(words, " ", `[\W_]*`) + `(?:[\W_]+(.*))?$`), name, strong, value}
}

var (
	anAddress = compile(`^\d{1,3}(?:\.\d{1,3}){3}`)
	aHost     = compile(`^[A-Za-z0-9][\w.-]*`)
	yesOrNo   = compile(`(?i)^(?:yes|no|on|off)\b`)
	aModel    = compile(`^CP-[\w-]+`)
	aLoad     = compile(`(?i)^(?:sip|sccp|jar)[\w.-]+`)
	aDevice   = compile(`^SEP[0-9A-Fa-f]{12}`)
	aState    = compile(`^.+`)
)

var rows = []row{
	labelled("TFTP server 1", "tftp1", true, aHost),
	labelled("TFTP server 2", "tftp2", true, aHost),
	labelled("Alternate TFTP", "alternate", true, yesOrNo),
	labelled("Alt TFTP", "alternate", true, yesOrNo),
	labelled("Model Number", "model", true, aModel),
	labelled("App Load ID", "load", true, aLoad),
	labelled("Active Load ID", "load", true, aLoad),
	labelled("Active Load", "load", true, aLoad),
	labelled("Version ID", "load", true, aLoad),
	labelled("Version", "load", true, aLoad),
	labelled("Host Name", "device", true, aDevice),
	labelled("DHCP Server", "dhcp-server", false, anAddress),
	labelled("Default Router 1?", "router", false, anAddress),
	labelled("IP(?:v4)? Address", "ip", false, anAddress),
	labelled("CTL File", "ctl", false, aState),
	labelled("ITL File", "itl", false, aState),
	labelled("Web Access(?: Enabled)?", "web-access", false, aState),
}

var quickRows = func() *patterns {
	var list []*pattern
	for _, each := range rows {
		list = append(list, each.label)
	}
	return patternsOf(list...)
}()

// onOneLine is a page as XML that the phone has not broken into lines, and element one row of it.
var (
	onOneLine = compile(`^\s*(?:<\?xml[^<>]*>)?\s*<(?:DeviceInformation|NetworkConfiguration)>\s*<\w+>`)
	element   = compile(`<\w+>[^<>]*</\w+>`)
)

func (r *pageReader) Line(l Line) bool {
	if onOneLine.MatchString(l.Raw) {
		known := false
		for _, row := range element.FindAllString(l.Raw, -1) {
			known = r.row(Line{Number: l.Number, Raw: row}) || known
		}
		return known
	}
	return r.row(l)
}

func (r *pageReader) row(l Line) bool {
	if r.label != "" {
		name, text := r.label, inTags.ReplaceAllString(l.Raw, " ")
		if strings.TrimSpace(text) == "" {
			return true
		}
		r.label = ""
		for _, each := range rows {
			if each.name == name && !isLabel(text) && each.value.MatchString(strings.TrimSpace(text)) {
				r.set(each, strings.TrimSpace(text), l)
				return true
			}
		}
	}
	for may := quickRows.may(l.Raw); may != 0; may &= may - 1 {
		each := rows[bits.TrailingZeros64(may)]
		m := each.label.FindStringSubmatch(l.Raw)
		if m == nil || !each.strong && len(r.values) == 0 {
			continue
		}
		value := strings.TrimSpace(inTags.ReplaceAllString(m[1], " "))
		switch {
		case value == "" && each.strong:
			r.label = each.name
			return true
		case each.value.MatchString(value):
			r.set(each, value, l)
			return true
		}
	}
	return false
}

// isLabel says whether a line begins the next row: the value of the last one is empty.
func isLabel(text string) bool {
	return slices.ContainsFunc(rows, func(each row) bool { return each.strong && each.label.MatchString(text) })
}

func (r *pageReader) set(each row, value string, l Line) {
	if _, again := r.values[each.name]; again {
		if each.name == "device" || each.name == "tftp1" || each.name == "model" {
			r.End() // the page of another phone
		} else {
			return
		}
	}
	switch each.name {
	case "alternate":
		value = map[bool]string{true: "yes", false: "no"}[strings.EqualFold(value[:1], "y") || strings.HasPrefix(strings.ToLower(value), "on")]
	case "tftp1", "tftp2", "router", "dhcp-server", "ip":
		value = strings.Fields(value)[0]
		if a, err := netip.ParseAddr(value); err == nil && a.IsUnspecified() {
			return
		}
	case "ctl", "itl", "web-access":
	default:
		value = each.value.FindString(value)
	}
	r.values[each.name] = value
	if r.line == 0 || each.name == "tftp1" || each.name == "alternate" && value == "no" {
		r.line, r.text = l.Number, strings.Join(strings.Fields(inTags.ReplaceAllString(l.Raw, " ")), " ")
		if strings.EqualFold(r.text, value) {
			r.text = each.name + " " + value
		}
	}
}

func (r *pageReader) End() {
	v := r.values
	if len(v) == 0 {
		return
	}
	r.values = map[string]string{}
	if v["tftp1"] != "" || v["alternate"] != "" {
		r.in.Add(fact.PhonePage, r.line, r.text, time.Time{}, pairs("alternate", v["alternate"], "tftp1", v["tftp1"], "tftp2", v["tftp2"],
			"dhcp-server", v["dhcp-server"], "router", v["router"], "ip", v["ip"], "ctl", v["ctl"], "itl", v["itl"], "web-access", v["web-access"])...)
	}
	load := strings.TrimSuffix(v["load"], ".loads")
	if v["device"] != "" || v["model"] != "" || load != "" {
		r.in.Add(fact.Device, r.line, r.text, time.Time{}, pairs("device", strings.ToUpper(v["device"]), "model", v["model"], "load", load, "ip", v["ip"])...)
	}
	r.line, r.text = 0, ""
}

package read

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/wire/cnf"
)

// Phones' files: SEP….cnf.xml, or a part of one in the middle of anything.
var _ = recognise(Recogniser{
	Format: "configuration file of a phone", Follows: true, Platform: finding.Phone, Early: true, Marks: []string{"<device", "<vpnGroup", "<flat-profile", "<Default>", "<url", "<certHash", "<?xml"},
	New: func(in *fact.Input) Reader { return &sepReader{in: in} },
})

var (
	sepBegin = compile(`<(device|vpnGroup|flat-profile|Default|(?:url|certHash)\d{1,2})(?:\s[^<>]*)?>`)
	sepName  = compile(`(?i)\bSEP[0-9A-F]{12}\b`)
	declared = compile(`<\?xml\b[^>]*\bencoding=["']([\w.-]+)`)
	quoted   = compile(`^[\s>|]+<`)
)

// sepReader gathers a file from the line where its root begins to the one where it ends.
type sepReader struct {
	in    *fact.Input
	root  string // of the file that is being read; empty: none is
	text  strings.Builder
	first int // line of the root

	encoding string // that the file says it has, in lower case; empty: UTF-8
	latin    Line   // the first whose bytes are no UTF-8; number 0: none is
}

func (r *sepReader) Line(l Line) bool {
	if r.root == "" {
		return r.begin(l)
	}
	if text := strings.TrimSpace(l.Raw); text != "" && !strings.ContainsAny(text, "<>") {
		r.end(false) // somebody pasted a part and went on writing
		return false
	}
	return r.take(l, l.Raw)
}

func (r *sepReader) begin(l Line) bool {
	if m := declared.FindStringSubmatch(l.Raw); m != nil {
		r.encoding = strings.ToLower(m[1])
	}
	m := sepBegin.FindStringSubmatchIndex(l.Raw)
	if m == nil {
		return false
	}
	r.root, r.first, r.latin = l.Raw[m[2]:m[3]], l.Number, Line{}
	return r.take(l, l.Raw[m[0]:])
}

// take adds a line, and ends with the root's end or where files are no longer so long.
func (r *sepReader) take(l Line, text string) bool {
	if l.Latin && r.latin.Number == 0 {
		r.latin = l
	}
	if m := quoted.FindString(text); m != "" { // as answers to mail quote it
		text = text[len(m)-1:]
	}
	ended := false
	if i := strings.Index(text, "</"+r.root+">"); i >= 0 {
		text, ended = text[:i+len(r.root)+3], true
	}
	r.text.WriteString(text + "\n")
	if ended || r.text.Len() > cnf.MaxSize {
		r.end(ended)
	}
	return true
}

func (r *sepReader) End() {
	if r.root != "" {
		r.end(false)
	}
}

// end reads what has been gathered.
func (r *sepReader) end(whole bool) {
	root, text := r.root, r.text.String()
	r.root = ""
	r.text.Reset()
	switch root {
	case "flat-profile":
		r.in.Add(fact.SEPMultiplatform, r.first, "<flat-profile>", time.Time{})
		return
	case "Default":
		return // the file for unknown phones; it tells nothing of one
	}
	leaves, err := cnf.Leaves([]byte(text))
	f := &sepFile{in: r.in, first: r.first, leaves: leaves, name: r.in.Source().Name, values: map[string][]cnf.Leaf{}}
	for _, l := range leaves {
		name := l.Path[strings.LastIndexByte(l.Path, '/')+1:]
		f.values[name] = append(f.values[name], l)
	}
	switch root {
	case "vpnGroup":
	case "device":
		if !f.known() {
			return
		}
		usable := whole && f.check(text, err)
		if r.latin.Number > 0 && (r.encoding == "" || r.encoding == "utf-8") && r.first <= 3 && sepName.MatchString(f.name) {
			f.invalid(r.latin.Number, r.latin.Raw, fmt.Sprintf("line %d holds a letter that is not saved as UTF-8, as the file says that it is; save it as UTF-8", r.latin.Number), true)
		}
		f.device(usable)
		switch {
		case whole:
		case r.first <= 2 && sepName.MatchString(f.name) && len(text) < cnf.MaxSize:
			f.invalid(r.first, "<device>", "it ends in the middle, </device> is missing", true)
		default:
			r.in.Partly("a phone's file in it ends in the middle, </device> is missing")
		}
	default: // one element of the group, without anything around it, as other programs' files may have it
		f.alone = true
		f.urls()
		f.hashes()
		return
	}
	f.vpn(text)
}

// sepFile is a file while it is told.
type sepFile struct {
	in     *fact.Input
	name   string
	first  int // line in the source where the text begins
	leaves []cnf.Leaf
	alone  bool                  // the text is one element that need not be a phone's
	values map[string][]cnf.Leaf // by the element's name
}

// known says whether a document with the root device is a phone's.
func (f *sepFile) known() bool {
	for _, name := range []string{"deviceProtocol", "fullConfig", "loadInformation", "processNodeName", "certHash1", "versionStamp", "webAccess"} {
		if len(f.values[name]) > 0 {
			return true
		}
	}
	return slices.ContainsFunc(f.leaves, func(l cnf.Leaf) bool { return strings.Contains(l.Path, "vpnGroup") })
}

func (f *sepFile) add(kind fact.Kind, l cnf.Leaf, values ...string) {
	name := l.Path[strings.LastIndexByte(l.Path, '/')+1:]
	text := fmt.Sprintf("<%s>%s</%s>", name, strings.TrimSpace(l.Text), name)
	f.in.Add(kind, f.first+l.Line-1, text, time.Time{}, pairs(values...)...)
}

func (f *sepFile) value(name string) string {
	if all := f.values[name]; len(all) > 0 {
		return strings.TrimSpace(all[0].Text)
	}
	return ""
}

// device tells what stands outside the VPN group.
func (f *sepFile) device(whole bool) {
	device := strings.ToUpper(sepName.FindString(f.name))
	form, all := "plain", ""
	if whole {
		all = "true"
	}
	if f.value("fullConfig") == "false" && f.value("encrConfig") == "true" {
		form = "encrypted" // the stub of one
	}
	f.in.Add(fact.SEPFile, f.first, "<device>", time.Time{}, pairs("device", device, "stamp", f.value("versionStamp"), "form", form, "whole", all)...)
	for _, l := range f.values["loadInformation"] {
		if load := strings.TrimSpace(l.Text); load != "" && l.Path == "device/loadInformation" {
			f.add(fact.Device, l, "device", device, "load", load)
		}
	}
	for _, l := range f.values["webAccess"] {
		f.add(fact.SEPSetting, l, "name", "webAccess", "value", strings.TrimSpace(l.Text))
	}
	for what, names := range map[string]string{"call-manager": "processNodeName", "load-server": "loadServer"} {
		for _, l := range f.values[names] {
			if host := strings.TrimSpace(l.Text); host != "" {
				f.add(fact.SEPServer, l, "what", what, "host", host)
			}
		}
	}
	for _, l := range f.values["address"] {
		if strings.Contains(l.Path, "/TVS/") && strings.TrimSpace(l.Text) != "" {
			f.add(fact.SEPServer, l, "what", "tvs", "host", strings.TrimSpace(l.Text))
		}
	}
}

func (f *sepFile) invalid(line int, text, problem string, likely bool) {
	name := sepName.FindString(f.name)
	if name != "" {
		name += ".cnf.xml"
	} else {
		name = "the phone's file"
	}
	sure := ""
	if likely {
		sure = "likely"
	}
	f.in.Add(fact.SEPInvalid, line, text, time.Time{}, pairs("file", name, "problem", problem, "sure", sure)...)
}

// wrong tells what is wrong with one element.
func (f *sepFile) wrong(l cnf.Leaf, problem string) {
	name := l.Path[strings.LastIndexByte(l.Path, '/')+1:]
	f.invalid(f.first+l.Line-1, fmt.Sprintf("<%s>%s</%s>", name, strings.TrimSpace(l.Text), name), problem, true)
}

var lineOfError = compile(`on line (\d+)`)

// check reads the file as strictly as our own phone does, and reports whether it is XML at least: else no phone has taken it
// up, and what it lacks tells nothing.
func (f *sepFile) check(text string, err error) bool {
	if err == nil {
		_, err = cnf.Parse([]byte(text))
	}
	if err == nil || errors.Is(err, cnf.ErrDefault) {
		return true
	}
	line, problem := f.first, strings.TrimPrefix(err.Error(), "cnf: ")
	if m := lineOfError.FindStringSubmatch(problem); m != nil {
		n, _ := strconv.Atoi(m[1])
		line += n - 1
		problem = strings.Replace(problem, m[0], fmt.Sprintf("on line %d", line), 1)
		f.invalid(line, problem, "it is no XML: "+problem, false)
		return false
	}
	f.invalid(line, problem, problem, true)
	return true
}

// vpn tells the VPN group.
func (f *sepFile) vpn(text string) {
	begun, ended := strings.Index(text, "<vpnGroup"), strings.Contains(text, "</vpnGroup>") || emptyGroup.MatchString(text)
	if begun < 0 && len(f.values["url1"]) == 0 && len(f.values["certHash1"]) == 0 {
		return
	}
	urls := f.urls()
	hashes := f.hashes()
	whole := ""
	if ended {
		whole = "true"
	}
	f.in.Add(fact.SEPVPN, f.first+strings.Count(text[:max(begun, 0)], "\n"), "<vpnGroup>", time.Time{}, pairs(
		"mtu", f.value("mtu"), "fail-connect-time", f.value("failConnectTime"), "auth-method", f.value("authMethod"),
		"persistent", truth(f.value("pswdPersistent")), "auto-detect", truth(f.value("autoNetDetect")), "host-check", truth(f.value("enableHostIDCheck")),
		"urls", strconv.Itoa(urls), "hashes", strconv.Itoa(hashes), "whole", whole)...)
	f.within("mtu", 256, 1406)
	f.within("failConnectTime", 0, 600)
	f.within("authMethod", 0, 2)
	f.within("hashAlg", cnf.HashSHA1, cnf.HashSHA1)
}

var emptyGroup = compile(`<vpnGroup\s*/>`)

// truth writes what files have for yes and no in one way.
func truth(text string) string {
	switch strings.ToLower(text) {
	case "true":
		return "1"
	case "false":
		return "0"
	}
	return text
}

func (f *sepFile) within(name string, least, most int) {
	for _, l := range f.values[name] {
		text := strings.TrimSpace(l.Text)
		n, err := strconv.Atoi(text)
		switch {
		case text == "" || name == "authMethod" && !strings.Contains(l.Path, "vpnGroup"):
		case err != nil:
			f.wrong(l, fmt.Sprintf("%s is %q and must be a number", name, text))
		case (n < least || n > most) && least == most:
			f.wrong(l, fmt.Sprintf("%s is %d, and phones know %d alone", name, n, most))
		case n < least || n > most:
			f.wrong(l, fmt.Sprintf("%s is %d and must be from %d to %d", name, n, least, most))
		}
	}
}

var numbered = compile(`^(url|certHash)(\d{1,2})$`)

// urls tells the gateways' URLs and returns how many there are.
func (f *sepFile) urls() (n int) {
	for _, l := range f.leaves {
		m := numbered.FindStringSubmatch(l.Path[strings.LastIndexByte(l.Path, '/')+1:])
		text := strings.TrimSpace(l.Text)
		if m == nil || m[1] != "url" || text == "" || strings.Contains(l.Path, "/") && !strings.Contains(l.Path, "addresses") {
			continue
		}
		u, err := url.Parse(text)
		if f.alone && (err != nil || u.Scheme != "https") {
			continue
		}
		n++
		f.add(fact.FileURL, l, "url", text, "index", m[2])
		index, _ := strconv.Atoi(m[2])
		switch {
		case index > cnf.MaxURLs:
			f.wrong(l, fmt.Sprintf("%s%s is one too many: phones read url1 to url%d", m[1], m[2], cnf.MaxURLs))
		case err != nil || u.Host == "":
			f.wrong(l, fmt.Sprintf("url%s %q is no URL of a gateway, such as https://vpn.example.com/phones", m[2], text))
		case !strings.EqualFold(u.Scheme, "https"):
			f.wrong(l, fmt.Sprintf("url%s begins with %s://, and phones open https:// alone", m[2], u.Scheme))
		case strings.ContainsAny(text, " \t\n"):
			f.wrong(l, fmt.Sprintf("url%s holds a space", m[2]))
		case len(text) > cnf.MaxURL:
			f.wrong(l, fmt.Sprintf("url%s has %d characters, and phones take %d", m[2], len(text), cnf.MaxURL))
		}
	}
	return n
}

// hashes tells the hashes of gateways' certificates and returns how many there are.
func (f *sepFile) hashes() (n int) {
	for _, l := range f.leaves {
		m := numbered.FindStringSubmatch(l.Path[strings.LastIndexByte(l.Path, '/')+1:])
		text := strings.TrimSpace(l.Text)
		if m == nil || m[1] != "certHash" || text == "" {
			continue
		}
		n++
		if index, _ := strconv.Atoi(m[2]); index > cnf.MaxHashes {
			f.wrong(l, fmt.Sprintf("certHash%s is one too many: phones read certHash1 to certHash%d", m[2], cnf.MaxHashes))
		}
		raw, err := base64.StdEncoding.DecodeString(text)
		digits, notHex := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
		switch {
		case err == nil && len(raw) == sha1Size:
			f.add(fact.FileHash, l, "sha1", fmt.Sprintf("%X", raw), "index", m[2])
		case notHex == nil && len(digits) == sha1Size:
			f.wrong(l, fmt.Sprintf("certHash%s is in hex digits, and phones want base64: %s", m[2], base64.StdEncoding.EncodeToString(digits)))
		case err == nil && len(raw) == 32 || notHex == nil && len(digits) == 32:
			f.wrong(l, fmt.Sprintf("certHash%s is a SHA-256, and phones compare SHA-1: 28 characters of base64", m[2]))
		case !f.alone:
			f.wrong(l, fmt.Sprintf("certHash%s is %q and must be the SHA-1 of a certificate in base64, 28 characters", m[2], text))
		}
	}
	return n
}

const sha1Size = 20

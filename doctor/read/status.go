package read

import (
	"math/bits"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Status messages, as a phone's page and screen show them and as people type them off, docs/wire/phone-logs.md#status.
var _ = recognise(Recogniser{
	Format: "status messages of a phone", Platform: finding.Phone,
	Marks: []string{
		"trust list", "ctl", "itl", "update failed", "invalid file", "auth", "verifying", "size error", "tftp", "not found", "load rejected", "application invalid",
		"checksum", "version error", "xmldefault", ".cnf.xml", "dns", "dhcp", "duplicate", "no default", "regist", "fips", "vpn", "error db", "error: db", "error data", "mismatch", "pass limit", "passlimit", "no license", "configuring", "ethernet", "opening", "features disabled", "fallback", "load ",
		"could not acquire", "lsc", "capf",
		"closed tcp", "closed-tcp", "restart requested", "error updat", "address released",
	},
	Alone: true,
	New:   func(in *fact.Input) Reader { return &statusReader{in: in} },
})

// statusReader keeps what went well to the end, since some show the newest message first: it may be what followed a failure
// below it.
type statusReader struct {
	in      *fact.Input
	fetched []fetched // files that came, and tunnels
	lists   []Line    // where it says that trust lists were taken
	last    time.Time // that a message has said
	timed   int       // messages that have said one
	back    bool      // one has said an earlier time than the one before
}

// fetched is what came, and where that stands.
type fetched struct {
	Line
	kind   fact.Kind
	values []string
}

var (
	// statusTime stands before a message: 9:54:34p on 79xx, [8:52:30am 10/01/19] on 78xx and 88xx; 14:52:30 where the
	// phone shows 24 hours. Some number the messages.
	statusTime = compile(`^(?:\d{1,3}[:.)] +)?\[?(\d{1,2}:\d\d:\d\d) ?(?i:([ap])m?)?,?(?: +(\d\d/\d\d/\d\d(?:\d\d)?))?\]? +(.*)$`)
	// typedOff takes away what people put before a line that they type off.
	typedOff = compile(`^[\s>*\-•"'` + "`" + `]+`)
	// inTags is a tag of a page. A file's name in such brackets is none: it is part of the message.
	inTags = compile(`<[?!/]?[a-zA-Z-][\w:-]*(?:\s[^<>]*)?[/?]?>`)
)

func (r *statusReader) Line(l Line) bool {
	text := typedOff.ReplaceAllString(l.Text, "")
	timed := false
	if strings.ContainsRune(text, '<') {
		text = strings.TrimSpace(strings.ReplaceAll(inTags.ReplaceAllString(text, " "), "&nbsp;", " "))
	}
	if m := statusTime.FindStringSubmatch(text); m != nil {
		text, timed = m[4], true
		r.clock(m[1], m[2], m[3])
	}
	text = strings.TrimRight(text, " \"'.`,;")
	for may := quickStatuses.may(text); may != 0; may &= may - 1 {
		s := statuses[bits.TrailingZeros64(may)]
		m := s.is.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		if s.tells != "" {
			r.in.Mind(l.Number)
			r.add(l, s, m)
		}
		return true
	}
	return timed && ownFile.MatchString(text)
}

// clock takes in when a message was shown.
func (r *statusReader) clock(hours, half, day string) {
	layout, text := "15:04:05", hours
	if half != "" {
		layout, text = "3:04:05pm", hours+strings.ToLower(half)+"m"
	}
	if day != "" {
		layout, text = layout+" 01/02/06", text+" "+day[:len("01/02/")]+day[len(day)-2:]
	}
	at, err := time.Parse(layout, text)
	if err != nil {
		return
	}
	r.back = r.back || r.timed > 0 && at.Before(r.last)
	r.last = at
	r.timed++
}

// End tells what was fetched, and whether the messages stand in the order in which they were shown.
func (r *statusReader) End() {
	order, list := "any", fact.PhoneTrustListShown
	if r.timed > 1 && !r.back {
		order, list = "", fact.PhoneTrustListTaken
	}
	for _, l := range r.lists {
		r.in.Add(list, l.Number, l.Text, l.Time)
	}
	for _, f := range r.fetched {
		r.in.Add(f.kind, f.Number, f.Text, f.Time, append(f.values, pairs("order", order)...)...)
	}
}

// status is a message and what it tells. An empty kind: nothing that matters.
type status struct {
	phrase
	subject string // which value the first group of the text is
}

func (r *statusReader) add(l Line, s status, m []string) {
	values := append([]string(nil), s.with...)
	if s.subject == "text" {
		values = append(values, "text", strings.TrimLeft(m[0], `"'“„`))
	} else if s.subject != "" && len(m) > 1 {
		values = append(values, s.subject, bareFile(strings.Trim(m[1], "<>[]()\"' ")))
	}
	kind := s.tells
	if s.subject == "file" && m[1] != "" && !matters(m[1]) {
		if trustListFile.MatchString(m[1]) {
			r.in.Add(fact.PhoneNoTrustList, l.Number, l.Text, l.Time) // a cluster without one says so at each start
			return
		}
		if kind == fact.PhoneFileMissing {
			return // it can do without
		}
	}
	if kind == fact.PhoneTrustListShown {
		if len(r.lists) < maxAsked {
			r.lists = append(r.lists, l)
		}
		return
	}
	if kind == fact.PhoneFetched || kind == fact.PhoneVPNUp {
		if len(r.fetched) < maxAsked {
			r.fetched = append(r.fetched, fetched{l, kind, pairs(values...)})
		}
		return
	}
	r.in.Add(kind, l.Number, l.Text, l.Time, pairs(values...)...)
}

var trustListFile = compile(`(?i)^(?:CTL|ITL|ext_ITL)\w*\.(?:tlv|sgn)`)

func shown(text string, kind fact.Kind, subject string, values ...string) status {
	return status{phrase: says(`(?i)`+text, kind, values...), subject: subject}
}

const (
	fileName = `<?\[?([\w./-]+\.(?:xml|tlv|loads|jar|raw|png|sbn|zz)(?:\.enc)?(?:\.sgn)?)`
	about    = `(?: *[:\-–] *| +)`     // between a message and its file
	alone    = `(?:^|\bsays? |["'“„])` // nobody else says it: it begins the line, or is quoted
)

// statuses are tried in their order; the first that fits counts.
var statuses = []status{
	shown(`\bTrust List update failed\W+verification failure`, fact.PhoneTrustListFailed, "", "verification", "true"),
	shown(`\bTrust List update failed`, fact.PhoneTrustListFailed, ""),
	shown(`\b(?:CTL|ITL)(?: and ITL)?(?: file)? update failed`, fact.PhoneTrustListFailed, ""),
	shown(`\bNo Trust List installed`, fact.PhoneNoTrustList, ""),
	shown(`^(?:Trust List updated|(?:CTL|ITL|CTL and ITL)(?: files?)? installed|ITL updated)`, fact.PhoneTrustListShown, ""),
	shown(`^Erasing CTL and ITL files`, "", ""),
	shown(`\binvalid file <?([\w.]+), authenticat\w+ fail`, fact.PhoneSignatureRefused, "file"),
	shown(`^(?:File auth(?:entication)? (?:error|fail\w*)|Auth(?:entication)? fail\w*|Error verifying config info|TFTP (?:server )?not authorized)`+about+fileName, fact.PhoneSignatureRefused, "file"),
	shown(`^(?:File auth(?:entication)? (?:error|fail\w*)|Error verifying config info|TFTP (?:server )?not authorized)$`, fact.PhoneSignatureRefused, ""),
	shown(`^Auth fail$`, fact.PhoneFileTrouble, "text"), // which others than phones may say
	shown(`\bCFG (?:file )?TFTP size error`, fact.PhoneFileTooLarge, ""),
	shown(`\bTFTP timeout`+about+fileName, fact.PhoneFileTimeout, "file"),
	shown(`(?:^|\bsays? )"?TFTP timeout$`, fact.PhoneFileTimeout, ""),
	shown(`\bFile not found`+about+fileName, fact.PhoneFileMissing, "file"),
	shown(fileName+`"?`+about+`File not found$`, fact.PhoneFileMissing, "file"),
	shown(`^File not found(?: *:? *<?cfg file>?)?$`, fact.PhoneFileMissing, ""),
	shown(`\bTFTP (?:access )?error`+about+fileName, fact.PhoneFileRefused, "file"),
	shown(`^TFTP access error$`, fact.PhoneFileRefused, ""),
	shown(`^TFTP error$`, fact.PhoneFileTrouble, "text"),
	shown(`\bLoad rejected HC`, fact.PhoneLoadRejected, "text"),
	shown(`^Checksum error$`, fact.PhoneLoadDamaged, ""),
	shown(`^Protocol application invalid`, fact.PhoneLoadRejected, "text"),
	shown(`^Load (?:auth failed|ID incorrect|server is invalid)`, fact.PhoneLoadRejected, "text"),
	shown(`^Version error(?:`+about+`([A-Za-z][\w.-]*\d))?$`, fact.PhoneLoadNamed, "load"),
	shown(`^(?:Programming Error )?XmlDefault\.cnf\.xml(?:\.sgn)?$`, fact.PhoneDefaultFile, ""),
	shown(`^(SEP[0-9A-F]{12}\.cnf\.xml(?:\.enc)?(?:\.sgn)?)(?: ?\((?:HTTPS?|TFTP)\))?$`, fact.PhoneFetched, "file"),
	shown(`\bDNS unknown host(?:`+about+`([\w.-]+))?`, fact.PhoneNoName, "host"),
	shown(`^DNS timeout`, fact.PhoneNoName, ""),
	shown(`^(?:DHCP timeout|Duplicate IP|No default router|No DNS server IP|Could not acquire an IP address|Configuring (?:IP|VLAN)\W*$|Ethernet disconnected)`, fact.PhoneNetworkTrouble, "text"),
	shown(`^Host not found$`, fact.PhoneNoName, ""),
	shown(`^Configuring CM list`, fact.PhoneFileTrouble, "text"),
	shown(alone+`Registration rejected(?:$|\W+(?:Error|Security|by (?:CUCM|CM|call ?manager))\b.*)`, fact.PhoneRegisterRefused, "text"),
	shown(`^Error:? ?(?:DB ?Config|Pass ?Limit)$`, fact.PhoneRegisterRefused, "text"),
	shown(`^Error:? ?(?:Database|Mismatch|No License)$`, fact.PhoneNotRegistered, "text"), // which others than phones may say
	shown(`\bCert key size is not FIPS compliant`, fact.PhoneRegisterRefused, "text"),
	shown(`^(?:Phone (?:is )?)?(?:not registered|unregistered)$`, fact.PhoneNotRegistered, "text"),
	shown(`^(?:CUCM|CM|CallManager|Cisco Unified CM)[ -]closed[ -]TCP(?: connection)?$`, fact.PhoneNotRegistered, "text"),
	shown(`^(?:Registering(?:\W*$| to \S+$)|Registration in progress|Opening (?:\d{1,3}\.){3}\d{1,3}$|(?:CM|CallManager) (?:down, features disabled|fallback service operating))`, fact.PhoneNotRegistered, "text"),
	shown(`\bAttempting VPN Connection`, fact.PhoneAttempting, ""),
	shown(alone+`VPN:? (?:user )?authentication (?:has )?(?:failed|failure)$`, fact.PhoneLoginRefused, ""),
	shown(`^VPN (?:is |has )?connected$`, fact.PhoneVPNUp, ""),
	shown(`^(?:VPN:? (?:connection |login )?(?:has )?(?:failed|failure|error|not connected|disconnected)|Unable to connect (?:to )?VPN)`, fact.PhoneVPNFailed, "text"),
	shown(`^(?:LSC|CAPF)\W+(?:\w+ )?fail\w*`, fact.PhoneCAPFFailed, "text"),
	shown(`^(?:Restart requested by (?:CUCM|Cisco Unified)|Error updat\w+ locale|IP address released)`, "", ""),
}

var quickStatuses = func() *patterns {
	var list []*pattern
	for _, s := range statuses {
		list = append(list, s.is)
	}
	return patternsOf(list...)
}()

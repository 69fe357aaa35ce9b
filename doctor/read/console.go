package read

import (
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Console logs of phones, docs/wire/phone-logs.md#grammar. People paste parts of lines, so a task's name is enough.
var _ = recognise(Recogniser{
	Format: "console log of a phone", Platform: finding.Phone,
	Marks: []string{"VPNC", "SECD", "SECUREAPP", "downd", "dgetfile", "TFTP", "CAPF", "JAVA-", "ccsip_", "SIPCC-", "'webvpn='"}, Maybe: maybeRecord,
	Begins: func(text string) bool {
		return maybe79(text) && record79.MatchString(text) || maybe88(text) && record88.MatchString(text)
	},
	Alone: true,
	New:   func(in *fact.Input) Reader { return &consoleReader{in: in, asked: map[string]*download{}} },
})

var (
	// record79 begins a record of 79xx: sequence, severity, time, task.
	record79 = compile(`(?:^|[\s>"'])\d{1,8}: [A-Z]{3} \d\d:\d\d:\d\d\.\d{3,6} +([A-Za-z][\w./-]*): ?`)
	// record88 begins a record of 78xx and 88xx: sequence, severity, date, process and thread, task.
	record88 = compile(`(?:^|[\s>"'])\d{1,8} [A-Z]{3} ([A-Z][a-z]{2} [ \d]\d) +(\d\d:\d\d:\d\d\.\d{3,6}) +(?:[(\[]\d+:\d+[)\]] +)?([A-Za-z]\w*(?:\(\d+\))?)-`)
	// bareTask is a line of which only task and words were pasted.
	bareTask = compile(`(?:^|[\s:>"'*])(VPNC|SECD|SECUREAPP|CAPF)(?:: ?|-)`)
	// elsewhere is what phones log over several lines: sip_text.go and statistics.go.
	elsewhere = compile(ofPhone + `|` + ofStatistics)
)

// consoleReader takes console logs apart. Several records may stand on one line, as they do where people paste them.
type consoleReader struct {
	in *fact.Input
	// asked holds the last download of each process that makes them.
	asked map[string]*download
	tvs   string // that was called last
	vpnAt bool   // the VPN client has said something that is not known
	reply string // to REGISTER, that came last: it comes again where packets get lost
}

// download is a file that was asked for and has not come yet.
type download struct{ file, server string }

// record is one record of a console log.
type record struct {
	Line
	task, process string
	said          string
}

func (r *consoleReader) Line(l Line) bool {
	if elsewhere.MatchString(l.Raw) {
		return false
	}
	if strings.Contains(l.Raw, `"event":"`) { // our phone's console is one of its events, and the others quote it
		if e, _, ok := eventIn(l.Raw); ok && e.Event != "console" {
			return false
		} else if ok {
			l.Raw, l.Text = e.Detail, e.Detail
		}
	}
	records := r.split(l)
	for _, each := range records {
		r.hear(each)
	}
	if len(records) == 0 && strings.Contains(l.Text, "'webvpn=' not found in cookie") {
		r.in.Add(fact.PhoneCookieMissing, l.Number, l.Text, l.Time)
		return true
	}
	if len(records) == 0 && strings.Contains(l.Raw, "SIPCC-") {
		r.sip(record{Line: l, said: l.Raw})
		return true
	}
	return len(records) > 0
}

func (r *consoleReader) End() {}

// split returns the records of a line.
func (r *consoleReader) split(l Line) []record {
	var all []record
	for _, grammar := range []struct {
		begin      *pattern
		may        func(line string) bool // a quick look whether one can be there; nil: the pattern has its own
		task, time int                    // groups; time 0: there is none that tells the day
	}{{record79, maybe79, 1, 0}, {record88, maybe88, 3, 1}, {bareTask, nil, 1, 0}} {
		at := beginningsOf(grammar.begin, grammar.may, l.Raw)
		for i, m := range at {
			end := len(l.Raw)
			if i+1 < len(at) {
				end = at[i+1][0]
			}
			one := record{Line: l}
			one.task, one.process, _ = strings.Cut(l.Raw[m[2*grammar.task]:m[2*grammar.task+1]], "(")
			one.said = strings.TrimSpace(l.Raw[m[1]:end])
			if grammar.time > 0 {
				one.Time = r.date(l.Raw[m[2*grammar.time]:m[2*grammar.time+1]], l.Raw[m[2*grammar.time+2]:m[2*grammar.time+3]])
			}
			if len(at) > 1 {
				one.Text = strings.TrimSpace(l.Raw[m[0]:end])
			} else {
				one.Text = l.Raw
			}
			all = append(all, one)
		}
		if len(all) > 0 {
			return all
		}
	}
	return nil
}

// beginningsOf finds where records begin. Nearly all lines have one record, so the rest is matched only where another
// can be.
func beginningsOf(begin *pattern, may func(string) bool, line string) [][]int {
	if may == nil {
		return begin.FindAllStringSubmatchIndex(line, -1)
	}
	if !may(line) {
		return nil
	}
	first := begin.FindStringSubmatchIndex(line)
	if first == nil {
		return nil
	}
	if !may(line[first[1]:]) {
		return [][]int{first}
	}
	return begin.FindAllStringSubmatchIndex(line, -1)
}

// date reads the time of an 88xx, which has no year: it is the last such day before now.
func (r *consoleReader) date(day, clock string) time.Time {
	now := r.in.Now()
	t, err := time.Parse("Jan _2 15:04:05", day+" "+clock)
	if err != nil || now.IsZero() {
		return time.Time{}
	}
	if t = t.AddDate(now.Year(), 0, 0); t.After(now.Add(24 * time.Hour)) {
		t = t.AddDate(-1, 0, 0)
	}
	return t
}

// hear passes a record to who knows its task.
func (r *consoleReader) hear(one record) {
	switch one.task {
	case "VPNC":
		r.vpn(one)
	case "SECD", "SECUREAPP":
		if !r.vpnTrust(one) {
			r.trust(one)
		}
	case "downd", "dgetfile", "TFTPD", "TFTP", "tftpClient":
		r.fetch(one)
	case "CAPF":
		r.capf(one)
	default:
		r.sip(one)
	}
}

func (r *consoleReader) add(one record, kind fact.Kind, values ...string) {
	r.in.Add(kind, one.Number, one.Text, one.Time, pairs(values...)...)
}

// heard adds what the first phrase that fits tells, and reports whether one does.
func (r *consoleReader) heard(one record, words phrases) bool {
	return spoken(r.in, words, one.said, Line{Number: one.Number, Raw: one.Text, Time: one.Time})
}

// vpnWords are the VPN client's, docs/wire/phone-logs.md#vpn-client. The first that fits counts.
var vpnWords = phrasesOf(
	says(`'webvpn=' not found in cookie`, fact.PhoneCookieMissing),
	says(`VPN cert chain trusted`, fact.PhoneHashFound),
	says(`VPN cert chain verification failed`, fact.PhoneChainUntrusted),
	says(`pre_err: 9 |certificate is not yet valid`, fact.PhoneCertificateDate, "error", "not-yet-valid"),
	says(`pre_err: 10 |certificate has expired`, fact.PhoneCertificateDate, "error", "expired"),
	says(`pre_err: 18 `, fact.PhoneVPN, "error", "self-signed"),
	says(`pre_err: \d+`, fact.PhoneVPN),
	says(`(?i)host ?-?id.*(?:fail|mismatch|not match|does not)|(?i)(?:hostname|host name|common name|subjectAltName).*(?:mismatch|not match|does not match|verification failed)`, fact.PhoneHostRefused),
	says(`(?i)write alert: code \d+, (?P<name>.*)$`, fact.PhoneAlert, "by", "phone"),
	says(`(?i)read alert: code \d+, (?P<name>.*)$`, fact.PhoneAlert, "by", "gateway"),
	says(`(?i)alert write:(?:fatal|warning):(?P<name>[^:]+)`, fact.PhoneAlert, "by", "phone"),
	says(`(?i)alert read:(?:fatal|warning):(?P<name>[^:]+)`, fact.PhoneAlert, "by", "gateway"),
	says(`(?i)(?:tlsv1|sslv3) alert (?P<name>[a-z ]+)`, fact.PhoneAlert, "by", "gateway"),
	says(`old session cipher not returned`, fact.PhoneSuiteChanged),
	says(`login code: (?P<status>\d{3})\b`, fact.PhoneLoginReply),
	says(`new 'Location': (?P<location>\S+)`, fact.PhoneLoginReply, "status", "302"),
	says(`process_login: HTTP/1\.\d (?P<status>\d{3})`, fact.PhoneLoginReply),
	says(`notify desc: \[alert: (?P<name>.*?) \(server cert\)\]`, fact.PhoneAlert, "by", "phone"),
	says(`notify code: \d+ \[SslAlertSrvrCert\]`, fact.PhoneAlert, "name", "server certificate", "by", "phone"),
	says(`notify code: \d+ \[(?P<code>[^\]]*)\]`, fact.PhoneVPNFailed),
	says(`notify desc: \[(?P<text>[^\]]*)\]`, fact.PhoneVPNFailed),
	says(`notify type: \d+ \[(?P<code>\w*Failed)\]`, fact.PhoneVPNFailed),
	says(`--> \d+ \((?P<code>\w*(?:FAILED|Failed))\)`, fact.PhoneVPNFailed),
	says(`create_ssl_connection failed|SSL setup failure`, fact.PhoneVPNFailed, "code", "SslSetup"),
	says(`(?i)(?:invalid|wrong|bad) (?:user ?name|password|credentials)|authentication fail`, fact.PhoneLoginRefused),
	says(`(?i)(?:could not|cannot|can't|unable to|failed to) resolve(?: (?:host(?:name)?|name|URL))?[ :<\["']*(?P<server>[\w.-]*\.[\w-]+)?`, fact.GatewayNoName),
	says(`(?i)gethostbyname|getaddrinfo|unknown host|host not found|name or service not known|dns (?:lookup|query|resolution) (?:failed|failure|error|timeout)`, fact.GatewayNoName),
	says(`(?i)connection refused`, fact.GatewayNoAnswer, "reason", "refused"),
	says(`(?i)connect\w*(?:\(\))? ?(?:has |attempt )?timed? ?-?out|connection time ?out`, fact.GatewayNoAnswer, "reason", "timeout"),
	says(`(?i)no route to host|(?:network|host) (?:is )?unreachable`, fact.GatewayNoAnswer, "reason", "unreachable"),
)

// failure is what a line has that tells of one, in words that nobody has published.
var failure = compile(`(?i)\b(?:fail(?:ed|ure|s)?|error|denied|unable|cannot|could not|reject(?:ed)?|refused|abort(?:ed)?|timed? ?out|not permitted|disconnected)\b`)

var (
	handshakeVersion = compile(`ssl_state_cb: (TLSv1(?:\.\d)?|SSLv3): SSL_connect`)
	anyURL           = compile(`https?://[^\s<>\[\]"']+`)
)

func (r *consoleReader) vpn(one record) {
	if m := handshakeVersion.FindStringSubmatch(one.said); m != nil {
		r.add(one, fact.PhoneTLS, "version", m[1])
		return
	}
	if strings.Contains(one.said, "set_redirect_url") {
		return // the line before has told where to
	}
	if r.heard(one, vpnWords) {
		return
	}
	if url := anyURL.FindString(one.said); url != "" {
		r.add(one, fact.PhoneURL, "url", strings.TrimRight(url, ".,;)"))
		return
	}
	if failure.MatchString(one.said) {
		r.add(one, fact.PhoneVPNFailed, "text", one.said)
		return
	}
	if !r.vpnAt {
		r.vpnAt = true
		r.add(one, fact.PhoneVPN)
	}
}

// trustWords are the security daemon's about the gateway's certificate.
var trustWords = phrasesOf(
	says(`^(?:\w+:)?\s*Hash was found in the trust list`, fact.PhoneHashFound),
	says(`(?i)hash was not found in the trust list|hash not found in (?:the )?trust list`, fact.PhoneChainUntrusted),
	says(`secLoadFile: file not found <[^>]*issuer\.crt>`, fact.PhoneIssuerMissing),
)

var leafHash = compile(`Leaf cert hash = ((?:[0-9A-Fa-f]{2}[: ]?){20})`)

func (r *consoleReader) vpnTrust(one record) bool {
	if m := leafHash.FindStringSubmatch(one.said); m != nil {
		hash := strings.NewReplacer(":", "", " ", "").Replace(m[1])
		r.add(one, fact.PhoneLeafHash, "hash", strings.ToUpper(hash))
		return true
	}
	return r.heard(one, trustWords)
}

// listWords are the security daemon's about files and trust lists, docs/wire/phone-logs.md#trust.
var listWords = phrasesOf(
	says(`Hashes match\.\.\. authentication successful|TL file verified successfully|TL file updated|verifyFile: verify SUCCESS`, fact.PhoneTrustListTaken),
	says(`(?i)verifyFile: verify fail\w*[ ,<]*(?:\S*/)?(?P<file>[\w.-]+\.(?:xml|tlv|sgn|loads)[\w.]*)?`, fact.PhoneSignatureRefused),
	says(`(?i)Hashes (?:do not|don't) match|TL file verif\w+ fail`, fact.PhoneTrustListFailed, "verification", "true"),
)

var (
	tvsCalled   = compile(`(?:Attempting connect to TVS server addr \[([^\]]+)\]|clpSetupSsl: Trying to connect to IPV\d, IP: ([^,\s]+), Port ?: 2445)`)
	tvsAnswered = compile(`Sec SSL Connection - Handshake successful|Successfully sent the TVS request|clpSetupSsl: SSL/TLS handshake (?:ok|success)|clpState: .*SSL negotiation finished successfully`)
	tvsFailed   = compile(`(?i)EROR:clpSetupSsl: .*(?:handshake|setup) failed|EROR:clpState: SSL3 alert read:fatal|SSL CLNT ERR, srvr|Sec SSL Connection - Handshake fail|Connection to (?:TVS )?server failed`)
	tvsNoTCP    = compile(`(?i)EROR:clpSetupSsl: .*(?:connect|tcp).*(?:fail|time|refused|error)|TCP connect\(\) (?:failed|timed? ?out)|connect\(\) failed, \[`)
)

func (r *consoleReader) trust(one record) {
	if m := tvsCalled.FindStringSubmatch(one.said); m != nil {
		r.tvs = m[1] + m[2]
		return
	}
	switch {
	case r.tvs == "":
	case tvsAnswered.MatchString(one.said):
		r.add(one, fact.PhoneTVSAnswered, "server", r.tvs)
		r.tvs = ""
		return
	case tvsNoTCP.MatchString(one.said):
		r.add(one, fact.PhoneTVSFailed, "server", r.tvs, "reason", "tcp")
		return
	case tvsFailed.MatchString(one.said):
		r.add(one, fact.PhoneTVSFailed, "server", r.tvs, "reason", "tls")
		return
	}
	r.heard(one, listWords)
}

var (
	getFile      = compile(`GETXXTP \[GT\d+\]\[src=([^\]]*)\].*?\[serv=([^\]]*)\]`)
	actualServer = compile(`XXTP actualserver \[([^\]]+)\]`)
	getDone      = compile(`XXTP complete - status = (\d+)`)
	tftpRequest  = compile(`^(?:\[(\d+)\]:)?Requesting (\S+) from (\S+)`)
	tftpFinished = compile(`^(?:\[(\d+)\]:)?Finished --> rcvd \d+ bytes`)
	tftpError    = compile(`^(?:\[(\d+)\]:)?Error: \(\d\+(\d)\)`)
)

// Results of a download, as 78xx and 88xx number them.
const (
	getOK       = "100"
	getNotFound = "2"
)

// fetch follows downloads, docs/wire/phone-logs.md#downloads. Of those over HTTP that fail nothing is told: the phone
// tries TFTP next.
func (r *consoleReader) fetch(one record) {
	key := one.task + one.process
	if m := getFile.FindStringSubmatch(one.said); m != nil {
		r.asked[key] = &download{m[1], m[2]}
		return
	}
	if m := tftpRequest.FindStringSubmatch(one.said); m != nil {
		if one.task != "TFTPD" { // a part of what downd does, who tells how it ended
			r.asked["tftp"+m[1]] = &download{m[2], m[3]}
		}
		return
	}
	if m := tftpFinished.FindStringSubmatch(one.said); m != nil {
		r.done(one, "tftp"+m[1], fact.PhoneFetched)
		return
	}
	if m := tftpError.FindStringSubmatch(one.said); m != nil {
		kind := fact.PhoneFileRefused
		if m[2] == "1" {
			kind = fact.PhoneFileMissing
		}
		r.done(one, "tftp"+m[1], kind)
		return
	}
	d := r.asked[key]
	if d == nil {
		return
	}
	if m := actualServer.FindStringSubmatch(one.said); m != nil {
		d.server = m[1]
		return
	}
	if m := getDone.FindStringSubmatch(one.said); m != nil {
		switch m[1] {
		case getOK:
			r.done(one, key, fact.PhoneFetched)
		case getNotFound:
			r.done(one, key, fact.PhoneFileMissing)
		}
	}
}

// done tells how a download ended. Only phones' own files and firmware matter: that a cluster has no CTL, or a phone no
// ring list, is nothing.
func (r *consoleReader) done(one record, key string, kind fact.Kind) {
	d := r.asked[key]
	if d == nil {
		return
	}
	delete(r.asked, key)
	if matters(d.file) {
		r.add(one, kind, "file", bareFile(d.file), "server", d.server)
	}
}

var ownFile = compile(`(?i)(?:^|/)(SEP[0-9A-F]{12}|XMLDefault)\.cnf\.xml|\.loads\b`)

// matters says whether a phone cannot do without a file.
func matters(file string) bool { return ownFile.MatchString(file) }

// bareFile takes folder and what phones add off a file's name.
func bareFile(file string) string { return file[strings.LastIndexByte(file, '/')+1:] }

// capf hears what becomes of a phone's own certificate.
func (r *consoleReader) capf(one record) {
	if capfFailed.MatchString(one.said) {
		r.add(one, fact.PhoneCAPFFailed, "text", one.said)
	}
}

var capfFailed = compile(`(?i)\b(?:fail(?:ed|ure|s)?|error|untrusted|not trusted|unknown ca|refused|denied|invalid)\b`)

// registerReply is a reply to REGISTER, as the SIP stack of phones logs it.
var registerReply = compile(`ccsip_dump_recv_msg_info: <([^:>]+):[^>]*>:(\d{3}) .*:\d+ REGISTER::\S*`)

// sipWords are the SIP stack's about registration, which Jabber has, too: docs/wire/phone-logs.md#registration.
var sipWords = phrasesOf(
	says(`SIPCC-SIP_REG\w*: .*\b(?i:cucm connecting failed)`, fact.PhoneNoCallManager),
	says(`(?P<text>SIPCC-SIP_REG\w*: .*\b(?i:reject(?:ed|s)?)\b.*)`, fact.PhoneRegisterRefused),
)

func (r *consoleReader) sip(one record) {
	if m := registerReply.FindStringSubmatch(one.said); m != nil && m[2] >= "200" {
		if m[0] == r.reply {
			return
		}
		r.reply = m[0]
		r.add(one, fact.PhoneRegisterReply, "status", m[2], "server", m[1])
		return
	}
	r.heard(one, sipWords)
}

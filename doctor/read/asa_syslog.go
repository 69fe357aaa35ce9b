package read

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/wire/asa"
)

// Syslog messages of an ASA, as `show log`, a syslog server, or ASDM writes them: %ASA-6-113039: text, with %FTD or
// %PIX, with the class of the message between, without the percent sign, and the columns that ASDM exports.
var _ = recognise(Recogniser{
	Format: "ASA syslog", Platform: finding.ASA, Early: true,
	Marks: []string{
		"asa-", "ftd-", "pix-", "session disconnected", "no address available", "license available", "dtls disabled", "aaa ",
		"could not be established", "certificate chain", "certificate validation", "simultaneous logins",
	},
	Maybe: maybeColumns,
	Alone: true,
	Begins: func(text string) bool {
		return strings.HasPrefix(text, "%ASA-") || strings.HasPrefix(text, "%FTD-") || strings.HasPrefix(text, "%PIX-")
	},
	New: func(in *fact.Input) Reader {
		return &asaSyslogReader{in: in, phones: map[string]bool{}, channels: map[string]*asaChannels{}, clients: newASAClients()}
	},
})

type asaSyslogReader struct {
	in     *fact.Input
	phones map[string]bool // users whose client is a phone
	line   Line
	text   string // of the message

	channels    map[string]*asaChannels // by user
	clients     *asaClients
	established bool     // a session came up: failed handshakes are of strangers who scan the Internet
	handshakes  []func() // adds failed handshakes

	talk     asaTalk // whose handshake is at hand
	accepted string  // the user whose login was accepted last
	subject  string  // of the certificate that was refused last
}

// asaTalk is with whom the ASA shakes hands.
type asaTalk int

const (
	withClient asaTalk = iota
	withOffice         // a client that is not outside: somebody who manages the ASA
	withServer         // the ASA is the client
	withIKE            // a peer or client of IPsec
)

// maxASAHandshakes bounds how many failed handshakes are kept until it is known whether they matter.
const maxASAHandshakes = 50

var (
	asaBare   = compile(`(?:^|[\s:>])((?:ASA|FTD|PIX)-(?:[a-z]+-)?[0-7]-\d{6}: )`)
	asaColumn = compile(`^"?([0-7])"?[|,;\t]"?[A-Z][a-z]{2} \d{1,2} \d{4}"?[|,;\t]"?\d\d:\d\d:\d\d"?[|,;\t]"?(\d{6})"?[|,;\t](?:"?[^|,;\t"]*"?[|,;\t]){0,4}"?(.*?)"?$`)
)

// asaMessage finds the message in a line.
func asaMessage(raw string) (asa.Message, bool) {
	if strings.IndexByte(raw, '%') >= 0 {
		if m, err := asa.ParseMessage(raw); err == nil {
			return m, true
		}
	}
	if m := asaBare.FindStringSubmatchIndex(raw); m != nil {
		if message, err := asa.ParseMessage("%" + raw[m[2]:]); err == nil {
			return message, true
		}
	}
	if m := asaColumn.FindStringSubmatch(raw); m != nil {
		if message, err := asa.ParseMessage("%ASA-" + m[1] + "-" + m[2] + ": " + m[3]); err == nil {
			return message, true
		}
	}
	return asa.Message{}, false
}

// asaSays are messages that people paste without their number, by words that no other message has.
var asaSays = []struct {
	words string
	id    int
}{
	{"Session disconnected. Session Type:", 113019}, {"No address available for SVC connection", 722020}, {"license available", 716057},
	{"DTLS disabled: unable to negotiate cipher", 722043}, {"AAA user authentication Rejected : reason", 113015}, {"AAA user authentication Rejected: reason", 113015},
	{"Session could not be established: session limit of", 113029}, {"Certificate chain failed validation.", 717027}, {"Certificate validation failed.", 717009},
	{"Simultaneous logins exceeded for user", 113013}, {"AAA authentication server not accessible", 113014},
}

func (r *asaSyslogReader) Line(l Line) bool {
	m, ok := asaMessage(l.Raw)
	if !ok {
		for _, s := range asaSays {
			if strings.Contains(l.Text, s.words) {
				m, ok = asa.Message{Severity: asa.Debugging, ID: s.id, Text: l.Text}, true
			}
		}
	}
	if !ok {
		return false
	}
	r.line, r.text = l, m.Text
	r.device()
	if !r.message(m) {
		r.unknown(m)
	}
	return true
}

// asaChannels is what a user's session has of channels.
type asaChannels struct {
	tcp   Line // when the one over TCP came
	udp   bool
	ended bool
}

// maxASAUsers bounds of how many users the channels are followed.
const maxASAUsers = 1000

// channel follows the channels of a user's session.
func (r *asaSyslogReader) channel(user string) {
	ch := r.channels[user]
	if ch == nil {
		if len(r.channels) >= maxASAUsers {
			return
		}
		ch = new(asaChannels)
		r.channels[user] = ch
	}
	switch {
	case strings.Contains(r.text, "UDP"):
		ch.udp = true
	case ch.tcp.Number == 0:
		ch.tcp = r.line
	}
}

// tcpOnly tells of sessions that stayed without a channel over UDP.
func (r *asaSyslogReader) tcpOnly() {
	for _, user := range slices.Sorted(maps.Keys(r.channels)) {
		ch := r.channels[user]
		later := !ch.tcp.Time.IsZero() && r.line.Time.Sub(ch.tcp.Time) > time.Minute
		if ch.tcp.Number > 0 && !ch.udp && (ch.ended || later) {
			r.line = ch.tcp
			r.add(fact.ASATCPOnly, "user", user, "phone", r.phone(user))
		}
	}
}

func (r *asaSyslogReader) End() {
	r.tcpOnly()
	r.clients.tell()
	if r.established {
		return
	}
	for _, add := range r.handshakes {
		add()
	}
}

// handshake keeps a failed handshake.
func (r *asaSyslogReader) handshake(values ...string) {
	if len(r.handshakes) < maxASAHandshakes {
		line := r.line
		r.handshakes = append(r.handshakes, func() {
			r.line = line
			r.add(fact.ASATLSFailed, values...)
		})
	}
}

func (r *asaSyslogReader) add(k fact.Kind, values ...string) {
	kept := values[:0:0]
	for i := 0; i+1 < len(values); i += 2 {
		if values[i+1] != "" {
			kept = append(kept, values[i], values[i+1])
		}
	}
	text := r.line.Raw
	r.in.Add(k, r.line.Number, text, r.line.Time, kept...)
}

// failed adds a fact at the end of the log, with how its client went on.
func (r *asaSyslogReader) failed(until asaStep, c asaClient, k fact.Kind, values ...string) {
	line := r.line
	r.clients.wait(until, asaWho(c.user, c.public), c.public, func(then string) {
		r.line = line
		r.add(k, append(values, "then", then)...)
	})
}

// here notes that a client of the SSL VPN is there, and how it got on.
func (r *asaSyslogReader) here(step asaStep, c asaClient) {
	for _, who := range []string{asaWho(c.user, ""), asaWho("", c.public)} {
		r.clients.at(r.clients.here, who)
		r.clients.got(step, who, c.public)
	}
	if step&(asaSession|asaChannel) != 0 {
		r.established = true
	}
}

var (
	asaOtherUser = compile(`(?:Uname: ?|[Uu]ser ["']|Username ?[=:] ?)([^"',\s]+)`)
	asaOtherFrom = compile(`(?:[Ff]rom |IP address: |IP, |IP = |Remote:)(\d+\.\d+\.\d+\.\d+)`)
)

// elsewhere notes who logs in to something else than the SSL VPN.
func (r *asaSyslogReader) elsewhere() {
	if m := asaOtherUser.FindStringSubmatch(r.text); m != nil {
		r.clients.at(r.clients.elsewhere, asaWho(m[1], ""))
	}
	if m := asaOtherFrom.FindStringSubmatch(r.text); m != nil {
		r.clients.at(r.clients.elsewhere, asaWho("", m[1]))
	}
}

// asaPhone is how phones with certificates are called: model and device, or the device alone.
var asaPhone = compile(`\b(?:(CP-[0-9A-Za-z]+)-)?(SEP[0-9A-Fa-f]{12})\b`)

func (r *asaSyslogReader) device() {
	if m := asaPhone.FindStringSubmatch(r.text); m != nil {
		values := []string{"device", strings.ToUpper(m[2])}
		if m[1] != "" {
			values = append(values, "model", m[1])
		}
		r.in.Add(fact.Device, r.line.Number, r.line.Raw, r.line.Time, values...)
	}
}

// phone says "true" of users that are phones.
func (r *asaSyslogReader) phone(user string) string {
	if r.phones[user] || asaPhone.MatchString(user) {
		return "true"
	}
	return ""
}

// asaWhose is who most messages about sessions begin with; the marks are missing in some releases.
var asaWhose = compile(`(?:TunnelGroup <?([^>]*?)>? )?(?:Group(?:Policy)?) <?([^>]*?)>? User <?([^>]*?)>? IP <?([0-9a-fA-F.:]+)>?`)

type asaClient struct{ group, policy, user, public string }

func (r *asaSyslogReader) who() (c asaClient) {
	if m := asaWhose.FindStringSubmatch(r.text); m != nil {
		c = asaClient{m[1], m[2], m[3], m[4]}
	}
	return c
}

// asaNext begins the next field: releases differ in whether there is a space in front of the colon.
var asaNext = compile(` ?: `)

// field returns what follows a name and an equals sign, up to the next field or the end.
func (r *asaSyslogReader) field(name string) string {
	_, rest, ok := strings.Cut(r.text, name+" =")
	if !ok {
		return ""
	}
	return strings.TrimSpace(asaNext.Split(rest, 2)[0])
}

// message takes what it knows of a message, and reports whether it knows the message.
func (r *asaSyslogReader) message(m asa.Message) bool {
	switch m.ID / 1000 {
	case 109, 111, 308, 315, 502, 605, 611: // who manages the ASA, and who goes through it by name
		r.elsewhere()
		return true
	case 713, 715, 750, 751, 752:
		r.talk = withIKE
		r.elsewhere()
		return true
	case 113:
		return r.login(m)
	case 716, 722:
		return r.session(m)
	case 717:
		return r.certificate(m)
	case 725:
		return r.tls(m)
	case 737:
		return r.address(m)
	}
	switch m.ID {
	case 734002:
		r.terminated()
	case 110002, 110003:
		if ends := asaEnds(r.text); ends != nil {
			r.add(fact.ASANoRoute, "from", ends[0].address, "to", ends[1].address, "port", ends[1].port)
		}
	case 710003, 106001, 106006, 106007, 106010, 106014, 106023, 106100, 106102, 106103:
		r.denied(m.ID == 710003)
	case 305013, 305006, 305005:
		if ends := asaEnds(r.text); ends != nil {
			r.add(fact.ASANATFailed, "from", ends[0].address, "to", ends[1].address, "port", ends[1].port)
		}
	}
	return true
}

func (r *asaSyslogReader) after(word string) string {
	_, rest, _ := strings.Cut(r.text, word)
	return rest
}

var asaTerminated = compile(`DAP: User (.*?), Addr ([0-9a-fA-F.:]+?): .*DAP records: *(.*?)\.?\s*$`)

// terminated takes a connection that a dynamic access policy ends.
func (r *asaSyslogReader) terminated() {
	if m := asaTerminated.FindStringSubmatch(r.text); m != nil {
		r.failed(asaSession|asaChannel, asaClient{user: m[1], public: m[2]}, fact.ASALoginRefused,
			"user", m[1], "public", m[2], "reason", "the dynamic access policy "+m[3]+" ends the connection", "number", "734002")
		return
	}
	r.add(fact.ASATrouble, "number", "734002", "text", r.text)
}

var asaLimit = compile(`session limit of (\d+)`)

func (r *asaSyslogReader) login(m asa.Message) bool {
	user, reason, public := r.field("user"), r.field("reason"), r.field("user IP")
	c := asaClient{user: user, public: public}
	switch m.ID {
	case 113004, 113008, 113012:
		r.accepted = user
		r.clients.got(asaAccepted, asaWho(user, ""), "")
		r.clients.got(asaAnswers, asaAnyServer, "")
	case 113005, 113015, 113016, 113017:
		r.failed(asaAccepted|asaSession, c, fact.ASALoginRefused, "user", user, "reason", reason, "server", r.field("server"), "public", public, "number", number(m))
	case 113013:
		if strings.Contains(r.text, "Simultaneous logins exceeded") {
			r.failed(asaSession, c, fact.ASASessionLimit, "user", user, "whose", "user")
		} else {
			r.failed(asaAccepted|asaSession, c, fact.ASALoginRefused, "user", user, "reason", reason, "number", number(m))
		}
	case 113006:
		user, _, _ := strings.Cut(r.after("User "), " ")
		r.failed(asaAccepted|asaSession, asaClient{user: user}, fact.ASALockedOut, "user", user)
	case 113007:
		user, _, _ := strings.Cut(r.after("User "), " ")
		r.clients.got(asaAccepted, asaWho(user, ""), "")
	case 113014:
		if !strings.Contains(r.text, "accounting") {
			r.dead(r.field("server"), "it does not answer")
		}
	case 113022:
		if server, _, _ := strings.Cut(strings.TrimSpace(r.after("server ")), " "); !strings.Contains(r.text, "TACACS+") {
			r.dead(server, "the ASA has marked it as failed")
		}
	case 113023:
		r.clients.got(asaAnswers, asaAnyServer, "")
	case 113019:
		r.ended()
	case 113001:
		r.add(fact.ASASessionLimit, "limit", r.firstNumber(), "whose", "aaa")
	case 113025:
		r.add(fact.ASACertificateRefused, "reason", "the ASA cannot take a user from the certificate: "+r.text)
	case 113028:
		if strings.Contains(r.text, "failed") {
			r.add(fact.ASACertificateRefused, "reason", "the certificate does not have the field that the user name is taken from")
		}
	case 113029:
		r.limit("gateway")
	case 113035:
		r.add(fact.ASAClientsOff)
	case 113040:
		locked, _, _ := strings.Cut(r.after("group locked to "), ">")
		r.failed(asaSession, asaClient{user: r.accepted}, fact.ASALoginRefused, "user", r.accepted, "reason", "the account is locked to tunnel group "+strings.Trim(locked, "<. "), "number", number(m))
	case 113039:
		c := r.who()
		r.here(asaSession, c)
		r.add(fact.ASAEntered, "user", c.user, "policy", c.policy, "phone", r.phone(c.user))
	case 113020:
		if m := asaSkew.FindStringSubmatch(r.text); m != nil {
			r.add(fact.ASAClockSkew, "reason", "it and the Kerberos server "+m[1]+" differ by more than "+m[2]+" seconds")
		}
	case 113003, 113009, 113010, 113011, 113018, 113021, 113024, 113034, 113042, 113045:
	default:
		return false
	}
	return true
}

// asaAnyServer stands for the servers that know users: as long as one of them answers, logins work.
const asaAnyServer = "servers"

func (r *asaSyslogReader) dead(server, reason string) {
	line := r.line
	r.clients.wait(asaAnswers, asaAnyServer, "", func(then string) {
		r.line = line
		r.add(fact.ASAServerDead, "server", server, "reason", reason, "then", then)
	})
}

var asaSkew = compile(`Clock skew with server (\S+) greater than (\d+) seconds`)

var asaInBrackets = compile(`\[(\d+)\]`)

func (r *asaSyslogReader) firstNumber() string {
	if m := asaInBrackets.FindStringSubmatch(r.text); m != nil {
		return m[1]
	}
	return ""
}

func number(m asa.Message) string { return m.String()[len("%ASA-N-") : len("%ASA-N-")+6] }

func (r *asaSyslogReader) limit(whose string) {
	limit := ""
	if m := asaLimit.FindStringSubmatch(r.text); m != nil {
		limit = m[1]
	}
	c := r.who()
	r.failed(asaSession, c, fact.ASASessionLimit, "user", c.user, "limit", limit, "whose", whose)
}

var asaEnded = compile(`(?:Group = (.*?), Username = (.*?), IP = (\S+), )?Session disconnected\. Session Type: *(.*?), Duration: *(.*?), Bytes xmt: *\d+, Bytes rcv: *\d+, Reason: *(.*?)\.?\s*$`)

func (r *asaSyslogReader) ended() {
	if m := asaEnded.FindStringSubmatch(r.text); m != nil {
		if ch := r.channels[m[2]]; ch != nil {
			ch.ended = true
		}
		r.add(fact.ASASessionEnded, "group", m[1], "user", m[2], "public", m[3], "type", m[4], "duration", m[5], "reason", m[6], "phone", r.phone(m[2]))
	}
}

var asaLarge = compile(`large packet (\d+) \(threshold (\d+)\)`)

func (r *asaSyslogReader) session(m asa.Message) bool {
	c := r.who()
	if strings.Contains(r.text, "Session Type: Admin") { // of who manages the ASA in a browser
		r.clients.at(r.clients.elsewhere, asaWho(c.user, c.public))
		return true
	}
	r.here(0, c)
	switch m.ID {
	case 716023:
		r.limit("gateway")
	case 716039:
		r.failed(asaAccepted|asaSession, c, fact.ASALoginRefused, "user", c.user, "public", c.public, "number", "716039")
	case 716057:
		what := ""
		if _, rest, ok := strings.Cut(r.text, "no "); ok {
			what, _, _ = strings.Cut(rest, " license available")
		}
		r.failed(asaChannel, c, fact.ASALicenceRefused, "user", c.user, "licence", what)
	case 716060:
		r.failed(asaSession, c, fact.ASASessionLimit, "user", c.user, "whose", "licence")
	case 722020:
		r.failed(asaSession, c, fact.ASANoAddress, "group", c.group, "user", c.user)
	case 722041:
		r.add(fact.ASAEntered, "user", c.user, "group", c.group, "policy", c.policy, "phone", r.phone(c.user))
	case 722035, 722036:
		if m := asaLarge.FindStringSubmatch(r.text); m != nil {
			r.add(fact.ASALargePacket, "user", c.user, "size", m[1], "threshold", m[2])
		}
	case 716002, 722038:
		if _, why, ok := strings.Cut(r.text, ": "); ok {
			r.add(fact.ASASessionEnded, "user", c.user, "policy", c.policy, "reason", strings.TrimSuffix(why, "."), "phone", r.phone(c.user))
		}
	case 722037: // a tunnel of the session, which may come back
		if _, why, ok := strings.Cut(r.text, ": "); ok {
			r.failed(asaChannel, c, fact.ASASessionEnded, "user", c.user, "policy", c.policy, "type", "SSL", "reason", strings.TrimSuffix(why, "."), "phone", r.phone(c.user))
		}
	case 722022, 722032, 722033, 722034:
		step := asaChannel
		if strings.Contains(r.text, "UDP") {
			step |= asaDatagrams
		}
		r.here(step, c)
		if m.ID != 722032 {
			r.channel(c.user)
		}
	case 722043:
		r.failed(asaDatagrams, c, fact.ASANoDTLS, "user", c.user)
	case 722047, 722049:
		r.failed(asaChannel, c, fact.ASAClientsOff)
	case 722048, 722050:
		r.failed(asaChannel, c, fact.ASALoginRefused, "user", c.user, "policy", c.policy, "reason", "AnyConnect is not among the protocols of its group policy", "number", number(m))
	case 722051:
		r.assigned(c)
	case 722053, 722055:
		if strings.Contains(r.text, "IPPhone") {
			r.phones[c.user] = true
			r.here(asaSession, c)
			r.add(fact.ASAEntered, "user", c.user, "policy", c.policy, "phone", "true")
		}
	default:
		return slices.Contains(asaUsual, m.ID) || m.Severity >= asa.Notifications
	}
	return true
}

// asaUsual are messages that healthy sessions have with a severity up to 4. Others of that severity have causes which
// nothing here tells apart.
var asaUsual = []int{716001, 716002, 716038, 716052, 716058, 716059, 722010, 722011, 722012, 722022, 722023, 722028, 722031, 722032, 722033, 722034}

var asaAssigned = compile(`(?:IPv4 )?Address <?(\d+\.\d+\.\d+\.\d+)>?.* assigned to session`)

func (r *asaSyslogReader) assigned(c asaClient) {
	r.here(asaSession, c)
	if m := asaAssigned.FindStringSubmatch(r.text); m != nil {
		r.add(fact.ASAAddress, "user", c.user, "address", m[1], "public", c.public, "phone", r.phone(c.user))
	}
}

var asaCertificateEnds = compile(`certificate in the trustpoint (\S+) (?:is due to expire in (\d+) days|has expired)`)

func (r *asaSyslogReader) certificate(m asa.Message) bool {
	switch m.ID {
	case 717009, 717027:
		return r.certificateRefused(m.ID == 717027)
	case 717038:
		group, _, _ := strings.Cut(r.after("Tunnel Group: "), ",")
		subject := asaSubject(r.text)
		r.add(fact.ASAEntered, "user", subject, "group", strings.TrimSuffix(group, "."), "phone", r.phone(subject))
	case 717054, 717055:
		if m := asaCertificateEnds.FindStringSubmatch(r.text); m != nil {
			ended := ""
			if m[2] == "" {
				ended = "true"
			}
			r.add(fact.ASACertificateEnds, "trustpoint", m[1], "days", m[2], "ended", ended, "kind", strings.TrimSpace(strings.TrimPrefix(r.text[:strings.Index(r.text, "certificate in")], "The ")))
		}
	case 717023:
		return false
	}
	return true
}

// certificateRefused takes a certificate that the ASA does not believe. It may be of a server that the ASA itself asks, or of
// a peer of IPsec; then it is no client's of the SSL VPN unless it is a phone's. That a chain fails follows from one of its
// certificates.
func (r *asaSyslogReader) certificateRefused(chain bool) bool {
	subject := asaSubject(r.text)
	if chain {
		subject, r.subject = cmp.Or(subject, r.subject), ""
	} else {
		r.subject = subject
	}
	if phone := asaPhone.MatchString(r.text) || asaPhone.MatchString(subject); !phone && r.talk != withClient {
		return r.talk != withIKE
	}
	_, reason, _ := strings.Cut(r.text, "failed validation. ")
	if reason == "" {
		_, reason, _ = strings.Cut(r.text, "validation failed. ")
	}
	r.failed(asaSession, asaClient{user: subject}, fact.ASACertificateRefused, "reason", strings.TrimSpace(reason), "subject", subject)
	return true
}

// asaSubject returns the common name of a subject in a message.
func asaSubject(text string) string {
	_, rest, ok := strings.Cut(text, "subject name: ")
	if !ok {
		return ""
	}
	for _, part := range strings.FieldsFunc(rest, func(r rune) bool { return r == ',' || r == '+' }) {
		if name, value, ok := strings.Cut(strings.TrimSpace(part), "="); ok && strings.EqualFold(name, "cn") {
			return strings.TrimRight(value, ". ")
		}
	}
	return ""
}

func (r *asaSyslogReader) tls(m asa.Message) bool {
	switch m.ID {
	case 725001:
		r.begins()
	case 725002:
		r.talk = withClient
	case 725014:
		if r.talk == withClient {
			r.tlsError()
		}
	case 725006:
		_, where, ok := strings.Cut(r.text, "client ")
		if ok && !asaOffice(where) {
			r.handshake("public", asaAddress(where))
		}
		r.talk = withClient
	case 725015:
		r.add(fact.ASACertificateRefused, "reason", "its key is longer than the ASA takes")
	}
	return true
}

// begins takes the beginning of a handshake.
func (r *asaSyslogReader) begins() {
	_, where, client := strings.Cut(r.text, "with client ")
	switch r.subject = ""; {
	case !client && strings.Contains(r.text, "with server "):
		r.talk = withServer
	case client && asaOffice(where):
		r.talk = withOffice
	default:
		r.talk = withClient
	}
}

// asaOffice reports whether somebody at INTERFACE:ADDRESS is not outside, where phones come from.
func asaOffice(where string) bool {
	name, _, ok := strings.Cut(where, ":")
	return ok && asaInner(asaAddress(where)) && !strings.Contains(strings.ToLower(name), "out")
}

// tlsError sorts an error of the TLS library.
func (r *asaSyslogReader) tlsError() {
	_, reason, _ := strings.Cut(r.text, "Reason: ")
	reason = strings.TrimSpace(reason)
	if reason == "" {
		return
	}
	if strings.Contains(reason, "peer did not return a certificate") || strings.Contains(reason, "no certificate returned") || strings.Contains(reason, "certificate verify failed") {
		r.add(fact.ASACertificateRefused, "reason", reason)
		return
	}
	r.handshake("reason", reason)
}

var (
	asaIPAA        = compile(`tunnel-group '?([^',]+)'?`)
	asaIPAASession = compile(`Session=(0x[0-9a-fA-F]+)`)
)

// address takes how addresses are looked for: at servers, by DHCP, in pools, one after the other. What another one had is no
// failure. Clients of L2TP and IPsec without a group of their own get theirs in the same way.
func (r *asaSyslogReader) address(m asa.Message) bool {
	group, session := "", ""
	if found := asaIPAA.FindStringSubmatch(r.text); found != nil {
		group = found[1]
	}
	if found := asaIPAASession.FindStringSubmatch(r.text); found != nil {
		session = found[1]
	}
	reason := ""
	switch m.ID {
	case 737005, 737006, 737010, 737017, 737026:
		r.clients.got(asaAddressed, session, "")
		return true
	case 737007, 737019:
		reason = "pool"
	case 737003, 737004:
		reason = "dhcp"
	case 737012:
		reason = "unsaid"
	case 737034:
		if !strings.Contains(r.text, "IPv4 address: no ") {
			return true
		}
	default:
		return true
	}
	if group == "DefaultRAGroup" {
		return true
	}
	line := r.line
	r.clients.wait(asaAddressed, session, "", func(then string) {
		if then == "" {
			r.line = line
			r.add(fact.ASANoAddress, "group", group, "reason", reason)
		}
	})
	return true
}

var (
	asaPacket = compile(`(?i)(tcp|udp|icmp|protocol \d+)`)
	asaPlace  = compile(`(?:([A-Za-z][\w.-]*)[:/])?(\d+\.\d+\.\d+\.\d+)(?:[/(](\d+)\)?)?`)
	asaList   = compile(`(?:access-group|access-list) "?([^" ]+)"?`)
)

// asaEnd is where a packet came from, or went to: interface and port where they are told.
type asaEnd struct{ on, address, port string }

// asaEnds returns both ends of a packet; nil: the message does not tell them.
func asaEnds(text string) []asaEnd {
	found := asaPlace.FindAllStringSubmatch(text, 2)
	if len(found) < 2 {
		return nil
	}
	return []asaEnd{{found[0][1], found[0][2], found[0][3]}, {found[1][1], found[1][2], found[1][3]}}
}

func asaAddress(text string) string {
	if m := asaPlace.FindStringSubmatch(text); m != nil {
		return m[2]
	}
	return ""
}

// denied takes a packet that was dropped by a list; own: it was for the ASA itself.
func (r *asaSyslogReader) denied(own bool) {
	ends := asaEnds(r.text)
	if ends == nil || !strings.Contains(strings.ToLower(r.text), "den") {
		return
	}
	from, to, protocol := ends[0], ends[1], strings.ToLower(asaPacket.FindString(r.text))
	if inner := asaInner(from.address) && asaInner(to.address); !inner && (protocol != "udp" || to.port != "443" || asaInner(from.address)) {
		return // neither of phones in tunnels, nor DTLS on its way in
	}
	list, itself := "", ""
	if m := asaList.FindStringSubmatch(r.text); m != nil {
		list = m[1]
	}
	if own {
		itself = "true"
	}
	r.add(fact.ASADenied, "protocol", protocol, "from", from.address, "on", from.on, "to", to.address, "port", to.port, "list", list, "own", itself)
}

// asaInner reports whether an address is of a private network: packets from and to the Internet are no phones' in a
// tunnel.
func asaInner(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && a.IsPrivate()
}

// unknown keeps errors of the parts that serve VPN, so that nobody takes a log with them for healthy.
func (r *asaSyslogReader) unknown(m asa.Message) {
	r.add(fact.ASATrouble, "number", number(m), "text", m.Text)
}

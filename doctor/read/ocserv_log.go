package read

import (
	"maps"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// ocserv's log: docs/wire/gateway-logs.md#ocserv. In the foreground it begins with ocserv[PID]:, from syslog the daemon
// puts a time before that.
var (
	ocservPart    = compile(`(?:^|\s)(?:(ocserv(?:-[a-z]+)?)(?:\[(\d+)\])?: )?(main|worker|sec-mod|plain-auth|radius-auth|pam-auth)(?:\[([^\]]*)\])?: ?`)
	ocservGnuTLS  = compile(`(?:^|ocserv[^ ]*: )GnuTLS error \(at worker[\w.-]*:\d+\): (.*)$`)
	ocservPlace   = compile(`^[\w-]+\.c:\d+: `)
	ocservNoURL   = compile(`^unexpected (?:POST )?URL (\S+)`)
	ocservBegins  = compile(`^using '[^']*' authentication to authenticate user \(session: ([^)]*)\)`)
	ocservSession = compile(`^initiating session for user '[^']*' \(session: ([^)]*)\)`)
	ocservPAM     = compile(`\bPAM-auth pam_auth_pass: (Authentication failure|User not known to the underlying authentication module|Permission denied|User account has expired)`)
	ocservEmpty   = compile(`^user disconnected \(reason: unspecified error, rx: 0, tx: 0\)`)
	ocservListen  = compile(`^listening \((TCP|UDP)\) on (\S+?)\.\.\.$`)
	ocservError   = compile(`^(?:error: (?:vhost:\S+: )?(config file error in line \d+.*|cannot (?:open|load|access).*|the '[\w-]+' .*configuration options? must be specified!|no ipv4-network or ipv6-network options set\.|unknown or unsupported auth method.*)|((?i:no mask found for IPv[46] network)\.))$`)
)

var ocservPhrases = phrasesOf(
	says(`^user (?:of group '[^']*' )?logged in$`, fact.OcservLogin),
	says(`^sending IPv4 (?P<address>[\d.]+)$`, fact.OcservAddress),
	says(`^Unknown client \((?P<agent>.*)\)$`, fact.OcservUnknownClient),
	says(`^failed authentication for '(?P<user>[^']*)'`, fact.OcservLoginRefused),
	says(`^(?:radius-auth: )?error authenticating user '(?P<user>[^']*)'`, fact.OcservLoginRefused),
	says(`^(?:error in|no) password given in auth cont for user '(?P<user>[^']*)'`, fact.OcservLoginRefused),
	says(`PAM (?:authenticate|acct-mgmt) error for '(?P<user>[^']*)': (?P<reason>.*)`, fact.OcservLoginRefused),
	says(`^initiating session for user '(?P<user>[^']*)'`, fact.AAAAccepted, "program", "ocserv"),
	says(`^(?P<reason>OTP auth failed) for '(?P<user>[^']*)'`, fact.OcservLoginRefused),
	says(`^user '(?P<user>[^']*)' (?P<reason>requested group '[^']*' but is not a member)`, fact.OcservLoginRefused),
	says(`^rejected connection from banned IP: (?P<address>\S+)`, fact.OcservBanned),
	says(`^added IP '(?P<address>[^']+)' \(with score \d+\) to ban list`, fact.OcservBanned),
	says(`^could not figure out a valid IPv4 IP|^no networks are configured; rejecting client|Cannot obtain lease$|^there is no IPv4 network assigned`, fact.OcservNoLease),
	says(`^user tried to connect more than (?P<limit>\d+) times`, fact.OcservTooMany),
	says(`^reached maximum client limit \(active: (?P<limit>\d+)\)`, fact.OcservTooMany),
	says(`^no certificate provided for (?:cookie )?authentication`, fact.OcservCertificateRefused, "reason", "it shows none"),
	says(`^no certificate was found$`, fact.OcservNoCertificate),
	says(`^client certificate verification failed: (?P<reason>.*)`, fact.OcservCertificateRefused),
	says(`^error verifying client certificate: (?P<reason>.*)`, fact.OcservCertificateRefused),
	says(`^(?P<reason>the certificate's DN does not contain OID [\d.]+)`, fact.OcservCertificateRefused),
	says(`^(?P<reason>cannot (?:obtain|read) user ?name from certificate[^;]*)`, fact.OcservCertificateRefused),
	says(`^user '?(?P<user>[^' ]*)'? \(session: [^)]*\) (?P<reason>presented (?:no certificate|a certificate which is for user '[^']*'))`, fact.OcservCertificateRefused),
	says(`^session timeout reached for process \((?P<after>\d+) secs\)`, fact.OcservEnded, "reason", "session timeout"),
	says(`^idle timeout reached for process \((?P<after>\d+) secs\)`, fact.OcservEnded, "reason", "idle timeout"),
	says(`^user disconnected \(reason: (?P<reason>session timeout|idle timeout|DPD timeout)`, fact.OcservEnded),
	says(`^(?:connection timeout \(DPD\); tearing down connection|have not received TCP DPD for long)`, fact.OcservEnded, "reason", "DPD timeout"),
	says(`^have not received (?:any )?UDP message or DPD for`, fact.OcservUDPLost),
	says(`unexpected DTLS content type: \d+; possibly a firewall disassociated a UDP session`, fact.OcservUDPLost),
	says(`^error in DTLS handshake: (?P<reason>.*)`, fact.OcservDTLSFailed),
	says(`^(?P<reason>no DTLS ciphersuite negotiated)`, fact.OcservDTLSFailed),
	says(`^(?P<reason>could not set TLS priority: '[^']*(?:PSK|DTLS)[^']*': .*)`, fact.OcservDTLSFailed),
	says(`^CISCO client compatibility \(dtls-legacy\) is disabled; will not setup a DTLS session`, fact.OcservDTLSOff),
	says(`^failed cookie authentication attempt`, fact.OcservRefused),
	says(`(?i)/dev/net/tun|\bTUNSETIFF\b|cannot open (?:/dev/net/)?tun|failed to (?:open|create) tun`, fact.OcservRefused),
)

var _ = recognise(Recogniser{
	Format: "ocserv's log", Platform: finding.Ocserv,
	Marks: []string{
		"main:", "main[", "worker:", "worker[", "sec-mod:", "sec-mod[", "plain-auth", "radius-auth", "pam-auth", "listening (", "already in use",
		"gnutls", "error: ", "note: ", "no mask found",
	},
	Alone: true,
	New: func(in *fact.Input) Reader {
		return &ocservLog{in: in, workers: map[string]*ocservWorker{}, begun: map[string]Line{}, empty: map[string]Line{}}
	},
})

// ocservWorker is one session while its lines are read.
type ocservWorker struct {
	agent     string
	user      string
	promised  Line // the line that named a DTLS cipher; none: Number is 0
	connected bool // by UDP
	lived     bool // long enough that something should have come: it sent signs of life or statistics
}

// ocservWaiting is what failed of a session's DTLS, until it is told. A client tries again.
type ocservWaiting struct {
	pid  string
	tell func()
}

// maxOcservWorkers bounds how many sessions are followed at a time; a log where more are open tells enough by the first.
const maxOcservWorkers = 4096

type ocservLog struct {
	in        *fact.Input
	workers   map[string]*ocservWorker // by pid
	listening string
	begun     map[string]Line // logins, by session
	empty     map[string]Line // by user with a session: where it ended with nothing in it; Number is 0: it has not
	came      bool            // somebody got a session
	silent    string          // the process whose login was not answered last
	waits     []ocservWaiting // what DTLS has not overcome yet
}

func (r *ocservLog) Line(l Line) bool {
	if m := ocservListen.FindStringSubmatch(l.Text); m != nil {
		r.listening = m[2] + " by " + m[1]
		return true
	}
	if l.Text == "bind() failed: Address already in use" {
		r.in.Add(fact.OcservPortTaken, l.Number, l.Text, l.Time, "address", r.listening)
		return true
	}
	if m := ocservError.FindStringSubmatch(l.Text); m != nil {
		r.in.Add(fact.OcservNotStarted, l.Number, l.Text, l.Time, "reason", m[1]+m[2])
		return true
	}
	if m := ocservGnuTLS.FindStringSubmatch(l.Raw); m != nil {
		r.in.Add(fact.OcservTLSFailed, l.Number, l.Raw, l.Time, "reason", strings.TrimSuffix(m[1], "."))
		return true
	}
	if m := ocservPAM.FindStringSubmatch(l.Raw); m != nil {
		r.in.Add(fact.OcservLoginRefused, l.Number, l.Raw, l.Time, "reason", m[1])
		return true
	}
	m := ocservPart.FindStringSubmatchIndex(l.Raw)
	if m == nil {
		return strings.HasPrefix(l.Text, "note: vhost:") || strings.HasPrefix(l.Text, "note: setting 'file' as supplemental")
	}
	ours, pid, user := m[2] >= 0 || l.Program == "ocserv", group(l.Raw, m, 2), group(l.Raw, m, 4)
	client, message := ocservClient(l.Raw[m[1]:])
	message = ocservPlace.ReplaceAllString(message, "")
	r.follow(pid, user, message, l)
	r.login(message, l)
	r.session(user, message, l)
	if pid == "" && !ours && !r.known(message) {
		return false
	}
	switch { // who does not answer has not refused
	case strings.HasPrefix(message, "error receiving auth reply message"):
		r.silent = pid
		r.in.Add(fact.AAANoAnswer, l.Number, l.Raw, l.Time, "reason", "ocserv has waited for it in vain")
		return true
	case pid != "" && r.silent == pid && strings.HasPrefix(message, "failed authentication for '"):
		return true
	}
	var more []string
	if user != "" {
		more = append(more, "user", user)
	}
	if client != "" {
		more = append(more, "client", client)
	}
	if u := ocservNoURL.FindStringSubmatch(message); u != nil {
		more = append(more, "url", u[1])
		if w := r.workers[pid]; w != nil && w.agent != "" {
			more = append(more, "agent", w.agent)
		}
		r.in.Add(fact.OcservUnknownURL, l.Number, l.Raw, l.Time, more...)
		return true
	}
	if strings.HasPrefix(message, "DTLS handshake completed") {
		r.waits = slices.DeleteFunc(r.waits, func(w ocservWaiting) bool { return w.pid == pid })
	}
	p, groups := ocservPhrases.of(message)
	switch {
	case p == nil:
		return ours
	case (p.tells == fact.OcservDTLSFailed || p.tells == fact.OcservUDPLost) && pid != "":
		r.in.Mind(l.Number)
		if len(r.waits) < maxWaiting {
			r.waits = append(r.waits, ocservWaiting{pid, func() { p.tell(r.in, groups, l, more...) }})
		}
	default:
		p.tell(r.in, groups, l, more...)
	}
	return true
}

// group is a group of a match by index; empty: it is not there.
func group(text string, match []int, n int) string {
	if match[2*n] < 0 {
		return ""
	}
	return text[match[2*n]:match[2*n+1]]
}

// ocservClient takes the client's address, of which some lines name the port, too, off a message that begins with it.
func ocservClient(message string) (client, rest string) {
	n, parted := 0, false
	for n < len(message) {
		c := message[n]
		if c == ':' || c == '.' {
			parted = true
		} else if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			break
		}
		n++
	}
	rest = strings.TrimLeft(message[n:], " ")
	if !parted || len(rest) == len(message)-n {
		return "", message
	}
	if client = message[:n]; strings.Count(client, ":") == 1 {
		client, _, _ = strings.Cut(client, ":")
	}
	return client, rest
}

func (r *ocservLog) known(message string) bool {
	if p, _ := ocservPhrases.of(message); p != nil {
		return true
	}
	return ocservNoURL.MatchString(message)
}

// follow keeps what later lines of the same process are about.
func (r *ocservLog) follow(pid, user, message string, l Line) {
	if pid == "" {
		return
	}
	w := r.workers[pid]
	if w == nil {
		agent := strings.HasPrefix(message, "User-agent: '")
		if !agent && !strings.HasPrefix(message, "DTLS ciphersuite: ") || len(r.workers) >= maxOcservWorkers {
			return
		}
		w = &ocservWorker{}
		r.workers[pid] = w
	}
	switch {
	case strings.HasPrefix(message, "User-agent: '"):
		w.agent = strings.Trim(strings.TrimPrefix(message, "User-agent: "), "'")
	case strings.HasPrefix(message, "DTLS ciphersuite: "):
		w.promised, w.user = l, user
	case strings.HasPrefix(message, "setting up ") && strings.HasSuffix(message, " connection"), strings.HasPrefix(message, "DTLS handshake completed"):
		w.connected = true
	case strings.HasPrefix(message, "sent periodic stats"), strings.HasPrefix(message, "received BYE packet"):
		w.lived = true
		if strings.HasPrefix(message, "sent periodic stats") {
			r.close(pid)
		}
	}
}

// close says what can be said of a session's DTLS. A phone says hello by UDP at once, so a session that went on to its
// statistics without any has none.
func (r *ocservLog) close(pid string) {
	w := r.workers[pid]
	if w == nil || !w.lived || w.promised.Number == 0 {
		return
	}
	if !w.connected {
		r.in.Add(fact.OcservNoUDP, w.promised.Number, w.promised.Raw, w.promised.Time, "user", w.user)
	}
	delete(r.workers, pid)
}

// login keeps which logins began. ocserv does not say that a password was wrong before it gives up on a client.
func (r *ocservLog) login(message string, l Line) {
	if m := ocservBegins.FindStringSubmatch(message); m != nil && len(r.begun) < maxOcservWorkers {
		r.begun[m[1]] = l
	} else if m := ocservSession.FindStringSubmatch(message); m != nil {
		delete(r.begun, m[1])
	}
	r.came = r.came || ocservLoggedIn(message)
}

// session keeps whose last session was for nothing.
func (r *ocservLog) session(user, message string, l Line) {
	_, has := r.empty[user]
	switch {
	case user == "":
	case ocservLoggedIn(message) && (has || len(r.empty) < maxOcservWorkers):
		r.empty[user] = Line{}
	case has && ocservEmpty.MatchString(message):
		r.empty[user] = l
	}
}

func ocservLoggedIn(message string) bool {
	return strings.HasPrefix(message, "user ") && strings.HasSuffix(message, " logged in")
}

// End tells what was not overcome, and of logins that came to nothing, where nobody came in.
func (r *ocservLog) End() {
	for _, w := range r.waits {
		w.tell()
	}
	for _, user := range slices.Sorted(maps.Keys(r.empty)) {
		if l := r.empty[user]; l.Number > 0 {
			r.in.Add(fact.OcservEmpty, l.Number, l.Raw, l.Time, "user", user)
		}
	}
	if r.came {
		return
	}
	var first Line // one is enough
	for _, l := range r.begun {
		if first.Number == 0 || l.Number < first.Number {
			first = l
		}
	}
	if first.Number > 0 {
		r.in.Add(fact.OcservLoginOpen, first.Number, first.Raw, first.Time)
	}
}

package read

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// Logs of TFTP servers: docs/wire/gateway-logs.md#file-servers.
var (
	tftpdAsked   = compile(`(?:^|(?:in\.)?tftpd(?:\[\d+\])?: )RRQ from (?P<client>\S+) filename (?P<name>.+?)(?: remapped to .*)?$`)
	tftpdNAK     = compile(`(?:in\.)?tftpd(?:\[\d+\])?: (?:tftpd: )?sending NAK \((?P<code>\d+), (?P<reason>[^)]*)\) to (?P<client>\S+)`)
	tftpdDone    = compile(`(?:^|(?:in\.)?tftpd(?:\[\d+\])?: )Client (?P<client>\S+) (?:(?P<done>finished)|(?P<none>File not found)|(?P<slow>timed out)) ?(?P<name>.*)$`)
	tftpdUnit    = compile(`systemd\[\d+\]: (?:(?P<down>in\.tftpd|tftpd-hpa|a?tftpd|tftp)\.(?:service|socket): Failed with result|Started (?:in\.tftpd|tftpd-hpa|a?tftpd|tftp)\.(?:service|socket))`)
	tftpdGone    = compile(`(?:in\.)?tftpd(?:\[\d+\])?: tftpd: read(?:\(ack\))?: `)
	atftpdLine   = compile(`atftpd\[[\d.]+\]: +(.*)$`)
	atftpdServes = compile(`^Serving (?P<name>.+) to (?P<client>[^\s:]+):\d+$`)
	dnsmasqTFTP  = compile(`dnsmasq-tftp(?:\[\d+\])?: (.*)$`)
	dnsmasqSent  = compile(`^(?:sent (?P<name>.+) to (?P<client>\S+)|(?P<german>.+) an (?P<to>\S+) verschickt)$`)
	dnsmasqNone  = compile(`^(?:error 1 )?(?:file|Datei) (?P<name>.+) (?:not found|nicht gefunden)(?: (?:for|für) (?P<client>\S+))?$`)
	dnsmasqFails = compile(`^(?:failed sending (?P<name>.+) to (?P<client>\S+)|error 0 .*(?:timeout|Timeout).*)$`)
	dnsmasqDeny  = compile(`^cannot (?:access|read) (?P<name>.+): (?P<reason>.+)$`)
	tftpd32Sent  = compile(`^\s*<(?P<name>[^>]+)>: sent \d+ blks`)
	iosSent      = compile(`\bTFTP: (?:(Looking for)|Opened|(Finished)) ([^\s,]+)`)
	dnsmasqRoot  = compile(`\bdnsmasq(?:\[\d+\])?: TFTP directory (.+) inaccessible: (.+)$`)
	dnsmasqRuns  = compile(`\bdnsmasq(?:\[\d+\])?: started, version `)
	webAccess    = compile(`^(\S+) \S+ \S+ \[[^\]]*\] "GET \S*/([^/ ?]+)(?:\?\S*)? HTTP/[\d.]+" (\d{3})\b`)
	// Other servers and analysers: a phone's file in a sentence that says that it is not there. inferred
	anyMissing = compile(`(?i)\b((?:SEP[0-9A-F]{12}(?:\.cnf\.xml)?|XMLDefault\.cnf\.xml)(?:\.enc)?(?:\.sgn)?)\b[^,;]*\b(?:not found|no such file|does not exist|cannot find the file)\b[^,;]*$`)
	phoneFile  = compile(`^(?:SEP|CTLSEP|ITLSEP)[0-9A-Fa-f]{12}|^(?:XMLDefault|CTLFile|ITLFile)|\.loads$`)
	anyClient  = compile(`\b(\d{1,3}(?:\.\d{1,3}){3})\b`)
)

var _ = recognise(Recogniser{
	Format: "log of a TFTP server",
	Marks: []string{
		"rrq", "tftp", "nak", "not found", "n't found", "cannot find", "such file", "does not exist", "failed sending", "sent ", "serving",
		"error 0 ", "cannot ", "\"get ", "inaccessible", "started, version",
	},
	Alone: true,
	New: func(in *fact.Input) Reader {
		return &fileServer{in: in, asked: map[string]string{}, sought: map[string]bool{}, broken: map[string]Line{}}
	},
})

// maxAsked bounds how many clients' last requests are remembered.
const maxAsked = 4096

type fileServer struct {
	in     *fact.Input
	asked  map[string]string // client to the name that it asked for last
	serves struct{ name, client string }
	broken map[string]Line // name and client of transfers that have not come to their end
	down   *Line           // where the service has not started; nil: it has, or nothing says so
	unit   string          // that has not
	sought map[string]bool // what an IOS router has looked for and not opened
}

// Numbers of TFTP's errors.
const (
	tftpNotFound = "1"
	tftpDenied   = "2"
)

// broke notes a transfer that has not come to its end. A client that asks again may get the file yet.
func (r *fileServer) broke(l Line, name, client string) {
	if len(r.broken) < maxAsked {
		r.broken[baseOf(name)+" "+client] = l
	}
}

// baseOf takes folders and quotes off a file's name.
func baseOf(name string) string {
	return path.Base(strings.ReplaceAll(strings.Trim(name, `"'`), `\`, "/"))
}

func (r *fileServer) tell(kind fact.Kind, l Line, name, client string, more ...string) {
	name = baseOf(name)
	if kind == fact.FileSent {
		delete(r.broken, name+" "+client)
	}
	values := append([]string{"name", name}, more...)
	if client != "" {
		values = append(values, "client", client)
	}
	r.in.Add(kind, l.Number, l.Raw, l.Time, values...)
}

func (r *fileServer) Line(l Line) bool {
	if m := tftpdAsked.FindStringSubmatch(l.Raw); m != nil {
		r.down = nil // it runs
		if before, ok := r.asked[m[1]]; ok && before != m[2] {
			r.tell(fact.FileHeld, l, before, m[1]) // it was not refused, and its client goes on
		}
		if len(r.asked) < maxAsked {
			r.asked[m[1]] = m[2]
		}
		return true
	}
	if m := tftpdNAK.FindStringSubmatch(l.Raw); m != nil {
		name := r.asked[m[3]]
		switch {
		case name == "":
		case m[1] == tftpNotFound:
			r.tell(fact.FileMissing, l, name, m[3], "reason", m[2])
		case m[1] == tftpDenied:
			r.tell(fact.FileDenied, l, name, m[3], "reason", m[2])
		default: // an option that it does not know, or a client that has gone
			r.broke(l, name, m[3])
		}
		delete(r.asked, m[3])
		return true
	}
	if m := tftpdDone.FindStringSubmatch(l.Raw); m != nil {
		r.done(m, l)
		return true
	}
	if tftpdGone.MatchString(l.Raw) {
		return true
	}
	if m := tftpdUnit.FindStringSubmatch(l.Raw); m != nil {
		r.down, r.unit = nil, m[1]
		if m[1] != "" {
			r.down = &l
		}
		return true
	}
	if m := atftpdLine.FindStringSubmatch(l.Raw); m != nil {
		r.down = nil
		r.atftpd(m[1], l)
		return true
	}
	if m := dnsmasqTFTP.FindStringSubmatch(l.Raw); m != nil {
		r.down = nil
		r.dnsmasq(m[1], l)
		return true
	}
	if m := tftpd32Sent.FindStringSubmatch(l.Raw); m != nil {
		r.tell(fact.FileSent, l, m[1], "")
		return true
	}
	if m := iosSent.FindStringSubmatch(l.Raw); m != nil {
		r.ios(m, l)
		return true
	}
	if m := dnsmasqRoot.FindStringSubmatch(l.Raw); m != nil {
		r.down, r.unit = &l, "dnsmasq, which cannot open "+m[1]+" ("+m[2]+"),"
		return true
	}
	if dnsmasqRuns.MatchString(l.Raw) {
		r.down = nil
		return true
	}
	if m := webAccessOf(l.Raw); m != nil {
		kinds := map[string]fact.Kind{"200": fact.FileSent, "404": fact.FileMissing, "403": fact.FileDenied}
		if kind := kinds[m[3]]; kind != "" {
			r.tell(kind, l, m[2], m[1])
		}
		return true
	}
	if m := anyMissing.FindStringSubmatch(l.Raw); m != nil {
		r.tell(fact.FileMissing, l, m[1], anyClient.FindString(l.Text))
		return true
	}
	return false
}

// ios reads what a router looks for, and whether it has that: what it looks for again was not there.
func (r *fileServer) ios(m []string, l Line) {
	name := path.Base(strings.ReplaceAll(m[3], ":", "/"))
	switch {
	case m[1] == "":
		delete(r.sought, name)
		if m[2] != "" {
			r.tell(fact.FileSent, l, name, "")
		}
	case r.sought[name]:
		r.tell(fact.FileMissing, l, name, "")
	case len(r.sought) < maxAsked:
		r.sought[name] = true
	}
}

// done reads how a transfer ended, as newer versions of tftpd-hpa say it. They cut names as their rules for remapping do.
func (r *fileServer) done(m []string, l Line) {
	client, name := m[1], m[5]
	if asked := r.asked[client]; asked != "" {
		name = asked
		delete(r.asked, client)
	}
	switch {
	case name == "":
	case m[2] != "":
		r.tell(fact.FileSent, l, name, client)
	case m[3] != "":
		r.tell(fact.FileMissing, l, name, client)
	default:
		r.broke(l, name, client)
	}
}

// webAccessOf takes a line of a web server's log apart, if it is about a phone's file.
func webAccessOf(line string) []string {
	if !phoneFile.may(line) {
		return nil
	}
	if m := webAccess.FindStringSubmatch(line); m != nil && phoneFile.MatchString(m[2]) {
		return m
	}
	return nil
}

func (r *fileServer) atftpd(message string, l Line) {
	if m := atftpdServes.FindStringSubmatch(message); m != nil {
		r.serves.name, r.serves.client = m[1], m[2]
		return
	}
	switch {
	case r.serves.name == "":
	case message == "End of transfer":
		r.tell(fact.FileSent, l, r.serves.name, r.serves.client)
	case strings.HasPrefix(message, "File ") && strings.HasSuffix(message, " not found"):
		r.tell(fact.FileMissing, l, r.serves.name, r.serves.client)
	case strings.HasSuffix(message, "are forbidden"):
		r.tell(fact.FileDenied, l, r.serves.name, r.serves.client, "reason", message)
	case strings.HasPrefix(message, "timeout: retrying"), strings.HasPrefix(message, "client (") && strings.HasSuffix(message, "not responding"):
		r.broke(l, r.serves.name, r.serves.client)
	}
}

func (r *fileServer) dnsmasq(message string, l Line) {
	if m := dnsmasqSent.FindStringSubmatch(message); m != nil {
		r.tell(fact.FileSent, l, m[1]+m[3], m[2]+m[4])
	} else if m := dnsmasqNone.FindStringSubmatch(message); m != nil {
		r.tell(fact.FileMissing, l, m[1], m[2])
	} else if m := dnsmasqFails.FindStringSubmatch(message); m != nil {
		r.broke(l, m[1], m[2])
	} else if m := dnsmasqDeny.FindStringSubmatch(message); m != nil {
		r.tell(fact.FileDenied, l, m[1], "", "reason", m[2])
	}
}

func (r *fileServer) End() {
	for _, key := range slices.Sorted(maps.Keys(r.broken)) {
		name, client, _ := strings.Cut(key, " ")
		r.tell(fact.FileBroken, r.broken[key], name, client)
	}
	if l := r.down; l != nil {
		r.in.Add(fact.FileServerDown, l.Number, l.Raw, l.Time, "program", r.unit)
	}
}

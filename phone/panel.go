package phone

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/wire/phoneweb"
)

// panel is what the phone shows of its life on its web pages, gathered from its events.
type panel struct {
	style  phoneweb.Style
	device string // device name

	mu         sync.Mutex
	status     []phoneweb.Status // the newest last
	console    []string
	sequence   int
	session    *Session
	address    string // own, at the last registration
	registered bool
	call       *Call
	media      *Media // of the last call
}

// maxConsole is how many lines of the console log are kept.
const maxConsole = 2000

// note takes an event and returns the lines that it adds to the console log.
func (p *panel) note(e Event) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := len(p.console)
	switch {
	case e.Event == "step" && e.Step == stage.Provision && e.OK:
		p.say(e.Time, "", p.device+".cnf.xml")
		p.log(e.Time, "INF", "dgetfile(1)", "XXTP complete - status = 100")
	case e.Event == "step" && e.Step == stage.Tunnel && !e.OK:
		p.session = nil
		p.log(e.Time, "NOT", "VPNC", "vpn_stop: de-activating vpn")
	case e.Load != nil && !e.OK:
		p.say(e.Time, e.Detail, e.Load.Missed)
	case e.Load != nil:
		p.say(e.Time, "", provision.LoadFile(e.Load.Name))
	case e.Event == "status":
		p.say(e.Time, e.Detail, "")
	case e.Event == "order" && e.Order.Action != "check-version":
		p.say(e.Time, phoneweb.StatusRestart, "")
	case e.Session != nil:
		p.joined(e)
	case e.Event == "registered":
		p.registered = e.OK
	case e.Call != nil:
		p.call = e.Call
	case e.Media != nil:
		p.media = e.Media
	case e.Finding != nil:
		p.found(e)
	}
	added := append([]string{}, p.console[before:]...)
	if over := len(p.console) - maxConsole; over > 0 {
		p.console = p.console[over:]
	}
	return added
}

// joined tells of a login: what phones write when they believe a gateway's certificate.
func (p *panel) joined(e Event) {
	fresh := p.session == nil || p.session.InnerAddress != e.Session.InnerAddress
	p.session = e.Session
	if !fresh {
		return
	}
	p.log(e.Time, "INF", "SECD", "Leaf cert hash = "+e.Session.CertificateSHA1)
	p.log(e.Time, "NOT", "SECD", "Hash was found in the trust list")
	p.log(e.Time, "NOT", "VPNC", "VPN cert chain trusted")
}

// troubles are what phones write when a step fails, by finding.
var troubles = map[string][]string{
	finding.CertificateHashMismatch.Code: {
		"VPN cert chain verification failed, issuer certificate not found and leaf not trusted",
		"alert_err: SSL write alert: code 48, unknown CA",
		"create_ssl_connection: SSL setup failure",
		"vpnc_send_notify: notify type: 1 [LoginFailed]",
	},
	finding.GroupURLMismatch.Code: {"'webvpn=' not found in cookie", "vpnc_send_notify: notify type: 1 [LoginFailed]"},
	finding.LoginRefused.Code:     {"set_login_state: LOGIN: 1 (TRYING) --> 3 (FAILED)", "vpnc_send_notify: notify type: 1 [LoginFailed]"},
}

func (p *panel) found(e Event) {
	file := p.device + ".cnf.xml"
	switch e.Finding.Code {
	case finding.TFTPUnreachable.Code:
		p.say(e.Time, phoneweb.StatusTFTPTimeout, file)
	case finding.TFTPFileMissing.Code:
		p.say(e.Time, phoneweb.StatusFileNotFound, file)
	case finding.ConfigInvalid.Code:
		p.say(e.Time, phoneweb.StatusTFTPError, file)
	case finding.RegistrationRefused.Code, finding.RegistrationUnreachable.Code, finding.RegistrationTLS.Code:
		p.registered = false
	}
	for _, text := range troubles[e.Finding.Code] {
		p.log(e.Time, "ERR", "VPNC", text)
	}
}

func (p *panel) say(at time.Time, text, file string) {
	p.status = append(p.status, phoneweb.Status{Time: phoneweb.StatusTime(at), Text: text, File: file})
	if over := len(p.status) - phoneweb.MaxStatus; over > 0 {
		p.status = p.status[over:]
	}
}

func (p *panel) log(at time.Time, severity, task, text string) {
	p.sequence++
	p.console = append(p.console, p.style.Console(phoneweb.Line{Sequence: p.sequence, Severity: severity, Time: at, Task: task, Text: text}))
}

// at remembers the phone's own address.
func (p *panel) at(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.address = address
}

// shown is a copy of what is on the panel.
type shown struct {
	status     []string
	console    []string
	address    string
	registered bool
	call       *Call
	media      Media
}

func (p *panel) show() shown {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := shown{console: append([]string{}, p.console...), address: p.address, registered: p.registered, call: p.call}
	for _, message := range p.status {
		s.status = append(s.status, message.String())
	}
	if p.session != nil {
		s.address = p.session.InnerAddress
	}
	if p.media != nil {
		s.media = *p.media
	}
	return s
}

// streamed says whether there is a call, in the words of the statistics page.
func (s shown) streamed() string {
	if s.call != nil && (s.call.State == "answered" || s.call.State == "ringing") {
		return "Active"
	}
	return "Not ready"
}

func jitter(m Media) string { return fmt.Sprint(int(m.JitterMS + 0.5)) }

func mos(m Media) string { return strings.TrimSuffix(fmt.Sprintf("%.4f", m.MOS), "0") }

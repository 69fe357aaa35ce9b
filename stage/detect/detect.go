// Package detect decides whether a phone is inside or outside, from pings to its TFTP servers and, where
// a mere answer is not enough, from a file that only the office's own server can have.
//
// A strange network may hand out a TFTP server that answers pings, or use the office's addresses for
// something else. A phone that believes the ping then never starts its VPN. In the mode Proof an answer
// counts only when the same server also serves this phone's own file with a certificate hash that the
// phone has stored. PingOnly does what phones do.
//
//	pinging ── answer, PingOnly ─────────────── Inside
//	   │    └─ answer, Proof ── proving ── yes ─ Inside
//	   │                          └─ no ── pinging
//	   └─ three pings to each, no (further) answer ── Outside
//
// Number and spacing of pings are inferred: no source states them; see docs/wire/phone-files.md#network-detection.
package detect

import (
	"fmt"
	"slices"
	"time"

	"github.com/longcord/longcord/wire/cnf"
)

// Pings and the time after each in which an answer counts.
const (
	pings   = 3
	spacing = time.Second
)

// Mode says what counts as inside.
type Mode int

// The modes. Proof is the zero value.
const (
	Proof    Mode = iota // a server answers and proves that it is the office's
	PingOnly             // a server answers
)

// Verdict is where the phone is. The zero value is no verdict yet.
type Verdict int

// The verdicts.
const (
	Inside Verdict = iota + 1
	Outside
)

// String returns the verdict as a word.
func (v Verdict) String() string {
	switch v {
	case Inside:
		return "inside"
	case Outside:
		return "outside"
	}
	return fmt.Sprintf("verdict %d", int(v))
}

// Reason says what a verdict rests on.
type Reason int

// The reasons.
const (
	Answered Reason = iota + 1 // inside: a ping was answered, and that is enough in this mode
	Proven                     // inside: a server served this phone's file
	NoAnswer                   // outside: no ping was answered
	Foreign                    // outside: pings were answered, by a server that is not this phone's
)

// String returns the reason in words.
func (r Reason) String() string {
	switch r {
	case Answered:
		return "its TFTP server answers pings"
	case Proven:
		return "its TFTP server serves the phone's own file"
	case NoAnswer:
		return "its TFTP server does not answer pings"
	case Foreign:
		return "what answers pings is not the phone's own TFTP server"
	}
	return fmt.Sprintf("reason %d", int(r))
}

// Action is what a detection wants done: Ping, Fetch or Decided.
type Action interface{ isAction() }

// Ping asks for one echo request. An answer is told by Answered.
type Ping struct{ Server int }

// Fetch asks for the phone's own configuration file from this server alone. What came is told by Fetched.
type Fetch struct{ Server int }

// Decided ends a detection. Server is the one that decided it, -1 when none answered.
type Decided struct {
	Verdict Verdict
	Reason  Reason
	Server  int
}

func (Ping) isAction()    {}
func (Fetch) isAction()   {}
func (Decided) isAction() {}

// Config is what a detection needs.
type Config struct {
	Servers int // how many TFTP servers the phone has; they are named by index
	Mode    Mode
	Stored  *cnf.Device // the file that the phone has kept; nil when there is none
}

// Detection is one look at where the phone is.
type Detection struct {
	cfg     Config
	servers []server
	rounds  int       // of pings sent
	due     time.Time // of the next round, or of the end
	done    bool
}

type server int

// What is known of a server.
const (
	quiet   server = iota // has not answered yet
	proving               // has answered; its file is on the way
	strange               // has answered, without the right file
	silent                // has not answered in time
)

// New starts a detection and returns the first pings.
func New(now time.Time, cfg Config) (*Detection, []Action) {
	d := &Detection{cfg: cfg, servers: make([]server, cfg.Servers)}
	if cfg.Servers == 0 {
		return d, d.decide(Outside, NoAnswer, -1)
	}
	return d, d.round(now)
}

func (d *Detection) round(now time.Time) []Action {
	var actions []Action
	for i, s := range d.servers {
		if s == quiet {
			actions = append(actions, Ping{i})
		}
	}
	d.rounds++
	d.due = now.Add(spacing)
	return actions
}

// Answered tells that a server has answered a ping. Later answers of the same server change nothing.
func (d *Detection) Answered(server int) []Action {
	if d.done || server < 0 || server >= len(d.servers) || d.servers[server] != quiet {
		return nil
	}
	if d.cfg.Mode == PingOnly {
		return d.decide(Inside, Answered, server)
	}
	d.servers[server] = proving
	return []Action{Fetch{server}}
}

// Fetched tells what a server gave for Fetch: the file, or nil when it had none that could be read.
func (d *Detection) Fetched(server int, file *cnf.Device) []Action {
	if d.done || server < 0 || server >= len(d.servers) || d.servers[server] != proving {
		return nil
	}
	if file != nil && Proves(d.cfg.Stored, file) {
		return d.decide(Inside, Proven, server)
	}
	d.servers[server] = strange
	return d.settle()
}

// Advance tells the detection that time has passed.
func (d *Detection) Advance(now time.Time) []Action {
	if d.done || !d.has(quiet) || now.Before(d.due) {
		return nil
	}
	if d.rounds < pings {
		return d.round(now)
	}
	for i, s := range d.servers {
		if s == quiet {
			d.servers[i] = silent
		}
	}
	return d.settle()
}

// settle decides for outside when nothing is waited for any more.
func (d *Detection) settle() []Action {
	if d.has(quiet) || d.has(proving) {
		return nil
	}
	if foreign := slices.Index(d.servers, strange); foreign >= 0 {
		return d.decide(Outside, Foreign, foreign)
	}
	return d.decide(Outside, NoAnswer, -1)
}

func (d *Detection) has(state server) bool { return slices.Contains(d.servers, state) }

func (d *Detection) decide(verdict Verdict, reason Reason, server int) []Action {
	d.done = true
	return []Action{Decided{verdict, reason, server}}
}

// Wake returns when Advance wants to be called; the zero time when only a file is waited for, or nothing.
func (d *Detection) Wake() time.Time {
	if d.done || !d.has(quiet) {
		return time.Time{}
	}
	return d.due
}

// Proves reports whether served, a file under the phone's own name, comes from the server that the stored
// file came from: they share a certificate hash. One is enough, or no certificate could ever be replaced.
// A phone that has no hash stored cannot use the VPN, so for it any file of its own is proof.
func Proves(stored, served *cnf.Device) bool {
	if stored == nil || stored.VPN == nil || len(stored.VPN.CertificateHashes) == 0 {
		return true
	}
	if served.VPN == nil {
		return false
	}
	return slices.ContainsFunc(served.VPN.CertificateHashes, func(hash string) bool {
		return slices.Contains(stored.VPN.CertificateHashes, hash)
	})
}

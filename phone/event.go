package phone

import (
	"net/netip"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/stage"
)

// Event is one thing that happened to the phone: what `longcord phone --json` prints, one a line. Only
// the fields that belong to the event's kind are set.
type Event struct {
	Time  time.Time `json:"time"`
	Event string    `json:"event"` // step, session, registered, order, call, media, finding, status, console, load

	// step: a step ended.
	Step       stage.Step `json:"step,omitzero"`
	OK         bool       `json:"ok,omitempty"`
	Detail     string     `json:"detail,omitempty"` // also the text of status and console
	DurationMS int64      `json:"duration_ms,omitempty"`

	Stamp string `json:"version_stamp,omitempty"` // registered: of the file that the phone runs
	Order *Order `json:"order,omitempty"`         // order: the call manager tells the phone to do something

	Load *Load `json:"load,omitempty"` // load: firmware was fetched, or not all of it; detail says why not

	Session *Session         `json:"session,omitempty"` // session: the tunnel is up, or moved to another channel
	Call    *Call            `json:"call,omitempty"`    // call: its state changed
	Media   *Media           `json:"media,omitempty"`   // media: what was measured, at the end of a call
	Finding *finding.Finding `json:"finding,omitempty"` // finding: what was wrong
}

// Order is what the call manager tells the phone to do.
type Order struct {
	Action string `json:"action"`                  // check-version, apply-config, restart, reset, prt-report
	Stamp  string `json:"version_stamp,omitempty"` // of the file that it should run
}

// Session describes the phone's tunnel.
type Session struct {
	Phone           string `json:"phone"`
	User            string `json:"user"`
	InnerAddress    string `json:"inner_address"`
	Transport       string `json:"transport"`        // dtls or tls
	DTLSVersion     string `json:"dtls_version"`     // 1.2, 0.9 or empty
	Cipher          string `json:"cipher"`           // of the channel that carries data
	CertificateSHA1 string `json:"certificate_sha1"` // 40 upper-case hex digits
	CertificateHash string `json:"certificate_hash"` // 28 characters, as in certHash1
}

// Call describes a call's state.
type Call struct {
	State string `json:"state"` // dialling, ringing, answered, ended, refused
	Peer  string `json:"peer"`  // the other number
	Cause string `json:"cause,omitempty"`
}

// Media is what the phone measured of one call: what it sent, and what it received of the other side.
type Media struct {
	Sent     int     `json:"sent"`
	Received int     `json:"received"`
	Lost     int     `json:"lost"`
	JitterMS float64 `json:"jitter_ms"`
	MOS      float64 `json:"mos"`
	Reports  int     `json:"reports"` // RTCP reports of the other side
	Heard    int     `json:"heard"`   // of them, those that say that our sound comes

	// For who looks on: where the sound goes to and comes to, and how many packets the other side says that it has sent.
	Remote netip.AddrPort `json:"-"`
	Local  netip.AddrPort `json:"-"`
	Told   int            `json:"-"`
}

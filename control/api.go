package control

import (
	"time"

	"github.com/longcord/longcord/inventory"
)

// Status is the running system at a glance.
type Status struct {
	Version   string    `json:"version"`
	Began     time.Time `json:"began"`
	Ready     bool      `json:"ready" doc:"every listener is open"`
	Listening []string  `json:"listening" doc:"open listeners, such as gateway tcp 192.0.2.10:443"`
}

// Expectation says what a writer takes for granted about the objects it sends.
type Expectation string

// The expectations.
const (
	ExpectAny      Expectation = ""         // they may exist or not
	ExpectNew      Expectation = "new"      // none exists
	ExpectExisting Expectation = "existing" // all exist
)

// Problem is one reason for which a change was refused. Line counts in the text that was sent, and is 0
// where the problem is not in one place of it.
type Problem struct {
	Kind  inventory.Kind `json:"kind,omitempty"`
	Name  string         `json:"name,omitempty"`
	Field string         `json:"field,omitempty"`
	Line  int            `json:"line,omitempty"`
	Says  string         `json:"says"`
	Hint  string         `json:"hint,omitempty"`
}

// Session is a session of the gateway.
type Session struct {
	ID            uint64    `json:"id"`
	User          string    `json:"user"`
	Phone         string    `json:"phone,omitempty" doc:"device the session belongs to"`
	TunnelGroup   string    `json:"tunnel_group"`
	GroupPolicy   string    `json:"group_policy,omitempty"`
	Login         string    `json:"login,omitempty" doc:"aaa, certificate, or aaa certificate"`
	State         string    `json:"state"`
	InnerAddress  string    `json:"inner_address,omitempty"`
	InnerAddress6 string    `json:"inner_address6,omitempty"`
	Peer          string    `json:"peer,omitempty" doc:"outside address and port of TLS, now or last"`
	TLSVersion    string    `json:"tls_version,omitempty"`
	TLSCipher     string    `json:"tls_cipher,omitempty"`
	DTLSPeer      string    `json:"dtls_peer,omitempty" doc:"outside address and port of DTLS"`
	DTLSVersion   string    `json:"dtls_version,omitempty"`
	Cipher        string    `json:"cipher,omitempty" doc:"of DTLS"`
	Transport     string    `json:"transport,omitempty" enum:"dtls,tls," doc:"channel that carries packets"`
	Since         time.Time `json:"transport_since,omitzero" doc:"when packets took to it"`
	WhyNoDTLS     string    `json:"why_no_dtls,omitempty" doc:"why packets do not take DTLS"`
	MTU           int       `json:"mtu,omitempty" doc:"of inner packets"`
	OldCrypto     bool      `json:"old_crypto" doc:"TLS or DTLS is of the kind that only old phones may use"`
	Filter        string    `json:"filter,omitempty" doc:"access list that inner packets must pass"`
	Enrolment     bool      `json:"enrolment" doc:"a manufacturer certificate opened it: it reaches enrolment and files only"`
	Captured      bool      `json:"captured" doc:"somebody looks at its packets now"`
	CapturedBy    string    `json:"captured_by,omitempty"`
	UserAgent     string    `json:"user_agent,omitempty"`
	Began         time.Time `json:"began" doc:"login"`
	LastPacket    time.Time `json:"last_packet,omitzero" doc:"while connected"`
	IdleTimeout   int       `json:"idle_timeout_s,omitempty" doc:"seconds without a packet that end the session"`
	Disconnected  time.Time `json:"disconnected_since,omitzero"`
	TLSAlive      *Alive    `json:"tls_alive,omitempty" doc:"keepalive of TLS while it is up"`
	DTLSAlive     *Alive    `json:"dtls_alive,omitempty" doc:"keepalive of DTLS while it is up"`
	BytesIn       uint64    `json:"bytes_in" doc:"inner bytes out of the tunnel"`
	BytesOut      uint64    `json:"bytes_out" doc:"inner bytes into the tunnel"`
	PacketsIn     uint64    `json:"packets_in" doc:"inner packets out of the tunnel"`
	PacketsOut    uint64    `json:"packets_out" doc:"inner packets into the tunnel"`
	Refused       uint64    `json:"refused" doc:"packets and frames that were not let through"`
	Dropped       uint64    `json:"dropped" doc:"packets that could not be sent on"`
}

// Alive is what is known of the life of a channel.
type Alive struct {
	Heard time.Time `json:"heard" doc:"last sign of life"`
	Sent  time.Time `json:"sent" doc:"when something was sent last"`
	Asked time.Time `json:"asked,omitzero" doc:"when dead-peer detection asked last"`
}

// Logoff says what becomes of a session that is logged off.
type Logoff string

// The ways to log off.
const (
	MustLogIn Logoff = "must-log-in" // over, and a phone is not told: it comes back and logs in
	MayReturn Logoff = "may-return"  // its channels close; cookie and address stay
	StayAway  Logoff = "stay-away"   // over, and a phone is told: it may stay down until somebody presses keys
)

// Totals are the gateway's sessions since it started.
type Totals struct {
	Sessions     Tally `json:"sessions"`
	Disconnected int   `json:"disconnected" doc:"sessions without a channel now"`
	TLS          Tally `json:"tls" doc:"TLS channels"`
	DTLS         Tally `json:"dtls" doc:"DTLS channels"`
	Capacity     int   `json:"capacity" doc:"inner addresses of all pools"`
}

// Tally is how many there are, were in all, and were at most at a time.
type Tally struct {
	Now  int    `json:"now"`
	All  uint64 `json:"all"`
	Most int    `json:"most"`
}

// Registration is a line registered at the call manager.
type Registration struct {
	Phone   string    `json:"phone"`
	Line    string    `json:"line"`
	Contact string    `json:"contact" doc:"address and port it is reached at"`
	Expires time.Time `json:"expires"`
	// A phone that reads a file anew registers anew, so the file that it runs came before this.
	Began     time.Time `json:"began" doc:"when this registration began; it has not been interrupted since"`
	CallID    string    `json:"call_id" doc:"of the phone's REGISTER, empty by SCCP; who tells the phone to restart must name it"`
	UserAgent string    `json:"user_agent,omitempty" doc:"as the phone writes it: model and load"`
	Model     int       `json:"model,omitempty" doc:"Cisco's number of the model, as the phone says"`
	Load      string    `json:"load,omitempty" doc:"firmware, as the phone said when it restarted last"`
	Stamp     string    `json:"version_stamp,omitempty" doc:"of the file that it runs, if it says so: newer loads do by SCCP"`
	Restart   string    `json:"restart,omitempty" doc:"why it restarted last"`
}

// Phone is a device of the inventory with what it does now.
type Phone struct {
	Name          string         `json:"name"`
	Description   string         `json:"description,omitempty"`
	Model         string         `json:"model"`
	Lines         []string       `json:"lines"`
	VPN           bool           `json:"vpn" doc:"its file holds a VPN group"`
	Registrations []Registration `json:"registrations"`
	Session       *Session       `json:"session,omitempty"`
	Deliveries    []Delivery     `json:"deliveries" doc:"files that arrived at it, newest first"`
	ShouldRun     string         `json:"should_run,omitempty" doc:"version stamp of its file as it is now"`
	Runs          string         `json:"runs,omitempty" doc:"version stamp of the file that it runs: the newest that had arrived when its registration began"`
	Told          *Telling       `json:"told,omitempty" doc:"what it was told last"`
}

// Delivery is a file that arrived at a phone.
type Delivery struct {
	File         string    `json:"file"`
	VersionStamp string    `json:"version_stamp,omitempty" doc:"of a configuration"`
	Peer         string    `json:"peer" doc:"address and port it was sent to"`
	Own          bool      `json:"own,omitempty" doc:"who fetched it has proved to be the phone, by its tunnel, certificate or MAC address"`
	Other        bool      `json:"other,omitempty" doc:"who fetched it has another MAC address than the phone, or is an operator's machine"`
	Transport    string    `json:"transport" doc:"http, https or tftp"`
	Bytes        int64     `json:"bytes"`
	Complete     time.Time `json:"complete" doc:"when its last byte had arrived"`
}

// Stranger is a phone that asked for files or tried to register and is not in the inventory.
type Stranger struct {
	Name    string    `json:"name"`
	Model   string    `json:"model,omitempty" doc:"that it says it is"`
	Address string    `json:"address" doc:"it asked from last"`
	Asked   []string  `json:"asked" doc:"some of what it asked for"`
	Count   int       `json:"count"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Add     string    `json:"add" doc:"command that adds it"`
}

// AccessList is an access list that sessions were held to.
type AccessList struct {
	Name    string        `json:"name"`
	Entries []AccessEntry `json:"entries"`
	Denied  uint64        `json:"denied" doc:"packets that no entry matched"`
}

// AccessEntry is one entry, in the order in which they are tried.
type AccessEntry struct {
	inventory.AccessEntry
	Hits uint64 `json:"hits" doc:"packets that it decided about"`
}

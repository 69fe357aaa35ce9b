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
	State         string    `json:"state"`
	InnerAddress  string    `json:"inner_address,omitempty"`
	InnerAddress6 string    `json:"inner_address6,omitempty"`
	Peer          string    `json:"peer,omitempty" doc:"outside address and port, now or last"`
	Transport     string    `json:"transport,omitempty" enum:"dtls,tls," doc:"channel that carries packets"`
	DTLSVersion   string    `json:"dtls_version,omitempty"`
	Cipher        string    `json:"cipher,omitempty"`
	UserAgent     string    `json:"user_agent,omitempty"`
	Began         time.Time `json:"began"`
	BytesIn       uint64    `json:"bytes_in" doc:"inner bytes out of the tunnel"`
	BytesOut      uint64    `json:"bytes_out" doc:"inner bytes into the tunnel"`
	Refused       uint64    `json:"refused" doc:"packets and frames that were not let through"`
}

// Registration is a line registered at the call manager.
type Registration struct {
	Phone   string    `json:"phone"`
	Line    string    `json:"line"`
	Contact string    `json:"contact" doc:"address and port it is reached at"`
	Expires time.Time `json:"expires"`
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
}

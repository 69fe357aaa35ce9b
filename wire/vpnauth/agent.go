package vpnauth

import "strings"

// Agent is what a User-Agent line says about the program at the other end. It chooses the dialogue and
// opens nothing: anyone can claim to be a phone.
type Agent int

// The classes of programs. The zero value is a program that none of the known names fits.
const (
	OtherAgent  Agent = iota
	PhoneAgent        // a Cisco IP phone
	OpenConnect       // openconnect and what is built on it
	AnyConnect        // Cisco AnyConnect, Secure Client and programs that imitate them
)

// PhoneUserAgent is the name that phones give themselves, as gateways see it (docs/wire/vpn-login.md#user-agents).
const PhoneUserAgent = "Cisco SVC IPPhone Client v1.0 (1.0)"

// The first name that begins a User-Agent line decides, so longer names stand before their beginnings.
var agents = []struct {
	prefix string
	agent  Agent
}{
	{"cisco svc ipphone client", PhoneAgent},
	{"open anyconnect vpn agent", OpenConnect},
	{"openconnect", OpenConnect},
	{"anyconnect-compatible openconnect", OpenConnect},
	{"cisco anyconnect", AnyConnect},
	{"cisco secure client", AnyConnect},
	{"anyconnect", AnyConnect},
	{"clavister oneconnect vpn", AnyConnect},
	{"anylink secure client", AnyConnect},
}

// AgentOf classifies a User-Agent value, without regard to case.
func AgentOf(userAgent string) Agent {
	lower := strings.ToLower(userAgent)
	for _, a := range agents {
		if strings.HasPrefix(lower, a.prefix) {
			return a.agent
		}
	}
	return OtherAgent
}

// String returns one lower-case word.
func (a Agent) String() string {
	switch a {
	case PhoneAgent:
		return "phone"
	case OpenConnect:
		return "openconnect"
	case AnyConnect:
		return "anyconnect"
	}
	return "other"
}

package fact

import "github.com/longcord/longcord/stage"

// What servers that know users tell of the logins that they are asked about (FreeRADIUS, ISE, NPS, directories), and
// gateways of such servers. Logins of Wi-Fi and cables, which they are asked about as well, are not told.
const (
	// AAARefused: a login is refused; user, reason, program, vpn (true: it says that a VPN asks).
	AAARefused Kind = "aaa.refused"
	// AAAAccepted: a login is let in; user, program.
	AAAAccepted Kind = "aaa.accepted"
	// AAADropped: a server throws away what a gateway asks, so that the gateway hears nothing; client, reason, program.
	AAADropped Kind = "aaa.dropped"
	// AAANoAnswer: a gateway asks a server, and hears nothing; server (absent: it is not told), reason.
	AAANoAnswer Kind = "aaa.no-answer"
)

// What people see of a network with ping, dig, curl, nc and the like, besides what captures and TLS tools tell as well.
const (
	// NetAnswers: somebody answers; host, by (ping, tcp), port (of tcp).
	NetAnswers Kind = "net.answers"
	// NetNoPing: nobody answers pings; host. Many hosts never do. A symptom.
	NetNoPing Kind = "net.no-ping"
)

var _ = symptom(NetNoPing, stage.Connect,
	"many gateways do not answer pings: try `curl -vk --max-time 10 https://HOST/`, and send what that prints")

package fact

import "github.com/longcord/longcord/stage"

// What the doctor did itself, standing where the phone stands. The value from is here, or tunnel for what went through
// one; way names which, so that the same question can be asked at both places.
//
// Names that do not resolve and gateways that do not answer are GatewayNoName and GatewayNoAnswer, certificates that
// were presented GatewayCertificate, and what is in the phone's file is told by who reads such files.
const (
	// WalkStep: a step of the walk ended; step is its word, ok is true or false. The first that is not ok ends the walk.
	WalkStep Kind = "walk.step"

	// WalkPing: what answers pings; what (file server, call manager), address, from, ok.
	WalkPing Kind = "walk.ping"
	// WalkReach: what answers on TCP; what (file server, call manager, trust verification service), address (host:port),
	// from, ok, reason (refused, timeout, unreachable, name, tls).
	WalkReach Kind = "walk.reach"
	// WalkAsked: a request for a file; server, name, by (http, tftp, https), from, outcome (came, missing, refused, silent,
	// unbelieved); sha256 of what came and place (1, 2) of the server, where
	// servers are compared.
	WalkAsked Kind = "walk.asked"
	// WalkFile: the phone's own file; server, name, from, outcome (came, missing, refused, silent, unbelieved, invalid,
	// foreign), reason.
	WalkFile Kind = "walk.file"
	// WalkCompanion: a file that the phone's own names and that cannot be had; name, from.
	WalkCompanion Kind = "walk.companion"
	// WalkPlace: where network detection sees itself; place (inside, outside), reason (proven, answered, silent, foreign),
	// server, and network, the one of this machine that the server's address lies in, if it does.
	WalkPlace Kind = "walk.place"
	// WalkVPN: whether the phone has a gateway to go to; device, ok.
	WalkVPN Kind = "walk.vpn"

	// WalkTLS: TLS with a gateway; gateway (the URL), address, ok, version and suite; where it failed, lacks (version,
	// cipher, certificate, other), phone (the versions that the phone has), and takes, what the gateway takes from a client
	// that has all: version and suite, or none; with certificate, shown (whether the phone has shown one), and alert, as
	// RFC 5246 calls it.
	WalkTLS Kind = "walk.tls"
	// WalkPinned: whether the file has the hash of what the gateway presents; gateway, sha1 of its own certificate, hash
	// as it would stand in a file, ok, and index of the hash in the file and depth of the certificate that it fits.
	WalkPinned Kind = "walk.pinned"
	// WalkNamed: whether the certificate names the URL's host; gateway, host, ok, names, wildcard (true: only by one), checked
	// (whether the phone looks).
	WalkNamed Kind = "walk.named"
	// WalkGroupURL: what the gateway says to the group URL; url, outcome (login, no-cookie, redirect, missing, refused,
	// busy, none), reply, computers (true, false: takes logins of computers there or at its root; absent: not asked).
	WalkGroupURL Kind = "walk.group-url"
	// WalkAuthorities: the gateway asks for a client certificate; gateway, names of the authorities, by semicolon; where the
	// phone has one, its issuer, and whether that is among them.
	WalkAuthorities Kind = "walk.authorities"
	// WalkCredential: what is wrong with user name or password before anybody is asked; user, what, problem. Never the
	// password.
	WalkCredential Kind = "walk.credential"
	// WalkLogin: the one login; url, user, by (password, certificate), outcome (in, refused, again, busy, no-cookie, none), reply.
	WalkLogin Kind = "walk.login"

	// WalkComputer: what a computer's client gets to see where no gateway takes the phone; gateway, ok, and what: offer (it
	// takes their logins), login (user, by, outcome: in, refused, second-factor, certificate, again, busy, none; reason, groups
	// and the group that was left chosen), tunnel (as WalkTunnel), dtls (as WalkDTLS) or ping (address).
	WalkComputer Kind = "walk.computer"

	// WalkTunnel: the answer to CONNECT; gateway, ok, address, mtu, dpd, keepalive, idle, lifetime and rekey in seconds,
	// include and exclude (networks, by comma), dns, dtls (port, or none); or status and reason.
	WalkTunnel Kind = "walk.tunnel"
	// WalkTunnelLost: the tunnel ended while it was used; gateway, reason.
	WalkTunnelLost Kind = "walk.tunnel-lost"
	// WalkDTLS: the DTLS channel; gateway, port, outcome (up, none, unknown, silent, failed), version, suite, reason.
	WalkDTLS Kind = "walk.dtls"
	// WalkMTU: the largest inner packet that gets through the DTLS channel and back; gateway, told by the gateway, passes,
	// each in bytes.
	WalkMTU Kind = "walk.mtu"

	// WalkRegister: the registration of the first line, by SCCP of the device; line, manager (host:port), from, outcome
	// (in, occupied, refused, tls, silent, none), reason; where it is registered already, that is where.
	WalkRegister Kind = "walk.register"
	// WalkCall: the test call; number, line, from, outcome (talked, refused), reason, sent and received in packets, reports of
	// the other side, how many of them say that it hears us (heard), and how many packets it says that it has sent (told);
	// remote, where packets were sent to, and local, where they were waited for.
	WalkCall Kind = "walk.call"
)

// WalkStuck returns the kind for a step that did not come out; no values. A symptom.
func WalkStuck(s stage.Step) Kind { return Kind("walk.stuck-" + s.String()) }

func init() {
	for s := stage.Provision; s < stage.Diagnose; s++ {
		symptom(WalkStuck(s), s,
			"run the same again with --facts FILE and send that file",
			"send the log of the server that the last line names, of the same minute")
	}
}

package finding

import "github.com/longcord/longcord/stage"

// What can be wrong at the step tunnel: do packets flow?
var (
	AccountingStopped = Define(Declaration{
		Code: "accounting-stopped", Step: stage.Tunnel, Severity: Warning,
		Args: []string{"names", "reason"},
		Says: "none of the servers %[1]s takes accounts of sessions: %[2]s",
		Fix:  []string{"look whether %[1]s take accounting on accountingPort; reports wait until then, and are lost when this machine restarts"},
	})
	AddressPoolExhausted = Define(Declaration{
		Code: "address-pool-exhausted", Step: stage.Tunnel, Severity: Fault,
		Args: []string{"network"},
		Says: "the address pool %[1]s has no free address",
		Fix:  []string{"enlarge the pool %[1]s or log off sessions that are not used"},
		Elsewhere: map[Platform][]string{
			Ocserv: {
				"give `ipv4-network` a larger network, and end sessions that nobody uses: `occtl show users`, `occtl disconnect id ID`",
			},
		},
		Messages: []string{
			"main[phone1]:203.0.113.9:50462 ip-lease.c:285: could not figure out a valid IPv4 IP",
		},
	})
	DTLSBlocked = Define(Declaration{
		Code: "dtls-blocked", Step: stage.Tunnel, Severity: Warning,
		Args: []string{"port"},
		Says: "UDP %[1]s to the gateway does not get through; voice runs over TCP and will suffer",
		Fix:  []string{"let UDP 443 through to the gateway"},
		Elsewhere: map[Platform][]string{
			Ocserv: {
				"set `udp-port = 443`, open UDP 443 in the firewall (`nft add rule inet filter input udp dport 443 accept`), and forward it where TCP 443 is forwarded",
			},
		},
		Messages: []string{
			"DTLS handshake timed out",
			"(Is a firewall preventing you from sending UDP packets?)",
		},
	})
	DeadPeer = Define(Declaration{
		Code: "dead-peer", Step: stage.Tunnel, Severity: Fault,
		Says: "the gateway stopped answering",
		Fix:  []string{"check the line between phone and gateway"},
		Elsewhere: map[Platform][]string{
			Ocserv: {
				"see when each phone was lost in ocserv's log, and set `dpd = 30` so that a dead session is noticed before the phone is back",
			},
		},
	})
	LegacyInUse = Define(Declaration{
		Code: "legacy-in-use", Step: stage.Tunnel, Severity: Note,
		Args: []string{"group", "so many phones have"},
		Says: "tunnel group %[1]s lets phones use TLS 1.0 and DTLS 0.9, and %[2]s needed it in the last 30 days",
		Fix:  []string{"replace the phones that need it, then remove legacyPhones from %[1]s"},
	})
	ForwardingOff = Define(Declaration{
		Code: "forwarding-off", Step: stage.Tunnel, Severity: Fault,
		Says: "this machine does not forward packets between tunnel and office, so phones reach nothing behind the gateway",
		Fix:  []string{"set the setting that is named as evidence to 1, and find out what else sets it"},
	})
	NoRouteToPool = Define(Declaration{
		Code: "no-route-to-pool", Step: stage.Tunnel, Severity: Fault,
		Args: []string{"pool", "inside address"},
		Says: "the office has no way back to the phones' addresses %[1]s",
		Fix:  []string{"route %[1]s to %[2]s on the office's router"},
	})
	PoolOverlaps = Define(Declaration{
		Code: "pool-overlaps", Step: stage.Tunnel, Severity: Fault,
		Args: []string{"pool", "network", "interface"},
		Says: "the phones' addresses %[1]s overlap %[2]s, which is reached by %[3]s",
		Fix: []string{
			"give the pool a network that nothing else uses, or a free part of the inside network",
			"take the pool's addresses out of the range of the office's DHCP server",
		},
		Elsewhere: map[Platform][]string{
			Ocserv: {
				"choose another `ipv4-network` that neither the office nor homes use, such as 172.29.14.0/24",
			},
		},
	})
	SplitTunnel = Define(Declaration{
		Code: "split-tunnel", Step: stage.Tunnel, Severity: Fault,
		Args: []string{"policy"},
		Says: "the group policy %[1]s splits the tunnel, and phones ignore that or lose their way to the office",
		Fix: []string{
			"take the split away: phones get everything through the tunnel",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`group-policy %[1]s attributes`, then `split-tunnel-policy tunnelall`",
			},
			Ocserv: {
				"take the `route =` lines away for the phones' group, so that it is a default route",
			},
		},
	})
	DTLSDisabled = Define(Declaration{
		Code: "dtls-disabled", Step: stage.Tunnel, Severity: Warning,
		Args: []string{"gateway"},
		Says: "%[1]s does not offer DTLS, so voice runs over TCP and suffers",
		Fix: []string{
			"set dtls: true in the group policy",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`group-policy NAME attributes`, `webvpn`, `anyconnect ssl dtls enable`, and `webvpn`, `enable outside` without tls-only",
			},
			Ocserv: {
				"set `udp-port = 443` and open it",
			},
		},
	})
	DTLSCipherMismatch = Define(Declaration{
		Code: "dtls-cipher-mismatch", Step: stage.Tunnel, Severity: Warning,
		Args: []string{"gateway", "reason"},
		Says: "%[1]s and the phone find no cipher for DTLS: %[2]s",
		Fix: []string{
			"set legacyPhones on the phones' tunnel group",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`ssl cipher dtlsv1 custom \"AES256-SHA:AES128-SHA\"` (9.3 and newer), `ssl encryption aes256-sha1 aes128-sha1` (older); for phones the suite must be that of TLS",
			},
			Ocserv: {
				"set `dtls-legacy = true` and `cisco-client-compat = true`, with +AES-128-CBC and +SHA1 in tls-priorities",
			},
		},
	})
	MTU = Define(Declaration{
		Code: "mtu", Step: stage.Tunnel, Severity: Warning,
		Args: []string{"path", "reason"},
		Says: "large packets do not pass %[1]s: %[2]s",
		Fix: []string{
			"set mtu in the group policy to what passes",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`group-policy NAME attributes`, `webvpn`, `anyconnect mtu 1200`",
			},
			Ocserv: {
				"set `mtu = 1200` for the phones' group, and `try-mtu-discovery = true`",
			},
		},
	})
	AddressChanged = Define(Declaration{
		Code: "address-changed", Step: stage.Tunnel, Severity: Warning,
		Args: []string{"client", "addresses"},
		Says: "the tunnel address of %[1]s changed (%[2]s), so calls and registrations by the old one are lost",
		Fix: []string{
			"give the phone a fixed address: framedAddress of the user",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"keep addresses with a larger pool and `vpn-addr-assign local reuse-delay 0`, or fix it: `username NAME attributes`, `vpn-framed-ip-address ADDRESS MASK`",
			},
			Ocserv: {
				"set `predictable-ips = true`, or `explicit-ipv4 = ADDRESS` in the user's file of config-per-user",
			},
		},
	})
	IdleTimeout = Define(Declaration{
		Code: "idle-timeout", Step: stage.Tunnel, Severity: Warning,
		Args: []string{"client", "time"},
		Says: "the gateway ends the session of %[1]s after %[2]s without traffic; a phone that is not in a call looks idle",
		Fix: []string{
			"set idleTimeout: 0 in the group policy",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`group-policy NAME attributes`, then `vpn-idle-timeout none`",
			},
			Ocserv: {
				"set `idle-timeout` above the phones' keepalives, or take it away",
			},
		},
	})
	SessionTimeout = Define(Declaration{
		Code: "session-timeout", Step: stage.Tunnel, Severity: Warning,
		Args: []string{"client", "time"},
		Says: "the gateway ends the session of %[1]s when it has lasted %[2]s",
		Fix: []string{
			"set sessionTimeout: 0 in the group policy",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`group-policy NAME attributes`, then `vpn-session-timeout none`",
			},
			Ocserv: {
				"take `session-timeout` away",
			},
		},
	})
)

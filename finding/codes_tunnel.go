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
			ASA: {
				"see who has addresses with `show ip local pool NAME` and `show vpn-sessiondb anyconnect`, end dead sessions with `vpn-sessiondb logoff name USER`",
				"make one that is large enough, or that is missing: `ip local pool NAME FIRST-LAST mask MASK`, then `tunnel-group GROUP general-attributes`, `address-pool NAME`; `vpn-addr-assign local` must be on",
			},
			Ocserv: {
				"give `ipv4-network` a larger network, and end sessions that nobody uses: `occtl show users`, `occtl disconnect id ID`",
			},
		},
		Messages: []string{
			"main[phone1]:203.0.113.9:50462 ip-lease.c:285: could not figure out a valid IPv4 IP",
			"%ASA-3-722020: TunnelGroup <PHONES> GroupPolicy <GP> User <phone1> IP <203.0.113.9> No address available for SVC connection",
			"%ASA-5-737007: IPAA: Local pool request failed for tunnel-group 'PHONES'",
			"%ASA-5-737004: IPAA: DHCP configured, request failed for tunnel-group 'PHONES'",
			"%ASA-5-737003: IPAA: DHCP configured, no viable servers found for tunnel-group 'PHONES'",
			"%ASA-4-737019: IPAA: Unable to get address from group-policy or tunnel-group local pools",
		},
	})
	DTLSBlocked = Define(Declaration{
		Code: "dtls-blocked", Step: stage.Tunnel, Severity: Warning,
		Args: []string{"port"},
		Says: "UDP %[1]s to the gateway does not get through; voice runs over TCP and will suffer",
		Fix:  []string{"let UDP 443 through to the gateway"},
		Elsewhere: map[Platform][]string{
			ASA: {
				"let DTLS listen where phones look for it: `webvpn`, `no dtls port` (443 is the default), and take away port forwards and `control-plane` lists for UDP 443",
				"open UDP 443 to the ASA on every router and firewall before it; `show vpn-sessiondb detail anyconnect` shows a DTLS-Tunnel when it passes",
			},
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
		Args: []string{"who"},
		Says: "%[1]s stopped answering",
		Fix:  []string{"check the line between phone and gateway"},
		Elsewhere: map[Platform][]string{
			ASA: {
				"see how often with `show log | include 722037`, and set `group-policy NAME attributes`, `webvpn`, `anyconnect dpd-interval gateway 30` (before 8.4: `svc dpd-interval gateway 30`), so that a dead session is gone before the phone is back",
				"check the line of the phone, and whether its home router forgets UDP: `anyconnect ssl keepalive 20` (before 8.4: `svc keepalive 20`)",
			},
			Ocserv: {
				"see when each phone was lost in ocserv's log, and set `dpd = 30` so that a dead session is noticed before the phone is back",
			},
		},
		Messages: []string{
			"Group = PHONES, Username = phone1, IP = 203.0.113.9, Session disconnected. Session Type: SSL, Duration: 0h:12m:40s, Bytes xmt: 4711, Bytes rcv: 815, Reason: Lost Service",
			"%ASA-4-722037: Group <GP> User <phone1> IP <203.0.113.9> SVC closing connection: DPD failure.",
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
		Elsewhere: map[Platform][]string{
			Ocserv: {
				"switch it on: `sysctl -w net.ipv4.ip_forward=1`, and for good in /etc/sysctl.d/60-ocserv.conf",
			},
		},
		Messages: []string{
			"net.ipv4.ip_forward = 0",
		},
	})
	NoRouteToPool = Define(Declaration{
		Code: "no-route-to-pool", Step: stage.Tunnel, Severity: Fault,
		Args: []string{"pool", "inside address"},
		Says: "the office has no way back to the phones' addresses %[1]s",
		Fix:  []string{"route %[1]s to %[2]s on the office's router"},
		Elsewhere: map[Platform][]string{
			Ocserv: {
				"route the pool to ocserv's machine, on the office's router: `ip route add POOL via INSIDE-ADDRESS-OF-OCSERV`; where the pool is a part of the inside network, let that machine answer for it: `sysctl -w net.ipv4.conf.INSIDE.proxy_arp=1`",
			},
			ASA: {
				"`show route` on the ASA must have a way to %[1]s, and the office's routers one to the ASA: on them `ip route POOL MASK INSIDE-ADDRESS-OF-THE-ASA`",
			},
		},
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
			ASA: {
				"`no ip local pool NAME RANGE`, then `ip local pool NAME FIRST-LAST mask MASK` with a network that no interface, DHCP range or other pool has, and name it in `tunnel-group GROUP general-attributes`, `address-pool NAME`",
			},
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
			IOS: {
				"`webvpn context NAME`, `policy group %[1]s`, then `no svc split include NETWORK MASK`",
			},
			ASA: {
				"`group-policy %[1]s attributes`, then `split-tunnel-policy tunnelall` and `no split-tunnel-network-list`",
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
			IOS: {
				"`webvpn context NAME`, `policy group GROUP`, then `svc dtls`",
			},
			ASA: {
				"`webvpn`, then `no enable outside` and `enable outside` without tls-only",
				"`group-policy NAME attributes`, `webvpn`, `anyconnect ssl dtls enable` (before 8.4: `svc dtls enable`)",
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
				"`ssl cipher dtlsv1 custom \"AES256-SHA:AES128-SHA\"` (before 9.3: `ssl encryption aes256-sha1 aes128-sha1`); for phones the suite must be that of TLS",
				"if it demands DTLS 1.2: `ssl server-version tlsv1 dtlsv1` (before 9.3: `ssl server-version any`)",
			},
			Ocserv: {
				"set `dtls-legacy = true` and `cisco-client-compat = true`, with +AES-128-CBC and +SHA1 in tls-priorities",
			},
		},
		Messages: []string{
			"%ASA-5-722043: Group <GP> User <phone1> IP <203.0.113.9> DTLS disabled: unable to negotiate cipher.",
			"VPNC: old session cipher not returned",
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
				"`group-policy NAME attributes`, `webvpn`, `anyconnect mtu 1290` (before 8.4: `svc mtu 1290`), or less where the line needs it; `anyconnect ssl df-bit-ignore enable` (before 8.4: `svc df-bit-ignore enable`) lets large packets be parted",
			},
			Ocserv: {
				"set `mtu = 1200` for the phones' group, and `try-mtu-discovery = true`",
			},
		},
		Messages: []string{
			"%ASA-6-722036: Group <GP> User <phone1> IP <203.0.113.9> Transmitting large packet 1418 (threshold 1290).",
			"%ASA-3-722035: Group <GP> User <phone1> IP <203.0.113.9> Received large packet 1330 (threshold 1290).",
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
		Messages: []string{
			"Group = PHONES, Username = phone1, IP = 203.0.113.9, Session disconnected. Session Type: SSL, Duration: 0h:30m:12s, Bytes xmt: 4711, Bytes rcv: 815, Reason: Idle Timeout",
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
		Messages: []string{
			"Group = PHONES, Username = phone1, IP = 203.0.113.9, Session disconnected. Session Type: SSL, Duration: 8h:00m:00s, Bytes xmt: 4711, Bytes rcv: 815, Reason: Max time exceeded",
		},
	})
	PhoneToPhoneDenied = Define(Declaration{
		Code: "phone-to-phone-denied", Step: stage.Tunnel, Severity: Warning,
		Args: []string{"gateway"},
		Says: "%[1]s lets no packets from one tunnel into another, so two phones outside do not hear each other",
		Fix: []string{
			"let packets go from tunnel to tunnel",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`same-security-traffic permit intra-interface`, and exempt the pool from NAT to itself",
			},
		},
	})
	TunneledRouteMissing = Define(Declaration{
		Code: "tunneled-route-missing", Step: stage.Tunnel, Severity: Note,
		Args: []string{"interface"},
		Says: "packets of phones for networks that the gateway does not know leave by %[1]s, because only the Internet has a default route",
		Fix: []string{
			"give packets out of tunnels a default route to the office, if call manager or file server are not in a network of the gateway's",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`route inside 0.0.0.0 0.0.0.0 NEXT-HOP tunneled`",
			},
		},
	})
	TunnelTimers = Define(Declaration{
		Code: "tunnel-timers", Step: stage.Tunnel, Severity: Warning,
		Args: []string{"policy", "reason"},
		Says: "timers of group policy %[1]s hurt calls: %[2]s",
		Fix: []string{
			"let keepalives go every 20 seconds, dead peers be looked for every 30, and tunnels live as long as they can",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`group-policy %[1]s attributes`, `webvpn`, then `anyconnect ssl keepalive 20` (before 8.4: `svc keepalive 20`), `anyconnect dpd-interval client 30` (before 8.4: `svc dpd-interval client 30`), `anyconnect ssl rekey method none` (before 8.4: `svc rekey method none`)",
			},
		},
	})
)

package finding

import "github.com/longcord/longcord/stage"

// What can be wrong at the step connect: which gateway, and can I reach it?
var (
	GatewayNameElsewhere = Define(Declaration{
		Code: "gateway-name-elsewhere", Step: stage.Connect, Severity: Fault,
		Args: []string{"host", "addresses", "address"},
		Says: "the gateway's name %[1]s leads to %[2]s, and the gateway listens on %[3]s",
		Fix:  []string{"let public DNS name the address by which the gateway is reached from outside"},
	})
	GatewayUnreachable = Define(Declaration{
		Code: "gateway-unreachable", Step: stage.Connect, Severity: Fault,
		Args: []string{"address"},
		Says: "the gateway %[1]s does not answer on TCP",
		Fix:  []string{"check the address, the port forwarding and the firewall in front of the gateway"},
		Elsewhere: map[Platform][]string{
			ASA: {
				"look whether its interface is up: `show interface ip brief`; below `interface`, `no shutdown`",
				"look whether it listens: `show asp table socket` must have SSL on port 443 of the outside address; if not, `webvpn`, `enable outside`",
			},
			Ocserv: {
				"run it in the foreground, `ocserv -f -c /etc/ocserv/ocserv.conf -d 1`: it names the setting that it refuses; `ss -ltnp 'sport = :443'` shows whether it listens",
			},
		},
		Messages: []string{
			"VPNC: do_login: connect timed out",
			"VPNC: do_login: connection refused",
		},
	})
	GatewayNameUnresolved = Define(Declaration{
		Code: "gateway-name-unresolved", Step: stage.Connect, Severity: Fault,
		Args: []string{"host"},
		Says: "the name %[1]s of the gateway does not resolve",
		Fix:  []string{"publish %[1]s in public DNS"},
		Messages: []string{
			"VPNC: do_login: could not resolve host vpn.example.com",
		},
		Elsewhere: map[Platform][]string{
			CUCM: {
				"write the gateway's public name, or its address with the host check off, into Advanced Features > VPN > VPN Gateway",
			},
		},
	})
	AnyConnectImageMissing = Define(Declaration{
		Code: "anyconnect-image-missing", Step: stage.Connect, Severity: Fault,
		Args: []string{"gateway"},
		Says: "%[1]s has no AnyConnect image loaded, without which an ASA starts no SSL VPN for clients",
		Fix: []string{
			"load an image",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"copy any AnyConnect package to flash, then `webvpn`, `anyconnect image disk0:/FILE.pkg 1` (before 8.4: `svc image disk0:/FILE.pkg 1`)",
				"`webvpn`, then `anyconnect enable` (before 8.4: `svc enable`)",
			},
		},
		Messages: []string{
			"%ASA-4-722049: Group <GP> User <phone1> IP <203.0.113.9> Session terminated: SVC not enabled or invalid SVC image on the ASA",
			"%ASA-4-722047: Group <GP> User <phone1> IP <203.0.113.9> Tunnel terminated: SVC not enabled or invalid SVC image on the ASA",
		},
	})
	VPNNotEnabledOnInterface = Define(Declaration{
		Code: "vpn-not-enabled-on-interface", Step: stage.Connect, Severity: Fault,
		Args: []string{"gateway", "interface"},
		Says: "%[1]s does not serve the SSL VPN on interface %[2]s",
		Fix: []string{
			"let the gateway listen on the address that the URL leads to",
		},
		Elsewhere: map[Platform][]string{
			IOS: {
				"`webvpn gateway NAME` and `webvpn context NAME` both need `inservice`",
			},
			ASA: {
				"`webvpn`, then `enable %[2]s`; the client must be on, too: `anyconnect enable` (before 8.4: `svc enable`)",
			},
		},
	})
	ASAVersion = Define(Declaration{
		Code: "asa-version", Step: stage.Connect, Severity: Fault,
		Args: []string{"version", "needed"},
		Says: "ASA %[1]s does not serve phones; their VPN begins with %[2]s",
		Fix: []string{
			"upgrade the ASA",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"copy an image from 8.0(4) on to flash, `boot system disk0:/FILE.bin`, `write memory`, `reload`; check first with `show version` that the memory suffices",
			},
		},
		Messages: []string{
			"Cisco Adaptive Security Appliance Software Version 7.2(4)",
		},
	})
)

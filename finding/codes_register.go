package finding

import "github.com/longcord/longcord/stage"

// What can be wrong at the step register: does the call manager know me?
var (
	NotRegistered = Define(Declaration{
		Code: "not-registered", Step: stage.Register, Severity: Fault,
		Args: []string{"phone"},
		Says: "%[1]s has not registered since it fetched its file, so nobody knows whether the file works",
		Fix:  []string{"restart the phone in the office, and wait until `longcord phones show %[1]s` says that it is registered"},
	})
	RegistrationUnreachable = Define(Declaration{
		Code: "registration-unreachable", Step: stage.Register, Severity: Fault,
		Args: []string{"server"},
		Says: "no call manager answers at %[1]s",
		Fix:  []string{"check that %[1]s can be reached from the phone"},
		Elsewhere: map[Platform][]string{
			ASA: {
				"check the way: `packet-tracer input outside tcp PHONE 1025 %[1]s 2000 detailed` names the list or route that stops it",
				"give packets of tunnels a default route of their own: `route inside 0.0.0.0 0.0.0.0 NEXT-HOP tunneled`; let `sysopt connection permit-vpn` be on, and permit the pool in a `vpn-filter`",
			},
			Ocserv: {
				"see on the gateway whether the phone's packets go on: `tcpdump -ni any host %[1]s`; forwarding (`sysctl net.ipv4.ip_forward`), the forward chain of nft, and the way back to the pool are what stops them",
			},
			Asterisk: {
				"look whether it listens where phones ask: `asterisk -rx 'pjsip show transports'` (chan_sip: `sip show settings`, chan-sccp: `sccp show globals`)",
			},
		},
		Messages: []string{
			"SIPCC-SIP_REG: sip_regmgr_on_transport_cucm_connecting_failed: [1] cucm connecting failed!",
		},
		MootedBy: []string{"registration-acl"},
	})
	RegistrationTLS = Define(Declaration{
		Code: "registration-tls", Step: stage.Register, Severity: Fault,
		Args: []string{"server", "reason"},
		Says: "TLS with the call manager %[1]s does not come up: %[2]s",
		Fix: []string{
			"if it refuses the phone's certificate, or asks for one that the phone does not have, give the phone one of an authority that it trusts",
			"if the phone does not believe the call manager's, let the trust lists of the phone name that certificate",
		},
		Elsewhere: map[Platform][]string{
			CUCM: {
				"look at the phone's security profile: with TLS the phone needs an LSC, or its manufacturer's certificate; on the phone's page set Certificate Operation to Install/Upgrade, with the phone inside",
				"look in Cisco Unified OS Administration, Security, Certificate Management, whether CallManager-trust holds the issuer of the phone's certificate",
			},
			Asterisk: {
				"look at the transport of TLS in pjsip.conf: `ca_list_file` must hold the issuer of phones' certificates where `verify_client = yes` or `require_client_cert = yes` asks for them",
			},
		},
		MootedBy: []string{"no-route-to-pool", "forwarding-off"},
	})
	RegistrationRefused = Define(Declaration{
		Code: "registration-refused", Step: stage.Register, Severity: Fault,
		Args: []string{"line", "reason"},
		Says: "the call manager refuses to register %[1]s: %[2]s",
		Fix: []string{
			"compare the line's secret in the phone's file with the inventory",
			"a phone with an SCCP load has no secret: its Device must be in the inventory with `protocol: SCCP`, and have a line",
		},
		Elsewhere: map[Platform][]string{
			CUCM: {
				"look at Device > Phone: the device name must be SEP and the phone's MAC address, the device's protocol that of its load, and with a Phone Security Profile of Digest Authentication its Digest User must be chosen",
			},
			Asterisk: {
				"compare `authName` and `authPassword` in the phone's file with `username` and `password` of the line (pjsip.conf: `type = auth`; chan_sip: `secret`)",
				"if it has as many contacts as it may, set `remove_existing = yes` beside `max_contacts` in its aor, so that a new tunnel address takes the old one's place",
				"if it knows no such line or device, add it: an endpoint with auth and aors, or `[SEP…]` with `type = device` in sccp.conf",
			},
			Kamailio: {
				"the password is wrong: `kamctl passwd LINE PASSWORD`, the same as in the phone's file (`authPassword`)",
				"it has no such user: `kamctl add LINE PASSWORD`; with `use_domain` in auth_db the domain counts, too: `kamctl add LINE@DOMAIN PASSWORD`",
				"it does not take the domain for its own: `alias=\"DOMAIN\"` in kamailio.cfg, or `kamctl domain add DOMAIN` where the module domain is used",
			},
		},
		Messages: []string{
			"chan_sip.c: Registration from '<sip:6001@10.99.0.1>' failed for '10.88.0.14:5060' - Wrong password",
			"chan_sip.c: Registration from '<sip:6001@10.99.0.1>' failed for '10.88.0.14:5060' - No matching peer found",
			"res_pjsip/pjsip_distributor.c:688 log_failed_request: Request 'REGISTER' from '<sip:6001@10.99.0.1>' failed for '10.88.0.14:5060' (callid: abc6001) - Failed to authenticate",
			"res_pjsip/pjsip_distributor.c:688 log_failed_request: Request 'REGISTER' from '<sip:6999@10.99.0.1>' failed for '10.88.0.14:5060' (callid: abc6999) - No matching endpoint found",
			"res_pjsip_registrar.c:841 register_aor_core: Registration attempt from endpoint '6001' (10.88.0.14:5060) to AOR '6001' will exceed max contacts of 1",
			"sccp_actions.c:876 handle_register: SEP001B0CDB8F24: Rejecting device: Device Unknown",
			" 4(26924) DEBUG: {1 2 REGISTER c45128} auth [api.c:302]: auth_check_response(): Authorization failed",
			" 6(26928) DEBUG: {1 2 REGISTER c42018} auth_db [authorize.c:185]: get_ha1(): no result for user '6999@'",
			"%UC_CALLMANAGER-4-EndPointTransientConnection: %[ConnectingPort=5060][DeviceName=SEP001122334455][IPAddress=10.88.0.14][DeviceType=592][Reason=2][Protocol=SIP][AppID=Cisco CallManager]: An endpoint attempted to register but did not complete registration",
			"[CM102001]: Authentication failed for SipReq: REGISTER 10.20.0.7 tid=917d3a45e8403958 cseq=REGISTER contact=107@10.88.0.14:5060 / 2 from(wire); Reason: Credentials don't match, check that authorization-ID and password match the ones in extension settings",
			"[WARNING] sofia_reg.c:1478 SIP auth failure (REGISTER) on sofia profile 'internal' for [6001@10.99.0.1] from ip 10.88.0.14",
			"VOICE_REG_POOL: Maximum registration threshold for pool(3) hit",
			"Registration Rejected",
			"25: Name=SEP001122334455 Load= 9.4(2SR3.1S) Last=Phone-Reg-Rej",
		},
	})
	RegistrationACL = Define(Declaration{
		Code: "registration-acl", Step: stage.Register, Severity: Fault,
		Args: []string{"server", "reason"},
		Says: "the call manager %[1]s does not take registrations from the address of the phone: %[2]s",
		Fix: []string{
			"add the pool of the tunnel to the networks that may register",
		},
		Messages: []string{
			"sccp_actions.c: SEP001122334455: Rejecting device: Ip address '10.88.0.14' denied (deny + permit/permithosts).",
			"SCCP: Rejecting Connection: Ip-address '10.88.0.14' denied. Check general deny/permit settings",
			"res_pjsip/pjsip_distributor.c:688 log_failed_request: Request 'REGISTER' from '<sip:6002@10.99.0.1>' failed for '10.88.0.14:5060' (callid: abc6002) - Not match Endpoint ACL",
			"chan_sip.c: Registration from '<sip:6002@10.99.0.1>' failed for '10.88.0.14:5060' - Device does not match ACL",
			"[WARNING] sofia_reg.c:1798 IP 10.88.0.14 Rejected by register acl \"localnet.auto\"",
			" 7(1295) WARNING: pike [pike_funcs.c:135]: pike_check_ipaddr(): PIKE - BLOCKing ip 10.88.0.14, node=0x7f00d43a4118",
			"2026-11-25 18:22:07,123 fail2ban.actions        [812]: NOTICE  [asterisk-iptables] Ban 10.88.0.14",
		},
		Elsewhere: map[Platform][]string{
			Asterisk: {
				"chan_pjsip: add `permit = POOL/24` behind the `deny` of the endpoint, or to the section of acl.conf that its `acl =` names, then `asterisk -rx 'module reload res_pjsip.so'`",
				"chan_sip: add `permit=POOL/255.255.255.0` to the peer (FreePBX: Permit of the extension), then `asterisk -rx 'sip reload'`",
				"chan-sccp: add `permit = POOL/255.255.255.0` to `[general]` and to the device in sccp.conf, behind `deny`, then `asterisk -rx 'sccp reload'`",
			},
			Kamailio: {
				"`allow_register`: let the pool into register.allow, or out of register.deny, of the module permissions, and restart Kamailio",
				"pike: raise `modparam(\"pike\", \"reqs_density_per_unit\", 16)`, or do not call `pike_check_req` for the addresses of the tunnels; what is blocked is free after `remove_latency` seconds",
			},
		},
	})
	NATInTheWay = Define(Declaration{
		Code: "nat-in-the-way", Step: stage.Register, Severity: Warning,
		Args: []string{"where", "reason"},
		Says: "addresses are translated between phone and call manager at %[1]s: %[2]s",
		Fix: []string{
			"exempt the pool of the tunnel from NAT",
		},
		Elsewhere: map[Platform][]string{
			Ocserv: {
				"take the pool out of what is masqueraded: `iptables -t nat -I POSTROUTING -s POOL -d OFFICE -j ACCEPT`, and find the rule itself with `nft list ruleset`",
			},
			ASA: {
				"exempt it: `nat (inside,outside) source static OFFICE OFFICE destination static POOL POOL no-proxy-arp route-lookup` with network objects OFFICE and POOL (before 8.3: `access-list NONAT extended permit ip OFFICE MASK POOL MASK`, then `nat (inside) 0 access-list NONAT`)",
			},
			Asterisk: {
				"set `localnet` for the phones' pool so that no external address is written into SDP",
			},
		},
		Messages: []string{
			"%ASA-5-305013: Asymmetric NAT rules matched for forward and reverse flows; Connection for udp src outside:10.99.0.11/49152 dst inside:10.1.1.20/69 denied due to NAT reverse path failure",
		},
	})
)

package fact

import "github.com/longcord/longcord/stage"

// What Cisco's ASA tells of itself: configuration, output of show and debug, and syslog. gateway is its host name in
// all of them, absent where the source does not tell it.
const (
	// ASAVersion: the software's release; version (9.8(4)), hardware, gateway.
	ASAVersion Kind = "asa.version"
	// ASALicence: a line of the table of licensed features; feature (phone, premium, essentials), name as it stands,
	// value (Enabled, Disabled, a number), scope (unit, or failover for the table of a pair), gateway.
	ASALicence Kind = "asa.licence"
	// ASAConfiguration: a configuration, or a part of one, was read; whole (true: nothing is missing), gateway.
	ASAConfiguration Kind = "asa.configuration"
	// ASAPolicy: a setting of a group policy; policy, setting in the words since release 8.4 (split-tunnel-policy,
	// "anyconnect ssl dtls"), value, gateway. Setting and value are absent where the policy is named only.
	ASAPolicy Kind = "asa.policy"
	// ASAGroup: a setting of a tunnel group; group, setting, value, gateway. As for policies.
	ASAGroup Kind = "asa.group"
	// ASAUser: a setting of a user of the local database; user, setting, value, gateway.
	ASAUser Kind = "asa.user"
	// ASAWebVPN: a setting of the webvpn block; setting, value, gateway. Setting "block" stands for the block itself. That one,
	// and those of policies and groups that stand for attributes, have listed (whole: all of the block is there; begun: the
	// end may be cut; absent: somebody typed it).
	ASAWebVPN Kind = "asa.webvpn"
	// ASAGlobal: a command of one line; setting (ssl trust-point, same-security-traffic, …), value, gateway.
	ASAGlobal Kind = "asa.global"
	// ASAInterface: an interface with a name; name, address (CIDR), gateway.
	ASAInterface Kind = "asa.interface"
	// ASAInterfaceDown: an interface that is shut down; name, gateway.
	ASAInterfaceDown Kind = "asa.interface-down"
	// ASARoute: a static route; interface, network (CIDR), via, tunneled (true or absent), gateway.
	ASARoute Kind = "asa.route"
	// ASATranslation: a rule of address translation; in and out (interfaces), kind (exempt, dynamic, static), source and
	// destination (CIDRs by comma; absent: all), service (tcp/443), gateway.
	ASATranslation Kind = "asa.translation"
	// ASARange: addresses that something else than a pool gives away or has; range (FIRST-LAST), what, gateway.
	ASARange Kind = "asa.range"
	// ASATrustpoint: a trustpoint; name, own (true: it has the ASA's own certificate), issuer (common name of the
	// certificate that it trusts), gateway.
	ASATrustpoint Kind = "asa.trustpoint"
	// ASACertificateRule: certificates with this text go to a tunnel group; map, rule, text, group, gateway.
	ASACertificateRule Kind = "asa.certificate-rule"

	// ASASession: a session of show vpn-sessiondb; user, group, policy, ip, public, protocol, licence, client, tls and
	// dtls (versions), dtls-port, duration, inactivity, tx and rx (bytes to and from the client), phone (true).
	ASASession Kind = "asa.session"
	// ASALicenceUse: a line of show vpn-sessiondb license-summary; feature, installed, active.
	ASALicenceUse Kind = "asa.licence-use"
	// ASANoTrustPoint: show ssl lists no trust point for any interface. No values.
	ASANoTrustPoint Kind = "asa.no-trust-point"
	// ASAImages: show webvpn anyconnect counts the images; installed.
	ASAImages Kind = "asa.images"

	// ASAClock: show clock; time (RFC 3339, its zone taken for UTC).
	ASAClock Kind = "asa.clock"
	// ASAClockSkew: the ASA says, or what it says shows, that its clock is not that of somebody else; reason.
	ASAClockSkew Kind = "asa.clock-skew"
	// ASAAssertionRefused: the ASA takes an identity provider's word for expired or not valid yet; begins (RFC 3339).
	ASAAssertionRefused Kind = "asa.assertion-refused"
	// ASAImageRefused: the ASA does not take an image of the client; reason.
	ASAImageRefused Kind = "asa.image-refused"
	// ASAAccessList: an access list; list, permits (false: nothing at all), gateway.
	ASAAccessList Kind = "asa.access-list"
	// ASAPoolUse: a line of show ip local pool; network (FIRST-LAST), free, used.
	ASAPoolUse Kind = "asa.pool-use"
	// ASATCPOnly: a session has a channel over TCP, and minutes later or at its end none over UDP; user, phone.
	ASATCPOnly Kind = "asa.tcp-only"

	// What did not work has then=in where the same client got further later, or another server answered.

	// ASALoginRefused: a login was refused; user, reason, server, public, and number of the message.
	ASALoginRefused Kind = "asa.login-refused"
	// ASALockedOut: a user is locked after too many attempts; user.
	ASALockedOut Kind = "asa.locked-out"
	// ASAServerDead: a server that knows users does not answer; server, reason.
	ASAServerDead Kind = "asa.server-dead"
	// ASASessionLimit: a login met a limit; user, limit, whose (gateway, user, licence, or aaa: no request of
	// the ASA to a server that knows users can be made any more).
	ASASessionLimit Kind = "asa.session-limit"
	// ASAClientsOff: a session was ended because SSL VPN clients are not served: they are not enabled, or their image
	// is not valid. No values.
	ASAClientsOff Kind = "asa.clients-off"
	// ASALicenceRefused: a session was ended for want of a licence; user, licence.
	ASALicenceRefused Kind = "asa.licence-refused"
	// ASANoAddress: there was no address for a session; user, group, pool, reason (pool, dhcp; unsaid: it may be
	// either, or neither).
	ASANoAddress Kind = "asa.no-address"
	// ASAAddress: a session got an address; user, address, public.
	ASAAddress Kind = "asa.address"
	// ASAEntered: a client entered a tunnel group; user, group, phone (true or absent).
	ASAEntered Kind = "asa.entered"
	// ASASessionEnded: a session ended; user, group, reason, duration, type, phone (true or absent).
	ASASessionEnded Kind = "asa.session-ended"
	// ASANoDTLS: client and gateway found no cipher for DTLS; user.
	ASANoDTLS Kind = "asa.no-dtls"
	// ASALargePacket: a packet did not fit; user, size, threshold.
	ASALargePacket Kind = "asa.large-packet"
	// ASATLSFailed: a TLS handshake failed; public, reason (of OpenSSL, absent where it is not told). A symptom.
	ASATLSFailed Kind = "asa.tls-failed"
	// ASACertificateRefused: a client's certificate was refused; subject, reason.
	ASACertificateRefused Kind = "asa.certificate-refused"
	// ASACertificateEnds: the ASA says that a certificate of its own ends or has ended; trustpoint, ended (true), days.
	ASACertificateEnds Kind = "asa.certificate-ends"
	// ASADenied: a packet was denied; protocol, from, to (addresses), on (the interface that it came to), port, list, own
	// (true: it was for the ASA itself).
	ASADenied Kind = "asa.denied"
	// ASANATFailed: a packet was dropped by address translation; from, to, port.
	ASANATFailed Kind = "asa.nat-failed"
	// ASANoRoute: the ASA knows no way to an address; from, to, port.
	ASANoRoute Kind = "asa.no-route"
	// ASATrouble: an error of the parts that serve VPN which is not known here; number, text. A symptom.
	ASATrouble Kind = "asa.trouble"
)

var (
	_ = symptom(ASATLSFailed, stage.Verify,
		"send `show run ssl`, `show ssl` and `show version` of the ASA",
		"send the phone's console log from the moment it starts its VPN (web page of the phone: Console Logs)")
	_ = symptom(ASATrouble, stage.Tunnel,
		"send the ASA's `show log` from the minute in which the phone tried, and `show run tunnel-group`, `show run group-policy`, `show run webvpn`",
		"send the phone's console log of the same minute")
)

// What IOS with CME tells: its running configuration.
const (
	// IOSGroup: a setting of a vpn-group; group (its number), setting (vpn-gateway, vpn-trustpoint, vpn-hash-algorithm),
	// value, router. Setting and value are absent where the group is named only.
	IOSGroup Kind = "ios.vpn-group"
	// IOSProfile: a setting of a vpn-profile; profile, setting, value, router.
	IOSProfile Kind = "ios.vpn-profile"
	// IOSPhone: an ephone or voice register pool; name (ephone 1), mac, model, vpn-group, vpn-profile, router.
	IOSPhone Kind = "ios.phone"
	// IOSService: telephony-service or voice register global; name, setting, value, router.
	IOSService Kind = "ios.service"
	// IOSGateway: webvpn gateway or context; name (gateway NAME, context NAME), setting, value, router. Setting
	// "block" stands for the block itself.
	IOSGateway Kind = "ios.webvpn"
	// IOSCertificate: a certificate that a router shows; trustpoints (by space), ca (true or absent), subject, not-after.
	IOSCertificate Kind = "ios.certificate"
)

// What CUCM tells of itself.
const (
	// CUCMVersion: version (8.5.1.10000-26), unrestricted (true or absent).
	CUCMVersion Kind = "cucm.version"
	// CUCMTrustList: whether CUCM can verify its own trust list; list (ITL or CTL), verified (true or false).
	CUCMTrustList Kind = "cucm.trust-list"
	// CUCMService: whether a service runs; service (in CUCM's words), state (started or stopped), reason (in CUCM's words, or absent).
	CUCMService Kind = "cucm.service"
	// CUCMObject: an object of the VPN's; type (gateway, group, profile, common phone profile), name, setting, value.
	CUCMObject Kind = "cucm.object"
)

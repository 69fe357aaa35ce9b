package finding

import "github.com/longcord/longcord/stage"

// What can be wrong at the step verify: is this my gateway, and am I who I say?
var (
	CredentialsMissing = Define(Declaration{
		Code: "credentials-missing", Step: stage.Verify, Severity: Fault,
		Args: []string{"phone"},
		Says: "nobody can log in as %[1]s: it is the device of no user, and it has no certificate",
		Fix:  []string{"make a user: `longcord users add NAME --device %[1]s --password-stdin`; or, with logins by certificate, enrol the phone in the office"},
	})
	CredentialCharacters = Define(Declaration{
		Code: "credential-characters", Step: stage.Verify, Severity: Fault,
		Args: []string{"user"},
		Says: "the login of %[1]s has characters that phones cannot send",
		Fix:  []string{"use letters, digits and signs of ASCII in user name and password, and no space"},
		Elsewhere: map[Platform][]string{
			ASA: {
				"rename the user: `no username NAME`, `username NEWNAME password PASSWORD`",
			},
			CUCM: {
				"give the user a name and a password of ASCII letters and digits, without a space",
			},
		},
	})
	TLSVersion = Define(Declaration{
		Code: "tls-version", Step: stage.Verify, Severity: Fault,
		Args: []string{"address"},
		Says: "the gateway %[1]s speaks no TLS version that the phone speaks",
		Fix:  []string{"let the gateway accept TLS 1.0 from old phones: in ours, set legacyPhones on their tunnel group"},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`ssl server-version tlsv1` (before 9.3: `ssl server-version any`), which takes TLS 1.0 and everything newer; 79xx speak TLS 1.0 alone",
			},
			Ocserv: {
				"let ocserv take TLS 1.0: take `-VERS-TLS1.0` out of `tls-priorities`, or set `tls-priorities = \"NONE:+VERS-TLS-ALL:+SIGN-ALL:+COMP-ALL:+RSA:+SHA1:+AES-128-CBC\"`, and restart it",
			},
		},
		Messages: []string{
			"GnuTLS error (at worker-vpn.c:861): A packet with illegal or unsupported version was received.",
			"%ASA-7-725014: SSL lib error. Function: ssl_get_client_hello Reason: unsupported protocol",
			"VPNC: alert_err: SSL read alert: code 70, protocol version",
		},
	})
	TLSCipher = Define(Declaration{
		Code: "tls-cipher", Step: stage.Verify, Severity: Fault,
		Args: []string{"address"},
		Says: "the gateway %[1]s and the phone have no TLS cipher in common",
		Fix:  []string{"enable AES128-SHA or AES256-SHA for phones on the gateway: in ours, set legacyPhones on their tunnel group"},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`ssl cipher tlsv1 custom \"AES256-SHA:AES128-SHA\"` (before 9.3: `ssl encryption aes256-sha1 aes128-sha1`), with an RSA key in the trustpoint",
			},
			Ocserv: {
				"give old phones RSA with AES-128-CBC and SHA-1: `tls-priorities = \"NONE:+VERS-TLS-ALL:+SIGN-ALL:+COMP-ALL:+RSA:+SHA1:+AES-128-CBC\"`, with an RSA key in `server-key`, and restart ocserv",
			},
		},
		Messages: []string{
			"GnuTLS error (at worker-vpn.c:861): No supported cipher suites have been found.",
			"%ASA-7-725014: SSL lib error. Function: SSL3_GET_CLIENT_HELLO Reason: no shared cipher",
			"VPNC: alert_err: SSL read alert: code 40, handshake failure",
		},
	})
	CertificateHashMismatch = Define(Declaration{
		Code: "certificate-hash-mismatch", Step: stage.Verify, Severity: Fault,
		Args: []string{"hash"},
		Says: "the gateway presents a certificate whose hash, %[1]s, is not among those in the phone's file",
		Fix: []string{
			"bring the phone inside once so that it fetches a file with the gateway's present hash",
			"if it is inside and its set-up was made anew, network detection by proof takes it for outside: switch its VPN off once, or delete its stored file (software phone: its --state folder), so that it takes the new one",
		},
		Messages: []string{
			"VPNC: VPN cert chain verification failed, issuer certificate not found and leaf not trusted",
			"VPNC: alert_err: SSL write alert: code 48, unknown CA",
			"VPNC: vpnc_send_notify: notify desc: [alert: Unknown CA (server cert)]",
		},
		Elsewhere: map[Platform][]string{
			Ocserv: {
				"compare: `openssl x509 -in server-cert.pem -outform DER | openssl dgst -sha1 -binary | base64` is what has to stand as a certHash in the phone's file",
			},
			IOS: {
				"name the trustpoint of the gateway's present certificate: `vpn-trustpoint 1 trustpoint NAME leaf` below `vpn-group`, then `create cnf-files` and restart the phone inside",
			},
			CUCM: {
				"upload the gateway's present certificate (Cisco Unified OS Administration > Security > Certificate Management, Phone-VPN-trust), add it in Advanced Features > VPN > VPN Gateway, press Apply Config and restart the phone inside",
			},
			ASA: {
				"see which certificate the outside interface shows: `show running-config ssl` (ssl trust-point) and `show crypto ca certificates`; from 9.4 on also whether it shows an ECDSA one",
			},
		},
	})
	CertificateNotObtained = Define(Declaration{
		Code: "certificate-not-obtained", Step: stage.Verify, Severity: Warning,
		Args: []string{"gateway", "host"},
		Says: "no certificate for gateway %[1]s was obtained from the authority (ACME), so the one in use is not renewed",
		Fix: []string{
			"read the authority's answer, which is the evidence here and stands in the log as `certificate not obtained`",
			"let TCP port 443 of %[2]s lead to the gateway from outside, and have the name in public DNS: the authority asks there",
			"it is asked again after six hours; a restart asks at once. Before the certificate in use ends the spare takes its place",
		},
	})
	NoSpareCertificate = Define(Declaration{
		Code: "no-spare-certificate", Step: stage.Verify, Severity: Warning,
		Args: []string{"gateway"},
		Says: "phones know one certificate of gateway %[1]s only: when it is replaced, lost or runs out, phones outside are locked out",
		Fix:  []string{"make one and let its hash reach every phone: `longcord certs rollover start %[1]s --spare`"},
		Elsewhere: map[Platform][]string{
			IOS: {
				"before you renew the certificate, add the next one as `vpn-trustpoint 2 trustpoint NAME leaf` below `vpn-group`, then `create cnf-files`",
			},
			CUCM: {
				"before you renew the certificate, add the next one beside it in Advanced Features > VPN > VPN Gateway (ten have room), press Apply Config, and let every phone fetch its file",
			},
		},
		MootedBy: []string{"model-without-vpn", "mpp-firmware"},
	})
	NextCertificateUnknown = Define(Declaration{
		Code: "next-certificate-unknown", Step: stage.Verify, Severity: Warning,
		Args: []string{"gateway", "certificate", "phones"},
		Says: "gateway %[1]s presents certificate %[2]s next, and these phones are not known to hold its hash: %[3]s",
		Fix: []string{
			"let the change wait for them, and see who is left: `longcord certs rollover status %[1]s`",
			"have them take up their file, in the office or through their tunnels: `longcord phones restart NAME`; who changes by force locks them out",
		},
	})
	CertificateExpired = Define(Declaration{
		Code: "certificate-expired", Step: stage.Verify, Severity: Fault,
		Args: []string{"gateway", "date"},
		Says: "the certificate of gateway %[1]s ended %[2]s; clients that look at the date refuse it",
		Fix: []string{
			"change to the spare, whose hash phones have already: `longcord certs rollover start %[1]s`, then `longcord certs rollover commit %[1]s`",
			"check the clock of the gateway",
		},
		Elsewhere: map[Platform][]string{
			CUCM: {
				"upload the new certificate to Phone-VPN-trust, add it to the VPN Gateway beside the old one, press Apply Config, and only then change it on the gateway",
			},
			ASA: {
				"`crypto ca enroll NAME` or `crypto ca import NAME pkcs12`; give phones the hash of the new certificate before: CUCM's Phone-VPN-trust, VPN Gateway, then reset the phones inside",
			},
			Ocserv: {
				"renew the certificate of `server-cert`; give phones the hash of the new one first, inside",
			},
		},
		Messages: []string{
			"VPNC: cert_vfy_cb: depth:0 of 0, subject:</CN=vpn.example.com> pre_err: 10 (certificate has expired)",
			"Server certificate verify failed: certificate expired",
		},
	})
	CertificateNotYetValid = Define(Declaration{
		Code: "certificate-not-yet-valid", Step: stage.Verify, Severity: Fault,
		Args: []string{"gateway", "date"},
		Says: "the certificate of gateway %[1]s is not valid before %[2]s",
		Fix:  []string{"check the clock of the gateway", "if the clock is right, change to the spare: `longcord certs rollover start %[1]s`"},
		Elsewhere: map[Platform][]string{
			Ocserv: {
				"compare `date` with `openssl x509 -noout -startdate -in FILE` for the file of `server-cert`, and set the clock by the network: `timedatectl set-ntp true`",
			},
			ASA: {
				"compare `show clock` with the certificate's start date in `show crypto ca certificates`, and set NTP: `ntp server ADDRESS`",
			},
		},
		Messages: []string{
			"Server certificate verify failed: certificate not activated yet",
		},
	})
	CertificateHashOfWrongCertificate = Define(Declaration{
		Code: "certificate-hash-of-wrong-certificate", Step: stage.Verify, Severity: Warning,
		Args: []string{"gateway", "certificate"},
		Says: "phones' files have the hash of %[2]s, which is an authority's certificate that gateway %[1]s does not send: no phone ever compares it",
		Fix:  []string{"put the certificate of that authority behind the gateway's own in its PEM file, or name the gateway's own certificate in the VPNGateway"},
		Elsewhere: map[Platform][]string{
			Ocserv: {
				"put the issuer's certificate behind the gateway's own in the file that server-cert names",
			},
			CUCM: {
				"add the gateway's own certificate, not its authority's, in Advanced Features > VPN > VPN Gateway, and press Apply Config",
			},
			ASA: {
				"install the issuer's certificate in the trust point that the interface shows, `crypto ca authenticate TRUSTPOINT`, so that the ASA sends it",
			},
			IOS: {
				"`voice service voip`, `vpn-group 1`, `vpn-trustpoint 1 trustpoint NAME leaf`: with DTLS a router shows its own certificate alone; then `create cnf-files` and reset the phones inside",
			},
		},
	})
	HostIDMismatch = Define(Declaration{
		Code: "host-id-mismatch", Step: stage.Verify, Severity: Fault,
		Args: []string{"host"},
		Says: "the gateway's certificate does not name %[1]s",
		Fix:  []string{"issue the certificate with %[1]s as subject alternative name, or switch the host check off"},
		Elsewhere: map[Platform][]string{
			IOS: {
				"write `host-id-check disable` below `vpn-profile`, then `create cnf-files`; or use the certificate's name in the URL",
			},
			CUCM: {
				"write the name that the certificate has into the VPN Gateway's URL, or take the tick off Enable Host ID Check in Advanced Features > VPN > VPN Profile, and press Apply Config",
			},
			ASA: {
				"make a certificate with %[1]s as common name or alternative name: `crypto ca trustpoint NAME`, `fqdn %[1]s`, `subject-name CN=%[1]s`, `crypto ca enroll NAME`, `ssl trust-point NAME outside`; give phones the new hash first",
			},
			Ocserv: {
				"make a certificate whose subjectAltName is the host of the URL, name it as `server-cert` with its `server-key`, and give phones the new hash before you restart ocserv",
			},
		},
		Messages: []string{
			"Server certificate verify failed: certificate does not match hostname",
			"curl: (60) SSL: no alternative certificate subject name matches target host name 'vpn.example.com'",
		},
	})
	GroupURLMismatch = Define(Declaration{
		Code: "group-url-mismatch", Step: stage.Verify, Severity: Fault,
		Args: []string{"url"},
		Messages: []string{
			"VPNC: 'webvpn=' not found in cookie",
			"Unexpected 404 result from server",
			"VPNC: process_login: login code: 302 (redirected)",
			"VPNC: process_login: new 'Location': /+webvpn+/index.html",
		},
		Says: "the gateway knows no group URL %[1]s",
		Fix:  []string{"make the URL in the phone's file and the gateway's group URL equal, byte for byte"},
		Elsewhere: map[Platform][]string{
			CUCM: {
				"compare VPN Gateway URL in Advanced Features > VPN > VPN Gateway with the gateway's group URL, then press Apply Config on the phone's page and restart it inside",
			},
			IOS: {
				"`webvpn context NAME`, `gateway GATEWAY domain NAME`: the last part of the phone's URL must be that domain",
			},
			ASA: {
				"`tunnel-group NAME webvpn-attributes`, then `group-url %[1]s enable`, letter by letter as in the phone's file",
			},
			Ocserv: {
				"serve phones with ocserv 1.2.0 or newer, set `cisco-svc-client-compat = true`, and write `https://HOST/svc` into the phone's file: no other path takes phones' logins",
			},
		},
	})
	LoginRefused = Define(Declaration{
		Code: "login-refused", Step: stage.Verify, Severity: Fault,
		Args: []string{"user"},
		Says: "the gateway refuses the login of %[1]s",
		Fix:  []string{"check user name and password; set a new one with `longcord users passwd %[1]s --password-stdin`"},
		Elsewhere: map[Platform][]string{
			ASA: {
				"try it on the ASA: `test aaa-server authentication GROUP host SERVER username %[1]s password PASSWORD`; for local users `show aaa local user` and `username %[1]s password NEW`",
				"see the reason with `debug aaa common 255` while the phone tries",
			},
			Ocserv: {
				"set the password anew: `ocpasswd -c /etc/ocserv/ocpasswd %[1]s`; phones answer one question for user and password, so `auth` is `plain[passwd=FILE]` or `radius[…]` alone, without otp, or `certificate` alone, and no `select-group`",
			},
		},
		Messages: []string{
			"plain-auth: error authenticating user 'phone1'",
			"worker[phone1]: 203.0.113.9 worker-auth.c:1724: failed authentication for 'phone1'",
			"%ASA-6-113015: AAA user authentication Rejected : reason = Invalid password : local database : user = phone1 : user IP = 203.0.113.9",
			"%ASA-6-113005: AAA user authentication Rejected : reason = AAA failure : server = 192.0.2.30 : user = phone1 : user IP = 203.0.113.9",
			"%ASA-4-113040: Terminating the VPN connection attempt from STAFF. Reason: This connection is group locked to PHONES.",
			"(8) Login incorrect (mschap: MS-CHAP2-Response is incorrect): [phone1] (from client gateway port 1269760 cli 203.0.113.9)",
			"%ASA-6-716039: Group <DfltGrpPolicy> User <phone1> IP <203.0.113.9> Authentication: rejected, Session Type: WebVPN.",
		},
		MootedBy: []string{"phone-blocked", "credential-characters"},
	})
	LoginBanned = Define(Declaration{
		Code: "login-banned", Step: stage.Verify, Severity: Warning,
		Args: []string{"user"},
		Says: "logins of %[1]s are put off: too many of them failed",
		Fix: []string{
			"find out who tries there; what was tried is in the log under `login refused`",
			"wait some minutes, or give the user a new password with `longcord users passwd`, which counts at once",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`clear aaa local user lockout username %[1]s`; the limit is `aaa local authentication attempts max-fail NUMBER`",
			},
			Ocserv: {
				"let the address in again: `occtl unban ip %[1]s`; several phones behind one router share it, so raise `max-ban-score` or lower `ban-points-wrong-password`, and mend the phone that fails",
			},
		},
		Messages: []string{
			"main: added IP '203.0.113.9' (with score 80) to ban list, will be reset at: Thu Nov 26 00:16:59 2026",
			"main: rejected connection from banned IP: 203.0.113.9",
			"%ASA-6-113006: User phone1 locked out on exceeding 3 successive failed authentication attempts",
		},
	})
	AAAServerDead = Define(Declaration{
		Code: "aaa-server-dead", Step: stage.Verify, Severity: Fault,
		Args: []string{"name", "reason"},
		Says: "the server %[1]s, which knows users, gives no answer: %[2]s",
		Fix:  []string{"look whether %[1]s runs, whether this machine reaches it, and whether both have the same key; it is asked again by itself"},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`show aaa-server` says which are FAILED; `test aaa-server authentication GROUP host %[1]s username USER password PASSWORD`; `aaa-server GROUP active host %[1]s` brings it back",
			},
		},
		Messages: []string{
			"%ASA-2-113022: AAA Marking RADIUS server 192.0.2.30 in aaa-server group RAD as FAILED",
			"%ASA-6-113014: AAA authentication server not accessible : server = 192.0.2.30 : user = phone1",
		},
	})
	AAAServerUnsigned = Define(Declaration{
		Code: "aaa-server-unsigned", Step: stage.Verify, Severity: Warning,
		Args: []string{"name"},
		Says: "replies of the server %[1]s are taken without Message-Authenticator, so whoever sits between can let anybody in",
		Fix:  []string{"have %[1]s send Message-Authenticator, then take messageAuthenticatorRequired: false away"},
	})
	ClientCertificateUntrusted = Define(Declaration{
		Code: "client-certificate-untrusted", Step: stage.Verify, Severity: Fault,
		Args: []string{"client", "reason"},
		Says: "the gateway does not take the client certificate of %[1]s: %[2]s",
		Fix: []string{
			"compare the certificate's issuer with `longcord get CertificateAuthority`, and name the right authority in certificateAuthorities of the tunnel group",
			"if it was revoked or never issued, give the phone a new one",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"import the issuer: `crypto ca trustpoint CAPF`, `enrollment terminal`, `exit`, `crypto ca authenticate CAPF`, and paste the CAPF certificate of CUCM (for manufacturer's certificates Cisco_Manufacturing_CA and Cisco Root CA 2048)",
				"see what it says of the certificate with `debug crypto ca 255` while the phone tries",
			},
			Ocserv: {
				"name the issuers of phones' certificates as `ca-cert` (the manufacturer's, and the CAPF's), and take the user from the common name: `cert-user-oid = 2.5.4.3`",
			},
		},
		Messages: []string{
			"worker: 203.0.113.9 no certificate provided for authentication",
			"%ASA-3-717009: Certificate validation failed. No suitable trustpoints found to validate certificate serial number: 0A, subject name: cn=CP-7962G-SEP001122334455, issuer name: cn=CAPF.",
			"%ASA-3-717027: Certificate chain failed validation. No suitable trustpoint was found to validate chain.",
			"CRYPTO_PKI: No suitable trustpoints found to validate certificate serial number: 0A",
		},
		MootedBy: []string{"client-certificate-expired"},
	})
	ClientCertificateExpired = Define(Declaration{
		Code: "client-certificate-expired", Step: stage.Verify, Severity: Fault,
		Args: []string{"client", "reason"},
		Says: "the client certificate of %[1]s is not valid now: %[2]s",
		Fix: []string{
			"give the phone a new certificate; it must be inside for that, or on a group that takes a password",
			"check the clock of the gateway",
		},
		Elsewhere: map[Platform][]string{
			CUCM: {
				"have it give the phone a new certificate: Device > Phone, Certificate Operation Install/Upgrade, with the phone inside",
			},
			ASA: {
				"check the clock: `show clock`, `ntp server ADDRESS`",
				"have CUCM give the phone a new certificate: on the phone's page set Certificate Operation to Install/Upgrade, with the phone inside",
			},
		},
		Messages: []string{
			"%ASA-3-717027: Certificate chain failed validation. Certificate chain contains an expired certificate.",
		},
	})
	LSCExpires = Define(Declaration{
		Code: "lsc-expires", Step: stage.Verify, Severity: Warning,
		Args: []string{"device", "date"},
		Says: "the certificate of %[1]s ends on %[2]s and the phone has not come to renew it; after that it cannot log in by certificate",
		Fix: []string{
			"restart the phone, inside or in its tunnel: it renews by itself when it starts (`longcord phones restart %[1]s`)",
			"if it still does not, see what it is waited for with `longcord certs enroll status %[1]s`",
		},
	})
	AuthorityKeyExpires = Define(Declaration{
		Code: "authority-key-expires", Step: stage.Verify, Severity: Warning,
		Args: []string{"purpose", "date"},
		Says: "the certificate of this house's key %[1]s ends on %[2]s; phones may not believe it after that",
		Fix: []string{
			"make a new one when `longcord trust show` names no phone that lags behind: `longcord trust replace %[1]s`",
			"if it is signer-1: let the other sign first (`longcord trust promote`), and replace it as signer-2 then",
		},
	})
	ManufacturerCertificateExpires = Define(Declaration{
		Code: "manufacturer-certificate-expires", Step: stage.Verify, Severity: Warning,
		Args: []string{"device", "date"},
		Says: "the manufacturer's certificate of %[1]s ends on %[2]s; phones cannot prove themselves by it after that",
		Fix:  []string{"give the phones certificates of this house before that: `longcord certs enroll start`"},
	})
	RevocationListStale = Define(Declaration{
		Code: "revocation-list-stale", Step: stage.Verify, Severity: Warning,
		Args: []string{"authority", "date"},
		Says: "the list of revoked certificates of %[1]s should have been renewed by %[2]s; certificates revoked since then are let in",
		Fix:  []string{"fetch the new list, give it as crlFile of the certificate authority %[1]s, and apply the inventory"},
	})
	StoreWriteFailed = Define(Declaration{
		Code: "store-write-failed", Step: stage.Verify, Severity: Fault,
		Says: "the gateway cannot store sessions, so nobody new can log in",
		Fix: []string{
			"make room on the disk that holds the state folder (`df` shows how full it is), or mend what else the evidence says",
			"wait some seconds: the gateway tries again by itself, and its sessions live on meanwhile",
		},
	})
	SessionLimit = Define(Declaration{
		Code: "session-limit", Step: stage.Verify, Severity: Fault,
		Args: []string{"user"},
		Says: "%[1]s has as many sessions as it may have, all of them in use",
		Fix:  []string{"log one off with `longcord sessions logoff`, or raise simultaneousLogins in the group policy"},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`group-policy NAME attributes`, then `vpn-simultaneous-logins NUMBER`, at least as many as phones that log in as one user (0 lets nobody in)",
				"end sessions that are dead with `vpn-sessiondb logoff name USER`; if it is the limit of the ASA, see `show vpn-sessiondb license-summary`",
				"if it is AAA that has none left (113001), look in `show aaa-server` for servers that do not answer, which hold them; restarting the ASA frees them",
			},
			Ocserv: {
				"raise `max-same-clients` (0: no limit) or `max-clients`, or end old sessions with `occtl disconnect user %[1]s`",
			},
		},
		Messages: []string{
			"main[phone1]:203.0.113.9:44392 user tried to connect more than 1 times",
			"main: reached maximum client limit (active: 16)",
			"%ASA-6-113013: AAA unable to complete the request Error : reason = Simultaneous logins exceeded for user : user = phone1",
			"%ASA-4-113029: Group <GP> User <phone1> IP <203.0.113.9> Session could not be established: session limit of 2 reached.",
			"%ASA-3-113001: Unable to open AAA session. Session limit [2048] reached",
			"%ASA-4-716023: Group <GP> User <phone1> IP <203.0.113.9> Session could not be established: session limit of 2 reached.",
		},
	})
	LicenseMissing = Define(Declaration{
		Code: "license-missing", Step: stage.Verify, Severity: Fault,
		Args: []string{"gateway", "licence"},
		Says: "%[1]s lacks the licence %[2]s, which phones need",
		Fix: []string{
			"get the licence",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"see what is there with `show version | include Phone|Premium|SSL VPN Peers`: the phone licence must say Enabled, and there must be as many Premium (SSL VPN) peers as phones",
				"put a new key in with `activation-key KEY`; from 9.x on with Plus or Apex licences both are in the key",
			},
		},
		Messages: []string{
			"%ASA-3-716057: Group <GP> User <phone1> IP <203.0.113.9> Session terminated, no LinkSys Phone license available",
			"AnyConnect for Cisco VPN Phone    : Disabled       perpetual",
			"AnyConnect for Linksys phone   : Disabled",
		},
	})
	EssentialsLicense = Define(Declaration{
		Code: "essentials-license", Step: stage.Verify, Severity: Fault,
		Args: []string{"gateway"},
		Says: "%[1]s runs with the AnyConnect Essentials licence, which lets no phone in",
		Fix: []string{
			"use the Premium licence",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`webvpn`, then `no anyconnect-essentials`; the Premium and the phone licence must be there",
			},
		},
	})
	DefaultWEBVPNGroup = Define(Declaration{
		Code: "default-webvpn-group", Step: stage.Verify, Severity: Fault,
		Args: []string{"url"},
		Says: "the URL %[1]s leads into the default group, which lets phones log in and gives them nothing",
		Fix: []string{
			"give the phones' tunnel group that group URL",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`tunnel-group NAME webvpn-attributes`, then `group-url URL enable` with the URL of the phones' files; take the phones' settings and the URL away from DefaultWEBVPNGroup",
			},
		},
	})
	ClientDialect = Define(Declaration{
		Code: "client-dialect", Step: stage.Verify, Severity: Note,
		Args: []string{"client", "what"},
		Says: "%[1]s speaks in a way that nobody has seen yet: %[2]s",
		Fix: []string{
			"keep the line `client is not understood` of the log, and send it to whoever makes the gateway: it settles what is only inferred about this client",
		},
		Messages: []string{
			"ocserv[123]: worker: Unknown client (Cisco SVC IPPhone Client v1.0)",
		},
	})
	AnyConnectNotAllowed = Define(Declaration{
		Code: "anyconnect-not-allowed", Step: stage.Verify, Severity: Fault,
		Args: []string{"policy"},
		Says: "the group policy %[1]s does not allow the protocol that phones use",
		Fix: []string{
			"allow SSL VPN clients in that policy",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`group-policy %[1]s attributes`, then `vpn-tunnel-protocol ssl-client` (before 8.4: `vpn-tunnel-protocol svc`) beside what stands there",
			},
		},
		Messages: []string{
			"%ASA-4-722050: Group <GP> User <phone1> IP <203.0.113.9> Session terminated: SVC not enabled for the user",
			"%ASA-4-722048: Group <GP> User <phone1> IP <203.0.113.9> Tunnel terminated: SVC not enabled for the user",
		},
	})
	CertificateMapWrong = Define(Declaration{
		Code: "certificate-map-wrong", Step: stage.Verify, Severity: Fault,
		Args: []string{"group", "other"},
		Says: "certificates of phones are mapped to tunnel group %[1]s, so the group URL of %[2]s does not count",
		Fix: []string{
			"let the certificate map lead to the phones' group",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`webvpn`, then `certificate-group-map MAP RULE %[2]s`, or `no certificate-group-map MAP RULE %[1]s`",
			},
		},
	})
	GatewayCertificateTemporary = Define(Declaration{
		Code: "gateway-certificate-temporary", Step: stage.Verify, Severity: Warning,
		Args: []string{"interface"},
		Says: "no certificate is bound to interface %[1]s, so the gateway makes itself one, and another at its next start; phones have the hash of the old one then",
		Fix: []string{
			"bind a certificate that stays",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`ssl trust-point NAME %[1]s`, with a trustpoint that has an RSA key and the phones' host as its name; give phones its hash inside",
			},
		},
	})
	HostScanOnPhones = Define(Declaration{
		Code: "host-scan-on-phones", Step: stage.Verify, Severity: Fault,
		Args: []string{"group"},
		Says: "Host Scan is on, and tunnel group %[1]s does not except phones from it, which cannot run it",
		Fix: []string{
			"except the phones' group",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`tunnel-group %[1]s webvpn-attributes`, then `without-csd`",
			},
		},
	})
	BannerOnPhones = Define(Declaration{
		Code: "banner-on-phones", Step: stage.Verify, Severity: Warning,
		Args: []string{"policy"},
		Says: "the group policy %[1]s shows a banner, which nobody can accept on a phone",
		Fix: []string{
			"take the banner away for phones",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"`group-policy %[1]s attributes`, then `banner none`",
			},
		},
	})
)

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
		Says: "the user name %[1]s has characters that phones cannot send",
		Fix:  []string{"use letters, digits and signs of ASCII, and no space"},
	})
	TLSVersion = Define(Declaration{
		Code: "tls-version", Step: stage.Verify, Severity: Fault,
		Args: []string{"address"},
		Says: "the gateway %[1]s speaks no TLS version that the phone speaks",
		Fix:  []string{"let the gateway accept TLS 1.0 from old phones: in ours, set legacyPhones on their tunnel group"},
		Elsewhere: map[Platform][]string{
			Ocserv: {
				"let ocserv take TLS 1.0: take `-VERS-TLS1.0` out of `tls-priorities`, or set `tls-priorities = \"NONE:+VERS-TLS-ALL:+SIGN-ALL:+COMP-ALL:+RSA:+SHA1:+AES-128-CBC\"`, and restart it",
			},
		},
		Messages: []string{
			"GnuTLS error (at worker-vpn.c:861): A packet with illegal or unsupported version was received.",
		},
	})
	TLSCipher = Define(Declaration{
		Code: "tls-cipher", Step: stage.Verify, Severity: Fault,
		Args: []string{"address"},
		Says: "the gateway %[1]s and the phone have no TLS cipher in common",
		Fix:  []string{"enable AES128-SHA or AES256-SHA for phones on the gateway: in ours, set legacyPhones on their tunnel group"},
		Elsewhere: map[Platform][]string{
			Ocserv: {
				"give old phones RSA with AES-128-CBC and SHA-1: `tls-priorities = \"NONE:+VERS-TLS-ALL:+SIGN-ALL:+COMP-ALL:+RSA:+SHA1:+AES-128-CBC\"`, with an RSA key in `server-key`, and restart ocserv",
			},
		},
		Messages: []string{
			"GnuTLS error (at worker-vpn.c:861): No supported cipher suites have been found.",
		},
	})
	CertificateHashMismatch = Define(Declaration{
		Code: "certificate-hash-mismatch", Step: stage.Verify, Severity: Fault,
		Args: []string{"hash"},
		Says: "the gateway presents a certificate with hash %[1]s, which is not among the hashes in the phone's file",
		Fix: []string{
			"bring the phone inside once so that it fetches a file with the gateway's present hash",
			"if it is inside and its set-up was made anew, network detection by proof takes it for outside: switch its VPN off once, or delete its stored file (software phone: its --state folder), so that it takes the new one",
		},
	})
	NoSpareCertificate = Define(Declaration{
		Code: "no-spare-certificate", Step: stage.Verify, Severity: Warning,
		Args: []string{"gateway"},
		Says: "gateway %[1]s has no finished spare certificate: when the one in use is lost or runs out, phones outside are locked out",
		Fix:  []string{"make one and let its hash reach every phone: `longcord certs rollover start %[1]s --spare`"},
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
			Ocserv: {
				"renew the certificate of `server-cert`; give phones the hash of the new one first, inside",
			},
		},
	})
	CertificateNotYetValid = Define(Declaration{
		Code: "certificate-not-yet-valid", Step: stage.Verify, Severity: Fault,
		Args: []string{"gateway", "date"},
		Says: "the certificate of gateway %[1]s is not valid before %[2]s",
		Fix:  []string{"check the clock of the gateway", "if the clock is right, change to the spare: `longcord certs rollover start %[1]s`"},
	})
	CertificateHashOfWrongCertificate = Define(Declaration{
		Code: "certificate-hash-of-wrong-certificate", Step: stage.Verify, Severity: Warning,
		Args: []string{"gateway", "certificate"},
		Says: "phones' files have the hash of %[2]s, which is an authority's certificate that gateway %[1]s does not send: no phone ever compares it",
		Fix:  []string{"put the certificate of that authority behind the gateway's own in its PEM file, or name the gateway's own certificate in the VPNGateway"},
	})
	HostIDMismatch = Define(Declaration{
		Code: "host-id-mismatch", Step: stage.Verify, Severity: Fault,
		Args: []string{"host"},
		Says: "the gateway's certificate does not name %[1]s",
		Fix:  []string{"issue the certificate with %[1]s as subject alternative name, or switch the host check off"},
		Elsewhere: map[Platform][]string{
			Ocserv: {
				"make a certificate whose subjectAltName is the host of the URL, name it as `server-cert` with its `server-key`, and give phones the new hash before you restart ocserv",
			},
		},
	})
	GroupURLMismatch = Define(Declaration{
		Code: "group-url-mismatch", Step: stage.Verify, Severity: Fault,
		Args: []string{"url"},
		Messages: []string{
			"VPNC: 'webvpn=' not found in cookie",
			"Unexpected 404 result from server",
		},
		Says: "the gateway knows no group URL %[1]s",
		Fix:  []string{"make the URL in the phone's file and the gateway's group URL equal, byte for byte"},
		Elsewhere: map[Platform][]string{
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
			Ocserv: {
				"set the password anew: `ocpasswd -c /etc/ocserv/ocpasswd %[1]s`; phones answer one question for user and password, so `auth` is `plain[passwd=FILE]` or `radius[…]` alone, without otp, or `certificate` alone, and no `select-group`",
			},
		},
		Messages: []string{
			"plain-auth: error authenticating user 'phone1'",
			"worker[phone1]: 203.0.113.9 worker-auth.c:1724: failed authentication for 'phone1'",
		},
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
			Ocserv: {
				"let the address in again: `occtl unban ip %[1]s`; several phones behind one router share it, so raise `max-ban-score` or lower `ban-points-wrong-password`, and mend the phone that fails",
			},
		},
		Messages: []string{
			"main: added IP '203.0.113.9' (with score 80) to ban list, will be reset at: Thu Nov 26 00:16:59 2026",
			"main: rejected connection from banned IP: 203.0.113.9",
		},
	})
	AAAServerDead = Define(Declaration{
		Code: "aaa-server-dead", Step: stage.Verify, Severity: Fault,
		Args: []string{"name", "reason"},
		Says: "the server %[1]s, which knows users, gives no answer: %[2]s",
		Fix:  []string{"look whether %[1]s runs, whether this machine reaches it, and whether both have the same key; it is asked again by itself"},
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
			Ocserv: {
				"name the issuers of phones' certificates as `ca-cert` (the manufacturer's, and the CAPF's), and take the user from the common name: `cert-user-oid = 2.5.4.3`",
			},
		},
		Messages: []string{
			"worker: 203.0.113.9 no certificate provided for authentication",
		},
	})
	ClientCertificateExpired = Define(Declaration{
		Code: "client-certificate-expired", Step: stage.Verify, Severity: Fault,
		Args: []string{"client", "reason"},
		Says: "the client certificate of %[1]s is not valid now: %[2]s",
		Fix: []string{
			"give the phone a new certificate; it must be inside for that, or on a group that takes a password",
			"check the clock of the gateway",
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
		Says: "%[1]s has as many sessions as its group policy allows, all of them in use",
		Fix:  []string{"log one off with `longcord sessions logoff`, or raise simultaneousLogins in the group policy"},
		Elsewhere: map[Platform][]string{
			Ocserv: {
				"raise `max-same-clients` (0: no limit) or `max-clients`, or end old sessions with `occtl disconnect user %[1]s`",
			},
		},
		Messages: []string{
			"main[phone1]:203.0.113.9:44392 user tried to connect more than 1 times",
			"main: reached maximum client limit (active: 16)",
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
				"check with `show version | include Phone` that AnyConnect for Cisco VPN Phone says Enabled, and that AnyConnect Premium Peers is large enough; a new key goes in with `activation-key`",
			},
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
				"`tunnel-group NAME webvpn-attributes`, then `group-url %[1]s enable`; remove the phones' settings from DefaultWEBVPNGroup",
			},
		},
	})
	ClientDialect = Define(Declaration{
		Code: "client-dialect", Step: stage.Verify, Severity: Note,
		Args: []string{"client", "what"},
		Says: "%[1]s speaks in a way that nobody has seen yet: %[2]s",
		Fix: []string{
			"keep the log line: it settles what is only inferred about this client",
		},
	})
)

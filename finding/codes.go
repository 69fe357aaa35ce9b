package finding

import "github.com/longcord/longcord/stage"

// What can be wrong, in story order.
var (
	ConfigInvalid = Define(Declaration{
		Code: "config-invalid", Step: stage.Provision, Severity: Fault,
		Says: "%[1]s is not a file that a phone can use: %[2]s",
		Fix:  []string{"let the file server give the phone another file; the phone keeps the one it has until then"},
	})
	PortTaken = Define(Declaration{
		Code: "port-taken", Step: stage.Provision, Severity: Fault,
		Says: "%[1]s is already in use by %[2]s",
		Fix:  []string{"stop %[2]s or give this service another address in longcord.yaml"},
	})
	TFTPUnreachable = Define(Declaration{
		Code: "tftp-unreachable", Step: stage.Provision, Severity: Fault,
		Says: "no file server answers at %[1]s",
		Fix:  []string{"check that UDP 69 and TCP 6970 of %[1]s can be reached from the phone"},
	})
	TFTPFileMissing = Define(Declaration{
		Code: "tftp-file-missing", Step: stage.Provision, Severity: Fault,
		Says: "%[1]s does not have the file %[2]s",
		Fix:  []string{"add the phone: `longcord phones add`"},
	})
	DoorOpen = Define(Declaration{
		Code: "door-open", Step: stage.Provision, Severity: Note,
		Says: "%[2]s may fetch the starter file of %[1]s until %[3]s, because somebody there confirmed an invitation",
		Fix:  []string{"nothing, if the phone is expected there; else shut the door with `longcord phones invite --revoke %[1]s`"},
	})
	UnknownPhone = Define(Declaration{
		Code: "unknown-phone", Step: stage.Provision, Severity: Note,
		Says: "a phone that nobody has added, %[1]s, asks from %[2]s",
		Fix: []string{
			"if it is one of yours, add it: `longcord phones add %[1]s --model %[3]s --line NUMBER`",
			"see all of them with `longcord phones list --unknown`",
		},
	})
	FilesRefused = Define(Declaration{
		Code: "files-refused", Step: stage.Provision, Severity: Warning,
		Says: "the file server gives %[1]s nothing of what it asks for: %[2]s",
		Fix: []string{
			"if phones of the office stand in that network, add it to officeNetworks below provisioner: in longcord.yaml, and start anew",
			"if you work at that machine, add its address to operators there",
			"if it is a phone in a tunnel, and that login is this phone's, say so: `longcord users set %[3]s --device %[4]s`, which counts at once; or give it a certificate",
			"if the phone is blocked and should not be: `longcord phones unblock`",
		},
	})
	FilesInPlain = Define(Declaration{
		Code: "files-in-plain", Step: stage.Provision, Severity: Warning,
		Says: "whoever is in %[1]s gets the files of %[2]d phones, with the passwords of their lines, by knowing a phone's MAC address",
		Fix: []string{
			"keep strangers out of the phones' network, and UDP 69 and TCP 6970 inside",
			"name only the phones' networks as officeNetworks below provisioner: in longcord.yaml",
			"give phones certificates with `longcord certs enroll` and have their files encrypted: tftpEncryptedConfig: true in their common phone profile",
		},
	})
	LoadMissing = Define(Declaration{
		Code: "load-missing", Step: stage.Provision, Severity: Warning,
		Says: "phones are told to run the load %[1]s, and the folder of files lacks %[2]s",
		Fix: []string{
			"put %[2]s into the folder that files: names below provisioner: in longcord.yaml; the vendor's archive of the load holds it",
			"or take load: %[1]s away from the devices; each keeps the load that it has",
		},
	})
	TrustListMismatch = Define(Declaration{
		Code: "trust-list-mismatch", Step: stage.Provision, Severity: Fault,
		Says: "the phone does not believe %[1]s of %[2]s: nobody whom its trust lists or TVS know has signed it",
		Fix: []string{
			"check that the phone reaches TVS, TCP 2445, at the addresses that its stored file names",
			"if another server's lists are on the phone, give Longcord that one's signer: `longcord trust import-signer FILE`",
			"if that key is lost, erase the trust lists on the phone: 88xx Reset Settings > Security, 79xx Security Configuration > Trust List > **# Erase",
		},
	})
	FileNotFetched = Define(Declaration{
		Code: "file-not-fetched", Step: stage.Provision, Severity: Fault,
		Says: "%[1]s has never fetched its file, so it knows no gateway",
		Fix:  []string{"start the phone in the office once, with its TFTP server set; or bring it its first file: `longcord phones invite %[1]s`"},
	})
	AlternateTFTPNotSet = Define(Declaration{
		Code: "alternate-tftp-not-set", Step: stage.Provision, Severity: Fault,
		Says: "%[1]s does not hold %[2]s in both TFTP fields, so at home it may ask a server that its router names",
		Fix:  []string{"set Alternate TFTP to Yes, TFTP Server 1 and TFTP Server 2 to %[2]s on the phone: %[3]s"},
	})
	WebAccessOff = Define(Declaration{
		Code: "web-access-off", Step: stage.Provision, Severity: Fault,
		Says: "the file of %[1]s shuts its web page, so nobody can see what the phone does when it is away",
		Fix:  []string{"set webAccess to 0 in the phone's settings or template, and let it fetch its file"},
	})
	ModelWithoutVPN = Define(Declaration{
		Code: "model-without-vpn", Step: stage.Provision, Severity: Fault,
		Says: "%[1]s is a %[2]s, which has no VPN client",
		Fix:  []string{"take another model home; `longcord phones models` lists which have one"},
	})
	LoadTooOld = Define(Declaration{
		Code: "load-too-old", Step: stage.Provision, Severity: Fault,
		Says: "%[1]s runs %[2]s, and its VPN client begins with %[3]s",
		Fix:  []string{"put a newer load into the folder of files, name it as load of the Device, and restart the phone in the office"},
	})
	NotRegistered = Define(Declaration{
		Code: "not-registered", Step: stage.Register, Severity: Fault,
		Says: "%[1]s has not registered since it fetched its file, so nobody knows whether the file works",
		Fix:  []string{"restart the phone in the office, and wait until `longcord phones show %[1]s` says that it is registered"},
	})
	CredentialsMissing = Define(Declaration{
		Code: "credentials-missing", Step: stage.Verify, Severity: Fault,
		Says: "nobody can log in as %[1]s: it is the device of no user, and it has no certificate",
		Fix:  []string{"make a user: `longcord users add NAME --device %[1]s --password-stdin`; or, with logins by certificate, enrol the phone in the office"},
	})
	CredentialCharacters = Define(Declaration{
		Code: "credential-characters", Step: stage.Verify, Severity: Fault,
		Says: "the user name %[1]s has characters that phones cannot send",
		Fix:  []string{"use letters, digits and signs of ASCII, and no space"},
	})
	GatewayNameElsewhere = Define(Declaration{
		Code: "gateway-name-elsewhere", Step: stage.Connect, Severity: Fault,
		Says: "the gateway's name %[1]s leads to %[2]s, and the gateway listens on %[3]s",
		Fix:  []string{"let public DNS name the address by which the gateway is reached from outside"},
	})
	NetworkDetectionUnreliable = Define(Declaration{
		Code: "network-detection-unreliable", Step: stage.Detect, Severity: Warning,
		Says: "%[1]s may not find out by itself that it is outside: %[2]s",
		Fix: []string{
			"set autoNetworkDetection: true in the VPN profile, and give the phone a load from 9.2(1) on",
			"or show its user where the VPN is switched on by hand",
		},
	})
	HomeNetworkOverlaps = Define(Declaration{
		Code: "home-network-overlaps", Step: stage.Detect, Severity: Warning,
		Says: "the phones' file server %[1]s is in %[2]s, which many homes have, too (%[3]s): there a phone that only pings it takes itself for inside",
		Fix:  []string{"give the file server an address of its own that no home uses: `provisioner: address:` in longcord.yaml, and that address in the phones' TFTP fields"},
	})
	VPNNotConfigured = Define(Declaration{
		Code: "vpn-not-configured", Step: stage.Detect, Severity: Fault,
		Says: "%[1]s has no file that names a VPN gateway, so it cannot be used outside",
		Fix:  []string{"give the device a common phone profile with a VPN group, then let it fetch its file inside"},
	})
	ForeignTFTPServer = Define(Declaration{
		Code: "foreign-tftp-server", Step: stage.Detect, Severity: Warning,
		Says: "%[1]s answers pings but is not this phone's file server",
		Fix:  []string{"set Alternate TFTP on the phone to the office's own server in both TFTP fields"},
	})
	GatewayUnreachable = Define(Declaration{
		Code: "gateway-unreachable", Step: stage.Connect, Severity: Fault,
		Says: "the gateway %[1]s does not answer on TCP",
		Fix:  []string{"check the address, the port forwarding and the firewall in front of the gateway"},
	})
	GatewayNameUnresolved = Define(Declaration{
		Code: "gateway-name-unresolved", Step: stage.Connect, Severity: Fault,
		Says: "the name %[1]s of the gateway does not resolve",
		Fix:  []string{"publish %[1]s in public DNS"},
	})
	TLSVersion = Define(Declaration{
		Code: "tls-version", Step: stage.Verify, Severity: Fault,
		Says: "the gateway %[1]s speaks no TLS version that the phone speaks",
		Fix:  []string{"let the gateway accept TLS 1.0 from old phones: in ours, set legacyPhones on their tunnel group"},
	})
	TLSCipher = Define(Declaration{
		Code: "tls-cipher", Step: stage.Verify, Severity: Fault,
		Says: "the gateway %[1]s and the phone have no TLS cipher in common",
		Fix:  []string{"enable AES128-SHA or AES256-SHA for phones on the gateway: in ours, set legacyPhones on their tunnel group"},
	})
	CertificateHashMismatch = Define(Declaration{
		Code: "certificate-hash-mismatch", Step: stage.Verify, Severity: Fault,
		Says: "the gateway presents a certificate with hash %[1]s, which is not among the hashes in the phone's file",
		Fix: []string{
			"bring the phone inside once so that it fetches a file with the gateway's present hash",
			"if it is inside and its set-up was made anew, network detection by proof takes it for outside: switch its VPN off once, or delete its stored file (software phone: its --state folder), so that it takes the new one",
		},
	})
	NoSpareCertificate = Define(Declaration{
		Code: "no-spare-certificate", Step: stage.Verify, Severity: Warning,
		Says: "gateway %[1]s has no finished spare certificate: when the one in use is lost or runs out, phones outside are locked out",
		Fix:  []string{"make one and let its hash reach every phone: `longcord certs rollover start %[1]s --spare`"},
	})
	CertificateExpired = Define(Declaration{
		Code: "certificate-expired", Step: stage.Verify, Severity: Fault,
		Says: "the certificate of gateway %[1]s ended %[2]s; clients that look at the date refuse it",
		Fix: []string{
			"change to the spare, whose hash phones have already: `longcord certs rollover start %[1]s`, then `longcord certs rollover commit %[1]s`",
			"check the clock of the gateway",
		},
	})
	CertificateNotYetValid = Define(Declaration{
		Code: "certificate-not-yet-valid", Step: stage.Verify, Severity: Fault,
		Says: "the certificate of gateway %[1]s is not valid before %[2]s",
		Fix:  []string{"check the clock of the gateway", "if the clock is right, change to the spare: `longcord certs rollover start %[1]s`"},
	})
	CertificateHashOfWrongCertificate = Define(Declaration{
		Code: "certificate-hash-of-wrong-certificate", Step: stage.Verify, Severity: Warning,
		Says: "phones' files have the hash of %[2]s, which is an authority's certificate that gateway %[1]s does not send: no phone ever compares it",
		Fix:  []string{"put the certificate of that authority behind the gateway's own in its PEM file, or name the gateway's own certificate in the VPNGateway"},
	})
	ConfigChangeNotTaken = Define(Declaration{
		Code: "config-change-not-taken", Step: stage.Provision, Severity: Warning,
		Says: "%[1]s is there, and has not taken up the file that changed %[2]s",
		Fix: []string{
			"restart it so that it fetches its file: `longcord phones restart %[1]s`",
			"if that does not help, look whether it gets the file: the log of the file server names it",
		},
	})
	HostIDMismatch = Define(Declaration{
		Code: "host-id-mismatch", Step: stage.Verify, Severity: Fault,
		Says: "the gateway's certificate does not name %[1]s",
		Fix:  []string{"issue the certificate with %[1]s as subject alternative name, or switch the host check off"},
	})
	GroupURLMismatch = Define(Declaration{
		Code: "group-url-mismatch", Step: stage.Verify, Severity: Fault,
		Says: "the gateway knows no group URL %[1]s",
		Fix:  []string{"make the URL in the phone's file and the gateway's group URL equal, byte for byte"},
	})
	LoginRefused = Define(Declaration{
		Code: "login-refused", Step: stage.Verify, Severity: Fault,
		Says: "the gateway refuses the login of %[1]s",
		Fix:  []string{"check user name and password; set a new one with `longcord users passwd %[1]s --password-stdin`"},
	})
	LoginBanned = Define(Declaration{
		Code: "login-banned", Step: stage.Verify, Severity: Warning,
		Says: "logins of %[1]s are put off: too many of them failed",
		Fix: []string{
			"find out who tries there; what was tried is in the log under `login refused`",
			"wait some minutes, or give the user a new password with `longcord users passwd`, which counts at once",
		},
	})
	AAAServerDead = Define(Declaration{
		Code: "aaa-server-dead", Step: stage.Verify, Severity: Fault,
		Says: "the server %[1]s, which knows users, gives no answer: %[2]s",
		Fix:  []string{"look whether %[1]s runs, whether this machine reaches it, and whether both have the same key; it is asked again by itself"},
	})
	AAAServerUnsigned = Define(Declaration{
		Code: "aaa-server-unsigned", Step: stage.Verify, Severity: Warning,
		Says: "replies of the server %[1]s are taken without Message-Authenticator, so whoever sits between can let anybody in",
		Fix:  []string{"have %[1]s send Message-Authenticator, then take messageAuthenticatorRequired: false away"},
	})
	ClientCertificateUntrusted = Define(Declaration{
		Code: "client-certificate-untrusted", Step: stage.Verify, Severity: Fault,
		Says: "the gateway does not take the client certificate of %[1]s: %[2]s",
		Fix: []string{
			"compare the certificate's issuer with `longcord get CertificateAuthority`, and name the right authority in certificateAuthorities of the tunnel group",
			"if it was revoked or never issued, give the phone a new one",
		},
	})
	ClientCertificateExpired = Define(Declaration{
		Code: "client-certificate-expired", Step: stage.Verify, Severity: Fault,
		Says: "the client certificate of %[1]s is not valid now: %[2]s",
		Fix: []string{
			"give the phone a new certificate; it must be inside for that, or on a group that takes a password",
			"check the clock of the gateway",
		},
	})
	LSCExpires = Define(Declaration{
		Code: "lsc-expires", Step: stage.Verify, Severity: Warning,
		Says: "the certificate of %[1]s ends on %[2]s and the phone has not come to renew it; after that it cannot log in by certificate",
		Fix: []string{
			"restart the phone, inside or in its tunnel: it renews by itself when it starts (`longcord phones restart %[1]s`)",
			"if it still does not, see what it is waited for with `longcord certs enroll status %[1]s`",
		},
	})
	AuthorityKeyExpires = Define(Declaration{
		Code: "authority-key-expires", Step: stage.Verify, Severity: Warning,
		Says: "the certificate of this house's key %[1]s ends on %[2]s; phones may not believe it after that",
		Fix: []string{
			"make a new one when `longcord trust show` names no phone that lags behind: `longcord trust replace %[1]s`",
			"if it is signer-1: let the other sign first (`longcord trust promote`), and replace it as signer-2 then",
		},
	})
	ManufacturerCertificateExpires = Define(Declaration{
		Code: "manufacturer-certificate-expires", Step: stage.Verify, Severity: Warning,
		Says: "the manufacturer's certificate of %[1]s ends on %[2]s; phones cannot prove themselves by it after that",
		Fix:  []string{"give the phones certificates of this house before that: `longcord certs enroll start`"},
	})
	RevocationListStale = Define(Declaration{
		Code: "revocation-list-stale", Step: stage.Verify, Severity: Warning,
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
	AccountingStopped = Define(Declaration{
		Code: "accounting-stopped", Step: stage.Tunnel, Severity: Warning,
		Says: "none of the servers %[1]s takes accounts of sessions: %[2]s",
		Fix:  []string{"look whether %[1]s take accounting on accountingPort; reports wait until then, and are lost when this machine restarts"},
	})
	SessionLimit = Define(Declaration{
		Code: "session-limit", Step: stage.Verify, Severity: Fault,
		Says: "%[1]s has as many sessions as its group policy allows, all of them in use",
		Fix:  []string{"log one off with `longcord sessions logoff`, or raise simultaneousLogins in the group policy"},
	})
	AddressPoolExhausted = Define(Declaration{
		Code: "address-pool-exhausted", Step: stage.Tunnel, Severity: Fault,
		Says: "the address pool %[1]s has no free address",
		Fix:  []string{"enlarge the pool %[1]s or log off sessions that are not used"},
	})
	DTLSBlocked = Define(Declaration{
		Code: "dtls-blocked", Step: stage.Tunnel, Severity: Warning,
		Says: "UDP %[1]s to the gateway does not get through; voice runs over TCP and will suffer",
		Fix:  []string{"let UDP 443 through to the gateway"},
	})
	DeadPeer = Define(Declaration{
		Code: "dead-peer", Step: stage.Tunnel, Severity: Fault,
		Says: "the gateway stopped answering",
		Fix:  []string{"check the line between phone and gateway"},
	})
	LegacyInUse = Define(Declaration{
		Code: "legacy-in-use", Step: stage.Tunnel, Severity: Note,
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
		Says: "the office has no way back to the phones' addresses %[1]s",
		Fix:  []string{"route %[1]s to %[2]s on the office's router"},
	})
	PoolOverlaps = Define(Declaration{
		Code: "pool-overlaps", Step: stage.Tunnel, Severity: Fault,
		Says: "the phones' addresses %[1]s overlap %[2]s, which is reached by %[3]s",
		Fix: []string{
			"give the pool a network that nothing else uses, or a free part of the inside network",
			"take the pool's addresses out of the range of the office's DHCP server",
		},
	})
	RegistrationUnreachable = Define(Declaration{
		Code: "registration-unreachable", Step: stage.Register, Severity: Fault,
		Says: "no call manager answers at %[1]s",
		Fix:  []string{"check that %[1]s can be reached from the phone"},
	})
	RegistrationRefused = Define(Declaration{
		Code: "registration-refused", Step: stage.Register, Severity: Fault,
		Says: "the call manager refuses the registration of line %[1]s: %[2]s",
		Fix:  []string{"compare the line's secret in the phone's file with the inventory"},
	})
	OneWayAudio = Define(Declaration{
		Code: "one-way-audio", Step: stage.Call, Severity: Fault,
		Says: "%[1]s does not hear %[2]s",
		Fix:  []string{"check routes and filters for RTP from %[2]s to %[1]s"},
	})
)

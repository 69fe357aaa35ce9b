package finding

import "github.com/longcord/longcord/stage"

// What can be wrong at the step provision: who am I, and which files are mine?
var (
	ConfigInvalid = Define(Declaration{
		Code: "config-invalid", Step: stage.Provision, Severity: Fault,
		Args: []string{"file", "problem"},
		Says: "%[1]s is not a file that a phone can use: %[2]s",
		Fix:  []string{"let the file server give the phone another file; the phone keeps the one it has until then"},
		Messages: []string{
			"CFG TFTP Size Error",
		},
		Elsewhere: map[Platform][]string{
			Asterisk: {
				"correct the phone's file in the TFTP folder, change its versionStamp, and restart the phone",
			},
			CUCM: {
				"correct the VPN Gateway, VPN Group or VPN Profile that the value comes from (Advanced Features > VPN), and press Apply Config",
			},
		},
	})
	PortTaken = Define(Declaration{
		Code: "port-taken", Step: stage.Provision, Severity: Fault,
		Args: []string{"address", "program"},
		Says: "%[1]s is already in use by %[2]s",
		Fix:  []string{"stop %[2]s or give this service another address in longcord.yaml"},
		Elsewhere: map[Platform][]string{
			ASA: {
				"take the port forward of 443 away, or let it use another address than that of the interface; `show run nat` and `show run static` list them",
			},
			Ocserv: {
				"see who has it with `ss -lntup 'sport = :443'`, stop that program, or give ocserv another `tcp-port` and put the port into the phone's URL; UDP must be 443",
			},
		},
		Messages: []string{
			"bind() failed: Address already in use",
		},
	})
	TFTPUnreachable = Define(Declaration{
		Code: "tftp-unreachable", Step: stage.Provision, Severity: Fault,
		Args: []string{"server"},
		Says: "no file server answers at %[1]s",
		Fix:  []string{"check that UDP 69 and TCP 6970 of %[1]s can be reached from the phone"},
		Messages: []string{
			"TFTP Timeout : SEP001122334455.cnf.xml",
			"00002301.000 |20:56:50.807 |AppInfo  |   TID[b44f0b70] TFTPServer::recvMessage[0x8954318]() sockets:8 Reached max count, returning 503",
			"systemd[1]: tftpd-hpa.service: Failed with result 'exit-code'.",
			" option 150 ascii 10.20.0.5",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"let the pool reach UDP 69 and TCP 6970: look at vpn-filter of the group policy, and at NAT exemption and routes of the pool",
			},
			CUCM: {
				"check in Cisco Unified Serviceability > Control Center - Feature Services that Cisco Tftp runs, and restart it when its trace says that it has reached the most requests that it takes",
			},
		},
		MootedBy: []string{"mtu"},
	})
	TFTPFileMissing = Define(Declaration{
		Code: "tftp-file-missing", Step: stage.Provision, Severity: Fault,
		Args: []string{"server", "name"},
		Says: "%[1]s does not have the file %[2]s",
		Fix: []string{
			"add the phone: `longcord phones add`",
			"with another TFTP server, put %[2]s into its root folder, spelt exactly so: upper and lower case count",
		},
		Messages: []string{
			"dnsmasq-tftp[411]: file /srv/tftp/SEP001122334455.cnf.xml not found for 10.20.0.77",
			"File Not Found : SEP001122334455.cnf.xml",
			"TFTP Error : SEP001122334455.cnf.xml.sgn",
			"XmlDefault.cnf.xml",
		},
		Elsewhere: map[Platform][]string{
			IOS: {
				"declare the phone and `create cnf-files`; then `show telephony-service tftp-bindings` must name its file",
			},
			Asterisk: {
				"put %[2]s into the TFTP folder; TFTP servers for phones must not mind letter case",
			},
			CUCM: {
				"add the phone (Device > Phone), then restart the Cisco Tftp service if its file still does not come",
			},
		},
	})
	DoorOpen = Define(Declaration{
		Code: "door-open", Step: stage.Provision, Severity: Note,
		Args: []string{"phone", "address", "time"},
		Says: "%[2]s may fetch the starter file of %[1]s until %[3]s, because somebody there confirmed an invitation",
		Fix:  []string{"nothing, if the phone is expected there; else shut the door with `longcord phones invite --revoke %[1]s`"},
	})
	UnknownPhone = Define(Declaration{
		Code: "unknown-phone", Step: stage.Provision, Severity: Note,
		Args: []string{"phone", "address", "model"},
		Says: "a phone that nobody has added, %[1]s, asks from %[2]s",
		Fix: []string{
			"if it is one of yours, add it: `longcord phones add %[1]s --model %[3]s --line NUMBER`",
			"see all of them with `longcord phones list --unknown`",
		},
		MootedBy: []string{"tftp-file-missing"},
	})
	FilesRefused = Define(Declaration{
		Code: "files-refused", Step: stage.Provision, Severity: Warning,
		Args: []string{"address", "reason", "user", "device"},
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
		Args: []string{"networks", "so many"},
		Says: "whoever is in %[1]s gets the files of %[2]d phones, with the passwords of their lines, by knowing a phone's MAC address",
		Fix: []string{
			"keep strangers out of the phones' network, and UDP 69 and TCP 6970 inside",
			"name only the phones' networks as officeNetworks below provisioner: in longcord.yaml",
			"give phones certificates with `longcord certs enroll` and have their files encrypted: tftpEncryptedConfig: true in their common phone profile",
		},
	})
	LoadMissing = Define(Declaration{
		Code: "load-missing", Step: stage.Provision, Severity: Warning,
		Args: []string{"load", "file"},
		Says: "phones are told to run the load %[1]s, and the folder of files lacks %[2]s",
		Fix: []string{
			"put %[2]s into the folder that files: names below provisioner: in longcord.yaml; the vendor's archive of the load holds it",
			"or take load: %[1]s away from the devices; each keeps the load that it has",
		},
		Messages: []string{
			"File Not Found : sip88xx.14-1-1-0001-125.loads",
			"Version error",
		},
		Elsewhere: map[Platform][]string{
			CUCM: {
				"upload the load's .cop or .zip (Cisco Unified OS Administration > Software Upgrades), restart the Cisco Tftp service, or clear Phone Load Name on the phone's page",
			},
		},
	})
	TrustListMismatch = Define(Declaration{
		Code: "trust-list-mismatch", Step: stage.Provision, Severity: Fault,
		Args: []string{"name", "server"},
		Says: "the phone does not believe %[1]s of %[2]s: nobody whom its trust lists or TVS know has signed it",
		Fix: []string{
			"check that the phone reaches TVS, TCP 2445, at the addresses that its stored file names",
			"if another server's lists are on the phone, give Longcord that one's signer: `longcord trust import-signer FILE`",
			"if that key is lost, erase the trust lists on the phone: 88xx Reset Settings > Security, 79xx Security Configuration > Trust List > **# Erase",
		},
		Messages: []string{
			"Trust List update failed",
			"Trust List update failed, verification failure",
			"File Auth Error : SEP001122334455.cnf.xml.sgn",
			"Verification of the ITL file failed.",
		},
		MootedBy: []string{"foreign-trust-list"},
		Elsewhere: map[Platform][]string{
			Phone: {
				"if nothing else helps, erase the trust list: 88xx Applications > Admin settings > Reset settings > Security settings; 79xx Settings > Security Configuration > Trust List > ITL File, **#, Erase",
			},
			CUCM: {
				"check that Cisco Trust Verification Service and Cisco Tftp run, and that no certificate of CallManager or TVS was made anew at the same time; `show itl` names the signer",
			},
		},
	})
	FileNotFetched = Define(Declaration{
		Code: "file-not-fetched", Step: stage.Provision, Severity: Fault,
		Args:     []string{"phone"},
		Says:     "%[1]s has never fetched its file, so it knows no gateway",
		Fix:      []string{"start the phone in the office once, with its TFTP server set; or bring it its first file: `longcord phones invite %[1]s`"},
		MootedBy: []string{"tftp-unreachable", "tftp-file-missing", "files-refused"},
	})
	AlternateTFTPNotSet = Define(Declaration{
		Code: "alternate-tftp-not-set", Step: stage.Provision, Severity: Fault,
		Args: []string{"phone", "address", "keys"},
		Says: "%[1]s does not hold %[2]s in both TFTP fields, so at home it may ask a server that its router names",
		Fix:  []string{"set Alternate TFTP to Yes, TFTP Server 1 and TFTP Server 2 to %[2]s on the phone: %[3]s"},
	})
	WebAccessOff = Define(Declaration{
		Code: "web-access-off", Step: stage.Provision, Severity: Warning,
		Args: []string{"phone"},
		Says: "the file of %[1]s shuts its web page, so nobody can see what the phone does when it is away",
		Fix:  []string{"set webAccess to 0 in the phone's settings or template, and let it fetch its file"},
		Elsewhere: map[Platform][]string{
			Asterisk: {
				"write <webAccess>0</webAccess> into vendorConfig of the phone's file",
			},
			IOS: {
				"`service phone webAccess 0` below telephony-service, then `create cnf-files`",
			},
			CUCM: {
				"set Web Access to Enabled in the phone's page or its Common Phone Profile (Product Specific Configuration), press Apply Config and restart the phone",
			},
		},
	})
	ModelWithoutVPN = Define(Declaration{
		Code: "model-without-vpn", Step: stage.Provision, Severity: Fault,
		Args: []string{"phone", "model"},
		Says: "%[1]s is a %[2]s, which has no VPN client",
		Fix:  []string{"take another model home; `longcord phones models` lists which have one"},
		Elsewhere: map[Platform][]string{
			CUCM: {
				"look the model up in Cisco Unified Reporting > Unified CM Phone Feature List, feature Virtual Private Network Client",
			},
		},
	})
	LoadTooOld = Define(Declaration{
		Code: "load-too-old", Step: stage.Provision, Severity: Fault,
		Args: []string{"phone", "load", "release"},
		Says: "%[1]s runs %[2]s, and its VPN client begins with %[3]s",
		Fix:  []string{"put a newer load into the folder of files, name it as load of the Device, and restart the phone in the office"},
		Elsewhere: map[Platform][]string{
			Asterisk: {
				"put the load's files into the TFTP folder and name it in loadInformation of the phone's file",
			},
			IOS: {
				"put the load's files into flash, serve them with `tftp-server`, name them below telephony-service: `load MODEL LOAD`, then `create cnf-files`",
			},
			CUCM: {
				"upload a newer load (Cisco Unified OS Administration > Software Upgrades > Install/Upgrade), name it in Phone Load Name of the phone's page, and reset the phone inside; from before 8.5(2), go to 8.5(2) first",
			},
		},
	})
	ConfigChangeNotTaken = Define(Declaration{
		Code: "config-change-not-taken", Step: stage.Provision, Severity: Warning,
		Args: []string{"device", "date"},
		Says: "%[1]s is there, and has not taken up the file that changed %[2]s",
		Fix: []string{
			"restart it so that it fetches its file: `longcord phones restart %[1]s`",
			"if that does not help, look whether it gets the file: the log of the file server names it",
		},
		Elsewhere: map[Platform][]string{
			CUCM: {
				"press Apply Config on the phone's page, and Reset when that does not help; the phone has to reach TCP 6970 of the TFTP server",
			},
		},
		MootedBy: []string{"group-url-mismatch", "certificate-hash-mismatch", "phone-blocked"},
	})
	TVSUnreachable = Define(Declaration{
		Code: "tvs-unreachable", Step: stage.Provision, Severity: Fault,
		Args: []string{"server"},
		Says: "no trust verification service answers at %[1]s, so the phone believes only whom its stored trust list names",
		Fix: []string{
			"check that TCP 2445 of %[1]s can be reached from the phone, also through the tunnel",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"let the pool reach TCP 2445 of the call managers: vpn-filter, NAT exemption, routes",
			},
			CUCM: {
				"check in Cisco Unified Serviceability > Tools > Control Center - Network Services that Cisco Trust Verification Service runs on %[1]s",
			},
		},
		MootedBy: []string{"mtu"},
	})
	ForeignTrustList = Define(Declaration{
		Code: "foreign-trust-list", Step: stage.Provision, Severity: Fault,
		Args: []string{"phone"},
		Says: "%[1]s holds the trust list of another call manager and believes nobody else",
		Fix: []string{
			"give Longcord that call manager's signer: `longcord trust import-signer FILE`",
			"if that key is lost, erase the trust list on the phone",
		},
		Elsewhere: map[Platform][]string{
			Phone: {
				"erase the trust list: 88xx Reset Settings > Security Settings; 79xx Settings > Security Configuration > Trust List, **# to unlock, then Erase",
			},
			CUCM: {
				"move the phone with the bulk certificate export of both clusters: Cisco Unified OS Administration > Security > Bulk Certificate Management",
			},
		},
		Messages: []string{
			"invalid file SEP001122334455.cnf.xml.sgn, authenticated fail. Reason:14.",
		},
	})
	CAPFUntrusted = Define(Declaration{
		Code: "capf-untrusted", Step: stage.Provision, Severity: Fault,
		Args: []string{"phone", "reason"},
		Says: "%[1]s got no certificate from the CAPF server: %[2]s",
		Fix: []string{
			"see what the enrolment waits for: `longcord certs enroll status %[1]s`",
		},
		Elsewhere: map[Platform][]string{
			CUCM: {
				"check in Cisco Unified OS Administration > Security > Certificate Management that the CAPF certificate is in CallManager-trust and CAPF-trust, restart the CAPF service, and set Certificate Operation to Install/Upgrade on the phone's page",
				"where nobody answers, start Cisco Certificate Authority Proxy Function in Cisco Unified Serviceability, and let phones reach TCP 3804 of it, through the tunnel, too",
			},
		},
		Messages: []string{
			"CAPF: server certificate not trusted",
		},
	})
	SecondTFTPAnswers = Define(Declaration{
		Code: "second-tftp-answers", Step: stage.Provision, Severity: Warning,
		Args: []string{"server", "other"},
		Says: "besides the file server %[1]s another one, %[2]s, answers the phone, and has other files",
		Fix: []string{
			"set Alternate TFTP to Yes and both TFTP fields to %[1]s",
			"take option 150 and 66 for %[2]s out of the DHCP server",
		},
	})
	PhoneBlocked = Define(Declaration{
		Code: "phone-blocked", Step: stage.Provision, Severity: Fault,
		Args: []string{"phone"},
		Says: "%[1]s is blocked, so it gets no files, no session and no registration",
		Fix:  []string{"if it should not be: `longcord phones unblock %[1]s`"},
	})
	VPNNotRestarted = Define(Declaration{
		Code: "vpn-not-restarted", Step: stage.Provision, Severity: Fault,
		Args: []string{"phone"},
		Says: "%[1]s has the new file and has not started its VPN client anew since",
		Fix: []string{
			"restart the phone inside: `longcord phones restart %[1]s`",
		},
		Elsewhere: map[Platform][]string{
			CUCM: {
				"press Apply Config, then Reset, on the phone's page (Device > Phone)",
			},
			Phone: {
				"restart it: Settings > **#**, or take its power away",
			},
		},
	})
	MPPFirmware = Define(Declaration{
		Code: "mpp-firmware", Step: stage.Provision, Severity: Fault,
		Args: []string{"phone", "load"},
		Says: "%[1]s runs %[2]s, a multiplatform (MPP) load, which has no AnyConnect client and reads no SEP file",
		Fix: []string{
			"migrate the phone to enterprise firmware with a licence of Cisco's, or take another phone",
		},
		Messages: []string{
			"<flat-profile>",
		},
	})
	CUCMVersion = Define(Declaration{
		Code: "cucm-version", Step: stage.Provision, Severity: Fault,
		Args: []string{"version", "needed"},
		Says: "CUCM %[1]s has no VPN for phones; it begins with %[2]s",
		Fix: []string{
			"upgrade CUCM, or give the phones files of their own with the vpnGroup",
		},
		Elsewhere: map[Platform][]string{
			CUCM: {
				"see it on the page Cisco Unified CM Administration or with `show version active`; the builds called Export Unrestricted have no VPN menu at any version",
			},
		},
		Messages: []string{
			"Active Master Version: 7.1.5.10000-12",
		},
	})
	ClockWrong = Define(Declaration{
		Code: "clock-wrong", Step: stage.Provision, Severity: Warning,
		Args: []string{"whose", "reason"},
		Says: "the clock of %[1]s is wrong: %[2]s",
		Fix: []string{
			"set the clock of %[1]s by NTP",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"set an NTP server: `ntp server ADDRESS`, and compare with `show clock`",
			},
			CUCM: {
				"`utils ntp status` must say \"synchronised to NTP server\": name servers of a stratum below 4 that are not Windows, `utils ntp server add ADDRESS`, and let UDP 123 through",
				"check the Phone NTP Reference of the Date/Time Group (System > Date/Time Group)",
			},
		},
		Messages: []string{
			"VPNC: cert_vfy_cb: depth:0 of 0, subject:</CN=vpn.example.com> pre_err: 9 (certificate is not yet valid)",
			"Clock is unsynchronized, stratum 16, no reference clock",
		},
	})
	BackupMissing = Define(Declaration{
		Code: "backup-missing", Step: stage.Provision, Severity: Warning,
		Args: []string{"what", "since"},
		Says: "there is no backup of %[1]s since %[2]s; its keys cannot be made again",
		Fix: []string{
			"keep what `longcord export --with-secrets` prints on another machine, where nobody else reads it",
			"where phones hold trust lists, copy the state folder, too, while `longcord serve` is stopped: the keys of the house are nowhere else",
		},
	})
)

package fact

import "github.com/longcord/longcord/stage"

// What a phone's console log tells of its VPN client.
const (
	// PhoneVPN: the phone's VPN client says something that tells no more than that it is at work. No values.
	PhoneVPN Kind = "phone.vpn"
	// PhoneURL: the client opens this URL; url.
	PhoneURL Kind = "phone.url"
	// PhoneLeafHash: hash is the SHA-1 of the certificate that the gateway presents, 40 upper-case hex digits.
	PhoneLeafHash Kind = "phone.leaf-hash"
	// PhoneHashFound: the phone found that hash among those of its file, and believes the gateway.
	PhoneHashFound Kind = "phone.hash-found"
	// PhoneIssuerMissing: the gateway sent no certificate of an issuer, so only its own can be compared.
	PhoneIssuerMissing Kind = "phone.issuer-missing"
	// PhoneChainUntrusted: no certificate of the gateway's chain is among the hashes of the phone's file.
	PhoneChainUntrusted Kind = "phone.chain-untrusted"
	// PhoneCertificateDate: OpenSSL in the phone finds the gateway's certificate out of date; error is expired or
	// not-yet-valid. A phone that finds the hash does not mind.
	PhoneCertificateDate Kind = "phone.certificate-date"
	// PhoneHostRefused: the gateway's certificate does not name the host of the URL; host, as far as it is told.
	PhoneHostRefused Kind = "phone.host-refused"
	// PhoneAlert: TLS ended with an alert; name (as in RFC 5246, such as unknown CA), by (phone or gateway).
	PhoneAlert Kind = "phone.alert"
	// PhoneTLS: the version of TLS that the client's handshake runs with; version.
	PhoneTLS Kind = "phone.tls"
	// PhoneLoginReply: HTTP status of the gateway's reply to the login; status, location.
	PhoneLoginReply Kind = "phone.login-reply"
	// PhoneCookieMissing: the gateway's reply to the group URL brought no webvpn cookie. No values.
	PhoneCookieMissing Kind = "phone.cookie-missing"
	// PhoneLoginRefused: user name or password are wrong, as the phone says. No values.
	PhoneLoginRefused Kind = "phone.login-refused"
	// PhoneSuiteChanged: the gateway resumed DTLS with another cipher than the phone's TLS has.
	PhoneSuiteChanged Kind = "phone.suite-changed"
	// PhoneVPNFailed: the VPN client gave up; code and text as it says them. A symptom.
	PhoneVPNFailed Kind = "phone.vpn-failed"
	// PhoneVPNUp: the phone says that its VPN is connected; order (any: what stands above may be newer).
	PhoneVPNUp Kind = "phone.vpn-up"
	// PhoneAttempting: the screen says that the phone tries to connect its VPN. A symptom when it stays.
	PhoneAttempting Kind = "phone.attempting"
)

// What console log, status messages and the debug display tell of files, trust and registration.
const (
	// PhoneFetched: a file came; file, server as far as it is told, order (any: what stands above may be newer).
	PhoneFetched Kind = "phone.fetched"
	// PhoneFileMissing: the server has no such file; file, server.
	PhoneFileMissing Kind = "phone.file-missing"
	// PhoneFileRefused: the server answered with an error, and the phone does not say which; file, server.
	PhoneFileRefused Kind = "phone.file-refused"
	// PhoneFileTimeout: no server answered; file, server.
	PhoneFileTimeout Kind = "phone.file-timeout"
	// PhoneFileTooLarge: the configuration does not fit into the phone.
	PhoneFileTooLarge Kind = "phone.file-too-large"
	// PhoneFileTrouble: a file could not be had or used for a reason that the phone does not say; text. A symptom.
	PhoneFileTrouble Kind = "phone.file-trouble"
	// PhoneDefaultFile: the phone took the file for unknown phones.
	PhoneDefaultFile Kind = "phone.default-file"
	// PhoneLoadRejected: firmware is not for this phone; text. A symptom.
	PhoneLoadRejected Kind = "phone.load-rejected"
	// PhoneLoadDamaged: the image of the firmware that came is damaged. No values.
	PhoneLoadDamaged Kind = "phone.load-damaged"
	// PhoneLoadNamed: the phone finds no load of the name that it is told; load, as far as it is told.
	PhoneLoadNamed Kind = "phone.load-named"
	// PhoneSignatureRefused: the phone does not believe a file's signature; file.
	PhoneSignatureRefused Kind = "phone.signature-refused"
	// PhoneTrustListFailed: new trust lists were not taken; verification (true: their signature is why).
	PhoneTrustListFailed Kind = "phone.trust-list-failed"
	// PhoneTrustListTaken: trust lists were checked and taken, or are as they were.
	PhoneTrustListTaken Kind = "phone.trust-list-taken"
	// PhoneTrustListShown: the screen says that trust lists were taken. Whether that was before or after what stands beside it is
	// not known: some read the newest message first.
	PhoneTrustListShown Kind = "phone.trust-list-shown"
	// PhoneNoTrustList: the phone holds none.
	PhoneNoTrustList Kind = "phone.no-trust-list"
	// PhoneTVSFailed: no answer from a trust verification service; server, reason (tcp or tls).
	PhoneTVSFailed Kind = "phone.tvs-failed"
	// PhoneTVSAnswered: TVS answered; server.
	PhoneTVSAnswered Kind = "phone.tvs-answered"
	// PhoneCAPFFailed: the phone got no certificate; text, device as far as it is told. A symptom, unless text says that the server is not believed.
	PhoneCAPFFailed Kind = "phone.capf-failed"
	// PhoneNoName: a name does not resolve for the phone; host as far as it is told. A symptom.
	PhoneNoName Kind = "phone.no-name"
	// PhoneNetworkTrouble: the phone has no working network; text. A symptom.
	PhoneNetworkTrouble Kind = "phone.network-trouble"
	// PhoneRegisterReply: the call manager's answer to REGISTER; status, server, line (each as far as it is told).
	PhoneRegisterReply Kind = "phone.register-reply"
	// PhoneRegisterRefused: the call manager refuses the phone; text, device as far as it is told.
	PhoneRegisterRefused Kind = "phone.register-refused"
	// PhoneNoCallManager: no connection to a call manager comes about. No values.
	PhoneNoCallManager Kind = "phone.no-call-manager"
	// PhoneNotRegistered: the phone is not registered, or goes on trying; text. A symptom.
	PhoneNotRegistered Kind = "phone.not-registered"
	// PhoneAlarm: why the phone was last out of service, as it told its call manager, or the call manager tells; last, device.
	PhoneAlarm Kind = "phone.alarm"
)

const askConsole = "send the phone's console log from the moment it starts its VPN (web page of the phone: Console Logs)"

const askStatus = "send the phone's status messages (web page of the phone: Status Messages; or its settings, Status)"

var (
	_ = symptom(PhoneVPNFailed, stage.Verify, askConsole, "send the phone's file: `curl http://TFTP:6970/SEP….cnf.xml`",
		"send the gateway's log of the same minute")
	_ = symptom(PhoneAttempting, stage.Connect, askConsole, "send the phone's file: `curl http://TFTP:6970/SEP….cnf.xml`")
	_ = symptom(PhoneFileTrouble, stage.Provision, askStatus, "send the log of the TFTP server")
	_ = symptom(PhoneLoadRejected, stage.Provision, "say the phone's model and which load its file names (loadInformation)")
	_ = symptom(PhoneCAPFFailed, stage.Provision, "send the phone's console log from the moment it asks for its certificate")
	_ = symptom(PhoneNoName, stage.Provision, askStatus, "say which names stand in the phone's file, and which DNS server its network page shows")
	_ = symptom(PhoneNetworkTrouble, stage.Provision, "send the network page of the phone (web page: Network Setup)")
	_ = symptom(PhoneNotRegistered, stage.Register, askStatus, "send the network page of the phone (web page: Network Setup)",
		"send the call manager's log of the phone")
)

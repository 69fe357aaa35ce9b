package fact

// What a phone's file says: SEP….cnf.xml, plain, signed, or a part of it in a message.
const (
	// SEPFile: a phone's file; device as far as it is told, stamp, form (plain, signed, encrypted), whole (true: all of
	// it is there, so what is not in it is not in the phone).
	SEPFile Kind = "sep.file"
	// SEPInvalid: something a phone cannot use; file, problem (the end of a sentence).
	SEPInvalid Kind = "sep.invalid"
	// SEPVPN: the VPN group; mtu, fail-connect-time, auth-method, persistent, auto-detect, host-check, hashes (how many),
	// urls (how many), each as the file has it; whole (true: the group is there to its end).
	SEPVPN Kind = "sep.vpn"
	// SEPSetting: a setting of the product; name, value.
	SEPSetting Kind = "sep.setting"
	// SEPServer: a server that the file names; what (call-manager, tvs, capf, load-server), host.
	SEPServer Kind = "sep.server"
	// SEPMultiplatform: a file of multiplatform firmware, which is not a SEP file.
	SEPMultiplatform Kind = "sep.multiplatform"
	// SEPSigner: whose key has signed a file; file, subject, issuer, serial (hex).
	SEPSigner Kind = "sep.signer"
	// TrustList: a trust list; file, subject, issuer, serial of its signer, records (how many).
	TrustList Kind = "trust.list"
	// TrustRecord: a certificate in a trust list; list (its file), role, subject, issuer, serial, sha1, host.
	TrustRecord Kind = "trust.record"
)

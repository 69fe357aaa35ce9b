package fact

import "github.com/longcord/longcord/stage"

// What a phone's console log, status messages and screen tell.
const (
	// PhoneCookieMissing: the gateway's reply to the group URL brought no webvpn cookie. No values.
	PhoneCookieMissing Kind = "phone.cookie-missing"
	// PhoneLeafHash: hash is the SHA-1 of the certificate that the gateway presents, 40 upper-case hex digits.
	PhoneLeafHash Kind = "phone.leaf-hash"
	// PhoneHashFound: the phone found that hash among those of its file.
	PhoneHashFound Kind = "phone.hash-found"
	// PhoneChainUntrusted: no certificate of the gateway's chain is among the hashes of the phone's file.
	PhoneChainUntrusted Kind = "phone.chain-untrusted"
	// PhoneVPNFailed: the VPN client gave up; code and text as it says them. A symptom.
	PhoneVPNFailed Kind = "phone.vpn-failed"
)

var _ = symptom(PhoneVPNFailed, stage.Verify,
	"send the phone's console log from the moment it starts its VPN (web page of the phone: Console Logs)",
	"send the phone's file: `curl http://TFTP:6970/SEP….cnf.xml`")

package fact

import "github.com/longcord/longcord/stage"

// TVSUnknown: a phone asked a trust verification service about a certificate that it does not know; issuer, serial (hex),
// device, client. A symptom: whose certificate it is does not follow from that, it may be of a server that does not matter.
const TVSUnknown Kind = "tvs.unknown"

var _ = symptom(TVSUnknown, stage.Provision,
	"say whose certificate has this serial number, and send the phone's status messages and console log of the same minute: a file's signer, or a server that the phone opens by HTTPS",
	"on CUCM, look in Cisco Unified OS Administration > Security > Certificate Management whether it is there as CallManager-trust or Phone-SAST-trust; upload it if the phone has to believe it, and restart Cisco Trust Verification Service")

package fact

import "github.com/longcord/longcord/stage"

// ForeignVPN: the log or configuration of a VPN that phones do not speak; product.
const ForeignVPN Kind = "foreign.vpn"

// ComputerVPN: AnyConnect's log on a computer, which tells nothing that holds for phones. A symptom.
const ComputerVPN Kind = "foreign.computer"

var _ = symptom(ComputerVPN, stage.Verify,
	"this is AnyConnect on a computer, and tells nothing of phones: send the phone's console log, and the log or configuration of the gateway")

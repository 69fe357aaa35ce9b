package finding

import "github.com/longcord/longcord/stage"

// What can be wrong at the step register: does the call manager know me?
var (
	NotRegistered = Define(Declaration{
		Code: "not-registered", Step: stage.Register, Severity: Fault,
		Args: []string{"phone"},
		Says: "%[1]s has not registered since it fetched its file, so nobody knows whether the file works",
		Fix:  []string{"restart the phone in the office, and wait until `longcord phones show %[1]s` says that it is registered"},
	})
	RegistrationUnreachable = Define(Declaration{
		Code: "registration-unreachable", Step: stage.Register, Severity: Fault,
		Args: []string{"server"},
		Says: "no call manager answers at %[1]s",
		Fix:  []string{"check that %[1]s can be reached from the phone"},
	})
	RegistrationRefused = Define(Declaration{
		Code: "registration-refused", Step: stage.Register, Severity: Fault,
		Args: []string{"line", "reason"},
		Says: "the call manager refuses the registration of line %[1]s: %[2]s",
		Fix:  []string{"compare the line's secret in the phone's file with the inventory"},
	})
	RegistrationACL = Define(Declaration{
		Code: "registration-acl", Step: stage.Register, Severity: Fault,
		Args: []string{"server", "reason"},
		Says: "the call manager %[1]s does not take registrations from the address of the phone: %[2]s",
		Fix: []string{
			"add the pool of the tunnel to the networks that may register",
		},
		Elsewhere: map[Platform][]string{
			Asterisk: {
				"permit the phones' pool: `permit=` of the peer (chan_sip), the endpoint's acl (chan_pjsip), `permit` of the device (chan-sccp)",
			},
		},
	})
	NATInTheWay = Define(Declaration{
		Code: "nat-in-the-way", Step: stage.Register, Severity: Warning,
		Args: []string{"where", "reason"},
		Says: "addresses are translated between phone and call manager at %[1]s: %[2]s",
		Fix: []string{
			"exempt the pool of the tunnel from NAT",
		},
		Elsewhere: map[Platform][]string{
			ASA: {
				"exempt it: `nat (inside,outside) source static OFFICE OFFICE destination static POOL POOL no-proxy-arp route-lookup`",
			},
			Asterisk: {
				"set `localnet` for the phones' pool so that no external address is written into SDP",
			},
		},
	})
)

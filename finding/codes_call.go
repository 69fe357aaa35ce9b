package finding

import "github.com/longcord/longcord/stage"

// What can be wrong at the step call: can two people talk?
var (
	OneWayAudio = Define(Declaration{
		Code: "one-way-audio", Step: stage.Call, Severity: Fault,
		Args: []string{"one phone", "another phone"},
		Says: "%[1]s does not hear %[2]s",
		Fix:  []string{"check routes and filters for RTP from %[2]s to %[1]s"},
		Elsewhere: map[Platform][]string{
			ASA: {
				"let UDP 16384 to 32766 through between pool and office, both ways and without NAT; `packet-tracer input inside udp PHONE-INSIDE 16384 PHONE-OUTSIDE 16384` names the rule that drops it",
				"two phones that are both outside need `same-security-traffic permit intra-interface`",
			},
			Asterisk: {
				"keep voice at Asterisk for phones outside: `direct_media = no`, `rtp_symmetric = yes`, `rewrite_contact = yes` (chan_pjsip), `directmedia=no`, `nat=force_rport,comedia` (chan_sip), `directrtp = no` (chan-sccp)",
				"let UDP from `rtpstart` to `rtpend` of rtp.conf through between Asterisk and the phones' pool, both ways",
			},
			Ocserv: {
				"let tunnels and office reach each other for UDP: `nft add rule inet filter forward iifname \"vpns*\" accept` and `oifname \"vpns*\"` likewise, and route the pool to this machine",
			},
		},
		MootedBy: []string{"no-route-to-pool", "forwarding-off"},
	})
)

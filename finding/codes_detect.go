package finding

import "github.com/longcord/longcord/stage"

// What can be wrong at the step detect: am I inside or outside?
var (
	NetworkDetectionUnreliable = Define(Declaration{
		Code: "network-detection-unreliable", Step: stage.Detect, Severity: Warning,
		Args: []string{"phone", "reason"},
		Says: "%[1]s may not find out by itself that it is outside: %[2]s",
		Fix: []string{
			"set autoNetworkDetection: true in the VPN profile, and give the phone a load from 9.2(1) on",
			"or show its user where the VPN is switched on by hand",
		},
		Elsewhere: map[Platform][]string{
			Phone: {
				"switch it on by hand: 79xx Settings > Security Configuration > VPN Configuration; 88xx, 89xx and 99xx Applications > VPN",
			},
			CUCM: {
				"tick Enable Auto Network Detect in Advanced Features > VPN > VPN Profile, press Apply Config, and give the phone a load from 9.2(1) on",
			},
		},
		MootedBy: []string{"load-too-old"},
	})
	HomeNetworkOverlaps = Define(Declaration{
		Code: "home-network-overlaps", Step: stage.Detect, Severity: Warning,
		Args: []string{"address", "network", "whose"},
		Says: "the phones' file server %[1]s is in %[2]s, which many homes have, too (%[3]s): there a phone that only pings it takes itself for inside",
		Fix:  []string{"give the file server an address of its own that no home uses: `provisioner: address:` in longcord.yaml, and that address in the phones' TFTP fields"},
		Elsewhere: map[Platform][]string{
			CUCM: {
				"give the TFTP server an address outside of the networks that home routers use, and name it in option 150 and in the phones' TFTP fields",
			},
		},
	})
	VPNNotConfigured = Define(Declaration{
		Code: "vpn-not-configured", Step: stage.Detect, Severity: Fault,
		Args: []string{"device"},
		Says: "%[1]s has no file that names a VPN gateway, so it cannot be used outside",
		Fix:  []string{"give the device a common phone profile with a VPN group, then let it fetch its file inside"},
		Elsewhere: map[Platform][]string{
			Asterisk: {
				"write a vpnGroup with addresses/url1 and credentials/certHash1 into the phone's file",
			},
			CUCM: {
				"Cisco Unified CM Administration > Advanced Features > VPN: give the VPN Gateway its certificate and the VPN Group its gateway, name both VPN Group and VPN Profile in the Common Phone Profile, Apply Config, and let the phone fetch its file inside",
			},
			IOS: {
				"`voice service voip`, `vpn-group 1`: `vpn-gateway 1 URL`, `vpn-trustpoint 1 trustpoint NAME leaf`, `vpn-hash-algorithm sha-1`; `telephony-service`, `cnf-file perphone`; below the ephone `vpn-group 1` and `vpn-profile 1`; then `create cnf-files` and reset the phone inside",
			},
		},
		MootedBy: []string{"model-without-vpn"},
	})
	ForeignTFTPServer = Define(Declaration{
		Code: "foreign-tftp-server", Step: stage.Detect, Severity: Fault,
		Args: []string{"server"},
		Says: "%[1]s answers pings but is not this phone's file server",
		Fix:  []string{"set Alternate TFTP on the phone to the office's own server in both TFTP fields"},
		Elsewhere: map[Platform][]string{
			Phone: {
				"set it by hand: 79xx Settings > Network Configuration > IPv4 Configuration, unlock with **#, Alternate TFTP Yes, TFTP Server 1; 88xx Applications > Admin settings > Network setup > IPv4 setup",
			},
		},
		MootedBy: []string{"home-network-overlaps"},
	})
)

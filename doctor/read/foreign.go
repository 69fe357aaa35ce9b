package read

import (
	"time"

	"github.com/longcord/longcord/doctor/fact"
)

// foreignVPNs are products whose logs people send, by what only they write. It is enough to say that phones speak none of
// them; what went wrong there is for others to read. documented: the products' own manuals and published logs
var foreignVPNs = []struct {
	product string
	writes  *pattern
}{
	{"OpenVPN", compile(`\bOpenVPN \d+\.\d+\S* (?:\[|\w+-)|\bopenvpn(?:\[\d+\])?: |Initialization Sequence Completed|Peer Connection Initiated with \[AF_INET|TLS Error: TLS key negotiation failed to occur within|MULTI: multi_create_instance called`)},
	{"WireGuard", compile(`\bwireguard: \S+: |^\s*latest handshake: |^\s*(?:AllowedIPs|PresharedKey|PersistentKeepalive) *= *\S|\bwg-quick(?:\[\d+\])?: |\[#\] (?:ip link add|wg setconf)`)},
	{"IPsec with strongSwan or Libreswan", compile(`\bcharon(?:-\w+)?(?:\[\d+\])?: |\b\d\d\[(?:IKE|NET|CFG|ENC|KNL|JOB|DMN|LIB|MGR)\] |\bpluto\[\d+\]: |\bleft(?:subnet|id|cert|auth)=\S|parsed IKE_(?:SA_INIT|AUTH) (?:request|response)`)},
	{"FortiGate SSL VPN", compile(`\b(?:devname|devid)="?[\w-]+"? .*\bsubtype="?vpn|\bsslvpn_login_|\btunneltype="?ssl-|\bFortiClient\b|\bfortisslvpnd?\b|\b\[sslvpn:|openfortivpn`)},
	{"Palo Alto GlobalProtect", compile(`\bPanGP[AS]\b|\bglobalprotect(?:gateway|portal)-|,GLOBALPROTECT,|\bGlobalProtect\b.*(?:portal|gateway)`)},
	{"Pulse Secure or Ivanti Connect Secure", compile(`\bPulse ?Secure\b|\bPulseSecure\b|\bds(?:Access|Nc)Service\b|\bncsvc\b|\bIvanti (?:Connect Secure|Secure Access)\b|\bJuniper (?:Networks|SSL|NC)\b|\bJunos Pulse\b|\bncui\b|\bNetwork Connect\b.*\b(?:session|tunnel|login|started|closed)`)},
	{"Meraki client VPN", compile(`\bevents type=(?:vpn|client_vpn|anyconnect)\w*|\bclient_vpn_(?:connect|disconnect)\b|\btype=anyconnect_vpn_`)},
	{"PPTP or L2TP", compile(`\bpptpd?\[\d+\]: |\bxl2tpd(?:\[\d+\])?: |\bpppd(?:\[\d+\])?: |\bCTRL: Client \S+ control connection (?:started|finished)|\bRasClient\b|\baccel-ppp\b`)},
	{"Check Point VPN", compile(`\bEndpoint Security VPN\b|\bTrGUI\b|\btrac(?:_client|\.log)\b`)},
	{"SonicWall NetExtender", compile(`\bNetExtender\b|\bsn=\w{12} .*\bSSL ?VPN`)},
}

var _ = recognise(Recogniser{
	Format: "log of another VPN product",
	Marks: []string{
		"openvpn", "initialization sequence", "peer connection initiated", "tls error: tls key", "multi: multi_create", "wireguard",
		"latest handshake", "allowedips", "presharedkey", "persistentkeepalive", "wg-quick", "[#] ", "charon", "[ike]", "[net]", "[cfg]", "[enc]",
		"[knl]", "[job]", "[dmn]", "[lib]", "[mgr]", "pluto[", "leftsubnet", "leftid", "leftcert", "leftauth", "parsed ike_", "subtype=", "sslvpn",
		"tunneltype=", "forticlient", "openfortivpn", "pangp", "globalprotect", "pulse", "dsaccessservice", "dsncservice", "ncsvc", "network connect", "ivanti", "juniper", "junos pulse", "ncui",
		"events type=", "client_vpn_", "type=anyconnect_vpn_", "pptp", "xl2tp", "pppd", "control connection", "rasclient", "accel-ppp",
		"endpoint security", "trgui", "trac", "netextender", "ssl vpn",
	},
	Alone: true,
	New:   func(in *fact.Input) Reader { return &foreignVPN{in: in} },
})

type foreignVPN struct{ in *fact.Input }

func (r *foreignVPN) Line(l Line) bool {
	for _, v := range foreignVPNs {
		if v.writes.MatchString(l.Raw) {
			r.in.Add(fact.ForeignVPN, l.Number, l.Raw, time.Time{}, "product", v.product)
			return true
		}
	}
	return false
}

func (r *foreignVPN) End() {}

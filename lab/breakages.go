package lab

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/stage"
)

// namedURL is of a gateway that has a name, which nobody publishes here.
const namedURL = "https://vpn.example.net/phone"

// accessList is one that lacks TCP 5060.
const accessList = `---
kind: AccessList
name: phones
entries:
  - {action: permit, protocol: icmp, destination: any}
  - {action: permit, protocol: udp, destination: any}
  - {action: permit, protocol: tcp, destination: 10.20.0.0/24, ports: 6970-6971}
  - {action: permit, protocol: tcp, destination: 10.20.0.0/24, ports: "2445"}
`

const year = 365 * 24 * time.Hour

// breakages are what --break can break, in the order of a phone's steps. What cannot be brought about here stands in
// docs/stages/8-diagnose.md.
var breakages = []breakage{
	{
		code: "tftp-unreachable",
		does: "the office's file server answers nobody",
		acts: map[moment]act{opened: deafening(tcp(6970), udp(69))},
	},
	{
		code: "tftp-file-missing",
		does: "nobody has added the phone",
		acts: map[moment]act{opened: func(ctx context.Context, s *story) error { return s.forgetPhone(ctx) }},
	},
	{
		code: "port-taken",
		does: "another program holds the gateway's port",
		acts: map[moment]act{setUp: func(_ context.Context, s *story) error {
			return s.occupy(netip.AddrPortFrom(outsidePrefix.Addr(), 443))
		}},
	},
	{
		code: "config-invalid",
		does: "somebody has made the phone's file by hand, and it ends in the middle",
		acts: map[moment]act{opened: cutFile},
	},
	{
		code: "files-refused",
		does: "the office's list of networks leaves the phone's address out",
		acts: map[moment]act{setUp: configuring("  files: files\n", "  files: files\n  officeNetworks: [10.20.0.10/32]\n")},
	},
	{
		code: "phone-blocked",
		does: "the phone is blocked while it is on its way",
		acts: map[moment]act{carried: func(ctx context.Context, s *story) error {
			return s.office(ctx, "phones", "block", homePhone, "--yes")
		}},
	},
	{
		code:  "web-access-off",
		does:  "the phone's own pages are switched off",
		acts:  map[moment]act{setUp: editing("model: CP-8861\n", "model: CP-8861\nvendorConfig: {webAccess: \"1\"}\n")},
		until: stage.Provision,
	},
	{
		code: "tvs-unreachable",
		does: "phones have trust lists, and the service that vouches for what is not in them answers nobody",
		acts: map[moment]act{
			opened:  enableTrust,
			carried: deafening(tcp(2445)),
		},
		until: stage.Register,
	},
	{
		code:  "load-missing",
		does:  "phones are to run a load that nobody has put there",
		acts:  map[moment]act{setUp: editing("model: CP-8861\n", "model: CP-8861\nload: sip88xx.12-8-1-0001-455\n")},
		until: stage.Provision,
	},
	{
		code:  "load-too-old",
		does:  "the phone is to run a load from before the VPN client",
		needs: func(c *Config) { c.VPN = "dtls09" },
		acts:  map[moment]act{setUp: editing("model: CP-7962G\n", "model: CP-7962G\nload: SIP42.8-5-2S\n")},
		until: stage.Provision,
	},
	{
		code:  "model-without-vpn",
		does:  "the phone is of a model without a VPN client",
		needs: func(c *Config) { c.model = "CP-7940G" },
	},
	{
		code:  "second-tftp-answers",
		does:  "DHCP names a second file server, which was left from before and has other files",
		needs: func(c *Config) { c.secondTFTP = oldServerPrefix.Addr() },
		acts:  map[moment]act{setUp: keepOldServer},
		until: stage.Provision,
	},
	{
		code:  "alternate-tftp-not-set",
		does:  "nobody has set Alternate TFTP on the phone, which is to go home",
		needs: func(c *Config) { c.alternateNo = true },
		until: stage.Provision,
	},
	{
		code:  "config-change-not-taken",
		does:  "somebody changes the phone's file while it is away, and has nobody tell it",
		acts:  map[moment]act{settled: renameLine},
		until: stage.Register,
	},
	{
		code: "trust-list-mismatch",
		does: "who signs trust lists and who vouches for signers is replaced, all while the phone is on its way",
		acts: map[moment]act{
			opened:  enableTrust,
			carried: replaceTrust,
		},
		until: stage.Register,
	},
	{
		code:  "foreign-trust-list",
		does:  "the phone comes from another office, whose trust list it keeps",
		acts:  map[moment]act{setUp: comeFromAnotherOffice, opened: enableTrust},
		until: stage.Provision,
	},
	{
		code:  "capf-untrusted",
		does:  "signing was turned off, so the phone's trust list names no CAPF, and it is to get a certificate",
		acts:  map[moment]act{opened: enrolWithoutTrust},
		until: stage.Provision,
	},
	{
		code: "vpn-not-configured",
		does: "the phone's profile names no VPN group",
		acts: map[moment]act{setUp: editing("vpnGroup: phones\n", "")},
	},
	{
		code: "network-detection-unreliable",
		does: "the phone is not told to find out by itself where it is",
		acts: map[moment]act{setUp: editing("autoNetworkDetection: true\n", "autoNetworkDetection: false\n")},
	},
	{
		code:  "home-network-overlaps",
		does:  "the home has the office's network",
		needs: func(c *Config) { c.homeNetwork = netip.MustParsePrefix("10.20.0.1/24") },
	},
	{
		code: "foreign-tftp-server",
		does: "at home another host has the file server's address",
		acts: map[moment]act{carried: func(_ context.Context, s *story) error {
			return s.world.router.Own(netip.PrefixFrom(insidePrefix.Addr(), 32))
		}},
	},
	{
		code:  "gateway-name-unresolved",
		does:  "the gateway's URL has a name that nobody publishes",
		needs: func(c *Config) { c.url = namedURL },
	},
	{
		code: "gateway-unreachable",
		does: "the Internet swallows TCP 443",
		acts: map[moment]act{carried: func(_ context.Context, s *story) error { return s.world.internet.Drop(unix.IPPROTO_TCP, 443) }},
	},
	{
		code:  "tls-version",
		does:  "the phone is older than the office believes",
		needs: func(c *Config) { c.VPN = "dtls09"; c.listed = "CP-8861" },
		acts:  map[moment]act{setUp: editing("legacyPhones: true\n", "")},
	},
	{
		code: "tls-cipher",
		does: "the gateway has an ECDSA certificate alone",
		acts: map[moment]act{setUp: func(_ context.Context, s *story) error {
			return errors.Join(s.editAll("ecdsaCertificate: .*\n", ""), s.editAll(`(certificates: )\[.*\]`, "${1}[gateway-ecdsa]"))
		}},
	},
	{
		code: "certificate-hash-mismatch",
		does: "the gateway's certificate is replaced while the phone is on its way",
		acts: map[moment]act{carried: replaceCertificate},
	},
	{
		code: "certificate-expired",
		does: "the gateway's certificates ended yesterday, and it was told not to change them by itself",
		acts: map[moment]act{setUp: func(_ context.Context, s *story) error {
			return errors.Join(s.certificates(time.Now().Add(-year), time.Now().Add(-24*time.Hour)),
				s.alter(configFile, "calls:\n", "certificates:\n  renewBefore: 0\n\ncalls:\n"))
		}},
	},
	{
		code: "certificate-not-yet-valid",
		does: "the gateway's certificate begins tomorrow",
		acts: map[moment]act{setUp: func(_ context.Context, s *story) error {
			return s.certificates(time.Now().Add(24*time.Hour), time.Now().Add(year))
		}},
	},
	{
		code: "no-spare-certificate",
		does: "the gateway has one certificate",
		acts: map[moment]act{setUp: func(_ context.Context, s *story) error {
			return s.editAll(`(certificates: )\[.*\]`, "${1}[gateway, gateway-ecdsa]")
		}},
	},
	{
		code:  "host-id-mismatch",
		does:  "somebody writes the gateway's address into the phone's file in place of its name",
		needs: func(c *Config) { c.url = namedURL },
		acts: map[moment]act{
			setUp:   editing("groupURLs: [", "groupURLs: [\""+groupURL+"\", "),
			carried: func(_ context.Context, s *story) error { return s.alter(storedFile, namedURL, groupURL) },
		},
	},
	{
		code: "certificate-hash-of-wrong-certificate",
		does: "phones are given the hash of an authority that the gateway does not send",
		acts: map[moment]act{setUp: func(_ context.Context, s *story) error { return s.pinAuthority() }},
	},
	{
		code: "group-url-mismatch",
		does: "the office changes its group URL while the phone is on its way",
		acts: map[moment]act{carried: changeGroupURL},
	},
	{
		code: "credential-characters",
		does: "the phone is given a user name with a space in it",
		acts: map[moment]act{carried: func(_ context.Context, s *story) error { s.user = "an na"; return nil }},
	},
	{
		code: "login-banned",
		does: "somebody at home has tried wrong passwords",
		acts: map[moment]act{carried: guessPasswords},
	},
	{
		code: "login-refused",
		does: "the phone is given a wrong password",
		acts: map[moment]act{carried: func(_ context.Context, s *story) error { s.password = rand.Text(); return nil }},
	},
	{
		code: "session-limit",
		does: "the user has taken two phones home, and may log in once",
		acts: map[moment]act{setUp: editing("sessionTimeout: 0\n", "sessionTimeout: 0\nsimultaneousLogins: 1\n"), carried: logInTwice},
	},
	{
		code:  "client-certificate-expired",
		does:  "the phone's certificate has run out",
		needs: func(c *Config) { c.Auth = byCertificate },
		acts:  map[moment]act{carried: func(_ context.Context, s *story) error { return s.outdateIdentity() }},
	},
	{
		code:  "client-certificate-untrusted",
		does:  "the phone has a certificate of another office",
		needs: func(c *Config) { c.Auth = byCertificate },
		acts:  map[moment]act{carried: exchangeIdentity},
	},
	{
		code: "aaa-server-dead",
		does: "the server that knows the users is not there",
		acts: map[moment]act{setUp: func(_ context.Context, s *story) error {
			return errors.Join(
				s.edit("kind: TunnelGroup\nname: phones\n", "kind: TunnelGroup\nname: phones\nauthenticationServerGroup: [radius]\n"),
				s.edit("---\nkind: Site\n", "---\nkind: AAAServer\nname: radius\nprotocol: radius\nhost: 10.20.0.5\ntimeout: 2\nkey: "+rand.Text()+"\n---\nkind: Site\n"),
			)
		}},
	},
	{
		code: "address-pool-exhausted",
		does: "the pool's only address is kept for somebody else",
		acts: map[moment]act{
			setUp:  editing("network: "+poolPrefix.String(), "network: 10.20.0.128/30"),
			opened: keepAddress,
		},
	},
	{
		code: "pool-overlaps",
		does: "the pool lies in the network of the gateway's provider",
		acts: map[moment]act{setUp: editing("network: "+poolPrefix.String(), "network: 203.0.113.128/26")},
	},
	{
		code:  "no-route-to-pool",
		does:  "the office's router does not know the pool",
		needs: func(c *Config) { c.officeRouter = netip.MustParseAddr("10.20.0.254") },
		acts:  map[moment]act{setUp: editing("network: "+poolPrefix.String(), "network: 10.99.0.0/26")},
	},
	{
		code: "forwarding-off",
		does: "somebody reloads the network settings of the office's server, which switch forwarding off",
		acts: map[moment]act{carried: func(_ context.Context, s *story) error {
			return errors.Join(
				s.world.gateway.Sysctl("net.ipv4.conf."+insidePort+".forwarding", "0"),
				s.world.gateway.Route(netip.MustParsePrefix("192.0.2.0/24"), officeISP.Addr()), // routes are set anew, too
			)
		}},
	},
	{
		code: "dtls-disabled",
		does: "the group policy forbids DTLS",
		acts: map[moment]act{setUp: func(_ context.Context, s *story) error { return s.forbidDTLS() }},
	},
	{
		code: "dtls-blocked",
		does: "the Internet swallows UDP 443",
		acts: map[moment]act{carried: func(_ context.Context, s *story) error { return s.world.internet.Drop(unix.IPPROTO_UDP, 443) }},
	},
	{
		code: "mtu",
		does: "the Internet swallows UDP packets of more than 1,200 bytes",
		acts: map[moment]act{carried: func(_ context.Context, s *story) error { return s.world.internet.DropLarger(unix.IPPROTO_UDP, 1200) }},
	},
	{
		code:  "legacy-in-use",
		does:  "an old phone, and a tunnel group with legacyPhones",
		needs: func(c *Config) { c.VPN = "dtls09" },
		until: stage.Register,
	},
	{
		code: "dead-peer",
		does: "the line to the phone is dead for some seconds of the call",
		acts: map[moment]act{
			setUp:   editing("dpdClient: 30\ndpdGateway: 30\n", "dpdClient: 2\ndpdGateway: 1\n"),
			talking: loseLine,
		},
	},
	{
		code:  "session-timeout",
		does:  "the group policy ends sessions after some seconds",
		needs: func(c *Config) { c.silent = true },
		acts:  map[moment]act{setUp: editing("sessionTimeout: 0\n", "sessionTimeout: 3\n")},
	},
	{
		code:  "idle-timeout",
		does:  "the group policy ends sessions that are idle for two seconds, and the phone calls nobody",
		needs: func(c *Config) { c.silent = true },
		acts:  map[moment]act{setUp: editing("idleTimeout: 0\n", "idleTimeout: 2\n")},
	},
	{
		code:  "address-changed",
		does:  "the address that the phone had in the tunnel the day before is kept for somebody else",
		acts:  map[moment]act{carried: giveAddressAway},
		until: stage.Register,
	},
	{
		code: "registration-unreachable",
		does: "the call manager answers nobody",
		acts: map[moment]act{carried: deafening(udp(5060), tcp(5060))},
	},
	{
		code: "registration-refused",
		does: "the phone's line has lost its secret",
		acts: map[moment]act{setUp: func(_ context.Context, s *story) error {
			return s.editAll(`(displayName: "Home"\n)secret: .*\n`, "${1}")
		}},
	},
	{
		code: "registration-acl",
		does: "the tunnels' access list has files and voice pass, and nobody has thought of signalling",
		acts: map[moment]act{setUp: func(_ context.Context, s *story) error {
			return errors.Join(
				s.edit("kind: GroupPolicy\nname: phones\n", "kind: GroupPolicy\nname: phones\nfilter: phones\n"),
				s.edit("---\nkind: Site\n", accessList+"---\nkind: Site\n"),
			)
		}},
	},
	{
		code: "nat-in-the-way",
		does: "the office's firewall puts an address of its own in the place of the phones' on the way to the call manager",
		acts: map[moment]act{opened: func(_ context.Context, s *story) error {
			return s.world.gateway.Disguise(poolPrefix, unix.IPPROTO_TCP, 5060, netip.MustParseAddr("10.20.0.254"))
		}},
		until: stage.Register,
	},
	{
		code: "one-way-audio",
		does: "the office swallows what the desk phone says",
		acts: map[moment]act{talking: func(_ context.Context, s *story) error {
			return s.world.gateway.DropFrom(s.deskAddress, unix.IPPROTO_UDP)
		}},
	},
}

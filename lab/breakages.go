package lab

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

const year = 365 * 24 * time.Hour

// breakages are what --break can break, in the order of a phone's steps. Some causes cannot be brought about here: the
// office puts forwarding back that somebody switched off, and takes a new certificate before one runs out.
var breakages = []breakage{
	{
		code: "tftp-unreachable",
		does: "the office's file server answers nobody",
		acts: map[moment]act{opened: deafening(tcp(6970), udp(69))},
	},
	{
		code: "tftp-file-missing",
		does: "nobody has added the phone",
		acts: map[moment]act{opened: func(ctx context.Context, s *story) error {
			return errors.Join(s.office(ctx, "users", "remove", user, "--yes"), s.office(ctx, "phones", "remove", homePhone, "--yes"))
		}},
	},
	{
		code: "port-taken",
		does: "another program holds the gateway's port",
		acts: map[moment]act{setUp: func(_ context.Context, s *story) error {
			return s.occupy(netip.AddrPortFrom(outsidePrefix.Addr(), 443))
		}},
	},
	{
		code: "load-missing",
		does: "phones are to run a load that nobody has put there",
		acts: map[moment]act{setUp: editing("model: CP-8861\n", "model: CP-8861\nload: sip88xx.12-8-1-0001-455\n")},
	},
	{
		code:  "load-too-old",
		does:  "the phone is to run a load from before the VPN client",
		needs: func(c *Config) { c.VPN = "dtls09" },
		acts:  map[moment]act{setUp: editing("model: CP-7962G\n", "model: CP-7962G\nload: SIP42.8-5-2S\n")},
	},
	{
		code:  "model-without-vpn",
		does:  "the phone is of a model without a VPN client",
		needs: func(c *Config) { c.model = "CP-7940G" },
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
		needs: func(c *Config) { c.url = "https://vpn.example.net/phone" },
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
		code: "certificate-hash-mismatch",
		does: "the gateway's certificate is replaced while the phone is on its way",
		acts: map[moment]act{carried: replaceCertificate},
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
		code: "group-url-mismatch",
		does: "the office changes its group URL while the phone is on its way",
		acts: map[moment]act{carried: changeGroupURL},
	},
	{
		code: "login-refused",
		does: "the phone is given a wrong password",
		acts: map[moment]act{carried: func(_ context.Context, s *story) error { s.password = rand.Text(); return nil }},
	},
	{
		code:  "client-certificate-untrusted",
		does:  "the phone has a certificate of another office",
		needs: func(c *Config) { c.Auth = byCertificate },
		acts:  map[moment]act{carried: exchangeIdentity},
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
	},
	{
		code: "session-timeout",
		does: "the group policy ends sessions after some seconds",
		acts: map[moment]act{setUp: editing("sessionTimeout: 0\n", "sessionTimeout: 4\n")},
	},
	{
		code: "registration-unreachable",
		does: "the call manager answers nobody",
		acts: map[moment]act{carried: deafening(udp(5060), tcp(5060))},
	},
	{
		code: "one-way-audio",
		does: "the office swallows what the desk phone says",
		acts: map[moment]act{talking: func(_ context.Context, s *story) error {
			return s.world.gateway.DropFrom(s.deskAddress, unix.IPPROTO_UDP)
		}},
	},
}

// editing changes the inventory's file before the office opens.
func editing(from, to string) act {
	return func(_ context.Context, s *story) error { return s.edit(from, to) }
}

// port is a port of a protocol.
type port struct {
	protocol byte
	number   uint16
}

func tcp(number uint16) port { return port{unix.IPPROTO_TCP, number} }
func udp(number uint16) port { return port{unix.IPPROTO_UDP, number} }

// deafening makes the office's server swallow what comes to these ports of its own.
func deafening(ports ...port) act {
	return func(_ context.Context, s *story) error {
		for _, p := range ports {
			if err := s.world.gateway.Deafen(p.protocol, p.number); err != nil {
				return err
			}
		}
		return nil
	}
}

// replaceCertificate puts another certificate in the place of the gateway's, as somebody does who knows of no hashes.
func replaceCertificate(ctx context.Context, s *story) error {
	if err := s.otherOffice(ctx); err != nil {
		return err
	}
	return s.office(ctx, "certs", "import", "gateway", path(otherOfficeDir, "certificates/gateway.pem"),
		"--key", path(otherOfficeDir, "certificates/gateway.key"), "--replace", "--force")
}

func changeGroupURL(ctx context.Context, s *story) error {
	if err := s.edit(s.config.url, s.config.url+"s"); err != nil {
		return err
	}
	return s.apply(ctx)
}

// keepAddress gives the pool's only address to a user who is not there.
func keepAddress(ctx context.Context, s *story) error {
	if err := s.edit("---\nkind: Site\n", "---\nkind: User\nname: berta\nvpnAddress: 10.20.0.130\npassword: "+rand.Text()+"\n---\nkind: Site\n"); err != nil {
		return err
	}
	return s.apply(ctx)
}

// exchangeIdentity gives the phone a certificate that another office has made for a phone of this name.
func exchangeIdentity(ctx context.Context, s *story) error {
	if err := s.otherOffice(ctx, "--auth", byCertificate, "--phone", homePhone+"="+s.variant.model+":"+homeNumber); err != nil {
		return err
	}
	return s.takeCertificates(homePhone)
}

// occupy listens on an address of the office's server, for nobody.
func (s *story) occupy(at netip.AddrPort) error {
	return s.world.gateway.Do(func() error {
		listener, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(at))
		if err == nil {
			s.world.closers = append(s.world.closers, listener.Close)
		}
		return err
	})
}

// otherOffice writes a second set-up, whose certificates are others.
func (s *story) otherOffice(ctx context.Context, flags ...string) error {
	args := append([]string{
		"init", path(otherOfficeDir), "--url", s.config.url,
		"--outside", outsidePrefix.Addr().String(), "--inside", insidePrefix.Addr().String(), "--pool", poolPrefix.String(),
	}, flags...)
	return s.launcher.run(ctx, s.world.gateway, "init of another office", "", args...)
}

// takeCertificates puts certificates and keys of the other office in the place of those of this one.
func (s *story) takeCertificates(names ...string) error {
	for _, name := range names {
		for _, file := range []string{name + ".pem", name + ".key"} {
			content, err := s.world.disk.Files.ReadFile(otherOfficeDir + "/certificates/" + file)
			if err != nil {
				return err
			}
			if err := s.world.disk.Files.WriteFile(officeDir+"/certificates/"+file, content, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// certificates gives the gateway two of its URL's host that are valid in this time: with a good spare it would mend
// itself.
func (s *story) certificates(from, to time.Time) error {
	if err := s.editAll("ecdsaCertificate: .*\n", ""); err != nil {
		return err
	}
	if err := s.editAll(`(certificates: )\[.*\]`, "${1}[gateway, gateway-spare]"); err != nil {
		return err
	}
	return errors.Join(s.certificate("gateway", from, to), s.certificate("gateway-spare", from, to))
}

// certificate gives the gateway one.
func (s *story) certificate(name string, from, to time.Time) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	address := outsidePrefix.Addr().String()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(from.Unix()), Subject: pkix.Name{CommonName: address}, NotBefore: from, NotAfter: to,
		IPAddresses: []net.IP{outsidePrefix.Addr().AsSlice()},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	files := s.world.disk.Files
	return errors.Join(
		files.WriteFile(officeDir+"/certificates/"+name+".pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		files.WriteFile(officeDir+"/certificates/"+name+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600),
	)
}

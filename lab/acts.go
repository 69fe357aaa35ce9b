package lab

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/phone"
	"github.com/longcord/longcord/stage"
)

// editing changes the inventory's file before the office opens.
func editing(from, to string) act {
	return func(_ context.Context, s *story) error { return s.edit(from, to) }
}

// configuring changes the configuration before the office opens.
func configuring(from, to string) act {
	return func(_ context.Context, s *story) error { return s.alter(configFile, from, to) }
}

// alter replaces a text in a file on the disk.
func (s *story) alter(name, from, to string) error {
	text, err := s.world.disk.Files.ReadFile(name)
	if err != nil {
		return err
	}
	if !bytes.Contains(text, []byte(from)) {
		return fmt.Errorf("%s holds no %q", name, from)
	}
	return s.world.disk.Files.WriteFile(name, bytes.ReplaceAll(text, []byte(from), []byte(to)), 0o600)
}

// cutFile takes the phone out of the inventory, and puts a file for it in the folder that is short of its end.
func cutFile(ctx context.Context, s *story) error {
	if err := s.forgetPhone(ctx); err != nil {
		return err
	}
	const half = "<device>\n<deviceProtocol>SIP</deviceProtocol>\n<vpnGroup>\n<addresses>\n<url1>" + groupURL + "</url1>\n"
	return s.world.disk.Files.WriteFile(officeDir+"/files/"+homePhone+".cnf.xml", []byte(half), 0o644)
}

// forgetPhone takes the phone and its user out of the inventory.
func (s *story) forgetPhone(ctx context.Context) error {
	return errors.Join(s.office(ctx, "users", "remove", user, "--yes"), s.office(ctx, "phones", "remove", homePhone, "--yes"))
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

// enableTrust gives the phone trust lists and signed files.
func enableTrust(ctx context.Context, s *story) error {
	return s.office(ctx, "trust", "enable", "home", "--phone", homePhone, "--yes")
}

// replaceTrust makes both signers and TVS anew in one go, which is what the office warns of.
func replaceTrust(ctx context.Context, s *story) error {
	for _, change := range [][]string{{"replace", "signer-2"}, {"promote"}, {"replace", "signer-2"}, {"replace", "tvs"}} {
		args := append(append([]string{"trust"}, change...), "--force", "--no-push", "--yes")
		if err := s.office(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// enrolWithoutTrust orders the phone to enrol when its list, which leads back to plain files, names no CAPF.
func enrolWithoutTrust(ctx context.Context, s *story) error {
	if err := enableTrust(ctx, s); err != nil {
		return err
	}
	if err := s.office(ctx, "trust", "disable", "home-signed", "--yes"); err != nil {
		return err
	}
	return s.office(ctx, "certs", "enroll", "start", homePhone, "--auth", "null", "--no-push")
}

// renameLine changes what the phone's file says of its line.
func renameLine(ctx context.Context, s *story) error {
	if err := s.edit("displayName: \"Home\"\n", "displayName: \"At home\"\n"); err != nil {
		return err
	}
	return s.apply(ctx)
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

// giveAddressAway has the phone log in and off, and then keeps the address that it had for a user who is not there.
func giveAddressAway(ctx context.Context, s *story) error {
	before, err := s.launcher.start(s.world.router, "home phone the day before", s.password+"\n", "doctor", "--json", "--as", homePhone,
		"--url", s.config.url, "--user", user, "--password-stdin", "--place", "outside", "--take-over")
	if err != nil {
		return err
	}
	<-before.done
	return keepAddress(ctx, s)
}

// logInTwice takes the desk phone home, too, where the same user has logged it in before.
func logInTwice(ctx context.Context, s *story) error {
	if err := s.office(ctx, "users", "set", user, "--device", homePhone, "--device", deskPhone); err != nil {
		return err
	}
	s.desk.stop()
	if err := s.world.desk.Unplug(phonePort); err != nil {
		return err
	}
	if _, err := s.world.plug(ctx, s.world.home, s.world.desk, deskPhone); err != nil {
		return err
	}
	var err error
	s.desk, err = s.launcher.start(s.world.desk, "desk phone at home", s.password+"\n",
		"phone", deskPhone, "--tftp", s.tftp, "--state", path("desk"), "--user", user, "--password-stdin", "--netstack", "--json")
	if err != nil {
		return err
	}
	return s.follow(ctx, s.desk, stage.Verify, func(e phone.Event) (bool, error) {
		return e.Session != nil, nil
	})
}

// lineLost is how long the Internet swallows everything: longer than the gateway waits for a sign of life.
const lineLost = 6 * time.Second

// loseLine takes the line between phone and gateway away for a while.
func loseLine(ctx context.Context, s *story) error {
	if err := errors.Join(s.world.internet.Drop(unix.IPPROTO_TCP, 443), s.world.internet.Drop(unix.IPPROTO_UDP, 443)); err != nil {
		return err
	}
	mended := time.NewTimer(lineLost)
	defer mended.Stop()
	select {
	case <-mended.C:
		return s.world.internet.Undrop()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// exchangeIdentity gives the phone a certificate that another office has made for a phone of this name.
func exchangeIdentity(ctx context.Context, s *story) error {
	if err := s.otherOffice(ctx, append(s.samePhone(), "--auth", byCertificate)...); err != nil {
		return err
	}
	return s.takeCertificates(homePhone)
}

// wrongLogins are as many as the gateway takes of a user from an address.
const wrongLogins = 6

// guessPasswords tries wrong ones from behind the home's address, as the phone's user.
func guessPasswords(ctx context.Context, s *story) error {
	for range wrongLogins {
		guess, err := s.launcher.start(s.world.router, "guess", rand.Text()+"\n", "doctor", "--json",
			"--as", homePhone, "--url", s.config.url, "--user", user, "--password-stdin", "--place", "outside", "--take-over")
		if err != nil {
			return err
		}
		<-guess.done
	}
	return nil
}

// outdateIdentity gives the phone a certificate of the office's own authority that ended yesterday.
func (s *story) outdateIdentity() error {
	authority, err := s.pair("phones")
	if err != nil {
		return err
	}
	phone, err := s.pair(homePhone)
	if err != nil {
		return err
	}
	template := *phone.Leaf
	template.NotBefore, template.NotAfter = time.Now().Add(-year), time.Now().Add(-24*time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, &template, authority.Leaf, phone.Leaf.PublicKey, authority.PrivateKey)
	if err != nil {
		return err
	}
	return s.world.disk.Files.WriteFile(officeDir+"/certificates/"+homePhone+".pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
}

// pair reads a certificate of the office's and its key.
func (s *story) pair(name string) (tls.Certificate, error) {
	files := s.world.disk.Files
	certificate, err := files.ReadFile(officeDir + "/certificates/" + name + ".pem")
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := files.ReadFile(officeDir + "/certificates/" + name + ".key")
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(certificate, key)
}

// pinAuthority names an authority among the gateway's certificates, which is in no chain that it presents.
func (s *story) pinAuthority() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Example Authority"}, NotBefore: time.Now(), NotAfter: time.Now().Add(year),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	return errors.Join(
		s.world.disk.Files.WriteFile(officeDir+"/certificates/authority.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		s.edit("---\nkind: Site\n", "---\nkind: Certificate\nname: authority\ncertificateFile: certificates/authority.pem\n---\nkind: Site\n"),
		s.editAll(`(certificates: \[.*)\]`, "${1}, authority]"),
	)
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
	return s.officeAt(ctx, s.world.gateway, outsidePrefix.Addr(), insidePrefix.Addr(), flags...)
}

// officeAt writes a second set-up for a host.
func (s *story) officeAt(ctx context.Context, h *testnet.Host, outside, inside netip.Addr, flags ...string) error {
	args := append([]string{
		"init", path(otherOfficeDir), "--url", s.config.url,
		"--outside", outside.String(), "--inside", inside.String(), "--pool", poolPrefix.String(),
	}, flags...)
	return s.launcher.run(ctx, h, "init of another office", "", args...)
}

// samePhone has a second set-up know the home phone, too.
func (s *story) samePhone() []string {
	return []string{"--phone", homePhone + "=" + s.variant.model + ":" + homeNumber}
}

// comeFromAnotherOffice lets the phone boot in an office that stood here before, from which it has its trust list.
func comeFromAnotherOffice(ctx context.Context, s *story) error {
	if err := s.otherOffice(ctx, s.samePhone()...); err != nil {
		return err
	}
	if err := s.alter(otherOfficeDir+"/inventory.yaml", "vpnGroup: phones\nvpnProfile: home\n", ""); err != nil {
		return err
	}
	before, err := s.serveIn(ctx, s.world.gateway, "office before", otherConfigFile)
	if err != nil {
		return err
	}
	defer before.stop()
	if err := s.officeOf(ctx, otherConfigFile, "trust", "enable", "home", "--phone", homePhone, "--yes"); err != nil {
		return err
	}
	if _, err := s.bootPhone(ctx); err != nil {
		return err
	}
	s.boot.powerOff()
	return s.world.phone.Unplug(phonePort)
}

// keepOldServer has the office's file server of before stand in the office still.
func keepOldServer(ctx context.Context, s *story) error {
	old, err := s.world.oldServer()
	if err != nil {
		return err
	}
	if err := s.officeAt(ctx, old, oldServerPrefix.Addr(), oldServerPrefix.Addr(), s.samePhone()...); err != nil {
		return err
	}
	s.old, err = s.serveIn(ctx, old, "old server", otherConfigFile)
	return err
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

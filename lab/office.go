package lab

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/internal/tone"
	"github.com/longcord/longcord/phone"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/wire/wav"
)

// openOffice sets the system up and starts it, as an administrator would.
func (s *story) openOffice(ctx context.Context) error {
	s.password = rand.Text()
	args := append([]string{
		"init", path(officeDir), "--url", s.config.url,
		"--outside", outsidePrefix.Addr().String(), "--inside", insidePrefix.Addr().String(), "--pool", poolPrefix.String(),
		"--phone", homePhone + "=" + cmp.Or(s.config.listed, s.variant.model) + ":" + homeNumber + ":Home",
		"--phone", deskPhone + "=CP-8861:" + deskNumber + ":Desk",
		"--auth", s.config.Auth,
	}, s.variant.initFlags...)
	if err := s.launcher.run(ctx, s.world.gateway, "init", "", args...); err != nil {
		return &stopped{stage.Provision, err.Error()}
	}
	if s.variant.withoutDTLS {
		if err := s.forbidDTLS(); err != nil {
			return err
		}
	}
	if err := s.breakAt(ctx, setUp); err != nil {
		return err
	}
	if err := s.startServe(ctx); err != nil {
		return err
	}
	if err := s.addUser(ctx); err != nil {
		return &stopped{stage.Provision, err.Error()}
	}
	if err := s.breakAt(ctx, opened); err != nil {
		return err
	}
	return s.recordSounds()
}

// addUser makes the user as whom the phone logs in, if it does so by password.
func (s *story) addUser(ctx context.Context) error {
	if s.config.Auth == byCertificate {
		return nil
	}
	return s.launcher.run(ctx, s.world.gateway, "users add", s.password+"\n",
		"-c", path(configFile), "users", "add", user, "--device", homePhone, "--password-stdin")
}

// forbidDTLS edits the inventory as an administrator does who wants tunnels over TLS only.
func (s *story) forbidDTLS() error {
	return s.edit("kind: GroupPolicy\n", "kind: GroupPolicy\ndtls: false\n")
}

// edit replaces a text in the inventory's file, wherever it stands there.
func (s *story) edit(from, to string) error {
	return s.editAll(regexp.QuoteMeta(from), strings.ReplaceAll(to, "$", "$$"))
}

// editAll replaces what matches a pattern in the inventory's file.
func (s *story) editAll(pattern, to string) error {
	text, err := s.world.disk.Files.ReadFile(policyFile)
	if err != nil {
		return fmt.Errorf("lab: read inventory: %w", err)
	}
	expr, err := regexp.Compile(pattern)
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	if !expr.Match(text) {
		return fmt.Errorf("lab: the inventory holds no %q", pattern)
	}
	if err := s.world.disk.Files.WriteFile(policyFile, expr.ReplaceAll(text, []byte(to)), 0o600); err != nil {
		return fmt.Errorf("lab: write inventory: %w", err)
	}
	return nil
}

// apply has the running office take the inventory's file, whatever that does to phones.
func (s *story) apply(ctx context.Context) error {
	return s.office(ctx, "apply", "-f", path(policyFile), "--force", "--no-push", "--yes")
}

// office runs a command of the administrator's against the running office.
func (s *story) office(ctx context.Context, args ...string) error {
	return s.officeOf(ctx, configFile, args...)
}

// officeOf runs one against the office of this configuration.
func (s *story) officeOf(ctx context.Context, config string, args ...string) error {
	return s.launcher.run(ctx, s.world.gateway, strings.Join(args[:2], " "), "", append([]string{"-c", path(config)}, args...)...)
}

func (s *story) startServe(ctx context.Context) (err error) {
	s.serve, err = s.serveIn(ctx, s.world.gateway, "serve", configFile)
	return err
}

// serveIn starts a system in a host and waits until it is ready.
func (s *story) serveIn(ctx context.Context, h *testnet.Host, name, config string) (*program, error) {
	p, err := s.launcher.start(h, name, "", "serve", "-c", path(config))
	if err != nil {
		return nil, err
	}
	for i := 0; ; i++ {
		line, err := p.next(ctx, i)
		if errors.Is(err, errEnded) {
			return p, &stopped{stage.Provision, "the office does not open"}
		}
		if err != nil {
			return p, &stopped{stage.Provision, "the office did not get ready: " + err.Error()}
		}
		if strings.HasPrefix(line, "ready") {
			return p, nil
		}
	}
}

// recordSounds writes what each side is to say.
func (s *story) recordSounds() error {
	files := s.world.disk.Files
	return errors.Join(
		files.WriteFile(homeSound, wav.AppendBinary(nil, tone.Generate(tone.Home, callLength)), 0o600),
		files.WriteFile(deskSound, wav.AppendBinary(nil, tone.Generate(tone.Desk, deskLength)), 0o600),
	)
}

// bootDesk plugs in the desk phone and waits until it can be called.
func (s *story) bootDesk(ctx context.Context) error {
	lease, err := s.world.plug(ctx, s.world.office, s.world.desk, deskPhone)
	if err != nil {
		return err
	}
	if s.tftp, err = fileServers(lease); err != nil {
		return err
	}
	s.deskAddress = lease.Address.Addr()
	s.desk, err = s.launcher.start(s.world.desk, "desk phone", "", "phone", deskPhone, "--tftp", s.tftp,
		"--state", path("desk"), "--answer", "--play", path(deskSound), "--record", path(heardAt+deskSound), "--json")
	if err != nil {
		return err
	}
	return s.follow(ctx, s.desk, stage.Register, func(e phone.Event) (bool, error) {
		return registered(e), failed(e)
	})
}

// fileServers are those that DHCP names, by comma.
func fileServers(lease testnet.Lease) (string, error) {
	var all []string
	for named := range slices.Chunk(lease.Options[testnet.OptionTFTPServerAddress], net.IPv4len) {
		all = append(all, net.IP(named).String())
	}
	if len(all) == 0 {
		return "", errors.New("lab: DHCP in the office names no file server")
	}
	return strings.Join(all, ","), nil
}

// bootInOffice boots the phone that is to go home once in the office, so that it has its files and the
// gateway's certificate hash.
func (s *story) bootInOffice(ctx context.Context) error {
	provisioned, err := s.bootPhone(ctx)
	if err != nil {
		return err
	}
	s.reached(Step{stage.Provision, true, provisioned.Detail, provisioned.DurationMS})
	return nil
}

// bootPhone plugs the phone in and follows it until it has registered, and returns how it got its files.
func (s *story) bootPhone(ctx context.Context) (provisioned phone.Event, err error) {
	lease, err := s.world.plug(ctx, s.world.office, s.world.phone, homePhone)
	if err == nil {
		s.tftp, err = fileServers(lease)
	}
	if err == nil {
		s.boot, err = s.launcher.start(s.world.phone, "home phone in the office", "", s.homePhoneArgs()...)
	}
	if err != nil {
		return provisioned, err
	}
	err = s.follow(ctx, s.boot, stage.Provision, func(e phone.Event) (bool, error) {
		if e.Event == "step" && e.Step == stage.Provision {
			provisioned = e
		}
		return registered(e), failed(e)
	})
	if err != nil {
		s.boot.powerOff()
	}
	return provisioned, err
}

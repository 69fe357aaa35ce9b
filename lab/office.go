package lab

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
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
	return s.launcher.run(ctx, s.world.gateway, strings.Join(args[:2], " "), "", append([]string{"-c", path(configFile)}, args...)...)
}

func (s *story) startServe(ctx context.Context) (err error) {
	if s.serve, err = s.launcher.start(s.world.gateway, "serve", "", "serve", "-c", path(configFile)); err != nil {
		return err
	}
	for i := 0; ; i++ {
		line, err := s.serve.next(ctx, i)
		if errors.Is(err, errEnded) {
			return &stopped{stage.Provision, "the office does not open"}
		}
		if err != nil {
			return &stopped{stage.Provision, "the office did not get ready: " + err.Error()}
		}
		if strings.HasPrefix(line, "ready") {
			return nil
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
	server, ok := netip.AddrFromSlice(lease.Options[testnet.OptionTFTPServerAddress])
	if !ok {
		return errors.New("lab: DHCP in the office names no file server")
	}
	s.tftp, s.deskAddress = server.String(), lease.Address.Addr()
	s.desk, err = s.launcher.start(s.world.desk, "desk phone", "", "phone", deskPhone, "--tftp", s.tftp,
		"--state", path("desk"), "--answer", "--play", path(deskSound), "--record", path(heardAt+deskSound), "--json")
	if err != nil {
		return err
	}
	return s.follow(ctx, s.desk, stage.Register, func(e phone.Event) (bool, error) {
		return registered(e), failed(e)
	})
}

// bootInOffice boots the phone that is to go home once in the office, so that it has its files and the
// gateway's certificate hash, and takes its power away.
func (s *story) bootInOffice(ctx context.Context) error {
	if _, err := s.world.plug(ctx, s.world.office, s.world.phone, homePhone); err != nil {
		return err
	}
	var err error
	if s.boot, err = s.launcher.start(s.world.phone, "home phone in the office", "", s.homePhoneArgs()...); err != nil {
		return err
	}
	var provisioned phone.Event
	err = s.follow(ctx, s.boot, stage.Provision, func(e phone.Event) (bool, error) {
		if e.Event == "step" && e.Step == stage.Provision {
			provisioned = e
		}
		return registered(e), failed(e)
	})
	s.boot.powerOff()
	if err != nil {
		return err
	}
	s.reached(Step{stage.Provision, true, provisioned.Detail, provisioned.DurationMS})
	return nil
}

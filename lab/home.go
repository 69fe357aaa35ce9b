package lab

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/phone"
	"github.com/longcord/longcord/stage"
)

// carryHome moves the phone's cable from the office to the home router.
func (s *story) carryHome(ctx context.Context) error {
	s.boot.powerOff()
	if err := s.world.phone.Unplug(phonePort); err != nil {
		return err
	}
	if err := s.breakAt(ctx, carried); err != nil {
		return err
	}
	_, err := s.world.plug(ctx, s.world.home, s.world.phone, homePhone)
	return err
}

// callFromHome starts the phone at home and follows it until it has hung up, or all has been shown.
func (s *story) callFromHome(ctx context.Context) (err error) {
	args := append(s.homePhoneArgs(), s.credentials()...)
	if s.until == stage.Call && !s.config.silent {
		args = append(args, "--call", deskNumber, "--play", path(homeSound), "--record", path(heardAt+homeSound))
	}
	s.home, err = s.launcher.start(s.world.phone, "home phone", s.password+"\n", args...)
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		e, err := s.event(ctx, s.home, i)
		if errors.Is(err, errEnded) {
			break
		}
		if err != nil {
			return &stopped{s.awaited(), err.Error()}
		}
		if err := s.happened(ctx, e); err != nil || s.shown() {
			return err
		}
	}
	if !s.home.cmd.ProcessState.Success() {
		return &stopped{s.awaited(), s.home.failure().Error()}
	}
	return s.deskHangsUp(ctx)
}

// deskHangsUp waits for what the desk phone measured of the call, and ends it so that its recording is
// complete.
func (s *story) deskHangsUp(ctx context.Context) error {
	err := s.follow(ctx, s.desk, stage.Call, func(e phone.Event) (bool, error) {
		s.deskMedia = e.Media
		return e.Media != nil, nil
	})
	if err == nil && !s.config.Keep {
		s.desk.stop()
	}
	return err
}

// homePhoneArgs is how the phone is started in either place.
func (s *story) homePhoneArgs() []string {
	args := []string{
		"phone", homePhone, "--tftp", s.tftp, "--state", path("phone"), "--vpn", "auto",
		"--model", s.variant.model, "--tun", tunnelPort, "--json",
	}
	if s.variant.psk {
		args = append(args, "--psk")
	}
	if s.config.alternateNo {
		args = append(args, "--tftp-by-dhcp", "--web", ":80")
	}
	return args
}

// credentials is how the phone proves at home who it is.
func (s *story) credentials() []string {
	if s.config.Auth == byCertificate {
		certificate := officeDir + "/certificates/" + homePhone
		return []string{"--cert", path(certificate + ".pem"), "--key", path(certificate + ".key")}
	}
	return []string{"--user", s.user, "--password-stdin"}
}

// happened takes in one event of the phone at home.
func (s *story) happened(ctx context.Context, e phone.Event) error {
	switch {
	case s.config.Break != "" && e.Finding != nil && e.Finding.Severity == finding.Fault && e.Finding.Step >= s.awaited():
		return &stopped{s.awaited(), e.Finding.Says} // it would try again and again
	case e.Call != nil && e.Call.State == "answered":
		return s.breakAt(ctx, talking)
	case e.Session != nil:
		s.result.Session = e.Session
		s.settle()
	case e.Media != nil:
		s.homeMedia = e.Media
	case e.Event == "step":
		return s.stepped(ctx, e)
	}
	return nil
}

// stepped takes in the end of a step. The first one is over: at home the phone lives it again and may
// well find no file server. The call's is for judge to end. Who connects once more has lost his tunnel, and the call with
// it.
func (s *story) stepped(ctx context.Context, e phone.Event) error {
	if e.Step == stage.Provision {
		return nil
	}
	if err := failed(e); err != nil {
		return err
	}
	if e.Step == stage.Connect && s.awaited() > stage.Connect {
		return &stopped{s.awaited(), "the phone has lost its tunnel and logs in anew"}
	}
	if e.Step != s.awaited() || e.Step == stage.Call {
		return nil
	}
	if e.Step == stage.Register {
		s.calling = time.Now()
	}
	s.pending = append(s.pending, Step{e.Step, true, e.Detail, e.DurationMS})
	s.settle()
	if e.Step == stage.Register {
		return s.breakAt(ctx, settled)
	}
	return nil
}

// settle notes the steps that are pending. A tunnel begins over TLS and moves to DTLS a little later,
// when the phone may be a step further already; until then they wait.
func (s *story) settle() {
	if len(s.pending) > 0 && s.pending[0].Step == stage.Tunnel && s.wrongChannel() != "" {
		return
	}
	s.flush()
}

func (s *story) flush() {
	for _, step := range s.pending {
		if t := s.result.Session; step.Step == stage.Tunnel && t != nil {
			step.Detail += fmt.Sprintf(", %s with %s", channel(t.Transport, t.DTLSVersion), t.Cipher)
		}
		s.reached(step)
	}
	s.pending = nil
}

package lab

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/internal/tone"
	"github.com/longcord/longcord/phone"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/wire/wav"
)

// Who is in the story.
const (
	homePhone  = "SEP001122334455" // carried home
	deskPhone  = "SEP001122334466"
	homeNumber = "1001"
	deskNumber = "1002"
	user       = "anna"
	groupURL   = "https://203.0.113.2/phone"
)

const (
	// callLength is what the home phone plays before it hangs up: 250 packets of 20 ms.
	callLength = 5 * time.Second
	// deskLength is longer, so that it is the caller who ends the call.
	deskLength = 2 * callLength
	// storyLimit is far more than the story takes.
	storyLimit = 60 * time.Second
)

// Files on the disk.
const (
	officeDir  = "office" // what init writes
	configFile = "office/longcord.yaml"
	policyFile = "office/inventory.yaml"
	keysFile   = "keys.log"
	homeSound  = "home.wav" // what each side plays
	deskSound  = "desk.wav"
	heardAt    = "heard-at-" // recordings, before the name of what is played there
)

// stopped is the end of a story that went wrong.
type stopped struct {
	step stage.Step
	why  string
}

func (s *stopped) Error() string { return fmt.Sprintf("lab: stopped at %s: %s", s.step, s.why) }

// story is one run through the steps.
type story struct {
	config   Config
	variant  variant
	world    *world
	launcher *launcher
	report   reporter
	result   *Result
	password string

	serve *program
	desk  *program
	boot  *program // the home phone in the office
	home  *program // the same at home

	tftp      string // where phones fetch their files
	deskMedia *phone.Media
	homeMedia *phone.Media
	pending   []Step    // the tunnel step and those after it, until the tunnel is on its channel
	calling   time.Time // when the call began, for its duration
}

// live tells the story to its end, or to where it stops.
func (s *story) live(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storyLimit)
	defer cancel()
	for _, act := range []func(context.Context) error{
		s.openOffice, s.bootDesk, s.bootInOffice, s.carryHome, s.callFromHome, s.judge,
	} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	return nil
}

// openOffice sets the system up and starts it, as an administrator would.
func (s *story) openOffice(ctx context.Context) error {
	s.password = rand.Text()
	args := append([]string{
		"init", path(officeDir), "--url", groupURL,
		"--outside", outsidePrefix.Addr().String(), "--inside", insidePrefix.Addr().String(), "--pool", poolPrefix.String(),
		"--phone", homePhone + "=" + s.variant.model + ":" + homeNumber + ":Home",
		"--phone", deskPhone + "=CP-8861:" + deskNumber + ":Desk",
	}, s.variant.initFlags...)
	if err := s.launcher.run(ctx, s.world.gateway, "init", "", args...); err != nil {
		return &stopped{stage.Provision, err.Error()}
	}
	if s.variant.withoutDTLS {
		if err := s.forbidDTLS(); err != nil {
			return err
		}
	}
	if err := s.startServe(ctx); err != nil {
		return err
	}
	err := s.launcher.run(ctx, s.world.gateway, "users add", s.password+"\n",
		"-c", path(configFile), "users", "add", user, "--password-stdin")
	if err != nil {
		return &stopped{stage.Provision, err.Error()}
	}
	return s.recordSounds()
}

// forbidDTLS edits the inventory as an administrator does who wants tunnels over TLS only.
func (s *story) forbidDTLS() error {
	text, err := s.world.disk.Files.ReadFile(policyFile)
	if err != nil {
		return fmt.Errorf("lab: read inventory: %w", err)
	}
	const policy = "kind: GroupPolicy\n"
	if !strings.Contains(string(text), policy) {
		return errors.New("lab: the inventory holds no group policy")
	}
	edited := strings.ReplaceAll(string(text), policy, policy+"dtls: false\n")
	if err := s.world.disk.Files.WriteFile(policyFile, []byte(edited), 0o600); err != nil {
		return fmt.Errorf("lab: write inventory: %w", err)
	}
	return nil
}

func (s *story) startServe(ctx context.Context) (err error) {
	if s.serve, err = s.launcher.start(s.world.gateway, "serve", "", "serve", "-c", path(configFile)); err != nil {
		return err
	}
	for i := 0; ; i++ {
		line, err := s.serve.next(ctx, i)
		if errors.Is(err, errEnded) {
			return &stopped{stage.Provision, s.serve.failure().Error()}
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
	s.tftp = server.String()
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

// carryHome moves the phone's cable from the office to the home router.
func (s *story) carryHome(ctx context.Context) error {
	if err := s.world.phone.Unplug(phonePort); err != nil {
		return err
	}
	_, err := s.world.plug(ctx, s.world.home, s.world.phone, homePhone)
	return err
}

// callFromHome starts the phone at home and follows it until it has hung up.
func (s *story) callFromHome(ctx context.Context) (err error) {
	args := append(s.homePhoneArgs(), "--user", user, "--password-stdin",
		"--call", deskNumber, "--play", path(homeSound), "--record", path(heardAt+homeSound))
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
		if err := s.happened(e); err != nil {
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
	return []string{
		"phone", homePhone, "--tftp", s.tftp, "--state", path("phone"), "--vpn", "auto",
		"--model", s.variant.model, "--tun", tunnelPort, "--json",
	}
}

// happened takes in one event of the phone at home.
func (s *story) happened(e phone.Event) error {
	switch {
	case e.Session != nil:
		s.result.Session = e.Session
		s.settle()
	case e.Media != nil:
		s.homeMedia = e.Media
	case e.Event == "step":
		return s.stepped(e)
	}
	return nil
}

// stepped takes in the end of a step. The first one is over: at home the phone lives it again and may
// well find no file server. The call's is for judge to end.
func (s *story) stepped(e phone.Event) error {
	if e.Step == stage.Provision {
		return nil
	}
	if err := failed(e); err != nil {
		return err
	}
	if e.Step != s.awaited() || e.Step == stage.Call {
		return nil
	}
	if e.Step == stage.Register {
		s.calling = time.Now()
	}
	s.pending = append(s.pending, Step{e.Step, true, e.Detail, e.DurationMS})
	s.settle()
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
		s.reached(step)
	}
	s.pending = nil
}

// follow reads a phone's events until done says so, and stops the story when done returns an error or
// the phone ends before. step is where the story stands if the phone says nothing about that.
func (s *story) follow(ctx context.Context, p *program, step stage.Step, done func(phone.Event) (bool, error)) error {
	for i := 0; ; i++ {
		e, err := s.event(ctx, p, i)
		if errors.Is(err, errEnded) {
			return &stopped{step, p.failure().Error()}
		}
		if err != nil {
			return &stopped{step, fmt.Sprintf("the %s: %v", p.name, err)}
		}
		if ok, err := done(e); ok || err != nil {
			return err
		}
	}
}

// event returns event i of a phone.
func (s *story) event(ctx context.Context, p *program, i int) (e phone.Event, err error) {
	line, err := p.next(ctx, i)
	if errors.Is(err, context.DeadlineExceeded) {
		return e, fmt.Errorf("nothing happened any more, %v after the beginning", storyLimit)
	}
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		return e, fmt.Errorf("%s says %q, which is not an event: %w", p.name, line, err)
	}
	return e, nil
}

// reached notes the end of a step.
func (s *story) reached(step Step) {
	s.result.Steps = append(s.result.Steps, step)
	s.report.step(step)
}

// awaited returns the step that comes next.
func (s *story) awaited() stage.Step { return stage.Step(len(s.result.Steps) + len(s.pending) + 1) }

// registered reports whether the phone is known to the call manager.
func registered(e phone.Event) bool {
	return e.Event == "registered" || e.Event == "step" && e.Step == stage.Register && e.OK
}

// failed stops the story at a step that the phone gave up.
func failed(e phone.Event) error {
	if e.Event == "step" && !e.OK {
		return &stopped{e.Step, e.Detail}
	}
	return nil
}

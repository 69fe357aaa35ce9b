package lab

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/longcord/longcord/phone"
	"github.com/longcord/longcord/stage"
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
	officeDir       = "office"       // what init writes
	otherOfficeDir  = "other-office" // the same of somebody else
	configFile      = "office/longcord.yaml"
	otherConfigFile = "other-office/longcord.yaml"
	policyFile      = "office/inventory.yaml"
	keysFile        = "keys.log"
	homeSound       = "home.wav" // what each side plays
	deskSound       = "desk.wav"
	heardAt         = "heard-at-" // recordings, before the name of what is played there
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
	user     string // as whom somebody logs the phone in, and by what
	password string
	until    stage.Step // the last step that is told

	serve *program
	old   *program // a server of before that somebody left; nil: there is none
	desk  *program
	boot  *program // the home phone in the office, until it is carried away
	home  *program // the same at home

	tftp        string // where phones fetch their files
	deskAddress netip.Addr
	deskMedia   *phone.Media
	homeMedia   *phone.Media
	pending     []Step    // the tunnel step and those after it, until the tunnel is on its channel
	calling     time.Time // when the call began, for its duration
}

// live tells the story to its end, or to where it stops.
func (s *story) live(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storyLimit)
	defer cancel()
	s.until = stage.Call
	if b, err := breakageOf(s.config.Break); err == nil {
		s.report.say("broken on purpose: %s", b.does)
		s.until = cmp.Or(b.until, stage.Call)
	}
	for _, act := range []func(context.Context) error{
		s.openOffice, s.bootDesk, s.bootInOffice, s.carryHome, s.callFromHome, s.judge,
	} {
		if err := act(ctx); err != nil || s.shown() {
			return err
		}
	}
	return nil
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

package phone

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/stage/detect"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/tvs"
)

// Steps is a phone that takes its steps one by one, when it is told to, and tells what it sees: what somebody needs who
// looks for a fault. Each step is the one that a living phone takes.
type Steps struct{ p *Phone }

// NewSteps checks the configuration. Servers may be missing; VPN, Call and Answer mean nothing.
func NewSteps(config Config) (*Steps, error) {
	if config.Name == "" || config.StateDir == "" || config.OpenTUN == nil {
		return nil, errors.New("phone: name, state folder or packet device is missing")
	}
	p, err := newPhone(config)
	if err != nil {
		return nil, err
	}
	p.wakeUp()
	return &Steps{p}, nil
}

// FindingOf returns what a step's error was found to be, if the phone knows.
func FindingOf(err error) (finding.Finding, bool) {
	var step *stepError
	if !errors.As(err, &step) {
		return finding.Finding{}, false
	}
	return step.finding, true
}

// Keep stores a file as if the phone had fetched it before. An error says what is wrong with it.
func (s *Steps) Keep(raw []byte) (*cnf.Device, error) {
	file, err := judge(raw, provisionConfig{trusted: true})
	if err != nil {
		return nil, err
	}
	return file, saveConfig(s.p.config.StateDir, s.p.config.Name, raw)
}

// Look finds out whether the phone is inside or outside, given the file that it keeps. An error means that it cannot
// tell, because it may not ping.
func (s *Steps) Look(ctx context.Context, stored *cnf.Device) (detect.Decided, error) {
	return detectInside(ctx, s.p.detectConfig(stored))
}

// Here is where the phone stands before it has a tunnel.
func (s *Steps) Here() Spot { return Spot{p: s.p} }

// Spot is a place in a network from which a phone sees its servers: the host's own, or the end of a tunnel.
type Spot struct {
	p *Phone
	n network
}

// Resolve returns an IPv4 address of a host that is named or given by address.
func (s Spot) Resolve(ctx context.Context, host string) (netip.Addr, error) {
	return s.n.resolve4(ctx, host)
}

// Ping sends up to three echo requests, a second apart, and reports whether one was answered. An error means that it
// may not ping.
func (s Spot) Ping(ctx context.Context, address netip.Addr) (bool, error) {
	const pings, spacing = 3, time.Second
	pinger, err := newPinger(ctx, s.n, []netip.Addr{address})
	if err != nil {
		return false, err
	}
	answered := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := pinger.answer(); err == nil {
			close(answered)
		}
	}()
	defer func() {
		_ = pinger.close() // a socket that was only read
		<-done
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for sent := 0; ; sent++ {
		select {
		case <-answered:
			return true, nil
		case <-ctx.Done():
			return false, ctx.Err()
		case <-timer.C:
		}
		if sent == pings {
			return false, nil
		}
		_ = pinger.ping(0) // not sent is not answered
		timer.Reset(spacing)
	}
}

// reachTime is how long Reach waits for an answer.
const reachTime = 5 * time.Second

// Reach connects by TCP and hangs up.
func (s Spot) Reach(ctx context.Context, host string, port int) error {
	conn, err := s.n.dialer(nil, reachTime).DialContext(ctx, "tcp4", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return err
	}
	hangUp(conn)
	return nil
}

// FileOutcome is what came of a request for a file.
type FileOutcome string

// The outcomes.
const (
	FileCame       FileOutcome = "came"
	FileMissing    FileOutcome = "missing"    // the server says that it has none
	FileRefused    FileOutcome = "refused"    // the server does not give it to this phone
	FileSilent     FileOutcome = "silent"     // nobody answers
	FileUnbelieved FileOutcome = "unbelieved" // it came, and nobody whom the phone believes has signed it
)

func outcomeOf(err error) FileOutcome {
	switch {
	case err == nil:
		return FileCame
	case errors.Is(err, errNoFile):
		return FileMissing
	case errors.Is(err, errRefused):
		return FileRefused
	case errors.Is(err, errUntrusted):
		return FileUnbelieved
	}
	return FileSilent
}

// Asked is one request for a file.
type Asked struct {
	Server    string
	Transport provision.Transport
	Name      string
	Outcome   FileOutcome
	Content   []byte // as it came
	Err       error
}

// Files is what a phone got of its files.
type Files struct {
	Asked  []Asked
	Server string      // who gave the phone's own file
	From   string      // the file's name and way, for people
	Raw    []byte      // the phone's own file, opened; nil: it did not come, or cannot be used
	File   *cnf.Device // likewise
	Err    error       // why not; it has a finding
}

// Files asks for the phone's files in a phone's order and with a phone's checks, given the file that it keeps, if any.
func (s Spot) Files(ctx context.Context, stored *cnf.Device) Files {
	var files Files
	cfg := s.p.provisionConfig(s.n, stored)
	cfg.asked = func(ask provision.Ask, server string, content []byte, err error) {
		files.Asked = append(files.Asked, Asked{server, ask.Transport, ask.Name, outcomeOf(err), content, err})
	}
	file, from, err := fetchConfig(ctx, cfg)
	if err != nil {
		if f, ok := provisionFinding(err, cfg); ok {
			err = &stepError{finding: f, err: err}
		}
		files.Err = err
		return files
	}
	files.File, files.From = file, from
	if last := len(files.Asked) - 1; last >= 0 {
		files.Server = files.Asked[last].Server
	}
	files.Raw, files.Err = os.ReadFile(filepath.Join(s.p.config.StateDir, provision.ConfigFile(s.p.config.Name)))
	return files
}

// Ask asks one server for one file in one way, without storing or judging it.
func (s Spot) Ask(ctx context.Context, server, name string, t provision.Transport) Asked {
	content, err := newFetcher(s.n).by(ctx, provision.Ask{Transport: t, Name: name}, server, s.p.trust)
	return Asked{server, t, name, outcomeOf(err), content, err}
}

// Companions fetches the files that the phone's own file names, and returns what could not be had.
func (s Spot) Companions(ctx context.Context, stored, file *cnf.Device) (read []string, missed []error) {
	return fetchCompanions(ctx, s.p.provisionConfig(s.n, stored), file)
}

// Vouches connects to a trust verification service as the phone does when it meets a certificate that no list has.
func (s Spot) Vouches(ctx context.Context, server cnf.TVSServer) error {
	ctx, cancel := context.WithTimeout(ctx, trustTimeout)
	defer cancel()
	port := server.Port
	if port == 0 {
		port = tvs.Port
	}
	d := s.p.trustDialer(s.n)
	d.believes = s.p.trust.isTVS
	conn, err := d.dial(ctx, server.Host, port)
	if err != nil {
		return fmt.Errorf("phone: TVS %s: %w", net.JoinHostPort(server.Host, strconv.Itoa(port)), err)
	}
	hangUp(conn)
	return nil
}

// Line is the phone's first line at its call manager.
type Line struct {
	Number  string
	Manager string // host and port

	line line
	p    *Phone
	file *cnf.Device
}

// Occupied is the error of a line that is registered already, as its call manager says.
type Occupied struct {
	Line     string
	Contacts []string // where, host and port
}

func (o *Occupied) Error() string {
	return fmt.Sprintf("phone: %s is registered from %s", o.Line, strings.Join(o.Contacts, ", "))
}

func occupied(line string, a register.Occupied) *Occupied {
	o := &Occupied{Line: line}
	for _, c := range a.Contacts {
		at := c.URI.Host
		if c.URI.Port != 0 {
			at = net.JoinHostPort(at, strconv.Itoa(int(c.URI.Port)))
		}
		o.Contacts = append(o.Contacts, at)
	}
	return o
}

// Register registers the first line of a file, within ctx. Unless it may take over, it asks first who is registered, and
// leaves the line to him: *Occupied. An error of a call manager that refuses or does not answer has a finding. The line
// ends with Close, which takes the registration back.
func (s Spot) Register(ctx context.Context, file *cnf.Device, takeOver bool) (*Line, error) {
	line, err := s.p.line(context.WithoutCancel(ctx), s.n, file, !takeOver)
	if err != nil {
		return nil, err
	}
	l := &Line{Manager: line.at().address(), line: line, p: s.p, file: file}
	trouble := make(chan finding.Finding, 1)
	line.at().onEvent = func(e Event) {
		if e.Event == "finding" {
			select {
			case <-trouble:
			default:
			}
			trouble <- *e.Finding // the newest counts; events come one at a time
		}
	}
	if err := line.Register(ctx); err != nil {
		l.Close()
		select {
		case f := <-trouble:
			err = &stepError{finding: f, err: err}
		default:
		}
		return nil, err
	}
	l.Number = line.at().called()
	return l, nil
}

// Call calls a number as a user dials it, talks for a while, and hangs up. The sound sent is the Play of the
// configuration. It returns what was measured.
func (l *Line) Call(ctx context.Context, number string, talk time.Duration) (Media, error) {
	c, err := l.line.Call(ctx, l.p.dialled(l.file, number))
	if err != nil {
		return Media{}, err
	}
	timer := time.NewTimer(talk)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.Done():
	case <-ctx.Done():
	}
	return c.HangUp(), nil
}

// Close takes the registration back. It waits for the call manager only for a moment.
func (l *Line) Close() {
	timer := time.AfterFunc(goodbyeTime, l.line.at().cancel)
	defer timer.Stop()
	l.line.Close()
}

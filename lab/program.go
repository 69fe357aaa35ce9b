package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/internal/testnet"
)

// patience is how long a program may take to end after it was asked to.
const patience = 5 * time.Second

// lastWords is how many lines of a program's standard error are worth repeating when it fails.
const lastWords = 5

// program is a longcord command that runs inside a host.
type program struct {
	name string
	disk *testnet.Disk
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended and all its lines are there

	mu      sync.Mutex
	lines   []string      // of its standard output
	changed chan struct{} // closed and made anew with every line
}

// launcher starts programs of one world.
type launcher struct {
	executable string
	disk       *testnet.Disk
	env        []string
}

func newLauncher(c Config, disk *testnet.Disk) *launcher {
	l := &launcher{executable: c.Executable, disk: disk, env: append(c.env, "TMPDIR="+testnet.DiskPath)}
	for _, setting := range os.Environ() {
		// What the user has set for a system of his own is not meant for this one.
		if !strings.HasPrefix(setting, "LONGCORD_") && !strings.HasPrefix(setting, "TMPDIR=") {
			l.env = append(l.env, setting)
		}
	}
	return l
}

// start starts a command inside the host; input is what it reads. Its standard error goes to a file.
func (l *launcher) start(h *testnet.Host, name, input string, args ...string) (*program, error) {
	p := &program{name: name, disk: l.disk, done: make(chan struct{}), changed: make(chan struct{})}
	p.cmd = exec.Command(l.executable, args...)
	p.cmd.Args[0] = "longcord"
	p.cmd.Env = l.env
	p.cmd.Stdin = strings.NewReader(input)
	log, err := l.disk.Files.Create(p.logName())
	if err != nil {
		return nil, fmt.Errorf("lab: log of %s: %w", name, err)
	}
	defer log.Close()
	p.cmd.Stderr = log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("lab: start %s: %w", name, err)
	}
	if err := h.Start(p.cmd); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			p.said(lines.Text())
		}
		// How it ended is in ProcessState; a pipe it did not read to the end is no failure.
		_ = p.cmd.Wait()
	}()
	return p, nil
}

// run runs a command to its end. The error holds its last words.
func (l *launcher) run(ctx context.Context, h *testnet.Host, name, input string, args ...string) error {
	p, err := l.start(h, name, input, args...)
	if err != nil {
		return err
	}
	select {
	case <-p.done:
		if !p.cmd.ProcessState.Success() {
			return p.failure()
		}
		return nil
	case <-ctx.Done():
		p.powerOff()
		return fmt.Errorf("%s did not end: %w", name, ctx.Err())
	}
}

func (p *program) logName() string { return strings.ReplaceAll(p.name, " ", "-") + ".log" }

func (p *program) said(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, line)
	close(p.changed)
	p.changed = make(chan struct{})
}

// errEnded is what next says when the program has ended and there is no such line.
var errEnded = errors.New("the program has ended")

// next returns line i of the standard output, counted from 0, and waits for it.
func (p *program) next(ctx context.Context, i int) (string, error) {
	for {
		ended := p.ended()
		p.mu.Lock()
		if i < len(p.lines) {
			defer p.mu.Unlock()
			return p.lines[i], nil
		}
		changed := p.changed
		p.mu.Unlock()
		if ended {
			return "", errEnded
		}
		select {
		case <-changed:
		case <-p.done:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// all returns what the program has said so far.
func (p *program) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.lines)
}

func (p *program) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// failure describes how the program ended, with its last words.
func (p *program) failure() error {
	log, err := p.disk.Files.ReadFile(p.logName())
	words := strings.Split(strings.TrimSpace(string(log)), "\n")
	if err != nil || words[0] == "" {
		return fmt.Errorf("%s ended with %v and said nothing", p.name, p.cmd.ProcessState)
	}
	words = words[max(0, len(words)-lastWords):]
	return fmt.Errorf("%s ended with %v; its last words: %s", p.name, p.cmd.ProcessState, strings.Join(words, " | "))
}

// stop asks the program to end in order and waits for that.
func (p *program) stop() {
	if p.signal(unix.SIGTERM); p.gone(patience) {
		return
	}
	p.powerOff()
}

// powerOff ends the program as a power cut does.
func (p *program) powerOff() {
	p.signal(unix.SIGKILL)
	<-p.done
}

func (p *program) signal(sig os.Signal) {
	// It may have ended by itself meanwhile, which is what was wanted.
	_ = p.cmd.Process.Signal(sig)
}

func (p *program) gone(within time.Duration) bool {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.done:
		return true
	case <-timer.C:
		return false
	}
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/longcord/longcord/internal/testnet"
)

// patience is how long a program may take for what it should do at once.
const patience = 60 * time.Second

// keptLines of what a program says are shown when it fails.
const keptLines = 40

// program runs beside the measurement.
type program struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}

	mu    sync.Mutex
	lines []string // the last
}

// start starts a program on a host. Say what to wait for in its output by awaited.
func start(h *testnet.Host, awaited string, cmd *exec.Cmd) (*program, error) {
	p := &program{name: filepath.Base(cmd.Path), cmd: cmd, done: make(chan struct{})}
	ready := make(chan struct{})
	read, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = write, write
	if err := h.Start(cmd); err != nil {
		return nil, err
	}
	go func() {
		told := awaited == ""
		if told {
			close(ready)
		}
		for lines := bufio.NewScanner(read); lines.Scan(); {
			p.said(lines.Text())
			if !told && strings.Contains(lines.Text(), awaited) {
				told = true
				close(ready)
			}
		}
		_, _ = io.Copy(io.Discard, read) // a line too long to scan
	}()
	go func() {
		_ = cmd.Wait() // how it ended is in ProcessState
		_ = write.Close()
		close(p.done)
	}()
	select {
	case <-ready:
		return p, nil
	case <-p.done:
		return nil, fmt.Errorf("%s ended (%v):\n%s", p.name, cmd.ProcessState, p.output())
	case <-time.After(patience):
		return nil, errors.Join(fmt.Errorf("%s does not say %q:\n%s", p.name, awaited, p.output()), p.stop())
	}
}

func (p *program) said(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, line)
	if len(p.lines) > keptLines {
		p.lines = p.lines[1:]
	}
}

func (p *program) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n")
}

func (p *program) pid() int { return p.cmd.Process.Pid }

// stop asks the program to end, and kills it if it does not.
func (p *program) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.done:
		return nil
	case <-time.After(patience):
		_ = p.cmd.Process.Kill() // likewise
		<-p.done
		return fmt.Errorf("%s had to be killed", p.name)
	}
}

// runOn runs a program on a host to its end and returns what it printed.
func runOn(ctx context.Context, h *testnet.Host, input string, limit time.Duration, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &out
	if err := h.Start(cmd); err != nil {
		return nil, err
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("%s: %w:\n%s", filepath.Base(name), err, out.Bytes())
	}
	return out.Bytes(), nil
}

//go:build interop

// Package baresip runs baresip, a SIP phone that we did not write, for tests of our call manager and of
// our phone. It speaks to the program over its control connection: commands and events as netstrings of
// JSON.
package baresip

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/tone"
	"github.com/longcord/longcord/wire/wav"
)

const modules = "/usr/lib/baresip/modules"

// Account is the line that a phone registers.
type Account struct {
	Own       netip.Addr // address of this phone on loopback
	Server    string     // host of the registrar
	Transport string     // udp or tcp
	Number    string
	Secret    string
	Auto      bool   // answer calls at once
	Codecs    string // such as pcma; empty: PCMU and PCMA
}

// Phone is a running baresip.
type Phone struct {
	t       *testing.T
	account Account
	control net.Conn
	events  chan Event
	output  *lines
}

// Event is something that baresip tells, such as CALL_RINGING or CALL_CLOSED.
type Event struct {
	Type  string `json:"type"`
	Param string `json:"param"`
}

// Start runs a phone until the end of the test. Without the program the test is skipped, or fails where
// CI=true.
func Start(t *testing.T, a Account) *Phone {
	t.Helper()
	program, err := exec.LookPath("baresip")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("baresip is not installed")
		}
		t.Skip("baresip is not installed")
	}
	dir := t.TempDir()
	control := net.JoinHostPort(a.Own.String(), "4444")
	write(t, dir, "contacts", "")
	sound := filepath.Join(dir, "sound.wav")
	write(t, dir, "sound.wav", string(wav.AppendBinary(nil, tone.Generate(tone.Desk, 10*time.Second))))
	write(t, dir, "config", fmt.Sprintf(`poll_method epoll
sip_listen %s:5060
net_interface %s
audio_source aufile,%s
rtp_ports 20000-20100
rtp_stats yes
call_max_calls 1
module_path %s
module g711.so
module aufile.so
module ctrl_tcp.so
module rtcpsummary.so
module_app account.so
module_app menu.so
ctrl_tcp_listen %s
`, a.Own, a.Own, sound, modules, control))
	account := fmt.Sprintf("<sip:%s@%s;transport=%s>;auth_user=%s;auth_pass=%s;regint=60",
		a.Number, a.Server, a.Transport, a.Number, a.Secret)
	if a.Auto {
		account += ";answermode=auto"
	}
	if a.Codecs != "" {
		account += ";audio_codecs=" + a.Codecs
	}
	write(t, dir, "accounts", account+"\n")

	p := &Phone{t: t, account: a, events: make(chan Event, 100), output: &lines{}}
	cmd := exec.Command(program, "-f", dir)
	cmd.Stdout, cmd.Stderr = p.output, p.output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		if p.control != nil {
			p.control.Close()
		}
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("baresip %s said:\n%s", a.Number, p.output)
		}
	})
	p.connect(control, ended)
	go p.listen()
	return p
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// connect waits until the program takes commands.
func (p *Phone) connect(address string, ended <-chan struct{}) {
	p.t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	timeout := time.After(20 * time.Second)
	for {
		if c, err := net.Dial("tcp", address); err == nil {
			p.control = c
			return
		}
		select {
		case <-again.C:
		case <-ended:
			p.t.Fatal("baresip ended at once")
		case <-timeout:
			p.t.Fatal("baresip takes no commands")
		}
	}
}

// listen reads netstrings: a length, a colon, that many bytes, a comma.
func (p *Phone) listen() {
	r := bufio.NewReader(p.control)
	for {
		var n int
		if _, err := fmt.Fscanf(r, "%d:", &n); err != nil || n < 0 || n > 1<<20 {
			return
		}
		body := make([]byte, n+1)
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		var e struct {
			Event
			IsEvent bool `json:"event"`
		}
		if json.Unmarshal(body[:n], &e) == nil && e.IsEvent {
			p.events <- e.Event
		}
	}
}

// Command sends one of baresip's commands, such as dial, accept or hangup.
func (p *Phone) Command(name, params string) {
	p.t.Helper()
	body, err := json.Marshal(map[string]string{"command": name, "params": params})
	if err == nil {
		_, err = fmt.Fprintf(p.control, "%d:%s,", len(body), body)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// Dial calls a number at the phone's server.
func (p *Phone) Dial(number string) {
	p.t.Helper()
	p.Command("dial", fmt.Sprintf("sip:%s@%s;transport=%s", number, p.account.Server, p.account.Transport))
}

// Wait returns the next event of one of these types, passing over others.
func (p *Phone) Wait(types ...string) Event {
	p.t.Helper()
	timeout := time.After(15 * time.Second)
	for {
		select {
		case e := <-p.events:
			for _, want := range types {
				if e.Type == want {
					return e
				}
			}
		case <-timeout:
			p.t.Fatalf("baresip %s: no %s", p.account.Number, strings.Join(types, " or "))
		}
	}
}

// Registered waits until the phone is registered. It often is before it takes commands, so its first
// REGISTER_OK is lost; what it prints is not.
func (p *Phone) Registered() {
	p.t.Helper()
	p.Says("200 OK () [1 binding]")
}

// Says waits until the program has printed a text.
func (p *Phone) Says(text string) {
	p.t.Helper()
	if !p.output.wait(text, 20*time.Second) {
		p.t.Fatalf("baresip %s does not say %q", p.account.Number, text)
	}
}

// lines collects a program's output.
type lines struct {
	mu    sync.Mutex
	text  strings.Builder
	grown chan struct{}
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.grown != nil {
		close(l.grown)
		l.grown = nil
	}
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) wait(text string, patience time.Duration) bool {
	timeout := time.After(patience)
	for {
		l.mu.Lock()
		if strings.Contains(l.text.String(), text) {
			l.mu.Unlock()
			return true
		}
		if l.grown == nil {
			l.grown = make(chan struct{})
		}
		grown := l.grown
		l.mu.Unlock()
		select {
		case <-grown:
		case <-timeout:
			return false
		}
	}
}

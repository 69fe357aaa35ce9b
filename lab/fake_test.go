package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/tone"
	"github.com/longcord/longcord/phone"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/wire/wav"
)

// fake is a longcord of which only the command line is real: its phones say what phones say, and use
// the networks just enough to prove that those are there. how names what goes wrong in it.
type fake struct {
	args []string
	how  string
}

func (f fake) main() error {
	switch f.args[0] {
	case "init":
		return f.setUp()
	case "serve":
		return f.serve()
	case "phone":
		return f.phone()
	}
	if slices.Contains(f.args, "users") && slices.Contains(f.args, "add") {
		return nil
	}
	return fmt.Errorf("no such command: %q", f.args)
}

// after returns the value of a flag.
func (f fake) after(flag string) string {
	if i := slices.Index(f.args, flag); i >= 0 {
		return f.args[i+1]
	}
	return ""
}

func (f fake) setUp() error {
	if f.how == "no set-up" {
		return errors.New("init: the folder is not to my liking")
	}
	dir := f.args[1]
	legacy := fmt.Sprint("kind: TunnelGroup\nlegacyPhones: ", slices.Contains(f.args, "--legacy-phones"), "\n---\n")
	return errors.Join(
		os.Mkdir(dir, 0o700),
		os.WriteFile(filepath.Join(dir, "longcord.yaml"), nil, 0o600),
		os.WriteFile(filepath.Join(dir, "inventory.yaml"), []byte(legacy+"kind: GroupPolicy\nname: phones\n"), 0o600),
	)
}

// serve answers a phone's registration inside, and passes calls that come from outside on to it.
func (f fake) serve() error {
	if _, err := net.Listen("tcp4", "10.20.0.1:6970"); err != nil {
		return err
	}
	inside, err := net.ListenPacket("udp4", "10.20.0.1:5060")
	if err != nil {
		return err
	}
	outside, err := net.ListenPacket("udp4", "203.0.113.2:443")
	if err != nil {
		return err
	}
	if f.how == "office dies" {
		return errors.New("serve: out of order")
	}
	fmt.Println("ready: the office is open")
	buf := make([]byte, 100)
	_, desk, err := inside.ReadFrom(buf)
	if err != nil {
		return err
	}
	_, caller, err := outside.ReadFrom(buf)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(caller.String(), "198.51.100.77:") {
		return fmt.Errorf("serve: the call comes from %v, expected the home router", caller)
	}
	if _, err := inside.WriteTo([]byte("ring"), desk); err != nil {
		return err
	}
	if _, _, err := inside.ReadFrom(buf); err != nil {
		return err
	}
	_, err = outside.WriteTo([]byte("answered"), caller)
	return errors.Join(err, untilTold())
}

func untilTold() error {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	<-told
	return nil
}

func (f fake) phone() error {
	switch {
	case slices.Contains(f.args, "--answer"):
		return f.desk()
	case slices.Contains(f.args, "--call"):
		return f.atHome()
	}
	return f.inOffice()
}

func (f fake) desk() error {
	conn, err := net.Dial("udp4", f.after("--tftp")+":5060")
	if err != nil {
		return err
	}
	if _, err := conn.Write([]byte("register")); err != nil {
		return err
	}
	say(phone.Event{Event: "registered"})
	if _, err := conn.Read(make([]byte, 100)); err != nil {
		return err
	}
	heard := tone.Home
	if f.how == "deaf" {
		heard = tone.Desk
	}
	if err := f.hear(heard); err != nil {
		return err
	}
	say(phone.Event{Event: "media", Media: &phone.Media{Sent: 251, Received: 249, Lost: 1, JitterMS: 0.5, MOS: 4.3}})
	_, err = conn.Write([]byte("answer"))
	return errors.Join(err, untilTold())
}

func (f fake) inOffice() error {
	if !f.reachesFiles() {
		return errors.New("phone: no files in the office")
	}
	if err := os.WriteFile(f.after("--state"), nil, 0o600); err != nil {
		return err
	}
	say(step(stage.Provision, f.how != "unknown phone", "fetched SEP001122334455.cnf.xml"))
	say(step(stage.Detect, true, "inside"))
	say(step(stage.Register, true, "1001"))
	return untilTold()
}

func (f fake) atHome() error {
	if _, err := os.Stat(f.after("--state")); err != nil {
		return err
	}
	if f.reachesFiles() {
		return errors.New("phone: the office's files can be reached from home")
	}
	say(step(stage.Provision, false, "no file server answers"))
	say(step(stage.Detect, true, "outside"))
	say(step(stage.Connect, true, "203.0.113.2:443"))
	switch f.how {
	case "refused":
		say(step(stage.Verify, false, ""))
		found := finding.LoginRefused.With("anna")
		say(phone.Event{Event: "finding", Finding: &found})
		return errors.New("phone: gave up")
	case "crash":
		return errors.New("phone: something gave way")
	}
	say(step(stage.Verify, true, "hash and password"))
	say(phone.Event{Event: "session", Session: &phone.Session{Phone: f.args[1], Transport: "tls"}})
	say(step(stage.Tunnel, true, "up"))
	say(step(stage.Register, true, "1001"))
	say(phone.Event{Event: "session", Session: f.session()})
	if f.how == "tunnel lost" {
		say(step(stage.Connect, true, "203.0.113.2:443"))
		return untilTold()
	}
	if err := dialDesk(); err != nil {
		return err
	}
	say(phone.Event{Event: "media", Media: &phone.Media{Sent: 250, Received: 251, JitterMS: 0.4, MOS: 4.4}})
	return f.hear(tone.Desk)
}

// reachesFiles reports whether the phone's file server takes connections.
func (f fake) reachesFiles() bool {
	conn, err := net.DialTimeout("tcp4", f.after("--tftp")+":6970", time.Second)
	return err == nil && conn.Close() == nil
}

// session is the tunnel that the phone's model and the office's set-up lead to.
func (f fake) session() *phone.Session {
	text, err := os.ReadFile(path(policyFile))
	switch policy := string(text); {
	case err != nil:
		return nil
	case f.how == "wrong channel", strings.Contains(policy, "kind: GroupPolicy\ndtls: false\n"):
		return &phone.Session{Phone: f.args[1], Transport: "tls"}
	case f.after("--model") == "CP-7962G" && strings.Contains(policy, "legacyPhones: true"):
		return &phone.Session{Phone: f.args[1], Transport: "dtls", DTLSVersion: "0.9"}
	}
	return &phone.Session{Phone: f.args[1], Transport: "dtls", DTLSVersion: "1.2"}
}

func dialDesk() error {
	conn, err := net.Dial("udp4", "203.0.113.2:443")
	if err != nil {
		return err
	}
	if _, err := conn.Write([]byte("call")); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 100))
	return err
}

// hear writes the recording of a call in which this was played.
func (f fake) hear(t tone.Tone) error {
	return os.WriteFile(f.after("--record"), wav.AppendBinary(nil, tone.Generate(t, time.Second)), 0o600)
}

func step(s stage.Step, ok bool, detail string) phone.Event {
	return phone.Event{Event: "step", Step: s, OK: ok, Detail: detail, DurationMS: 7}
}

func say(e phone.Event) {
	line, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

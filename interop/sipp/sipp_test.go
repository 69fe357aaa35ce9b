//go:build interop

// Package sipp has our call manager stand what SIPp, a traffic generator, sends.
package sipp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/longcord/longcord/callmanager"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/servertest"
	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/store/memory"
)

const lines = 500

func manager(t *testing.T, at netip.Addr) *callmanager.Manager {
	t.Helper()
	set := inventory.NewSet()
	for i := range lines {
		number := strconv.Itoa(10000 + i)
		set.Lines[number] = &inventory.Line{Name: number, Secret: secret.New("secret")}
	}
	m, err := callmanager.New(callmanager.Config{
		Settings:  callmanager.Settings{Listen: at},
		Inventory: func() *inventory.Set { return set }, Store: memory.New(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	servertest.Start(t, m.Serve)
	return m
}

// sipp runs the program and returns what its exit means: nil when every call went as the scenario says.
func sipp(t *testing.T, arguments ...string) error {
	t.Helper()
	program := office.Peer(t, "sipp")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append(arguments, "-nostdin")...)
	cmd.Dir = t.TempDir()
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || exit != nil && exit.ExitCode() > 1 {
		t.Fatalf("sipp: %v\n%s", err, output.Bytes()[max(0, output.Len()-2000):])
	}
	return err
}

func TestManyRegister(t *testing.T) {
	at := netip.AddrFrom4([4]byte{127, 202, byte(os.Getpid()), 1})
	m := manager(t, at)
	dir := t.TempDir()
	numbers := "SEQUENTIAL\n"
	for i := range lines {
		numbers += fmt.Sprintf("%d;[authentication username=%d password=secret]\n", 10000+i, 10000+i)
	}
	write(t, filepath.Join(dir, "numbers.csv"), numbers)
	write(t, filepath.Join(dir, "register.xml"), registers)
	own := netip.AddrFrom4([4]byte{127, 202, byte(os.Getpid()), 2})
	err := sipp(t, at.String(), "-sf", filepath.Join(dir, "register.xml"), "-inf", filepath.Join(dir, "numbers.csv"),
		"-i", own.String(), "-p", "5060", "-m", strconv.Itoa(lines), "-r", "250")
	if err != nil {
		t.Errorf("not every phone registered: %v", err)
	}
	if got := len(m.Registrations()); got != lines {
		t.Errorf("%d lines registered, want %d", got, lines)
	}
}

// A flood of calls from somebody who is not registered opens nothing.
func TestFlood(t *testing.T) {
	at := netip.AddrFrom4([4]byte{127, 202, byte(os.Getpid()), 3})
	m := manager(t, at)
	own := netip.AddrFrom4([4]byte{127, 202, byte(os.Getpid()), 4})
	if err := sipp(t, at.String(), "-sn", "uac", "-s", "10001", "-i", own.String(), "-p", "5060",
		"-m", "5000", "-r", "2500", "-timeout", "5s", "-recv_timeout", "500"); err == nil {
		t.Error("calls of a stranger went through")
	}
	if got := m.Calls(); len(got) != 0 {
		t.Errorf("calls known: %v", got)
	}
	if n := runtime.NumGoroutine(); n > 5000 {
		t.Errorf("%d goroutines after the flood", n)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const registers = `<?xml version="1.0" encoding="UTF-8"?>
<scenario name="register">
<send retrans="500"><![CDATA[
REGISTER sip:[remote_ip] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:[field0]@[remote_ip]>;tag=[call_number]
To: <sip:[field0]@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 REGISTER
Contact: <sip:[field0]@[local_ip]:[local_port]>
Expires: 300
Content-Length: 0

]]></send>
<recv response="401" auth="true"/>
<send retrans="500"><![CDATA[
REGISTER sip:[remote_ip] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:[field0]@[remote_ip]>;tag=[call_number]
To: <sip:[field0]@[remote_ip]>
Call-ID: [call_id]
CSeq: 2 REGISTER
Contact: <sip:[field0]@[local_ip]:[local_port]>
Expires: 300
[field1]
Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
`

//go:build interop

// Package syslogng_test has syslog-ng collect what the gateway says in the ASA's words, and read it with
// its parser for Cisco's messages.
package syslogng_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/wire/asa"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

// configuration takes what comes on the port to pieces: the parser drops what it cannot read.
const configuration = `@version: current
@include "scl.conf"
source office { network(ip("%s") port(514) transport("%s") flags(no-parse)); };
parser cisco { cisco-parser(); };
destination pieces { file("%s" template("${.cisco.facility}|${.cisco.severity}|${.cisco.mnemonic}|${PRIORITY}|${FACILITY}|${YEAR}|${HOST}|${MSG}\n")); };
log { source(office); parser(cisco); destination(pieces); };
`

const password = "rosebud 7&+%"

// TestCollected logs a user in and out by openconnect.
func TestCollected(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			o := office.New(t)
			pieces := collect(t, o, transport)
			addSyslog(t, o, transport)
			o.Serve()
			o.AddUser("anna", password)
			wrong := o.TryOpenConnect(o.Client, "anna", "wrong")
			wrong.Ended()
			client := o.OpenConnect(o.Client, "anna", password)
			client.Wait("Established DTLS connection")
			client.Signal(syscall.SIGINT)
			client.Ended()
			got := waitFor(t, pieces, "113019")
			for _, want := range []string{
				"725001", "725002", "113015", "716039", "113012", "113009", "113008", "113039", "722055", "722051", "722033", "722022", "722012", "722037", "722023", "716002", "113019",
			} {
				if !strings.Contains(got, "ASA|") || !strings.Contains(got, "|"+want+"|") {
					t.Errorf("syslog-ng has read no message %s:\n%s", want, got)
				}
			}
			check(t, got)
		})
	}
}

// check reads every line that syslog-ng took to pieces.
func check(t *testing.T, got string) {
	t.Helper()
	for line := range strings.Lines(got) {
		p := strings.SplitN(strings.TrimSuffix(line, "\n"), "|", 8)
		m, err := asa.ParseMessage(p[len(p)-1])
		if err != nil || p[0] != "ASA" || p[1] != fmt.Sprint(int(m.Severity)) || p[2] != fmt.Sprintf("%06d", m.ID) ||
			p[4] != "local4" || p[5] != fmt.Sprint(time.Now().Year()) || p[6] != office.Inside {
			t.Errorf("syslog-ng reads %q, %v", line, err)
		}
	}
}

// addSyslog has the gateway send to the host inside.
func addSyslog(t *testing.T, o *office.Office, transport string) {
	t.Helper()
	path := o.Path("longcord.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	section := fmt.Sprintf("gateway:\n  syslog: {server: %q, protocol: %s}\n", office.Desk+":514", transport)
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), "gateway:\n", section, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// collect runs syslog-ng on the host inside and returns the file that it writes.
func collect(t *testing.T, o *office.Office, transport string) string {
	t.Helper()
	dir := t.TempDir()
	pieces, path := filepath.Join(dir, "pieces"), filepath.Join(dir, "syslog-ng.conf")
	if err := os.WriteFile(path, fmt.Appendf(nil, configuration, office.Desk, transport, pieces), 0o600); err != nil {
		t.Fatal(err)
	}
	p := o.Start(o.Inside, office.Peer(t, "syslog-ng"), "--foreground", "--no-caps", "--stderr", "--verbose", "--cfgfile", path,
		"--persist-file", filepath.Join(dir, "persist"), "--pidfile", filepath.Join(dir, "pid"), "--control", filepath.Join(dir, "control"))
	p.Wait("syslog-ng starting up")
	return pieces
}

// waitFor waits until the file holds text and returns all of it.
func waitFor(t *testing.T, path, text string) string {
	t.Helper()
	for deadline := time.Now().Add(office.Patience); ; time.Sleep(10 * time.Millisecond) {
		got, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(got), text) && strings.HasSuffix(string(got), "\n") {
			return string(got)
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %q in what syslog-ng wrote (%v):\n%s", text, err, got)
		}
	}
}

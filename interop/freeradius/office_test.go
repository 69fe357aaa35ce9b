//go:build interop

package freeradius_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/interop/office"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

// group is a tunnel group whose users a server inside the office knows. Its places are for the server's
// ports and key.
const group = `
kind: AAAServer
name: radius
protocol: radius
host: 10.20.0.9
authenticationPort: %[1]d
accountingPort: %[2]d
key: %[3]s
timeout: 5
retryInterval: 1
---
kind: GroupPolicy
name: consultants
banner: Welcome, consultant.
splitTunnelPolicy: tunnelspecified
splitTunnelNetworks: [10.20.0.0/24]
---
kind: TunnelGroup
name: staff
groupURLs: [https://203.0.113.2/staff]
authenticationServerGroup: [radius]
accountingServerGroup: [radius]
addressPools: [phones]
`

// tunnelScript says what openconnect was given.
const tunnelScript = `#!/bin/sh
echo "script $reason $INTERNAL_IP4_ADDRESS banner=$CISCO_BANNER split=$CISCO_SPLIT_INC_0_ADDR/$CISCO_SPLIT_INC_0_MASKLEN"
`

// TestOffice has openconnect live a whole session at a gateway whose users FreeRADIUS knows: the server says
// which policy and address, and hears of the beginning and the end. When it dies, clients are told to come
// back.
func TestOffice(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	serve := o.Serve()
	text := strings.Replace(users, "10.99.0.77", "10.20.0.177", 1) // of the pool
	s := &server{t: t, dir: t.TempDir(), auth: 1812, accounts: 1813, afterwards: signing, users: text}
	s.launch = func(program string, args ...string) *office.Program { return o.Start(o.Inside, program, args...) }
	s.run()
	inventory, script := filepath.Join(t.TempDir(), "more.yaml"), filepath.Join(t.TempDir(), "script")
	for path, content := range map[string]string{inventory: fmt.Sprintf(group, s.auth, s.accounts, key), script: tunnelScript} {
		if err := os.WriteFile(path, []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "apply", "-f", inventory); err != nil {
		t.Fatalf("apply: %v\n%s", err, out)
	}
	openconnect := office.Peer(t, "openconnect")
	said, _ := o.Run(o.Client, "", openconnect, "--authenticate", office.URL)
	_, pin, _ := strings.Cut(said, "--servercert ")
	args := []string{"--user", "anna", "--passwd-on-stdin", "--servercert", strings.Fields(pin)[0], "--script", script, "https://203.0.113.2/staff"}

	if out, err := o.Run(o.Client, "wrong\n", openconnect, args...); err == nil || !strings.Contains(out, "Login failed") {
		t.Errorf("wrong password: %v\n%s", err, out)
	}
	client := o.StartWith(o.Client, "secret\n", openconnect, args...)
	line := client.Wait("script connect ")
	if want := "script connect 10.20.0.177 banner=Welcome, consultant. split=10.20.0.0/24"; line != want {
		t.Errorf("openconnect was given:\n%s\nwant\n%s", line, want)
	}
	s.wantAccount("Acct-Status-Type = Start", `User-Name = "anna"`, "Framed-IP-Address = 10.20.0.177", `Calling-Station-Id = "203.0.113.9"`,
		"Class = 0x4f553d636f6e73756c74616e74733b")
	client.Signal(os.Interrupt)
	client.Ended()
	s.wantAccount("Acct-Status-Type = Stop", "Acct-Terminate-Cause = User-Request")

	s.Kill()
	if out, err := o.Run(o.Client, "secret\n", openconnect, args...); err == nil || !strings.Contains(out, "503") {
		t.Errorf("dead server: %v\n%s", err, out)
	}
	serve.Wait("finding=aaa-server-dead")
	var shown struct {
		Findings []struct{ Code string }
	}
	out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "show", "findings", "--json")
	if err == nil {
		err = json.Unmarshal([]byte(out), &shown)
	}
	if err != nil || !strings.Contains(fmt.Sprint(shown), "aaa-server-dead") {
		t.Errorf("show findings: %v\n%s", err, out)
	}
	s.run()
	deadline := time.Now().Add(2 * office.Patience)
	for {
		out, err := o.Run(o.Client, "secret\n", openconnect, append([]string{"--authenticate"}, args...)...)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server is back, and openconnect says\n%s", out)
		}
	}
	serve.Wait("server answers again")
}

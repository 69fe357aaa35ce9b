//go:build interop

package openconnect_test

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/interop/office"
)

// standing returns what the operator reads under a code, nil if nothing.
func standing(t *testing.T, o *office.Office, d finding.Declaration) *finding.Standing {
	t.Helper()
	text, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "show", "findings", "--json")
	var all struct{ Findings []finding.Standing }
	if err == nil {
		err = json.Unmarshal([]byte(text), &all)
	}
	if err != nil {
		t.Fatalf("show findings: %v\n%s", err, text)
	}
	for _, f := range all.Findings {
		if f.Code == d.Code {
			return &f
		}
	}
	return nil
}

// TestNoAddress has a pool with five addresses for clients, and a sixth comes.
func TestNoAddress(t *testing.T) {
	t.Parallel()
	o := office.New(t, "--pool", "10.20.0.128/29")
	o.Serve()
	o.AddUser("anna", password)
	o.AddUser("boris", password)
	first := o.OpenConnect(o.Client, "anna", password)
	for _, name := range []string{"anna", "anna", "boris", "boris"} {
		o.OpenConnect(o.Client, name, password)
	}
	second := o.TryOpenConnect(o.Client, "boris", password)
	second.Ended()
	if said := second.Output(); !strings.Contains(said, "VPN service unavailable; reason: No address available") {
		t.Errorf("openconnect without an address says\n%s", said)
	}
	f := standing(t, o, finding.AddressPoolExhausted)
	if f == nil || !strings.Contains(f.Says, "10.20.0.128/29") || f.Count != 1 || !strings.Contains(f.Evidence[0].Text, "boris") {
		t.Errorf("the operator reads %+v", f)
	}
	first.Signal(syscall.SIGINT)
	first.Ended()
	o.OpenConnect(o.Client, "boris", password)
	if f := standing(t, o, finding.AddressPoolExhausted); f != nil {
		t.Errorf("with an address the operator still reads %+v", f)
	}
}

// TestOldCookie comes with a cookie of which nobody knows, and with one that was given up.
func TestOldCookie(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	o.Serve()
	o.AddUser("anna", password)
	serverCert := o.Pin(o.Client)
	said, _ := o.Run(o.Client, password+"\n", office.Peer(t, "openconnect"), "--user", "anna", "--passwd-on-stdin", "--servercert", serverCert, "--cookieonly", office.URL)
	cookie := ""
	for line := range strings.Lines(said) {
		if _, after, found := strings.Cut(strings.TrimSpace(line), "webvpn="); found {
			cookie = after
		}
	}
	if cookie == "" {
		t.Fatalf("openconnect prints no cookie:\n%s", said)
	}
	if out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "sessions", "logoff", "anna"); err != nil {
		t.Fatalf("logoff: %v\n%s", err, out)
	}
	for name, cookie := range map[string]string{"given up": cookie, "unknown": strings.Repeat("A", 43) + "=", "no base64": "%00;,\""} {
		p := o.Start(o.Client, office.Peer(t, "openconnect"), "--servercert", serverCert, "--verbose", "--cookie", "webvpn="+cookie, office.URL)
		if code := p.Ended(); code == 0 || !strings.Contains(p.Output(), "401") {
			t.Errorf("%s: openconnect ends with %d and says\n%s", name, code, p.Output())
		}
	}
}

// TestRefusedLogin: a wrong password, and then the right one.
func TestRefusedLogin(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	o.Serve()
	o.AddUser("anna", password)
	wrong := o.TryOpenConnect(o.Client, "anna", "wrong")
	wrong.Ended()
	if said := wrong.Output(); !strings.Contains(said, "Login failed") {
		t.Errorf("openconnect with a wrong password says\n%s", said)
	}
	f := standing(t, o, finding.LoginRefused)
	if f == nil || !strings.Contains(f.Says, "anna") || !strings.Contains(f.Evidence[0].Text, "203.0.113.9: wrong password") {
		t.Errorf("the operator reads %+v", f)
	}
	o.OpenConnect(o.Client, "anna", password)
	if f := standing(t, o, finding.LoginRefused); f != nil {
		t.Errorf("after the right password the operator still reads %+v", f)
	}
}

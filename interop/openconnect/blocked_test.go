//go:build interop

package openconnect_test

import (
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/interop/office"
)

// TestBlockedUDP: while UDP is stopped on its way the operator reads of it, for a session that would use it
// and not for one that would not. When UDP gets through openconnect tries again by itself, and the finding
// goes.
func TestBlockedUDP(t *testing.T) {
	t.Parallel() // it takes minutes, all of them waiting
	o := newOffice(t)
	o.AddUser("boris", password)
	nft := func(args ...string) {
		t.Helper()
		if out, err := o.Run(o.Gateway, "", office.Peer(t, "nft"), args...); err != nil {
			t.Fatalf("nft %v: %v\n%s", args, err, out)
		}
	}
	nft("add", "table", "ip", "blocked")
	nft("add", "chain", "ip", "blocked", "in", "{ type filter hook input priority 0 ; }")
	nft("add", "rule", "ip", "blocked", "in", "udp", "dport", "443", "drop")
	o.OpenConnect(o.Client, "anna", password)
	o.OpenConnect(o.Client, "boris", password, "--no-dtls")
	for user, why := range map[string]string{"anna": "nothing has come by UDP from the client since it connected", "boris": "the client does not ask for it"} {
		if shown, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "sessions", "show", user); err != nil || !strings.Contains(shown, why) {
			t.Errorf("sessions show %s: %v\n%s", user, err, shown)
		}
	}
	eventually(t, "the finding stands", func() bool { return standing(t, o, finding.DTLSBlocked) != nil })
	if f := standing(t, o, finding.DTLSBlocked); f == nil || !strings.Contains(f.Evidence[0].Text, "anna (session 1) at 203.0.113.9: nothing has come by UDP") {
		t.Errorf("the operator reads %+v", f)
	}
	nft("delete", "table", "ip", "blocked")
	eventually(t, "the finding goes", func() bool { return standing(t, o, finding.DTLSBlocked) == nil })
	if shown, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "sessions", "show", "anna"); err != nil || !strings.Contains(shown, "dtls 1.2") {
		t.Errorf("sessions show: %v\n%s", err, shown)
	}
}

// eventually waits for what happens within a minute or two, by design.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(4 * time.Minute); !is(); time.Sleep(time.Second) {
		if time.Now().After(deadline) {
			t.Fatalf("not so: %s", what)
		}
	}
}

//go:build interop

package tshark_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/interop/office"
)

// A phone in the office is told to restart; tshark reads what it is told, and that it answers.
func TestNotify(t *testing.T) {
	t.Parallel()
	c := capture{tshark: office.Peer(t, "tshark"), file: filepath.Join(t.TempDir(), "notify.pcapng")}
	const phone = "SEP001122334455"
	o := office.New(t, "--phone", phone+"=CP-8861:1001")
	o.Serve()
	var recorded testnet.Capture
	if err := recorded.Tap("office-lan", o.Inside, "eth0"); err != nil {
		t.Fatal(err)
	}
	p := o.Start(o.Inside, os.Getenv("LONGCORD"), "phone", phone, "--tftp", office.Inside, "--state", t.TempDir(), "--json")
	p.Wait(`"step":"register","ok":true`)
	mark := p.Mark()
	if out, err := o.Longcord("", "phones", "restart", phone, "-c", o.Path("longcord.yaml")); err != nil {
		t.Fatalf("phones restart: %v\n%s", err, out)
	}
	p.WaitAfter(mark, `"event":"registered"`)
	c.save(t, &recorded)
	judgeSoundness(t, c)
	told := c.fields(t, `sip.Method == "NOTIFY"`, "sip.Event", "sip.Subscription-State", "sip.Content-Type")
	if len(told) != 1 || !strings.Contains(told[0], "service-control") || !strings.Contains(told[0], "active") || !strings.Contains(told[0], "text/plain") {
		t.Errorf("NOTIFY: %q, want one of service-control", told)
	}
	if answers := c.fields(t, `sip.Status-Code && sip.CSeq.method == "NOTIFY"`, "sip.Status-Code"); len(answers) != 1 || answers[0] != "200" {
		t.Errorf("answers to NOTIFY: %q, want one 200", answers)
	}
	// It goes over the connection that the phone opened, and by nothing else.
	if others := c.fields(t, `sip.Method == "NOTIFY" && !(tcp.srcport == 5060)`, "frame.number"); len(others) != 0 {
		t.Errorf("NOTIFY by another way in frames %q", others)
	}
}

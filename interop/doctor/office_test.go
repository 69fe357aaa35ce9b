//go:build interop

package doctor_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// TestHealthyOffice walks as a phone in the office and as one outside, to a call.
func TestHealthyOffice(t *testing.T) {
	t.Parallel()
	o := ourOffice(t)
	answering(t, o)
	file := fileOf(t, o)
	t.Run("inside", func(t *testing.T) {
		r := judge(t, on(o.Inside), "", "--tftp", office.Inside, "--call", "1002")
		r.expect(t, "ok", "")
		for _, step := range []string{"provision: the file is", "register: 1001", "call: talked to 1002"} {
			if !strings.Contains(r.progress, step) {
				t.Errorf("%q was not lived:\n%s", step, r.progress)
			}
		}
	})
	outside := []string{"--file", file, "--tftp", office.Inside, "--user", "alice", "--password-stdin"}
	t.Run("outside", func(t *testing.T) {
		r := judge(t, on(o.Client), password+"\n", append(outside, "--call", "1002")...)
		r.expect(t, "ok", "")
		for _, step := range []string{"detect: outside", "DTLS 1.2", "packets of 1290 bytes pass", "answers pings through the tunnel", "register: 1001", "call: talked to 1002"} {
			if !strings.Contains(r.progress, step) {
				t.Errorf("%q was not lived:\n%s", step, r.progress)
			}
		}
		if out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "sessions", "list"); err != nil || strings.Contains(out, "alice") {
			t.Errorf("the doctor has left its session behind: %v\n%s", err, out)
		}
	})
	t.Run("up to the login", func(t *testing.T) {
		r := judge(t, on(o.Client), "", "--file", file)
		r.expect(t, "ok", "")
		if !strings.Contains(r.progress, "nobody was logged in") {
			t.Errorf("somebody was logged in:\n%s", r.progress)
		}
	})
	t.Run("wrong password", func(t *testing.T) {
		r := judge(t, on(o.Client), "guess\n", outside...)
		r.expect(t, "fault", "login-refused")
		if len(r.NotJudged) != 3 || r.NotJudged[0].Step != "tunnel" {
			t.Errorf("not judged are %v", r.NotJudged)
		}
	})
	t.Run("a space in the password", func(t *testing.T) {
		judge(t, on(o.Client), "guess \n", outside...).expect(t, "fault", "credential-characters")
	})
	t.Run("wrong group URL", func(t *testing.T) {
		wrong := changed(t, o, file, office.URL+"<", office.URL+"s<")
		judge(t, on(o.Client), password+"\n", "--file", wrong, "--user", "alice", "--password-stdin").expect(t, "fault", "group-url-mismatch")
	})
	t.Run("the line's password is another", func(t *testing.T) {
		wrong := changed(t, o, file, "<authPassword>", "<authPassword>x")
		judge(t, on(o.Client), password+"\n", "--file", wrong, "--user", "alice", "--password-stdin").expect(t, "fault", "registration-refused")
	})
	t.Run("the call manager is elsewhere", func(t *testing.T) {
		wrong := changed(t, o, file, "<processNodeName>"+office.Inside, "<processNodeName>"+office.Desk)
		judge(t, on(o.Client), password+"\n", "--file", wrong, "--user", "alice", "--password-stdin").expect(t, "fault", "registration-unreachable")
	})
	t.Run("a name that nobody knows", func(t *testing.T) {
		judge(t, on(o.Client), "", "--url", "https://no-such-gateway.invalid/phones").expect(t, "fault", "gateway-name-unresolved")
	})
	t.Run("nobody is there", func(t *testing.T) {
		wrong := changed(t, o, file, office.Inside, "10.20.0.77")
		judge(t, on(o.Client), password+"\n", "--file", wrong, "--tftp", "10.20.0.77", "--user", "alice", "--password-stdin").expect(t, "fault", "no-route-to-pool")
	})
}

// TestSignedFiles walks where phones have trust lists and take no file that is not signed; and what was collected is
// judged again from its file, to the same.
func TestSignedFiles(t *testing.T) {
	t.Parallel()
	o := ourOffice(t)
	if out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "trust", "enable", "home", "--force", "--yes"); err != nil {
		t.Fatalf("trust enable: %v\n%s", err, out)
	}
	saved := filepath.Join(t.TempDir(), "facts.json")
	r := judge(t, on(o.Inside), "", "--tftp", office.Inside, "--facts", saved)
	r.expect(t, "ok", "")
	for _, line := range []string{"ITL" + phone + ".tlv by http: came", "provision: the file is " + phone + ".cnf.xml.sgn", "the trust verification service answers", "register: 1001"} {
		if !strings.Contains(r.progress, line) {
			t.Errorf("%q is not told:\n%s", line, r.progress)
		}
	}
	out, err := o.Longcord("", "doctor", "--from", saved)
	if err != nil || !strings.Contains(out, "No fault") {
		t.Errorf("judged again: %v\n%s", err, out)
	}
}

// TestOfficeWithoutUDP has a firewall in front of the gateway.
func TestOfficeWithoutUDP(t *testing.T) {
	t.Parallel()
	o := ourOffice(t)
	file := fileOf(t, o)
	shut := "table inet shut { chain in { type filter hook input priority 0; udp dport 443 drop; }; }"
	if out, err := o.Run(o.Gateway, shut, office.Peer(t, "nft"), "-f", "-"); err != nil {
		t.Fatalf("nft: %v\n%s", err, out)
	}
	judge(t, on(o.Client), password+"\n", "--file", file, "--user", "alice", "--password-stdin").expect(t, "ok", "dtls-blocked")
}

// TestOldPhone walks as one with TLS 1.0 and the DTLS before RFC 4347, to a gateway with such phones and to one
// without.
func TestOldPhone(t *testing.T) {
	t.Parallel()
	t.Run("welcome", func(t *testing.T) {
		o := ourOffice(t, "--legacy-phones")
		r := judge(t, on(o.Client), password+"\n", "--file", fileOf(t, o), "--model", "CP-7962G", "--user", "alice", "--password-stdin")
		r.expect(t, "ok", "")
		if !strings.Contains(r.progress, "DTLS 0.9") {
			t.Errorf("no old DTLS:\n%s", r.progress)
		}
	})
	t.Run("not", func(t *testing.T) {
		o := ourOffice(t)
		r := judge(t, on(o.Client), password+"\n", "--file", fileOf(t, o), "--model", "CP-7962G", "--user", "alice", "--password-stdin")
		r.expect(t, "fault", "tls-version")
	})
}

// TestOccupied has the phone itself registered: nobody takes its place unasked.
func TestOccupied(t *testing.T) {
	t.Parallel()
	o := ourOffice(t)
	p := o.Start(o.Inside, o.Program(), "phone", phone, "--tftp", office.Inside, "--state", t.TempDir(), "--vpn", "off")
	p.Wait("registered")
	args := []string{"-c", o.Path("longcord.yaml"), "--tftp", office.Inside, "--place", "inside"}
	r := judge(t, on(o.Gateway), "", args...)
	r.expect(t, "ok", "")
	if !strings.Contains(r.progress, phone+" is registered here") || strings.Contains(r.progress, "registers line") {
		t.Errorf("the phone's place was taken:\n%s", r.progress)
	}
	// From another machine only the call manager can say it.
	r = judge(t, on(o.Inside), "", "--tftp", office.Inside, "--place", "inside", "--call", "1001")
	r.expect(t, "ok", "")
	if !strings.Contains(r.progress, "1001 is registered from "+office.Desk) || strings.Contains(r.progress, "registers line") || strings.Contains(p.Output(), "lost") {
		t.Errorf("the phone's place was taken:\n%s", r.progress)
	}
	r = judge(t, on(o.Gateway), "", append(args, "--take-over")...)
	if !strings.Contains(r.progress, "registers line 1001") {
		t.Errorf("the phone's place was not taken:\n%s", r.progress)
	}
}

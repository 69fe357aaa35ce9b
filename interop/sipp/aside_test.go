//go:build interop

package sipp

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

// With a PBX of one's own, here SIPp, a 79xx restarts when its keys are pressed through its web page, and asks us
// whether that may be; of an 88xx the operator learns what the PBX has to be told.
func TestAside(t *testing.T) {
	t.Parallel()
	const old, newer = "SEP001122334455", "SEP0011223344AA"
	o := office.New(t, "--pbx", office.Desk, "--phone", old+"=CP-7965G:1001:Anna", "--phone", newer+"=CP-8861:1002:Bob")
	// By its MAC address it is known which phone fetches a file, and so where its keys are to be pressed.
	if err := o.Inside.MAC("eth0", net.HardwareAddr{0, 0x11, 0x22, 0x33, 0x44, 0x55}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(o.Path("inventory.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	kind := "kind: CommonPhoneProfile\n"
	asked := "externalDataLocations:\n  authenticationServer: http://" + office.Inside + ":6970/authenticate\n"
	write(t, o.Path("inventory.yaml"), strings.ReplaceAll(string(text), kind, kind+asked))
	dir := t.TempDir()
	write(t, filepath.Join(dir, "registrar.xml"), registrar)
	pbx := office.Peer(t, "sipp")
	o.Serve()
	o.Start(o.Inside, pbx, "-sf", filepath.Join(dir, "registrar.xml"), "-i", office.Desk, "-p", "5060", "-t", "t1", "-nostdin", "-deadcall_wait", "0")
	p := o.Start(o.Inside, os.Getenv("LONGCORD"), "phone", old, "--tftp", office.Inside, "--state", filepath.Join(dir, old), "--model", "CP-7965G", "--web", ":80", "--json")
	p.Wait(`"step":"register","ok":true`)

	mark := p.Mark()
	write(t, filepath.Join(dir, "change.yaml"), "kind: Line\nname: \"1001\"\ndisplayName: Renamed\n---\nkind: Line\nname: \"1002\"\ndisplayName: Renamed\n")
	said, err := o.Longcord("", "apply", "-f", filepath.Join(dir, "change.yaml"), "-c", o.Path("longcord.yaml"))
	if err != nil || !strings.Contains(said, "2 phones have a new file: 1 told now, 1 not told") {
		t.Errorf("apply: %v\n%s", err, said)
	}
	before := p.WaitAfter(0, `"event":"registered"`)
	after := p.WaitAfter(mark, `"event":"registered"`)
	if stamp := func(line string) string { _, rest, _ := strings.Cut(line, `"version_stamp":`); return rest }; stamp(before) == stamp(after) || stamp(after) == "" {
		t.Errorf("it registers with the file of before: %s", after)
	}
	if said, _ := o.Longcord("", "phones", "show", newer, "-c", o.Path("longcord.yaml")); !strings.Contains(said, "sip notify cisco-restart 1002") {
		t.Errorf("nobody says what the PBX has to do:\n%s", said)
	}
	said, err = o.Longcord("", "phones", "restart", old, "-c", o.Path("longcord.yaml"))
	if err != nil || !strings.Contains(said, "its keys were pressed") {
		t.Errorf("phones restart: %v\n%s", err, said)
	}
	// Nobody else may press its keys.
	keys := `XML=<CiscoIPPhoneExecute><ExecuteItem URL="Key:Settings"/></CiscoIPPhoneExecute>`
	for _, user := range []string{"longcord:wrong", ":"} {
		answer, err := o.Run(o.Gateway, "", office.Peer(t, "curl"), "-sS", "-u", user, "--data-urlencode", keys, "http://"+office.Desk+"/CGI/Execute")
		if err != nil || !strings.Contains(answer, `CiscoIPPhoneError Number="4"`) {
			t.Errorf("curl as %s: %v\n%s", user, err, answer)
		}
	}
}

const registrar = `<?xml version="1.0" encoding="UTF-8"?>
<scenario name="registrar">
<recv request="REGISTER"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
[last_Contact:]
Expires: 120
Content-Length: 0

]]></send>
</scenario>
`

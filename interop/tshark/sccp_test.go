//go:build interop

package tshark_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/wire/sccp"
)

const sccpPhone = "SEP001122334455"

// sccpOffice is an office whose phone has an SCCP load, recorded where the phone stands.
func sccpOffice(t *testing.T) (*office.Office, *testnet.Capture, capture) {
	t.Helper()
	c := capture{tshark: office.Peer(t, "tshark"), file: filepath.Join(t.TempDir(), "sccp.pcapng")}
	o := office.New(t, "--phone", sccpPhone+"=CP-7945G:1001")
	o.Serve()
	change(t, o, "protocol: SCCP")
	recorded := &testnet.Capture{}
	if err := recorded.Tap("office-lan", o.Inside, "eth0"); err != nil {
		t.Fatal(err)
	}
	return o, recorded, c
}

// change applies the phone's Device with a line more, and returns what apply says.
func change(t *testing.T, o *office.Office, line string) string {
	t.Helper()
	exported, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "get", "Device", sccpPhone)
	if err != nil {
		t.Fatalf("get: %v\n%s", err, exported)
	}
	file := filepath.Join(t.TempDir(), "device.yaml")
	if err := os.WriteFile(file, []byte(strings.TrimRight(exported, "\n")+"\n"+line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "apply", "-f", file)
	if err != nil {
		t.Fatalf("apply: %v\n%s\nof\n%s", err, out, exported)
	}
	return out
}

// A phone with an SCCP load registers, is listed with the stamp that it says, restarts when it is told, boots, and
// applies a change.
func TestSCCP(t *testing.T) {
	t.Parallel()
	o, recorded, c := sccpOffice(t)
	p := o.Start(o.Inside, os.Getenv("LONGCORD"), "phone", sccpPhone, "--tftp", office.Inside, "--state", t.TempDir(), "--model", "CP-7945G", "--json")
	p.Wait(`"step":"register","ok":true`)
	list, err := o.Longcord("", "phones", "list", "-c", o.Path("longcord.yaml"))
	if err != nil || !strings.Contains(list, "current") || !strings.Contains(list, "1001") {
		t.Errorf("phones list: %v\n%s", err, list)
	}
	shown, err := o.Longcord("", "phones", "show", sccpPhone, "--json", "-c", o.Path("longcord.yaml"))
	if err != nil || !strings.Contains(shown, `"version_stamp"`) || !strings.Contains(shown, `"SCCP/17"`) {
		t.Errorf("phones show: %v\n%s", err, shown)
	}
	for _, told := range [][]string{{"restart", sccpPhone}, {"reset", sccpPhone, "--yes"}} {
		mark := p.Mark()
		out, err := o.Longcord("", append(append([]string{"phones"}, told...), "-c", o.Path("longcord.yaml"))...)
		if err != nil || !strings.Contains(out, "it has unregistered") {
			t.Errorf("phones %s: %v\n%s", told[0], err, out)
		}
		p.WaitAfter(mark, `"event":"registered"`)
	}
	mark := p.Mark()
	if out := change(t, o, "load: SCCP45.9-4-2SR3-1S"); !strings.Contains(out, "1 told now") {
		t.Errorf("apply says\n%s", out)
	}
	p.WaitAfter(mark, `"event":"registered"`)
	c.save(t, recorded)
	judgeSoundness(t, c)
	judgeSCCP(t, c, 0x11)
	if got := c.fields(t, "skinny.messageId == 0x9f", "skinny.resetType"); !slices.Equal(got, []string{"0x00000002", "0x00000001", "0x00000003"}) {
		t.Errorf("Resets are of types %q, want 2, 1 and 3", got)
	}
	if got := c.fields(t, "skinny.messageId == 0x01", "skinny.DeviceName"); len(got) == 0 || got[0] != sccpPhone {
		t.Errorf("it registers as %q", got)
	}
	if got := c.fields(t, "skinny.messageId == 0x147", "skinny.lineDirNumber"); len(got) == 0 || got[0] != "1001" {
		t.Errorf("its line is %q", got)
	}
}

// noSCCP is what tshark does not read as SCCP: neither a message, nor a part of one, nor what TCP says once more because
// a busy machine was late to acknowledge it, which tshark has read before.
const noSCCP = "tcp.port == 2000 and tcp.len > 0 and not skinny and not tcp.segment_data and not tcp.analysis.retransmission and not tcp.analysis.spurious_retransmission"

// judgeSCCP: all that went by TCP 2000 is SCCP for tshark, in one version or in none.
func judgeSCCP(t *testing.T, c capture, version int) {
	t.Helper()
	c.none(t, "no SCCP on its port", noSCCP)
	c.none(t, "SCCP of another version", fmt.Sprintf("skinny.hdr_version and not skinny.hdr_version == 0 and not skinny.hdr_version == %d", version))
}

// In each version a phone registers and asks all that phones ask, and tshark reads it all.
func TestSCCPVersions(t *testing.T) {
	t.Parallel()
	o, recorded, c := sccpOffice(t)
	for _, v := range []sccp.Version{3, 5, 11, 15, 17, 18, 20, 22} {
		if err := o.Inside.Do(func() error { return converse(v) }); err != nil {
			t.Errorf("version %d: %v", v, err)
		}
	}
	c.save(t, recorded)
	judgeSoundness(t, c)
	c.none(t, "no SCCP on its port", noSCCP)
	var headers []string
	for _, line := range c.fields(t, "skinny.hdr_version", "skinny.hdr_version") {
		headers = append(headers, strings.Split(line, ",")...)
	}
	slices.Sort(headers)
	want := []string{"0x00000000", "0x0000000b", "0x0000000f", "0x00000011", "0x00000012", "0x00000014", "0x00000016"}
	if got := slices.Compact(headers); !slices.Equal(got, want) {
		t.Errorf("versions are %q, want %q", got, want)
	}
}

// questions are what phones ask once they are registered, and the last of them is answered when all have been.
var questions = []sccp.Message{
	&sccp.VersionReq{}, &sccp.ServerReq{}, &sccp.ForwardStatReq{Line: 1}, &sccp.SpeedDialStatReq{Index: 1}, &sccp.FeatureStatReq{Index: 1},
	&sccp.ServiceURLStatReq{Index: 1}, &sccp.LineStatReq{Line: 2}, &sccp.OffHook{Line: 1}, &sccp.OnHook{Line: 1},
	&sccp.SoftKeyEvent{Event: sccp.NewCall}, &sccp.RegisterAvailableLines{Lines: 1}, &sccp.KeepAliveReq{},
}

// converse is a phone of a version, which registers, asks, and leaves.
func converse(v sccp.Version) error {
	conn, err := net.Dial("tcp", net.JoinHostPort(office.Inside, "2000"))
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return err
	}
	half := register.NewSCCPClient(register.SCCPClientConfig{Device: sccpPhone, Type: 435, Version: v, Load: "SCCP45.9-4-2SR4-3S", Stamp: "beef-1"})
	say := func(messages ...sccp.Message) error {
		for _, m := range messages {
			b, err := sccp.Append(nil, m, half.Version())
			if err == nil {
				_, err = conn.Write(b)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	var do func([]register.Action) error
	do = func(actions []register.Action) error {
		for _, action := range actions {
			var err error
			switch a := action.(type) {
			case register.Connect:
				err = do(half.Connected(time.Now(), conn.LocalAddr().(*net.TCPAddr).AddrPort().Addr()))
			case register.Say:
				err = say(a.Message)
			case register.Accepted:
				err = say(questions...)
			case register.Refused:
				err = fmt.Errorf("refused: %s", a.Why)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	if err := do(half.Start()); err != nil {
		return err
	}
	for in := bufio.NewReader(conn); ; {
		frame, err := sccp.Read(in)
		if err != nil {
			return err
		}
		m, err := sccp.Parse(frame, half.Version())
		if err != nil {
			return err
		}
		switch m.(type) {
		case *sccp.KeepAliveAck:
			err = do(half.Stop(time.Now()))
		case *sccp.UnregisterAck:
			return nil
		default:
			err = do(half.Received(time.Now(), m))
		}
		if err != nil {
			return err
		}
	}
}

//go:build interop

package tshark_test

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/longcord/longcord/interop/office"
)

const sessionPassword = "rosebud 7&+%"

// TestSessionCapture has tshark read a session's packets while they go, from a pipe, as Wireshark would.
func TestSessionCapture(t *testing.T) {
	t.Parallel()
	o, serve, client := open(t)
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	reading := `"$1" -c "$2" sessions capture anna | "$3" -i - -l -T fields -e frame.number -e ip.src -e ip.dst -e icmp.type -e frame.packet_flags_direction -e frame.comment -e frame.interface_name`
	live := o.Start(o.Gateway, shell, "-c", reading, "sh", os.Getenv("LONGCORD"), o.Path("longcord.yaml"), office.Peer(t, "tshark"))
	serve.Wait("capture of inner packets begins")
	live.Wait("Capturing on")
	for _, size := range []string{"56", "1000"} {
		mark := live.Mark()
		if out, err := o.Run(o.Client, "", office.Peer(t, "ping"), "-c", "1", "-W", "30", "-s", size, office.Desk); err != nil {
			t.Errorf("ping: %v\n%s", err, out)
		}
		request := live.WaitAfter(mark, client.Address+"\t"+office.Desk+"\t8\t") // while the capture goes on
		answer := live.WaitAfter(mark, office.Desk+"\t"+client.Address+"\t0\t")
		if d := strings.Split(request, "\t")[4]; d != "0x00000001" {
			t.Errorf("the request has the direction %s want inbound: %s", d, request)
		}
		if d := strings.Split(answer, "\t")[4]; d != "0x00000002" {
			t.Errorf("the answer has the direction %s want outbound: %s", d, answer)
		}
		if !strings.Contains(request, "session 1") {
			t.Errorf("the interface has another name: %s", request)
		}
	}
	if said := live.Output(); !strings.Contains(said, "channel: dtls") || strings.Contains(said, "alformed") {
		t.Errorf("tshark reads no channel in comments, or something malformed:\n%s", said)
	}
	if shown, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "sessions", "show", "anna"); err != nil || !strings.Contains(shown, "captured") || !strings.Contains(shown, "yes, by ") {
		t.Errorf("sessions show does not say that somebody looks: %v\n%s", err, shown)
	}
	client.Signal(syscall.SIGINT) // with the session ends what looks at it
	client.Ended()
	if code := live.Ended(); code != 0 {
		t.Errorf("tshark ends with %d:\n%s", code, live.Output())
	}
	serve.Wait("capture of inner packets ends")
}

// open is an office in which captures are allowed, with a client in its tunnel.
func open(t *testing.T) (o *office.Office, serve *office.Program, client office.OpenConnect) {
	t.Helper()
	o = office.New(t)
	text, err := os.ReadFile(o.Path("longcord.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	allowed := strings.Replace(string(text), "gateway:\n", "gateway:\n  allowCapture: true\n", 1)
	if err := os.WriteFile(o.Path("longcord.yaml"), []byte(allowed), 0o600); err != nil {
		t.Fatal(err)
	}
	serve = o.Serve()
	o.AddUser("anna", sessionPassword)
	client = o.OpenConnect(o.Client, "anna", sessionPassword)
	client.Wait("Established DTLS connection")
	return o, serve, client
}

// TestSessionCaptureInAFile ends a capture by Ctrl-C; the file is whole.
func TestSessionCaptureInAFile(t *testing.T) {
	t.Parallel()
	o, serve, client := open(t)
	file := o.Path("packets.pcapng")
	recording := o.Start(o.Gateway, os.Getenv("LONGCORD"), "-c", o.Path("longcord.yaml"), "sessions", "capture", "anna", "--out", file)
	recording.Wait("capturing session 1 of anna")
	for _, args := range [][]string{{"-c", "19", "-i", "0.02"}, {"-c", "1", "-s", "1300"}} {
		if out, err := o.Run(o.Client, "", office.Peer(t, "ping"), append(args, "-W", "30", office.Desk)...); err != nil {
			t.Errorf("ping: %v\n%s", err, out)
		}
	}
	const lastTwo = 38*(84+44) + 2*1328 // bytes, which the file has when the last two packets are in it
	for deadline := time.Now().Add(office.Patience); ; time.Sleep(10 * time.Millisecond) {
		if info, err := os.Stat(file); err == nil && info.Size() > lastTwo {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the last packets do not come")
		}
	}
	recording.Signal(syscall.SIGINT)
	if code := recording.Ended(); code != 0 {
		t.Errorf("after Ctrl-C it ends with %d:\n%s", code, recording.Output())
	}
	serve.Wait("capture of inner packets ends")
	c := capture{tshark: office.Peer(t, "tshark"), file: file}
	for direction, filter := range map[string]string{
		"in":  "frame.packet_flags_direction == 1 && icmp.type == 8 && ip.src == " + client.Address,
		"out": "frame.packet_flags_direction == 2 && icmp.type == 0 && ip.dst == " + client.Address,
	} {
		if got := len(c.fields(t, filter, "frame.number")); got != 20 {
			t.Errorf("tshark reads %d packets %s, want 20", got, direction)
		}
	}
	c.none(t, "malformed packets", "_ws.malformed")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info.Mode(), err)
	}
}

// TestSessionCaptureIsOff: nobody looks who was not allowed to.
func TestSessionCaptureIsOff(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	o.Serve()
	o.AddUser("anna", sessionPassword)
	o.OpenConnect(o.Client, "anna", sessionPassword)
	out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "sessions", "capture", "anna", "--out", o.Path("packets"))
	if err == nil || !strings.Contains(out, "allowCapture: true") {
		t.Errorf("without permission: %v\n%s", err, out)
	}
	if _, err := os.Stat(o.Path("packets")); err == nil {
		t.Error("a file was made")
	}
}

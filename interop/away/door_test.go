//go:build interop

package away_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/interop/office"
)

const (
	fromOffice = "ip.src == " + office.Outside + " and "
	filePorts  = "(udp.srcport == 69 or tcp.srcport == 6970 or icmp)"
)

// A phone that was never inside, behind a NAT without helpers: it gets in, and nobody else hears anything.
func TestDoor(t *testing.T) {
	t.Parallel()
	h := newHome(t, "192.168.1.0/24")
	h.serve()
	const own, others = phone + ".cnf.xml", neighbor + ".cnf.xml"
	made := h.invite()
	if made.Server != office.Outside || made.Inside != office.Inside || made.Keys.AlternateTFTP == "" {
		t.Errorf("invitation is %+v", made)
	}

	// Before the button is pressed, and for all others: not a packet.
	silent := &testnet.Capture{}
	must(t, silent.Tap("wan", h.Client, "eth0"))
	if page, exit := h.curl(h.laptop, made.Link); exit != 0 || !strings.Contains(page, phone) || !strings.Contains(page, wan) {
		t.Fatalf("curl ends with %d:\n%s", exit, page)
	}
	h.curl(h.laptop, "-I", made.Link)
	const timedOut = 28
	if out, exit := h.curl(h.phone, "--max-time", "2", "http://"+office.Outside+":6970/"+own); exit != timedOut {
		t.Errorf("before the link is confirmed, curl ends with %d, want %d: no answer\n%s", exit, timedOut, out)
	}
	if got := h.tftp(h.phone, office.Outside, own); got != nil {
		t.Errorf("before the link is confirmed, tftp-hpa gets %d bytes", len(got))
	}
	if got := judged(t, silent, fromOffice+filePorts, "frame.number"); len(got) > 0 {
		t.Errorf("before the link is confirmed, the office sent frames %v", got)
	}

	recorded := &testnet.Capture{}
	must(t, recorded.Tap("wan", h.Client, "eth0"))
	if out, exit := h.curl(h.laptop, "-X", "POST", "-o", "/dev/null", "-w", "%{http_code}", made.Link); out != "303" {
		t.Fatalf("curl ends with %d, %s, want the door opened with 303", exit, out)
	}
	if page, _ := h.curl(h.laptop, made.Link); !strings.Contains(page, "The door is open") || !strings.Contains(page, "IPv4 setup") {
		t.Errorf("page of the open door:\n%s", page)
	}
	// Second use, from elsewhere: as if the link had never been.
	unknown := strings.Replace(made.Link, "/.longcord/", "/.longcord/X", 1)
	for _, method := range []string{"GET", "POST"} {
		used, _ := h.curl(h.Inside, "-i", "-X", method, made.Link)
		never, _ := h.curl(h.Inside, "-i", "-X", method, unknown)
		if used != never || !strings.HasPrefix(used, "HTTP/1.1 4") {
			t.Errorf("%s of a used link is answered\n%s\nwant what a link that never was is answered\n%s", method, used, never)
		}
	}
	// The second device at this address.
	if got := h.tftp(h.other, office.Outside, others); got != nil {
		t.Errorf("the other phone gets %d bytes", len(got))
	}
	const emptyReply = 52
	if out, exit := h.curl(h.other, "http://"+office.Outside+":6970/"+others); exit != emptyReply {
		t.Errorf("for the other phone curl ends with %d, want %d\n%s", exit, emptyReply, out)
	}
	if got := h.tftp(h.other, office.Outside, "XMLDefault.cnf.xml"); got != nil {
		t.Errorf("the default file is given: %d bytes", len(got))
	}
	if out, exit := h.curl(h.Inside, "--max-time", "2", "http://"+office.Outside+":6970/"+own); exit != timedOut {
		t.Errorf("another address: curl ends with %d, want %d\n%s", exit, timedOut, out)
	}
	// The phone, by tftp-hpa and by curl.
	file := h.tftp(h.phone, office.Outside, own)
	h.starter(file)
	if byHTTP, exit := h.curl(h.phone, "http://"+office.Outside+":6970/"+own); exit != 0 || byHTTP != string(file) {
		t.Errorf("curl ends with %d and gets %d bytes, want the same file", exit, len(byHTTP))
	}
	got := judged(t, recorded, fromOffice+"tftp", "udp.srcport", "ip.dst", "tftp.opcode")
	for i := 0; i+2 < len(got); i += 3 {
		if got[i] != "69" || got[i+1] != wan {
			t.Errorf("TFTP comes from port %s to %s, want from 69 to the home alone", got[i], got[i+1])
		}
	}
	if len(got) < 2*3 {
		t.Errorf("the office sent %d packets of TFTP", len(got)/3)
	}
}

// starter judges a first file by xmllint and by what must not be in it.
func (h *home) starter(file []byte) {
	h.t.Helper()
	path := filepath.Join(h.t.TempDir(), "starter.xml")
	must(h.t, os.WriteFile(path, file, 0o600))
	count, err := h.Run(h.phone, "", office.Peer(h.t, "xmllint"), "--nonet", "--xpath",
		"count(/device/vpnGroup/credentials/*[starts-with(name(), 'certHash')])", path)
	if err != nil || strings.TrimSpace(count) != "3" {
		h.t.Errorf("xmllint: %v, %s certificate hashes, want those of RSA, ECDSA and the spare\n%s", err, count, file)
	}
	inventory, err := os.ReadFile(h.Path("inventory.yaml"))
	must(h.t, err)
	_, line, _ := strings.Cut(string(inventory), "name: \"1001\"")
	_, line, _ = strings.Cut(line, "secret: ")
	line, _, _ = strings.Cut(line, "\n")
	if line == "" || bytes.Contains(file, []byte(line)) || bytes.Contains(file, []byte("1001")) || bytes.Contains(file, []byte("Home")) {
		h.t.Errorf("the first file tells more than the way in; the line's secret is %q:\n%s", line, file)
	}
}

// The software phone goes the whole way that the page tells: its first file by the door, then the address inside in
// both fields, then the tunnel, its own file and its line.
func TestPhoneComesInByTheDoor(t *testing.T) {
	t.Parallel()
	h := newHome(t, "192.168.1.0/24")
	h.serve()
	made := h.invite()
	if out, exit := h.curl(h.laptop, "-X", "POST", "-o", "/dev/null", "-w", "%{http_code}", made.Link); out != "303" {
		t.Fatalf("curl ends with %d, %s", exit, out)
	}
	state := t.TempDir()
	first := h.boot(state, made.Server)
	first.Wait(`"step":"provision","ok":true`)
	first.Kill()
	h.listedWhen("the file was delivered", func(i invitation) bool { return i.Delivered != "" })
	second := h.boot(state, made.Inside+","+made.Inside)
	for _, step := range []string{"detect", "connect", "verify", "tunnel", "provision", "register"} {
		second.Wait(`"step":"` + step + `","ok":true`)
	}
	h.listedWhen("the phone is in its tunnel", func(i invitation) bool { return i.Connected != "" })
	file, err := os.ReadFile(filepath.Join(state, phone+".cnf.xml"))
	if err != nil || !bytes.Contains(file, []byte("1001")) {
		t.Errorf("the phone has not fetched its own file: %v\n%s", err, file)
	}
}

// A laptop at home brings the file: once, to that phone, and until it has come through.
func TestCarry(t *testing.T) {
	t.Parallel()
	h := newHome(t, "192.168.1.0/24")
	h.serve()
	made := h.invite()
	cut := strings.SplitN(made.Link, "#", 2)[0]
	if out, err := h.Run(h.laptop, "", os.Getenv("LONGCORD"), "carry", cut); err == nil || !strings.Contains(out, "the link is not whole") {
		t.Errorf("a cut link: %v\n%s", err, out)
	}
	carry := h.Start(h.laptop, os.Getenv("LONGCORD"), "carry", made.Link)
	carry.Wait("TFTP Server 1 and TFTP Server 2: " + office.Inside)
	const laptop = "192.168.1.103"
	if got := h.tftp(h.other, laptop, neighbor+".cnf.xml"); got != nil {
		t.Errorf("the other phone gets %d bytes", len(got))
	}
	h.starter(h.tftp(h.phone, laptop, phone+".cnf.xml"))
	carry.Wait("has it, by tftp")
	out, err := h.Run(h.laptop, "", os.Getenv("LONGCORD"), "carry", made.Link, "--port", "6969", "--http-port", "6971")
	if err == nil || !strings.Contains(out, "a link works once") {
		t.Errorf("the second time: %v\n%s", err, out)
	}
	if out, err := h.Run(h.laptop, "", os.Getenv("LONGCORD"), "carry", made.Link); err == nil || !strings.Contains(out, "already in use by longcord") {
		t.Errorf("with the port taken: %v\n%s", err, out)
	}
	state := t.TempDir()
	first := h.boot(state, laptop)
	first.Wait(`"step":"provision","ok":true`)
	first.Kill()
	h.boot(state, office.Inside+","+office.Inside).Wait(`"step":"register","ok":true`)
	if code := carry.Ended(); code != 0 {
		t.Errorf("carry ends with %d, want 0:\n%s", code, carry.Output())
	}
	if !strings.Contains(carry.Output(), "come through its tunnel") {
		t.Errorf("carry said\n%s", carry.Output())
	}
}

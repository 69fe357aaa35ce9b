//go:build interop

package serve_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/longcord/longcord/interop/office"
)

// systemd's own tool opens the port and starts the program when somebody comes: who came is served.
func TestSocketActivation(t *testing.T) {
	t.Parallel()
	for kind, flags := range map[string][]string{"stream": nil, "datagram": {"--datagram"}} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			o := office.New(t)
			activate := office.Peer(t, "systemd-socket-activate")
			args := append(flags, "--listen="+office.Outside+":443", "--fdname=gateway", os.Getenv("LONGCORD"), "serve", "-c", o.Path(configuration))
			p := o.Start(o.Gateway, activate, args...)
			p.Wait("Listening on")
			if kind == "stream" {
				loginPage(t, o)
			} else {
				must(t, o.Client.Do(func() error {
					conn, err := net.Dial("udp", office.Outside+":443")
					if err == nil {
						_, err = conn.Write([]byte("anybody there?"))
					}
					return err
				}))
			}
			ready := p.Wait("ready")
			for _, want := range []string{"gateway tcp " + office.Outside + ":443", "gateway udp " + office.Outside + ":443"} {
				if !strings.Contains(ready, want) {
					t.Errorf("it says %q, want %q", ready, want)
				}
			}
			o.AddUser("anna", "rosebud7")
			openconnect(t, o, office.URL, "anna", "rosebud7").Wait("Established DTLS connection")
		})
	}
}

// A socket that nobody asked for is refused in words.
func TestSocketOfAnotherName(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	p := o.Start(o.Gateway, office.Peer(t, "systemd-socket-activate"), "--listen=127.0.0.1:8080", "--fdname=web", os.Getenv("LONGCORD"), "serve", "-c", o.Path(configuration))
	p.Wait("Listening on")
	must(t, o.Gateway.Do(func() error {
		conn, err := net.Dial("tcp", "127.0.0.1:8080")
		if err == nil {
			err = conn.Close()
		}
		return err
	}))
	if code := p.Ended(); code != 2 {
		t.Errorf("exit code %d, want 2", code)
	}
	if said := p.Output(); !strings.Contains(said, `"web"`) || !strings.Contains(said, "FileDescriptorName=gateway") {
		t.Errorf("it says\n%s", said)
	}
}

// loginPage fetches the login page as a phone does.
func loginPage(t *testing.T, o *office.Office) {
	t.Helper()
	out, err := o.Run(o.Client, "", office.Peer(t, "curl"), "-sSk", "-i", "-A", "Cisco SVC IPPhone Client v1.0", "--max-time", "60", office.URL)
	if err != nil || !strings.HasPrefix(out, "HTTP/1.1 200") {
		t.Errorf("the login page: %v\n%s", err, out)
	}
}

// systemd is told what goes on, in its words.
func TestNotify(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	path := filepath.Join(t.TempDir(), "notify")
	listener, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	must(t, err)
	defer listener.Close()
	next := func() string {
		t.Helper()
		buf := make([]byte, 4096)
		must(t, listener.SetReadDeadline(time.Now().Add(office.Patience)))
		n, err := listener.Read(buf)
		must(t, err)
		return string(buf[:n])
	}
	cmd := exec.Command(os.Getenv("LONGCORD"), "serve", "-c", o.Path(configuration))
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+path)
	serve := o.StartCommand(o.Gateway, cmd)
	if got := next(); got != "READY=1" {
		t.Errorf("at the start: %q", got)
	}
	edit(t, o, inventory, "keepAlive: 20\n", "keepAlive: 25\n")
	serve.Signal(syscall.SIGHUP)
	if got := next(); !regexp.MustCompile(`^RELOADING=1\nMONOTONIC_USEC=\d+$`).MatchString(got) {
		t.Errorf("at SIGHUP: %q", got)
	}
	if got := next(); got != "READY=1" {
		t.Errorf("after SIGHUP: %q", got)
	}
	if out, _ := run(t, o, "", "-c", o.Path(configuration), "get", "GroupPolicy", "phones"); !strings.Contains(out, "keepAlive: 25") {
		t.Errorf("after SIGHUP the policy is\n%s", out)
	}
	edit(t, o, inventory, "keepAlive: 25\n", "keepAlife: 30\n")
	mark := serve.Mark()
	serve.Signal(syscall.SIGHUP)
	next()
	if got := next(); got != "READY=1" {
		t.Errorf("after SIGHUP with a mistake: %q", got)
	}
	serve.WaitAfter(mark, "inventory file not taken up")
	serve.Signal(syscall.SIGUSR1)
	if got := next(); got != "STATUS=Draining" {
		t.Errorf("at SIGUSR1: %q", got)
	}
	if got := next(); got != "STOPPING=1" {
		t.Errorf("at the end: %q", got)
	}
	if code := serve.Ended(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

// pingAnswer is a line that ping writes about an answer.
var pingAnswer = regexp.MustCompile(`icmp_seq=(\d+) `)

// voice pings through the tunnel as often as phones send, 50 times a second, until told to stop, and returns
// how many were sent and answered up to the last answer: what was sent after it is still on its way. until waits for
// the answer to one of them.
func voice(t *testing.T, o *office.Office) (until func(number int), stop func() (sent, answered int)) {
	t.Helper()
	p := o.Start(o.Client, office.Peer(t, "ping"), "-n", "-i", "0.02", "-W", "10", office.Desk)
	p.Wait("icmp_seq=20 ")
	until = func(number int) {
		t.Helper()
		p.Wait(fmt.Sprintf("icmp_seq=%d ", number))
	}
	return until, func() (sent, answered int) {
		t.Helper()
		p.WaitAfter(p.Mark(), "icmp_seq=") // so that what comes last is no loss
		p.Signal(syscall.SIGINT)
		p.Ended()
		for _, answer := range pingAnswer.FindAllStringSubmatch(p.Output(), -1) {
			number, err := strconv.Atoi(answer[1])
			if err != nil {
				t.Fatal(err)
			}
			sent, answered = max(sent, number), answered+1
		}
		return sent, answered
	}
}

// A new certificate and a new policy cost a running call no packet. New handshakes get the certificate.
func TestReloadDropsNothing(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	serve := o.Serve()
	o.AddUser("anna", "rosebud7")
	openconnect(t, o, office.URL, "anna", "rosebud7").Wait("Established DTLS connection")
	before := presented(t, o)
	_, stop := voice(t, o)
	edit(t, o, inventory, "certificates: [gateway, gateway-ecdsa, gateway-spare]", "certificates: [gateway-spare, gateway-ecdsa, gateway]")
	edit(t, o, inventory, "dpdClient: 30\n", "dpdClient: 40\n")
	if out, code := run(t, o, "", "-c", o.Path(configuration), "apply", "-f", o.Path(inventory)); code != 0 {
		t.Fatalf("apply: %s", out)
	}
	for range 5 { // whoever comes makes the gateway take up what is new
		if after := presented(t, o); after == before {
			t.Errorf("a new handshake gets the certificate of before, %s", after)
		}
		mark := serve.Mark()
		serve.Signal(syscall.SIGHUP)
		serve.WaitAfter(mark, "inventory file taken up")
	}
	sent, answered := stop()
	t.Logf("%d of %d answered", answered, sent)
	if sent != answered {
		t.Errorf("%d packets sent, %d answered", sent, answered)
	}
}

// presented is the fingerprint of the RSA certificate that openssl gets.
func presented(t *testing.T, o *office.Office) string {
	t.Helper()
	out, err := o.Run(o.Client, "", "/bin/sh", "-c", office.Peer(t, "openssl")+" s_client -connect "+office.Outside+":443 -tls1_2 -cipher aRSA </dev/null 2>/dev/null | openssl x509 -noout -fingerprint")
	if err != nil || !strings.Contains(out, "ingerprint=") {
		t.Fatalf("openssl: %v\n%s", err, out)
	}
	return out
}

// Drained, it ends when nobody talks any more, and until then turns newcomers away.
func TestDrain(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	serve := o.Serve()
	o.AddUser("anna", "rosebud7")
	o.AddUser("bob", "rosebud8")
	openconnect(t, o, office.URL, "anna", "rosebud7").Wait("Established DTLS connection")
	until, stop := voice(t, o)
	serve.Signal(syscall.SIGUSR1)
	serve.Wait("gateway drains")
	out, err := o.Run(o.Client, "", office.Peer(t, "curl"), "-sSk", "-i", "-A", "Cisco SVC IPPhone Client v1.0", "--max-time", "60",
		"--data", "username=bob&password=rosebud8", office.URL)
	if err != nil || !strings.HasPrefix(out, "HTTP/1.1 503") || !strings.Contains(out, "X-Reason:") {
		t.Errorf("a login while it drains: %v\n%s", err, out)
	}
	until(35 * 50) // longer than a session may be quiet: the call goes on
	sent, answered := stop()
	if sent != answered {
		t.Errorf("%d packets sent, %d answered", sent, answered)
	}
	if code := serve.Ended(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	if said := serve.Output(); !strings.Contains(said, "gateway is drained") {
		t.Errorf("it says\n%s", said)
	}
}

// With its sockets kept open by somebody else, nobody who comes during a restart is refused, and a session
// comes back without a login.
func TestRestartBehindPassedSockets(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	var files []*os.File
	must(t, o.Gateway.Do(func() error {
		tcp, err := net.Listen("tcp", office.Outside+":443")
		if err != nil {
			return err
		}
		udp, err := net.ListenPacket("udp", office.Outside+":443")
		if err != nil {
			return err
		}
		first, err := tcp.(*net.TCPListener).File()
		if err != nil {
			return err
		}
		second, err := udp.(*net.UDPConn).File()
		files = []*os.File{first, second}
		return err
	}))
	start := func() *office.Program {
		cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=gateway:gateway exec "$@"`, "sh",
			os.Getenv("LONGCORD"), "serve", "-c", o.Path(configuration))
		cmd.ExtraFiles = files
		p := o.StartCommand(o.Gateway, cmd)
		p.Wait("ready")
		return p
	}
	serve := start()
	o.AddUser("anna", "rosebud7")
	c := openconnect(t, o, office.URL, "anna", "rosebud7")
	c.Wait("Established DTLS connection")
	mark := c.Mark()
	serve.Signal(syscall.SIGTERM)
	if code := serve.Ended(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	early := o.Start(o.Client, office.Peer(t, "curl"), "-sSk", "-o", "/dev/null", "-w", "code %{http_code}\n", "--retry", "0", "--max-time", "60", office.URL)
	c.WaitAfter(mark, "SSL negotiation") // it waits at the open socket
	serve = start()
	early.Wait("code ")
	if code := early.Ended(); code != 0 || !strings.Contains(early.Output(), "code 200") {
		t.Errorf("who came in between: exit code %d, %s", code, early.Output())
	}
	c.WaitAfter(mark, "Established DTLS connection")
	if out, err := o.Run(o.Client, "", office.Peer(t, "ping"), "-c", "3", "-i", "0.2", "-W", "10", office.Desk); err != nil {
		t.Errorf("ping after the restart: %v\n%s", err, out)
	}
	if said := serve.Output(); strings.Contains(said, "logged in") {
		t.Errorf("somebody had to log in:\n%s", said)
	}
}

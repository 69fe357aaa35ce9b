package gateway

import (
	"crypto/tls"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/asa"
	"github.com/longcord/longcord/wire/cstp"
)

// collector is a syslog server.
type collector struct {
	mu    sync.Mutex
	lines []string
}

func (c *collector) Send(severity int, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, text)
	if m, err := asa.ParseMessage(text); err != nil || int(m.Severity) != severity {
		c.lines = append(c.lines, fmt.Sprintf("unreadable: %v", err))
	}
}

var lasted = regexp.MustCompile(`Duration: [^,]*`)

// since returns the lines from number from on, without the handshakes and ends of connections, which have
// no fixed place among the others, and without how long a session lasted.
func (c *collector) since(from int) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var left []string
	for _, line := range c.lines[from:] {
		if !strings.Contains(line, "-7250") {
			left = append(left, lasted.ReplaceAllString(line, "Duration: LASTED"))
		}
	}
	return left
}

func (c *collector) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.lines)
}

// ids are the numbers of messages.
func ids(lines []string) string {
	var all []string
	for _, line := range lines {
		all = append(all, line[len("%ASA-6-"):][:6])
	}
	return strings.Join(all, " ")
}

func withSyslog() (*collector, func(*world, *Config)) {
	c := &collector{}
	return c, func(_ *world, config *Config) { config.Syslog = c }
}

// TestSyslogOfALife follows a user from a wrong password to the good-bye.
func TestSyslogOfALife(t *testing.T) {
	t.Parallel()
	heard, with := withSyslog()
	w := open(t, withUsers("anna"), with)
	from := 0
	expect := func(what string, lines ...string) {
		t.Helper()
		w.until(what+" is told", func() bool { return len(heard.since(from)) >= len(lines) })
		got := heard.since(from)
		if strings.Join(got, "\n") != strings.Join(lines, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(lines, "\n"))
		}
		from = heard.count()
	}
	const who = "Group <phones> User <anna> IP <127.0.0.1> "

	w.dial(modern()).logIn(phoneURL, "anna", "wrong")
	expect("a wrong password",
		"%ASA-6-113015: AAA user authentication Rejected : reason = Invalid password : local database : user = anna : user IP = 127.0.0.1",
		"%ASA-6-716039: "+who+"Authentication: rejected, Session Type: WebVPN.")

	c := w.dial(modern())
	request := c.offer(c.cookie(phoneURL, "anna"))
	expect("a login",
		"%ASA-6-113012: AAA user authentication Successful : local database : user = anna",
		"%ASA-6-113009: AAA retrieved default group policy (phones) for user = anna",
		"%ASA-6-113008: AAA transaction status ACCEPT : user = anna",
		"%ASA-6-113039: "+who+"AnyConnect parent session started.",
		"%ASA-6-722055: "+who+"Client Type: Cisco SVC IPPhone Client v1.0 (1.0)")

	if err := c.connect(request); err != nil {
		t.Fatal(err)
	}
	expect("CONNECT",
		"%ASA-4-722051: "+who+"IPv4 Address <10.99.0.2> IPv6 address <::> assigned to session",
		"%ASA-5-722033: "+who+"First TCP SVC connection established for SVC session.",
		"%ASA-6-722022: "+who+"TCP SVC connection established without compression")

	c.dtls(w.socket())
	expect("DTLS",
		"%ASA-5-722033: "+who+"First UDP SVC connection established for SVC session.",
		"%ASA-6-722022: "+who+"UDP SVC connection established without compression")

	w.g.Logoff(t.Context(), MayReturn, func(SessionInfo) bool { return true })
	expect("a line that breaks",
		"%ASA-4-722037: "+who+"SVC closing connection: Transport closing.",
		"%ASA-6-722023: "+who+"UDP SVC connection terminated without compression",
		"%ASA-4-722037: "+who+"SVC closing connection: Transport closing.",
		"%ASA-6-722023: "+who+"TCP SVC connection terminated without compression",
		"%ASA-6-716058: "+who+"AnyConnect session lost connection. Waiting to resume.")

	again := w.dial(modern())
	if err := again.connect(request); err != nil {
		t.Fatal(err)
	}
	expect("the way back",
		"%ASA-6-716059: "+who+"AnyConnect session resumed connection from IP <127.0.0.1>.",
		"%ASA-5-722034: "+who+"New TCP SVC connection, no existing connection.",
		"%ASA-6-722022: "+who+"TCP SVC connection established without compression")

	bye, err := cstp.Farewell{Reason: cstp.UserDisconnect, Text: "Aborted by caller"}.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	up := toFiles("10.99.0.2")
	again.sendFrame(cstp.Data, up)
	w.toHost()
	again.sendFrame(cstp.Disconnect, bye)
	expect("good-bye",
		"%ASA-5-722012: "+who+"SVC Message: 16/NOTICE: Aborted by caller.",
		"%ASA-4-722037: "+who+"SVC closing connection: Transport closing.",
		"%ASA-6-722023: "+who+"TCP SVC connection terminated without compression",
		"%ASA-6-716002: "+who+"WebVPN session terminated: User Requested.",
		fmt.Sprintf("%%ASA-4-113019: Group = phones, Username = anna, IP = 127.0.0.1, Session disconnected. Session Type: SSL, Duration: LASTED, Bytes xmt: 0, Bytes rcv: %d, Reason: User Requested", len(up)))

	late := w.dial(modern())
	refused(t, late.connect(request), 401)
	expect("an old cookie", "%ASA-4-722003: IP <127.0.0.1> Error authenticating SVC connect request.")
}

// TestSyslogOfHandshakes sees TLS and DTLS begin, succeed, fail and end.
func TestSyslogOfHandshakes(t *testing.T) {
	t.Parallel()
	heard, with := withSyslog()
	w := open(t, withUsers("anna"), with)
	c := w.tunnel(phoneURL, "anna")
	sock := w.socket()
	c.dtls(sock)
	c.conn.Close()
	raw := w.raw()
	fmt.Fprint(raw, "GET / HTTP/1.0\r\n\r\n")
	for _, line := range []string{
		"725001: Starting SSL handshake with client outside:" + c.conn.LocalAddr().String() + " for TLS session.",
		"725002: Device completed SSL handshake with client outside:" + c.conn.LocalAddr().String(),
		"725007: SSL session with client outside:" + c.conn.LocalAddr().String() + " terminated.",
		"725001: Starting SSL handshake with client outside:" + sock.LocalAddr().String() + " for DTLS session.",
		"725002: Device completed SSL handshake with client outside:" + sock.LocalAddr().String(),
		"725006: Device failed SSL handshake with client outside:" + raw.LocalAddr().String(),
	} {
		line = "%ASA-6-" + strings.Replace(line, "127.0.0.1:", "127.0.0.1/", 1)
		w.until(line, func() bool {
			heard.mu.Lock()
			defer heard.mu.Unlock()
			for _, told := range heard.lines {
				if told == line {
					return true
				}
			}
			return false
		})
	}
}

// TestSyslogOfAnEnd tells why a session ended.
func TestSyslogOfAnEnd(t *testing.T) {
	t.Parallel()
	for cause, want := range map[tunnel.Cause]string{
		tunnel.UserLogout: "User Requested", tunnel.IdleTimeout: "Idle Timeout", tunnel.SessionTimeout: "Max time exceeded",
		tunnel.DisconnectedTimeout: "Lost Service", tunnel.Administrator: "Administrator Reset",
	} {
		heard, with := withSyslog()
		w := open(t, withUsers("anna"), with)
		w.tunnel(phoneURL, "anna")
		w.only().end(cause)
		if got := heard.since(0); !strings.HasSuffix(got[len(got)-1], "Reason: "+want) || !strings.HasSuffix(ids(got), "722037 722023 716002 113019") {
			t.Errorf("%v: got %s, at last %s", cause, ids(got), got[len(got)-1])
		}
	}
}

// TestSyslogOfCertificates sees a good one, a stranger's, and a login for which there is no room.
func TestSyslogOfCertificates(t *testing.T) {
	t.Parallel()
	heard, with := withSyslog()
	office := testcert.NewAuthority("CAPF-1", nil)
	const name = "CP-8861-SEP001122334455"
	w := open(t, withUsers(), with, func(w *world, _ *Config) {
		set := declared()
		set.CertificateAuthorities["office"] = &inventory.CertificateAuthority{Name: "office", Certificate: office.PEM()}
		set.TunnelGroups["phones"].CertificateAuthorities = []string{"office"}
		set.TunnelGroups["phones"].Authentication = inventory.AuthenticateCertificate
		one := 1
		set.GroupPolicies["phones"].SimultaneousLogins = &one
		w.inventory.Store(set)
	})
	c := certified{world: w}
	enter := func(certificate tls.Certificate) (*client, verify.ClientAction) {
		return c.logInWith(showing(modern(), certificate), verify.ClientConfig{ByCertificate: true})
	}
	conn, in := enter(office.Issue(name, nil))
	if err := conn.connect(conn.offer(in.(verify.LoggedIn).Cookie)); err != nil {
		t.Fatal(err)
	}
	serial := regexp.MustCompile(`serial number: [0-9A-Fa-f]+, subject name: cn=` + name + `\.$`)
	if got := heard.since(0); !strings.HasPrefix(got[0], "%ASA-6-717022: Certificate was successfully validated. ") || !serial.MatchString(got[0]) ||
		!strings.HasPrefix(ids(got), "717022 113012 113009 113008 113039 722055 722051") {
		t.Errorf("a good certificate: %s, at first %s", ids(got), got[0])
	}
	from := heard.count()
	enter(testcert.RSA(name))
	if got := heard.since(from); ids(got) != "717027" || !strings.HasPrefix(got[0], "%ASA-3-717027: Certificate chain failed validation. ") {
		t.Errorf("a stranger's: %q", got)
	}
}

// TestSyslogOfTheLimit sees a login for which there is no room.
func TestSyslogOfTheLimit(t *testing.T) {
	t.Parallel()
	heard, with := withSyslog()
	w := open(t, withUsers("anna"), with, func(w *world, _ *Config) {
		set := declared()
		one := 1
		set.GroupPolicies["phones"].SimultaneousLogins = &one
		w.inventory.Store(set)
	})
	w.tunnel(phoneURL, "anna")
	w.dial(modern()).logIn(phoneURL, "anna", "secret of anna")
	const want = "%ASA-4-113029: Group <phones> User <anna> IP <127.0.0.1> Session could not be established: session limit of 1 reached."
	if said := strings.Join(heard.since(0), "\n"); strings.Count(said, want) != 1 {
		t.Errorf("got %s\nwant once %s", said, want)
	}
}

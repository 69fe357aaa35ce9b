//go:build interop

// Package freeradius_test has FreeRADIUS say who may log in. Each test starts a server of its own, on
// loopback or inside an office.
package freeradius_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/login"
	"github.com/longcord/longcord/login/radius"
	"github.com/longcord/longcord/store/memory"
)

const key = "between the two of us"

// configuration of a server that knows a few users. Its places are for ports, folder, what comes after a
// decision, and the key.
const configuration = `
prefix = /usr
logdir = "%[3]s"
raddbdir = "%[3]s"
radacctdir = "%[3]s"
run_dir = "%[3]s"
libdir = /usr/lib/freeradius
max_request_time = 30
security {
	reject_delay = 0
}
thread pool {
	start_servers = 2
	max_servers = 4
	min_spare_servers = 1
	max_spare_servers = 2
}
client gateway {
	ipaddr = 0.0.0.0/0
	secret = "%[5]s"
	require_message_authenticator = yes
}
modules {
	pap { }
	mschap { }
	expr { }
	always handled {
		rcode = handled
	}
	always noop {
		rcode = noop
	}
	files {
		filename = "%[3]s/users"
	}
	detail {
		filename = "%[3]s/accounts"
		header = "%%t"
	}
}
server default {
	listen {
		type = auth
		ipaddr = *
		port = %[1]d
	}
	listen {
		type = acct
		ipaddr = *
		port = %[2]d
	}
	authorize {
		if (&User-Name == "otto" && &State) {
			update control {
				Auth-Type := Second
				Cleartext-Password := "246810"
			}
		}
		elsif (&User-Name == "otto") {
			update control {
				Auth-Type := First
				Cleartext-Password := "secret"
			}
		}
		else {
			mschap
			files
			pap
		}
	}
	authenticate {
		Auth-Type PAP {
			pap
		}
		Auth-Type MS-CHAP {
			mschap
		}
		Auth-Type First {
			pap
			update reply {
				Reply-Message := "Code from your token?"
			}
			update control {
				Response-Packet-Type := Access-Challenge
			}
			handled
		}
		Auth-Type Second {
			pap
		}
	}
	accounting {
		detail
	}
	post-auth {
		%[4]s
		Post-Auth-Type REJECT {
			%[4]s
		}
		Post-Auth-Type Challenge {
			%[4]s
		}
	}
}
`

const users = `
anna	Cleartext-Password := "secret"
	Class = "OU=consultants;",
	Framed-IP-Address = 10.99.0.77,
	Session-Timeout = 3600,
	Idle-Timeout = 600

bert	Cleartext-Password := "päss wörd & more"
	Class = 0x0001ff

carl	Cleartext-Password := "secret"
	Class = "OU=nobody;"

dora	Cleartext-Password := "secret"
	ASA-Tunnel-Group-Lock = "elsewhere"

emil	Cleartext-Password := "secret"
	ASA-Tunnel-Group-Lock = "staff"
`

// signing is how a FreeRADIUS older than 3.2.5 is told to send Message-Authenticator.
const signing = "update reply {\nMessage-Authenticator := 0x00\n}"

// server is a FreeRADIUS.
type server struct {
	t              *testing.T
	dir            string
	auth, accounts int
	afterwards     string
	users          string // in place of the others
	launch         func(program string, args ...string) *office.Program
	*office.Program
}

func start(t *testing.T, afterwards string) *server {
	t.Helper()
	s := &server{t: t, dir: t.TempDir(), auth: office.Port(), accounts: office.Port(), afterwards: afterwards}
	s.launch = func(program string, args ...string) *office.Program { return office.Launch(t, program, args...) }
	s.run()
	return s
}

// run starts it, once more after a Kill.
func (s *server) run() {
	s.t.Helper()
	text := fmt.Sprintf(configuration, s.auth, s.accounts, s.dir, s.afterwards, key)
	for name, content := range map[string]string{"radiusd.conf": text, "users": cmp.Or(s.users, users), "dictionary": "$INCLUDE /usr/share/freeradius/dictionary\n"} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	s.Program = s.launch(office.Peer(s.t, "freeradius"), "-d", s.dir, "-f", "-X")
	s.Wait("Ready to process requests")
}

// declared is how the inventory has the server.
func (s *server) declared() *inventory.AAAServer {
	return &inventory.AAAServer{
		Name: "radius", Protocol: inventory.RADIUS, Host: "127.0.0.1", Key: secret.New(key), Timeout: 60, RetryInterval: 5,
		AuthenticationPort: s.auth, AccountingPort: s.accounts,
	}
}

// gate is who asks servers.
type gate struct {
	*login.AAA
	t        *testing.T
	findings *finding.Board
}

func newGate(t *testing.T, servers ...*inventory.AAAServer) *gate {
	t.Helper()
	set := inventory.NewSet()
	group := &inventory.TunnelGroup{Name: "staff"}
	set.TunnelGroups["staff"] = group
	set.GroupPolicies["consultants"] = &inventory.GroupPolicy{Name: "consultants"}
	for _, s := range servers {
		set.AAAServers[s.Name] = s
		group.AuthenticationServerGroup = append(group.AuthenticationServerGroup, s.Name)
	}
	kept := memory.New()
	t.Cleanup(func() { kept.Close() })
	g := &gate{t: t, findings: finding.NewBoard()}
	var err error
	g.AAA, err = login.New(login.Config{Users: func() *inventory.Set { return set }, Store: kept, Findings: g.findings})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *gate) login(user, password string) (login.Result, error) {
	return g.Authenticate(context.Background(), login.Request{
		User: user, Password: secret.New(password), Source: netip.MustParseAddr("192.0.2.1"), TunnelGroup: "staff",
	})
}

func (g *gate) wantRefused(user, password, why string) {
	g.t.Helper()
	if _, err := g.login(user, password); !errors.Is(err, login.ErrRefused) || !strings.Contains(login.Reason(err), why) {
		g.t.Errorf("%s: got %v (%s), want refused: %s", user, err, login.Reason(err), why)
	}
}

func TestLogins(t *testing.T) {
	t.Parallel()
	s := start(t, signing)
	for _, mschap := range []bool{false, true} {
		declared := s.declared()
		declared.MSCHAPv2Capable = mschap
		g := newGate(t, declared)
		got, err := g.login("anna", "secret")
		if err != nil {
			t.Fatalf("MS-CHAPv2 %t: %v (%s)", mschap, err, login.Reason(err))
		}
		if got.User != "anna" || got.GroupPolicy != "consultants" || got.Address != netip.MustParseAddr("10.99.0.77") ||
			got.SessionTimeout != time.Hour || got.IdleTimeout != 10*time.Minute || string(got.Class[0]) != "OU=consultants;" {
			t.Errorf("MS-CHAPv2 %t: got %+v", mschap, got)
		}
		if got, err := g.login("bert", "päss wörd & more"); err != nil || got.GroupPolicy != "" || string(got.Class[0]) != "\x00\x01\xff" {
			t.Errorf("MS-CHAPv2 %t: got %+v, %v (%s)", mschap, got, err, login.Reason(err))
		}
		g.wantRefused("anna", "wrong", "refuses")
		g.wantRefused("nobody", "secret", "refuses")
		g.wantRefused("carl", "secret", `names the group policy "nobody"`)
		g.wantRefused("dora", "secret", `locks the user to tunnel group "elsewhere"`)
		if _, err := g.login("emil", "secret"); err != nil {
			t.Errorf("MS-CHAPv2 %t: locked to this group: %v (%s)", mschap, err, login.Reason(err))
		}
	}
	for _, heard := range []string{
		`NAS-Identifier = "longcord"`, `Calling-Station-Id = "192.0.2.1"`, `Called-Station-Id = "staff"`, "NAS-Port-Type = Virtual", "MS-CHAP2-Response = 0x",
	} {
		s.Wait(heard)
	}
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	s := start(t, signing)
	g := newGate(t, s.declared())
	challenge := func() login.Request {
		_, err := g.login("otto", "secret")
		var c *login.Challenge
		if !errors.As(err, &c) || c.Prompt != "Code from your token?" {
			t.Fatalf("got %v (%s), want the server's challenge", err, login.Reason(err))
		}
		return login.Request{User: "otto", Source: netip.MustParseAddr("192.0.2.1"), TunnelGroup: "staff", State: c.State}
	}
	r := challenge()
	r.SecondFactor = secret.New("246810")
	if got, err := g.Authenticate(t.Context(), r); err != nil || got.User != "otto" {
		t.Errorf("right answer: %+v, %v (%s)", got, err, login.Reason(err))
	}
	r = challenge()
	r.SecondFactor = secret.New("000000")
	if _, err := g.Authenticate(t.Context(), r); !errors.Is(err, login.ErrRefused) {
		t.Errorf("wrong answer: %v", err)
	}
	g.wantRefused("otto", "wrong", "refuses")
}

// TestUnsignedReplies: FreeRADIUS before 3.2.5 signs no reply to a password unless it is told to.
func TestUnsignedReplies(t *testing.T) {
	t.Parallel()
	s := start(t, "noop")
	strict, lenient := s.declared(), s.declared()
	strict.Timeout = 2
	g := newGate(t, strict)
	_, err := g.login("anna", "secret")
	if err == nil { // newer ones do
		t.Log("this FreeRADIUS signs by itself")
		return
	}
	if !errors.Is(err, login.ErrUnavailable) {
		t.Errorf("got %v (%s), want that nothing was heard", err, login.Reason(err))
	}
	if all := g.findings.Findings(); len(all) != 1 || all[0].Code != "aaa-server-dead" || !strings.Contains(all[0].Says, "no Message-Authenticator") {
		t.Errorf("findings: %+v", all)
	}
	permitted := false
	lenient.MessageAuthenticatorRequired = &permitted
	g = newGate(t, lenient)
	if got, err := g.login("anna", "secret"); err != nil || got.GroupPolicy != "consultants" {
		t.Errorf("permitted: got %+v, %v", got, err)
	}
	g.wantRefused("anna", "wrong", "refuses")
	if all := g.findings.Findings(); len(all) != 1 || all[0].Code != "aaa-server-unsigned" {
		t.Errorf("findings: %+v", all)
	}
}

// TestWrongKey: a server that cannot read a question drops it, and logins go to the next one.
func TestWrongKey(t *testing.T) {
	t.Parallel()
	s := start(t, signing)
	wrong, right := s.declared(), s.declared()
	wrong.Name, wrong.Key, wrong.Timeout = "wrong", secret.New("another key"), 2
	g := newGate(t, wrong, right)
	if got, err := g.login("anna", "secret"); err != nil || got.GroupPolicy != "consultants" {
		t.Errorf("got %+v, %v (%s)", got, err, login.Reason(err))
	}
	if all := g.findings.Findings(); len(all) != 1 || all[0].Subject != "wrong" || !strings.Contains(all[0].Says, "key") {
		t.Errorf("findings: %+v", all)
	}
}

// TestDeadServerComesBack kills a server and starts it again.
func TestDeadServerComesBack(t *testing.T) {
	t.Parallel()
	s := start(t, signing)
	declared := s.declared()
	declared.Timeout, declared.RetryInterval = 3, 1
	g := newGate(t, declared)
	if _, err := g.login("anna", "secret"); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	if _, err := g.login("anna", "secret"); !errors.Is(err, login.ErrUnavailable) {
		t.Errorf("dead server: got %v", err)
	}
	if len(g.findings.Findings()) != 1 {
		t.Errorf("findings: %+v", g.findings.Findings())
	}
	s.run()
	deadline := time.Now().Add(2 * office.Patience)
	for {
		_, err := g.login("anna", "secret")
		if err == nil {
			break
		}
		if !errors.Is(err, login.ErrUnavailable) || time.Now().After(deadline) {
			t.Fatalf("it is back, and a login says %v (%s)", err, login.Reason(err))
		}
		time.Sleep(100 * time.Millisecond)
	}
	if len(g.findings.Findings()) != 0 {
		t.Errorf("findings afterwards: %+v", g.findings.Findings())
	}
}

// TestAccounts has the server write down what it is told, also what waited while it was dead.
func TestAccounts(t *testing.T) {
	t.Parallel()
	s := start(t, signing)
	declared := s.declared()
	declared.Timeout, declared.RetryInterval = 3, 1
	set := inventory.NewSet()
	set.AAAServers["radius"] = declared
	set.TunnelGroups["staff"] = &inventory.TunnelGroup{Name: "staff", AccountingServerGroup: []string{"radius"}}
	findings := finding.NewBoard()
	accounts := login.NewAccounts(login.Config{Users: func() *inventory.Set { return set }, Findings: findings}, func() []login.Session { return nil })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- accounts.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	session := login.Session{
		ID: "0123456789abcdef", User: "anna", TunnelGroup: "staff", Address: netip.MustParseAddr("10.99.0.77"), Peer: netip.MustParseAddr("192.0.2.1"),
		Class: [][]byte{[]byte("OU=consultants;")}, Began: time.Now().Add(-time.Hour), FromBytes: 5<<32 + 7, ToBytes: 9, FromPackets: 3, ToPackets: 4,
	}
	accounts.Began(session)
	s.wantAccount("Acct-Status-Type = Start", `User-Name = "anna"`, "Framed-IP-Address = 10.99.0.77", `Acct-Session-Id = "0123456789abcdef"`,
		`Calling-Station-Id = "192.0.2.1"`, `Called-Station-Id = "staff"`, "Class = 0x4f553d636f6e73756c74616e74733b")

	server := &radius.Server{Accounting: radius.Address("127.0.0.1", s.accounts, 0), Key: declared.Key, Timeout: office.Patience, Retry: time.Second, NAS: "longcord"}
	if err := server.Account(ctx, radius.Account{Status: radius.Interim, Session: "0123456789abcdef", User: "anna", Time: time.Minute, FromBytes: 12, At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	s.wantAccount("Acct-Status-Type = Interim-Update", "Acct-Session-Time = 60", "Acct-Input-Octets = 12")

	s.Kill()
	accounts.Ended(session, login.IdleTimeout)
	deadline := time.Now().Add(office.Patience)
	for len(findings.Findings()) == 0 {
		if time.Now().After(deadline) {
			t.Fatal("a dead accounting server is no finding")
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.run()
	s.wantAccount("Acct-Status-Type = Stop", "Acct-Terminate-Cause = Idle-Timeout", "Acct-Input-Gigawords = 5", "Acct-Input-Octets = 7",
		"Acct-Output-Octets = 9", "Acct-Input-Packets = 3", "Acct-Output-Packets = 4")
	for len(findings.Findings()) != 0 {
		if time.Now().After(deadline.Add(office.Patience)) {
			t.Fatalf("it is back, and the finding stays: %+v", findings.Findings())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// wantAccount waits until the server's book holds an entry with all these lines.
func (s *server) wantAccount(lines ...string) {
	s.t.Helper()
	deadline := time.Now().Add(office.Patience)
	for {
		book, _ := os.ReadFile(filepath.Join(s.dir, "accounts")) // it comes with the first entry
		for entry := range strings.SplitSeq(string(book), "\n\n") {
			if !slices.ContainsFunc(lines, func(line string) bool { return !strings.Contains(entry, line) }) {
				return
			}
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("no entry has %q; the book says:\n%s", lines, book)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestCrowd is an office after a power cut: all log in at once, and the server's one answer after the other
// is enough.
func TestCrowd(t *testing.T) {
	t.Parallel()
	declared := start(t, signing).declared()
	g := newGate(t, declared)
	var crowd sync.WaitGroup
	began := time.Now()
	for i := range 500 {
		crowd.Go(func() {
			_, err := g.Authenticate(context.Background(), login.Request{
				User: "anna", Password: secret.New("secret"), Source: netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}), TunnelGroup: "staff",
			})
			if err != nil {
				t.Errorf("login %d: %v (%s)", i, err, login.Reason(err))
			}
		})
	}
	crowd.Wait()
	t.Logf("500 logins at once took %v", time.Since(began))
	if all := g.findings.Findings(); len(all) != 0 {
		t.Errorf("findings: %+v", all)
	}
}

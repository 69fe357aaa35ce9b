package ldap

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"go.uber.org/goleak"

	"github.com/longcord/longcord/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 30 * time.Second

// serve runs something on loopback that answers a connection's first bytes with what says returns, and
// then listens on. It ends with the test.
func serve(t *testing.T, says func(first []byte) []byte) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			buffer := make([]byte, 4096)
			n, _ := conn.Read(buffer)
			_, _ = conn.Write(says(buffer[:n]))
			_, _ = io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	return &Server{Host: host, Port: port, TLS: Plain, Timeout: patience, BaseDN: "dc=example,dc=net", NamingAttribute: "uid"}
}

func bytesOf(text string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// TestRogues: what is no directory says nothing of a user, whatever it sends.
func TestRogues(t *testing.T) {
	t.Parallel()
	found := bytesOf("30 1c 02 01 01 64 17 04 11 7569643d612c64633d6578616d706c65 61 30 02 30 00")
	for name, says := range map[string][]byte{
		"rubbish":               []byte("HTTP/1.1 400 Bad Request\r\n\r\n"),
		"endless length":        bytesOf("30 84 7f ff ff ff"),
		"indefinite length":     bytesOf("30 80 02 01 01"),
		"cut":                   found[:9],
		"entry and no end":      found,
		"no such operation":     bytesOf("30 05 02 01 01 7f 00"),
		"answer to another one": bytesOf("30 0c 02 01 09 65 07 0a 01 00 04 00 04 00"),
		"result without a code": bytesOf("30 05 02 01 01 65 00"),
		"the server shuts down": bytesOf("30 1f 02 01 00 78 1a 0a 01 34 04 00 04 13 7368757474696e6720646f776e2e2e2e2e2e2e"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func([]byte) []byte { return says })
			s.Timeout = 300 * time.Millisecond
			if got, err := s.Authenticate(t.Context(), "anna", secret.New("secret")); err == nil {
				t.Errorf("got %+v, want an error", got)
			}
		})
	}
}

// TestRefusedStartTLS: no password goes out when the server will not have TLS.
func TestRefusedStartTLS(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 10)
	s := serve(t, func(first []byte) []byte {
		heard <- string(first)
		return bytesOf("30 0c 02 01 01 78 07 0a 01 35 04 00 04 00") // unwilling to perform
	})
	s.TLS, s.LoginDN, s.LoginPassword = StartTLS, "cn=reader", secret.New("reader's password")
	if got, err := s.Authenticate(t.Context(), "anna", secret.New("anna's password")); err == nil || !strings.Contains(err.Error(), "StartTLS") {
		t.Errorf("got %+v, %v", got, err)
	}
	if first := <-heard; strings.Contains(first, "password") {
		t.Errorf("it heard %q", first)
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	s := serve(t, func([]byte) []byte { return nil })
	s.Timeout = 100 * time.Millisecond
	if _, err := s.Authenticate(t.Context(), "anna", secret.New("x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("silent server: %v", err)
	}
	s.Timeout = patience
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := s.Authenticate(ctx, "anna", secret.New("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("login that is given up: %v", err)
	}
	nobody := &Server{Host: "127.0.0.1", Port: "1", Timeout: patience}
	if _, err := nobody.Authenticate(t.Context(), "anna", secret.New("x")); err == nil {
		t.Error("nobody there, and no error")
	}
}

// TestNotAsked: what must not reach a directory.
func TestNotAsked(t *testing.T) {
	t.Parallel()
	s := &Server{Host: "127.0.0.1", Port: "1", Timeout: patience}
	for _, test := range []struct{ user, password string }{
		{"anna", ""}, {"", "secret"}, {"an\x00na", "secret"}, {"\xff", "secret"}, {strings.Repeat("a", maxName+1), "secret"},
	} {
		if got, err := s.Authenticate(t.Context(), test.user, secret.New(test.password)); err != nil || got.Refused == "" {
			t.Errorf("%q with %q: got %+v, %v, want refused", test.user, test.password, got, err)
		}
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for code, refused := range map[uint16]bool{
		ldap.LDAPResultInvalidCredentials: true, ldap.LDAPResultConstraintViolation: true, ldap.LDAPResultUnwillingToPerform: true,
		ldap.LDAPResultReferral: true, ldap.LDAPResultOther: true,
		ldap.LDAPResultBusy: false, ldap.LDAPResultUnavailable: false, ldap.ErrorNetwork: false, ldap.LDAPResultTimeout: false,
	} {
		got, err := judge(ldap.NewError(code, errors.New("why")))
		if (err == nil) != refused || (got.Refused != "") != refused {
			t.Errorf("result %d: got %+v, %v, want refused %t", code, got, err, refused)
		}
	}
	if _, err := judge(io.EOF); err == nil {
		t.Error("a broken connection is taken for a refusal")
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		value, meant string
		want         bool
	}{
		{"cn=staff,ou=groups,dc=example,dc=net", "CN=Staff, OU=groups, DC=example, DC=net", true},
		{"cn=staff,ou=groups,dc=example,dc=net", "cn=staff", false},
		{"cn=staff,ou=more\\,groups", "cn=Staff,ou=more\\2cgroups", true},
		{"Engineering", "engineering", true},
		{"Engineering", "eng", false},
		{"", "", true},
		{"x", "", false},
		{"cn=a", "", false},
	} {
		if got := Matches(test.value, test.meant); got != test.want {
			t.Errorf("%q and %q: got %t", test.value, test.meant, got)
		}
	}
}

// FuzzFilter: whatever a user calls himself, the search asks for exactly that name.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{"anna", "*", "a)(uid=*", `a\2a`, "(", "\x00", "ü", ")(|(uid=*)"} {
		f.Add(seed)
	}
	s := &Server{NamingAttribute: "uid", Filter: "(objectClass=person)"}
	f.Fuzz(func(t *testing.T, user string) {
		packet, err := ldap.CompileFilter(s.filterFor(user))
		if err != nil {
			t.Fatalf("%q: %v", user, err)
		}
		parts := packet.Children
		if packet.Tag != ldap.FilterAnd || len(parts) != 2 || parts[0].Tag != ldap.FilterEqualityMatch || len(parts[0].Children) != 2 {
			t.Fatalf("%q makes another filter: %s", user, s.filterFor(user))
		}
		if got := fmt.Sprint(parts[0].Children[1].Value); got != user {
			t.Errorf("%q is asked for as %q", user, got)
		}
	})
}

func FuzzMatches(f *testing.F) {
	for _, seed := range [][2]string{{"cn=a,dc=b", "CN=a, dc=b"}, {"a", "A"}, {`cn=\`, "="}, {"#04", "cn=#0402"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, value, meant string) {
		if Matches(value, meant) != Matches(meant, value) && meant != "" && value != "" {
			t.Errorf("%q and %q match one way only", value, meant)
		}
		if !Matches(value, value) {
			t.Errorf("%q is not itself", value)
		}
	})
}

package radius

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	wire "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"

	"github.com/longcord/longcord/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	key      = "a shared key"
	patience = 30 * time.Second
)

// attribute is type and value as they travel.
func attribute(t byte, value string) []byte { return append([]byte{t, byte(len(value) + 2)}, value...) }

// reply makes the reply of an honest server by the words of RFC 2865 and RFC 3579, without the library's
// help. signed adds a Message-Authenticator.
func reply(question []byte, code byte, signed bool, attributes ...[]byte) []byte {
	b := append([]byte{code, question[1], 0, 0}, question[4:20]...)
	at := 0
	if signed {
		at = len(b) + 2
		b = append(b, attribute(80, string(make([]byte, 16)))...)
	}
	for _, a := range attributes {
		b = append(b, a...)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	if signed {
		mac := hmac.New(md5.New, []byte(key))
		mac.Write(b)
		copy(b[at:], mac.Sum(nil))
	}
	sum := md5.Sum(append(bytes.Clone(b), key...))
	copy(b[4:], sum[:])
	return b
}

// serve runs a server on loopback whose replies to each question answers makes. It ends with the test.
func serve(t *testing.T, answers func(question []byte) [][]byte) *Server {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			for _, a := range answers(bytes.Clone(buffer[:n])) {
				_, _ = conn.WriteTo(a, from)
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	address := conn.LocalAddr().String()
	return &Server{Authentication: address, Accounting: address, Key: secret.New(key), Timeout: patience, Retry: time.Second, NAS: "longcord"}
}

func question() Question {
	return Question{User: "anna", Password: secret.New("hunter2"), Peer: netip.MustParseAddr("192.0.2.9"), Called: "staff"}
}

func TestQuestion(t *testing.T) {
	t.Parallel()
	asked := make(chan []byte, 10)
	s := serve(t, func(q []byte) [][]byte {
		asked <- q
		return [][]byte{reply(q, 3, true)}
	})
	q := question()
	q.State = []byte{0, 1, 2}
	if _, err := s.Authenticate(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	b := <-asked
	if b[20] != 80 || b[21] != 18 {
		t.Errorf("the first attribute is of type %d, want Message-Authenticator", b[20])
	}
	unsigned := bytes.Clone(b)
	clear(unsigned[22:38])
	mac := hmac.New(md5.New, []byte(key))
	mac.Write(unsigned)
	if !hmac.Equal(mac.Sum(nil), b[22:38]) {
		t.Error("the Message-Authenticator is wrong")
	}
	p, err := wire.Parse(b, []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	if got := rfc2865.UserPassword_GetString(p); got != "hunter2" {
		t.Errorf("password %q", got)
	}
	for what, got := range map[string]string{
		"anna": rfc2865.UserName_GetString(p), "longcord": rfc2865.NASIdentifier_GetString(p), "staff": rfc2865.CalledStationID_GetString(p),
		"192.0.2.9": rfc2865.CallingStationID_GetString(p), "\x00\x01\x02": rfc2865.State_GetString(p), "Virtual": rfc2865.NASPortType_Get(p).String(),
	} {
		if got != what {
			t.Errorf("got %q, want %q", got, what)
		}
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		code       byte
		attributes [][]byte
		want       Answer
	}{
		"welcome":   {2, nil, Answer{Verdict: Accepted}},
		"refusal":   {3, [][]byte{attribute(18, "Go\x07 away\xff"), attribute(8, "\x0a\x01\x02\x03")}, Answer{Message: "Go  away"}},
		"challenge": {11, [][]byte{attribute(18, "Code"), attribute(18, "?"), attribute(24, "\x00s")}, Answer{Verdict: Challenged, Message: "Code?", State: []byte("\x00s")}},
		"everything": {2, [][]byte{
			attribute(25, "OU=Staff;"), attribute(25, "\x00\x01"), attribute(8, "\x0a\x01\x02\x03"), attribute(27, "\x00\x00\x0e\x10"), attribute(28, "\x00\x00\x02\x58"),
			attribute(26, "\x00\x00\x00\x09\x01\x03x"), attribute(200, "?"),
		}, Answer{
			Verdict: Accepted, Class: [][]byte{[]byte("OU=Staff;"), {0, 1}}, Address: netip.MustParseAddr("10.1.2.3"), SessionTimeout: time.Hour, IdleTimeout: 10 * time.Minute,
		}},
		"locked":         {2, [][]byte{attribute(26, "\x00\x00\x0c\x04\x01\x03x\x55\x07staff")}, Answer{Verdict: Accepted, GroupLock: "staff"}},
		"locked to none": {2, [][]byte{attribute(26, "\x00\x00\x0c\x04\x55\x06none")}, Answer{Verdict: Accepted}},
		"broken lock":    {2, [][]byte{attribute(26, "\x00\x00\x0c\x04\x55\x09staff"), attribute(26, "\x00\x00\x0c\x04\x55\x00"), attribute(26, "\x00\x00\x0c")}, Answer{Verdict: Accepted}},
		"nonsense":       {2, [][]byte{attribute(8, "\x0a\x01\x02"), attribute(27, ""), attribute(25, "")}, Answer{Verdict: Accepted}},
		"gateway's call": {2, [][]byte{attribute(8, "\xff\xff\xff\xfe")}, Answer{Verdict: Accepted}},
		"loopback":       {2, [][]byte{attribute(8, "\x7f\x00\x00\x01")}, Answer{Verdict: Accepted}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(q []byte) [][]byte { return [][]byte{reply(q, test.code, true, test.attributes...)} })
			got, err := s.Authenticate(t.Context(), question())
			if err != nil || fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("got %v, %v, want %v", got, err, test.want)
			}
		})
	}
}

// forgeries are replies that only look like the server's. The first is what the attack on RADIUS of 2024
// makes of a refusal: signed as RFC 2865 has it, with no Message-Authenticator.
func forgeries(q []byte) map[string][]byte {
	accept := func(change func([]byte) []byte) []byte { return change(reply(q, 2, true)) }
	twice := func() []byte {
		b := reply(q, 2, false, attribute(80, strings.Repeat("x", 16)), attribute(80, strings.Repeat("x", 16)))
		return b
	}
	otherKey := func() []byte {
		b := reply(q, 2, true)
		sum := md5.Sum(append(bytes.Clone(b), "another key"...))
		copy(b[4:], sum[:])
		return b
	}
	return map[string][]byte{
		"without Message-Authenticator": reply(q, 2, false, attribute(33, strings.Repeat("p", 200))),
		"wrong Message-Authenticator": accept(func(b []byte) []byte {
			b[22]++
			copy(b[4:], q[4:20])
			sum := md5.Sum(append(bytes.Clone(b), key...))
			copy(b[4:], sum[:])
			return b
		}),
		"two Message-Authenticators": twice(),
		"another key":                otherKey(),
		"another question": accept(func(b []byte) []byte {
			b[1]++
			return b
		}),
		"refusal turned over": func() []byte {
			b := reply(q, 3, true)
			b[0] = 2
			return b
		}(),
		"accounting reply":                 reply(q, 5, true),
		"echo":                             q,
		"broken attribute":                 reply(q, 2, true, []byte{25, 1}),
		"attribute longer than the packet": reply(q, 2, true, []byte{25, 9, 'x'}),
		"longer than it is": accept(func(b []byte) []byte {
			b[3]++
			return b
		}),
	}
}

// TestForgeries sends every forgery before the server's own refusal, which has to win.
func TestForgeries(t *testing.T) {
	t.Parallel()
	for name := range forgeries(make([]byte, 38)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(q []byte) [][]byte { return [][]byte{forgeries(q)[name], reply(q, 3, true)} })
			if got, err := s.Authenticate(t.Context(), question()); err != nil || got.Verdict != Rejected {
				t.Errorf("got %v, %v, want a refusal", got, err)
			}
			alone := serve(t, func(q []byte) [][]byte { return [][]byte{forgeries(q)[name]} })
			alone.Timeout, alone.Retry = 300*time.Millisecond, 50*time.Millisecond
			var no *NoAnswerError
			if got, err := alone.Authenticate(t.Context(), question()); !errors.As(err, &no) || no.Refused == nil {
				t.Errorf("alone: got %v, %v, want no answer", got, err)
			}
		})
	}
}

// TestCutReplies sends a welcome cut at every length, and at last a refusal.
func TestCutReplies(t *testing.T) {
	t.Parallel()
	s := serve(t, func(q []byte) (all [][]byte) {
		whole := reply(q, 2, true, attribute(25, "OU=Staff;"))
		for n := range whole {
			all = append(all, whole[:n])
		}
		return append(all, reply(q, 3, true))
	})
	if got, err := s.Authenticate(t.Context(), question()); err != nil || got.Verdict != Rejected {
		t.Errorf("got %v, %v, want a refusal", got, err)
	}
}

// TestPadding: what follows a packet in its datagram does not count (RFC 2865 section 3).
func TestPadding(t *testing.T) {
	t.Parallel()
	s := serve(t, func(q []byte) [][]byte { return [][]byte{append(reply(q, 2, true), "padding"...)} })
	if got, err := s.Authenticate(t.Context(), question()); err != nil || got.Verdict != Accepted {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestUnsignedPermitted: who permits replies without a Message-Authenticator gets them, and those with a
// wrong one still not.
func TestUnsignedPermitted(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Verdict{
		"without Message-Authenticator": Accepted, "wrong Message-Authenticator": Rejected, "another key": Rejected, "two Message-Authenticators": Rejected,
	} {
		s := serve(t, func(q []byte) [][]byte { return [][]byte{forgeries(q)[name], reply(q, 3, true)} })
		s.Unsigned = true
		if got, err := s.Authenticate(t.Context(), question()); err != nil || got.Verdict != want {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, want)
		}
	}
}

func TestTriesAgain(t *testing.T) {
	t.Parallel()
	asked := make(chan []byte, 1000)
	s := serve(t, func(q []byte) [][]byte {
		if asked <- q; len(asked) < 3 {
			return nil
		}
		return [][]byte{reply(q, 2, true)}
	})
	s.Retry = time.Millisecond
	if got, err := s.Authenticate(t.Context(), question()); err != nil || got.Verdict != Accepted {
		t.Errorf("got %v, %v", got, err)
	}
	if !bytes.Equal(<-asked, <-asked) {
		t.Error("a question asked again is another question, which the server would take for a second login")
	}
}

func TestNoAnswer(t *testing.T) {
	t.Parallel()
	silent := serve(t, func([]byte) [][]byte { return nil })
	silent.Timeout, silent.Retry = 100*time.Millisecond, 30*time.Millisecond
	_, err := silent.Authenticate(t.Context(), question())
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "the key or this client's address") {
		t.Errorf("silent server: %v", err)
	}
	silent.Timeout = patience
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := silent.Authenticate(ctx, question()); !errors.Is(err, context.Canceled) {
		t.Errorf("login that is given up: %v", err)
	}
	nobody := *silent
	nobody.Authentication = "127.0.0.1:1"
	var no *NoAnswerError
	if _, err := nobody.Authenticate(t.Context(), question()); !errors.As(err, &no) {
		t.Errorf("nobody there: %v", err)
	}
	nobody.Authentication = "no.such.host.invalid:1812"
	if _, err := nobody.Authenticate(t.Context(), question()); !errors.As(err, &no) {
		t.Errorf("no such host: %v", err)
	}
}

func TestTooLong(t *testing.T) {
	t.Parallel()
	s := &Server{Authentication: "127.0.0.1:1"}
	for _, q := range []Question{
		{User: strings.Repeat("u", 254)}, {User: "u", Password: secret.New(strings.Repeat("p", MaxPassword+1))},
	} {
		if _, err := s.Authenticate(t.Context(), q); !errors.Is(err, ErrTooLong) {
			t.Errorf("got %v", err)
		}
	}
}

// TestUnprovedWelcome: a server that accepts a password by MS-CHAPv2 without knowing it is not believed.
func TestUnprovedWelcome(t *testing.T) {
	t.Parallel()
	s := serve(t, func(q []byte) [][]byte { return [][]byte{reply(q, 2, true), reply(q, 3, true)} })
	s.MSCHAPv2 = true
	if got, err := s.Authenticate(t.Context(), question()); err != nil || got.Verdict != Rejected {
		t.Errorf("got %v, %v, want the refusal that came after", got, err)
	}
}

func TestAccount(t *testing.T) {
	t.Parallel()
	asked := make(chan []byte, 10)
	s := serve(t, func(q []byte) [][]byte {
		asked <- q
		return [][]byte{reply(q, 2, false), reply(append([]byte{}, make([]byte, 20)...), 5, false), reply(q, 5, false)}
	})
	err := s.Account(t.Context(), Account{
		Status: Stop, Session: "0123456789abcdef", User: strings.Repeat("u", 300), Peer: netip.MustParseAddr("2001:db8::1"), Called: "staff",
		Address: netip.MustParseAddr("10.99.0.7"), Class: [][]byte{[]byte("x")}, At: time.Now().Add(-time.Hour), Time: time.Hour,
		FromBytes: 5<<32 + 7, ToBytes: 8, FromPackets: 9, ToPackets: 10, Cause: IdleTimeout,
	})
	if err != nil {
		t.Fatal(err)
	}
	b := <-asked
	if !wire.IsAuthenticRequest(b, []byte(key)) {
		t.Error("the report is not signed")
	}
	p, err := wire.Parse(b, []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	number := func(t wire.Type) uint32 { n, _ := wire.Integer(p.Get(t)); return n }
	for want, got := range map[string]string{
		"status 2": fmt.Sprint("status ", number(rfc2866.AcctStatusType_Type)), "0123456789abcdef": rfc2866.AcctSessionID_GetString(p),
		"in 7 5": fmt.Sprint("in ", number(42), " ", number(52)), "out 8 0": fmt.Sprint("out ", number(43), " ", number(53)),
		"cause 4": fmt.Sprint("cause ", number(49)), "late true": fmt.Sprint("late ", number(41) >= 3600 && number(41) < 3600+uint32(patience/time.Second)), "time 3600": fmt.Sprint("time ", number(46)),
		"2001:db8::1": rfc2865.CallingStationID_GetString(p), "10.99.0.7": rfc2865.FramedIPAddress_Get(p).String(), "x": rfc2865.Class_GetString(p),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestGroupPolicy(t *testing.T) {
	t.Parallel()
	for class, want := range map[string]string{
		"OU=Staff;": "Staff named", "OU=Staff": "Staff named", "ou= Staff ;CN=x": "Staff named", "CN=x;OU=Staff;": "Staff named", "Staff": "Staff",
		"OU=;": " named", "": "", "\x00\x01OU=Staff;": "", "\xffOU=Staff;": "", "OUx=Staff": "OUx=Staff", "Zürich": "Zürich",
	} {
		policy, named := GroupPolicy([]byte(class))
		if named {
			policy += " named"
		}
		if policy != want {
			t.Errorf("%q: got %q, want %q", class, policy, want)
		}
	}
}

func FuzzReply(f *testing.F) {
	q := make([]byte, 38)
	for _, forged := range forgeries(q) {
		f.Add(forged)
	}
	f.Add(reply(q, 11, true, attribute(24, "state"), attribute(18, "Code?")))
	s := &Server{Key: secret.New(key)}
	f.Fuzz(func(t *testing.T, datagram []byte) {
		b, err := cut(datagram)
		if err != nil {
			return
		}
		if at, _ := messageAuthenticator(b); at == 0 && s.acceptable(b, q, func(*wire.Packet) error { return nil }) == nil {
			t.Errorf("taken without a Message-Authenticator: %x", b)
		}
		if p, err := wire.Parse(b, []byte(key)); err == nil {
			if a, err := answerOf(p); err == nil && a.Verdict == Accepted && p.Code != wire.CodeAccessAccept {
				t.Errorf("a %s is taken for a welcome", p.Code)
			}
		}
	})
}

func FuzzGroupPolicy(f *testing.F) {
	for _, seed := range []string{"OU=Staff;", "Staff", "OU=", "a;OU=b;c", "\x00", "ou=ü;"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, class []byte) {
		policy, named := GroupPolicy(class)
		if strings.ContainsAny(policy, "\x00\n;") && named {
			t.Errorf("%q names the policy %q", class, policy)
		}
		if again, _ := GroupPolicy([]byte("OU=" + policy + ";")); named && again != policy {
			t.Errorf("%q names the policy %q, which by itself is read as %q", class, policy, again)
		}
	})
}

package enrol

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/wire/capf"
)

const device = "SEP001122334455"

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a server and a phone that talk to each other; every message goes over the wire format.
type world struct {
	t      *testing.T
	server *Server
	client *Client
	task   Task
	key    crypto.Signer // that the phone makes
	kept   error         // how the phone's storing goes

	claim           Claim
	stored, forgot  bool
	atServer, phone *Outcome
	lines           []string
}

func (w *world) run() {
	w.t.Helper()
	w.doServer(w.server.Start(noon))
	if w.atServer == nil || w.phone == nil {
		w.t.Fatalf("conversation does not end: %s", strings.Join(w.lines, "\n"))
	}
}

func (w *world) doServer(actions []Action) {
	for _, a := range actions {
		switch a := a.(type) {
		case Send:
			w.lines = append(w.lines, "S "+a.Message.Command.String())
			w.doClient(w.client.Received(w.carried(a.Message)))
		case Judge:
			w.claim = a.Claim
			w.doServer(w.server.Judged(noon, w.task))
		case Sign:
			w.doServer(w.server.Signed(noon, []byte{0x30, 0x00}))
		case End:
			w.atServer = &a.Outcome
		}
	}
}

func (w *world) doClient(actions []Action, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, a := range actions {
		switch a := a.(type) {
		case Send:
			w.lines = append(w.lines, "P "+a.Message.Command.String())
			w.doServer(w.server.Received(noon, w.carried(a.Message)))
		case Generate:
			spki, err := x509.MarshalPKIXPublicKey(w.key.Public())
			if err != nil {
				w.t.Fatal(err)
			}
			w.doClient(w.client.Generated(spki), nil)
		case Keep:
			w.stored = w.kept == nil
			w.doClient(w.client.Kept(w.kept), nil)
		case Forget:
			w.forgot = true
			w.doClient(w.client.Forgotten(nil), nil)
		case End:
			w.phone = &a.Outcome
		}
	}
}

func (w *world) carried(m capf.Message) capf.Message {
	w.t.Helper()
	b, err := m.AppendBinary(nil)
	if err == nil {
		m, err = capf.Parse(b)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func certificateOf(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "CP-8861-" + device}, NotAfter: noon}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestInstall(t *testing.T) {
	for _, c := range []struct {
		key  Key
		made crypto.Signer
	}{
		{DefaultKey, rsaKey(t, 2048)},
		{Key{Type: capf.EC, Curve: capf.P256}, ecKey(t, elliptic.P256())},
		{Key{Type: capf.EC, Curve: capf.P384}, ecKey(t, elliptic.P384())},
		{Key{Type: capf.EC, Curve: capf.P521}, ecKey(t, elliptic.P521())},
	} {
		t.Run(c.key.String(), func(t *testing.T) {
			w := &world{
				t: t, server: NewServer(7), client: NewClient(ClientConfig{Device: device, Password: secret.New("1234")}),
				task: Task{Known: true, Operation: Install, Key: c.key}, key: c.made,
			}
			w.run()
			want := "S auth request,P auth response,S key generate request,P in progress,P key generate response,S store request,P store response,S end session"
			if got := strings.Join(w.lines, ","); got != want {
				t.Errorf("messages are\n%s, want\n%s", got, want)
			}
			if !w.atServer.Done || !w.phone.Done || !w.stored || w.atServer.Device != device || w.atServer.Operation != Install {
				t.Errorf("outcome is %+v and %+v, stored %v", w.atServer, w.phone, w.stored)
			}
			if w.claim.Device != device || w.claim.Password.Reveal() != "1234" {
				t.Errorf("claim is %+v", w.claim)
			}
		})
	}
}

func TestOtherOperations(t *testing.T) {
	for name, c := range map[string]struct {
		task   Task
		client ClientConfig
		lines  string
		says   string
		done   bool
	}{
		"nothing": {Task{Known: true}, ClientConfig{}, "S end session", "nothing to do", true},
		"unknown": {Task{Why: "no such device"}, ClientConfig{}, "S end session", "unknown device", false},
		"delete":  {Task{Known: true, Operation: Delete}, ClientConfig{}, "S delete request,P delete response,S end session", "certificate updated", true},
		"fetch":   {Task{Known: true, Operation: Fetch}, ClientConfig{LSC: []byte{0x30, 0}}, "S fetch request,P fetch response,S end session", "nothing to do", true},
	} {
		t.Run(name, func(t *testing.T) {
			c.client.Device = device
			w := &world{t: t, server: NewServer(7), client: NewClient(c.client), task: c.task}
			w.run()
			if got, want := strings.Join(w.lines, ","), "S auth request,P auth response,"+c.lines; got != want {
				t.Errorf("messages are %s, want %s", got, want)
			}
			if w.phone.Says != c.says || w.atServer.Done != c.done || w.phone.Done != c.done {
				t.Errorf("outcome is %+v and %+v, want %q, done %v", w.atServer, w.phone, c.says, c.done)
			}
			if w.forgot != (name == "delete") {
				t.Errorf("the phone deleted its certificate: %v", w.forgot)
			}
			if name == "fetch" && !bytes.Equal(w.atServer.Certificate, c.client.LSC) {
				t.Errorf("fetched was %x", w.atServer.Certificate)
			}
		})
	}
}

// TestPhoneCannotStore: what the phone could not store must not count as stored.
func TestPhoneCannotStore(t *testing.T) {
	w := &world{
		t: t, server: NewServer(7), client: NewClient(ClientConfig{Device: device}), kept: errors.New("disk full"),
		task: Task{Known: true, Operation: Install, Key: Key{Type: capf.EC}}, key: ecKey(t, elliptic.P256()),
	}
	w.run()
	if w.atServer.Done || w.phone.Done {
		t.Errorf("outcome is %+v and %+v, want neither done", w.atServer, w.phone)
	}
}

func TestOtherKeyIsRefused(t *testing.T) {
	w := &world{
		t: t, server: NewServer(7), client: NewClient(ClientConfig{Device: device}),
		task: Task{Known: true, Operation: Install, Key: DefaultKey}, key: rsaKey(t, 1024),
	}
	w.run()
	if w.atServer.Done || !strings.Contains(w.atServer.Says, "rsa-1024, asked for was rsa-2048") {
		t.Errorf("outcome is %+v", w.atServer)
	}
}

// TestPhoneStopsHalfWay tries silence, a wrong session and a message out of turn in each state.
func TestPhoneStopsHalfWay(t *testing.T) {
	spki, err := x509.MarshalPKIXPublicKey(ecKey(t, elliptic.P256()).Public())
	if err != nil {
		t.Fatal(err)
	}
	answer, err := Claim{Session: 7, Device: device}.message()
	if err != nil {
		t.Fatal(err)
	}
	install := func(s *Server) {
		s.Start(noon)
		s.Received(noon, answer)
		s.Judged(noon, Task{Known: true, Operation: Install, Key: Key{Type: capf.EC}})
	}
	for name, reach := range map[string]func(*Server){
		"asked":      func(s *Server) { s.Start(noon) },
		"generating": install,
		"storing": func(s *Server) {
			install(s)
			s.Received(noon, capf.Message{Command: capf.KeyGenerateResponse, Session: 7, Elements: []capf.Element{{Tag: capf.TagPublicKey, Value: spki}}})
			s.Signed(noon, []byte{0x30, 0})
		},
		"deleting": func(s *Server) {
			s.Start(noon)
			s.Received(noon, answer)
			s.Judged(noon, Task{Known: true, Operation: Delete})
		},
	} {
		t.Run(name, func(t *testing.T) {
			for what, do := range map[string]func(*Server) []Action{
				"silence":       func(s *Server) []Action { return s.Advance(s.Wake()) },
				"wrong session": func(s *Server) []Action { return s.Received(noon, capf.Message{Command: capf.InProgress, Session: 8}) },
				"out of turn":   func(s *Server) []Action { return s.Received(noon, capf.Message{Command: 99, Session: 7}) },
				"gives up":      func(s *Server) []Action { return s.Received(noon, capf.Message{Command: capf.Abort, Session: 7}) },
			} {
				s := NewServer(7)
				reach(s)
				if s.state.String() != name {
					t.Fatalf("state is %s", s.state)
				}
				if early := s.Advance(s.Wake().Add(-time.Second)); early != nil {
					t.Errorf("%s: ended early: %v", what, early)
				}
				actions := do(s)
				if len(actions) != 2 {
					t.Fatalf("%s: actions are %v", what, actions)
				}
				if end, ok := actions[0].(End); !ok || end.Outcome.Done || end.Outcome.Says == "" {
					t.Errorf("%s: ended with %+v", what, actions[0])
				}
				if again := s.Received(noon, answer); again != nil || !s.Wake().IsZero() {
					t.Errorf("%s: goes on after its end: %v", what, again)
				}
			}
		})
	}
}

// TestKeyMayTakeMinutes: a phone that says that it is at it has a quarter of an hour, and no more.
func TestKeyMayTakeMinutes(t *testing.T) {
	s := NewServer(7)
	s.Start(noon)
	answer, _ := Claim{Session: 7, Device: device}.message()
	s.Received(noon, answer)
	s.Judged(noon, Task{Known: true, Operation: Install, Key: DefaultKey})
	now := noon
	for range 3 {
		now = now.Add(4 * time.Minute)
		if a := s.Advance(now); a != nil {
			t.Fatalf("ended after %s: %v", now.Sub(noon), a)
		}
		s.Received(now, capf.Message{Command: capf.InProgress, Session: 7})
	}
	if got := s.Wake().Sub(noon); got != 15*time.Minute {
		t.Errorf("waits until %s after the request, want 15m", got)
	}
}

func TestProofHolds(t *testing.T) {
	for name, key := range map[string]crypto.Signer{"RSA": rsaKey(t, 2048), "EC": ecKey(t, elliptic.P256())} {
		c := Claim{Device: device, Certificate: capf.Certificate{Type: capf.MIC, DER: certificateOf(t, key)}}
		if _, err := c.CheckProof(); err == nil {
			t.Errorf("%s: no proof at all is taken", name)
		}
		if err := c.Prove(key); err != nil {
			t.Fatal(err)
		}
		for what, proof := range map[string]capf.Proof{"both": c.Proof, "SHA-1": {SHA1: c.Proof.SHA1}, "SHA-512": {SHA512: c.Proof.SHA512}} {
			with := c
			with.Proof = proof
			if leaf, err := with.CheckProof(); err != nil || leaf.Subject.CommonName != "CP-8861-"+device {
				t.Errorf("%s, %s: %v", name, what, err)
			}
			with.Device = "SEP001122334456"
			if _, err := with.CheckProof(); err == nil {
				t.Errorf("%s, %s: proof for another device is taken", name, what)
			}
		}
	}
}

// TestBareDigest is how some phones sign: the digest alone, without its name.
func TestBareDigest(t *testing.T) {
	key := rsaKey(t, 2048)
	c := Claim{Device: device, Certificate: capf.Certificate{Type: capf.LSC, DER: certificateOf(t, key)}}
	sum := sha1.Sum(capf.ProofData(device, c.Certificate.DER))
	var err error
	if c.Proof.SHA1, err = rsa.SignPKCS1v15(nil, key, 0, sum[:]); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CheckProof(); err != nil {
		t.Error(err)
	}
}

// TestForgedPadding makes signatures with the private key that only their padding gives away.
func TestForgedPadding(t *testing.T) {
	key := rsaKey(t, 1024)
	digest := sha512.Sum512([]byte("x"))
	sign := func(text []byte) []byte {
		return new(big.Int).Exp(new(big.Int).SetBytes(text), key.D, key.N).FillBytes(make([]byte, 128))
	}
	padded := func(head []byte, fill byte, middle int) []byte {
		text := append([]byte(nil), head...)
		for len(text) < 128-middle-len(digest)-1 {
			text = append(text, fill)
		}
		text = append(text, 0)
		text = append(text, make([]byte, middle)...)
		return append(text, digest[:]...)
	}
	for name, c := range map[string]struct {
		signature []byte
		ok        bool
	}{
		"right":            {sign(padded([]byte{0, 1}, 0xff, 0)), true},
		"with a name":      {sign(padded([]byte{0, 1}, 0xff, 19)), true},
		"room for a forge": {sign(padded([]byte{0, 1}, 0xff, 40)), false},
		"other type":       {sign(padded([]byte{0, 2}, 0xff, 0)), false},
		"other filling":    {sign(padded([]byte{0, 1}, 0xaa, 0)), false},
		"longer":           {append(sign(padded([]byte{0, 1}, 0xff, 0)), 0), false},
		"none":             {nil, false},
	} {
		if got := endsWith(&key.PublicKey, digest[:], c.signature); got != c.ok {
			t.Errorf("%s: taken %v, want %v", name, got, c.ok)
		}
	}
}

func TestSUDI(t *testing.T) {
	key, sudi := rsaKey(t, 2048), ecKey(t, elliptic.P256())
	c := Claim{Session: 0x0a0b0c0d, Device: device, Certificate: capf.Certificate{Type: capf.MIC, DER: certificateOf(t, key)}}
	if err := c.Prove(key); err != nil {
		t.Fatal(err)
	}
	c.SUDI.Certificate = certificateOf(t, sudi)
	sum := sha512.Sum512(append([]byte{0x0d, 0x0c, 0x0b, 0x0a}, c.SUDI.Certificate...))
	var err error
	if c.SUDI.SHA512, err = sudi.Sign(rand.Reader, sum[:], crypto.SHA512); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CheckProof(); err != nil {
		t.Error(err)
	}
	c.Session++
	if _, err := c.CheckProof(); err == nil {
		t.Error("the SUDI's proof of another session is taken")
	}
}

func TestClientStandsItsGround(t *testing.T) {
	for name, m := range map[string]capf.Message{
		"key before auth":    {Command: capf.KeyGenerateRequest, Session: 7},
		"unknown command":    {Command: 99},
		"store before auth":  {Command: capf.StoreRequest},
		"delete before auth": {Command: capf.DeleteRequest},
	} {
		if a, err := NewClient(ClientConfig{Device: device}).Received(m); err == nil {
			t.Errorf("%s: %v", name, a)
		}
	}
	c := NewClient(ClientConfig{Device: device})
	if _, err := c.Received(capf.Message{Command: capf.AuthRequest, Session: 7}); err != nil {
		t.Fatal(err)
	}
	a, err := c.Received(capf.Message{Command: capf.KeyGenerateRequest, Session: 7, Elements: []capf.Element{capf.Byte(capf.TagKeyType, capf.KeyType(2)), capf.Byte(capf.TagCurve, capf.P256)}})
	if err != nil || len(a) != 1 {
		t.Fatalf("unknown kind of key: %v, %v", a, err)
	}
	if m := a[0].(Send).Message; m.Command != capf.KeyGenerateResponse || len(m.Elements) != 1 || m.Elements[0].Tag != capf.TagReason {
		t.Errorf("unknown kind of key is answered by %s", m)
	}
	if a, err := c.Received(capf.Message{Command: capf.StoreRequest, Session: 8}); err == nil {
		t.Errorf("another session's certificate is taken: %v", a)
	}
}

func TestKeysReadBack(t *testing.T) {
	for _, text := range []string{"rsa-1024", "rsa-2048", "rsa-3072", "rsa-4096", "ec-256", "ec-384", "ec-521"} {
		if k, err := ParseKey(text); err != nil || k.String() != text {
			t.Errorf("%s reads as %s, %v", text, k, err)
		}
	}
	if k, err := ParseKey("rsa-512"); err == nil {
		t.Errorf("rsa-512 reads as %s", k)
	}
}

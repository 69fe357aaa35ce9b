package provisioner

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/longcord/longcord/stage/enrol"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/capf"
	"github.com/longcord/longcord/wire/tvs"
)

// everybody lets every phone enrol, and issues nothing that could be used.
type everybody struct {
	mu    sync.Mutex
	from  []string
	ended chan enrol.Outcome
}

func (e *everybody) Judge(_ context.Context, _ enrol.Claim, from string) (enrol.Task, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.from = append(e.from, from)
	return enrol.Task{Known: true, Operation: enrol.Install, Key: enrol.Key{Type: capf.EC}}, nil
}

func (e *everybody) Sign(context.Context, string, crypto.PublicKey) ([]byte, error) {
	return nil, errors.New("nothing is issued")
}

func (e *everybody) Ended(_ context.Context, o enrol.Outcome) error {
	e.ended <- o
	return nil
}

func (e *everybody) Seen(context.Context, *x509.Certificate) error { return nil }

func selfSignedPair(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "house"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func startTrustServer(t *testing.T) (*TrustServer, *everybody) {
	t.Helper()
	pair, who := selfSignedPair(t), &everybody{ended: make(chan enrol.Outcome, 8)}
	give := func() (tls.Certificate, error) { return pair, nil }
	s, err := NewTrustServer(TrustConfig{
		TVS: netip.MustParseAddrPort("127.0.0.1:0"), CAPF: netip.MustParseAddrPort("127.0.0.1:0"),
		TVSPair: give, CAPFPair: give, Enrolments: who,
		Known:    func() []verify.TVSRecord { return nil },
		DeviceAt: func(netip.Addr) (string, bool) { return "SEP0011223344FF", true },
	})
	if err == nil {
		err = s.Open()
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s, who
}

func dialTrust(t *testing.T, address netip.AddrPort) *tls.Conn {
	t.Helper()
	conn, err := tls.Dial("tcp", address.String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// TestServerSpeaksFirstInOnePiece: two writes would stall a phone.
func TestServerSpeaksFirstInOnePiece(t *testing.T) {
	s, who := startTrustServer(t)
	_, at := s.Addresses()
	conn := dialTrust(t, at)
	first := make([]byte, 1000)
	n, err := conn.Read(first) // one record at most
	if err != nil {
		t.Fatal(err)
	}
	m, err := capf.Parse(first[:n])
	if err != nil || m.Command != capf.AuthRequest {
		t.Fatalf("the first record holds %x: %v", first[:n], err)
	}
	answer, err := capf.Message{Command: capf.AuthResponse, Session: m.Session, Elements: []capf.Element{capf.Text(capf.TagDevice, "SEP001122334455")}}.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(answer); err != nil {
		t.Fatal(err)
	}
	if m, err = capf.Read(conn); err != nil || m.Command != capf.KeyGenerateRequest {
		t.Fatalf("then %s, %v", m, err)
	}
	if who.from[0] != "SEP0011223344FF" {
		t.Errorf("the address belongs to %q", who.from)
	}
	// It stops half way, in the middle of a message.
	if _, err := conn.Write([]byte{0x55, 4, 0}); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	again := dialTrust(t, at) // and others are served
	if m, err := capf.Read(again); err != nil || m.Command != capf.AuthRequest {
		t.Errorf("the next one gets %s, %v", m, err)
	}
}

func TestEnrolmentEndsOnRubbish(t *testing.T) {
	s, who := startTrustServer(t)
	_, at := s.Addresses()
	conn := dialTrust(t, at)
	m, err := capf.Read(conn)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := capf.Message{Command: 77, Session: m.Session}.AppendBinary(nil)
	if _, err := conn.Write(b); err != nil {
		t.Fatal(err)
	}
	if m, err = capf.Read(conn); err != nil || m.Command != capf.EndSession {
		t.Errorf("rubbish is answered by %s, %v", m, err)
	}
	if _, err := capf.Read(conn); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
	if o := <-who.ended; o.Done || o.Says == "" {
		t.Errorf("outcome is %+v", o)
	}
}

func TestTVSAnswersNoToWhatItDoesNotKnow(t *testing.T) {
	s, _ := startTrustServer(t)
	at, _ := s.Addresses()
	for _, r := range []tvs.Request{{Session: 1, Issuer: "CN=x", Serial: []byte{9}}, {Session: 2, Certificate: []byte{0x30, 0}}} {
		conn := dialTrust(t, at)
		b, err := r.Message().AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
		m, err := tvs.Read(conn)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := m.Answer(); err != nil || a.Valid || a.Session != r.Session || len(m.Elements) != 1 {
			t.Errorf("answer to %+v is %s, %v", r, m, err)
		}
		if _, err := tvs.Read(conn); !errors.Is(err, io.EOF) {
			t.Errorf("the connection goes on: %v", err)
		}
	}
	conn := dialTrust(t, at)
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := tvs.Read(conn); err == nil {
		t.Error("HTTP is answered")
	}
}

// TestFloodFromOneAddress: who takes every place of its address gets no more, and TVS and CAPF share them.
func TestFloodFromOneAddress(t *testing.T) {
	s, _ := startTrustServer(t)
	at, enrolment := s.Addresses()
	for i := range trustPerAddress { // they say nothing
		conn, err := net.Dial("tcp", at.String())
		if err != nil {
			t.Fatal(i, err)
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	// Two listeners accept in an order of their own, so the first one that is too many may come before its time.
	eventually(t, "one more connection is turned away", func() bool {
		late, err := net.Dial("tcp", enrolment.String())
		if err != nil {
			t.Fatal(err)
		}
		defer late.Close()
		if err := late.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		_, err = late.Read(make([]byte, 1))
		var timeout net.Error
		return err != nil && !(errors.As(err, &timeout) && timeout.Timeout())
	})
}

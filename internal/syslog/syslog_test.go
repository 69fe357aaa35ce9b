package syslog_test

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/longcord/longcord/internal/syslog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 30 * time.Second

// serve runs a sender until the returned function is called.
func serve(t *testing.T, c syslog.Config) (*syslog.Sender, func()) {
	t.Helper()
	s, err := syslog.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	stop := func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	return s, stop
}

var form = regexp.MustCompile(`^<166>[A-Z][a-z]{2} \d\d \d{4} \d\d:\d\d:\d\d gw : %ASA-6-113039: hello$`)

func TestUDP(t *testing.T) {
	t.Parallel()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	s, stop := serve(t, syslog.Config{Server: server.LocalAddr().String(), Facility: 20, Host: "gw"})
	defer stop()
	s.Send(6, "%ASA-6-113039: hello")
	buf := make([]byte, 2000)
	if err := server.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	n, _, err := server.ReadFrom(buf)
	if err != nil || !form.Match(buf[:n]) {
		t.Errorf("got %q, %v", buf[:n], err)
	}
}

// TestTCPComesBack cuts the connection; what is said afterwards goes by the next one.
func TestTCPComesBack(t *testing.T) {
	t.Parallel()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	s, stop := serve(t, syslog.Config{Server: server.Addr().String(), Protocol: "tcp", Facility: 20, Host: "gw"})
	for range 2 {
		conn, err := server.Accept()
		if err != nil {
			t.Fatal(err)
		}
		s.Send(6, "%ASA-6-113039: hello")
		if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		got, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !form.MatchString(strings.TrimSuffix(got, "\n")) {
			t.Errorf("got %q, %v", got, err)
		}
		conn.Close()
	}
	stop()
}

// TestNobodyWaits: without a server, and with far more lines than anybody takes, Send returns at once and
// the lines that found no room are counted.
func TestNobodyWaits(t *testing.T) {
	t.Parallel()
	s, err := syslog.New(syslog.Config{Server: "127.0.0.1:9", Protocol: "tcp"})
	if err != nil {
		t.Fatal(err)
	}
	const lines = 10000
	for range lines {
		s.Send(6, "x")
	}
	if got := s.Dropped(); got != lines-4096 {
		t.Errorf("%d were dropped want all that the queue of 4096 does not hold", got)
	}
}

// TestDropsAreTold: when the server takes lines again, our own log says how many it missed.
func TestDropsAreTold(t *testing.T) {
	t.Parallel()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	log := &lines{told: make(chan struct{}, 1)}
	s, err := syslog.New(syslog.Config{Server: server.LocalAddr().String(), Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for range 5000 {
		s.Send(6, "x")
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	select {
	case <-log.told:
	case <-time.After(patience):
		t.Error("nobody is told")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// lines looks for the line about drops.
type lines struct{ told chan struct{} }

func (l *lines) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "syslog lines dropped") && strings.Contains(string(b), "count=904") {
		l.told <- struct{}{}
	}
	return len(b), nil
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []syslog.Config{{}, {Server: "host"}, {Server: "host:"}, {Server: "h:1", Protocol: "tls"}, {Server: "h:1", Facility: 24}, {Server: "h:1", Facility: -1}} {
		if _, err := syslog.New(c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

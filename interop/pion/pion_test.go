//go:build interop

// Package pion_test has pion's DTLS, a library in Go that shares nothing with our engine, judge our handshake
// with a pre-shared key at both ends. It cuts its messages into small fragments and loses datagrams.
package pion_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	pion "github.com/pion/dtls/v3"

	"github.com/longcord/longcord/interop/dtlsecho"
	"github.com/longcord/longcord/interop/office"
	engine "github.com/longcord/longcord/stage/tunnel/dtls"
	"github.com/longcord/longcord/wire/dtls"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

var config = engine.Config{SessionID: bytes.Repeat([]byte{3}, engine.SessionIDLen), PSK: bytes.Repeat([]byte{5}, engine.PSKLen)}

// suites are what both know. pion has no AES-256-GCM with a pre-shared key.
var suites = map[pion.CipherSuiteID]dtls.Suite{pion.TLS_PSK_WITH_AES_128_GCM_SHA256: dtls.PSKAES128GCM}

func options(suite pion.CipherSuiteID, ems pion.ExtendedMasterSecretType) []pion.Option {
	return []pion.Option{
		pion.WithPSK(func([]byte) ([]byte, error) { return config.PSK, nil }), pion.WithPSKIdentityHint([]byte("psk")),
		pion.WithCipherSuites(suite), pion.WithExtendedMasterSecret(ems), pion.WithFlightInterval(100 * time.Millisecond),
	}
}

func each(t *testing.T, test func(t *testing.T, suite pion.CipherSuiteID, want dtls.Suite, ems pion.ExtendedMasterSecretType, lose int)) {
	for suite, want := range suites {
		for name, ems := range map[string]pion.ExtendedMasterSecretType{"extended": pion.RequireExtendedMasterSecret, "plain": pion.DisableExtendedMasterSecret} {
			for lose := range 6 {
				t.Run(fmt.Sprintf("%s %s without datagram %d", want, name, lose), func(t *testing.T) {
					t.Parallel()
					test(t, suite, want, ems, lose)
				})
			}
		}
	}
}

// lossy is a socket that loses the datagram of some number, in either direction; 0 is none.
type lossy struct {
	net.PacketConn
	lose int
	n    chan int // what has passed
}

func socket(t *testing.T, lose int) *lossy {
	t.Helper()
	sock, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sock.Close() })
	l := &lossy{sock, lose, make(chan int, 1)}
	l.n <- 0
	return l
}

func (l *lossy) loses() bool {
	n := 1 + <-l.n
	l.n <- n
	return n == l.lose
}

func (l *lossy) WriteTo(b []byte, to net.Addr) (int, error) {
	if l.loses() {
		return len(b), nil
	}
	return l.PacketConn.WriteTo(b, to)
}

func (l *lossy) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := l.PacketConn.ReadFrom(b)
		if err != nil || !l.loses() {
			return n, from, err
		}
	}
}

func TestClient(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, suite pion.CipherSuiteID, want dtls.Suite, ems pion.ExtendedMasterSecretType, lose int) {
		server := dtlsecho.Serve(t, config, false)
		var all []pion.ClientOption
		for _, o := range options(suite, ems) {
			all = append(all, o)
		}
		conn, err := pion.ClientWithOptions(socket(t, lose), net.UDPAddrFromAddrPort(server.Addr()), all...)
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = conn.Handshake() }() // what comes of it, talk sees
		if got := server.Up(); got != want {
			t.Errorf("suite is %s, want %s", got, want)
		}
		talk(t, conn)
	})
}

func TestServer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, suite pion.CipherSuiteID, want dtls.Suite, ems pion.ExtendedMasterSecretType, lose int) {
		sock := socket(t, lose)
		client := dtlsecho.Dial(t, config, sock.LocalAddr().(*net.UDPAddr).AddrPort())
		all := []pion.ServerOption{pion.WithMTU(60)}
		for _, o := range options(suite, ems) {
			all = append(all, o)
		}
		conn, err := pion.ServerWithOptions(sock, net.UDPAddrFromAddrPort(client.Addr()), all...)
		if err != nil {
			t.Fatal(err)
		}
		failed := make(chan error, 1)
		go func() {
			buf := make([]byte, 2000)
			n, err := conn.Read(buf)
			if err == nil {
				_, err = conn.Write(buf[:n])
			}
			failed <- err
		}()
		if got := client.Up(); got != want {
			t.Errorf("suite is %s, want %s", got, want)
		}
		again := time.NewTicker(100 * time.Millisecond)
		defer again.Stop()
		for {
			client.Say("hello there")
			select {
			case err := <-failed:
				if err != nil {
					t.Fatal(err)
				}
				client.Hears("hello there")
				return
			case <-again.C:
			}
		}
	})
}

// talk says something until it comes back.
func talk(t *testing.T, conn *pion.Conn) {
	t.Helper()
	heard := make(chan error, 1)
	go func() {
		buf := make([]byte, 2000)
		n, err := conn.Read(buf)
		if err == nil && string(buf[:n]) != "hello there" {
			err = fmt.Errorf("heard %q", buf[:n])
		}
		heard <- err
	}()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	deadline := time.After(office.Patience)
	for {
		if _, err := conn.Write([]byte("hello there")); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-heard:
			if err != nil {
				t.Error(err)
			}
			return
		case <-deadline:
			t.Fatal("nothing comes back")
		case <-again.C:
		}
	}
}

package netstack

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	header "gvisor.dev/gvisor/pkg/tcpip/network/ipv4"

	"github.com/longcord/longcord/tun"
)

var left, right = netip.MustParseAddr("10.30.0.1"), netip.MustParseAddr("10.30.0.2")

// pair returns two devices with a cable between them.
func pair(t *testing.T) (a, b *device) {
	t.Helper()
	open := func(address netip.Addr) *device {
		d, err := Open(tun.Settings{Address: netip.PrefixFrom(address, 32), MTU: 1300})
		if err != nil {
			t.Fatal(err)
		}
		return d.(*device)
	}
	a, b = open(left), open(right)
	var cable sync.WaitGroup
	carry := func(from, to *device) {
		buffer := make([]byte, 1500)
		for {
			n, err := from.Read(buffer)
			if err != nil {
				if !errors.Is(err, os.ErrClosed) {
					t.Error(err)
				}
				return
			}
			if n > 1300 {
				t.Errorf("a packet of %d bytes leaves a device of MTU 1300", n)
			}
			_, _ = to.Write(buffer[:n]) // the other end may be closed first
		}
	}
	cable.Go(func() { carry(a, b) })
	cable.Go(func() { carry(b, a) })
	t.Cleanup(func() {
		if err := errors.Join(a.Close(), b.Close(), b.Close()); err != nil {
			t.Error(err)
		}
		cable.Wait()
	})
	return a, b
}

func TestTCP(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	listener, err := gonet.ListenTCP(b.stack, fullAddress(netip.AddrPortFrom(right, 2000)), header.ProtocolNumber)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		_, err = io.Copy(conn, conn)
		if err = errors.Join(err, conn.Close()); err != nil {
			t.Error(err)
		}
	}()
	conn, err := a.DialTCP(t.Context(), netip.AddrPortFrom(right, 2000))
	if err != nil {
		t.Fatal(err)
	}
	sent := make([]byte, 100_000)
	for i := range sent {
		sent[i] = byte(i % 251)
	}
	go func() {
		_, err := conn.Write(sent)
		if err = errors.Join(err, conn.(*gonet.TCPConn).CloseWrite()); err != nil {
			t.Error(err)
		}
	}()
	came, err := io.ReadAll(conn)
	if err != nil || string(came) != string(sent) {
		t.Errorf("%d bytes came back of %d: %v", len(came), len(sent), err)
	}
	_ = listener.Close()
}

func TestTCPRefused(t *testing.T) {
	t.Parallel()
	a, _ := pair(t)
	if _, err := a.DialTCP(t.Context(), netip.AddrPortFrom(right, 5060)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a closed port gives %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.DialTCP(ctx, netip.AddrPortFrom(right, 5060)); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended gives %v", err)
	}
}

func TestUDP(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	mine, err := a.ListenUDP(0)
	if err != nil {
		t.Fatal(err)
	}
	yours, err := b.ListenUDP(16384)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.ListenUDP(16384); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a port that is taken gives %v", err)
	}
	if _, err := mine.WriteToUDPAddrPort([]byte("hello"), netip.AddrPortFrom(right, 16384)); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 100)
	n, from, err := yours.ReadFromUDPAddrPort(buffer)
	if err != nil || string(buffer[:n]) != "hello" || from.Addr() != left {
		t.Errorf("came %q from %s: %v", buffer[:n], from, err)
	}
	if err := yours.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := yours.ReadFrom(buffer); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a deadline that has passed gives %v", err)
	}
	ended := make(chan error, 1)
	go func() {
		_, _, err := mine.ReadFrom(buffer)
		ended <- err
	}()
	if err := mine.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("a closed socket gives %v", err)
	}
}

func TestPing(t *testing.T) {
	t.Parallel()
	a, _ := pair(t)
	socket, err := a.ListenPing()
	if err != nil {
		t.Fatal(err)
	}
	message := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{Seq: 3, Data: []byte("are you there")}}
	packet, err := message.Marshal(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := socket.WriteTo(packet, &net.UDPAddr{IP: right.AsSlice()}); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 1500)
	n, from, err := socket.ReadFrom(buffer)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := icmp.ParseMessage(1, buffer[:n])
	if err != nil {
		t.Fatal(err)
	}
	echo, ok := answer.Body.(*icmp.Echo)
	if !ok || answer.Type != ipv4.ICMPTypeEchoReply || string(echo.Data) != "are you there" || from.(*net.UDPAddr).AddrPort().Addr() != right {
		t.Errorf("%v from %s is no answer", answer, from)
	}
	if err := socket.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenRefusesIPv6(t *testing.T) {
	t.Parallel()
	if _, err := Open(tun.Settings{Address: netip.MustParsePrefix("fd00::1/64")}); err == nil {
		t.Error("a device without IPv4 was opened")
	}
}

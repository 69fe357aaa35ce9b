package portholder

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	t.Parallel()
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	_, tcpAgain := net.Listen("tcp4", tcp.Addr().String())
	_, udpAgain := net.ListenPacket("udp4", udp.LocalAddr().String())
	for want, err := range map[string]error{tcp.Addr().String(): tcpAgain, udp.LocalAddr().String(): udpAgain} {
		address, holder, ok := Of(fmt.Errorf("wrapped: %w", err))
		if pid := fmt.Sprintf("(pid %d)", os.Getpid()); !ok || !strings.HasSuffix(address, want) || !strings.HasSuffix(holder, pid) {
			t.Errorf("got %q %q %t, want %s and %s", address, holder, ok, want, pid)
		}
	}
	if _, _, ok := Of(errors.New("another error")); ok {
		t.Error("another error is taken for a port in use")
	}
}

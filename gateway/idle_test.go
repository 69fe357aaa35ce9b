package gateway

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// portsVariable tells the process with the clients where the gateway is: its TCP and its UDP port.
const portsVariable = "GATEWAY_TEST_PORTS"

const (
	idleSessions = 300
	idleMost     = 24 << 10 // bytes; a heap may be twice what lives, and 40 KiB are promised
)

// TestIdleSessionIsSmall measures what a session with both channels costs that says nothing: heap and stack,
// with everything that hangs on it. The clients are in a process of their own, so that they do not count.
func TestIdleSessionIsSmall(t *testing.T) {
	var names []string
	for i := range idleSessions {
		names = append(names, fmt.Sprintf("user%d", i))
	}
	w := open(t, withUsers(names...), func(w *world, c *Config) {
		set := declared()
		set.AddressPools["pool"].Network = "10.99.0.0/16"
		w.inventory.Store(set)
		c.Log = nil
	})
	w.works("user0") // so that what comes once is there
	before := living()
	tcp, udp := w.ports()
	clients := exec.Command(os.Args[0], "-test.run=^TestIdleClients$")
	clients.Env = append(os.Environ(), fmt.Sprintf("%s=%d %d", portsVariable, tcp, udp))
	clients.Stderr = os.Stderr
	in, err := clients.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := clients.StdoutPipe()
	if err == nil {
		err = clients.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer clients.Wait()
	defer in.Close()
	for lines := bufio.NewScanner(out); ; {
		if !lines.Scan() {
			t.Fatal("the clients have ended")
		}
		if lines.Text() == "connected" {
			break
		}
	}
	w.until("all have both channels", func() bool {
		ready := 0
		for _, s := range w.g.sessions.all() {
			if s.dtls.Load() != nil && s.cstp.Load() != nil {
				ready++
			}
		}
		return ready == idleSessions
	})
	each := (living() - before) / idleSessions
	t.Logf("an idle session takes %d bytes", each)
	if each > idleMost {
		t.Errorf("an idle session takes %d bytes, at most %d are allowed", each, idleMost)
	}
}

// living is how much memory is in use, without what nobody uses any more.
func living() int {
	for range 3 { // finalizers, pools, and stacks, which shrink by half each time
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

// TestIdleClients is the process with the clients.
func TestIdleClients(t *testing.T) {
	ports := os.Getenv(portsVariable)
	if ports == "" {
		return // a test among others
	}
	w := &world{t: t}
	if _, err := fmt.Fscan(strings.NewReader(ports), &w.tcp, &w.udp); err != nil {
		t.Fatal(err)
	}
	for i := range idleSessions {
		c := w.tunnel(phoneURL, fmt.Sprintf("user%d", i))
		c.handshake(w.socket())
	}
	fmt.Println("connected")
	_, _ = io.Copy(io.Discard, os.Stdin) // until the gateway's test ends
}

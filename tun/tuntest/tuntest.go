// Package tuntest is a packet device in memory: what one end writes, the other reads. Tests of tunnels
// hold the other end of the device that the tunnel uses, and play the host with it.
package tuntest

import (
	"fmt"
	"os"
	"sync"

	"github.com/longcord/longcord/tun"
)

// depth is how many packets wait to be read; as on a real interface, more are dropped.
const depth = 256

// Pipe returns the two ends of a device. Both have the given name. Closing either end closes both, and
// packets still waiting are lost.
func Pipe(name string) (device, host tun.Device) {
	p := &pipe{name: name, closed: make(chan struct{})}
	up, down := make(chan []byte, depth), make(chan []byte, depth)
	return &end{p, up, down}, &end{p, down, up}
}

type pipe struct {
	name   string
	once   sync.Once
	closed chan struct{}
}

type end struct {
	*pipe
	in, out chan []byte
}

func (e *end) Name() string { return e.name }

// Read returns the next packet; it refuses a buffer that is too short for it.
func (e *end) Read(packet []byte) (int, error) {
	select {
	case <-e.closed:
		return 0, os.ErrClosed
	case p := <-e.in:
		if len(p) > len(packet) {
			return 0, fmt.Errorf("tuntest: packet of %d bytes read into %d", len(p), len(packet))
		}
		return copy(packet, p), nil
	}
}

// Write never blocks.
func (e *end) Write(packet []byte) (int, error) {
	select {
	case <-e.closed:
		return 0, os.ErrClosed
	default:
	}
	select {
	case e.out <- append([]byte(nil), packet...):
	default:
	}
	return len(packet), nil
}

func (e *end) Close() error {
	e.once.Do(func() { close(e.closed) })
	return nil
}

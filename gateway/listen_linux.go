package gateway

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// takeOver makes sockets that somebody else opened the gateway's own: streams its TCP, datagrams its UDP.
func (g *Gateway) takeOver(files []*os.File) error {
	for _, file := range files {
		if err := g.takeOverOne(file); err != nil {
			return fmt.Errorf("passed socket %s: %w", file.Name(), err)
		}
	}
	return nil
}

func (g *Gateway) takeOverOne(file *os.File) error {
	defer file.Close() // what is used of it is a duplicate
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	kind := 0
	if controlErr := raw.Control(func(fd uintptr) { kind, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TYPE) }); controlErr != nil {
		return controlErr
	}
	if err != nil {
		return os.NewSyscallError("getsockopt", err)
	}
	if kind == unix.SOCK_STREAM {
		listener, err := net.FileListener(file)
		if err != nil {
			return err
		}
		if _, ok := listener.(*net.TCPListener); !ok {
			return fmt.Errorf("listens on %s, want TCP", listener.Addr())
		}
		g.listeners = append(g.listeners, listener)
		return nil
	}
	var taken *socket
	if controlErr := raw.Control(func(fd uintptr) { taken, err = adoptUDP(int(fd)) }); controlErr != nil {
		return controlErr
	}
	if err != nil {
		return err
	}
	if g.udp != nil && (g.udp.other != nil || g.udp.six == taken.six) {
		return errors.Join(fmt.Errorf("a second UDP socket of one family"), taken.close())
	}
	g.addUDP(taken)
	return nil
}

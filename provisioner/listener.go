package provisioner

import (
	"net"
	"net/netip"
	"sync"
)

// listenerWithPlaces hangs up on connections for which there is no place. A phone then asks by TFTP.
type listenerWithPlaces struct {
	net.Listener
	places *places
}

// Accept returns the next connection that has a place, which it keeps until it is closed.
func (l listenerWithPlaces) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer, _ := netip.ParseAddrPort(conn.RemoteAddr().String()) // one that is gone already has none, and shares a place
		if l.places.take(peer) == placeTaken {
			return &placedConn{Conn: conn, leave: sync.OnceFunc(func() { l.places.free(peer) })}, nil
		}
		_ = conn.Close() // there is nothing in it to lose
	}
}

// placedConn gives its place back when it is closed.
type placedConn struct {
	net.Conn
	leave func()
}

// Close closes the connection, and may be called more than once.
func (c *placedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

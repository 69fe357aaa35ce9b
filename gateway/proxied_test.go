package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
)

var proxyClient = &net.TCPAddr{IP: net.IPv4(198, 51, 100, 9).To4(), Port: 40000}

// proxyLine is what a proxy puts in front of a client's bytes.
func proxyLine(t testing.TB, version byte) []byte {
	t.Helper()
	h := proxyproto.HeaderProxyFromAddrs(version, proxyClient, &net.TCPAddr{IP: net.IPv4(203, 0, 113, 2).To4(), Port: 443})
	line, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func behindProxy(_ *world, c *Config) {
	c.ProxyProtocol = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
}

// late sends something in front of the first bytes that are written, in one segment with them.
type late struct {
	net.Conn
	front []byte
}

func (l *late) Write(b []byte) (int, error) {
	n, err := l.Conn.Write(append(l.front, b...))
	n = max(0, n-len(l.front))
	l.front = nil
	return n, err
}

func TestProxiedClient(t *testing.T) {
	t.Parallel()
	w := open(t, withUsers("anna"), behindProxy)
	local, err := (&proxyproto.Header{Version: 2, Command: proxyproto.LOCAL, TransportProtocol: proxyproto.UNSPEC}).Format()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		line []byte
		want string // its address in the log; empty: the proxy's own
	}{
		"version 1":       {proxyLine(t, 1), proxyClient.String()},
		"version 2":       {proxyLine(t, 2), proxyClient.String()},
		"version 1, IPv6": {[]byte("PROXY TCP6 2001:db8::9 2001:db8::2 40001 443\r\n"), "[2001:db8::9]:40001"},
		"mapped":          {[]byte("PROXY TCP6 ::ffff:198.51.100.7 ::ffff:203.0.113.2 40002 443\r\n"), "198.51.100.7:40002"},
		"of its own":      {local, ""},
		"unknown":         {[]byte("PROXY UNKNOWN\r\n"), ""},
	} {
		raw := w.raw()
		conn := tls.Client(&late{Conn: raw, front: c.line}, modern())
		if err := conn.Handshake(); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := fmt.Fprintf(conn, "GET /phones HTTP/1.1\r\nHost: %s\r\nContent-Length: x\r\n\r\n", host); err != nil {
			t.Fatal(err)
		}
		if c.want == "" {
			c.want = raw.LocalAddr().String()
		}
		w.until(name+" is logged", func() bool {
			return strings.Contains(w.log.String(), "peer="+c.want) || strings.Contains(w.log.String(), `peer="`+c.want+`"`)
		})
		raw.Close()
	}
}

// A line about a client counts only from a proxy, and a proxy must send one.
func TestProxyLineFromOthers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*world, *Config)
		front  []byte
	}{
		"no proxy":      {func(*world, *Config) {}, proxyLine(t, 2)},
		"another proxy": {func(_ *world, c *Config) { c.ProxyProtocol = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} }, proxyLine(t, 1)},
		"no line":       {behindProxy, nil},
		"unix socket":   {behindProxy, append([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x31\x00\xd8"), make([]byte, 216)...)},
		"too long":      {behindProxy, []byte("PROXY TCP4 " + strings.Repeat("1", 500) + "\r\n")},
	} {
		w := open(t, c.change)
		raw := w.raw()
		if err := tls.Client(&late{Conn: raw, front: c.front}, modern()).Handshake(); err == nil {
			t.Errorf("%s: the gateway speaks TLS", name)
		}
		var front []byte
		if w.g.fromProxy(netip.MustParseAddr("127.0.0.1")) {
			front = proxyLine(t, 1)
		}
		if err := tls.Client(&late{Conn: w.raw(), front: front}, modern()).Handshake(); err != nil {
			t.Errorf("%s: a good client after it: %v", name, err)
		}
	}
}

// A line that is cut short at any length ends the connection, and costs nobody else anything.
func TestProxyLineCut(t *testing.T) {
	t.Parallel()
	for _, version := range []byte{1, 2} {
		line := proxyLine(t, version)
		for n := range line {
			conn := &bytesConn{Reader: bytes.NewReader(line[:n])}
			if _, _, err := unwrap(t.Context(), conn, netip.AddrPort{}); err == nil {
				t.Errorf("version %d cut at %d is accepted", version, n)
			}
		}
	}
}

// bytesConn is a connection that holds bytes.
type bytesConn struct {
	net.Conn
	io.Reader
}

func (c *bytesConn) Read(b []byte) (int, error)      { return c.Reader.Read(b) }
func (c *bytesConn) SetReadDeadline(time.Time) error { return nil }
func (c *bytesConn) Close() error                    { return nil }

func FuzzUnwrap(f *testing.F) {
	for _, version := range []byte{1, 2} {
		f.Add(append(proxyLine(f, version), "\x16\x03\x01 what comes behind"...))
	}
	f.Add([]byte("PROXY UNKNOWN\r\nx"))
	f.Fuzz(func(t *testing.T, b []byte) {
		conn, client, err := unwrap(context.Background(), &bytesConn{Reader: bytes.NewReader(b)}, netip.MustParseAddrPort("192.0.2.1:9"))
		if err != nil {
			return
		}
		if !client.Addr().IsValid() || client.Addr().Is4In6() {
			t.Errorf("client %s", client)
		}
		rest, err := io.ReadAll(conn)
		if err != nil || !bytes.HasSuffix(b, rest) {
			t.Errorf("behind the line: %q, %v", rest, err)
		}
	})
}

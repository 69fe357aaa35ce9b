package gateway

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/tun"
	"github.com/longcord/longcord/tun/tuntest"
	"github.com/longcord/longcord/wire/cstp"
)

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	good := func() Config {
		return Config{
			Settings:  Settings{Listen: netip.MustParseAddrPort("127.0.0.1:0")},
			Inventory: declared, Login: users{}, Store: memory.New(), OpenTUN: noTUN, Route: noRoute,
		}
	}
	if _, err := New(good()); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*Config){
		"no inventory":    func(c *Config) { c.Inventory = nil },
		"no login":        func(c *Config) { c.Login = nil },
		"no store":        func(c *Config) { c.Store = nil },
		"no TUN":          func(c *Config) { c.OpenTUN = nil },
		"no routes":       func(c *Config) { c.Route = nil },
		"no address":      func(c *Config) { c.Listen = netip.AddrPort{} },
		"empty inventory": func(c *Config) { c.Inventory = inventory.NewSet },
		"no pool": func(c *Config) {
			set := declared()
			clear(set.AddressPools)
			c.Inventory = func() *inventory.Set { return set }
		},
	} {
		c := good()
		spoil(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// closes tells whether a device was closed.
type closes struct {
	tun.Device
	closed bool
}

func (c *closes) Close() error { c.closed = true; return c.Device.Close() }

// TestOpenGivesBack: when one thing cannot be had, the others are free again.
func TestOpenGivesBack(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	broken := &failing{Store: memory.New()}
	broken.fails.Store(true)
	for name, spoil := range map[string]func(*Config){
		"port taken": func(c *Config) { c.Listen = netip.MustParseAddrPort(taken.Addr().String()) },
		"no TUN":     func(c *Config) { c.OpenTUN = noTUN },
		"no routes":  func(c *Config) { c.Route = noRoute },
		"no store":   func(c *Config) { c.Store = broken },
	} {
		pipe, _ := tuntest.Pipe("test0")
		device, host := &closes{Device: pipe}, &router{held: map[netip.Addr]bool{}}
		c := Config{
			Settings:  Settings{Listen: netip.MustParseAddrPort("127.0.0.1:0"), DTLS: netip.MustParseAddrPort("127.0.0.1:0")},
			Inventory: declared, Login: users{}, Store: memory.New(),
			OpenTUN: func(tun.Settings) (tun.Device, error) { return device, nil },
			Route:   func(RoutingConfig) (Router, error) { return host, nil },
		}
		spoil(&c)
		g, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		err = g.Open(t.Context())
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		var op *net.OpError
		if name == "port taken" && !errors.As(err, &op) {
			t.Errorf("%s: %v is no *net.OpError", name, err)
		}
		if len(g.listeners) > 0 {
			if _, err := net.Dial("tcp", g.listeners[0].Addr().String()); err == nil {
				t.Errorf("%s: the port is still open", name)
			}
		}
		if g.host != nil && !device.closed || g.router != nil && !host.closed {
			t.Errorf("%s: device closed %v, routes %v", name, device.closed, host.closed)
		}
	}
}

// TestServeFails: a gateway without its packet device is none.
func TestServeFails(t *testing.T) {
	t.Parallel()
	failed := errors.New("test: interface is gone")
	w := open(t, func(_ *world, c *Config) {
		c.OpenTUN = func(tun.Settings) (tun.Device, error) { return gone{newNull(), failed}, nil }
	})
	w.until("the gateway stops by itself", func() bool {
		conn, err := net.Dial("tcp", w.g.listeners[0].Addr().String())
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	if err := w.stop(); !errors.Is(err, failed) {
		t.Errorf("got %v want %v", err, failed)
	}
}

type gone struct {
	*null
	err error
}

func (g gone) Read([]byte) (int, error) { return 0, g.err }

// TestStopAmidWork stops the gateway while clients come, speak and are logged off.
func TestStopAmidWork(t *testing.T) {
	t.Parallel()
	for range 5 {
		w := open(t, withUsers("anna", "boris", "clara"))
		clients := map[*client]*channel{}
		for user := range w.users {
			c := w.tunnel(staffURL, user)
			clients[c] = c.dtls(w.socket())
		}
		var begun, working sync.WaitGroup
		for c, d := range clients {
			begun.Add(1)
			working.Go(func() { // until the gateway is gone
				first := sync.OnceFunc(begun.Done)
				for {
					_, lost := d.sock.Write(d.sealed(cstp.DPDRequest, nil))
					_, closed := c.conn.Write(cstp.AppendFrame(nil, cstp.DPDRequest, nil))
					first()
					if lost != nil || closed != nil {
						return
					}
				}
			})
		}
		begun.Wait()
		working.Go(func() { w.g.Logoff(t.Context(), MustLogIn, func(s SessionInfo) bool { return s.User == "anna" }) })
		if err := w.stop(); err != nil {
			t.Error(err)
		}
		working.Wait()
	}
}

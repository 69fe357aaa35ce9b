package fleet

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/secret"
)

// Config is a fleet. URL, TLS, Clients, Login and Far are required.
type Config struct {
	URL     string      // group URL; its host is dialled
	TLS     *tls.Config // how clients speak TLS and judge the gateway
	Clients int
	Login   func(client int) (user string, password secret.String)
	Phones  bool // log in as phones do; else by XML documents

	// Names of suites for the DTLS channel as CONNECT offers them.
	CipherSuites   []string // X-DTLS-CipherSuite
	CipherSuites12 []string // X-DTLS12-CipherSuite

	// Sources gives each client an outer address of its own out of this prefix, which must be the
	// outside host's own altogether. Not valid: all clients share the host's address and have a socket
	// each.
	Sources netip.Prefix
	Outside Host           // of the clients
	Inside  Host           // of the far end
	Far     netip.AddrPort // where on the inside clients send to, and are sent from

	AtOnce  int                   // set-ups at the same time; zero: DefaultAtOnce
	Timeout time.Duration         // of one set-up; zero: DefaultTimeout
	Usage   func() (Usage, error) // what the gateway has used so far; nil: not known
	Log     *slog.Logger          // nil: discard
}

// Host is where sockets are opened; the zero value is this machine as it is.
type Host struct {
	// Do runs f where sockets that it opens belong to the host.
	Do func(f func() error) error
}

func (h Host) do(f func() error) error {
	if h.Do == nil {
		return f()
	}
	return h.Do(f)
}

// Defaults of a Config.
const (
	DefaultAtOnce  = 16
	DefaultTimeout = 30 * time.Second
)

// maxClients bounds a fleet.
const maxClients = 65536

// Fleet is clients and the thread that carries their packets. Its methods are for one goroutine.
type Fleet struct {
	config  Config
	url     *url.URL
	log     *slog.Logger
	clients []*client
	loop    *loop
	work    sync.WaitGroup // what reads TLS and writes control frames
}

// New opens the sockets and starts the packet thread. Close ends it.
func New(config Config) (*Fleet, error) {
	u, err := url.Parse(config.URL)
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "":
		return nil, fmt.Errorf("fleet: %q is no https URL", config.URL)
	case config.TLS == nil || config.Login == nil || !config.Far.IsValid():
		return nil, errors.New("fleet: configuration lacks a part")
	case config.Clients < 1 || config.Clients > maxClients:
		return nil, fmt.Errorf("fleet: %d clients, want 1 to %d", config.Clients, maxClients)
	case !config.Far.Addr().Is4():
		return nil, fmt.Errorf("fleet: far end %s is not IPv4", config.Far)
	}
	config.AtOnce = cmp.Or(config.AtOnce, DefaultAtOnce)
	config.Timeout = cmp.Or(config.Timeout, DefaultTimeout)
	f := &Fleet{config: config, url: u, log: logging.Or(config.Log)}
	if err := f.enlist(); err != nil {
		return nil, err
	}
	f.loop, err = newLoop(f)
	if err != nil {
		return nil, fmt.Errorf("fleet: %w", err)
	}
	return f, nil
}

// enlist makes the clients, without connections.
func (f *Fleet) enlist() error {
	source := f.config.Sources.Addr()
	for i := range f.config.Clients {
		if f.config.Sources.IsValid() {
			if source = source.Next(); !f.config.Sources.Contains(source) {
				return fmt.Errorf("fleet: %s has no addresses for %d clients", f.config.Sources, f.config.Clients)
			}
		}
		f.clients = append(f.clients, newClient(f, i, source))
	}
	return nil
}

// Close logs every client off and ends all that the fleet started.
func (f *Fleet) Close() error {
	f.loop.order(func() {
		for _, c := range f.clients {
			c.logOff()
		}
	})
	err := f.loop.close()
	f.work.Wait()
	return err
}

// Run sets all clients up, lets them talk and logs them off.
func (f *Fleet) Run(ctx context.Context, talk Talk) (Result, error) {
	var r Result
	var err error
	if r.SetUp, err = f.Connect(ctx); err == nil {
		r.Voice, err = f.Talk(ctx, talk)
	}
	return r, errors.Join(err, f.Close())
}

// Package provisioner is the phones' file server: TFTP on UDP 69, HTTP on TCP 6970 and HTTPS on TCP 6971,
// with one library of files behind all three. Phones' configurations are rendered from the inventory at the moment they are asked
// for; everything else, such as firmware and ring tones, comes from a folder of the operator.
//
// New checks the settings, Open takes the ports, Serve answers until its context ends. Who gets which file
// says provision.Access: through a tunnel a phone gets its own, in the office everybody gets any, as with
// the vendor's own servers. Keep the ports inside.
package provisioner

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/net/ipv4"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/stage/enrol"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/wire/tftp"
)

// Settings are what an operator sets.
type Settings struct {
	TFTP         netip.AddrPort // where TFTP requests are taken, IPv4; phones know only port 69
	HTTP         netip.AddrPort // where HTTP requests are taken, IPv4; phones know only port 6970
	HTTPS        netip.AddrPort // where HTTPS requests are taken; phones know only port 6971; the zero value: nowhere
	FilesDir     string         // folder served read-only beside the phones' files; empty: none
	CallManagers []string       // for phones whose site names none, host or host:port; empty: the address of TFTP
	NTPServers   []string       // for phones whose site names none
	Access       provision.Access
}

// DefaultSettings returns settings with the phones' ports on one address.
func DefaultSettings(listen netip.Addr) Settings {
	return Settings{
		TFTP: netip.AddrPortFrom(listen, tftp.Port),
		HTTP: netip.AddrPortFrom(listen, provision.HTTPPort), HTTPS: netip.AddrPortFrom(listen, provision.HTTPSPort),
	}
}

// Validate returns what is wrong with the settings, or nil.
func (s Settings) Validate() error {
	if !s.TFTP.Addr().Is4() || !s.HTTP.Addr().Is4() {
		return fmt.Errorf("provisioner: listen addresses %s and %s are not both IPv4", s.TFTP, s.HTTP)
	}
	if s.TFTP.Addr().IsUnspecified() && len(s.CallManagers) == 0 {
		return fmt.Errorf("provisioner: phones cannot be told %s as their call manager: name one", s.TFTP.Addr())
	}
	return nil
}

// Config is what a Provisioner needs.
type Config struct {
	Settings
	Inventory func() *inventory.Set // the inventory as it is now; called at each request
	// EnrolMode is how a device is to prove itself to CAPF, which its file tells it. nil: no TVS and no CAPF runs at
	// the address of TFTP.
	EnrolMode func(device string) enrol.Mode
	// Unknown hears of phones that ask for their files and are not in the inventory; nil: nobody does.
	Unknown func(device string, peer netip.AddrPort, file string)
	// Holder returns who has an inner address of a tunnel; nil: there are no tunnels.
	Holder func(netip.Addr) (provision.Holder, bool)
	// Neighbour returns the MAC address of who has an address on a network of this machine, as device names spell it,
	// empty behind a router; nil: by the kernel's table of neighbours.
	Neighbour func(netip.Addr) (mac string, err error)
	Authority Authority      // signs files and trust lists; nil: nothing is signed
	Store     store.Store    // where deliveries are kept; nil: nowhere
	Findings  *finding.Board // nil: nobody wants to know
	Log       *slog.Logger   // nil discards
	// PhoneCertificate returns the RSA certificate that a device's files can be encrypted for, nil where it never
	// had one, and whether it is still good.
	PhoneCertificate func(device string) (phone *x509.Certificate, good bool)
	// Certificate is shown by HTTPS, with an EC key; it is asked for at each connection. Nil: HTTPS is not served.
	Certificate func() (tls.Certificate, error)
	// Prove returns the device that certificates shown by HTTPS prove, the client's own first. Nil: none is asked for.
	Prove func(sent []*x509.Certificate) (device string, err error)
}

func (c Config) signer() signer {
	return signer{https: c.servesHTTPS(), authority: c.Authority, certificate: c.PhoneCertificate, now: time.Now, cache: newSignatures()}
}

func (c Config) servesHTTPS() bool { return c.HTTPS.IsValid() && c.Certificate != nil }

// Provisioner serves files. Its methods may be called from several goroutines.
type Provisioner struct {
	settings  Settings
	secure    *tls.Config // of HTTPS; nil: it is not served
	prove     func([]*x509.Certificate) (string, error)
	log       *slog.Logger
	library   library
	holder    func(netip.Addr) (provision.Holder, bool)
	findings  *finding.Board
	unknown   func(device string, peer netip.AddrPort, file string)
	ledger    *ledger
	recorder  *recorder
	places    *places
	transfers transfers
	stamps    stamps
	permits   permits
	asking    recently // who asked whether somebody may give orders, and was told no

	mu   sync.Mutex
	udp  *ipv4.PacketConn // nil until Open
	tcp  net.Listener
	tls  net.Listener // nil: HTTPS is not served
	root *os.Root     // of FilesDir
}

// New returns a provisioner that has opened nothing yet.
func New(cfg Config) (*Provisioner, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Inventory == nil {
		return nil, errors.New("provisioner: no inventory given")
	}
	log := logging.Or(cfg.Log).With(logging.Actor, "provisioner", logging.Stage, stage.Provision)
	recorder := newRecorder(cfg.Store, log)
	return &Provisioner{
		settings: cfg.Settings, secure: cfg.tls(), prove: cfg.Prove, log: log, library: library{inventory: cfg.Inventory, renderer: cfg.Renderer(), signer: cfg.signer()},
		holder: cfg.Holder, findings: cfg.Findings, unknown: cfg.Unknown, ledger: newLedger(log, recorder, cfg.Findings, cfg.Neighbour), recorder: recorder, places: newPlaces(tftpMaxTransfers, tftpMaxPerPeer),
		transfers: transfers{of: map[netip.AddrPort]*transfer{}},
	}, nil
}

// Renderer returns what makes the files that a provisioner with this configuration serves.
func (c Config) Renderer() provision.Renderer {
	r := provision.Renderer{CallManagers: c.CallManagers, NTPServers: c.NTPServers}
	if len(r.CallManagers) == 0 {
		r.CallManagers = []string{c.TFTP.Addr().String()}
	}
	if c.EnrolMode != nil {
		r.Trust = c.TFTP.Addr().String()
		r.EnrolMode = func(device string) int { return int(c.EnrolMode(device)) }
	}
	return r
}

// Open takes the ports and the folder. A port that is taken is a *net.OpError in the chain. After an
// error nothing stays open. Without a later Serve, call Close.
func (p *Provisioner) Open() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.udp != nil {
		return errors.New("provisioner: open already")
	}
	return errors.Join(p.open(), p.closeUnlessOpen())
}

func (p *Provisioner) open() (err error) {
	if err := p.recorder.load(context.Background(), p.library.inventory()); err != nil {
		return fmt.Errorf("provisioner: deliveries: %w", err)
	}
	if p.settings.FilesDir != "" {
		if p.root, err = os.OpenRoot(p.settings.FilesDir); err != nil {
			return fmt.Errorf("provisioner: folder of files: %w", err)
		}
		p.library.folder = folder{p.root}
	}
	if p.tcp, err = net.Listen("tcp4", p.settings.HTTP.String()); err != nil {
		return fmt.Errorf("provisioner: %w", err)
	}
	if p.secure != nil {
		if p.tls, err = net.Listen("tcp4", p.settings.HTTPS.String()); err != nil {
			return fmt.Errorf("provisioner: %w", err)
		}
	}
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(p.settings.TFTP))
	if err != nil {
		return fmt.Errorf("provisioner: %w", err)
	}
	_ = conn.SetReadBuffer(tftpBuffer) // a system that allows less serves, too
	p.udp = ipv4.NewPacketConn(conn)
	if err := p.udp.SetControlMessage(ipv4.FlagDst, true); err != nil {
		return errors.Join(fmt.Errorf("provisioner: %w", err), p.close())
	}
	return nil
}

// closeUnlessOpen takes back half an opening.
func (p *Provisioner) closeUnlessOpen() error {
	if p.udp != nil {
		return nil
	}
	return p.close()
}

// Close frees what Open took. Serve does it too.
func (p *Provisioner) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.close()
}

func (p *Provisioner) close() error {
	var errs []error
	if p.udp != nil {
		errs = append(errs, p.udp.Close())
	}
	if p.tcp != nil {
		errs = append(errs, p.tcp.Close())
	}
	if p.tls != nil {
		errs = append(errs, p.tls.Close())
	}
	if p.root != nil {
		errs = append(errs, p.root.Close())
	}
	p.udp, p.tcp, p.tls, p.root = nil, nil, nil, nil
	return errors.Join(errs...)
}

// Addresses returns where TFTP and HTTP are served, with the ports that were chosen where the settings
// say 0. Zero values before Open.
func (p *Provisioner) Addresses() (tftp, http netip.AddrPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.udp == nil {
		return tftp, http
	}
	return p.udp.LocalAddr().(*net.UDPAddr).AddrPort(), p.tcp.Addr().(*net.TCPAddr).AddrPort()
}

// HTTPSAddress returns where HTTPS is served likewise; the zero value where it is not.
func (p *Provisioner) HTTPSAddress() (at netip.AddrPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tls != nil {
		at = p.tls.Addr().(*net.TCPAddr).AddrPort()
	}
	return at
}

// Serve answers phones until ctx ends, and returns when everything it started has stopped. It opens what
// Open has not. The end of ctx is no error.
func (p *Provisioner) Serve(ctx context.Context) error {
	udp, tcp, secure, err := p.listeners()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p.log.Info("file server begins", "tftp", udp.LocalAddr(), "http", tcp.Addr())
	var beside sync.WaitGroup
	recording, stopRecording := context.WithCancel(context.WithoutCancel(ctx))
	beside.Go(func() { p.recorder.run(recording) })
	beside.Go(func() { p.watch(ctx) })
	services := []func() error{
		func() error { return p.serveTFTP(ctx, udp) },
		func() error { return p.serveHTTP(ctx, tcp, nil) },
	}
	if secure != nil {
		services = append(services, func() error { return p.serveHTTP(ctx, secure, p.secure) })
	}
	ended := make(chan error, len(services))
	for _, serve := range services {
		go func() { ended <- serve() }()
	}
	for range services {
		err = errors.Join(err, <-ended)
		cancel() // one of them cannot go on: neither do the others
	}
	stopRecording()
	beside.Wait()
	if closing := p.Close(); closing != nil && !errors.Is(closing, net.ErrClosed) {
		err = errors.Join(err, closing)
	}
	p.log.Info("file server ends", "delivered", p.Snapshot().Delivered)
	return err
}

func (p *Provisioner) listeners() (*ipv4.PacketConn, net.Listener, net.Listener, error) {
	p.mu.Lock()
	opened := p.udp != nil
	p.mu.Unlock()
	if !opened {
		if err := p.Open(); err != nil {
			return nil, nil, nil, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.udp, p.tcp, p.tls, nil
}

// Deliveries returns by device what arrived at it, newest first, before the last restart too. The slices are
// not to be changed.
func (p *Provisioner) Deliveries() map[string][]Delivery { return p.recorder.all() }

// Snapshot returns what has happened so far.
func (p *Provisioner) Snapshot() Snapshot {
	s := p.ledger.snapshot()
	s.Transfers = p.places.taken()
	return s
}
